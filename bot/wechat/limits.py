"""The numbers of WeChat's own counting, by what an account may do (W10, W11, W17, W20, W35).

`push: mass` in an account's settings chooses mass sends to everybody, `targeted` sends to the
people of the audience, and to everybody where there is none; `kind` says which of the two accounts
it is. Of one whose kind nobody entered only what holds for both is counted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.quota import SEND, Act, Limit, Per

CUSTOM_SEND, NOTICE_SEND = "message/custom/send", "message/subscribe/bizsend"

SERVICE = frozenset({"service", "服务号"})
_DAILY = (
    ("draft/add", "新建草稿", 1000, Act.PUBLISH),
    ("draft/get", "读取草稿", 500, Act.PUBLISH),
    ("media/uploadimg", "上传正文图片", 100_000, Act.PUBLISH),
    ("material/add_material", "上传素材", 100_000, Act.PUBLISH),
    ("user/get", "读取关注名单", 500, Act.LIST),
)
TARGETED = "targeted"
_MASS = (
    ("message/mass/sendall", "群发接口调用", 100, Act.PUBLISH),
    ("message/mass/send", "按名单群发接口调用", 100, Act.PUBLISH),
    ("message/mass/delete", "删除群发", 10, Act.DELETE),
)
_FREE = (
    ("freepublish/submit", "提交发布", 100, Act.PUBLISH),
    ("freepublish/get", "查询发布结果", 100, Act.ASK),
    ("freepublish/batchget", "查询已发布列表", 100, Act.ASK),
    ("freepublish/delete", "删除发布", 10, Act.DELETE),
)


def sends(settings: Mapping[str, Any]) -> bool:
    """Whether what an account with these settings publishes is a mass send."""
    return settings.get("push") in ("mass", TARGETED)


def chooses(settings: Mapping[str, Any]) -> bool:
    """Whether a mass send of such an account goes to the people of its audience."""
    return settings.get("push") == TARGETED


def takes_place(settings: Mapping[str, Any], *, chosen: bool) -> bool:
    """Whether a send takes one of the account's days, and not only its people's months (W11)."""
    return not (chosen and chooses(settings) and settings.get("kind") in SERVICE)


def limits_of(settings: Mapping[str, Any]) -> Sequence[Limit]:
    """Every number that binds an account with these settings, sends first."""
    found: list[Limit] = []
    mass = sends(settings)
    if mass:
        found = [Limit(SEND, "群发", 1, Per.DAY), Limit(SEND, "群发", 60, Per.MINUTE)]
        if settings.get("kind") in SERVICE:
            # Sends to everybody: who has followed all month has had as many. What goes to some is
            # counted for each of them (bot/delivery/chosen.py).
            found.insert(1, Limit(SEND, "群发", 4, Per.MONTH, each=True))
    calls = (*(_MASS if mass else _FREE), *_DAILY, *_messages(settings))
    return [*found, *(Limit(name, label, most, Per.DAY, act) for name, label, most, act in calls)]


def _messages(settings: Mapping[str, Any]) -> list[tuple[str, str, int, Act]]:
    """To one person: 500,000 messages a day (W9); of notices only what its settings name."""
    found = [(CUSTOM_SEND, "客服消息", 500_000, Act.MESSAGE)]
    most = settings.get("notices_a_day")
    if isinstance(most, int) and not isinstance(most, bool):
        found.append((NOTICE_SEND, "订阅通知", most, Act.MESSAGE))
    return found
