"""政府信息公开工作年度报告: the six parts of 国办公开办函〔2021〕30号, zero written (F8). Pure.

What the ledger counts is counted; what only an office knows is given by a person, whole numbers by
the name of their cell, and checked: sums down and across, nothing negative, nothing unknown.
"""

from collections.abc import Iterator, Mapping, Sequence

PARTS = (
    "一、总体情况",
    "二、主动公开政府信息情况",
    "三、收到和处理政府信息公开申请情况",
    "四、政府信息公开行政复议、行政诉讼情况",
    "五、存在的主要问题及改进情况",
    "六、其他需要报告的事项",
)
MADE = {
    "rules": "规章",
    "documents": "行政规范性文件",
}
MADE_COLUMNS = {"made": "本年制发件数", "ended": "本年废止件数", "stands": "现行有效件数"}
HANDLED = {
    "licences": "行政许可（本年处理决定数量）",
    "penalties": "行政处罚（本年处理决定数量）",
    "coercion": "行政强制（本年处理决定数量）",
    "fees": "行政事业性收费（本年收费金额，万元）",
}
APPLICANTS = {
    "person": "自然人",
    "business": "商业企业",
    "science": "科研机构",
    "welfare": "社会公益组织",
    "legal": "法律服务机构",
    "other": "其他",
}
RESULTS = {
    "open": "（一）予以公开",
    "partly": "（二）部分公开",
    "secret": "（三）不予公开：1.属于国家秘密",
    "forbidden": "2.其他法律行政法规禁止公开",
    "safety": "3.危及“三安全一稳定”",
    "third": "4.保护第三方合法权益",
    "internal": "5.属于三类内部事务信息",
    "process": "6.属于四类过程性信息",
    "files": "7.属于行政执法案卷",
    "queries": "8.属于行政查询事项",
    "not_held": "（四）无法提供：1.本机关不掌握相关政府信息",
    "must_make": "2.没有现成信息需要另行制作",
    "unclear": "3.补正后申请内容仍不明确",
    "complaints": "（五）不予处理：1.信访举报投诉类申请",
    "repeated": "2.重复申请",
    "publications": "3.要求提供公开出版物",
    "massive": "4.无正当理由大量反复申请",
    "confirm": "5.要求行政机关确认或重新出具已获取信息",
    "not_amended": "（六）其他处理：1.申请人无正当理由逾期不补正、行政机关不再处理其申请",
    "unpaid": "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其申请",
    "else": "3.其他",
}
APPLIED = {"new": "一、本年新收政府信息公开申请数量", "carried": "二、上年结转政府信息公开申请数量"}
LEFT = "left"
REVIEWS = {
    "reconsidered": "行政复议",
    "sued": "未经复议直接起诉",
    "sued_after": "复议后起诉",
}
OUTCOMES = {
    "kept": "结果维持",
    "corrected": "结果纠正",
    "other": "其他结果",
    "open": "尚未审结",
}
TEXTS = {"overview": PARTS[0], "problems": PARTS[4], "others": PARTS[5]}
"""The parts that are written and not counted."""
MOST_WORDS = 3000
Cells = Mapping[str, object]


def names() -> Iterator[str]:
    """Every cell a person may give."""
    yield from (f"made.{row}.{column}" for row in MADE for column in MADE_COLUMNS)
    yield from (f"handled.{row}" for row in HANDLED)
    for row in (*APPLIED, *RESULTS, LEFT):
        yield from (f"asked.{row}.{who}" for who in APPLICANTS)
    yield from (f"review.{row}.{column}" for row in REVIEWS for column in OUTCOMES)


def written_faults(texts: Mapping[str, object]) -> list[str]:
    """What is wrong with the parts that are written, in Chinese."""
    found = [f"没有这一部分：{name}"[:120] for name in sorted(set(texts) - set(TEXTS))]
    for name in sorted(set(texts) & set(TEXTS)):
        if not isinstance(texts[name], str) or len(str(texts[name])) > MOST_WORDS:
            found.append(f"“{TEXTS[name]}”最多写 {MOST_WORDS} 字")
    return found


Form = tuple[str, Sequence[str], Sequence[tuple[str, Sequence[str]]]]


