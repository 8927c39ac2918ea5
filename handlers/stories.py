"""A withdrawal inside a story: what of a message withdraws, and what it tells besides.

Pure. 我手机号注销了别发了 has no comma, and withdraws by its end. Nothing ends by that alone:
whoever has something to leave is asked. What a message tells besides is read for danger by itself
(我不想活了，别发了); with no more beside than why somebody leaves there is none.
"""

import re
from collections.abc import Sequence

from facets.taxonomy import Taxonomy
from handlers.leaving import (
    LONGEST,
    STRANGER,
    Act,
    Clause,
    Word,
    cut,
    grave,
    parts_of,
    plain_of,
    withdrawn,
)
from handlers.rhythms import LESS

_TELLS = frozenset("了过没不还都已是在有遍次太")
"""Signs of something that happened; without them it is the name of a thing: 红包别发了."""
_SENT = frozenset("金券款贴奖钱资薪费票货卡证书粮药单苗包")
"""What ends the name of something that is handed out."""
_TOLD = frozenset("我俺咱人")
_ENDS = frozenset("了吧啦啊")

_KIN = (
    "(?:我们?|俺|本人|咱们?)?家?里?的?(?:老人家?|老[爸妈公婆伴]|配偶|丈夫|妻子|爸爸?|妈妈?|父亲|母亲|爷爷|奶奶|姥姥|姥爷|公公|"
    "婆婆|家里人|家人|机主|号主|户主)"
)
_CHILD = "(?:我们?|俺|本人)?家?的?(?:女儿|儿子|孩子|闺女)"
_LEFT = "(?:走了|过世|去世|离世|病逝|走了好?几年|不在|不在人世|没了|死)"
_REASONS = (
    r"(?:搬(?:走|家|离|到.{1,6}|去.{1,6})|换(?:了)?(?:个)?(?:号|号码|手机|手机号|电话|工作|城市|地方|单位)|"
    r"(?:手机[号卡]?|号码|电话[号卡]?|卡|账号|店|公司|厂子?)?(?:注销|停机|停用|不用|换|关门|倒闭|转让|关)|"
    r"在?(?:开会|上课|加班|坐月子|开车|上夜班)(?:呢|中)?|离职|退休|毕业|出国|转行|调走|辞职|结婚|迁走|迁出|找到(?:新)?工作|有工作|上班|就业|"
    r"(?:听|看|收|读|受)?(?:够|累|烦|腻)|不用|不需要|用不着|不感兴趣|没兴趣|没时间看?|没空看?|看不懂|不识字|"
    r"(?:年纪|岁数|年龄)大|(?:眼睛?)?(?:不好|看不清|花)|(?:根本|压根|从来)?没有?(?:订|订阅|关注|订购)过?(?:你们)?|手机(?:一直|老是?|总)?响(?:受不了)?|这是.{0,4}的(?:手机|号码?|微信)|要?(?:睡觉|休息)|让我(?:静静|清静|安静)|(?:考上|当上|入职).{0,6}|上(?:大学|学|初中|高中)|转正|求?你们放过我|不是(?:本人|机主|.{0,5}(?:人员|户|学生|企业|老板|家属|居民|本地人|农民))|不住(?:这里|这儿|这边|那里|旗里)?|不会用(?:手机|微信)?|手机没内存|收到太多|"
    r"发错(?:人|号)?|不是本人|不是机主|(?:已经)?(?:办完|办好|办妥|领到|领完|问到|解决)|"
    r"不在(?:本地|这里|这儿|那里|那儿|这边|那边|当地|旗里|县里|市里|国内|农村)(?:住|工作|生活|上班)?|不干|不做生意)"
)
_STORY = re.compile(
    rf"(?:都|早就?)?(?:(?:跟|和)你们)?(?:说|告诉你们?)?[过了]?(?:{_KIN}|{_CHILD}|我(?:们)?|俺|本人|咱|人|你们)?(?:都|已经|早就|早|已|又|也|刚|现在|真的|真是|太|很)*{_REASONS}(?:了|的)*"
    rf"(?:好?几年|很久|好久|一年|半年|多年)?了?"
    rf"|(?:{_KIN}|人|人家)(?:都|已经|早就|早|已|刚|去年|前年|今年|上个?月)*{_LEFT}了?(?:好?几年|很久|一年|半年|多年)?了?"
    r"|(?:烦|吵|闹)死(?:我|人|个人)?了|你们?(?:烦不烦|有完没完|没完了)"
    r"|(?:再|还|继续)(?:敢|给我|不)*(?:发|推送?|骚扰|取消|停|退订?)(?:消息|信息|一次|的话|掉|下去)*(?:我|本人)?(?:就|要|去|会|直接|必)*"
    r"(?:告|投诉|举报|起诉|拉黑|取关|屏蔽|打12345)(?:你们?)?(?:了|啊|的)*"
)
"""Why people leave: no danger in it."""
_STILL = re.compile(
    r"(?:(?:你们|您们?)?(?:怎么)?还(?:在|老|一直|总|天天)*(?:给我)?(?:发|推送?)(?:消息)?(?:个不停|不停|呢)?"
    r"|请|麻烦|就|你们?|您们?|以后|今后|所以|求求|拜托|也|可以|现在)+$"
)

