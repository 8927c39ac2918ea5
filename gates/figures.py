"""Figures of a text against each other: sums, rates, rises to less, times that run backwards."""

import re
from collections.abc import Iterator
from decimal import Decimal

from gates.finding import Context, Finding, Ground

_SUMS = "《统计法》第六条、第七条：统计数据应当真实准确；数据前后一致"
_MONEY = "亿元|万元|元"
_THING = (
    "亿元|万元|元|万人|万户|万亩|人|名|户|件|家|个|亩|公顷|吨|辆|所|宗|起|例"
    "|套|台|座|项|张|份|场|条"
)
_FIGURE = r"(\d{1,15}(?:\.\d{1,9})?)"  # longer is no sum, and no number a program should compute
_TOTAL = re.compile(
    rf"(?:共|总|合计|现有)[^\d，。；;]{{0,10}}?{_FIGURE}({_THING})[，,（(:：]?[^\d。；;]{{0,6}}?其中"
    r"([^。；;\n]{4,160})"
)
# Without 共 only money, which is spent once: 下达资金300万元，其中中央200万元、省级110万元.
_MONEY_TOTAL = re.compile(
    rf"(?:下达|安排|拨付|发放|投入|落实|筹集|争取|资金|投资|经费|补助|收入|支出)[^\d，。；;共总合]{{0,8}}?{_FIGURE}({_MONEY})"
    rf"[，,（(:：]?其中[，,:：]?((?:[^，。；;、：:\n\d每均含]{{1,14}}{_FIGURE}(?:{_MONEY})[、，,和]?){{2,8}})"
    r"(?=[。；;）)\n]|$)"
)
_PART = re.compile(rf"{_FIGURE}({_THING})(?![/／每])")
# The whole row after a colon: 共计10项：许可5项、处罚3项、检查3项。
_ROW = re.compile(
    rf"(?:共|总计|合计)(?:计|有|为)?[^\d，。；;：:]{{0,6}}?{_FIGURE}({_THING})[：:]"
    rf"((?:[^，。；;、：:\n\d]{{1,16}}{_FIGURE}({_THING})[、，]){{1,8}}[^，。；;、：:\n\d]{{1,16}}"
    rf"{_FIGURE}({_THING}))(?=[。；;\n]|$)"
)
_NOT = ("不", "未", "非")
# Nothing is both.
_OPPOSED = (
    {"线上", "线下"},
    {"网上", "窗口"},
    {"城镇", "农村"},
    {"公办", "民办"},
    {"城区", "乡镇"},
)
# Nobody and nothing is of two of these at once: 小学20所、初中12所、高中8所.
_KINDS = (
    frozenset(("幼儿园", "小学", "初中", "高中", "中职学校", "高校", "大学")),
    frozenset(("优秀", "良好", "合格", "基本合格", "不合格")),
    frozenset(("特等奖", "一等奖", "二等奖", "三等奖")),
    frozenset(("重大事故", "较大事故", "一般事故")),
    frozenset(("工业用地", "商业用地", "住宅用地")),
    frozenset(("正高级", "副高级", "中级", "初级")),
    frozenset(("博士", "硕士", "本科", "专科")),
)
# 甲镇、乙县: places are apart; groups of people (女生、少数民族) may be the same people.
_PLACE = re.compile(r"[省市州盟县区旗镇乡村](?:有|为|共)?$")
# 50家，合格45家，不合格8家: two that nobody is both of, right behind their total.
_SPLIT = re.compile(
    rf"{_FIGURE}({_THING})[，,](?:其中)?([\u4e00-\u9fff]{{1,6}}){_FIGURE}\2[，,、]([不未非])\3{_FIGURE}\2"
)
_OF_THEM = re.compile(
    r"(?<!\d)(\d{1,4})个([\u4e00-\u9fff]{1,6})中[，,]?(?:已有|有|共有)(\d{1,4})个(?![\u4e00-\u9fff]{0,4}[^\u4e00-\u9fff，。]?次)"
)
_BY_DAY = re.compile(
    rf"每[天日][^，。；\d]{{0,6}}{_FIGURE}元[^，。；\d]{{0,4}}[，,](\d{{1,3}})天(?:共|合|总)计?[^\d，。；]{{0,3}}{_FIGURE}元"
)
# Parts first: A 600人，B 500人，合计1000人.
_PARTS_FIRST = re.compile(
    rf"((?:[^，。；;、\n\d]{{1,16}}{_FIGURE}({_THING})[，、,]){{2,8}})(?:合计|共计|总计|一共|共)(?:为|是|有)?"
    rf"{_FIGURE}({_THING})(?![次均/／每以])"
)
_WORTH = {"亿": Decimal(100_000_000), "万": Decimal(10_000)}
_RISES = re.compile(
    rf"(?:由|从)[^\d，。；\n]{{0,8}}?{_FIGURE}(?![年月日号])(%|{_THING}|公里|米|岁|天|分|倍)?[^\d，。；\n]{{0,6}}"
    rf"(提高|增加|增长|上升|上调|上涨|扩大|提升|升高|延长|降低|减少|下降|下调|压缩|缩短|压减|缩减|回落|调低|(?<![下上提新缩压递扩])[增升涨降减])"
    rf"(?:到|至|为)[^\d，。；\n]{{0,4}}?{_FIGURE}(%|{_THING}|公里|米|岁|天|分|倍)"
)
_UP = (
    "提高",
    "增加",
    "增长",
    "上升",
    "上调",
    "上涨",
    "扩大",
    "提升",
    "升高",
    "延长",
    "增",
    "升",
    "涨",
)
_CLOCK = re.compile(
    r"(?<![\d:：])([01]?\d|2[0-4])[:：时点]([0-5]\d)分?[ ]?(?:至|到|—{1,2}|－|～|~|-)[ ]?"
    r"(次日|翌日|第二天|当晚|晚上|下午|夜间|凌晨|午夜|傍晚|晚)?([01]?\d|2[0-4])[:：时点]([0-5]\d)(?![\d:：])"
)
_OVERNIGHT = re.compile(r"次日|翌日|第二天|夜|晚|凌晨|通宵|昼夜")
# With the word the hours are those of the clock's half day.
_HOURS = re.compile(
    r"(上午|下午)([01]?\d|2[0-4])[时点]整?(?:至|到|—{1,2}|－|～|~|-)([01]?\d|2[0-4])[时点](?!\d)"
)
_NOON = 12
_EARLY = 5  # 上午11时至1时 ends after noon
_CAME = re.compile(
    r"应(到|检|考|参会|参加|参训|出席)[^，。；;\d\n]{0,6}(\d{1,6})[人名户家][，,、]?"
    r"[^。；;\d\n]{0,6}实\1[^，。；;\d\n]{0,6}(\d{1,6})[人名户家]"
)
# 每人每月300元，全年共计3600元: twelve months, unless the words say how many.
_BY_MONTH = re.compile(
    rf"每(?:人每)?月{_FIGURE}元(?:人民币)?[，,]?(?:全年|每年|一年|年)(?:共计|合计|总计|共|计|为|合)?{_FIGURE}元"
)
_YEARS = re.compile(r"(?<!\d)((?:19|20)\d\d)年?(?:至|到|—{1,2}|－|～|~|-)((?:19|20)\d\d)年(?!级)")
_DAYS = re.compile(
    r"(?<!\d)(\d{1,2})月(\d{1,2})日?(?:至|到|—{1,2}|－|～|~)(?:(\d{1,2})月)?(\d{1,2})日"
)
_PEOPLE = re.compile(
    r"共(?:有|计)?[^\d，。；]{0,6}?(\d{1,15})(?:人|名)[^\d。；\n]{0,12}?男[^\d，。；]{0,4}?(\d{1,15})(?:人|名)?"
    r"[^\d。；\n]{0,6}?女[^\d，。；]{0,4}?(\d{1,15})(?:人|名)?"
)
_GROWTH = re.compile(
    rf"(?:由|从)[^\d，。；]{{0,8}}?{_FIGURE}(万?亿?[元人户件家个吨亩])[^\d，。；]{{0,4}}"
    rf"(增加|增长|提高|上升|减少|下降|降低)[到至为]{_FIGURE}(万?亿?[元人户件家个吨亩])[，,]"
    rf"(?:同比)?(?:增长|增加|提高|上升|增幅|下降|减少|降幅|降低)(?:了|达到?|为)?{_FIGURE}%"
)
# 增长12%，由100亿元增至150亿元: the rate first.
_RATE_FIRST = re.compile(
    rf"(增长|增加|提高|上升|下降|减少|降低)了?{_FIGURE}%[，,](?:由|从)[^\d，。；]{{0,8}}?{_FIGURE}(万?亿?[元人户件家个吨亩])"
    rf"[^\d，。；]{{0,4}}(?:增|增加|增长|提高|上升|降|减|下降|减少|降低)(?:到|至|为){_FIGURE}(万?亿?[元人户件家个吨亩])"
)
_SUM = Ground("wording", "wording.sum", "warn", "分项相加与总数不符，请核对", _SUMS)
_MORE_CAME = _SUM._replace(reason="实到的多于应到的，请核对")
_FALLS = Ground("wording", "wording.rise", "warn", "增减的方向与前后数值相反，请核对", _SUMS)
_BACKWARDS = Ground(
    "wording", "wording.time-range", "warn", "终了早于起始，请核对时间",
    "《出版物上数字用法》（GB/T 15835-2011）",
)  # fmt: skip
_RATE = Ground("wording", "wording.growth", "warn", "增减幅度与前后数值不符，请核对", _SUMS)


