"""A repost names its origin, stands beside its original, and an exception needs one more person."""

import hashlib
from collections.abc import Mapping

import pytest
from sqlalchemy import select, update

from bot.contract import NotReleased
from bot.picture_message import KIND as PICTURES
from config.clock import now
from content_sources.changes import revoke
from content_sources.exceptions import ask_exception, decide_exception
from content_sources.list_models import PictureRight
from content_sources.models import Article
from content_sources.provenance import Original, Right, repost_findings
from gates.finding import Finding
from review_queue import deciding, drafting, publishing
from review_queue.canonical import Draft
from review_queue.findings import findings_now
from review_queue.models import Item
from staff.models import Proposal
from staff.people import Person, set_staff
from staff.refusal import Refused
from tests.content_sources.reposting import TEXT, TITLE, URL, Relay

MOMENT = now()
ORIGINAL = Original(TITLE, TEXT, "林青", "青禾县人民政府")
COMPLETE = {
    "source": "青禾县人民政府",
    "original_author": "林青",
    "original_title": TITLE,
    "editor": "李雪",
    "url": URL,
}


def found(
    body: str = TEXT,
    title: str = TITLE,
    original: Original | None = ORIGINAL,
    rights: Mapping[str, Right] | None = None,
    changed: Mapping[str, str] | None = None,
) -> dict[str, list[Finding]]:
    draft = Draft(
        "转载", "重要", title, body, (), MOMENT, MOMENT, attribution=COMPLETE | dict(changed or {})
    )
    by_rule: dict[str, list[Finding]] = {}
    for one in repost_findings(draft, original, rights or {}):
        by_rule.setdefault(one.rule, []).append(one)
    return by_rule


def test_an_unchanged_complete_repost_has_no_finding() -> None:
    assert found() == {}
    assert found(body=TEXT.replace("\n", "\n\n  ")) == {}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("source", "来源"),
        ("original_author", "原作者"),
        ("original_title", "原标题"),
        ("editor", "编辑姓名"),
        ("url", "原文链接"),
    ],
)
def test_each_missing_field_of_attribution_blocks(name: str, label: str) -> None:
    one = found(changed={name: " "})["repost.attribution"]
    assert [row.severity for row in one] == ["block"]
    assert label in one[0].reason


def test_a_page_without_an_author_asks_for_none() -> None:
    nameless = Original(TITLE, TEXT, "", "青禾县人民政府")
    assert found(original=nameless, changed={"original_author": ""}) == {}


def test_a_changed_number_is_marked_where_it_stands() -> None:
    body = TEXT.replace("800元", "900元")
    rules = found(body=body)
    one = rules["repost.number"][0]
    assert body[one.start : one.end] == one.text == "900"
    assert one.severity == "warn"
    assert "800" in rules["repost.number_gone"][0].reason
    assert "repost.altered" in rules


def test_figures_written_otherwise_are_the_same_figures() -> None:
    source = Original(TITLE, "共１，２００元，占12.5%。", "林青", "青禾县人民政府")
    rules = found(body="共1200元，占１２．５％。", original=source)
    assert "repost.number" not in rules
    assert "repost.number_gone" not in rules


def test_a_number_used_once_more_is_told() -> None:
    assert "repost.number" in found(body=TEXT + "\n另有12个名额。")


def test_a_negation_that_went_is_told_in_its_line() -> None:
    body = TEXT.replace("逾期不再受理", "逾期再受理")
    one = found(body=body)["repost.negation"][0]
    assert "不" in one.reason
    assert "逾期再受理" in one.text


def test_another_body_or_place_is_told() -> None:
    source = Original(TITLE, "北京市朝阳区的申请人向张伟提出。", "林青", "青禾县人民政府")
    rules = found(body="上海市朝阳区的申请人向张伟提出。", original=source)
    assert "repost.name" in rules


def test_a_changed_title_is_told_and_a_false_original_title_blocks() -> None:
    assert found(title="青禾县发补贴了")["repost.title"][0].field == "title"
    assert (
        found(changed={"original_title": "另一个标题"})["repost.original_title"][0].severity
        == "block"
    )
    assert found(changed={"source": "别的单位"})["repost.source"][0].severity == "warn"


def test_a_repost_without_a_snapshot_says_so() -> None:
    assert list(found(original=None)) == ["repost.snapshot"]


MEDIA = "sha256:" + "a" * 64
PICTURE = f"![大厅]({MEDIA})"


def test_a_picture_of_an_official_document_needs_no_licence() -> None:
    source = Original(TITLE, TEXT, "林青", "青禾县人民政府", {MEDIA: Right(URL, "")})
    assert found(body=f"{TEXT}\n{PICTURE}", original=source) == {}


