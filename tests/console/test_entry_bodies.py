"""No personal data and no free text in what is signed for ever."""

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import select

from knowledge.library import PolicyLibrary, Repeal
from ledger.models import LedgerEntry
from tests.console.office import PEOPLE, Office, busy_morning

# Words an organisation chose and publishes anyway; nothing that people type about an item.
PUBLIC_WORDS = {
    "klass",
    "kind",
    "level_name",
    "name",  # of a level, in a frozen workflow
    "organisation",
    "basis",
    "title",  # of a policy
    "url",  # where a policy stands for everybody to read
    "doc_number",
    "issuer",
    "topic",
}
HAN = re.compile(r"[\u3400-\u9fff]")
PLAIN = re.compile(r"[A-Za-z0-9_.:+/-]{0,128}")  # ids, hashes, moments, host names, codes


def texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a body with the key it stands under, keys themselves included."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield "", name
            yield from texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, key)
    elif isinstance(value, str):
        yield key, value


REASONS = ("上级文件已经宣布失效", "与现行办法重复，张某来电说明")


async def played(office: Office) -> None:
    """A busy morning, and a policy that ends, and one proposal turned down."""
    seen = await busy_morning(office)
    library, people = PolicyLibrary(office.deps.governance.proposals), office.people
    for reason, approved in zip(REASONS, (False, True), strict=True):
        repeal = Repeal(seen["policy"], date(2027, 1, 1), reason=reason)
        change = await library.propose_repeal(repeal, people["admin1"])
        if approved:
            await library.approve(change.change_id, people["admin2"])
        else:
            await library.reject(change.change_id, people["admin2"], reason)


async def bodies(office: Office) -> list[tuple[str, str, dict[str, Any]]]:
    async with office.deps.db.session() as session:
        rows = (await session.scalars(select(LedgerEntry))).all()
        return [(row.kind, row.preimage, json.loads(row.preimage)["body"]) for row in rows]


async def test_bodies_hold_ids_numbers_hashes_and_published_words_only(office: Office) -> None:
    await played(office)
    found = await bodies(office)
    kinds = {kind for kind, _, _ in found}
    assert {"decision", "policy.set", "proposal.rejected", "staff.set"} <= kinds
    for kind, _, body in found:
        for key, text in texts(body):
            if key not in PUBLIC_WORDS:
                assert PLAIN.fullmatch(text), f"{kind}: {key} carries {text!r}"


async def test_no_name_note_reason_phone_or_question_is_in_a_preimage(office: Office) -> None:
    await played(office)
    names = [name for name, _ in PEOPLE.values()]
    for kind, preimage, _ in await bodies(office):
        for word in (*names, "已核对原件", "请核对数字", "13812345678", "张某", *REASONS):
            assert word not in preimage, f"{kind} carries {word}"
        assert not re.search(r"1[3-9]\d{9}(?!\d)", HAN.sub("", preimage.split('"body"')[0]))
