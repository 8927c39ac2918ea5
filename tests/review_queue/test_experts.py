"""An outside expert answers once, about exactly the text that was asked about."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from review_queue import drafting
from review_queue import experts as module
from review_queue.expert_models import ExpertLink
from review_queue.experts import Experts, Opinion, Question, links_of, state_of
from staff.refusal import Refused

ASK = Question("县人社局就业科", "请核对补贴标准和申请期限")


async def asked(office: Any, item: Any) -> tuple[Experts, ExpertLink, str]:
    experts = Experts(office.queue.ledger)
    link, token = await experts.ask(item.id, office.people["reviewer1"], ASK)
    return experts, link, token


def agree(link: ExpertLink, **more: str) -> Opinion:
    return Opinion(link.digest, "agree", "李处长", **more)


async def test_the_answer_is_kept_and_signed_without_a_word_of_it(office: Any) -> None:
    item = await office.submitted()
    experts, link, token = await asked(office, item)
    opened = await experts.look(token)
    assert "第一段" in opened.canonical
    await experts.answer(token, agree(link, text="标准无误"))
    entries = await office.queue.ledger.facts(f"item:{item.id}")
    kinds = [entry.kind for entry in entries]
    assert kinds[-2:] == ["expert.asked", "expert.answered"]
    told = json.dumps([entry.body for entry in entries], ensure_ascii=False)
    assert not any(word in told for word in ("李处长", "标准无误", "人社局", token))
    async with office.queue.db.session() as session:
        (row,) = await links_of(session, item.id)
    assert (row.verdict, row.text) == ("agree", "标准无误")
    assert state_of(row, link.digest) == "没有问题"


async def test_a_link_answers_once(office: Any) -> None:
    item = await office.submitted()
    experts, link, token = await asked(office, item)
    await experts.answer(token, agree(link))
    with pytest.raises(Refused, match="已经答复过"):
        await experts.answer(token, agree(link))
    with pytest.raises(Refused, match="已经答复过"):
        await experts.look(token)


async def test_an_edit_voids_the_link_and_an_unchanged_save_does_not(office: Any) -> None:
    item = await office.item()
    experts, link, token = await asked(office, item)
    editor = office.people["editor"]
    item = await drafting.edit(
        office.queue, item.id, editor, item.version, {"body": "第一段\n第二段"}
    )
    await experts.look(token)
    await drafting.edit(office.queue, item.id, editor, item.version, {"body": "第一段\n第二段。"})
    for attempt in (experts.look(token), experts.answer(token, agree(link))):
        with pytest.raises(Refused, match="内容已变化") as caught:
            await attempt
        assert caught.value.status == 410


async def test_text_changed_by_sql_is_not_shown_for_an_opinion(office: Any) -> None:
    item = await office.submitted()
    experts, _, token = await asked(office, item)
    async with office.queue.db.session() as session:
        await session.execute(
            text("UPDATE revision SET canonical = replace(canonical, '第一段', '别的话')")
        )
    with pytest.raises(Refused, match="内容已变化"):
        await experts.look(token)


async def test_a_link_expires(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    item = await office.submitted()
    experts, link, token = await asked(office, item)
    later = link.expires_at + timedelta(seconds=1)
    monkeypatch.setattr(module, "now", lambda: later)
    with pytest.raises(Refused, match="已过期"):
        await experts.answer(token, agree(link))
    assert state_of(link, link.digest) == "已过期"


async def test_a_link_taken_back_or_guessed_opens_nothing(office: Any) -> None:
    item = await office.submitted()
    experts, link, token = await asked(office, item)
    await experts.withdraw(link.id, office.people["editor"])
    with pytest.raises(Refused, match="已被收回"):
        await experts.look(token)
    with pytest.raises(Refused, match="没有这个核对链接") as caught:
        await experts.look(link.token_hash)
    assert caught.value.status == 404


async def test_the_token_is_not_in_the_database(office: Any) -> None:
    item = await office.submitted()
    _, _, token = await asked(office, item)
    async with office.queue.db.session() as session:
        rows = (await session.execute(select(ExpertLink.__table__))).all()
    assert token not in str(rows)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question("", "请核对"), "哪个部门"),
        (Question("县人社局", " "), "核对什么"),
        (Question("县人社局", "请核对", 31), "1 到 30 天"),
    ],
)
async def test_a_question_names_what_is_missing(
    office: Any, question: Question, words: str
) -> None:
    item = await office.item()
    with pytest.raises(Refused, match=words):
        await Experts(office.queue.ledger).ask(item.id, office.people["editor"], question)


async def test_a_problem_must_be_explained_and_the_answer_signed_with_a_name(office: Any) -> None:
    item = await office.item()
    experts, link, token = await asked(office, item)
    with pytest.raises(Refused) as caught:
        await experts.answer(token, Opinion(link.digest, "problem", " "))
    assert {reason.rule for reason in caught.value.reasons} == {"name", "text"}
    with pytest.raises(Refused, match="同一份内容"):
        await experts.answer(token, Opinion("0" * 64, "agree", "李处长"))
