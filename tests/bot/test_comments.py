"""Readers' comments: read with personal data masked, shown and answered by two, never twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.comment_models import Comment, CommentAct, CommentArea
from bot.commenting import Act
from bot.contract import State
from bot.delivery.commenting import ASKED, DECIDED, DONE, Commenter, subject_of
from bot.models import Publication
from bot.wechat.channel import WeChatChannel
from config.clock import now
from gates.finding import Finding
from handlers.masking import mask
from review_queue.comments import Asking, Comments, digest_of
from staff.people import Person, set_staff
from staff.refusal import Refused
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Base, Database
from tests.bot.conftest import AES_KEY, Office, Platforms

APP = "wx-c"
SECRETS = {"appid": APP, "secret": "s", "token": "k", "aes_key": AES_KEY}
TITLE = "青禾县高校毕业生就业补贴申领指南"
BAD = "国家级最高补贴"


async def no_pictures(marker: str) -> tuple[bytes, str]:
    raise LookupError(marker)


async def check(text: str) -> Sequence[Finding]:
    """What the gates would stop in an article."""
    if BAD not in text:
        return []
    return [
        Finding(
            "wording", "wording.superlative", "block", "text", 0, 2, BAD, "绝对化用语", "广告法"
        )
    ]


class Desk:
    """An article that was sent to all with comments, two people, and a reader."""

    def __init__(self, office: Office, platforms: Platforms) -> None:
        self.office, self.platforms = office, platforms
        self.process = office.process(media=no_pictures)
        wiring = self.process.publisher._w
        self.commenter = Commenter(wiring, self.process.lease, mask, digest_of)
        self.comments = Comments(office.ledger, check)
        self.people: dict[str, str] = {}
        self.key = ""

    async def open(self) -> "Desk":
        async with self.office.ledger.transaction() as tx:
            for name in ("bianji", "shenhe"):
                roles = ("editor", "reviewer_1")
                made = await set_staff(tx, Person(name, name, roles, "-"), "init")
                self.people[name] = made.id
        return self

    async def send(self, *, comments: bool = True) -> Publication:
        await self.platforms.control("citizens", account=APP, count=2, prefix="读者")
        self.key = await self.office.publication(self.office.release(comments=comments))
        await self.process.publisher.publish_due()
        for _ in range(1000):
            row: Publication = await self.office.row(Publication, self.key)
            if row.state == State.PUBLISHED:
                break
            async with self.office.db.session() as session:
                (await session.get_one(Publication, self.key)).next_at = now()
            await self.process.publisher.settle_due()
            await asyncio.sleep(0.02)
        return row

    async def write(self, text: str) -> int:
        body = {"account": APP, "citizen": "读者1", "title": TITLE, "text": text}
        return int((await self.platforms.control("comment", **body))["user_comment_id"])

    async def area(self) -> CommentArea:
        async with self.office.db.session() as session:
            return (await session.scalars(select(CommentArea))).one()

    async def read(self) -> str:
        return await self.commenter.read((await self.area()).id)

    async def comment(self, number: int) -> Comment:
        async with self.office.db.session() as session:
            query = select(Comment).where(Comment.number == number)
            return (await session.scalars(query)).one()

    async def ask(self, act: Act, number: int, words: str = "") -> CommentAct:
        area = await self.area()
        return await self.comments.ask(area.id, self.people["bianji"], Asking(act, number, words))

    async def done(self, act: CommentAct, *, by: str = "shenhe") -> CommentAct:
        """The act after a second person let it go, and after one turn."""
        if act.state == "waiting":
            await self.comments.decide(act.id, self.people[by], approved=True)
        await self.commenter.do_due()
        row: CommentAct = await self.office.row(CommentAct, act.id)
        return row

    async def there(self) -> list[dict[str, Any]]:
        """What stands under the article on the platform."""
        view = await self.office.accounts.open(self.office.account.id)
        area = await self.area()
        data = {"msg_data_id": int(area.data), "begin": 0, "count": 49, "type": 0}
        answer = await self.office.channel.client(view).post("comment/list", data=data)
        return list(answer["comment"])

    async def kinds(self) -> list[str]:
        return [
            one.kind for one in await self.office.ledger.facts(subject_of((await self.area()).id))
        ]


@pytest.fixture
async def desk(db: Database, crypt: DataKey, platforms: Platforms) -> AsyncIterator[Desk]:
    channel = WeChatChannel(MemoryCache(), platforms.hosts)
    office = Office(db, crypt, channel, platforms.hosts)
    settings = {"push": "mass", "kind": "subscription"}
    await office.open("wechat", f"{platforms.url}/wechat", SECRETS, settings=settings)
    await platforms.control("accounts", platform="wechat", kind="subscription", **SECRETS)
    await platforms.control("limits", result_delay=0.01)
    yield await Desk(office, platforms).open()
    await channel.close()


async def test_only_what_was_reviewed_with_comments_has_them(desk: Desk) -> None:
    assert (await desk.send(comments=False)).state == State.PUBLISHED
    async with desk.office.db.session() as session:
        assert (await session.scalars(select(CommentArea))).all() == []
    async with desk.platforms.http.post(
        f"{desk.platforms.url}/_control/comment",
        json={"account": APP, "citizen": "读者1", "title": TITLE, "text": "好"},
    ) as answer:
        assert answer.status == 404


async def test_comments_are_read_masked_and_without_who_wrote_them(desk: Desk) -> None:
    await desk.send()
    first = await desk.write("请问怎么领，我的电话 13812345678")
    for number in range(60):  # more than one page
        await desk.write(f"第 {number} 条")
    assert await desk.read() == ""
    async with desk.office.db.session() as session:
        assert len((await session.scalars(select(Comment))).all()) == 61
    kept = await desk.comment(first)
    assert kept.text == mask("请问怎么领，我的电话 13812345678")
    assert "13812345678" not in kept.text
    openid = (await desk.there())[0]["openid"]
    table = Base.metadata.tables["comment"]
    async with desk.office.db.session() as session:
        rows = (await session.execute(select(table))).all()
    assert not any(openid in str(row) for row in rows)


async def test_the_job_reads_what_is_due_and_says_why_it_could_not(desk: Desk) -> None:
    await desk.send()
    assert await desk.commenter.read_due() == 0  # an hour after it was sent
    fault = {"platform": "wechat", "kind": "refuse", "code": 88000, "method": "comment/list"}
    await desk.platforms.control("faults", **fault)
    async with desk.office.db.session() as session:
        await session.execute(update(CommentArea).values(next_at=now()))
    assert await desk.commenter.read_due() == 1
    area = await desk.area()
    assert area.problem.startswith("账号没有留言权限")
    assert area.next_at is not None


async def test_featuring_and_replying_need_a_second_person(desk: Desk) -> None:
    await desk.send()
    number = await desk.write("写得清楚")
    await desk.read()
    for act, words in ((Act.FEATURE, ""), (Act.REPLY, "谢谢您的留言")):
        asked = await desk.ask(act, number, words)
        await desk.commenter.do_due()
        assert asked.state == "waiting"
        with pytest.raises(Refused, match="提出的人不能自己同意") as caught:
            await desk.comments.decide(asked.id, desk.people["bianji"], approved=True)
        assert caught.value.status == 403
        assert (await desk.there())[0]["comment_type"] == (0 if act is Act.FEATURE else 1)
        assert (await desk.done(asked)).state == "done"
    [shown] = await desk.there()
    assert (shown["comment_type"], shown["reply"]["content"]) == (1, "谢谢您的留言")
    kept = await desk.comment(number)
    assert (kept.featured, kept.reply) == (True, "谢谢您的留言")
    assert await desk.kinds() == [ASKED, DECIDED, DONE] * 2
    entries = await desk.office.ledger.facts(subject_of((await desk.area()).id))
    assert not any("谢谢" in str(one.body) or "写得" in str(one.body) for one in entries)


async def test_what_was_not_let_go_is_dropped(desk: Desk) -> None:
    await desk.send()
    number = await desk.write("好")
    await desk.read()
    asked = await desk.ask(Act.FEATURE, number)
    await desk.comments.decide(asked.id, desk.people["shenhe"], approved=False)
    await desk.commenter.do_due()
    assert (await desk.there())[0]["comment_type"] == 0
    assert await desk.kinds() == [ASKED, DECIDED]


async def test_a_reply_the_gates_stop_and_a_comment_with_a_number_go_nowhere(desk: Desk) -> None:
    await desk.send()
    number = await desk.write("打 13812345678 找我")
    await desk.read()
    for act, words, why in ((Act.REPLY, BAD, "绝对化"), (Act.FEATURE, "", "个人信息")):
        with pytest.raises(Refused, match=why):
            await desk.ask(act, number, words)
    with pytest.raises(Refused, match="原因"):
        await desk.ask(Act.DELETE, number)


async def test_what_shows_less_goes_at_once_with_its_reason_signed(desk: Desk) -> None:
    await desk.send()
    first, second = await desk.write("广告"), await desk.write("好")
    await desk.read()
    assert (await desk.done(await desk.ask(Act.DELETE, first, "广告"))).state == "done"
    assert [one["user_comment_id"] for one in await desk.there()] == [second]
    assert (await desk.comment(first)).gone
    assert (await desk.done(await desk.ask(Act.CLOSE, 0, "讨论已结束"))).state == "done"
    assert (await desk.area()).closed
    with pytest.raises(Refused, match="已经是这样"):
        await desk.ask(Act.CLOSE, 0, "再关一次")
    assert (await desk.ask(Act.OPEN, 0, "重新开放")).state == "waiting"


async def test_a_reply_whose_answer_was_lost_is_there_once(desk: Desk) -> None:
    await desk.send()
    number = await desk.write("好")
    await desk.read()
    asked = await desk.ask(Act.REPLY, number, "谢谢")
    fault = {"platform": "wechat", "kind": "drop_answer", "method": "comment/reply/add"}
    await desk.platforms.control("faults", **fault)
    assert (await desk.done(asked)).state == "ready"
    async with desk.office.db.session() as session:
        await session.execute(update(CommentAct).values(next_at=now()))
    assert (await desk.done(await desk.office.row(CommentAct, asked.id))).state == "done"
    assert (await desk.there())[0]["reply"]["content"] == "谢谢"


@pytest.mark.parametrize("column", ["words", "number", "act", "state"])
async def test_an_act_written_past_this_program_is_not_done(desk: Desk, column: str) -> None:
    await desk.send()
    number = await desk.write("好")
    await desk.write("坏")
    await desk.read()
    asked = await desk.ask(Act.REPLY, number, "谢谢")
    forged = {"words": "别的话", "number": number + 1, "act": "delete", "state": "ready"}
    if column != "state":
        await desk.comments.decide(asked.id, desk.people["shenhe"], approved=True)
    table = Base.metadata.tables["comment_act"]
    async with desk.office.db.session() as session:
        values = {column: forged[column], "next_at": now()}
        await session.execute(update(table).values(**values))
    await desk.commenter.do_due()
    assert not any(one.get("reply") for one in await desk.there())
    assert len(await desk.there()) == 2
    assert (await desk.office.row(CommentAct, asked.id)).state == "failed"
    assert [kind for kind, _, _ in desk.office.incidents] == ["comment_failed"]


async def test_a_comment_its_reader_took_back_cannot_be_featured(desk: Desk) -> None:
    await desk.send()
    number = await desk.write("好")
    await desk.read()
    await desk.platforms.control("comment", account=APP, withdraw=number)
    row = await desk.done(await desk.ask(Act.FEATURE, number))
    assert (row.state, row.reason[:14]) == ("failed", "读者已删除这条留言，不能精选")
