"""Applications and suggestions are told from questions about them, and have their own periods."""

from typing import Any

import pytest

from config.clock import beijing
from escalations.kinds import APPLICATION, SUGGESTION, kind_of
from escalations.tickets import Question, open_ticket
from tests.escalations.conftest import at


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("我申请公开2025年城关镇征地补偿方案", APPLICATION),
        ("现向你局申请政府信息公开：就业专项资金分配表", APPLICATION),
        ("提交一份信息公开申请，要全文", APPLICATION),
        ("建议在汽车站增设公交站牌", SUGGESTION),
        ("我提一条意见，办事大厅中午也应该有人", SUGGESTION),
        ("我们的建议是把补贴发放时间提前", SUGGESTION),
        ("依申请公开怎么办理", ""),
        ("申请信息公开要多久", ""),
        ("意见反馈在哪里提", ""),
        ("就业困难人员认定意见书", ""),
        ("实施意见第三条", ""),
        ("我没有意见", ""),
        ("没有什么建议了，谢谢", ""),
        ("对方案没有意见，只提一条建议：门口要有灯", SUGGESTION),
        ("补贴怎么领", ""),
    ],
)
def test_a_matter_is_told_from_a_question_about_it(words: str, kind: str) -> None:
    assert kind_of(words) == kind


async def test_each_has_its_own_period_in_working_days(duty: Any) -> None:
    duty.moment = at("2026-09-29 16:00")  # before the holiday, whose make-up days work
    found = await open_ticket(duty.tickets, duty.contact, Question("建议", SUGGESTION))
    assert beijing(found.due_at).strftime("%m-%d %H:%M") == "10-09 18:00"
    hours = duty.tickets.hours
    assert beijing(hours.due_after_days(duty.moment, 20)).strftime("%m-%d") == "11-02"