def find_figures(ctx: Context) -> Iterator[Finding]:
    """Findings of one field."""
    text = ctx.dense.text
    if "其中" in text:
        yield from _total_first(ctx)
        yield from _money(ctx)
    if "计" in text or "共" in text:
        yield from _parts_first(ctx)
        yield from _row(ctx)
    if "男" in text and "女" in text:
        for match in _PEOPLE.finditer(text):
            people, men, women = (int(number) for number in match.groups())
            if men + women != people:
                yield ctx.mark_dense(match.span(1), _SUM, [str(men + women)])
    yield from _said_twice(ctx)
    yield from _more_than_all(ctx)
    if "由" in text or "从" in text:
        yield from _rises(ctx)
    if "%" in text:
        yield from _growth(ctx)
    yield from _hours(ctx)
    yield from _days(ctx)


def _said_twice(ctx: Context) -> Iterator[Finding]:
    """Who came against who was to come, a month's money against a year's."""
    text = ctx.dense.text
    if "应" in text and "实" in text:
        for match in _CAME.finditer(text):
            if int(match[3]) > int(match[2]):
                yield ctx.mark_dense((match.start(3), match.end()), _MORE_CAME)
    if "每" in text:
        for match in _BY_MONTH.finditer(text):
            if Decimal(match[1]) * 12 != Decimal(match[2]):
                yield ctx.mark_dense(match.span(2), _SUM, [f"{Decimal(match[1]) * 12:f}"])


