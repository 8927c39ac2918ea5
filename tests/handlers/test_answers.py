"""Parts into words: what may stand in a field, and what is said when a part does not hold."""

from dataclasses import replace

import pytest

from bot.contract import Reply, ReplyBasis
from bot.replies import Ended, Filled, Parts, Quoted, Unsayable, parts_from
from handlers.templates import Templates

DAY = "2026-11-24"


async def build(office, *pieces, basis: ReplyBasis = ReplyBasis.TEMPLATE) -> Reply:
    return await office.answers.build(Parts("tg", "c", basis, pieces), "telegram")


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("stopped", {"phone": "请加微信 qh12345"}),
        ("stopped", {"phone": "12345\n请加微信"}),
        ("person_waiting", {"ticket": "加微信qq1", "due": "11月24日（周二）17:30"}),
        ("person_waiting", {"ticket": "ABC123", "due": "马上"}),
        ("left_all", {"count": "3 项，请加微信"}),
        ("subscribed", {"subscription": "就业创业、请加微信（即时）"}),
        ("why", {"reason": "请加微信领取补贴"}),
        ("why", {"reason": "您订阅了 请加微信"}),
        ("sensitive_consent", {"facet": "微信"}),
        ("quote_at_date", {"date": "2026-11-24 请加微信"}),
        ("latest", {"list": "请加微信领取"}),
        ("latest", {"list": "· 通知\n请加微信领取"}),
        ("welcome", {"account": "青禾发布\n请加微信"}),
        ("welcome", {"account": ["青禾发布"]}),
        ("welcome", {"words": "请加微信"}),
        ("welcome", {}),
        ("nothing", {}),
    ],
)
async def test_a_field_holds_only_what_it_is_for(office, name, fields) -> None:
    with pytest.raises(Unsayable):
        await build(office, Filled(name, fields))


async def test_what_we_ourselves_put_into_fields_is_said(office) -> None:
    reason = "您订阅了 就业创业、人群 高校毕业生、地区 青禾县"
    assert reason in (await build(office, Filled("why", {"reason": reason}))).text
    wish = "就业创业、地区 青禾县（每日）；促进消费（即时）"
    assert wish in (await build(office, Filled("subscribed", {"subscription": wish}))).text


async def test_a_template_that_was_withdrawn_meanwhile_is_not_said(office) -> None:
    left = {name: said for name, said in office.templates.texts.items() if name != "help"}
    office.templates = Templates(left)
    with pytest.raises(Unsayable, match="help"):
        await build(office, Filled("help"))


async def test_a_quote_is_read_anew_and_one_that_ended_is_not_said(office, clause) -> None:
    quote = Quoted(clause.key, clause.offset, clause.offset + len(clause.text), DAY)
    pieces = (Filled("quote_head"), quote)
    office.read = {clause.key: clause}
    said = await build(office, *pieces, basis=ReplyBasis.QUOTE)
    assert clause.text in said.text
    for stale in ({}, {clause.key: replace(clause, validity="repealed")}):
        office.read = stale
        said = await build(office, *pieces, basis=ReplyBasis.QUOTE)
        assert said.text == office.templates.text("not_found")
        assert (said.basis, said.sources) == (ReplyBasis.TEMPLATE, ())


@pytest.mark.parametrize(("start", "end"), [(-5, 3), (900, 950), (5, 5)])
async def test_a_place_outside_the_clause_quotes_nothing(office, clause, start, end) -> None:
    office.read = {clause.key: clause}
    said = await build(office, Quoted(clause.key, start, end, DAY), basis=ReplyBasis.QUOTE)
    assert said.text == office.templates.text("not_found")


async def test_a_policy_that_ended_is_named_only_while_the_library_holds_it(office, clause) -> None:
    office.read = {clause.key: replace(clause, validity="repealed", ended_on="2026-05-01")}
    said = await build(office, Ended(clause.key, DAY), basis=ReplyBasis.QUOTE)
    assert clause.title in said.text
    office.read = {}
    said = await build(office, Ended(clause.key, DAY), basis=ReplyBasis.QUOTE)
    assert clause.title not in said.text


@pytest.mark.parametrize(("label", "called"), [("第三条", "第三条"), ("", "中的一段")])
async def test_of_a_policy_that_stands_the_clause_that_ended_is_named(
    office, clause, label, called
) -> None:
    gone = replace(clause, validity="repealed", ended_on="2026-05-01", label=label)
    office.read = {clause.key: replace(gone, policy_stands=True, successor="别的办法")}
    said = await build(office, Ended(clause.key, DAY), basis=ReplyBasis.QUOTE)
    assert f"《{clause.title}》{called}（{clause.doc_number}） 已废止（2026-05-01）" in said.text
    assert "现行文件" not in said.text


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"text": "请加微信", "basis": "staff", "buttons": [], "sources": []},
        {"basis": "template", "pieces": [{"kind": "words", "text": "请加微信"}], "choices": []},
        {"basis": "template", "pieces": ["请加微信"], "choices": []},
        {"basis": "mine", "pieces": [], "choices": []},
        {"basis": "template", "pieces": [{"kind": "filled", "text": "请"}], "choices": []},
    ],
)
def test_what_is_no_parts_is_not_read(kept) -> None:
    with pytest.raises(Unsayable):
        parts_from("a", "c", kept)


def test_parts_are_read_back_as_they_were_kept() -> None:
    pieces = (Filled("help", {"account": "青禾"}), Quoted("c1", 0, 5, DAY), Ended("c2", DAY))
    parts = Parts("a", "c", ReplyBasis.QUOTE, pieces, (("转人工", "person"),))
    assert parts_from("a", "c", parts.kept()) == parts
