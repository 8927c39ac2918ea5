"""A pause told by why, or by when to go on: 考试期间先别推送, 下个月再发, 过完年再给我推. Pure."""

import re
from datetime import date

from handlers.days import day_meant
from handlers.leaving import Act, Leaving, leaving, plain_of

LONGEST = 30
_WHO = "(?:我们?|俺|本人|咱|人|家里|孩子|单位)?"
_REASON = (
    rf"(?:{_WHO}(?:最近|近期|现在|今天|这几天|这两天|这阵子?|这段时间|这个?月|这周|马上|正|在|要|太|比较|有点|很|"
    "挺|工作|都|刚|还)*"
    "(?:忙|考试|备考|考研|考公|高考|中考|复习|出差|出门|出国|在外地|住院|手术|养病|开会|上课|值班|加班|放假|休假|"
    "坐月子|生孩子|带孩子|旅游|搬家|秋收|农忙|春耕|有事|不方便|没空看?|没时间看?)"
    "(?:期间|的时候|时候|时|呢|着|了|中|啊|得很|死了)*(?!完))"
)
_GOES_ON = re.compile(
    r"(?:请|麻烦|那|就|你们?|等|等到|到|给我|先别发|先停|[，,])*(?P<when>.{2,10}?)(?:的时候|以后|之后|后)?(?:再|才)"
    r"(?:给我|帮我|继续|接着|重新)*(?:发|推送?|通知|收|看)(?:给我)?(?:消息|信息|推送)?(?:吧|了|啊|哈|也行|谢谢|[，,。])*"
)
_SOME_TIME = re.compile(
    "歇|缓|过?一?(?:阵子?|段时间|些日子)|过些?(?:几?天|日子)|(?:忙|考|办|学|生)完|出院|回来|有空|有时间|闲"
)
_WHY = re.compile(rf"{_REASON}[，,。 ]*")


def later_in(text: str, today: date) -> Leaving | None:
    """The pause it asks for, to a day where one is said; None where it asks for none."""
    plain = plain_of(text)
    if len(plain) > LONGEST:
        return None
    why = _WHY.match(plain)
    rest = plain[why.end() :] if why else plain
    if why:
        meant = leaving(rest, today)
        if meant is not None and meant.act is Act.PAUSE:
            return meant
    found = _GOES_ON.fullmatch(rest)
    if found is None:
        return None
    until = day_meant(rest, today)
    return Leaving(Act.PAUSE, (), until) if until or _SOME_TIME.search(found["when"]) else None
