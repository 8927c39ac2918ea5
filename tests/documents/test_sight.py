"""Words in pictures: read by a process of its own, found by the gates with their box."""

import io
import sys
from datetime import date
from typing import Any

import pypdf
import pytest
from PIL import Image

from documents.picture_words import words_in
from documents.reader import read_attachment
from documents.sight import Eyes, Seen, Word, with_seen
from gates.attachments import StoredFile, stored_findings
from gates.files import Checker
from gates.finding import NoFacts
from gates.rules import RuleSet
from tests.gates.office_files import identity, zipped

_SPEAKS = """
import json, sys
while line := sys.stdin.buffer.readline():
    asked = json.loads(line)
    content = sys.stdin.buffer.read(asked["size"])
    if asked["name"] == "dies.png":
        sys.exit(1)
    if asked["name"] == "slow.png":
        sys.stdin.buffer.read()
    words = [["13900139000", 0.1, 0.2, 0.5, 0.3]]
    print(json.dumps({"rows": [["图中第 1 行", words]], "pictures": 1, "unread": ""}), flush=True)
"""


def _png(width: int = 200, height: int = 100) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(out, "PNG")
    return out.getvalue()


def _seen(*words: str, unread: str = "") -> Seen:
    row = tuple(Word(text, (0.1 * at, 0.2, 0.1 * at + 0.1, 0.3)) for at, text in enumerate(words))
    return Seen((("图中第 1 行", row),), 1, unread)


def test_a_process_of_its_own_reads_and_is_replaced_when_it_ends() -> None:
    eyes = Eyes(5, (sys.executable, "-c", _SPEAKS))
    try:
        assert eyes.read("a.png", b"x").rows[0][1][0] == Word("13900139000", (0.1, 0.2, 0.5, 0.3))
        assert "没有完成" in eyes.read("dies.png", b"x").unread
        assert eyes.read("a.png", b"x").pictures == 1
    finally:
        eyes.close()


_TELLS = """
import json, os, sys
asked = json.loads(sys.stdin.buffer.readline())
sys.stdin.buffer.read(asked["size"])
print(json.dumps({"rows": [], "pictures": 0, "unread": " ".join(os.environ)}), flush=True)
"""


def test_the_process_that_opens_strangers_pictures_was_given_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHENFA_DATABASE_URL", "postgresql://user:secret@db/shenfa")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    eyes = Eyes(5, (sys.executable, "-c", _TELLS))
    try:
        names = eyes.read("a.png", b"x").unread.split()
    finally:
        eyes.close()
    assert {"PATH", "PYTHONPATH", "LC_ALL"} <= set(names)
    assert [one for one in names if one.startswith(("SHENFA", "PYTEST"))] == []


def test_what_takes_too_long_is_ended_and_said() -> None:
    eyes = Eyes(0.2, (sys.executable, "-c", _SPEAKS))
    try:
        assert "没有完成" in eyes.read("slow.png", b"x").unread
    finally:
        eyes.close()


def test_a_picture_nobody_read_says_so_and_one_that_was_read_says_how() -> None:
    reading = read_attachment("a.png", _png())
    (unread,) = with_seen(reading, None).faults
    assert unread.severity == "warn"
    assert unread.reason.startswith("没有读图")
    (partly,) = with_seen(reading, _seen("甲", unread="有 1 张图没有读")).faults
    assert partly.reason.startswith("有 1 张图没有读")
    (read,) = with_seen(reading, _seen("甲")).faults
    assert read.severity == "hint"
    plain = read_attachment("a.txt", "公告".encode())
    assert with_seen(plain, None) == plain


def test_personal_data_in_a_picture_blocks_with_its_box_and_the_rest_is_quiet(
    rules: RuleSet,
) -> None:
    seen = _seen("联系人", identity(1980), "武汉肺炎", "机密★1年")
    file = StoredFile("a.png", _png(), "", date(2026, 11, 3), seen=seen)
    found = {one.rule: one for one in stored_findings(rules, NoFacts(), file)}
    number = found["secrecy.id-card"]
    assert number.severity == "block"
    assert number.box == pytest.approx((0.1, 0.2, 0.2, 0.3))
    assert number.reason.startswith("图中第 1 行：")
    assert {one.severity for one in found.values() if one is not number} <= {"warn"}
    assert not any(rule.startswith("politics") for rule in found)


def test_an_identity_number_that_was_misread_by_a_figure_blocks_too(rules: RuleSet) -> None:
    right = identity(1980)
    wrong = right[:16] + str((int(right[16]) + 1) % 10) + right[17]
    file = StoredFile("a.png", _png(), "", date(2026, 11, 3), seen=_seen("张三", wrong))
    (found,) = (
        one for one in stored_findings(rules, NoFacts(), file) if one.rule == "secrecy.id-card"
    )
    assert (found.severity, found.text) == ("block", wrong)
    assert found.box is not None


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return RuleSet.load()


def test_check_says_what_was_not_read(rules: RuleSet, tmp_path: Any) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(_png())
    (found,) = Checker(rules, NoFacts(), date(2026, 11, 3)).check(path).found
    assert "没有读图" in found.reason


def _engine(looked: list[tuple[int, int]]) -> Any:
    """Sees two cells of one row and one below, in whatever it is given."""

    def look(content: bytes) -> Any:
        looked.append(Image.open(io.BytesIO(content)).size)
        lines = [("乙", 100, 10), ("甲", 10, 12), ("丙", 10, 60)]
        return [
            ([[x, y], [x + 40, y], [x + 40, y + 20], [x, y + 20]], text, 0.9)
            for text, x, y in lines
        ], None

    return look


def test_words_come_in_rows_from_every_kind_of_file() -> None:
    pdf, out = pypdf.PdfWriter(), io.BytesIO()
    Image.open(io.BytesIO(_png())).save(out, "PDF")
    pdf.append(io.BytesIO(out.getvalue()))
    held = io.BytesIO()
    pdf.write(held)
    office = zipped({"word/document.xml": "<x/>", "word/media/a.png": _png(), "b.png": _png(9, 9)})
    for name, content, place in (
        ("a.png", _png(), "图中第 1 行"),
        ("a.docx", office, "图 1 第 1 行"),
        ("a.pdf", held.getvalue(), "第 1 页的图第 1 行"),
    ):
        said = words_in(_engine([]), name, content)
        assert [[word[0] for word in row] for _, row in said["rows"]] == [["甲", "乙"], ["丙"]]
        assert said["rows"][0][0] == place
        assert (said["pictures"], said["unread"]) == (1, "")


def test_a_long_picture_is_read_piece_by_piece_and_a_broken_one_told() -> None:
    looked: list[tuple[int, int]] = []
    said = words_in(_engine(looked), "a.png", _png(400, 4000))
    assert [size[1] for size in looked] == [1690, 1690, 800]
    assert len(said["rows"]) == 6
    assert words_in(_engine([]), "a.png", b"\x89PNG")["unread"] == "有 1 张图没有读"
