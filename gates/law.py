"""Law gate, structure: titles of laws (exact, in force, article exists), protected people."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import config
from gates.finding import Context, Finding, Ground

TABLE = Path(config.__file__).parent / "rules" / "laws.tsv"
_PREFIX = "中华人民共和国"
_CITING = "引用法律应当使用现行有效的准确名称；全国人民代表大会常务委员会法律公布文本"
_LAW = re.compile(
    r"《((?:中华人民共和国)?[\u4e00-\u9fff]{1,30}?(?:法|条例|办法|通则|总则|法典|规定|细则))"
    r"(?:[（(][^（）()]{2,8}[）)])?》(?:第([零〇一二三四五六七八九十百千\d]{1,9})条)?"
)
_KNOWN_GONE = re.compile(
    r"废止|失效|原《|修订前|当时|同时|历史|颁布|通过了|修改|修正|审议|取代|替代|已被|更名"
)
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
    r"|严重传染病患者|性侵(?:受害者|被害人))"
    rf"([{_SURNAMES}][\u4e00-\u9fff]{{1,2}}?)(?=[，。、；：（(\s]|因|在|于|是|向|被|称|说|的)"
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


@dataclass(frozen=True)
class _Law:
    """One line of the table; `articles` is 0 when the number of articles is not kept."""

    articles: int
    ended: date | None
    successor: str


class _Laws:
    """Titles without 中华人民共和国. A line: title, status, articles, day it ended, successor."""

    def __init__(self, table: str) -> None:
        self.known: dict[str, _Law] = {}
        for line in table.splitlines():
            title, _, articles, ended, successor = line.split("\t")
            day = date.fromisoformat(ended) if ended else None
            self.known[title] = _Law(int(articles or 0), day, successor)

    @cached_property
    def _shapes(self) -> dict[str, list[str]]:
        """Each title of a law with one character left out, to find what is one character off."""
        shapes: dict[str, list[str]] = {}
        for title in self.known:
            if title.endswith("法") and len(title) >= 4:
                for at in range(len(title)):
                    shapes.setdefault(title[:at] + "*" + title[at + 1 :], []).append(title)
        return shapes

    def nearest(self, title: str) -> str:
        """The one law whose title differs in one character, if just one does."""
        near = {
            known
            for at in range(len(title))
            for known in self._shapes.get(title[:at] + "*" + title[at + 1 :], ())
        }
        # Two laws equally near: proposing either would be a guess.
        return near.pop() if len(near) == 1 else ""


_LAWS = _Laws(TABLE.read_text(encoding="utf-8"))


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
    title = whole.removeprefix(_PREFIX)
    law = _LAWS.known.get(title)
    span = (match.start(1), match.end(1))
    if law is None:
        yield from _misspelt(ctx, title, span)
    # As of the day it would go out: a law that ends next month may still be cited today.
    elif law.ended and law.ended <= ctx.as_of:
        # Whoever speaks of the repeal itself is right to name the old law.
        if not _KNOWN_GONE.search(ctx.around(*match.span())):
            yield _ended(ctx, whole, law, span)
    # 0 means that the number of articles is not kept: then nothing can be said.
    elif number and law.articles and _number(number) > law.articles:
        said = f"《{whole}》共{law.articles}条，没有第{number}条，请核对"
        ground = Ground("law", "law.no-such-article", "warn", said, _CITING)
        yield ctx.mark_dense((match.start(2) - 1, match.end()), ground)


def _ended(ctx: Context, whole: str, law: _Law, span: tuple[int, int]) -> Finding:
    now = ""
    if law.successor:
        kept = _PREFIX if whole.startswith(_PREFIX) else ""
        now = kept + law.successor
    day = law.ended or ctx.as_of
    follow = f"，现行的是《{law.successor}》" if law.successor else ""
    reason = f"已自{day.year}年{day.month}月{day.day}日起废止，不能再作为现行依据引用{follow}"
    ground = Ground("law", "law.repealed-statute", "warn", f"《{whole}》{reason}", _CITING)
    return ctx.mark_dense(span, ground, [now] if now else ())


def _misspelt(ctx: Context, title: str, span: tuple[int, int]) -> Iterator[Finding]:
    near = _LAWS.nearest(title) if title.endswith("法") else ""
    if near:
        ground = Ground("law", "law.title", "warn", f"法律名称有误，应为《{near}》", _CITING)
        # The correction keeps the form the writer chose, long or short.
        kept = _PREFIX if ctx.dense.text.startswith(_PREFIX, span[0]) else ""
        yield ctx.mark_dense(span, ground, [kept + near])


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
