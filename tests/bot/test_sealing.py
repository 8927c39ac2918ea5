"""Seals of many rows at once are those of the rows one by one."""

import pytest

from bot.models import Delivery
from bot.sealing import seals_of_push, whole
from storage.seals import HOLE, Seals

SEALS = Seals(b"another seal key of thirty-two b")
SAME = {
    "content_key": 'r"1',
    "release_id": "r%s1",
    "publication_id": "p\\1",
    "account_id": "a\n%%",
}
ROWS = [
    ("d1", "c1", "您订阅了 就业创业"),
    ("d2", 'c"2', "%s %% \\ \x00 \ud800"),
    ("d3", "", ""),
]


def test_each_row_of_a_push_has_the_seal_its_own_fields_have() -> None:
    for seal, (key, contact, reason) in zip(seals_of_push(SEALS, SAME, ROWS), ROWS, strict=True):
        own = {"id": key, "contact_id": contact, "reason": reason, "reply": None, "late": False}
        row = {**SAME, **own, "state": "created", "seal": seal}
        assert whole(SEALS, row)
        for name in (*SAME, "id", "contact_id", "reason"):
            assert not whole(SEALS, {**row, name: f"{row[name]}."})
        assert not whole(SEALS, {**row, "state": "published"})
        assert set(Delivery.SEALED[:-1]) <= set(row)


def test_two_fields_cannot_be_told_as_one() -> None:
    first = list(SEALS.many("t", [HOLE, HOLE], [("a", "b"), ('a","b', ""), ("", "ab")]))
    assert len(set(first)) == 3
    assert first[0] == SEALS.of("t", ["a", "b"])


def test_a_constant_that_looks_like_a_hole_is_an_error() -> None:
    with pytest.raises(TypeError):
        list(SEALS.many("t", ["\0", HOLE], [("a",)]))
