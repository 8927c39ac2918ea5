"""Place hierarchy and renamed places."""

from datetime import date

import pytest

from gates.engine import GateText, NoFacts, RuleSet, run_gates

RULES = RuleSet.load()


def _found(text: str) -> list[tuple[str, str, str | None]]:
    found = run_gates(GateText("", text, "原创", date(2026, 11, 24)), RULES, NoFacts())
    return [(one.rule, one.text, one.suggestion) for one in found]


@pytest.mark.parametrize(
    ("text", "flagged", "right"),
    [
        ("来自湖北省张家界的游客", "湖北省张家界", "湖南省张家界市"),
        ("四川省重庆市的企业", "四川省重庆市", "重庆市"),
        ("江苏省苏州市江宁区", "苏州市江宁区", "南京市江宁区"),
        ("湖北张家界市文旅局", "湖北张家界市", "湖南省张家界市"),
    ],
)
def test_a_place_in_the_wrong_province_or_city_is_found(
    text: str, flagged: str, right: str
) -> None:
    assert _found(text) == [("wording.place-hierarchy", flagged, right)]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("湖北省襄樊市南漳县发布通知", "湖北省襄阳市南漳县"),
        ("山东省滨州市邹平县发布通知", "山东省滨州市邹平市"),
        ("河北省唐山市滦县发布通知", "河北省唐山市滦州市"),
        ("河北省丰南县发布通知", "河北省丰南区"),
        ("浙江省富阳市的企业", "浙江省富阳区"),
    ],
)
def test_an_old_name_gets_the_new_one(text: str, right: str) -> None:
    ((rule, _, suggestion),) = _found(text)
    assert (rule, suggestion) == ("wording.place-renamed", right)


@pytest.mark.parametrize(
    "text",
    [
        "湖南省张家界市永定区",
        "江苏省南通区域中心建设",
        "广东省经济区和吉林省长春县级财政",
        "内蒙古自治区呼和浩特市新城区",
        "北京市朝阳区、辽宁省朝阳市",
        "吉林省吉林市",
        "湖北省仙桃市",
        "苏州市老城区改造",
        "上海市北京东路",
        "四川省、重庆市",
        "山西省 内蒙古自治区 辽宁省",
        "江苏省昆山市",
        "广东省深圳市前海深港合作区",
        "浙江省杭州市各县",
        "海南省海口市桂林洋开发区",
        "湖南省长沙市岳麓山风景区",
        "云南省大理白族自治州大理市",
        "江苏省苏州市建设区块链先导区",
        "浙江省杭州市打造县域经济样板",
        "河南省郑州市加强区域合作",
        "广东省深圳市推进市级统筹",
        "四川省成都市完善区级平台",
        "辽宁省沈阳市打通市县通道",
        "山西省太原市选派县直机关干部",
        "甘肃省兰州市实施旗舰项目",
    ],
)
def test_right_places_are_left_alone(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("山西省大同市城区人民政府", "山西省大同市平城区"),
        ("黑龙江省伊春市带岭区人民政府", "黑龙江省伊春市大箐山县"),
        ("浙江省杭州市江干区发布通知", "浙江省杭州市上城区"),
        ("位于杭州市下城区的企业", "杭州市拱墅区"),
        ("北京市宣武区政务服务中心", "北京市西城区"),
        ("安徽省巢湖市庐江县发布通知", "安徽省合肥市庐江县"),
        ("云南省思茅地区翠云区发布通知", "云南省普洱市思茅区"),
        ("内蒙古自治区伊克昭盟准格尔旗", "内蒙古自治区鄂尔多斯市准格尔旗"),
        ("重庆市开县发布通知", "重庆市开州区"),
    ],
)
def test_a_name_that_changed_altogether_gets_the_new_one(text: str, right: str) -> None:
    ((rule, flagged, suggestion),) = _found(text)
    assert (rule, suggestion) == ("wording.place-renamed", right)
    assert text.startswith(flagged) or flagged in text


@pytest.mark.parametrize(
    "text",
    [
        "杭州市上城区",
        "北京市西城区",
        "重庆市开州区",
        "大同市平城区",
        "襄阳市襄州区",
        "湖北省襄阳市南漳县",
        "呼和浩特市老城区改造",
        "鄂尔多斯市东部区县",
        "赤峰市红山景区",
    ],
)
def test_the_new_name_is_left_alone(text: str) -> None:
    assert _found(text) == []


def test_a_county_one_character_off_gets_the_right_one() -> None:
    assert _found("浙江省杭州市西胡区发布") == [
        ("wording.place-unknown", "浙江省杭州市西胡区", "浙江省杭州市西湖区")
    ]
    assert _found("呼和浩特市赛汗区政务大厅") == [
        ("wording.place-unknown", "呼和浩特市赛汗区", "呼和浩特市赛罕区")
    ]
