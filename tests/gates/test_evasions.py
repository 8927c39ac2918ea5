"""Disguised terms are found at their place in the original; innocent look-alikes are left alone."""

from datetime import date

import pytest

from gates.engine import Finding, GateText, NoFacts, RuleSet, run_gates

RULES = RuleSet.load()
TERMS = (
    *("全国人大副委员长", "北朝鲜", "尖阁群岛", "穆斯林国家", "摩梭族", "撒尼族", "阿拉伯民兵"),
    *("斯普拉特利群岛", "亚太经合组织成员国", "伊斯兰原教旨主义", "台湾政府", "审计署署长"),
    *("人民检察院院长", "两岸三地", "全网最低价", "扫码下单", "残废人", "独眼龙"),
    *("穿流不息", "截止目前"),
)
TRADITIONAL = str.maketrans(
    "国员长鲜阁岛亚组织义湾审计检岸网码废龙穿关两经东尔",
    "國員長鮮閣島亞組織義灣審計檢岸網碼廢龍穿關兩經東爾",
)
DISGUISES = {
    "zero width": lambda term: "\u200b".join(term),
    "spaced": lambda term: " ".join(term),
    "wide spaces": lambda term: "\u3000".join(term),
    "dotted": lambda term: "·".join(term),
    "starred": lambda term: term[0] + "*" + term[1:],
    "soft hyphen": lambda term: term[0] + "\u00ad" + term[1:],
    "combining strokes": lambda term: "\u0336".join(term),
    "traditional": lambda term: term.translate(TRADITIONAL),
    "pictures": lambda term: "🔥".join(term),
    "slashes": lambda term: "/".join(term),
    "brackets": lambda term: ")(".join(term),
    "question marks": lambda term: "？".join(term) if len(term) > 3 else term,
    "variation selectors": lambda term: "\ufe0f".join(term),
}
INNOCENT = (
    "全国人大常委会审议通过了修正案",
    "省人大常委会副主任出席会议",
    "乡人大主席参加座谈",
    "县检察院检察长、法院院长作报告",
    "选聘大学生村官到村任职",
    "建立美丽乡村长效管护机制",
    "共建“一带一路”倡议取得进展",
    "双方开展“一带一路”战略合作",
    "东北朝鲜族民俗村开放",
    "反对“台独”分裂活动",
    "反对“反台独、促统一”以外的干扰",
    "平台独立运行",
    "签署中韩、中澳自贸协定",
    "产业集中港口布局",
    "来来回回跑了几趟",
    "驳回回避申请",
    "依法根治拖欠农民工工资问题",
    "加强水上交通安全预防和预警",
    "监狱依法对罪犯提请减刑",
    "广告不得使用“国家级”“最高级”“最佳”等用语",
    "建设国家级经济技术开发区",
    "天王寺善济塔修缮完工",
    "电影后期制作培训",
    "吃了哑巴亏可以投诉",
    "我靠近窗口取号",
    "交通迅速恢复",
    "各省份内部协调",
    "既使用旧表也使用新表",
    "本份通知自印发之日起施行",
    "的的确确方便了群众",
    "实现目的的办法",
    "报名于月底截止",
    "欢迎关注本公众号",
    "不得强制群众点赞、转发",
    "欢迎转发给身边的人",
    "领取内部资料性出版物准印证",
    "（此件公开发布）",
    "疫苗应在低温下注意保存",
    "咨询电话0471-6945678，监督电话12345",
    "客服热线400-810-1234、95588",
    "下达资金13800138000元",
    "财政部公告2020年第8号",
    "国办函〔2020〕109号",
    "阳光小区（2022）3号楼",
    "市场监督管理局统一社会信用代码11150100MB1234567X",
    "自治区人民政府令第262号",
    "1. 申请 2）审核 一）公示",
    "省/市/县/乡四级联动",
    "包治百病、药到病除等用语不得出现在广告中",
    "面积约120m²，海拔①1500米",
    "东、西、南、北四个片区",
    "报名截止日前提交材料",
    "☎电话0471-6945678",
)


def _found(text: str) -> list[Finding]:
    return run_gates(GateText("", text, "原创", date(2026, 11, 24)), RULES, NoFacts())


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("term", TERMS)
def test_a_disguised_term_is_found_where_it_stands(term: str, disguise: str) -> None:
    hidden = DISGUISES[disguise](term)
    text = f"😀近日，{hidden}，请大家知悉。"
    found = [one for one in _found(text) if one.text in hidden and len(one.text) > 2]
    assert found
    assert all(text[one.start : one.end] == one.text for one in found)


@pytest.mark.parametrize(
    ("hidden", "plain"),
    [
        ("全国入大副委员长", "全国人大副委员长"),
        ("全国人大副委贠长", "全国人大副委员长"),
        ("尖阁群鸟", "尖阁群岛"),
        ("亚犬经合组织成员国", "亚太经合组织成员国"),
        ("合湾政府", "台湾政府"),
        ("穆斯林囯家", "穆斯林国家"),
        ("WТО成员国", "WTO成员国"),
        ("ＡＰＥＣ成员国", "APEC成员国"),
        ("АРЕС成员国", "APEC成员国"),
        ("ⒶⓅⒺⒸ成员国", "APEC成员国"),
        ("⼈⼤副主任", "人大副主任"),
        ("亻大副主任", "人大副主任"),
    ],
)
def test_a_look_alike_character_does_not_hide_a_term(hidden: str, plain: str) -> None:
    text = f"近日，省{hidden}到会。"
    assert [one.rule for one in _found(text)] == [
        one.rule for one in _found(text.replace(hidden, plain))
    ]
    (one,) = _found(text)
    assert hidden in one.text or one.text in "省" + hidden


@pytest.mark.parametrize("number", ["①③⑧⓪⓪①③⑧⓪⓪⓪", "1③8⓪⓪1③8⓪⓪⓪", "１３８００１３８０００"])
def test_ringed_digits_do_not_hide_a_number(number: str) -> None:
    text = f"手机{number}。"
    assert [(one.rule, one.text) for one in _found(text)] == [("secrecy.mobile", number)]


def test_a_list_mark_before_a_number_is_not_a_part_of_it() -> None:
    found = _found("①13800138000 ②13900139000")
    assert [one.text for one in found] == ["13800138000", "13900139000"]


@pytest.mark.parametrize("text", INNOCENT)
def test_an_innocent_look_alike_is_left_alone(text: str) -> None:
    assert _found(text) == []