_NEAR = 30
_ASKS = re.compile("[?？吗呢]|怎么|如何|什么|多少|哪|为什么|为啥|咋|没有?取消|已经?取消")
_CUTTING = "(?:退|取消|停|注销|撤|删|清|关掉|关了|去掉|拿掉)"
_CUTS_OURS = re.compile(
    f"(?:订阅|推送)[^，,。]{{0,5}}{_CUTTING}(?!下)|{_CUTTING}(?!休|税|费|货)[^，,。]{{0,6}}(?:订阅|推送)"
)
_CUT_ALONE = re.compile(
    f"(?:请|麻烦|帮我|给我|你们?|就|都|那|全部?)*{_CUTTING}(?:订|消|掉|了|吧|一下|谢谢)*"
)
_FOR_OTHERS = re.compile(
    f"(?:请|麻烦)*(?:帮|替|为|给|代)(?:{_KIN}|{_CHILD})(?:把|将)?(?:.{{0,6}}的?)?(?:订阅|推送|消息)?"
    f"{_CUTTING}(?:订|掉|了|吧|.{{1,4}})?(?:订阅|推送|消息)?(?:了|吧|掉|谢谢)*$"
)
_FOR_KIN = re.compile(
    f"(?:请|麻烦)*(?:帮|替|给|代)(?:{_KIN}|{_CHILD}){_CUTTING}(?:订|掉|了|吧|谢谢)*"
)
_RANT = re.compile("还(?:给我)?(?:发|推送?)(?:什么(?:发|推)?|啥(?:发|推)?|个没完|个什么劲)")
_READER = re.compile(f"(?:给|向|对)(?:[他她]们?|{_KIN})(?=发|推)")
_THEIRS = re.compile(
    rf"(?:帮|替|为|给|代)(?:{_KIN}|{_CHILD})(?=退订|取消|停|关)"
    rf"|^(?:{_KIN}|{_CHILD})(?:让我|叫我|说了?|也|都|现在)*(?=不想|不要|别|不需要|不用|取消|退订|不看)"
)


def leaves_beside(text: str, taxonomy: Taxonomy | None = None) -> bool:
    """Whether a part of it, alone, is a withdrawal: 老人去世了，请不要再发了.

    What stands beside it is not understood: whoever has something to leave is asked.
    """
    plain = _heard(text)
    if len(plain) > LONGEST or LESS.search(plain):
        return False
    clauses = [Clause(cut(part, taxonomy)) for part in parts_of(plain)]
    if any(one.has("how", "ask") or _keeps(one) or one.pays for one in clauses):
        return False
    return any(
        _ends_all(one.words) or _split(one.words) is not None or _complains(_text(one.words))
        for one in clauses
    )