def _more_than_all(ctx: Context) -> Iterator[Finding]:
    """Parts of which nothing is in both, above their total; more of them than there are."""
    text = ctx.dense.text
    for match in _SPLIT.finditer(text):
        total, _, _, one, _, other = match.groups()
        if Decimal(one) + Decimal(other) > Decimal(total):
            yield ctx.mark_dense((match.start(1), match.end(2)), _SUM)
    for match in _OF_THEM.finditer(text):
        if int(match[3]) > int(match[1]):
            yield ctx.mark_dense(match.span(3), _SUM)
    for match in _BY_DAY.finditer(text):
        right = Decimal(match[1]) * int(match[2])
        if right != Decimal(match[3]):
            yield ctx.mark_dense(match.span(3), _SUM, [f"{right:f}"])


def _total_first(ctx: Context) -> Iterator[Finding]:
    for match in _TOTAL.finditer(ctx.dense.text):
        if "男" in match[3] and "女" in match[3]:
            continue  # a rule of its own names the right total
        unit = match[2][-1]
        figures = [one for one in _PART.finditer(match[3]) if one[2][-1] == unit]
        parts = [_worth(*one.groups()) for one in figures]
        total = _worth(match[1], match[2])
        apart = unit == "元" or all(_PLACE.search(match[3], 0, one.start()) for one in figures)
        apart = apart or _opposed(match[3], figures) or _of_one_kind(match[3], figures)
        most = sum(parts) if apart else max(parts, default=Decimal(0))
        if len(parts) > 1 and most > total * Decimal("1.001"):
            yield ctx.mark_dense((match.start(1), match.end(2)), _SUM)


