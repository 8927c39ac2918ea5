"""Law gate, structure: titles of laws (exact, in force, article exists), protected people."""

import re
from collections.abc import Iterator
from datetime import date

from gates.finding import Context, Finding, Ground
from gates.statutes import STATE, STATUTES, Statute

_CITING = "引用法律应当使用现行有效的准确名称；全国人民代表大会常务委员会法律公布文本"
_LAW = re.compile(
    r"《([\u4e00-\u9fff]{1,37}?(?:法|条例|办法|通则|总则|法典|规定|细则))"
    r"(?:[（(][^（）()]{2,8}[）)])?》(?:第([零〇一二三四五六七八九十百千\d]{1,9})条)?"
)
_KNOWN_GONE = re.compile(
    r"废止|失效|原《|修订前|当时|同时|历史|颁布|通过了|修改|修正|审议|取代|替代|已被|更名"
)
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)年(?!以来|至今)")
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0}
_TENS = {"十": 10, "百": 100, "千": 1000}

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢"
    "蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟"
    "龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_PROTECTED = re.compile(
    r"(?:被害人|受害人|受害(?:女孩|男孩|女童|男童|妇女|儿童|少女)|艾滋病(?:患者|病人|感染者)|吸毒(?:人员|者)"
    r"|精神(?:病|障碍)患者|涉案未成年人|犯罪嫌疑人(?:家属|亲属|的?(?:妻子|丈夫|父亲|母亲|儿子|女儿))"
    r"|严重传染病患者|性侵(?:受害者|被害人)"
    r"|(?:被拐卖?|被性侵|遭性侵|被猥亵|被虐待|受虐待?|被遗弃|被侵害|遇害|被害|受害|涉罪|涉毒|被收养|被欺凌|遭欺凌)的?"
    r"(?:女童|男童|儿童|婴儿|女婴|男婴|女孩|男孩|少女|少年|妇女|女子|学生|女生|男生|未成年人)"
    r"|艾滋(?:孤儿|儿童)|感染艾滋病的)"
    rf"([{_SURNAMES}][\u4e00-\u9fff]{{1,2}}?)(?=[，。、；：（(\s]|因|在|于|是|向|被|称|说|的|已|被|遭|获|回|今|现|曾|和|与)"
)
_WORDS = frozenset(
    [
        "陈述",
        "康复",
        "方面",
        "方式",
        "方法",
        "金额",
        "常年",
        "常见",
        "高龄",
        "高度",
        "高中",
        "管理",
        "任何",
        "万元",
        "安置",
        "江西",
        "江苏",
        "史料",
        "钱财",
        "段落",
        "万人",
        "白血",
        "石膏",
        "龙头",
        "马上",
        "高达",
        "高烧",
        "方便",
        "方案",
        "时候",
        "毛发",
        "温馨",
        "严重",
        "严格",
        "卢某",
    ]
)
_NAMED = Ground(
    "law",
    "law.protected-person",
    "warn",
    "这类人不公开真实姓名，用姓加“某”",
    "新华社禁用词和慎用词（法律类）；《未成年人保护法》第一百零三条；《个人信息保护法》第二十八条",
)


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Structural findings of one field."""
    if "《" in text:
        for match in _LAW.finditer(ctx.dense.text):
            yield from _cited(ctx, match)
    for match in _PROTECTED.finditer(ctx.dense.text):
        # Common words begin with a surname too; what is masked already needs no mask.
        if "某" not in match[1] and match[1][:2] not in _WORDS:
            yield ctx.mark_dense(match.span(1), _NAMED, [match[1][0] + "某"])


def _cited(ctx: Context, match: re.Match[str]) -> Iterator[Finding]:
    whole, number = match[1], match[2]
    title = whole.removeprefix(STATE)
    law = STATUTES.known.get(title)
    span = (match.start(1), match.end(1))
    if law is None:
        yield from _misspelt(ctx, whole, span)
    # As of the day it would go out: a law that ends next month may still be cited today.
    elif law.gone(ctx.as_of):
        # Whoever speaks of the repeal itself is right to name the old law.
        if not _KNOWN_GONE.search(ctx.around(*match.span())):
            yield _ended(ctx, whole, law, span)
    elif law.begins and law.begins > ctx.as_of and number:
        said = f"《{whole}》自{_said(law.begins)}起施行，还不能作为依据引用"
        yield ctx.mark_dense(span, Ground("law", "law.not-yet", "warn", said, _CITING))
    # 0 means that the number of articles is not kept: then nothing can be said.
    elif number and law.articles and _number(number) > law.articles:
        said = f"《{whole}》共{law.articles}条，没有第{number}条，请核对"
        ground = Ground("law", "law.no-such-article", "warn", said, _CITING)
        yield ctx.mark_dense((match.start(2) - 1, match.end()), ground)


def _said(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _ended(ctx: Context, whole: str, law: Statute, span: tuple[int, int]) -> Finding:
    day = law.ended or ctx.as_of
    # What was done while the law was in force is judged by it.
    years = (int(year) for year in _YEAR.findall(ctx.around(*span)))
    if any(year < day.year for year in years) or ctx.of_then(day):
        said = f"《{whole}》已自{_said(day)}起废止，只适用于此前的行为，请核对"
        return ctx.mark_dense(span, Ground("law", "law.repealed-statute", "hint", said, _CITING))
    now = ""
    if law.successor:
        kept = STATE if whole.startswith(STATE) else ""
        now = kept + law.successor
    follow = f"，现行的是《{law.successor}》" if law.successor else ""
    reason = f"已自{_said(day)}起废止，不能再作为现行依据引用{follow}"
    ground = Ground("law", "law.repealed-statute", "warn", f"《{whole}》{reason}", _CITING)
    return ctx.mark_dense(span, ground, [now] if now else ())


def _misspelt(ctx: Context, whole: str, span: tuple[int, int]) -> Iterator[Finding]:
    title, kept = _without_state(whole)
    if title in STATUTES.known:
        near, sure = title, True
    elif meant := STATUTES.meant(title):
        near, sure = meant.title, meant.sure
    else:
        return
    said = (
        f"没有《{whole}》，应为《{kept}{near}》" if sure else f"国家层面的是《{near}》，请核对名称"
    )
    # Only the state makes laws of the People's Republic: no local rule can be meant.
    told = sure or (bool(kept) and not _YEAR.search(ctx.around(*span)))
    ground = Ground("law", "law.title", "warn" if told else "hint", said, _CITING)
    # The correction keeps the form the writer chose, long or short.
    yield ctx.mark_dense(span, ground, [kept + near])


def _without_state(whole: str) -> tuple[str, str]:
    """The title without the name of the state, and that name as it should be written, if it is."""
    head = whole[: len(STATE)]
    same = sum(a == b for a, b in zip(head, STATE, strict=False))
    if len(head) == len(STATE) and same >= len(STATE) - 2:
        return whole[len(STATE) :], STATE
    return whole, ""


def _number(text: str) -> int:
    """第三百二十条 as 320."""
    if text.isdigit():
        return int(text)
    total = digit = 0
    for char in text:
        if char in _TENS:
            total += (digit or 1) * _TENS[char]
            digit = 0
        else:
            digit = _DIGITS.get(char, 0)
    return total + digit
