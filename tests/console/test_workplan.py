"""工作台账: a plan becomes tasks, each with owner, limit, feedback and a second look."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from config.clock import now
from staff.models import Task
from supervision.workplan import chase_due, items_of
from tests.console.office import Office

PLAN = """一、规范发布
　　（一）继续做好规章的集中公开。做好现行有效规章的公开。
　　（二）加强政策咨询服务（含热线）。推广政策专员。
"""


def test_the_plan_of_2022_has_twenty_one_items(example_data: Path) -> None:
    found = items_of((example_data / "yaodian-2022.txt").read_text(encoding="utf-8"))
    assert len(found) == 21
    assert found[0] == "（一）继续做好规章和规范性文件的集中公开"
    assert found[-1] == "（二十一）强化工作落实"


async def test_a_plan_is_given_out_told_about_done_and_looked_at_again(office: Office) -> None:
    editor, ledger = await office.signed_in("editor"), office.deps.ledger
    due = f"{now() + timedelta(days=60):%Y-%m-%d}"
    fields = {"text": PLAN, "due": due, "assignee": office.people["editor"]}
    assert (await editor.post("/console/workplan", **fields))[0] == 303
    assert (await editor.post("/console/workplan", **fields))[0] == 303  # none comes twice
    status, told = await editor.api("GET", "/workplan")
    assert [one["title"] for one in told["items"]] == [
        "（一）继续做好规章的集中公开",
        "（二）加强政策咨询服务（含热线）",
    ]
    first, second = (one["id"] for one in told["items"])
    status, text = await editor.post(f"/console/workplan/{first}", words="已建专栏，见 =1+1")
    assert status == 303
    status, text = await editor.get("/console/workplan")
    assert "已建专栏" in text
    assert (await editor.post(f"/console/workplan/{first}", words=""))[0] == 422
    assert (await editor.post("/console/workplan/nowhere", words="做完了"))[0] == 404
    status, text = await editor.post("/console/workplan", text="没有编号", due="2020-01-01")
    assert status == 422
    assert "没有找到编号的工作" in text
    assert "时限已经过了" in text
    # Thirty days without a word: asked once.
    asked: list[str] = []

    async def tell(staff_id: str, words: str) -> None:
        asked.append(words)

    assert await chase_due(ledger, tell) == 0
    async with office.deps.db.session() as session:
        task = await session.get_one(Task, second)
        task.created_at = now() - timedelta(days=31)
    assert await chase_due(ledger, tell) == 1
    assert "（二）加强政策咨询服务" in asked[0]
    assert await chase_due(ledger, tell) == 0
    status, text = await editor.get("/console/workplan")
    assert "31 天没有反馈" in text
    # Done with its evidence, and looked at again in three months.
    status, _ = await editor.post(f"/console/tasks/{first}", outcome="done", note="见专栏网址")
    assert status == 303
    async with office.deps.db.session() as session:
        query = select(Task).where(Task.kind == "lookback")
        again = (await session.scalars(query)).one()
    assert again.title == "回头看：（一）继续做好规章的集中公开"
    assert timedelta(days=89) < again.due_at - now() < timedelta(days=91)
    status, text = await editor.get("/console/workplan.csv")
    assert (status, "已完成" in text, "见专栏网址" in text) == (200, True, True)
    assert (await editor.get("/console/tasks"))[0] == 200
    entries = await ledger.facts(f"task:{first}")
    assert [one.kind for one in entries] == ["task.opened", "task.feedback", "task.closed"]
    assert "专栏" not in str([one.body for one in entries])


@pytest.mark.parametrize("words", ["", "没有编号的一段话。", "（一）短"])
def test_what_is_no_item_makes_no_task(words: str) -> None:
    assert items_of(words) == []
