"""An office of several processes: what each does, what is missing, and how each ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app import open_shenfa
from bot.delivery.processes import kinds_alive
from bot.models import InboundMessage, Process
from bot.unanswered import open_act
from config.clock import now
from storage.database import Database, new_id
from tests.made import SEALS
from tests.office.serving import ROOT, Serving, serving
from tests.waiting import until

QUESTION = "高校毕业生就业补贴怎么申领"


@pytest.fixture
async def grown(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> AsyncIterator[tuple[Serving, Database]]:
    """An office made on PostgreSQL and Redis; nothing of it runs yet."""
    db = Database(postgres_url, SEALS)
    async with db.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    more = {"SHENFA_DATABASE_URL": postgres_url, "SHENFA_REDIS_URL": redis_url}
    async with serving(tmp_path / "office", citizens=2, more=more) as office:
        yield office, db
    await db.close()


async def _ended_within(office: Serving, name: str, seconds: float) -> int:
    begun = time.monotonic()
    code = await office.finish(name)
    assert time.monotonic() - begun < seconds
    return code


@pytest.mark.servers
async def test_faces_workers_and_schedulers_are_one_office(
    grown: tuple[Serving, Database],
) -> None:
    office, db = grown
    await office.serve(web=True)
    status, problems = await office.ready()
    assert (status, set(problems)) == (503, {"worker", "scheduler"})
    assert "shenfa worker" in problems["worker"]
    state, words = (await office.doctor())["进程"]
    assert (state, words.startswith("网页进程 1 个")) == ("fail", True)
    for name in ("worker1", "scheduler1", "scheduler2"):
        await office.begin(name)

    async def ready() -> bool:
        return await office.ready() == (200, {})

    await until(ready, 60)
    told = await office.doctor()
    assert told["进程"] == ("ok", "网页进程 1 个、工作进程 1 个、调度进程 2 个")
    assert told["任务引擎"][0] == "ok"
    assert told["数据库连接"][0] in ("ok", "warn")
    await _a_face_answers_after_all(office)
    # What a face acknowledged and did not answer before its end is a worker's to answer.
    before = await office.told()
    for citizen in office.citizens:
        assert await office.says(citizen, QUESTION)
    await office.end()

    async def all_answered() -> bool:
        after = await office.told()
        return all(after[one] == before[one] + 1 for one in office.citizens)

    await until(all_answered, 60)
    await _the_other_leads(office, db)
    assert await _ended_within(office, "worker1", 50) == 0
    for name in ("scheduler1", "scheduler2"):
        assert await _ended_within(office, name, 20) == 0
    async with db.session() as session:  # whoever was stopped gave its lease back
        assert "worker" not in set(await session.scalars(select(Process.kind)))


async def _a_face_answers_after_all(office: Serving) -> None:
    """An answer that failed while its face goes on living: it is that face's, and nobody else's."""
    [citizen, *_] = office.citizens
    before = (await office.told())[citizen]

    async def heard(times: int) -> bool:
        return (await office.told())[citizen] == before + times

    assert await office.says(citizen, QUESTION)
    await until(lambda: heard(1))
    async with open_shenfa(office.settings) as shenfa, shenfa.db.session() as session:
        face = (await session.scalars(select(Process.id).where(Process.kind == "serve"))).one()
        newest = select(InboundMessage).order_by(InboundMessage.id.desc()).limit(1)
        last = (await session.scalars(newest)).one()
        act = InboundMessage(
            id=new_id(), account_id=last.account_id, contact_id=last.contact_id, dedupe="m:again",
            kind="text", text=QUESTION, key="", at=now(), position=last.position + 1,
        )  # fmt: skip
        open_act(session, act, face)
        session.add(act)
    await until(lambda: heard(2))


async def _the_other_leads(office: Serving, db: Database) -> None:
    """Kill the leader: whoever stood by asks for the jobs, and the engine is never silent."""
    await office.finish("scheduler1", signal.SIGKILL)

    async def worked() -> float:
        async with db.session() as session:
            query = select(Process.worked).where(Process.kind == "worker")
            return float((await session.scalars(query)).one() or 0)

    before = await worked()

    async def goes_on() -> bool:
        return await worked() > before + 8  # a pulse every five seconds

    await until(goes_on, 60)
    alive = await kinds_alive(db)
    assert (alive["scheduler"], alive["worker"]) == (1, 1)
    await office.begin("scheduler1")


NOWHERE = {"SHENFA_DATABASE_URL": "postgresql+asyncpg://127.0.0.1:1/x"}


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("worker", {}, "数据库是 SQLite"),
        ("scheduler", {"SHENFA_REDIS_URL": "redis://127.0.0.1:1/0"}, "数据库是 SQLite"),
        ("worker", NOWHERE, "没有设 SHENFA_REDIS_URL"),
        ("serve --web", {}, "网页进程没有启动：数据库是 SQLite"),
    ],
)
def test_where_one_process_does_all_the_others_refuse_in_one_line(
    tmp_path: Path, kind: str, more: dict[str, str], words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", *kind.split(), "--home", str(tmp_path)],
        cwd=ROOT, env=os.environ | more, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr
    assert not list(tmp_path.iterdir())
