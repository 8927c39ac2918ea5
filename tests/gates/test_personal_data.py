"""Personal data: found with its checks, masked, and told apart from office numbers."""

from datetime import date

import pytest

from gates.engine import GateText, NoFacts, RuleSet, run_gates
from gates.redaction import ProfileError, profile_of, redact

RULES = RuleSet.load()


def _found(text: str) -> list[tuple[str, str, str, str | None]]:
    found = run_gates(
        GateText("", text, "原创", date(2026, 11, 24)), RULES, NoFacts(), include_hints=True
    )
    return [
        (one.rule.removeprefix("secrecy."), one.severity, one.text, one.suggestion)
        for one in found
        if one.gate == "secrecy"
    ]


@pytest.mark.parametrize(
    ("text", "rule", "severity", "part", "mask"),
    [
        ("身份证11010519491231002X", "id-card", "block", "11010519491231002X", "11" + "*" * 16),
        ("证件 110105 19491231 002X", "id-card", "block", "110105 19491231 002X", "11" + "*" * 16),
        ("证件110105·19491231－002X", "id-card", "block", "110105·19491231－002X", None),
        ("李明ID11010519491231002X", "id-card", "block", "11010519491231002X", "11" + "*" * 16),
        ("证号" + "  ".join("11010519491231002X"), "id-card", "block", None, "11" + "*" * 16),
        ("|".join("11010519491231002X"), "id-card", "block", None, None),
        ("证号一一〇一〇五一九四九一二三一〇〇二X", "id-card", "block", None, "一一" + "*" * 16),
        ("证号llO1O5l949l23lOO2X", "id-card", "block", "llO1O5l949l23lOO2X", None),
        ("证号١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "id-card", "block", "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", None),
        ("身份证110105194912310021", "id-card-invalid", "warn", "110105194912310021", None),
        ("旧身份证110105491231002", "id-card-15", "block", "110105491231002", "11" + "*" * 13),
        ("手机13800138000", "mobile", "block", "13800138000", "138********"),
        ("手机138-0013-8000", "mobile", "block", "138-0013-8000", "138********"),
        ("手机+86 138 0013 8000", "mobile", "block", "+86 138 0013 8000", "138********"),
        ("手机１３８００１３８０００", "mobile", "block", "１３８００１３８０００", "138********"),
        ("邮箱 zhang.san@example.com", "e-mail", "warn", "zhang.san@example.com", None),
        ("邮箱rsj@nmg.gov.cn", "e-mail", "hint", "rsj@nmg.gov.cn", None),
        ("账号6222021234567890128", "bank-card", "block", "6222021234567890128", "*" * 19),
        ("农户张大山（15022219700101001X）", "id-card-invalid", "warn", "15022219700101001X", None),
        ("赛罕区丰州路紫薇花园8-2-302", "home-address", "warn", None, None),
        (
            "银行卡号6222021234567890127",
            "bank-card-invalid",
            "warn",
            "6222021234567890127",
            "*" * 19,
        ),
        ("护照E12345678", "passport", "block", "E12345678", "E********"),
        ("车牌蒙A12345", "plate", "warn", "蒙A12345", "蒙A*****"),
        ("证件1101 0519 4912 3100 2X", "id-card", "block", "1101 0519 4912 3100 2X", None),
        ("证件110105-19491231-002x", "id-card", "block", "110105-19491231-002x", "11" + "*" * 16),
        ("身份证11010519491231****", "id-card-masked", "warn", None, "11" + "*" * 16),
        ("手机1 3 8 0 0 1 3 8 0 0 0", "mobile", "block", "1 3 8 0 0 1 3 8 0 0 0", "138********"),
        ("港澳居民来往内地通行证H12345678", "permit", "block", "H12345678", "H********"),
        ("医保号：NM20260001234", "member-number", "block", "NM20260001234", "*" * 13),
        (
            "家庭住址：青禾县城关镇和平路3号楼2单元501室",
            "home-address",
            "warn",
            "家庭住址：青禾县城关镇和平路3号楼2单元501室",
            "家庭住址：青禾县城关镇",
        ),
        ("幸福小区3号楼2单元501室", "home-address", "warn", None, None),
        ("军官证号：军字第20210001号", "permit", "block", "军字第20210001号", None),
        ("士兵证 空字第1234567号", "permit", "block", "空字第1234567号", None),
        ("持警官证（012345）", "permit", "block", "012345", "0*****"),
        ("残疾军人证号码是150012345", "permit", "block", "150012345", "1********"),
        ("联系人138.4711.2358", "mobile", "block", "138.4711.2358", "138********"),
        ("电话1384 7112 358", "mobile", "block", "1384 7112 358", "138********"),
        ("138—4711—2358", "mobile", "block", "138—4711—2358", "138********"),
        ("手机138·4711·2358", "mobile", "block", "138·4711·2358", "138********"),
        ("手机13847 112358", "mobile", "block", "13847 112358", "138********"),
        ("手机一三八四七一一二三五八", "mobile", "block", "一三八四七一一二三五八", None),
        ("电话（138）47112358", "mobile", "block", "138）47112358", None),
        ("手机138、4711、2358", "mobile", "block", "138、4711、2358", None),
        ("手机壹叁捌肆柒壹壹贰叁伍捌", "mobile", "block", "壹叁捌肆柒壹壹贰叁伍捌", None),
        ("邮箱：lisi艾特qq点com", "e-mail", "warn", "lisi艾特qq点com", "l***@qq.com"),
        ("举报邮箱：jubao123@163.com", "e-mail", "hint", "jubao123@163.com", None),
        ("办公室邮箱：qhbgs@163.com", "e-mail", "hint", "qhbgs@163.com", None),
        ("单位联系人邮箱：zhangsan@163.com", "e-mail", "warn", "zhangsan@163.com", None),
        ("邮箱：xx(at)a(dot)gov(dot)cn", "e-mail", "hint", "xx(at)a(dot)gov(dot)cn", None),
        ("微信（lisi_88）", "account", "warn", "lisi_88", "*" * 7),
        ("身份证号1501****19900101123X", "id-card-masked", "warn", "1501****19900101123X", None),
        (
            "现居住于青禾县和平路学府花园7-2-1203",
            "home-address",
            "warn",
            "居住于青禾县和平路学府花园7-2-1203",
            "居住于青禾县",
        ),
        (
            "李某某，住青禾县团结小区3号楼2单元501",
            "home-address",
            "warn",
            "住青禾县团结小区3号楼2单元501",
            "住青禾县",
        ),
        ("邮箱li.si＠example.com", "e-mail", "warn", "li.si＠example.com", "l***@example.com"),
        ("邮箱li.si(at)example(dot)com", "e-mail", "warn", None, "l***@example.com"),
        ("微信号：li_si_88", "account", "warn", "li_si_88", "********"),
        ("QQ：123456789", "account", "warn", "123456789", "*********"),
        ("家中电话：0471-6945678", "home-phone", "block", "0471-6945678", None),
        ("身份证1101051949●●●●002X", "id-card-masked", "warn", None, "11" + "*" * 16),
        ("证件911124198108030024", "id-card", "block", "911124198108030024", None),
        (
            "李某住和平路8号院3号楼2单元501室",
            "home-address",
            "warn",
            "住和平路8号院3号楼2单元501室",
            "住（略）",
        ),
        (
            "收件地址：青禾县城关镇和平路5号院3号楼2单元501室",
            "home-address",
            "warn",
            "收件地址：青禾县城关镇和平路5号院3号楼2单元501室",
            "收件地址：青禾县城关镇",
        ),
        (
            "户籍地：青禾县东风镇五一村",
            "home-address",
            "warn",
            "户籍地：青禾县东风镇五一村",
            "户籍地：青禾县东风镇",
        ),
        ("住址为某市长安路 18 号 3 栋", "home-address", "warn", None, None),
        ("家庭住址：青禾县城关镇和平路3号楼", "home-address", "warn", None, None),
    ],
)
def test_personal_data_is_found_and_masked(
    text: str, rule: str, severity: str, part: str | None, mask: str | None
) -> None:
    ((found_rule, found_severity, found_part, suggestion),) = _found(text)
    assert (found_rule, found_severity) == (rule, severity)
    assert part in (None, found_part)
    assert mask in (None, suggestion)
    assert suggestion is None or _found(suggestion) == []


@pytest.mark.parametrize(
    "text",
    [
        "电话0471-6945678",
        "共计1384 7112 358 5512",
        "比分1.3.4.5.6.7.8.9.0.1.2",
        "微信公众号：qinghexian",
        "总计160户，常住仅30户",
        "QQ群：123456789",
        "户籍地：内蒙古自治区呼和浩特市",
        "患者住院治疗，住在3楼的职工宿舍",
        "电话（0471）6945678",
        "电话04716945678",
        "热线400-810-1234",
        "热线12345、12333、95588",
        "内政办发〔2022〕14号",
        "投资13800138000元",
        "索引号：11150100013800138000",
        "编号110105194912310021",
        "网址 http://www.example.gov.cn/art/13800138000.html",
        "时间2026-11-24 08:30:00",
        "已脱敏：138****8000",
        "统一社会信用代码91150100MA0N1234XX",
        "订单DD110105194912310021",
        "、".join("110105194912310021"),
    ],
)
def test_office_numbers_are_not_personal(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    "text", ["秘密★", "机密★5年", "绝密 ★ 长期", "秘密☆1年", "秘 密★", "文件\n机密\n正文",
             "某市民政局文件机密", "某市民政局文件秘密1年\n关于", "机密某市民政局文件", "特急机密",
             "000001机密", "机密 特急", "㊙ 方案", "密级：㊙", "密级：○密件",
             "【密】方案", "□密", "▣密 方案", "◎密★"]
)  # fmt: skip
def test_marks_of_secrecy_block(text: str) -> None:
    assert [row[:2] for row in _found(text)] == [("classification-mark", "block")]


@pytest.mark.parametrize("text", ["工作秘密★", "通知\n（工作秘密）\n正文", "内部资料\n关于"])
def test_marks_of_work_secrets_and_internal_papers_block(text: str) -> None:
    assert [row[1] for row in _found(text)] == ["block"]


@pytest.mark.parametrize(
    "text", ["保守国家秘密", "商业秘密保护", "国家机密岗位", "某市民政局文件机密级管理办法",
             "保护文件机密", "某局机密文件"]
)  # fmt: skip
def test_speaking_of_secrets_is_no_mark(text: str) -> None:
    assert _found(text) == []


# --- over the end of a line -------------------------------------------------------------------

ID = "11010519491231002X"


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"])
@pytest.mark.parametrize("at", range(1, len(ID)))
def test_an_identity_number_is_found_wherever_a_line_end_cuts_it(at: int, end: str) -> None:
    cut = ID[:at] + end + ID[at:]
    ((rule, severity, part, mask),) = _found(f"申请人的公民身份号码为{cut}，现予公示。")
    assert (rule, severity, part, mask) == ("id-card", "block", cut, "11" + "*" * 16)


BREAKS = (
    *("  \n", " \t \r\n", "\n    ", "\n\u3000\u3000", "\u3000\n\t", "\u2028", "\u2029", "\r"),
    *(" \r  ", "\x0b", "\x0c", "\x85"),
)


@pytest.mark.parametrize("end", BREAKS, ids=ascii)
def test_an_identity_number_is_found_with_blanks_about_any_line_end(end: str) -> None:
    for at in range(1, len(ID)):
        cut = ID[:at] + end + ID[at:]
        text = f"公示如下|表{end}申请人的公民身份号码为{cut}，现予公示。{end}一|二"
        assert [(row[0], row[2]) for row in _found(text)] == [("id-card", cut)]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("张建国，身份证号110105 19491231\n002X。", ["name", "id-card"]),
        ("办理人（证件号1101051949123100\n2X）已领取。", ["id-card"]),
        ("外国人证件91112419810803\n0024的持有人", ["id-card"]),
        ("请与张三联系，手机1380013\n8000，逾期不候。", ["mobile"]),
        ("联系电话：138\n00138000、13900139000。", ["mobile", "mobile"]),
        ("联系电话：+86 138 0013\n8000。", ["mobile"]),
        ("1. 报名电话：13800\n138000（王老师）", ["mobile"]),
    ],
)
def test_numbers_cut_by_a_line_end_are_found(text: str, rules: list[str]) -> None:
    assert [row[0] for row in _found(text)] == rules


