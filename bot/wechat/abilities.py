"""What WeChat lets an account do: asked by reading calls, one for each interface (W23, W35).

They cost a call of their day each, and change nothing: nobody gets a message, nothing is published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.meaning import Meaning
from bot.probing import MESSAGES, Ability
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused
from bot.wechat.codes import NONE, listed

MENU = "menu"
TEMPLATES = "https://api.weixin.qq.com/wxaapi/newtmpl/gettemplate"


@dataclass(frozen=True)
class _Look:
    name: str
    label: str
    call: str
    data: dict[str, Any] | None = None


LOOKS = (
    _Look("drafts", "草稿箱", "draft/count"),
    _Look("publish", "发布", "freepublish/batchget", {"offset": 0, "count": 1, "no_content": 1}),
    _Look("mass", "群发", "message/mass/speed/get", {}),
    _Look(MESSAGES, "客服消息", "customservice/getkflist"),
    _Look(MENU, "自定义菜单", "menu/get"),
    _Look("notices", "订阅通知", TEMPLATES),
    _Look("followers", "粉丝名单", "user/get"),
)


async def abilities_of(
    client: AioWeChatClient, *, mass: bool, notices: bool = False
) -> Sequence[Ability]:
    """Each interface by its reading call; `mass`: this account sends to everybody."""
    needed = {"drafts", "messages", MENU, "mass" if mass else "publish"}
    needed |= {"notices"} if notices else set()
    found = []
    for look in LOOKS:
        able, words = await _asked(client, look)
        found.append(Ability(look.name, look.label, able, words, look.name in needed))
    return found


async def _asked(client: AioWeChatClient, look: _Look) -> tuple[bool | None, str]:
    try:
        if look.data is None:
            await client.get(look.call)
        else:
            await client.post(look.call, data=look.data)
    except WeChatRefused as refused:
        return _refused(refused)
    except (NotSent, NoAnswer) as error:
        return None, f"{error}，请稍后再试"
    return True, ""


def _refused(refused: WeChatRefused) -> tuple[bool | None, str]:
    found = listed(refused.code)
    if found is None:
        return None, f"平台返回 {refused.code}"
    if found.hint == NONE:  # there is none yet: the interface itself was allowed
        return True, ""
    return False if found.meaning is Meaning.STOP else None, found.brief
