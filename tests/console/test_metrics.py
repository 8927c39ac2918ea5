"""Numbers for Prometheus: for named addresses alone, right, and about nobody."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from bot.contract import State
from bot.delivery.processes import WORKER, clock
from bot.delivery.runs import Runs
from bot.models import Account, Contact, Delivery, InboundMessage, Process
from config.clock import now
from storage.database import new_id
from tests.console.office import Office

LATE = timedelta(seconds=90)


async def _ask(office: Office, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    async with office.client().get("/metrics", headers=headers) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("named", ["", "10.0.0.0/8", "127.0.0.2", "::1"])
async def test_nobody_who_is_not_named_reads_a_number(office: Office, named: str) -> None:
    office.deps.settings.metrics_from = named
    status, said = await _ask(office)
    assert (status, "shenfa_" in said) == (403, False)
    assert "SHENFA_METRICS_FROM" in said


@pytest.mark.parametrize("named", ["127.0.0.1", "10.0.0.0/8, 127.0.0.0/30", "::1,127.0.0.1"])
async def test_who_is_named_reads_them(office: Office, named: str) -> None:
    office.deps.settings.metrics_from = named
    status, said = await _ask(office)
    assert (status, "shenfa_incidents_open 0.0" in said) == (200, True)


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "x-forwarded-for"]
)
async def test_the_world_behind_a_proxy_on_this_machine_is_not_this_machine(
    office: Office, header: str
) -> None:
    office.deps.settings.metrics_from = "127.0.0.1"
    assert (await _ask(office, {header: "127.0.0.1"}))[0] == 403


async def test_a_trusted_proxy_says_who_asks(office: Office) -> None:
    office.deps.settings.metrics_from = "10.1.1.1"
    office.deps.settings.trusted_proxies = "127.0.0.1"
    assert (await _ask(office, {"X-Forwarded-For": "10.1.1.1"}))[0] == 200
    assert (await _ask(office, {"X-Forwarded-For": "10.1.1.2"}))[0] == 403
    assert (await _ask(office, {"X-Forwarded-For": "10.1.1.1, 10.1.1.2"}))[0] == 403
    assert (await _ask(office))[0] == 403


async def _numbers(office: Office) -> dict[str, float]:
    office.deps.settings.metrics_from = "127.0.0.1"
    _, said = await _ask(office)
    return {
        f"{one.name}{sorted(one.labels.values())}": one.value
        for family in text_string_to_metric_families(said)
        for one in family.samples
    }


async def _busy(office: Office) -> None:
    """Three messages of one account to one citizen, a question, a process and its jobs."""
    runs = Runs({"verify": 60})
    runs.began("verify")
    runs.ended("verify", LookupError("王某某的身份证"))
    await runs.keep(office.deps.db)
    async with office.deps.db.session() as session:
        account = (await session.scalars(select(Account.id).order_by(Account.slug))).first()
        assert account is not None
        contact = Contact(
            id=new_id(), account_id=account, subject_ref="subject", address="sealed-address",
            address_hash="hash", created_at=now(),
        )  # fmt: skip
        session.add(contact)
        for number, state in enumerate((State.CREATED, State.HELD, State.UNKNOWN)):
            session.add(
                Delivery(
                    id=new_id(), content_key=f"key{number}", account_id=account, state=state,
                    contact_id=contact.id, created_at=now() - LATE, next_at=now() - LATE,
                )
            )  # fmt: skip
        session.add(
            InboundMessage(
                id=new_id(), account_id=account, contact_id=contact.id, dedupe="one", kind="text",
                text="王某某问补贴", waits="sealed", at=now() - LATE,
            )
        )  # fmt: skip
        at = (await session.scalars(select(clock(office.deps.db)))).one()
        session.add(Process(id="one", since=at - 50, until=at + 10, worked=at - 7, kind=WORKER))


async def test_what_waits_what_went_out_and_who_works(office: Office) -> None:
    await _busy(office)
    found = await _numbers(office)
    assert found["shenfa_deliveries['created', 'qinghe-tg']"] == 1
    assert found["shenfa_deliveries['held', 'qinghe-tg']"] == 1
    assert found["shenfa_deliveries_ended_total['qinghe-tg', 'unknown']"] == 1
    assert "shenfa_deliveries['qinghe-tg', 'unknown']" not in found
    assert found["shenfa_oldest_due_seconds['qinghe-tg']"] == pytest.approx(90, abs=20)
    assert found["shenfa_unanswered[]"] == 1
    assert found["shenfa_oldest_unanswered_seconds[]"] == pytest.approx(90, abs=20)
    assert (found["shenfa_processes['worker']"], found["shenfa_processes['scheduler']"]) == (1, 0)
    assert found["shenfa_engine_silent_seconds[]"] == pytest.approx(7, abs=20)
    assert found["shenfa_job_begun_seconds['verify']"] == pytest.approx(0, abs=20)
    assert found["shenfa_job_failed_seconds['verify']"] == pytest.approx(0, abs=20)
    assert found["shenfa_job_interval_seconds['verify']"] == 60


async def test_nothing_in_it_is_about_a_person(office: Office) -> None:
    await _busy(office)
    await office.submitted()
    office.deps.settings.metrics_from = "127.0.0.1"
    _, said = await _ask(office)
    for words in ("王某某", "subject", "sealed", "hash", *office.people, *office.people.values()):
        assert words not in said
