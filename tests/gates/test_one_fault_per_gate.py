"""One notice with one fault for each gate: five findings, each with basis; corrected: none."""

from datetime import date

from gates.engine import Finding, GateText, RuleSet, run_gates
from gates.filter import library_facts

RULES = RuleSet.load()
LIBRARY = library_facts(
    [
        {
            "id": "old",
            "title": "青禾县就业补助资金管理办法",
            "doc_number": "青人社发〔2019〕3号",
            "status": "repealed",
            "successor": "青人社发〔2026〕5号",
        },
        {"id": "new", "title": "青禾县就业补贴办法", "doc_number": "青人社发〔2026〕5号"},
        {"id": "open", "title": "青禾县资金公开办法", "doc_number": "青政发〔2026〕8号"},
    ]
)
TITLE = "青禾县关于发放高校毕业生就业补贴的通知"
# gate, what is wrong, what is flagged of it, what is right
FAULTS = (
    ("politics", "全国人大副委员长", "全国人大副委员长", "全国人大常委会副委员长"),
    ("policy", "青人社发〔2019〕3号", "青人社发〔2019〕3号", "青人社发〔2026〕5号"),
    ("secrecy", "联系人手机13800138000", "13800138000", "咨询电话0478-8210000"),
    ("wording", "青政发[2026]8号", "[2026]8号", "青政发〔2026〕8号"),
    ("law", "警方抓获罪犯1名", "罪犯", "警方抓获犯罪嫌疑人1名"),
)
TEXT = (
    "青政发〔2026〕12号\n"
    "全国人大副委员长来我县调研时，对高校毕业生就业工作提出要求。\n"
    "一、补贴标准为每人每月800元，按照青人社发〔2019〕3号执行。\n"
    "二、到县政务服务中心二楼人社窗口申请，联系人手机13800138000。\n"
    "三、补贴资金的使用按照青政发[2026]8号公开。\n"
    "四、骗取补贴的依法追究责任，上月警方抓获罪犯1名。\n"
    "本通知自2026年12月1日起施行。"
)


def _check(text: str) -> list[Finding]:
    draft = GateText(TITLE, text, "原创", date(2026, 11, 24))
    return run_gates(draft, RULES, LIBRARY)


def test_each_gate_finds_its_fault_at_its_place() -> None:
    found = _check(TEXT)
    assert [(one.gate, one.text) for one in found] == [(gate, part) for gate, _, part, _ in FAULTS]
    for one in found:
        assert one.field == "text"
        assert TEXT[one.start : one.end] == one.text
        assert one.basis
        assert one.reason


def test_accepting_the_suggestions_leaves_nothing() -> None:
    text = TEXT
    for one in reversed(_check(TEXT)):
        assert one.suggestion is not None
        text = text[: one.start] + one.suggestion + text[one.end :]
    assert _check(text) == []


def test_the_corrected_notice_has_no_finding() -> None:
    text = TEXT
    for _, wrong, _, right in FAULTS:
        assert wrong in text
        text = text.replace(wrong, right)
    assert _check(text) == []