def forms() -> list[Form]:
    """Each table as it is filled in: its part, its heading, each line with the names of its cells.

    Sums are no cells: they are added.
    """
    made = [(label, [f"made.{row}.{one}" for one in MADE_COLUMNS]) for row, label in MADE.items()]
    handled = [(label, [f"handled.{row}"]) for row, label in HANDLED.items()]
    rows = {**APPLIED, **RESULTS, LEFT: "四、结转下年度继续办理"}
    asked = [(label, [f"asked.{row}.{who}" for who in APPLICANTS]) for row, label in rows.items()]
    reviews = [
        (label, [f"review.{row}.{one}" for one in OUTCOMES]) for row, label in REVIEWS.items()
    ]
    return [
        (PARTS[1], ("信息内容", *MADE_COLUMNS.values()), made),
        (PARTS[1], ("信息内容", "数量"), handled),
        (PARTS[2], ("本列数据的勾稽关系", *APPLICANTS.values()), asked),
        (PARTS[3], ("类别", *OUTCOMES.values()), reviews),
    ]


def labels() -> dict[str, str]:
    """What each cell and each written part is called where it stands alone."""
    found = dict(TEXTS)
    for part, head, rows in forms():
        for label, cells in rows:
            for name, column in zip(cells, head[1:], strict=True):
                found[name] = f"{part}：{label}，{column}"
    return found


def number(cells: Cells, name: str) -> int:
    """What was given, and 0 where nothing was: a report has no empty cell."""
    found = cells.get(name, 0)
    return found if isinstance(found, int) else 0


def faults(cells: Cells) -> list[str]:
    """Everything that cannot be right, in Chinese; empty when the tables hold."""
    known = set(names())
    found = [f"没有这一格：{name}"[:120] for name in sorted(set(cells) - known)]
    for name in sorted(known & set(cells)):
        value = cells[name]
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            found.append(f"{name} 应写不小于 0 的整数，现在是 {value!r}"[:120])
    return found or list(_crossed(cells))


def _crossed(cells: Cells) -> Iterator[str]:
    """新收 + 结转 = 办理结果总计 + 结转下年度, for each kind of applicant."""
    for who, label in APPLICANTS.items():
        came = sum(number(cells, f"asked.{row}.{who}") for row in APPLIED)
        ended = sum(number(cells, f"asked.{row}.{who}") for row in RESULTS)
        left = number(cells, f"asked.{LEFT}.{who}")
        if came != ended + left:
            words = f"新收加上年结转是 {came}，办理结果总计加结转下年度是 {ended + left}"
            yield f"第三部分“{label}”一列不相等：{words}"


def tables(cells: Cells) -> list[tuple[str, list[list[str | int]]]]:
    """Each table of the parts two to four: its part, and its rows with a heading, sums added."""
    made: list[list[str | int]] = [["信息内容", *MADE_COLUMNS.values()]]
    for row, label in MADE.items():
        made.append([label, *(number(cells, f"made.{row}.{one}") for one in MADE_COLUMNS)])
    handled: list[list[str | int]] = [["信息内容", "数量"]]
    handled += [[label, number(cells, f"handled.{row}")] for row, label in HANDLED.items()]
    return [
        (PARTS[1], made),
        (PARTS[1], handled),
        (PARTS[2], _asked(cells)),
        (PARTS[3], _reviews(cells)),
    ]


def _asked(cells: Cells) -> list[list[str | int]]:
    rows: list[list[str | int]] = [["本列数据的勾稽关系", *APPLICANTS.values(), "总计"]]

    def line(label: str, *of: str) -> None:
        each = [sum(number(cells, f"asked.{one}.{who}") for one in of) for who in APPLICANTS]
        rows.append([label, *each, sum(each)])

    for row, label in APPLIED.items():
        line(label, row)
    for row, label in RESULTS.items():
        line(f"三、本年度办理结果{label}" if row == "open" else label, row)
    line("（七）总计", *RESULTS)
    line("四、结转下年度继续办理", LEFT)
    return rows


def _reviews(cells: Cells) -> list[list[str | int]]:
    rows: list[list[str | int]] = [["类别", *OUTCOMES.values(), "总计"]]
    for row, label in REVIEWS.items():
        each = [number(cells, f"review.{row}.{one}") for one in OUTCOMES]
        rows.append([label, *each, sum(each)])
    return rows
