"""How long a new draft may go out, unless its editor says so: the setting `publishing`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from config.clock import beijing
from config.texts import FieldFault
from staff.refusal import Reason

WINDOW = timedelta(hours=72)
"""Where no office says otherwise, or its setting cannot be proved."""
MOST_HOURS = 720


async def standing_window() -> timedelta:
    """For who has no settings: tools and tests."""
    return WINDOW


def parse_window(data: Any) -> timedelta:
    """Check the parsed YAML of the setting; FieldFault names the field."""
    hours = data.get("window_hours") if isinstance(data, Mapping) else None
    if isinstance(hours, bool) or not isinstance(hours, int) or not 0 < hours <= MOST_HOURS:
        raise FieldFault(f"window_hours 应为 1 至 {MOST_HOURS} 的整数（小时）", "window_hours")
    return timedelta(hours=hours)


def past_faults(not_after: datetime, moment: datetime) -> list[Reason]:
    """Nobody reviews what could not go out any more."""
    if not_after > moment:
        return []
    when = f"{beijing(not_after):%m月%d日 %H:%M}"
    words = f"最晚发布时间 {when} 已过：请先改到审核结束以后的时间，再提交"
    return [Reason("not_after", words)]
