"""Days and numbers of the plan in words."""

from datetime import date, datetime

from bot.quota import Left, Per
from config.clock import beijing

DONE: dict[str, str] = {}
WEEKDAYS = "一二三四五六日"
_PER = {Per.MINUTE: "每分钟", Per.DAY: "每天", Per.MONTH: "每月"}


def plan_day(day: date) -> str:
    """11月30日 周一."""
    return f"{day.month}月{day.day}日 周{WEEKDAYS[day.weekday()]}"


def plan_hour(moment: datetime) -> str:
    """14:05, Beijing time."""
    return f"{beijing(moment):%H:%M}"


def plan_moment(moment: datetime) -> str:
    """11月30日 14:05, Beijing time."""
    local = beijing(moment)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def plan_limit(left: Left) -> str:
    """群发，每位关注者每月 4 次."""
    each = "每位关注者" if left.limit.each else ""
    return f"{left.limit.label}，{each}{_PER[left.limit.per]} {left.limit.most} 次"


FILTERS = {
    "plan_day": plan_day,
    "plan_hour": plan_hour,
    "plan_moment": plan_moment,
    "plan_limit": plan_limit,
}
