"""Two offices, one reading the other's open data: what changes there is proposed here, once."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from config.clock import beijing, now
from content_sources.columns.entries import ColumnError
from content_sources.columns.opendata import read_records
from content_sources.fetch import Fetcher
from content_sources.ingest import Ingest, PollResult
from content_sources.models import Article, Column, Source
from knowledge.forms import AMEND, END
from knowledge.library import Amendment, PolicyLibrary, Repeal, amendment_payload
from knowledge.models import Clause, Policy
from office.handovers import take_back_policies
from office.superior import offer_changes
from review_queue import recalling
from review_queue.models import Item
from staff.models import Task
from storage.database import new_id
from tests.console.office import Office, build, busy_morning, close
from tests.console.test_open_data import open_up

WHO = "青禾县高校毕业生就业创业补贴办法"


@dataclass
class Pair:
    """The office above with what its morning made, the one below, and what reads for it."""

    above: Office
    ids: dict[str, str]
    below: Office
    ingest: Ingest
    columns: dict[str, str]

    async def read(self, name: str = "policies") -> PollResult:
        result = await self.ingest.poll_column(self.columns[name])
        await take_back_policies(self.below.deps.db)
        await offer_changes(self.below.deps.ledger)
        return result

    async def offered(self) -> list[Article]:
        async with self.below.deps.db.session() as session:
            query = select(Article).where(Article.library == "offered")
            return list(await session.scalars(query))

    async def take(self) -> str:
        """An editor proposes the one thing that lies there, an admin approves; its kind."""
        (row,) = await self.offered()
        editor = await self.below.signed_in("editor")
        status, page = await editor.get(f"/console/policies/fetched/{row.id}")
        assert (status, row.title in page) == (200, True)
        status, page = await editor.post(f"/console/policies/fetched/{row.id}", verdict="propose")
        assert status == 303, page
        (change,) = await library(self.below).changes(state="proposed")
        await offer_changes(self.below.deps.ledger)
        assert await self.offered() == []
        await library(self.below).approve(change.id, self.below.people["admin1"])
        return change.kind

    async def ours(self) -> tuple[Policy, list[Clause]]:
        async with self.below.deps.db.session() as session:
            policy = (await session.scalars(select(Policy).where(Policy.title == WHO))).one()
            clauses = select(Clause).where(Clause.policy_id == policy.id).order_by(Clause.number)
            return policy, list(await session.scalars(clauses))


def library(office: Office) -> PolicyLibrary:
    return PolicyLibrary(office.deps.governance.proposals)


@pytest.fixture
async def pair(tmp_path: Path, password_hash: str) -> AsyncIterator[Pair]:
    above = await build(tmp_path / "above", password_hash)
    ids = await busy_morning(above)
    await open_up(above)
    below = await build(tmp_path / "below", password_hash)
    host = f"127.0.0.1:{above.server.port}"
    fetcher = Fetcher(frozenset({host}))
    source = Source(
        id=new_id(),
        organisation="北原市人民政府办公室",
        hosts=[host],
        allow_http=True,
        basis="上级单位",
        valid_from=now() - timedelta(days=1),
        valid_to=None,
        state="active",
        proposed_by="init",
        approved_by="init",
    )
    columns = {
        name: Column(
            id=new_id(),
            source_id=source.id,
            name=name,
            url=f"http://{host}/api/v1/open/{name}",
            kind="opendata",
            selectors={},
            next_at=now(),
            last_ok_at=None,
        )
        for name in ("policies", "items")
    }
    async with below.deps.db.session() as session:
        session.add_all([source, *columns.values()])
    deps = below.deps
    ingest = Ingest(deps.db, deps.ledger, deps.queue, fetcher)
    yield Pair(above, ids, below, ingest, {name: one.id for name, one in columns.items()})
    await fetcher.close()
    await close(below)
    await close(above)


async def test_a_policy_comes_down_changes_and_ends_each_by_two_people(pair: Pair) -> None:
    above, today = pair.above, beijing(now()).date()
    assert (await pair.read()).items == 2
    # What ended before we had it is nobody's work.
    assert [row.title for row in await pair.offered()] == [WHO]
    assert await pair.take() == "policy"
    policy, clauses = await pair.ours()
    assert (policy.doc_number, policy.state, len(clauses)) == ("青政办发〔2025〕18号", "active", 4)
    assert (await pair.read()).items == 0
    assert await pair.offered() == []

    words = "第二条 毕业学年内积极求职的低收入家庭高校毕业生，可以申请求职补贴，每人2000元。"
    number = next(one.number for one in clauses if one.label == "第二条")
    payload = amendment_payload(Amendment(pair.ids["policy"], today, [(number, words)]))
    made = await library(above).propose(AMEND, payload, above.people["editor"], "提高标准")
    assert (await pair.read()).items == 0  # one person alone changes nothing, here or below
    await library(above).approve(made.change_id, above.people["admin1"])
    assert (await pair.read()).items == 1
    assert await pair.take() == AMEND
    _, clauses = await pair.ours()
    assert [one.text for one in clauses if one.label == "第二条" and not one.replaced_on] == [words]

    repeal = Repeal(pair.ids["policy"], today + timedelta(days=1))
    made = await library(above).propose_repeal(repeal, above.people["editor"])
    await library(above).approve(made.change_id, above.people["admin1"])
    assert (await pair.read()).items == 1
    assert await pair.take() == END
    policy, _ = await pair.ours()
    assert policy.repealed_on == str(today + timedelta(days=1))
    assert (await pair.read()).items == 0
    assert await pair.offered() == []


async def test_an_item_comes_down_once_its_recall_is_a_task_and_a_source_may_end(
    pair: Pair,
) -> None:
    above, below = pair.above, pair.below
    assert [(await pair.read("items")).items for _ in range(2)] == [1, 0]
    async with below.deps.db.session() as session:
        item = (await session.scalars(select(Item))).one()
    assert (item.kind, item.state) == ("转载", "draft")
    await recalling.recall(
        above.deps.queue,
        pair.ids["published"],
        above.people["reviewer3"],
        "内容有误，撤回",
        "error",
    )
    assert (await pair.read("items")).items == 1
    async with below.deps.db.session() as session:
        (task,) = await session.scalars(select(Task))
    assert (task.kind, task.item_id) == ("correction", item.id)
    assert task.title.startswith("上级已撤回")
    async with below.deps.db.session() as session:  # and who is no source is not asked
        (await session.scalars(select(Source))).one().state = "revoked"
    assert "稿源" in (await pair.read()).error
    async with below.deps.db.session() as session:
        column = await session.get_one(Column, pair.columns["policies"])
    assert (column.cursor, column.state) == ("", "failing")


def page(**changed: Any) -> bytes:
    clause = {"number": 1, "label": "第一条", "text": "甲", "place": None}
    data = {"state": "open", "doc_number": "", "issuer": "县府", "clauses": [clause]}
    row = {
        "id": "p1",
        "url": "https://x.gov.cn/1",
        "title": "办法",
        "content_text": "第一条 甲",
        "date_modified": "2026-11-24T00:00:00+00:00",
        "_policy": data,
    }
    return json.dumps(
        {"items": [row | changed], "_shenfa": {"cursor": "c1", "more": False}}
    ).encode()


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "../x"},
        {"title": ""},
        {"content_text": "字" * 200_001},
        {"date_modified": "gestern"},
        {"_policy": []},
        {"_policy": {"state": "open", "repealed_on": "2026-13-01"}},
        {"_policy": {"state": "open", "clauses": [{"number": "1", "label": "", "text": ""}]}},
        {"_policy": {"state": "open", "clauses": [{}] * 501}},
    ],
)
def test_a_record_of_another_form_is_left_out_and_counted(changed: dict[str, Any]) -> None:
    found = read_records(page(**changed), "https://x.gov.cn/")
    assert (found.records, found.left_out) == ((), 1)
    assert len(read_records(page(), "https://x.gov.cn/").records) == 1


def test_signs_that_no_database_holds_are_not_kept() -> None:
    odd = "甲\x00乙\ud800丙\x08"
    clause = {"number": 1, "label": odd, "text": odd, "place": None}
    said = {"state": "open", "doc_number": odd, "issuer": "县府", "clauses": [clause]}
    for changed in ({"title": odd, "content_text": odd}, {"_policy": said}):
        (record,) = read_records(page(**changed), "https://x.gov.cn/").records
        whole = repr((record.title, record.text, record.said))
        assert "甲\ufffd乙\ufffd丙" in whole
        assert not re.search(r"\\x0|\\ud8", whole)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"items": 1}',
        b"[" * 100_000,
        b'{"items":[],"_shenfa":{"cursor":"a b"}}',
    ],
)
def test_what_is_no_open_data_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(ColumnError, match="不是审发的开放数据"):
        read_records(body, "https://x.gov.cn/")
