"""Tags are suggested with the words that speak for them, and learned from what was confirmed."""

from dataclasses import replace

import yaml

from config.settings import CONFIG
from facets.learning import NEW_WEIGHT, Example, examples_of, learned
from facets.suggesting import suggestions
from facets.tagger import tag
from facets.taxonomy import parse_taxonomy, starting_taxonomy

STARTING = (CONFIG / "taxonomy.yaml").read_text(encoding="utf-8")
TITLE = "关于举办高校毕业生招聘会的通知"
BODY = "面向高校毕业生，组织招聘会三场。企业稳岗返还照常办理。招聘会不收费。"


def test_each_suggestion_says_which_words_speak_for_it() -> None:
    told = {one.key: one.why for one in suggestions(TITLE, BODY, starting_taxonomy())}
    assert told["employment"] == (
        "标题有“招聘会”、“高校毕业生”；正文有“招聘会”2 次、“稳岗返还”、“高校毕业生”"
    )
    assert told["graduates"] == "标题有“高校毕业生”；正文有“高校毕业生”"
    assert told["notice"] == "标题有“通知”"


def test_a_text_that_says_nothing_suggests_nothing() -> None:
    assert suggestions("你好", "今天下雨。", starting_taxonomy()) == []


def example(title: str, *topics: str, body: str = "") -> Example:
    return Example(title, body, {"topics": frozenset(topics)})


def weight(text: str, key: str, word: str) -> float:
    return parse_taxonomy(yaml.safe_load(text)).facets["topics"][key].words.get(word, 0.0)


def test_a_word_that_was_never_confirmed_weighs_less_and_one_always_confirmed_more() -> None:
    rows = [example(f"海关第{n}号", "tax_finance", body="海关") for n in range(8)]
    rows += [example(f"消费券第{n}期", "consumption", body="发放消费券") for n in range(8)]
    text, found = learned(STARTING, rows)
    told = {one.word: one for one in found}
    assert (told["海关"].before, told["海关"].after) == (2.0, 1.0)
    assert told["海关"].why == "促进消费：“海关”在 8 篇里，其中 0 篇确认了它，权重 2 改为 1"
    assert (told["消费券"].before, told["消费券"].after) == (6.0, 8.5)
    assert f"# {told['海关'].why}\n" in text
    assert weight(text, "consumption", "消费券") == 8.5
    # What people wrote stays, and learning once more changes nothing.
    own = yaml.safe_load(text)["dimensions"]["topics"]["values"]["consumption"]["words"]
    assert "消费券" in own[6]
    assert learned(text, rows)[0] == text
    # What was confirmed before a rename speaks for the value that carries it on.
    renamed = STARTING.replace(
        "        label: 促进消费\n", "        label: 促进消费\n        was: [buying]\n"
    )
    old = [replace(one, chosen={"topics": frozenset({"buying"})}) for one in rows[8:]]
    assert [one.after for one in learned(renamed, old)[1] if one.word == "消费券"] == [8.5]


def test_a_new_word_is_learned_from_titles_whose_topic_nothing_suggested() -> None:
    titles = ("青禾县乌兰牧骑开演", "北山村迎来乌兰牧骑", "乌兰牧骑招新队员")
    rows = [example(title, "culture") for title in titles]
    text, (one,) = learned(STARTING, rows)
    assert (one.word, one.before, one.after, one.texts) == ("乌兰牧骑", 0.0, NEW_WEIGHT, 3)
    known = parse_taxonomy(yaml.safe_load(text))
    assert tag("", "乌兰牧骑下乡", known)["topics"][0]["key"] == "culture"
    # Where the word also stands for something else it is no evidence.
    assert learned(STARTING, [*rows, example("乌兰牧骑招聘会", "employment")])[1] == []


def test_one_text_or_a_value_nobody_chose_teaches_nothing() -> None:
    assert learned(STARTING, [example("乌兰牧骑巡演", "culture")]) == (STARTING, [])
    unlimited = [Example("海关公告", "海关", {"topics": frozenset()}) for _ in range(9)]
    assert learned(STARTING, unlimited) == (STARTING, [])


def test_a_part_of_a_topic_that_was_chosen_confirms_the_topic() -> None:
    rows = [example(f"招聘会第{n}场", "recruitment", body="招聘会") for n in range(8)]
    _, found = learned(STARTING, rows)
    told = {(one.key, one.word): one for one in found}
    assert told["employment", "招聘会"].confirmed == 8


def test_what_nobody_is_pushed_is_no_example() -> None:
    assert examples_of([{"title": "甲", "body": "乙", "audience": None}]) == []
    assert examples_of([{"title": "甲", "body": "乙"}]) == []
    one = {"title": "甲", "body": "乙", "audience": {"topics": ["culture"], "urgent": ["night"]}}
    assert examples_of([one])[0].chosen["topics"] == {"culture"}
