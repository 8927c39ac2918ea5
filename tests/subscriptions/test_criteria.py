"""Whom an audience means, upwards and downwards, and that the database and the sender agree."""

import itertools
from pathlib import Path

import pytest
from sqlalchemy import select

from facets.taxonomy import TaxonomyError, parse_taxonomy, starting_taxonomy
from subscriptions.criteria import Asked, in_words, meets, wanted
from subscriptions.matching import Matching
from subscriptions.models import Subscription
from subscriptions.subscribers import Wish

T = starting_taxonomy()


def means(audience: dict[str, list[str]], *asked: str) -> bool:
    return meets(wanted(T, {"topics": ["employment"], **audience}), Asked(*asked))


@pytest.mark.parametrize(
    ("listed", "theirs", "reached"),
    [
        ("hohhot", "tumote_zuoqi", True),
        ("neimenggu", "tumote_zuoqi", True),
        ("tumote_zuoqi", "tumote_zuoqi", True),
        ("tumote_zuoqi", "hohhot", False),
        ("tumote_zuoqi", "neimenggu", False),
        ("tumote_zuoqi", "hohhot+", True),
        ("tumote_zuoqi", "neimenggu+", True),
        ("hohhot", "hohhot+", True),
        ("baotou", "hohhot+", False),
        ("baotou", "tumote_zuoqi", False),
        ("tumote_zuoqi", "", True),
    ],
)
def test_a_place_gets_what_holds_for_the_places_around_it(listed, theirs, reached) -> None:
    assert means({"regions": [listed]}, "employment", "", theirs) is reached


@pytest.mark.parametrize(
    ("listed", "theirs", "reached"),
    [
        ("recruitment", "employment", True),
        ("employment", "recruitment", True),
        ("recruitment", "job_training", False),
        ("recruitment", "consumption", False),
        ("recruitment", "", True),
    ],
)
def test_a_topic_and_its_parts_go_together(listed, theirs, reached) -> None:
    assert means({"topics": [listed]}, theirs) is reached


def test_an_industry_and_a_kind_narrow_like_a_group() -> None:
    audience = {"industries": ["catering"], "kinds": ["interpretation"]}
    assert means(audience, "employment")
    assert means(audience, "employment", "", "", "catering", "interpretation")
    assert not means(audience, "employment", "", "", "retail")
    assert not means(audience, "employment", "", "", "", "notice")
    assert means({}, "employment", "", "", "retail", "notice")


def test_nobody_is_meant_by_an_audience_without_a_topic() -> None:
    assert not meets(wanted(T, {"topics": [], "regions": ["hohhot"]}), Asked("", "", "hohhot"))


def test_a_subscription_in_words_has_words_of_the_taxonomy_alone() -> None:
    asked = Asked("recruitment", "graduates", "hohhot+", "catering", "notice")
    assert in_words(T, asked) == (
        "招聘信息、人群 高校毕业生、地区 呼和浩特市及所辖各地、行业 餐饮、文种 通知"
    )
    assert in_words(T, Asked("", "", "tumote_zuoqi")) == "全部主题、地区 土默特左旗"
    assert in_words(T, Asked("x", "y"), "（没有了）") == "（没有了）、人群 （没有了）"


async def test_the_database_and_the_sender_mean_the_same_people(town) -> None:
    wishes = [
        Wish(topic, group, region, industry=industry)
        for topic, group, region, industry in itertools.product(
            ("employment", "recruitment", ""),
            ("", "graduates"),
            ("", "tumote_zuoqi", "hohhot", "neimenggu+"),
            ("", "catering"),
        )
        if any((topic, group, region, industry))
    ]
    for wish in wishes:
        await town.citizen(wish)
    matching = Matching(T)
    for audience in (
        {"topics": ["employment"]},
        {"topics": ["recruitment"], "regions": ["hohhot"]},
        {"topics": ["recruitment"], "regions": ["tumote_zuoqi"], "industries": ["catering"]},
        {"topics": ["job_training"], "groups": ["graduates"], "regions": ["neimenggu"]},
    ):
        async with town.db.session() as session:
            found = await matching.count(session, audience, ["tg"])
            sample = await matching.sample(session, audience, ["tg"], 100)
        expected = [one.asked for one in wishes if meets(wanted(T, audience), one.asked)]
        assert found == len(expected)
        assert sorted(one.reason for one in sample) == sorted(
            "您订阅了 " + in_words(T, one) for one in expected
        )


async def test_a_row_with_an_industry_is_sealed_and_one_of_an_earlier_office_keeps_its_seal(
    town,
) -> None:
    await town.citizen(Wish("employment"), Wish("employment", industry="catering"))
    async with town.db.session() as session:
        rows = (await session.scalars(select(Subscription).order_by(Subscription.id))).all()
        assert [(row.whole, len(row.values())) for row in rows] == [(True, 10), (True, 13)]


def test_every_banner_and_county_of_the_region_can_be_chosen() -> None:
    table = (Path(__file__).parents[2] / "config/rules/divisions.tsv").read_text(encoding="utf-8")
    regions = {one.label: one for one in T.facets["regions"].values()}
    for line in table.splitlines():
        province, prefecture, counties = line.split("\t")
        if province != "内蒙古自治区":
            continue
        for county in counties.split():
            if county[-1] in "旗县市区" and "开发区" not in county:
                above = T.lineage("regions", regions[county].key)
                assert [T.label("regions", key) for key in above] == [county, prefecture, province]


def test_every_key_fits_into_a_button() -> None:
    longest = [max(map(len, T.facets[name])) for name in ("topics", "regions", "industries")]
    assert all(len(f"r:{'0' * 26}:") + length + 1 <= 64 for length in longest)


def test_a_taxonomy_with_a_circle_is_refused_by_its_place() -> None:
    values = {"a": {"label": "甲", "parent": "b"}, "b": {"label": "乙", "parent": "a"}}
    others: dict[str, object] = {
        name: {"values": {}} for name in ("groups", "regions", "industries", "kinds")
    }
    with pytest.raises(TaxonomyError, match=r"topics\.a\.parent：上级绕回了自己"):
        parse_taxonomy({"dimensions": {"topics": {"values": values}, **others}})