@pytest.mark.parametrize(
    "text",
    [
        "身份证号\t1101051949\n1231002X\t男",  # cells
        "| 身份证号 1101051949 |\n| 1231002X |",
        "身份证号 1101051949\n1231002X | 男",
        "姓名,身份证号1101051949\n1231002X,男",
        "1101051949\n1231002X",  # no words: a column
        "身份证号1101051949\n\n1231002X",  # two paragraphs
        "编号1101051949\n\u3000\u300012310021",
        "身份证号1101051949 \n \n 1231002X",
        "联系电话：13800\n\u3000\u3000138000",
        "身份证号|x\r1101051949\r1231002X|",
        "序号110105\n19491231\n002X",
        "流水号：1101051949\n1231002X",
        "编号1101051949\n12310021",  # the check digit is wrong
        "编号1911052026\n1231002X",
        "投资13800\n138000元",
        "增长到13800\n138000，比上年多",
        "联系电话：138\n20240315日起拨打",
        "咨询电话：1380013800\n1. 申请表",
        "咨询电话0471-138\n00138000",
        "联系电话\t13800\n138000",
        "热线电话：12345\n123456",
    ],
)
def test_figures_of_two_cells_items_or_paragraphs_are_not_one_number(text: str) -> None:
    assert _found(text) == []


