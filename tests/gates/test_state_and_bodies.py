"""The name of the state, autonomous regions, fixed formulations, and bodies that ended."""

from datetime import date

import pytest

from gates.bodies import BODIES
from gates.engine import GateText, NoFacts, RuleSet, run_gates

RULES = RuleSet.load()


def _found(text: str, day: date = date(2026, 11, 28)) -> list[tuple[str, str, str | None]]:
    found = run_gates(GateText("", text, "原创", day), RULES, NoFacts())
    return [(one.severity, one.text, one.suggestion) for one in found]


@pytest.mark.parametrize(
    "wrong",
    [
        "中国人民共和国",
        "中华人民共合国",
        "中华人共和国",
        "中华人民民共和国",
        "中华人名共和国",
        "华人民共和国",
    ],
)
def test_a_slip_in_the_name_of_the_state_blocks(wrong: str) -> None:
    assert _found(f"依照{wrong}宪法") == [("block", wrong, "中华人民共和国")]


@pytest.mark.parametrize(
    "text",
    [
        "中华人民共和国成立以来",
        "朝鲜民主主义人民共和国",
        "中国人民解放军",
        "中华民族共同体",
        "中国人民和各国人民",
        "回新疆省亲",
        "广西市场监管部门",
        "1955年撤销新疆省建制",
        "西藏自治区",
        "内蒙古自治区",
    ],
)
def test_right_names_of_the_state_and_its_regions_are_left_alone(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "flagged", "right"),
    [
        ("广西省桂林市", "广西省", "广西壮族自治区"),
        ("西藏省拉萨市", "西藏省", "西藏自治区"),
        ("内蒙古省包头市", "内蒙古省", "内蒙古自治区"),
        ("宁夏自治区人民政府", "宁夏自治区", "宁夏回族自治区"),
        ("新疆维吾尔族自治区", "新疆维吾尔族自治区", "新疆维吾尔自治区"),
    ],
)
def test_an_autonomous_region_gets_its_name(text: str, flagged: str, right: str) -> None:
    ((_, found, suggestion),) = _found(text)
    assert (found, suggestion) == (flagged, right)


@pytest.mark.parametrize(
    ("text", "flagged", "right"),
    [
        ("坚定“五个自信”", "五个自信", "四个自信"),
        ("增强“四种意识”", "四种意识", "四个意识"),
        ("增强“四个意思”", "四个意思", "四个意识"),
        ("坚定“四个自信心”", "四个自信心", "四个自信"),
        ("贯彻“四个全部”战略布局", "四个全部", "四个全面"),
        ("坚决做到“两项维护”", "两项维护", "两个维护"),
        ("坚决做到三个维护", "三个维护", "两个维护"),
        ("统筹推进“四位一体”总体布局", "四位一体", "五位一体"),
        ("坚持“一国一制”", "一国一制", "一国两制"),
        ("推进“三学一做”学习教育", "三学一做", "两学一做"),
        ("落实“四会一课”制度", "四会一课", "三会一课"),
        ("科技创新坚持“三个面向”", "三个面向", "四个面向"),
        ("教育要坚持“五个面向”", "五个面向", "三个面向"),
        ("落实中央九项规定精神", "九项规定", "八项规定"),
        ("落实中央“十项规定”精神", "十项规定", "八项规定"),
        ("落实党风廉政建设“三个责任”", "三个责任", "两个责任"),
        ("新时代思想的“九个明确”", "九个明确", "十个明确"),
        (
            "坚持创新、绿色、协调、开放、共享",
            "创新、绿色、协调、开放、共享",
            "创新、协调、绿色、开放、共享",
        ),
        (
            "纠治官僚主义、形式主义、享乐主义、奢靡之风",
            "官僚主义、形式主义、享乐主义、奢靡之风",
            "形式主义、官僚主义、享乐主义、奢靡之风",
        ),
    ],
)
def test_a_formulation_with_another_number_or_order_is_told(
    text: str, flagged: str, right: str
) -> None:
    assert ("warn", flagged, right) in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "增强“四个意识”、坚定“四个自信”、做到“两个维护”",
        "实现“两个一百年”奋斗目标",
        "增强“四个意识”，工作中落实“四个意见”",
        "运用监督执纪“四种形态”，打赢“三大攻坚战”",
        "增强“四个自信”。企业要有“四种意识”。",
        "三位一体的工作机制",
        "完成三个全面覆盖",
        "落实“一岗双责”",
        "坚持一国两制、共建一带一路",
        "开放、共享、绿色的园区",
        "明确两个责任主体",
        "坚持教育“三个面向”",
        "教育、科技、人才工作坚持“四个面向”",
        "教育系统坚持“四个面向”",
        "落实省委十项规定，纠治四风",
        "省委“九项规定”落实中央八项规定精神",
        "落实党风廉政“三个责任人”制度",
        "党风廉政建设三个责任主体",
        "新时代青年工作做到三个明确",
        "按照新时代思想“五个明确”要求",
    ],
)
def test_right_formulations_and_plain_counts_are_left_alone(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "flagged", "right"),
    [
        ("请向市质量技术监督局投诉", "质量技术监督局", "市场监督管理局"),
        ("市环境保护局发布公告", "环境保护局", "生态环境局"),
        ("县农业局印发公告", "农业局", "农业农村局"),
        ("由县安全生产监督管理局牵头", "安全生产监督管理局", "应急管理局"),
        ("报国务院扶贫办备案", "国务院扶贫办", "农业农村部"),
        ("请向当地扶贫办申请", "扶贫办", "农业农村部门"),
        ("由银监会批准", "银监会", "金融监管总局"),
        ("县旅游局位于人民路", "旅游局", "文化和旅游局"),
        ("由农业部分别印发", "农业部", "农业农村部"),
        ("中国银保监会发布通知", "中国银保监会", "国家金融监督管理总局"),
        ("市住房与城乡建设局", "住房与城乡建设", "住房和城乡建设"),
        ("国家卫健委员会印发", "卫健委员会", "卫生健康委员会"),
        ("报市发改委员会审批", "发改委员会", "发展和改革委员会"),
        ("市住建委员会通知", "住建委员会", "住房和城乡建设委员会"),
        ("向县人社保障局申请", "人社保障局", "人力资源和社会保障局"),
        ("到区退伍军人事务局办理", "退伍军人事务", "退役军人事务"),
        ("国家市场监督管总局发布", "国家市场监督管总局", "国家市场监督管理总局"),
        ("按照环境保护部的要求整改", "环境保护部", "生态环境部"),
        ("国家发展改革委员会印发", "国家发展改革委员会", "国家发展和改革委员会"),
        ("县旅游局要加强管理。到2020年建成。\n2026年3月5日", "旅游局", "文化和旅游局"),
        ("某政发〔2026〕12号\n2015年完成。县旅游局要加强管理。", "旅游局", "文化和旅游局"),
        ("国家旅游局要加强管理。\n2018年6月5日", "国家旅游局", "文化和旅游部"),
        ("完善制度。（县卫计局、县旅游发展服务中心负责）", "卫计局", "卫生健康局"),
    ],
)
def test_a_body_that_ended_gets_its_successor(text: str, flagged: str, right: str) -> None:
    assert _found(text) == [("warn", flagged, right)]