def test_other_pictures_need_origin_and_licence() -> None:
    plain = TEXT.replace("青政发〔2026〕12号\n", "")
    source = Original(TITLE, plain, "林青", "青禾县人民政府", {MEDIA: Right(URL, "")})
    body = f"{plain}\n{PICTURE}"
    assert "许可" in found(body=body, original=source)["repost.picture"][0].reason
    granted = Original(TITLE, plain, "林青", "青禾县人民政府", {MEDIA: Right(URL, "授权转载")})
    assert found(body=body, original=granted) == {}
    bare = Original(TITLE, plain, "林青", "青禾县人民政府")
    assert "来历" in found(body=body, original=bare)["repost.picture"][0].reason
    assert found(body=body, original=bare, rights={MEDIA: Right("本单位拍摄", "自有")}) == {}


def test_a_long_rewritten_text_is_compared_without_freezing() -> None:
    old = Original(TITLE, "旧" * 30_000, "林青", "青禾县人民政府")
    assert "repost.altered" in found(body="新" * 30_000, original=old)


# --- in the queue -------------------------------------------------------------------------


async def test_a_changed_number_is_a_finding_at_every_level(relay: Relay) -> None:
    source_id = await relay.source()
    item = await relay.item(await relay.article(source_id), body=TEXT.replace("800", "900"))
    item = await relay.submitted(item)
    assert "repost.number" in await relay.rules(item)
    for who in ("reviewer1", "reviewer2", "reviewer3"):
        _, seen = await findings_now(relay.queue, item.id)
        assert "repost.number" in [one.rule for one in seen], who
    assert (await relay.approved(item)).state == "approved"


async def test_taking_the_attribution_away_blocks_every_level(relay: Relay) -> None:
    source_id = await relay.source()
    item = await relay.item(await relay.article(source_id))
    attribution = COMPLETE | {"editor": ""}
    changes = {"attribution": attribution}
    item = await drafting.edit(relay.queue, item.id, relay.people["editor"], item.version, changes)
    item = await relay.submitted(item)
    reasons = await deciding.why_not(relay.queue, item.id, relay.people["reviewer1"])
    assert any("编辑姓名" in reason.message for reason in reasons)


async def test_the_original_is_found_at_the_address_it_was_redirected_to(relay: Relay) -> None:
    source_id = await relay.source()
    moved = URL.replace("a.html", "moved.html")
    await relay.article(source_id, final_url=moved)
    item = await relay.item(url=moved, body=TEXT.replace("800", "900"))
    assert "repost.number" in await relay.rules(item)


async def test_a_fetched_text_cannot_be_called_an_original(relay: Relay) -> None:
    source_id = await relay.source()
    await relay.article(source_id)
    async with relay.db.session() as session:
        article = (await session.scalars(select(Article))).one()
        article.text_hash = "e4" * 32
    item = await relay.item(kind="原创")
    assert await relay.rules(item) == []
    async with relay.db.session() as session:
        article = (await session.scalars(select(Article))).one()
        article.text_hash = text_hash(TEXT)
    assert await relay.rules(item) == ["repost.kind"]


def text_hash(text: str) -> str:
    return hashlib.sha256("".join(text.split()).encode()).hexdigest()


async def test_an_unknown_host_can_be_neither_submitted_nor_released(relay: Relay) -> None:
    await relay.source()
    item = await relay.item(url="https://news.example.com/a.html")
    with pytest.raises(Refused, match="不在稿源白名单内") as refused:
        await relay.submitted(item)
    assert refused.value.status == 403


OUTSIDE = "https://news.example.com/a.html"


async def test_an_exception_takes_one_more_person_and_holds_for_one_text(relay: Relay) -> None:
    await relay.source()
    item = await relay.item(url=OUTSIDE)
    editor, signer = relay.people["editor"], relay.people["supervisor"]
    with pytest.raises(Refused, match="至少 6 个字"):
        await ask_exception(relay.ledger, item.id, editor, "要转")
    row = await ask_exception(relay.ledger, item.id, editor, "突发灾情通报，来不及登记稿源")
    for who in ("editor", "reviewer1", "admin1"):
        with pytest.raises(Refused) as refused:
            await decide_exception(relay.ledger, row.id, relay.people[who], "grant", "同意")
        assert refused.value.status == 403
    with pytest.raises(Refused, match="不在稿源白名单内"):
        await relay.submitted(item)
    await decide_exception(relay.ledger, row.id, signer, "grant", "情况属实，同意")
    item = await relay.approved(await relay.submitted(item))
    item = await publishing.schedule(relay.queue, item.id, editor)
    assert item.release_id is not None
    assert (await relay.releases.verify(item.release_id)).item_id == item.id
    with pytest.raises(Refused, match="已经有结论"):
        await decide_exception(relay.ledger, row.id, signer, "refuse", "反悔")
    item = await drafting.edit(relay.queue, item.id, editor, item.version, {"title": "另一个题目"})
    with pytest.raises(Refused, match="不在稿源白名单内"):
        await relay.submitted(item)


