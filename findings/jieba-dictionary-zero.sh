#!/usr/bin/env bash
# jieba 0.42.1 takes a word with 〇 (the zero of 二〇二六年), with the point of a name of two parts, or
# with a rare Han character into its dictionary, and never gives it back.
#
# Seen: `add_word` and `load_userdict` accept such words without a word of warning and `FREQ` holds
# them; `lcut`, `lcut_for_search` and `lcut(cut_all=True)` split them all the same, because the text
# is first cut where a character outside U+4E00–U+9FD5 (and few signs) stands, and the dictionary is
# looked at only inside the pieces. Of 二〇二六年 the cut even makes the word 六年 (six years), so that
# an index of official dates finds "six years" in every document of 2026.
# Who meets it: everybody who puts dates as official documents write them, names such as 阿布都·热合曼
# or place names with a character of an extension block into a dictionary of their own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet setuptools==80.9.0 wheel
"$folder/venv/bin/pip" install --quiet --no-build-isolation jieba==0.42.1
cd "$folder"
cat >words.txt <<'WORDS'
阿布都·热合曼 100000 nr
㙍镇 100000 ns
WORDS
TMPDIR="$folder" "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import jieba

jieba.setLogLevel("ERROR")
jieba.add_word("二〇二六年", freq=100_000)
jieba.load_userdict("words.txt")
print("jieba", jieba.__version__)
for word in ("二〇二六年", "阿布都·热合曼", "㙍镇"):
    text = f"于{word}印发"
    ways = {
        "lcut": jieba.lcut(text),
        "without HMM": jieba.lcut(text, HMM=False),
        "for search": jieba.lcut_for_search(text),
        "cut_all": jieba.lcut(text, cut_all=True),
    }
    assert jieba.get_FREQ(word) == 100_000, word
    for way, found in ways.items():
        print(f"{word} in the dictionary, {way}: {found}")
        assert word not in found, (way, found)
assert "六年" in jieba.lcut("于二〇二六年印发")
# The same word without those characters is given back as it should be.
jieba.add_word("青禾惠才办法", freq=100_000)
assert "青禾惠才办法" in jieba.lcut("于青禾惠才办法印发")
PYTHON