# --- people ---------------------------------------------------------------------------------


def _rules(text: str) -> list[tuple[str, str, str | None]]:
    return [(rule, part, mask) for rule, _, part, mask in _found(text)]


def test_a_name_written_with_an_identity_number_is_told_and_masked() -> None:
    assert ("name", "张建国", "张某") in _rules("张建国，男，身份证号11010519491231002X。")
    assert [rule for rule, *_ in _rules("联系人：张建国，手机13800138000。")] == ["mobile"]


@pytest.mark.parametrize(
    "text", ["王小明，男，9岁，住在本村", "患者王小明（12岁）", "贫困户王小明（8岁）"]
)
def test_a_named_child_is_told(text: str) -> None:
    assert ("minor", "王小明", "王某") in _rules(text)


@pytest.mark.parametrize("text", ["王某（12岁）", "年满16岁的公民", "王建国，48岁", "小学6岁入学"])
def test_grown_ups_and_ages_in_general_are_not_children(text: str) -> None:
    assert not [row for row in _rules(text) if row[0] == "minor"]


def test_an_epidemic_track_is_told_and_a_timetable_is_not() -> None:
    track = "病例1：11月3日乘坐公交车到东市场，11月4日9时步行前往卫生院。"
    assert [rule for rule, *_ in _rules(track)] == ["track"]
    assert _rules("培训班11月3日乘坐大巴出发，11月4日9时步行前往基地。") == []