def nearly(text: str) -> bool:
    """Whether something of ours is to be cut off in words not all known: 把就业订阅撤下来.

    Also 老人看不懂，请取消, where the story is known and the cutting does not say of what; and
    whatever is cut off for somebody else, 帮我妈取消就业.
    """
    plain = plain_of(text)
    if len(plain) > _NEAR or _ASKS.search(plain):
        return False
    if _CUTS_OURS.search(plain):
        return True
    *before, last = parts_of(_heard(text)) or [""]
    tells = bool(before) and all(_STORY.fullmatch(_STILL.sub("", one)) for one in before)
    return (tells and _CUT_ALONE.fullmatch(last) is not None) or bool(_FOR_OTHERS.match(plain))


def for_kin(text: str) -> bool:
    """Whether it withdraws for one of the family and says no more: 帮我爸退了."""
    return _FOR_KIN.fullmatch(plain_of(text)) is not None


def beyond(text: str, taxonomy: Taxonomy | None = None) -> str | None:
    """What is told beside a withdrawal, without why somebody leaves; None where none is said.

    Without a taxonomy what is left by name is no withdrawal.
    """
    plain = _heard(text)
    if len(plain) > LONGEST:
        return None
    said = LESS.sub(",", plain)
    rest, found = list[str](), said != plain
    for part in parts_of(said):
        words = cut(part, taxonomy)
        told = "" if _ends_all(words) or _unwanted(words) or _complains(part) else _split(words)
        found = found or told is not None
        story = part if told is None else told
        if _STORY.fullmatch(_STILL.sub("", story)):
            continue
        if grave(part):
            rest.append(part)
        elif not _silent(story):
            rest.append(story)
    return "，".join(rest) if found else None


def _heard(text: str) -> str:
    """One spelling; whoever was to read it is as good as oneself, and a curse asks nothing."""
    return _RANT.sub("还发", _THEIRS.sub("我", _READER.sub("给我", plain_of(text))))


def _silent(story: str) -> bool:
    """Whether it has no word that says something."""
    return not Clause(cut(story, None)).has(STRANGER, "no", "told")


def _keeps(clause: Clause) -> bool:
    """Whether the leaving itself is refused; 爷爷不在了请停止推送 refuses something else."""
    return clause.keeps and _split(clause.words) is None


def _unwanted(words: Sequence[Word]) -> bool:
    """我不看了, 不想要了: known words that refuse to read or to have, and no more."""
    clause = Clause(words)
    wants = any(
        word.text in ("不要", "不需要") or (word.any("want", "get") and clause.refused(n))
        for n, word in enumerate(words)
    )
    return wants and not clause.has(STRANGER, "told", "tired")


def _complains(part: str) -> bool:
    """老人走了还在发: that we go on, although there is nobody to read it."""
    story = _STILL.sub("", part) if "还" in part else part
    return "还" in part[len(story) :] and _STORY.fullmatch(story) is not None


def _ends_all(words: Sequence[Word]) -> bool:
    """Whether these words, all of them known, withdraw everything or pause it."""
    clause = Clause(words)
    if not words or clause.has(STRANGER):
        return False
    act = withdrawn(clause, dated=False)
    return act is not None and act.act in (Act.ALL, Act.PAUSE, Act.SOME)


def _split(words: Sequence[Word]) -> str | None:
    """The story before or behind a withdrawal in one clause; None where there is no such."""
    strange = [n for n, word in enumerate(words) if word.any(STRANGER, "told", "past")]
    if not strange:
        return None
    last = strange[-1]
    if not words[last].any("told") or words[last].text in ("不是", "会"):
        # As much as can belongs to the story: 人都走了还发, and not 人都走.
        starts = [n for n in range(last + 1, len(words)) if _ends_all(words[n:])]
        if starts and _tells(words[: starts[-1]]):
            return _text(words[: starts[-1]])
    begun = words[: strange[0]]
    close = max((n for n, word in enumerate(begun) if word.text in _ENDS), default=-1)
    return _text(words[close + 1 :]) if _ends_all(begun[: close + 1]) else None


def _tells(story: Sequence[Word]) -> bool:
    """Whether it tells of something, and does not name what is not to be sent: 工资条别发了."""
    text = _text(story).replace("我的", "的")
    return not _TELLS.isdisjoint(text) or (not _TOLD.isdisjoint(text) and text[-1] not in _SENT)


def _text(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words)
