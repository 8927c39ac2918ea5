"""Going on after a pause, in one's own words: 继续发吧, 把推送打开, 不用暂停了, 暂停取消. Pure.

Believed only as a whole message; names of facets in it say which subscriptions are meant.
"""

import re

from facets.taxonomy import Facet, Taxonomy
from handlers.leaving import NAMED, plain_of

LONGEST = 24
_SOFT = (
    "(?:请|麻烦|可以|能|帮我|帮忙|给我|对我|你们?|您|那|就|现在|今天|我|又|还是?|想要?|要|把|将|的|都|了|吧|"
    "忙完|回来|出院|考完|好)*"
)
_SENT = "(?:发送|发|推送|推|订阅|接收|收到|收|来)(?:消息|信息|推送|通知|政策|内容)*"
_OURS = "(?:消息|信息|推送|订阅|通知)+"
_AGAIN = "(?:继续|接着|恢复|重新(?:开始|开通|打开|启用|恢复)?)"
_OPEN = "(?:打开|开启|开通|启用|恢复|开)"
_END = "(?:[了吧呗啊呀哈啦,，。.]|谢谢|好吗|一下)*"
_NO = "(?:不用|不要|不必|不想|不|别|取消|解除|结束|停止)"
_GOES_ON = re.compile(
    rf"{_SOFT}(?:{_AGAIN}(?:给我|往下|为我)?(?:{_SENT}|{_OURS})|{_OPEN}{_OURS}"
    rf"|{_OURS}(?:重新|再|给我|都)*{_OPEN}(?:起来|回来)?|{_OURS}{_AGAIN}"
    rf"|又想?要?(?:收到|收|看)|(?:又|现在)?可以(?:给我)?(?:发送|发|推送|推)了|{_AGAIN}){_END}"
    rf"|{_SOFT}{_NO}再?(?:暂停|停)(?:{_OURS})?{_END}(?:{_AGAIN}(?:{_SENT})?{_END})?"
    rf"|{_SOFT}暂停(?:的)?(?:{_OURS})?(?:取消|解除|结束|恢复)(?:掉)?{_END}"
)
_ALONE = re.compile(rf"{_SOFT}{_AGAIN}{_END}|{_SOFT}不要?停{_END}")
"""继续, 不要停: of anything, where no subscription is named."""


def goes_on(text: str, taxonomy: Taxonomy) -> tuple[Facet, ...] | None:
    """Whose pushes are to go on (all of them: empty); None where nothing of the kind is said."""
    plain = plain_of(text)
    if len(plain) > LONGEST:
        return None
    rest, facets, at = "", list[Facet](), 0
    named = taxonomy.spans(plain, NAMED)
    while at < len(plain):
        name, owners = named.get(at, ("", ()))
        facets += owners
        rest += "" if name else plain[at]
        at += len(name) or 1
    if not _GOES_ON.fullmatch(rest) or (not facets and _ALONE.fullmatch(rest)):
        return None
    return tuple(dict.fromkeys(facets))


def restores(text: str) -> bool:
    """恢复, 重新打开, and no more: our pushes where some are paused, else anything."""
    plain = plain_of(text)
    return "继续" not in plain and "接着" not in plain and _ALONE.fullmatch(plain) is not None
