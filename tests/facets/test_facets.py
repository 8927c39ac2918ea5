"""Facets: the values a citizen may choose, and what the tagger finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facets.tagger import TagInputError, tag, tag_record
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
