"""A push mended while it runs: who had the text gets a note, who lacked it the corrected one."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.models import Delivery, Publication
from demo.cast import TELEGRAM_ID
from demo.platforms import hostport, port_for
from review_queue import drafting, publishing, submitting
from review_queue.correcting import correct
from review_queue.models import Item
from staff.refusal import Refused
from subscriptions.mending import drop, pause, resume
from tests.office.both import Both, both, until
from tests.office.pushed import readers, signed

ROOT = Path(__file__).parents[2]
TITLE, NEW = "周末招聘会改在县体育馆", "周末招聘会改在县文化馆"
CHANGES = "地点由县体育馆改为县文化馆"


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        await made.talk.post("limits", telegram=False)
        yield made


async def heard(town: Both, citizens: list[str]) -> dict[str, list[str]]:
    """The pushes each of them has: old, text or note."""
    address = f"{town.talk.control}/messages?account={TELEGRAM_ID}&all=1"
    async with town.talk.http.get(address) as answer:
        rows = (await answer.json())["messages"]
    return {one: [_kind(str(row["text"])) for row in rows.get(one, []) if _kind(str(row["text"]))]
            for one in citizens}  # fmt: skip


def _kind(text: str) -> str:
    if CHANGES in text:
        return "note"
    return "text" if NEW in text else "old" if TITLE in text else ""


async def item_of(town: Both, title: str) -> Item:
    async with town.talk.shenfa.db.session() as session:
        return (await session.scalars(select(Item).where(Item.title == title))).one()


async def corrected(town: Both, item_id: str) -> Item:
    """The correction as its editor wrote it, approved by everybody."""
    shenfa, editor = town.talk.shenfa, town.talk.people["editor"]
    row = await correct(shenfa.queue, item_id, editor)
    text = {"title": NEW, "body": "地点在县文化馆，请带身份证件。"}
    row = await drafting.edit(shenfa.queue, row.id, editor, row.version, text)
    with pytest.raises(Refused, match="写明改了什么"):
        await submitting.submit(shenfa.queue, row.id, editor, row.version)
    row = await drafting.edit(shenfa.queue, row.id, editor, row.version, {"changes": CHANGES})
    return await town.talk.approve(await town.talk.submitted(row), "reviewer1", "reviewer3")


async def go_out(town: Both, item: Item) -> None:
    """Publish it, and send everything that follows."""
    shenfa = town.talk.shenfa
    await publishing.schedule(shenfa.queue, item.id, town.talk.people["editor"])
    await shenfa.publisher.publish_due()
    assert await until(town._out, 15)
    await shenfa.pusher.create_due()
    await town.deliver()
    await shenfa.pusher.finish_due()


async def states(town: Both, item_id: str) -> dict[str, int]:
    query = (
        select(Delivery.state, func.count())
        .join(Publication, Publication.id == Delivery.publication_id)
        .where(Publication.item_id == item_id)
        .group_by(Delivery.state)
    )
    async with town.talk.shenfa.db.session() as session:
        return dict((await session.execute(query)).all())


async def finished(town: Both, item_id: str) -> Mapping[str, Any]:
    """The signed end of the push on Telegram."""
    query = select(Publication.id).where(Publication.item_id == item_id)
    async with town.talk.shenfa.db.session() as session:
        places = [*(await session.scalars(query))]
    ends = [await signed(town, "push.finished", f"publication:{one}") for one in places]
    (end,) = [one for found in ends for one in found]
    return end


def tally(told: Mapping[str, list[str]]) -> dict[str, int]:
    """How many people have which messages."""
    found: dict[str, int] = {}
    for kinds in told.values():
        key = "+".join(kinds)
        found[key] = found.get(key, 0) + 1
    return found


async def test_of_a_hundred_forty_get_the_note_and_sixty_the_corrected_text(town: Both) -> None:
    citizens = await readers(town, 100)
    await town.publish(TITLE)
    old = await item_of(town, TITLE)
    shenfa, people = town.talk.shenfa, town.talk.people
    assert await shenfa.sender.deliver_due(40) == 40
    assert await pause(shenfa.ledger, old.id, people["editor"], "地点写错了") == 60
    await town.deliver()
    await shenfa.pusher.finish_due()
    assert tally(await heard(town, citizens)) == {"old": 40, "": 60}
    (told,) = await signed(town, "push.paused", f"item:{old.id}")
    assert sorted((one["had"], one["rest"]) for one in told["pushes"]) == [(0, 0), (40, 60)]
    new = await corrected(town, old.id)
    await go_out(town, new)
    assert tally(await heard(town, citizens)) == {"old+note": 40, "text": 60}
    replaced = await signed(town, "push.replaced", f"item:{old.id}")
    assert sorted((one["had"], one["rest"]) for one in replaced) == [(0, 0), (40, 60)]
    assert {one["by"] for one in replaced} == {new.id}
    first, second = await finished(town, old.id), await finished(town, new.id)
    assert first["counts"] == {"published": 40, "ended": 60}
    assert (second["counts"], second["notes"]) == ({"published": 100}, {"published": 40})
    assert first["digest"] == replaced[0]["digest"]
    assert second["digest"] == replaced[0]["by_digest"]
    # Nobody brings the old text back.
    with pytest.raises(Refused, match="更正稿已经代替"):
        await resume(shenfa.ledger, old.id, people["editor"], "还是发完")
    await shenfa.pusher.create_due()
    await town.deliver()
    assert tally(await heard(town, citizens)) == {"old+note": 40, "text": 60}
    assert not [one for one in await town.talk.incidents() if one[0] != "account_refused"]


async def test_whoever_may_have_the_old_text_gets_the_note_after_a_process_was_killed(
    town: Both, tmp_path: Path
) -> None:
    citizens = await readers(town, 30)
    await town.publish(TITLE)
    old = await item_of(town, TITLE)
    shenfa, people = town.talk.shenfa, town.talk.people
    # Every call takes its time, so that some are on their way when the process dies.
    await town.talk.post(
        "faults", platform="telegram", method="sendMessage", kind="delay", seconds=0.4, count=99
    )
    process = await _serving(shenfa.settings.home, town.talk.control, tmp_path)
    try:
        assert await until(lambda: _some_sent(town, citizens), 240)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    await town.talk.post("faults")
    await pause(shenfa.ledger, old.id, people["editor"], "地点写错了")
    sending = (await states(town, old.id)).get("sending", 0)
    new = await corrected(town, old.id)
    await publishing.schedule(shenfa.queue, new.id, people["editor"])
    await shenfa.publisher.publish_due()
    assert await until(town._out, 15)
    await shenfa.pusher.create_due()
    await town.deliver()
    # Who was being sent the old text is waited for, and not yet told anything.
    assert (await states(town, new.id)).get("retrying", 0) == sending
    await town.talk.sql("DELETE FROM process WHERE id != ''")  # its lease has run out
    await shenfa.lease._beat()
    assert await shenfa.lease.sweep() >= sending
    await town.move(10)
    await town.deliver()
    await shenfa.pusher.finish_due()
    told = tally(await heard(town, citizens))
    assert set(told) <= {"old+note", "note", "text"}
    assert sum(told.values()) == 30
    assert told["text"] == (await states(town, old.id))["ended"]
    unknown = (await states(town, old.id)).get("unknown", 0)
    assert unknown == sending
    assert (await finished(town, new.id))["notes"] == {"published": 30 - told["text"]}


async def _some_sent(town: Both, citizens: list[str]) -> bool:
    return sum(bool(kinds) for kinds in (await heard(town, citizens)).values()) >= 5


async def _serving(home: Path, control: str, folder: Path) -> asyncio.subprocess.Process:
    port = port_for(None)
    env = {
        "SHENFA_HOME": str(home),
        "SHENFA_PORT": str(port),
        "SHENFA_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SHENFA_DEV": "1",
        "SHENFA_DEV_ALLOW": hostport(control),
        "SHENFA_DEV_CLOCK_FILE": str(folder / "clock"),
        "PYTHONWARNINGS": "ignore",
    }
    with (folder / "serve.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "serve"),
            cwd=ROOT, env=os.environ | env, stdout=log, stderr=log,
        )  # fmt: skip


@pytest.mark.parametrize("choice", ["go on", "drop"])
async def test_when_the_correction_is_refused_a_person_decides_about_the_rest(
    town: Both, choice: str
) -> None:
    citizens = await readers(town, 10)
    await town.publish(TITLE)
    old = await item_of(town, TITLE)
    shenfa, people = town.talk.shenfa, town.talk.people
    await shenfa.sender.deliver_due(4)
    await pause(shenfa.ledger, old.id, people["reviewer1"], "地点存疑")
    for who, reason, why in (
        ("reviewer1", "没有错", "角色"),
        ("editor", " ", "写明"),
    ):
        with pytest.raises(Refused, match=why):
            await resume(shenfa.ledger, old.id, people[who], reason)
    act = resume if choice == "go on" else drop
    assert await act(shenfa.ledger, old.id, people["editor"], "更正没有通过，原文无误") == 6
    await town.deliver()
    await shenfa.pusher.finish_due()
    end = {"go on": {"old": 10}, "drop": {"old": 4, "": 6}}[choice]
    assert tally(await heard(town, citizens)) == end
    counts = {"go on": {"published": 10}, "drop": {"published": 4, "ended": 6}}[choice]
    assert (await finished(town, old.id))["counts"] == counts
    kind = "push.resumed" if choice == "go on" else "push.dropped"
    (told,) = await signed(town, kind, f"item:{old.id}")
    assert sum(one["rest"] for one in told["pushes"]) == 6