@pytest.mark.parametrize(
    "text",
    [
        "原县国土资源局核发的证照继续有效",
        "2016年，县旅游局举办展会",
        "县旅游局要加强管理。到2020年建成。\n2017年3月2日",
        "县旅游局要加强管理。\n某县人民政府\n二〇一七年三月二日",
        "国家旅游局要加强管理。\n2018年1月5日",
        "某政发〔2017〕12号\n到2020年，县旅游局要建成体系。",
        "发布日期：2017-03-02\n县旅游局要加强管理。",
        "2016年已完成试点。县旅游局要加强管理，到2020年全面建成。",
        "成员：公安部、铁道部、交通部、农业部、商务部",
        "加强协调。（财政部、银保监会、证监会负责）",
        "组织贫困地区农产品采购，由扶贫办牵头",
        "环境保护部门和农业部门",
        "市文化和旅游局",
        "国家税务总局某市税务局",
        "《卫生部关于印发办法的通知》",
        "卫生部令第58号",
        "国家工商行政管理总局公告2013年第2号",
        "县扶贫办职责划入县农业农村局",
        "国家教育部门、国家财政部门发布",
        "县人事局长会议",
        "有关建设部分的内容",
        "本农业部分由县里承担",
        "的卫生部位和文化部件",
        "报送财务部、人事部",
        "农业农村部和国家乡村振兴局联合部署",
        "县乡村振兴局负责",
        "国家海洋局发布海浪预警",
        "市文化旅游局",
        "2020年2月9日消息。市扶贫办召开会议。",
    ],
)
def test_former_bodies_in_their_time_and_bodies_of_now_are_left_alone(text: str) -> None:
    assert _found(text) == []


def test_a_body_is_told_only_after_it_ended() -> None:
    text = "向市银保监局申报"
    assert _found(text, date(2023, 3, 1)) == []
    assert _found(text, date(2026, 1, 1)) == [("warn", "银保监局", "金融监管局")]


def test_an_old_plan_cited_in_a_text_of_today_excuses_no_former_body() -> None:
    text = "依据2019年规划，2026年9月起向市扶贫办申报"
    assert [flagged for _, flagged, _ in _found(text)] == ["扶贫办"]


def test_no_name_of_now_is_itself_a_former_body() -> None:
    nows = {now for body in BODIES.values() for now in body.now.split("、")}
    assert not nows & set(BODIES)
