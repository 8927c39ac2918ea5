"""A level that asks for a passkey: signed on the reviewer's device, verified by the sender."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.contract import NotReleased
from ledger.models import Incident
from review_queue import deciding, submitting
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item
from staff.passkeys import Passkeys, shown_assertion
from staff.refusal import Refused
from storage.cache import MemoryCache
from tests.review_queue.conftest import all_ok
from tests.review_queue.device import Device
from tests.review_queue.test_deciding import use
from tests.review_queue.test_passkeys import PLACE


class Reviewer:
    """A person at an office with a device that an admin confirmed."""

    def __init__(self, office: Any, who: str) -> None:
        self.office, self.staff = office, office.people[who]
        self.keys, self.device = Passkeys(office.queue.ledger, MemoryCache()), Device()

    async def ready(self) -> "Reviewer":
        made = self.device.create(await self.keys.begin(self.staff, PLACE))
        key = await self.keys.finish(self.staff, PLACE, made, "手机")
        await self.keys.confirm(key.id, self.office.people["everything"])
        return self

    async def answer(self, item: Item, **more: Any) -> ReviewForm:
        """An approval with everything answered, not signed yet."""
        digest, _ = await findings_now(self.office.queue, item.id)
        return ReviewForm("approve", digest, item.version, all_ok(), proof=True, **more)

    async def signed(self, item: Item) -> ReviewForm:
        answer = await self.answer(item)
        said = await deciding.statement(self.office.queue, item.id, self.staff, answer)
        given = self.device.sign(await self.keys.ask(said, PLACE))
        return replace(answer, passkey=shown_assertion(given))

    async def decide(self, item: Item, answer: ReviewForm) -> Item:
        done: Item = await deciding.decide(self.office.queue, item.id, self.staff, answer)
        return done


async def start(office: Any) -> tuple[Item, Reviewer]:
    await use(office, "日常", passkey=True)
    return await office.submitted("日常"), await Reviewer(office, "reviewer1").ready()


async def test_a_signed_decision_is_recorded_and_the_sender_verifies_it(office: Any) -> None:
    item, reviewer = await start(office)
    item = await reviewer.decide(item, await reviewer.signed(item))
    item = await office.decide(item, "reviewer3")
    assert (await office.releases.verify(item.release_id)).item_id == item.id
    entries = await office.queue.ledger.facts(f"item:{item.id}")
    bodies = [entry.body for entry in entries if entry.kind == "decision"]
    assert [("passkey" in body) for body in bodies] == [True, False]


async def test_without_the_device_the_level_takes_no_approval(office: Any) -> None:
    item, reviewer = await start(office)
    with pytest.raises(Refused, match="通行密钥"):
        await reviewer.decide(item, await reviewer.answer(item))
    item = await office.decide(item, "reviewer1", "return", note="请补充依据")
    assert item.state == "draft"  # saying no needs no device


@pytest.mark.parametrize("part", ["signature", "authenticatorData", "clientDataJSON"])
async def test_one_bit_changed_is_refused(office: Any, part: str) -> None:
    item, reviewer = await start(office)
    answer = await reviewer.signed(item)
    given = dict(answer.passkey or {})
    middle = len(given[part]) // 2
    given[part] = (
        given[part][:middle]
        + ("A" if given[part][middle] != "A" else "B")
        + (given[part][middle + 1 :])
    )
    with pytest.raises(Refused, match="与这一结论不符"):
        await reviewer.decide(item, replace(answer, passkey=given))


async def test_answers_changed_after_signing_are_refused(office: Any) -> None:
    item, reviewer = await start(office)
    answer = await reviewer.signed(item)
    fewer = {gate: row for gate, row in answer.gates.items() if gate in ("policy", "wording")}
    with pytest.raises(Refused, match="与这一结论不符"):
        await reviewer.decide(item, replace(answer, gates=all_ok(politics={"ok": False})))
    with pytest.raises(Refused, match="与这一结论不符"):
        await reviewer.decide(item, replace(answer, gates=fewer))


async def test_a_signature_is_not_taken_for_the_next_submission(office: Any) -> None:
    item, reviewer = await start(office)
    answer = await reviewer.signed(item)
    item = await office.decide(item, "editor2", "return", note="请再核对")
    item = await submitting.submit(office.queue, item.id, office.people["editor"], item.version)
    with pytest.raises(Refused, match="与这一结论不符"):
        await reviewer.decide(item, replace(answer, version=item.version))


async def test_a_hijacked_session_decides_nothing(office: Any) -> None:
    """The server is asked in the reviewer's name, by somebody who has another device."""
    item, reviewer = await start(office)
    thief = await Reviewer(office, "reviewer2").ready()
    answer = await reviewer.answer(item)
    said = await deciding.statement(office.queue, item.id, reviewer.staff, answer)
    forged = shown_assertion(thief.device.sign(await reviewer.keys.ask(said, PLACE)))
    with pytest.raises(Refused, match="没有登记"):
        await reviewer.decide(item, replace(answer, passkey=forged))


async def test_the_signature_cannot_be_taken_out_afterwards(office: Any) -> None:
    """With the server's own key somebody signs a decision anew, without the device."""
    item, reviewer = await start(office)
    item = await reviewer.decide(item, await reviewer.signed(item))
    item = await office.decide(item, "reviewer3")
    async with office.queue.db.session() as session:
        rows = await session.execute(
            text("SELECT seq, preimage FROM ledger_entry WHERE kind = 'decision' ORDER BY seq")
        )
        seq, preimage = rows.all()[0]
        entry = json.loads(preimage)
        assert entry["body"].pop("passkey")
        await session.execute(
            text("UPDATE ledger_entry SET preimage = :now WHERE seq = :seq"),
            {"now": json.dumps(entry), "seq": seq},
        )
    with pytest.raises(NotReleased):
        await office.releases.verify(item.release_id)
    async with office.queue.db.session() as session:
        incidents = (await session.scalars(select(Incident))).all()
    assert any(f"第 {seq} 条" in incident.message for incident in incidents)


async def test_a_decision_entry_without_its_signature_releases_nothing(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a validly signed ledger does not help whoever lacks the device."""
    item, reviewer = await start(office)
    answer = await reviewer.answer(item)
    # the server is taken over and skips its own check
    monkeypatch.setattr(deciding, "_passkey_faults", _nothing)
    answer = replace(answer, passkey={"credential": "x"} | dict.fromkeys(_PARTS, "AA"))
    item = await reviewer.decide(item, answer)
    item = await office.decide(item, "reviewer3")
    with pytest.raises(NotReleased, match="通行密钥"):
        await office.releases.verify(item.release_id)


_PARTS = ("authenticatorData", "clientDataJSON", "signature")


async def _nothing(*_: Any) -> list[Any]:
    return []
