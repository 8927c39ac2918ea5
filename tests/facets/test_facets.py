"""Facets: the values a citizen may choose, and what the tagger finds."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from facets.tagger import TagInputError, tag, tag_record, uses
from facets.taxonomy import (
    DIMENSIONS,
    STARTING_FILE,
    TaxonomyError,
    load_taxonomy,
    parse_taxonomy,
    starting_taxonomy,
)

TOPICS = [
    "employment",
    "labour_social_security",
    "consumption",
    "tax_finance",
    "health",
    "education",
    "housing",
    "transport",
    "agriculture",
    "environment",
    "safety",
    "work_resumption",
    "urban_rural",
    "culture",
    "other",
]


def test_the_widest_topic_keys_are_the_outward_contract() -> None:
    topics = starting_taxonomy().facets["topics"].values()
    assert [one.key for one in topics if one.parent is None] == TOPICS


def test_unemployment_disability_and_low_income_are_sensitive() -> None:
    groups = starting_taxonomy().facets["groups"].values()
    assert {f.key for f in groups if f.sensitive} == {"unemployed", "disabled", "low_income"}


def test_what_a_citizen_types_finds_facets() -> None:
    found = starting_taxonomy().find("订阅青禾县高校毕业生就业政策")
    assert [f.key for f in found] == ["graduates", "qinghe", "employment"]
    assert [f.key for f in starting_taxonomy().find("灵活就业")] == ["flexible_workers"]


def test_a_faulty_taxonomy_names_file_and_place(tmp_path) -> None:
    text = STARTING_FILE.read_text(encoding="utf-8")
    bad = tmp_path / "taxonomy.yaml"
    bad.write_text(text.replace("parent: ulanqab", "parent: nowhere"), encoding="utf-8")
    with pytest.raises(TaxonomyError, match=r"taxonomy.yaml：regions.qinghe.parent"):
        load_taxonomy(bad)
    bad.write_text("dimensions: [", encoding="utf-8")
    with pytest.raises(TaxonomyError, match=r"taxonomy.yaml"):
        load_taxonomy(bad)
    with pytest.raises(TaxonomyError, match="dimensions"):
        parse_taxonomy([])


def test_the_title_outweighs_the_body() -> None:
    body = "各医院要做好服务。医疗机构应当公开价格。"
    assert tag(body)["topics"][0]["key"] == "health"
    titled = tag(body, "关于促进高校毕业生就业创业和发放就业补贴、稳岗返还的通知")
    assert titled["topics"][0]["key"] == "employment"
    assert titled["groups"][0]["key"] == "graduates"
    assert titled["kinds"][0]["key"] == "notice"


def test_a_wordless_text_is_other_and_the_kind_is_the_last_word_of_the_title() -> None:
    assert [t["key"] for t in tag("你好")["topics"]] == ["other"]
    assert tag("正文", "关于印发《小额贷款管理办法》的通知")["kinds"][0]["key"] == "notice"
    assert tag("正文", "小额贷款管理办法")["kinds"][0]["key"] == "measures"


def test_tag_record_keeps_the_id_and_names_the_bad_field() -> None:
    out = tag_record({"id": 7, "text": "青禾县发放消费券，支持新能源汽车消费。"})
    assert out["id"] == 7
    assert set(out) == {"id", *DIMENSIONS}
    assert out["topics"][0]["key"] == "consumption"
    assert out["regions"][0]["key"] == "qinghe"
    assert out["industries"][0]["key"] == "new_energy_vehicles"
    for record, field in (({"id": 1}, "text"), ({"text": "a", "title": 3}, "title"), ([], "JSON")):
        with pytest.raises(TagInputError, match=field):
            tag_record(record)


@given(st.text(max_size=300), st.one_of(st.none(), st.text(max_size=40)))
def test_any_text_gets_ordered_scores_within_bounds(text: str, title: str | None) -> None:
    for entries in tag(text, title).values():
        scores = [entry["score"] for entry in entries]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("发挥海南区位优势，推动高质量发展。", []),
        ("海南区域协同发展。", []),
        ("郑州市二七区和新城区建设取得进展。", []),
        ("西安市新城区举办招聘会。", []),
        ("赤峰路社区招聘网格员，包头东街施工。", []),
        ("大兴安岭林区防火。", []),
        ("工作人员热情招呼市民。", []),
        ("呼市招聘公告", ["hohhot"]),
        ("乌海出台就业补贴政策", ["wuhai"]),
        ("海南区举办招聘会", ["wuhai"]),
        ("海南区委召开会议", ["wuhai"]),
        ("呼和浩特市新城区举办招聘会", ["hohhot"]),
        ("内蒙古：新城区发放消费券", ["hohhot", "neimenggu"]),
        ("巴盟农牧民培训", ["bayannur"]),
        ("昆区新建三所学校，土右旗、达茂旗开班", ["baotou"]),
        ("东乌旗牧民补贴", ["xilingol"]),
        ("科右前旗秋收", ["hinggan"]),
        ("领取红包头像，面包头条", []),
        ("向无锡盟友学习，鄂伦春族歌舞", []),
        ("武汉市青山区、南京市鼓楼区招聘教师", []),
        ("北京市东城区、回民区域政策", []),
    ],
)
def test_a_place_is_one_only_where_it_is_meant(text: str, regions: list[str]) -> None:
    assert sorted(one["key"] for one in tag(text)["regions"]) == regions
    spoken = {
        key for dimension, key in uses("", text, starting_taxonomy()) if dimension == "regions"
    }
    assert spoken == set(regions)  # the words that are shown are those that counted


@pytest.mark.parametrize(
    ("title", "text", "topics"),
    [
        (
            "同意申办世界大学生运动会",
            "同意以某市名义申办2027年世界大学生运动会。",
            {"other", "culture"},
        ),
        ("专利代理条例", "为了规范专利代理行为，保障委托人的合法权益，制定本条例。", {"other"}),
        ("", "发挥区位优势，推动高质量发展。", {"other"}),
        ("", "检查疏散通道和安全出口。", {"other", "safety"}),
    ],
)
def test_a_longer_word_hides_what_is_inside_it(title: str, text: str, topics: set[str]) -> None:
    found = tag(text, title)
    assert {one["key"] for one in found["topics"]} <= topics
    assert found["groups"] == []


def test_what_is_only_mentioned_is_no_topic() -> None:
    text = "县人民医院开展义诊，医生为患者诊疗，药品和疫苗免费，卫生院同时开诊。" * 3
    assert [one["key"] for one in tag(f"{text}也欢迎到超市购物。")["topics"]] == ["health"]


@pytest.mark.parametrize("name", ["silent", "beside"])
def test_a_list_that_is_none_is_named(name: str) -> None:
    data = yaml.safe_load(STARTING_FILE.read_text(encoding="utf-8"))
    regions = data["dimensions"]["regions"]
    (regions if name == "silent" else regions["values"]["hohhot"])[name] = "新城区"
    with pytest.raises(TaxonomyError, match=f"{name}：应为列表"):
        parse_taxonomy(data)
