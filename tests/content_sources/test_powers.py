"""Every act that signs an entry asks for the right itself, whoever calls it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from config.clock import now
from content_sources import changes, column_changes, official_list, pictures, tasks
from content_sources.changes import WantedChange
from content_sources.column_changes import NewColumn
from content_sources.exceptions import ask_exception
from content_sources.official_list import ListFile
from content_sources.pictures import Declared
from ledger.models import LedgerEntry
from staff.refusal import Refused
from staff.tasks import NewTask, Settlement
from tests.content_sources.reposting import Relay

Act = Callable[[Relay, str], Awaitable[object]]
PICTURE = Declared("sha256:" + "0" * 64, "本单位拍摄", "自有")
NAMES = ListFile("list.csv", "单位名称\n青禾县人民政府\n".encode(), "2026年版", "名单公告")

ACTS: dict[str, tuple[str, Act]] = {
    "propose": (
        "reviewer1",
        lambda r, me: changes.propose(r.ledger, me, WantedChange("add", r.fields())),
    ),
    "approve": ("editor", lambda r, me: changes.approve(r.ledger, me, "s")),
    "reject": ("editor", lambda r, me: changes.reject(r.ledger, me, "s")),
    "revoke": ("editor", lambda r, me: changes.revoke(r.ledger, me, "s")),
    "add a column": (
        "reviewer1",
        lambda r, me: column_changes.add_column(
            r.ledger, me, "s", NewColumn("要闻", "https://a.cn/")
        ),
    ),
    "switch a column": (
        "reviewer1",
        lambda r, me: column_changes.switch_column(r.ledger, me, "c", "off"),
    ),
    "import a list": ("reviewer1", lambda r, me: official_list.import_list(r.ledger, me, NAMES)),
    "approve a list": ("editor", lambda r, me: official_list.approve_import(r.ledger, me, "i")),
    "reject a list": ("editor", lambda r, me: official_list.reject_import(r.ledger, me, "i")),
    "ask an exception": (
        "supervisor",
        lambda r, me: ask_exception(r.ledger, "item", me, "上级要求当天转载"),
    ),
    "declare a picture": (
        "supervisor",
        lambda r, me: pictures.declare_picture(r.ledger, "item", me, PICTURE),
    ),
    "ask for a repost": (
        "reviewer1",
        lambda r, me: tasks.ask_for_repost(
            r.ledger, NewTask("repost", "通知", now() + timedelta(hours=6), created_by=me)
        ),
    ),
    "settle a task": (
        "duty",
        lambda r, me: tasks.settle(r.queue, "t", me, Settlement("done", "已办")),
    ),
}


async def entries(relay: Relay) -> int:
    async with relay.db.session() as session:
        return (await session.execute(select(func.count()).select_from(LedgerEntry))).scalar_one()


@pytest.mark.parametrize(("role", "act"), ACTS.values(), ids=ACTS.keys())
async def test_without_the_role_nothing_is_signed(relay: Relay, role: str, act: Act) -> None:
    before = await entries(relay)
    with pytest.raises(Refused) as refused:
        await act(relay, relay.people[role])
    assert refused.value.status == 403
    (reason,) = refused.value.reasons
    assert reason.rule == "role"
    assert reason.message.startswith("您的角色不能做这件事，需要以下角色之一：")
    assert await entries(relay) == before


@pytest.mark.parametrize("act", [act for _, act in ACTS.values()], ids=ACTS.keys())
async def test_nobody_in_particular_signs_nothing(relay: Relay, act: Act) -> None:
    before = await entries(relay)
    with pytest.raises(Refused) as refused:
        await act(relay, "nobody")
    assert (refused.value.status, refused.value.reasons[0].rule) == (403, "staff")
    assert await entries(relay) == before
