"""承诺: a day's load with one slow hour, counted, signed, shown to its rows, and recomputed."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from typer.testing import CliRunner

from bot.contract import InboundKind
from bot.met import Met
from bot.models import Account, InboundMessage
from cli import shenfa
from config.clock import beijing, now
from review_queue.models import Emergency
from staff.models import Staff
from storage.database import new_id
from supervision.counting import count_days
from supervision.promises import Act, kept_of, share
from tests.console.office import Office, set_roles

SLOW = 15


def _acts(*met: tuple[str, Met]) -> list[Act]:
    return [Act(str(n), who, how, 100, 9) for n, (who, how) in enumerate(met)]


def test_what_is_asked_again_belongs_to_one_question() -> None:
    kept = kept_of(
        _acts(
            ("a", Met.ASKED_BACK), ("b", Met.ASKED_BACK), ("a", Met.OTHER), ("a", Met.ASKED_BACK),
            ("a", Met.CHOSEN), ("b", Met.CALLED), ("a", Met.ANSWERED), ("b", Met.CHOSEN),
            ("c", Met.OPEN), ("c", Met.PERSON), ("d", Met.ASKED_BACK), ("e", Met.LOST),
        )
    )  # fmt: skip
    assert (kept.questions, kept.answered, kept.then_answered, kept.person) == (7, 1, 1, 2)
    assert kept.replies == kept.in_time == 12
    assert (share(0, 0), share(1999, 2000), share(2, 2)) == (None, 99.9, 100.0)


async def a_day(office: Office, day: datetime) -> tuple[str, str]:
    """Six acts an hour from eight to twenty; at three in the afternoon every second one is slow."""
    async with office.deps.db.session() as session:
        ids = (await session.scalars(select(Account.id).order_by(Account.slug))).all()
        for hour in range(8, 20):
            for number in range(6):
                slow = hour == SLOW and number % 2
                row = InboundMessage(
                    id=new_id(),
                    account_id=ids[number % 2],
                    contact_id=f"citizen-{number}",
                    dedupe=new_id(),
                    kind=InboundKind.TEXT,
                    text="补贴怎么领",
                    at=day.replace(hour=hour, minute=number),
                    met=Met.ASKED_BACK if number == 0 else Met.ANSWERED,
                    took=8000 if slow else 40,
                )
                session.add(row)
    return ids[0], ids[1]


async def _urgent(office: Office, account: str, seconds: float) -> str:
    """An urgent text whose platform had it so long after it was asked for."""
    item, release = new_id(), new_id()
    async with office.deps.ledger.transaction() as tx:
        asked = now() + timedelta(seconds=-seconds)
        bodies: list[tuple[str, dict[str, Any]]] = [
            ("item.submitted", {"emergency": {"klass": "重要"}}),
            ("release.created", {"release": release, "digest": "0" * 64}),
            ("item.scheduled", {"release": release, "at": now().isoformat()}),
            ("publication.submitted",
             {"release": release, "account": account, "publication": new_id()}),
        ]  # fmt: skip
        for kind, body in bodies:
            await tx.append(kind, subject=f"item:{item}", actor="system", body=body)
        row = Emergency(
            id=new_id(), item_id=item, run_seq=0, digest="0" * 64, klass="重要", workflow={},
            reason="", staff_id="", at=asked, level=0, state="review", released_at=now(),
        )  # fmt: skip
        tx.session.add(row)
    return item


async def test_a_slow_hour_is_shown_leads_to_its_rows_and_is_recomputed(
    office: Office, tmp_path: Path
) -> None:
    ledger = office.deps.ledger
    day = (beijing(now()) - timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    first, second = await a_day(office, day)
    await _urgent(office, first, 2)
    assert await count_days(ledger) == 1
    browser = await office.signed_in("editor")
    status, told = await browser.api("GET", "/promises")
    assert status == 200
    yesterday = told["days"][1]
    assert yesterday["entry"]
    assert not told["days"][0]["entry"]
    assert (yesterday["replies"], yesterday["in_time"]) == (72, 69)
    # citizen-0 is asked back twelve times and answers nothing: one question that stays open.
    assert (yesterday["questions"], yesterday["answered"], yesterday["then_answered"]) == (
        61,
        60,
        0,
    )
    assert (yesterday["in_time_percent"], yesterday["met_percent"]) == (95.8, 98.3)
    assert (told["urgent"]["handed"], told["urgent"]["in_time"]) == (1, 1)
    name = day.date().isoformat()
    status, hours = await browser.api("GET", f"/promises/{name}")
    assert (hours["agrees"], hours["hours"][SLOW], hours["hours"][9]) == (True, [6, 3], [6, 6])
    assert len(hours["rows"]) == 72
    assert "contact" not in hours["rows"][0]
    status, text = await browser.get("/console/promises")
    assert status == 200
    for words in ("95.8 %", "69，95.8 %", f'href="/console/promises/{name}"', "100 %", "台账第"):
        assert words in text, words
    status, text = await browser.get(f"/console/promises/{name}?hour={SLOW}&slow=1")
    assert (status, text.count('data-label="用时"'), "一致" in text) == (200, 3, True)
    assert (await browser.get("/console/promises/2026-13-01"))[0] == 404
    await _recomputed(office, tmp_path, day)
    # A row that somebody made better says so.
    async with office.deps.db.session() as session:
        faster = update(InboundMessage).where(InboundMessage.took > 5000).values(took=30)
        await session.execute(faster)
    _, hours = await browser.api("GET", f"/promises/{name}")
    assert (hours["agrees"], hours["in_time"]) == (False, 72)
    _, told = await browser.api("GET", "/promises")
    assert told["days"][1]["in_time"] == 69, "what was signed stands"
    await _below(office, second, name)


async def _recomputed(office: Office, tmp_path: Path, day: datetime) -> None:
    ledger, month = office.deps.ledger, day.strftime("%Y-%m")
    admin = await office.signed_in("admin1")
    # The counts of a day are signed on the next: on the first of a month in the month after.
    period = now().astimezone(day.tzinfo).strftime("%Y-%m")
    _, text = await admin.get(f"/console/reports/{period}/file.json")
    report = json.loads(text)["figures"]
    assert [report[key]["value"] for key in ("replies", "in_time", "questions")] == [72, 69, 61]
    assert report["urgent"]["value"] == report["urgent_in_time"]["value"] == 1, month
    files = {name: tmp_path / name for name in ("ledger.jsonl", "key.hex", "report.json")}
    lines = [line async for line in ledger.export()]
    files["ledger.jsonl"].write_text("\n".join(lines), encoding="utf-8")
    files["key.hex"].write_text(ledger.public_hex)
    files["report.json"].write_text(text)
    asked = ["report", "recompute", period, "--export", str(files["ledger.jsonl"])]
    asked += ["--public-key", str(files["key.hex"]), "--report", str(files["report.json"])]
    done = CliRunner().invoke(shenfa, asked)
    assert (done.exit_code, "全部与台账相同" in done.output) == (0, True), done.output


async def _below(office: Office, account: str, day: str) -> None:
    """A supervisor of a body counts the rows of its accounts, and no others."""
    async with office.deps.db.session() as session:
        row = await session.get_one(Account, account)
        staff = await session.scalar(select(Staff.id).where(Staff.login == "reviewer3"))
        row.organisation_id = "below"
    async with office.deps.ledger.transaction() as tx:
        made = {"organisation": "below", "name": "青禾镇", "parent": ""}
        await tx.append("organisation.set", subject="organisations", actor="init", body=made)
        placed = {"organisation": "below", "staff": staff}
        await tx.append("organisation.placed", subject="organisations", actor="init", body=placed)
    await set_roles(office, "reviewer3", ["supervisor"])
    supervisor = await office.signed_in("reviewer3")
    _, told = await supervisor.api("GET", "/promises")
    assert (told["days"][1]["replies"], told["days"][1]["entry"]) == (36, None)
    assert told["urgent"]["handed"] == 0
    _, told = await supervisor.api("GET", f"/promises/{day}")
    assert (len(told["rows"]), told["agrees"]) == (36, None)
