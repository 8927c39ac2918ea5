"""Every day each account is spoken to as its platform does, and its owner told before the limit."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.models import Contact, InboundMessage
from config.clock import now
from demo.cast import WECHAT
from escalations.routes import Line
from handlers.browsing import Browsing
from sandbox.app import start
from supervision.cockpit import Cockpit, read_cockpit, rows_of, steps
from supervision.reminding import REMINDED, SILENT, remind_due
from supervision.selftest import PROBED, RED
from tests.office.talking import Talk, make, talking

DAY = 86_400


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """An office on the sandbox whose editor 李 owns the Telegram account and can be reached."""
    runner, url = await start("127.0.0.1", 0)
    await make(tmp_path / "home", url)
    clock = tmp_path / "clock"
    clock.write_text("0")
    async with talking(tmp_path / "home", url, clock) as made:
        more = {"platform": "wechat", "name": "青禾发布", "kind": "service", "verified": True}
        await made.post("accounts", **more, **WECHAT)
        people, proposals = made.people, made.shenfa.governance.proposals
        wanted = {"slug": "qinghe-tg", "owner": "editor"}
        row = await proposals.propose("account", wanted, people["admin1"], "写明负责人")
        await proposals.approve(row.id, people["admin2"])
        async with made.shenfa.ledger.transaction() as tx:
            lines = [Line("telegram", made.citizen)]
            await made.shenfa.alarms.routes.put(tx, people["editor"], lines, people["editor"])
        yield made
    await runner.cleanup()


async def stands(talk: Talk) -> Cockpit:
    moment = now()
    rows = await talk.shenfa.db.read(lambda session: rows_of(session, moment))
    return read_cockpit(rows, moment)


async def kept(talk: Talk) -> int:
    async with talk.shenfa.db.session() as session:
        rows = [select(func.count()).select_from(one) for one in (Contact, InboundMessage)]
        return sum([int(await session.scalar(one) or 0) for one in rows])


async def test_an_account_that_falls_silent_is_told_in_time(talk: Talk, tmp_path: Path) -> None:
    await told_in_time(talk, tmp_path / "clock")
    (tmp_path / "clock").write_text("0")
    await red_when_nobody_answers(talk)


async def red_when_nobody_answers(talk: Talk) -> None:
    """A menu entry that gives no answer by the platform's own road."""
    selftest, before = talk.shenfa.trials.selftest, await kept(talk)
    assert [one.words for one in await selftest.run()] == ["菜单各项都有应答"] * 2
    assert not any(one.red for one in (await stands(talk)).accounts)
    # One entry of the menu has nobody who answers it any more.
    dispatcher = talk.shenfa.dispatcher
    all_of_it = dispatcher._handlers
    dispatcher._handlers = tuple(one for one in all_of_it if not isinstance(one, Browsing))
    found = await selftest.run()
    assert [list(one.faults) for one in found] == [["浏览政策"], ["浏览政策"]]
    assert all(one.red and one.vetoes[2] for one in (await stands(talk)).accounts)
    assert [kind for kind, _ in await talk.incidents()].count(RED) == 2
    entries = await talk.shenfa.ledger.facts("accounts")
    assert [len(one.body["silent"]) for one in entries if one.kind == PROBED] == [0, 2]
    dispatcher._handlers = all_of_it
    assert await kept(talk) == before  # nobody was made, and nothing kept of what nobody said
    one = await talk.shenfa.trials.selftest_now("qinghe-tg")
    assert one.ok
    talk.shenfa.settings.public_url = "http://127.0.0.1:9"
    assert "回调地址没有应答" in (await talk.shenfa.trials.selftest_now("qinghe-wx")).words


def shift(clock: Path, days: int) -> None:
    clock.write_text(str(days * DAY + 60))


async def told_in_time(talk: Talk, clock: Path) -> None:
    """The owner before the limit, and staff when it is past."""
    told = list[tuple[str, str]]()

    async def tell(staff_id: str, words: str) -> object:
        told.append((staff_id, words))
        return await talk.shenfa.tell(staff_id, words)

    assert await remind_due(talk.shenfa.ledger, tell) == 0
    shift(clock, 12)
    assert await remind_due(talk.shenfa.ledger, tell) == 2
    mine = [words for staff_id, words in told if staff_id == talk.people["editor"]]
    assert len(mine) == 2  # both accounts are theirs
    assert "已 12 天没有更新，还有 2 天到 14 天的时限" in mine[0]
    assert await remind_due(talk.shenfa.ledger, tell) == 0  # told once for each step
    shift(clock, 13)
    assert await remind_due(talk.shenfa.ledger, tell) == 2
    assert await talk.incidents() == []
    shift(clock, 14)
    assert await remind_due(talk.shenfa.ledger, tell) == 0
    assert {kind for kind, _ in await talk.incidents()} == {SILENT}
    assert [one.vetoes[1] for one in (await stands(talk)).accounts] == [True, True]
    entries = await talk.shenfa.ledger.facts("accounts")
    assert [len(one.body["accounts"]) for one in entries if one.kind == REMINDED] == [2, 2]


@pytest.mark.parametrize(
    ("limit", "days"), [(14, [7, 10, 12, 13]), (7, [3, 5, 6]), (3, [1, 2]), (10, [3, 6, 8, 9])]
)
def test_the_steps_are_counted_back_from_the_limit(limit: int, days: list[int]) -> None:
    assert steps(limit) == days
