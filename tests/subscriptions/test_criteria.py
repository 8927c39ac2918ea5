"""Whom an audience means, upwards and downwards, and that the database and the sender agree."""

import itertools
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select, update

from facets.criteria import Asked, in_words, meant, meets, wanted
from facets.taxonomy import (
    STARTING_FILE,
    Taxonomy,
    TaxonomyError,
    parse_taxonomy,
    starting_taxonomy,
)
from subscriptions.matching import Matching
from subscriptions.models import Subscription
from subscriptions.subscribers import Wish
from tests.subscriptions.test_push import publication, released, rows_of

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
        {"topics": ["recruitment", "consumption"], "all": ["topics"]},
    ):
        async with town.db.session() as session:
            found = await matching.count(session, audience, ["tg"])
            sample = await matching.sample(session, audience, ["tg"], 100)
        expected = [one.asked for one in wishes if meant(wanted(T, audience), [one.asked])]
        assert found == len(expected)
        assert sorted(one.reason for one in sample) == sorted(
            "您订阅了 " + in_words(T, one) for one in expected
        )


async def test_a_row_with_an_industry_is_sealed_and_one_of_an_earlier_office_keeps_its_seal(
    town,
) -> None:
    await town.citizen(Wish("employment"), Wish("employment", industry="catering"))
    async with town.db.session() as session:
        rows = (await session.scalars(select(Subscription).order_by(Subscription.created_at))).all()
        assert [(row.whole, len(row.values())) for row in rows] == [(True, 10), (True, 13)]


BOTH = {"topics": ["employment", "consumption"], "all": ["topics"]}


def test_each_value_is_met_by_some_subscription_of_one_person() -> None:
    jobs, buying = Asked("employment"), Asked("consumption")
    assert meant(wanted(T, BOTH), [jobs, buying])
    assert meant(wanted(T, BOTH), [Asked("", "graduates")])  # of every topic
    assert not meant(wanted(T, BOTH), [jobs])
    assert not meant(wanted(T, BOTH), [])
    either = {"topics": BOTH["topics"]}
    assert meant(wanted(T, either), [jobs])
    # One that does not count meets nothing: it is for another place.
    here = {**BOTH, "regions": ["hohhot"]}
    assert not meant(wanted(T, here), [jobs, Asked("consumption", "", "baotou")])
    assert meant(wanted(T, here), [jobs, Asked("consumption", "", "hohhot")])


def test_each_in_two_dimensions_may_be_met_by_different_subscriptions() -> None:
    audience = {
        "topics": ["employment", "consumption"],
        "groups": ["graduates", "veterans"],
        "all": ["topics", "groups"],
    }
    own = [Asked("employment", "graduates"), Asked("consumption", "veterans")]
    assert meant(wanted(T, audience), own)
    assert not meant(wanted(T, audience), own[1:])
    assert not meant(wanted(T, audience), own[:1])


async def test_who_is_counted_is_who_gets_a_row_when_each_must_be_met(town) -> None:
    both = await town.citizen(Wish("employment"), Wish("consumption", "graduates"))
    await town.citizen(Wish("employment"))
    await town.citizen(Wish("consumption"))
    everything = await town.citizen(Wish("", "graduates"))
    matching, place = Matching(T), await publication(town)
    async with town.db.session() as session:
        assert await matching.count(session, BOTH, ["tg"]) == 2
        assert len(await matching.sample(session, BOTH, ["tg"])) == 2
    assert await matching.create_deliveries(town.db, place, released(BOTH)) == 2
    assert {row.contact_id for row in await rows_of(town)} == {both.id, everything.id}


async def test_a_subscription_written_past_us_meets_no_value(town) -> None:
    person = await town.citizen(Wish("employment"), Wish("health"))
    forged = update(Subscription).where(Subscription.topic == "health")
    async with town.db.session() as session:
        await session.execute(forged.values(topic="consumption"))
    made = await Matching(T).create_deliveries(town.db, await publication(town), released(BOTH))
    assert (made, await rows_of(town)) == (0, [])
    async with town.db.session() as session:
        wants = await Matching(T).wants(session, [person.id])
    assert wants.why("tg", person.id, BOTH, "您订阅了 就业创业") == ""
    assert wants.why("tg", person.id, {"topics": ["employment"]}, "您订阅了 就业创业")


def changed_taxonomy(**topics: object) -> Taxonomy:
    """The starting one whose topics are these alone."""
    data = yaml.safe_load(STARTING_FILE.read_text(encoding="utf-8"))
    data["dimensions"]["topics"]["values"] = topics
    return parse_taxonomy(data)


async def test_a_renamed_or_merged_value_goes_on_to_mean_what_was_chosen_before(town) -> None:
    later = changed_taxonomy(
        jobs={"label": "就业", "was": ["employment", "recruitment"]}, consumption={"label": "消费"}
    )
    old = await town.citizen(Wish("employment"), Wish("recruitment"))
    await town.citizen(Wish("consumption"))
    town.subscribers.taxonomy = later
    new = await town.citizen(Wish("jobs"))
    for audience in ({"topics": ["jobs"]}, {"topics": ["recruitment"]}):
        async with town.db.session() as session:
            assert await Matching(later).count(session, audience, ["tg"]) == 2
            said = await Matching(later).sample(session, audience, ["tg"])
        assert {one.reason for one in said} == {"您订阅了 就业"}
    made = await Matching(later).create_deliveries(
        town.db, await publication(town), released({"topics": ["employment"]})
    )
    assert made == 2
    assert {row.contact_id: row.reason for row in await rows_of(town)} == dict.fromkeys(
        (old.id, new.id), "您订阅了 就业"
    )
    # Chosen once more under its new name it is the one that stands.
    async with town.ledger.transaction() as tx:
        await town.subscribers.subscribe(tx, old, Wish("jobs", frequency="daily"), "2")
        assert len(await town.subscribers.list(tx.session, old.id)) == 2


@pytest.mark.parametrize(
    ("audience", "theirs"),
    [
        ({"groups": ["b"]}, Asked("t", "a")),
        ({"groups": ["a"]}, Asked("t", "b")),
        ({"groups": ["b"]}, Asked("t", "c")),
        ({"groups": ["b", "c"], "all": ["groups"]}, Asked("t", "a")),
        ({"regions": ["old_town"]}, Asked("t", "", "town")),
        ({"regions": ["village"]}, Asked("t", "", "old_town+")),
        ({"regions": ["town"]}, Asked("t", "", "village")),
    ],
)
def test_a_former_key_is_met_by_every_key_of_its_heir(audience, theirs) -> None:
    values = {
        "topics": {"t": {"label": "题"}},
        "groups": {"c": {"label": "丙", "was": ["a", "b"]}},
        "regions": {
            "town": {"label": "镇", "was": ["old_town"]},
            "village": {"label": "村", "parent": "town"},
        },
        "industries": {},
        "kinds": {},
    }
    dimensions = {name: {"values": one} for name, one in values.items()}
    later = parse_taxonomy({"dimensions": dimensions})
    assert meant(wanted(later, {"topics": ["t"], **audience}), [theirs])


@pytest.mark.parametrize(
    ("topics", "words"),
    [
        ({"a": {"label": "甲", "was": ["b"]}, "b": {"label": "乙"}}, "b 还在，不能由别的值接替"),
        ({"a": {"label": "甲", "was": "x"}}, "was：应为列表"),
    ],
)
def test_a_former_key_means_one_value(topics, words) -> None:
    with pytest.raises(TaxonomyError, match=words):
        changed_taxonomy(**topics)


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