def _money(ctx: Context) -> Iterator[Finding]:
    for match in _MONEY_TOTAL.finditer(ctx.dense.text):
        total = _worth(match[1], match[2])
        added = sum((_worth(*one) for one in _PART.findall(match[3])), Decimal(0))
        if added > total * Decimal("1.001"):
            yield ctx.mark_dense((match.start(1), match.end(2)), _SUM)


def _opposed(words: str, figures: list[re.Match[str]]) -> bool:
    """合格100家、不合格30家; 线上20张、线下30张: nobody is both."""
    if len(figures) != 2:
        return False
    first = re.sub(r"[的有为]*$", "", words[: figures[0].start()])
    second = re.sub(r"[的有为]*$", "", words[figures[0].end() : figures[1].start()].lstrip("、，"))
    return {first[-2:], second[-2:]} in _OPPOSED or any(
        no + one == other for no in _NOT for one, other in ((first, second), (second, first))
    )


def _of_one_kind(words: str, figures: list[re.Match[str]]) -> bool:
    """Whether the parts are named, one each, by names of which nothing has two."""
    ends = [0, *(one.end() for one in figures)]
    names = [
        words[end : one.start()].lstrip("、，和") for end, one in zip(ends, figures, strict=False)
    ]
    return len(set(names)) == len(names) and any(kind >= set(names) for kind in _KINDS)


def _row(ctx: Context) -> Iterator[Finding]:
    for match in _ROW.finditer(ctx.dense.text):
        parts = _PART.findall(match[3])
        same = {unit[-1] for _, unit in parts} == {match[2][-1]}
        if not same or "其中" in match[3] or "均" in match[3] or "每" in match[3]:
            continue
        total, added = _worth(match[1], match[2]), sum(_worth(n, u) for n, u in parts)
        if abs(added - total) > total * Decimal("0.001"):
            yield ctx.mark_dense((match.start(1), match.end(2)), _SUM)


def _parts_first(ctx: Context) -> Iterator[Finding]:
    for match in _PARTS_FIRST.finditer(ctx.dense.text):
        parts = _PART.findall(match[1])
        units = {unit for _, unit in parts} | {match[5]}
        # 其中 inside the row names a part of a part, different things have no sum, nor have rates.
        mixed = len({unit[-1] for unit in units}) > 1 or "其中" in match[1][3:]
        if mixed or "每" in match[1] or "均" in match[1]:
            continue
        total, added = _worth(match[4], match[5]), sum(_worth(n, u) for n, u in parts)
        if abs(added - total) > total * Decimal("0.001"):
            yield ctx.mark_dense((match.start(4), match.end(5)), _SUM)


def _worth(number: str, unit: str) -> Decimal:
    return Decimal(number) * _WORTH.get(unit[0], Decimal(1))


