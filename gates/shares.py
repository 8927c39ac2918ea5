"""Parts of which nothing is in both, averages, minutes and anniversaries against their figures."""

import re
from collections.abc import Iterator
from decimal import Decimal

from gates.finding import Context, Finding, Ground

_FIGURE = r"(\d{1,12}(?:\.\d{1,6})?)"
_UNIT = "亿元|万元|元|万人次|万人|人次|人|名|户|件|家|个|分|张|台|亩|吨|所|辆|项|条"
# Who or what is the one is not the other.
_OTHERS = {
    "笔试": "面试", "线上": "线下", "网上": "窗口", "城镇": "农村", "城区": "农村", "公办": "民办",
    "职工": "居民", "国内": "国外", "境内": "境外", "省内": "省外", "市内": "市外",
    "区内": "区外", "本地": "外地", "白天": "夜间", "新建": "改建", "上半年": "下半年",
}  # fmt: skip
_ONE, _OTHER = "|".join(_OTHERS), "|".join(_OTHERS.values())
_PARTED = re.compile(
    rf"{_FIGURE}({_UNIT})[，,（(:：]?其中[，,：:]?({_ONE})[^，。；\d]{{0,4}}{_FIGURE}\2"
    rf"[，,、]({_OTHER})[^，。；\d]{{0,4}}{_FIGURE}\2"
)
_RATES = re.compile(
    rf"(笔试|线上|男性?|城镇|公办)[^，。；\d]{{0,4}}占(?:比|总分的?|总数的?|总成绩的?)?{_FIGURE}%"
    rf"[，,、；](面试|线下|女性?|农村|民办)[^，。；\d]{{0,4}}占(?:比|总分的?|总数的?|总成绩的?)?{_FIGURE}%"
)
_MEAN = re.compile(
    rf"{_FIGURE}(万|亿)?元[，,](?:共)?(?:涉及|惠及|支持|补贴|覆盖)?[^，。；\d]{{0,6}}{_FIGURE}(家|户|人)[，,]"
    rf"平均每\4{_FIGURE}(万|亿)?元"
)
_BY_YEAR = re.compile(
    rf"{_FIGURE}(亿|万)元[，,]其中[，:：]?((?:20\d\d年{_FIGURE}\2元[、，和]?){{2,8}})(?=[。；\n]|$)"
)
_YEARS = re.compile(
    rf"(20\d\d)年[^，。；\d]{{0,8}}{_FIGURE}((?:万|亿)?(?:元|人|吨|户|件|个))[，,](20\d\d)年[^，。；\d]{{0,8}}{_FIGURE}\3"
    r"[，,]同比(增长|增加|下降|减少)"
)
_MINUTES = re.compile(
    r"(\d{1,3})(分钟|小时)[（(](?:上午|下午)?(\d{1,2})[:：](\d\d)(?:至|到|—{1,2}|－|～|~|-)(\d{1,2})[:：](\d\d)[）)]"
)
_BEGAN = {
    "新中国成立": 1949, "中华人民共和国成立": 1949, "中国共产党成立": 1921, "建党": 1921,
    "建军": 1927, "内蒙古自治区成立": 1947, "抗日战争胜利": 1945, "抗战胜利": 1945,
    "香港回归": 1997, "澳门回归": 1999, "香港回归祖国": 1997, "澳门回归祖国": 1999,
}  # fmt: skip
_EVENTS = "|".join(sorted(_BEGAN, key=len, reverse=True))
_JUBILEE = re.compile(
    rf"(?:((?:19|20)\d\d)年[^，。；\d]{{0,8}})?({_EVENTS})(\d{{1,3}})周年(?:[（(]((?:19|20)\d\d)年[）)])?"
)
_SPAN = re.compile(
    r"(\d{1,3})周年[（(]((?:18|19|20)\d\d)年?(?:-|—{1,2}|－|～|~|至|到)((?:19|20)\d\d)年?[）)]"
)
_SUM = Ground(
    "wording", "wording.sum", "warn", "前后数字不符，请核对", "《统计法》第六条：统计数据真实、准确"
)
_ROUNDED = Decimal("0.02")
_SCALE = {None: Decimal(1), "万": Decimal(10_000), "亿": Decimal(100_000_000)}


def find_shares(ctx: Context) -> Iterator[Finding]:
    """Findings of one field."""
    text = ctx.dense.text
    if "其中" in text:
        yield from _parts(ctx)
    if "占" in text:
        yield from _rates(ctx)
    for match in _MEAN.finditer(text) if "平均每" in text else ():
        yield from _mean(ctx, match)
    for match in _YEARS.finditer(text) if "同比" in text else ():
        yield from _turned(ctx, match)
    if "分钟" in text or "小时" in text:
        yield from _lengths(ctx)
    if "周年" in text:
        yield from _jubilees(ctx)


def _parts(ctx: Context) -> Iterator[Finding]:
    for match in _PARTED.finditer(ctx.dense.text):
        total, _, one, first, other, second = match.groups()
        if _OTHERS[one] == other and Decimal(first) + Decimal(second) > Decimal(total):
            yield ctx.mark_dense((match.start(1), match.end(2)), _SUM)
    for match in _BY_YEAR.finditer(ctx.dense.text):
        parts = re.findall(rf"年{_FIGURE}", match[3])
        if sum(map(Decimal, parts)) > Decimal(match[1]) * (1 + _ROUNDED):
            yield ctx.mark_dense((match.start(1), match.end(2) + 1), _SUM)


def _rates(ctx: Context) -> Iterator[Finding]:
    for match in _RATES.finditer(ctx.dense.text):
        if Decimal(match[2]) + Decimal(match[4]) > 100:
            yield ctx.mark_dense(match.span(4), _SUM)


def _mean(ctx: Context, match: re.Match[str]) -> Iterator[Finding]:
    total, scale, many, _, mean, other = match.groups()
    if Decimal(many) and (told := Decimal(mean) * _SCALE[other]):
        right = Decimal(total) * _SCALE[scale] / Decimal(many)
        if abs(right - told) > told * _ROUNDED * 5:
            yield ctx.mark_dense(match.span(5), _SUM)


def _turned(ctx: Context, match: re.Match[str]) -> Iterator[Finding]:
    """Risen, though the later figure is the smaller one, or fallen though it is the greater."""
    year, before, _, later, after, said = match.groups()
    rose = Decimal(after) > Decimal(before)
    if int(later) == int(year) + 1 and before != after and rose is not (said in ("增长", "增加")):
        yield ctx.mark_dense(match.span(6), _SUM)


def _lengths(ctx: Context) -> Iterator[Finding]:
    for match in _MINUTES.finditer(ctx.dense.text):
        many, unit, *clock = match.groups()
        hour, minute, hour_2, minute_2 = map(int, clock)
        minutes = int(many) * (60 if unit == "小时" else 1)
        last = (hour_2 - hour) * 60 + minute_2 - minute
        if last > 0 and minutes != last:
            yield ctx.mark_dense(match.span(1), _SUM)


def _jubilees(ctx: Context) -> Iterator[Finding]:
    for match in _JUBILEE.finditer(ctx.dense.text):
        before, event, many, behind = match.groups()
        year = before or behind
        right = int(year) - _BEGAN[event] if year else int(many)
        if right != int(many):
            yield ctx.mark_dense(match.span(3), _SUM, [str(right)])
    for match in _SPAN.finditer(ctx.dense.text):
        right = int(match[3]) - int(match[2])
        if right != int(match[1]):
            yield ctx.mark_dense(match.span(1), _SUM, [str(right)])
