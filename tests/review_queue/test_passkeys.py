"""A decision signed on the reviewer's device: what counts, and what forging it takes."""

from dataclasses import replace
from typing import Any

import pytest
from webauthn.helpers import bytes_to_base64url

from staff.passkeys import Passkeys, Place, Statement, assertion_faults, keys_of, shown_assertion
from staff.refusal import Refused
from storage.cache import MemoryCache
from tests.review_queue.device import ORIGIN, Device

PLACE = Place(ORIGIN)
SAID = Statement(
    item="item",
    submitted=7,
    digest="a" * 64,
    level=1,
    staff="reviewer1",
    verdict="approve",
    gates={"politics": True, "secrecy": True},
    attachments={"sha256:" + "b" * 64: True},
    proof=True,
)
OTHERWISE: dict[str, Any] = {
    "item": "another",
    "submitted": 8,
    "digest": "a" * 63 + "b",
    "level": 2,
    "staff": "reviewer2",
    "verdict": "return",
    "gates": {"politics": True, "secrecy": False},
    "attachments": {"sha256:" + "b" * 64: False},
    "proof": False,
}


class Owner:
    """One reviewer with a device, and an admin who is somebody else."""

    def __init__(self, office: Any, who: str = "reviewer1") -> None:
        self.keys = Passkeys(office.queue.ledger, MemoryCache())
        self.staff, self.admin = office.people[who], office.people["everything"]
        self.device = Device()
        self.ledger = office.queue.ledger

    async def register(self) -> str:
        made = self.device.create(await self.keys.begin(self.staff, PLACE))
        return (await self.keys.finish(self.staff, PLACE, made, "办公室电脑")).id

    async def ready(self) -> "Owner":
        await self.keys.confirm(await self.register(), self.admin)
        return self

    async def faults(self, assertion: Any, said: Statement, seq: int = 10**9) -> list[str]:
        entries = await self.ledger.facts(f"staff:{self.staff}")
        return assertion_faults(assertion, said, entries, seq)


async def test_what_a_confirmed_device_signed_holds(office: Any) -> None:
    owner = await Owner(office).ready()
    said = replace(SAID, staff=owner.staff)
    signed = shown_assertion(owner.device.sign(await owner.keys.ask(said, PLACE)))
    assert await owner.faults(signed, said) == []


@pytest.mark.parametrize("name", OTHERWISE)
async def test_every_field_of_the_statement_is_signed(office: Any, name: str) -> None:
    owner = await Owner(office).ready()
    said = replace(SAID, staff=owner.staff)
    signed = shown_assertion(owner.device.sign(await owner.keys.ask(said, PLACE)))
    other = replace(said, **{name: OTHERWISE[name]})
    assert await owner.faults(signed, other) == ["通行密钥的签名与这一结论不符"]


@pytest.mark.parametrize("part", ["authenticatorData", "clientDataJSON", "signature"])
async def test_one_bit_changed_in_the_signature_is_refused(office: Any, part: str) -> None:
    owner = await Owner(office).ready()
    said = replace(SAID, staff=owner.staff)
    signed = shown_assertion(owner.device.sign(await owner.keys.ask(said, PLACE)))
    middle = len(signed[part]) // 2
    flipped = "A" if signed[part][middle] != "A" else "B"
    signed[part] = signed[part][:middle] + flipped + signed[part][middle + 1 :]
    assert await owner.faults(signed, said)


async def test_a_key_counts_only_after_another_admin_confirmed_it(office: Any) -> None:
    owner = Owner(office)
    said = replace(SAID, staff=owner.staff)
    passkey = await owner.register()
    with pytest.raises(Refused, match="等另一位管理员确认"):
        await owner.keys.ask(said, PLACE)
    signed = shown_assertion(owner.device.sign(_options(said)))
    assert "没有经另一位管理员确认" in (await owner.faults(signed, said))[0]
    with pytest.raises(Refused, match="您的角色不能做这件事"):
        await owner.keys.confirm(passkey, office.people["reviewer2"])
    await owner.keys.confirm(passkey, owner.admin)
    assert await owner.faults(signed, said) == []


async def test_nobody_confirms_their_own_key(office: Any) -> None:
    owner = Owner(office, "everything")
    passkey = await owner.register()
    with pytest.raises(Refused, match="另一位管理员"):
        await owner.keys.confirm(passkey, owner.staff)


async def test_a_stopped_key_signs_nothing_new_and_keeps_what_it_signed(office: Any) -> None:
    owner = await Owner(office).ready()
    said = replace(SAID, staff=owner.staff)
    signed = shown_assertion(owner.device.sign(await owner.keys.ask(said, PLACE)))
    before = (await owner.ledger.facts(f"staff:{owner.staff}"))[-1].seq + 1
    async with office.queue.db.session() as session:
        (row,) = await keys_of(session, owner.staff)
    await owner.keys.revoke(row.id, owner.staff)
    assert await owner.faults(signed, said, before) == []
    assert await owner.faults(signed, said)
    with pytest.raises(Refused, match="先在“我的登录”里登记"):
        await owner.keys.ask(said, PLACE)


async def test_another_persons_device_does_not_count(office: Any) -> None:
    owner, other = await Owner(office).ready(), await Owner(office, "reviewer2").ready()
    said = replace(SAID, staff=owner.staff)
    signed = shown_assertion(other.device.sign(_options(said)))
    assert await owner.faults(signed, said)


async def test_a_signature_made_on_another_site_does_not_count(office: Any) -> None:
    owner = await Owner(office).ready()
    said = replace(SAID, staff=owner.staff)
    owner.device.origin = "https://shenfa.example.bad"
    signed = shown_assertion(owner.device.sign(_options(said)))
    assert await owner.faults(signed, said)


async def test_a_registration_is_answered_once_and_in_time(office: Any) -> None:
    owner = Owner(office)
    made = owner.device.create(await owner.keys.begin(owner.staff, PLACE))
    await owner.keys.finish(owner.staff, PLACE, made, "")
    with pytest.raises(Refused, match="重新开始"):
        await owner.keys.finish(owner.staff, PLACE, made, "")


async def test_an_answer_to_another_challenge_registers_nothing(office: Any) -> None:
    owner = Owner(office)
    options = await owner.keys.begin(owner.staff, PLACE)
    made = owner.device.create(options | {"challenge": "AAAA"})
    with pytest.raises(Refused, match="核对不上"):
        await owner.keys.finish(owner.staff, PLACE, made, "")


@pytest.mark.parametrize("origin", ["http://10.0.0.8:8420", "http://shenfa.example"])
def test_passkeys_need_https_or_localhost(origin: str) -> None:
    assert Place(origin).fault
    assert Place("http://reviewer1.localhost:8420").fault is None
    assert Place(ORIGIN).fault is None


@pytest.mark.parametrize("wrong", [{}, {"id": "x"}, {"id": "x", "response": {"signature": 5}}])
def test_an_incomplete_answer_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="不完整"):
        shown_assertion(wrong)


def _options(said: Statement) -> dict[str, Any]:
    return {"challenge": bytes_to_base64url(said.challenge)}