async def test_an_exception_of_somebody_who_wrote_the_text_does_not_count(relay: Relay) -> None:
    await relay.source()
    async with relay.ledger.transaction() as tx:
        both = ("editor", "reviewer_3")
        person = await set_staff(tx, Person("both", "both", both, "-"), "system")
    item = await relay.item(url=OUTSIDE)
    item = await drafting.edit(relay.queue, item.id, person.id, item.version, {"title": "题目"})
    row = await ask_exception(relay.ledger, item.id, relay.people["editor"], "确有需要转载一次")
    with pytest.raises(Refused, match="不能给自己的稿件签字"):
        await decide_exception(relay.ledger, row.id, person.id, "grant", "同意")


async def test_a_granted_exception_written_into_the_table_gains_nothing(relay: Relay) -> None:
    await relay.source()
    item = await relay.item(url=OUTSIDE)
    await ask_exception(relay.ledger, item.id, relay.people["editor"], "确有需要转载一次")
    async with relay.db.session() as session:
        await session.execute(update(Proposal).values(state="approved"))
    with pytest.raises(Refused, match="不在稿源白名单内"):
        await relay.submitted(item)


async def test_no_exception_from_a_revoked_source_or_a_disguised_host(relay: Relay) -> None:
    source_id = await relay.source()
    item = await relay.item()
    await revoke(relay.ledger, relay.people["admin1"], source_id)
    with pytest.raises(Refused, match="不能申请例外"):
        await ask_exception(relay.ledger, item.id, relay.people["editor"], "确有需要转载一次")
    other = await relay.source(organisation="北原市", hosts=("www.beiyuan.gov.cn",))
    assert other
    fake = await relay.item(url="https://www.beiyvan.gov.cn.evil.example/")
    assert "source.host" in await relay.rules(fake)
    disguised = await relay.item(url="https://www.beiyuan.gov.cn.evil.example/")
    with pytest.raises(Refused, match="不能申请例外"):
        await ask_exception(relay.ledger, disguised.id, relay.people["editor"], "确有需要转载一次")


async def test_a_declared_picture_counts_for_the_draft_it_is_in(relay: Relay) -> None:
    source_id = await relay.source()
    item = await relay.item(await relay.article(source_id), body=f"{TEXT}\n{PICTURE}")
    assert "repost.picture" in await relay.rules(item, "block")
    async with relay.db.session() as session:
        session.add(
            PictureRight(media=MEDIA, origin="本单位拍摄", licence="自有", set_by="x", set_at=now())
        )
    assert "repost.picture" not in await relay.rules(item)


async def test_expiry_stops_an_approved_item_at_send(relay: Relay) -> None:
    source_id = await relay.source()
    item = await relay.approved(
        await relay.submitted(await relay.item(await relay.article(source_id)))
    )
    assert item.release_id is not None
    await relay.releases.verify(item.release_id)
    await relay.change(source_id, "renew", valid_to=now())
    with pytest.raises(NotReleased, match="有效期"):
        await relay.releases.verify(item.release_id)
    async with relay.db.session() as session:
        assert (await session.get_one(Item, item.id)).state == "approved"


async def test_a_correction_is_judged_like_a_repost_but_outlives_its_source(relay: Relay) -> None:
    source_id = await relay.source()
    outside = await relay.item(kind="更正", url=OUTSIDE)
    assert await relay.rules(outside) == ["source.host"]
    item = await relay.item(kind="更正")
    assert await relay.rules(item) == []
    await revoke(relay.ledger, relay.people["admin1"], source_id)
    assert await relay.rules(item) == []


async def test_a_picture_message_that_names_an_original_is_judged_like_a_repost(
    relay: Relay,
) -> None:
    source_id = await relay.source()
    outside = await relay.item(kind=PICTURES, url=OUTSIDE)
    assert await relay.rules(outside) == ["source.host"]
    assert await relay.rules(await relay.item(kind=PICTURES)) == []
    await revoke(relay.ledger, relay.people["admin1"], source_id)
    assert await relay.rules(await relay.item(kind=PICTURES)) == ["source.revoked"]
    assert await relay.rules(await relay.item(kind=PICTURES, url="")) == []


async def test_a_fetched_text_in_a_picture_message_must_name_where_it_comes_from(
    relay: Relay,
) -> None:
    await relay.article(await relay.source(), text_hash=text_hash(TEXT))
    unnamed = await relay.item(kind=PICTURES, url="")
    _, [finding] = await findings_now(relay.queue, unnamed.id)
    assert finding.rule == "repost.kind"
    assert "应注明来源、原标题和原文链接" in finding.reason
    assert await relay.rules(await relay.item(kind=PICTURES)) == []
