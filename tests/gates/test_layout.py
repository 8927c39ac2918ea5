"""Numbers of lists, lengths of titles, sums, growth, dates and repeated words."""

from datetime import date

import pytest

from gates.engine import GateText, NoFacts, RuleSet, run_gates

RULES = RuleSet.load()


def _found(text: str, title: str = "") -> list[tuple[str, str, str | None]]:
    found = run_gates(GateText(title, text, "原创", date(2026, 11, 24)), RULES, NoFacts())
    return [(one.rule.removeprefix("wording."), one.text, one.suggestion) for one in found]


@pytest.mark.parametrize(
    ("text", "rule", "flagged", "right"),
    [
        ("一、申请\n二、审核\n四、公示\n五、发放", "list-number", "四", "三"),
        ("（一）申请\n（二）审核\n（四）公示", "list-number", "四", "三"),
        ("1.申请\n2.审核\n2.公示\n3.发放", "list-number", "2", "3"),
        ("十、申请\n十一、审核\n十三、公示", "list-number", "十三", "十二"),
        ("共安排资金100万元，其中就业补贴80万元、培训补贴30万元。", "sum", "100万元", None),
        ("参训学员共有50人，其中男28人、女32人。", "sum", "50", "60"),
        ("由2000户增加到2500户，增长20%。", "growth", "20", "25"),
        ("从1.2亿元增加到1.8亿元，同比增长30%。", "growth", "30", "50"),
        ("各单位要加强加强管理", "repeated-word", "加强加强", "加强"),
        ("人力资源人力资源市场", "repeated-word", "人力资源人力资源", "人力资源"),
        ("2026年2月30日前报送", "date", "2026年2月30日", None),
        ("2026年11月24日（星期三）召开", "weekday", "2026年11月24日（星期三）",
         "2026年11月24日（星期二）"),
        ("11月24日（星期五）召开", "weekday", "11月24日（星期五）", None),
        ("2026年12月1日至11月30日报名", "date-range", "2026年12月1日至11月30日", None),
        ("上午9时75分开会", "time", "9时75分", None),
        ("二零二六年十一月", "zero-year", "二零二六年", None),
        ("成本下降了2倍", "times-less", "下降了2倍", None),
        ("约200人左右参加", "approximate-twice", "约200人左右", None),
        ("材料：1.申请表；2.复印件；4.照片。", "list-number", "4", "3"),
        ("①申请②审核④公示", "list-number", "④", "③"),
        ("第一步申请，第二步审核，第四步公示。", "list-number", "四", "三"),
        ("1、受理；2、审核；2、公示", "list-number", "2", "3"),
        ("一是加强领导；二是强化责任；四是严格考核。", "list-number", "四", "三"),
        ("第一章 总则\n第二章 管理\n第四章 附则", "list-number", "四", "三"),
        ("男生60人，女生50人，合计100人。", "sum", "100人", None),
        ("全县共120个村，其中甲镇70个、乙镇60个。", "sum", "120个", None),
        ("学生共1000人，其中女生1200人、少数民族300人。", "sum", "1000人", None),
        ("参会人员共100人，其中城区60人、农村50人。", "sum", "100人", None),
        ("交通费500元，住宿费1000元，共计2000元。", "sum", "2000元", None),
        ("受理时间为9：00至8：30。", "time-range", "9：00至8：30", None),
        ("受理时间为14:00—9:00。", "time-range", "14:00—9:00", None),
        ("受理时间为18:00—17:00。", "time-range", "18:00—17:00", None),
        ("2026—2025年规划", "time-range", "2026—2025年", None),
        ("定于12月5日至3日举行", "time-range", "12月5日至3日", None),
        ("标准由1000元提高到800元。", "rise", "提高到800元", None),
        ("失业率由5%下降到8%。", "rise", "下降到8%", None),
        ("从2024元提高到200元。", "rise", "提高到200元", None),
        ("请及时及时报送。", "repeated-word", "及时及时", "及时"),
        ("各地要要落实。", "repeated-word", "要要", "要"),
    ],
)  # fmt: skip
def test_a_fault_of_numbers_is_found(text: str, rule: str, flagged: str, right: str | None) -> None:
    assert _found(text) == [(rule, flagged, right)]


@pytest.mark.parametrize(
    "text",
    [
        "一、申请\n二、审核\n（一）初审\n（二）复审\n三、公示\n（一）线上\n（二）线下",
        "1.申请\n2.审核\n二、公示\n1.线上\n2.线下",
        "2026年工作\n2027年工作\n2030年工作",
        "共安排资金100万元，其中就业补贴80万元。",
        "共安排资金100万元，其中就业补贴70万元、培训补贴30万元。",
        "参训学员共有60人，其中男28人、女32人。",
        "由2000户增加到2500户，增长25%。",
        "从1.2亿元增加到1.8亿元，同比增长48.7%。",
        "大家研究研究、讨论讨论",
        "重要要求，主要要素，需要要件",
        "支持发展发展中国家",
        "管理管理人员，服务服务对象",
        "夜间22:00至6:00施工",
        "上午9:00至下午5:30",
        "11月15日至次年3月15日供暖",
        "标准由800元提高到1000元，由1万元降低到9000元。",
        "见第1、2、2款",
        "毕业生600人，农民工500人，合计1100人。",
        "共有学生1000人，其中女生520人、少数民族300人、住校生400人。",
        "全县共有党员900名，其中女党员500名、大专以上学历600名。",
        "标准从2024年起提高到200元。",
        "补贴从10月提高到每人5元。",
        "每人补助500元，每户补助1000元，共计200万元。",
        "人均增收500元，户均增收1000元，共计200万元。",
        "停水时间为22:00—6:00。",
        "道路封闭时间为19:30至8:30。",
        "2026年11月24日（星期二）召开",
        "11月24日（周二）召开",
        "2026年12月1日至2027年1月31日报名",
        "上午9时30分开会",
        "二〇二六年十一月",
        "产量增加了2倍",
        "三、登录（四）选择机关四、查看信息五、取消",
        "1、调查核实；2、11月29日召开会议；3、公布结果",
        "1.含氯消毒剂；2.75%乙醇；3.其他消毒剂",
        "建设贰拾玖栋（二、三、五、六、一十八层）住房",
    ],
)
def test_what_adds_up_is_left_alone(text: str) -> None:
    assert _found(text) == []


def test_a_title_of_more_than_32_characters_is_told() -> None:
    assert _found("", "关" * 32) == []
    assert [rule for rule, _, _ in _found("", "关于" * 17)][:1] == ["title-length"]


@pytest.mark.parametrize(
    "text",
    [
        "（1998年国务院令第248号发布\n根据2014年决定修正）",
        "现将《关于加强\n基层治理工作的意见》印发",
        "1）申请\n2）审核",
        "大家夜以继日地工作",
        "（1998年发布\n" + "根据2014年决定修正\n" * 6 + "根据2020年决定修订）",
        "他说：“今天开会。\n“明天也开。”",
        "2021年4月7日国务院令第741号修订）",
        "（2020年通过",
        "》》延伸阅读",
    ],
)
def test_marks_may_close_on_the_next_line(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("印发（此件公开发布\n\n联系电话）", "（"),
        ("见《办法第三条\n第二行\n第三行\n第四行\n第五行》", "《"),
        ("已经公布）。", "）"),
        ("附（" + "字" * 300 + "\n完）", "（"),
    ],
)
def test_marks_far_apart_are_no_pair(text: str, mark: str) -> None:
    assert ("paired-marks", mark, None) in _found(text)