@pytest.mark.parametrize(
    "text",
    ["张建国 138****1234\n张建国 1380013****", "甲138****1234，乙1380013****"],
)
def test_different_masks_of_one_number_are_told(text: str) -> None:
    assert [rule for rule, *_ in _rules(text)] == ["masks-differ"]


def test_the_same_mask_throughout_is_fine() -> None:
    assert _rules("张建国 138****1234\n李卫东 139****5678\n张建国 138****1234") == []


# --- marks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["应当标注“机密★”字样", "密级标志如秘密★1年应当加盖在首页",
                                  "首页标注㊙字样"])  # fmt: skip
def test_a_mark_that_is_only_spoken_of_is_a_hint(text: str) -> None:
    assert [row[:2] for row in _found(text)] == [("classification-mention", "hint")]


@pytest.mark.parametrize(
    "text", ["○密封线以内", "与○○密切配合", "（密封线内不答题）", "加密", "□绝密 □机密", "□密码"]
)
def test_a_ring_before_another_word_is_no_mark(text: str) -> None:
    assert _found(text) == []


def test_a_document_without_its_openness_is_a_hint_and_with_it_is_clean() -> None:
    text = "青政办发〔2026〕3号\n" + "各乡镇人民政府要抓好落实。" * 20
    assert [row[:2] for row in _found(text)] == [("openness-unmarked", "hint")]
    assert _found(text + "\n（此件公开发布）") == []


# --- masks ------------------------------------------------------------------------------------

EVERYTHING = (
    "张建国，身份证号11010519491231002X，手机138-0013-8000，账号6222021234567890128。\n"
    "护照E12345678，车牌蒙A12345，邮箱zhang@example.com，医保号：NM20260001234。\n"
    "家庭住址：青禾县城关镇和平路3号楼2单元501室。港澳居民来往内地通行证H12345678。\n"
    "王小明，男，9岁。"
)


@pytest.mark.parametrize("key", ["strict", "street", "list"])
def test_after_masking_by_any_profile_nothing_is_found(key: str) -> None:
    draft = GateText("", EVERYTHING, "原创", date(2026, 11, 24))
    rows = run_gates(draft, RULES, NoFacts())
    assert len(rows) == 11
    masked = redact(EVERYTHING, rows, profile_of(key))
    assert [row for row in _found(masked) if row[1] != "hint"] == []
    assert masked.count("\n") == EVERYTHING.count("\n")
    assert "110105194" not in masked
    assert "8001" not in masked


def test_a_masked_text_is_not_changed_again_and_a_stale_finding_is_left_out() -> None:
    draft = GateText("", EVERYTHING, "原创", date(2026, 11, 24))
    rows = run_gates(draft, RULES, NoFacts())
    masked = redact(EVERYTHING, rows, profile_of())
    assert redact(masked, rows, profile_of()) == masked
    with pytest.raises(ProfileError, match="没有这样的去标识化方案"):
        profile_of("none")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "家庭住址：青禾县城关镇和平路院3号楼2单元501室，请核对。",
            "家庭住址：青禾县城关镇，请核对。",
        ),
        ("家住青禾县城关镇育才街东侧平房12排3号附1号。", "家住青禾县城关镇。"),
        ("户籍地：青禾县东风镇五一村三组（原二队），未婚。", "户籍地：青禾县东风镇，未婚。"),
        ("收货地址：青禾县城关镇明珠花园A座（西门）1203室", "收货地址：青禾县城关镇"),
    ],
)  # fmt: skip
def test_nothing_of_an_address_is_left_behind_the_town(text: str, left: str) -> None:
    found = run_gates(GateText("", text, "原创", date(2026, 11, 24)), RULES, NoFacts())
    assert redact(text, found, profile_of()) == left