def _rises(ctx: Context) -> Iterator[Finding]:
    """提高到 a smaller figure, 降低到 a greater one."""
    for match in _RISES.finditer(ctx.dense.text):
        old, unit, verb, new, other = match.groups()
        if (unit or other)[-1] != other[-1]:
            continue
        before, after = _worth(old, unit or other), _worth(new, other)
        if before != after and (after < before) is (verb in _UP):
            yield ctx.mark_dense((match.start(3), match.end()), _FALLS)


def _hours(ctx: Context) -> Iterator[Finding]:
    """Times of a day whose end stands before their beginning."""
    text = ctx.dense.text
    for match in _CLOCK.finditer(text):
        hour, minute, word, hour_2, minute_2 = match.groups()
        before = text[max(0, match.start() - 8) : match.start()]
        first, last = int(hour), int(hour_2)
        overnight = (first >= 18 and last <= 9) or bool(_OVERNIGHT.search(before))
        if before.endswith(("下午", "午后")):
            # 下午14:30至5:30 mixes two ways of counting; both hours are after noon.
            first, last, overnight = first % _NOON, last % _NOON, False
        if (last, int(minute_2)) < (first, int(minute)) and not (word or overnight):
            yield ctx.mark_dense(match.span(), _BACKWARDS)
    for match in _HOURS.finditer(text):
        first, last = int(match[2]), int(match[3])
        if match[1] == "下午":
            first, last = first % _NOON, last % _NOON
        if last < first and (match[1] == "下午" or last >= _EARLY):
            yield ctx.mark_dense(match.span(), _BACKWARDS)


def _days(ctx: Context) -> Iterator[Finding]:
    """Years and days that run backwards."""
    text = ctx.dense.text
    for match in _YEARS.finditer(text):
        if int(match[2]) < int(match[1]):
            yield ctx.mark_dense(match.span(), _BACKWARDS)
    for match in _DAYS.finditer(text):
        month, day, other, last = match.groups()
        # Over New Year a later month comes first, as 11月15日至3月15日.
        same = other is None or other == month
        if same and int(last) < int(day) and not _followed(text, match.start()):
            yield ctx.mark_dense(match.span(), _BACKWARDS)


def _followed(text: str, start: int) -> bool:
    """Whether a year stands right before: then the rule for whole dates speaks."""
    return text[max(0, start - 1) : start] == "年"


def _growth(ctx: Context) -> Iterator[Finding]:
    """From A to B, by C percent: C must be possible for A and B as they were rounded."""
    text = ctx.dense.text
    for match in _GROWTH.finditer(text):
        old, unit, _, new, other, told = match.groups()
        if unit == other:
            yield from _changed(ctx, match.span(6), told, old, new)
    for match in _RATE_FIRST.finditer(text):
        _, told, old, unit, new, other = match.groups()
        if unit == other:
            yield from _changed(ctx, match.span(2), told, old, new)


def _changed(
    ctx: Context, span: tuple[int, int], told: str, old: str, new: str
) -> Iterator[Finding]:
    if Decimal(old) == 0:
        return
    low, high = _range(new)[0] / _range(old)[1], _range(new)[1] / _range(old)[0]
    spread = _half(told)
    changes = sorted(abs(ratio - 1) * 100 for ratio in (low, high))
    if not changes[0] - spread <= Decimal(told) <= changes[1] + spread:
        right = abs(Decimal(new) / Decimal(old) - 1) * 100
        places = len(told.partition(".")[2])
        yield ctx.mark_dense(span, _RATE, [f"{right:.{places}f}"])


def _half(number: str) -> Decimal:
    """Half of the last place a number is written to."""
    return Decimal(5).scaleb(-len(number.partition(".")[2]) - 1)


def _range(number: str) -> tuple[Decimal, Decimal]:
    return Decimal(number) - _half(number), Decimal(number) + _half(number)
