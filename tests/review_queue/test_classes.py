"""Classes rise by trigger words and come down only by another person's signed reason."""

from dataclasses import replace
from typing import Any

import pytest

from bot.contract import Content, NotReleased
from review_queue import drafting, submitting
from review_queue.classes import TriggerError, Triggers
from review_queue.drafting import Origin
from review_queue.release import Releases
from staff.refusal import Refused

TRIGGERING = "关于一起突发事件的通报"


def rules(caught: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.rule for reason in caught.value.reasons}


async def sensitive(office: Any) -> Any:
    content = Content(kind="原创", title=TRIGGERING, body="正文")
    return await drafting.create_item(office.queue, content, Origin(office.people["editor"]))


def test_the_starting_trigger_words_keep_their_own_examples() -> None:
    triggers = Triggers.load()
    assert triggers.found("", "县政府主要领导调研")["主要领导"] == "重要"
    assert triggers.found("", "突\u200b发 事件")["突发事件"] == "敏感"
    assert not triggers.found("", "《突发事件应对法》宣传")


def test_a_trigger_whose_example_fails_is_refused(tmp_path: Any) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("- {klass: 重要, words: [甲], basis: 依据, must: [没有]}", encoding="utf-8")
    with pytest.raises(TriggerError, match="应当命中"):
        Triggers.load(file)


async def test_a_trigger_word_raises_the_class_at_submission(office: Any) -> None:
    item = await sensitive(office)
    item = await submitting.submit(office.queue, item.id, office.people["editor"], item.version)
    assert (item.klass, item.revision) == ("敏感", 2)
    assert item.workflow is not None
    assert item.workflow["klass"] == "敏感"


async def test_an_editor_cannot_lower_a_class(office: Any) -> None:
    item = await office.item("重要")
    with pytest.raises(Refused) as caught:
        await drafting.edit(
            office.queue, item.id, office.people["editor"], item.version, {"klass": "日常"}
        )
    assert rules(caught) == {"class_lowered"}


async def test_the_author_cannot_lower_it_through_the_review_function(office: Any) -> None:
    content = Content(kind="原创", title=TRIGGERING, body="正文")
    who = office.people["everything"]
    item = await drafting.create_item(office.queue, content, Origin(who))
    for staff, reason, rule in (
        (who, "无关", "author"),
        (office.people["editor"], "无关", "role"),
        (office.people["reviewer1"], " ", "reason"),
    ):
        with pytest.raises(Refused) as caught:
            await drafting.lower_class(office.queue, item.id, staff, "日常", reason)
        assert rule in rules(caught)


async def test_a_reviewer_lowers_it_with_a_reason_and_the_sender_agrees(office: Any) -> None:
    item = await sensitive(office)
    editor = office.people["editor"]
    item = await submitting.submit(office.queue, item.id, editor, item.version)
    item = await drafting.lower_class(
        office.queue, item.id, office.people["reviewer2"], "日常", "只是演练通报"
    )
    assert (item.state, item.klass, item.last_editor_id) == ("draft", "日常", editor)
    item = await submitting.submit(office.queue, item.id, editor, item.version)
    assert item.klass == "日常"
    for who in ("reviewer1", "reviewer3"):
        item = await office.decide(item, who)
    await office.releases.verify(item.release_id)
    chain = await office.releases.chain(item.id)
    assert "演练" not in str([entry.body for entry in chain.entries])


async def test_a_new_trigger_word_after_the_lowering_raises_it_again(office: Any) -> None:
    item = await sensitive(office)
    editor = office.people["editor"]
    item = await drafting.lower_class(
        office.queue, item.id, office.people["reviewer2"], "日常", "演练"
    )
    item = await drafting.edit(
        office.queue, item.id, editor, item.version, {"body": "造成人员伤亡"}
    )
    item = await submitting.submit(office.queue, item.id, editor, item.version)
    assert item.klass == "敏感"


async def test_a_class_lowered_behind_the_queue_is_not_sent(office: Any) -> None:
    """The queue's own check switched off: the signed entries still tell."""

    async def none() -> Triggers:
        return Triggers([])

    silent = Releases(office.queue.ledger, office.releases._recheck, none)
    office.queue = replace(office.queue, releases=silent)
    item = await sensitive(office)
    item = await submitting.submit(office.queue, item.id, office.people["editor"], item.version)
    for who in ("reviewer1", "reviewer3"):
        item = await office.decide(item, who)
    with pytest.raises(NotReleased, match="稿件类别应为敏感"):
        await office.releases.verify(item.release_id)
