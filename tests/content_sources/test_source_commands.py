"""`shenfa source`, the API of columns and articles, and policies on their way to the library."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

import cli
from app import open_shenfa
from config.clock import now
from config.settings import Settings
from config.setup import Setup
from console.policies.fetched import policy_draft
from content_sources.fetch import Fetcher
from content_sources.models import Article, Column, Source
from knowledge.models import Policy
from office.handovers import offer_policies
from office.setup import initialise
from review_queue.desk import ROBOT
from staff.models import Proposal
from staff.refusal import Refused
from storage.database import new_id
from tests.console.office import Office, build, close, one_hash
from tests.content_sources.conftest import Site

RUN = CliRunner()
POLICY = """<html><head><title>青禾县技能补贴办法_青禾县人民政府</title></head><body><table>
<tr><td>索引号：</td><td>000014349/2026-7</td><td>发文机关：</td><td>青禾县人民政府</td></tr>
<tr><td>发文字号：</td><td>青政发〔2026〕9号</td><td>成文日期：</td><td>2026年11月2日</td></tr>
<tr><td>有效性：</td><td>{validity}</td><td>发布日期：</td><td>2026-11-20</td></tr></table>
<h1>青禾县技能补贴办法</h1><div id="zoom"><p>第一条 为支持技能培训，制定本办法。</p>
<p>第二条 取得证书的人员可以申请补贴，每人一千元。</p></div></body></html>"""


def home_settings(tmp_path: Path, site: Site) -> Settings:
    return Settings(
        home=tmp_path,
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'shenfa.db'}",
        redis_url="",
        ledger_key_file=tmp_path / "keys/ledger.key",
        data_key_file=tmp_path / "keys/data.key",
        anchor_file=tmp_path / "anchors.jsonl",
        dev=True,
        dev_allow=site.host,
    )


def setup_of(site: Site) -> Setup:
    staff = [{"login": "editor", "name": "云禾", "roles": ["editor", "admin"]}]
    source = {
        "organisation": "青禾县人民政府",
        "hosts": [site.host],
        "allow_http": True,
        "basis": "青禾县网信办稿源名单",
        "valid_from": (now() - timedelta(days=1)).date(),
    }
    return Setup.model_validate({"organisation": "青禾县", "staff": staff, "sources": [source]})


async def test_a_fetched_policy_waits_for_an_editor_and_is_nobodys_proposal(
    tmp_path: Path, site: Site
) -> None:
    settings = home_settings(tmp_path, site)
    await initialise(settings, setup_of(site))
    async with open_shenfa(settings) as shenfa:
        article = await shenfa.ingest.fetch_article(
            site.serve("/p.html", POLICY.replace("{validity}", "有效"))
        )
        ended = await shenfa.ingest.fetch_article(
            site.serve("/old.html", POLICY.replace("{validity}", "废止").replace("技能", "旧技能"))
        )
        assert article.policy["index_number"] == "000014349/2026-7"
        assert await offer_policies(shenfa.db) == 2
        assert await offer_policies(shenfa.db) == 0
        async with shenfa.db.session() as session:
            states = [(await session.get_one(Article, one.id)).library for one in (article, ended)]
            assert (await session.scalars(select(Policy))).first() is None
            assert (await session.scalars(select(Proposal))).first() is None
        draft = policy_draft(article)
        assert draft is not None
        with pytest.raises(Refused) as refused:
            await shenfa.library.propose_import([draft], ROBOT)
    assert states == ["offered", "ended"]
    assert refused.value.status == 403
    assert (draft.title, draft.doc_number) == ("青禾县技能补贴办法", "青政发〔2026〕9号")
    assert (draft.issuer, draft.issued_on) == ("青禾县人民政府", date(2026, 11, 2))
    assert "索引号" not in draft.text


def test_a_policy_page_without_a_day_is_proposed_without_one() -> None:
    row = Article(
        title="办法", text="第一条", url="https://q.example/", policy={}, source_name="县政府"
    )
    draft = policy_draft(row)
    assert draft is not None
    assert (draft.issued_on, draft.issuer) == (None, "县政府")


# --- command line -------------------------------------------------------------------------


@pytest.fixture
def development(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("SHENFA_DEV", "1")
    monkeypatch.setenv("SHENFA_DEV_ALLOW", site.host)
    return site


async def invoke(*arguments: str):
    return await asyncio.to_thread(RUN.invoke, cli.shenfa, list(arguments))


async def test_a_column_is_read_from_the_command_line(development: Site) -> None:
    url = f"{development.base}/site/news/rss.xml"
    shown = await invoke("source", "fetch", url)
    assert shown.exit_code == 0
    assert "2026-11-23  青禾县关于发放高校毕业生就业补贴的通知" in shown.output
    data = json.loads((await invoke("source", "fetch", url, "--json")).output)
    assert (data["kind"], data["error"], len(data["entries"])) == ("feed", None, 4)


async def test_a_column_that_cannot_be_read_is_one_line_and_exit_1(development: Site) -> None:
    shown = await invoke("source", "fetch", f"{development.base}/site/window.png")
    assert shown.exit_code == 1
    assert "内容类型 image/png" in shown.output


async def test_an_address_is_judged_against_the_office(tmp_path: Path, development: Site) -> None:
    await initialise(home_settings(tmp_path, development), setup_of(development))
    home = ("--home", str(tmp_path))
    listed = await invoke("source", "check", f"{development.base}/a.html", *home)
    assert (listed.exit_code, listed.output.strip()) == (0, "属于稿源“青禾县人民政府”")
    other = await invoke("source", "check", "https://elsewhere.example/", *home, "--json")
    assert other.exit_code == 1
    assert json.loads(other.output)["rule"] == "host"
    assert development.hits == []


# --- the API ------------------------------------------------------------------------------


@pytest.fixture
async def office(tmp_path: Path, site: Site) -> AsyncIterator[Office]:
    """Staff at the console, and one source with one column in alarm."""
    made = await build(tmp_path, await one_hash())
    made.deps.ingest._fetcher = Fetcher(frozenset({site.host}))
    async with made.deps.db.session() as session:
        session.add_all([_source(site), _column(site)])
    yield made
    await made.deps.ingest._fetcher.close()
    await close(made)


def _source(site: Site) -> Source:
    return Source(
        id="s1",
        organisation="青禾县人民政府",
        hosts=[site.host],
        allow_http=True,
        basis="青禾县网信办稿源名单",
        valid_from=now() - timedelta(days=1),
        valid_to=None,
        state="active",
        proposed_by="init",
        approved_by="init",
    )


def _column(site: Site) -> Column:
    return Column(
        id=new_id(),
        source_id="s1",
        name="政策文件",
        url=f"{site.base}/site/policy/",
        kind="list",
        selectors={},
        next_at=now(),
        last_ok_at=None,
        state="alarm",
        last_error="条目的链接与以前完全不同",
        shape={"entries": 9, "dated": 9, "links": ["elsewhere"]},
    )


async def test_a_column_is_previewed_before_it_is_switched_on(office: Office, site: Site) -> None:
    editor = await office.signed_in("editor")
    path, body = "/sources/s1/columns/preview", {"url": f"{site.base}/site/policy/"}
    status, shown = await editor.api("POST", path, body)
    assert (status, shown["kind"], len(shown["entries"])) == (200, "list", 3)
    status, shown = await editor.api("POST", path, {"url": "https://elsewhere.example/"})
    assert (status, shown["entries"]) == (200, [])
    assert "不在稿源白名单内" in shown["error"]
    assert (await editor.api("POST", path, {"url": "x"}))[0] == 422
    assert (await editor.api("POST", "/sources/none/columns/preview", body))[0] == 404
    reviewer = await office.signed_in("reviewer1")
    assert (await reviewer.api("POST", path, body))[0] == 403


async def test_an_alarm_is_seen_and_accepted_by_an_editor(office: Office) -> None:
    editor = await office.signed_in("editor")
    _, shown = await editor.api("GET", "/sources/s1/columns")
    column = shown["columns"][0]
    assert (column["state"], column["error"]) == ("alarm", "条目的链接与以前完全不同")
    path = f"/sources/s1/columns/{column['id']}/accept"
    reviewer = await office.signed_in("reviewer1")
    assert (await reviewer.api("POST", path))[0] == 403
    assert (await editor.api("POST", path.replace("s1", "s2")))[0] == 404
    assert await editor.api("POST", path) == (200, {"id": column["id"], "state": "new"})
    await office.deps.ingest.poll_due()
    _, shown = await editor.api("GET", "/sources/s1/columns")
    assert (shown["columns"][0]["state"], shown["columns"][0]["items"]) == ("ok", 3)


async def test_a_near_copy_is_explained_with_the_difference(office: Office, site: Site) -> None:
    words = "".join(chr(0x4E00 + step * 41 % 5000) for step in range(200))
    page = "<title>社区食堂开门</title><div id='zoom'><p>{}</p><p>每份十元。</p></div>"
    ingest = office.deps.ingest
    first = await ingest.fetch_article(site.serve("/a.html", page.format(words)))
    changed = page.format(words).replace("十元", "八元")
    second = await ingest.fetch_article(site.serve("/b.html", changed))
    editor = await office.signed_in("editor")
    status, shown = await editor.api("GET", f"/articles/{second.id}")
    assert (status, shown["state"], shown["duplicate_of"]) == (200, "item", first.id)
    assert shown["likeness"].startswith("与《社区食堂开门》（青禾县人民政府）相似 9")
    assert "数字不同：八、十" in shown["likeness"]
    texts = [one["text"] for line in shown["difference"] for one in line["changes"]]
    assert {"十", "八"} <= set(texts)
    _, kept = await editor.api("GET", f"/articles/{first.id}")
    assert (kept["copies"], kept["difference"]) == ([second.id], [])
    assert (await editor.api("GET", "/articles/none"))[0] == 404
    status, shown_page = await editor.get(f"/console/items/{second.item_id}")
    assert status == 200
    for part in ("数字不同：八、十", "<ins>八</ins>", "<del>十</del>", "打开较早的那一篇"):
        assert part in shown_page
    third = await ingest.fetch_article(site.serve("/c.html", page.format(words) + "<!-- -->"))
    assert third.state == "duplicate"
    _, first_page = await editor.get(f"/console/items/{first.item_id}")
    assert "同一内容的其他来路：2 处" in first_page
    assert "文字完全相同" in first_page
