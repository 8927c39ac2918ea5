"""A value that goes has an heir; what that means for its subscriptions is said before it is so."""

from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from content_sources.reposts import topic_faults
from facets.criteria import (
    BELOW,
    Asked,
    current,
    in_words,
    meets,
    of_now,
    wanted,
    ways_now,
)
from facets.merging import merged
from facets.moves import faults_between, told_between
from facets.taxonomy import Taxonomy, TaxonomyError, parse_taxonomy
from knowledge.followed import Shelf

Values = dict[str, dict[str, Any]]
OLD: Values = {
    "work": {"label": "就业"},
    "training": {"label": "培训", "parent": "work"},
    "hiring": {"label": "招聘", "parent": "work"},
    "buying": {"label": "消费"},
}


def taxonomy(topics: Values, **others: Values) -> Taxonomy:
    return parse_taxonomy(written(topics, **others))


def written(topics: Values, **others: Values) -> dict[str, Any]:
    names = ("topics", "groups", "regions", "industries", "kinds")
    values = {"topics": topics, **others}
    return {"dimensions": {n: {"label": n, "values": values.get(n, {})} for n in names}}


def renamed() -> Values:
    rest = {key: value for key, value in OLD.items() if key != "training"}
    new = {"label": "技能培训", "aliases": ["培训"], "parent": "work", "was": ["training"]}
    return {**rest, "skills": new}


def joined() -> Values:
    work = {"label": "就业", "aliases": ["培训", "招聘"], "was": ["training", "hiring"]}
    return {"work": work, "buying": OLD["buying"]}


def split() -> Values:
    rest = {key: value for key, value in OLD.items() if key != "training"}
    parts = {
        "online": {"label": "网上培训", "aliases": ["培训"], "parent": "work", "was": ["training"]},
        "class": {"label": "培训班", "parent": "work", "was": ["training"]},
    }
    return {**rest, **parts}


def faults(new: Values, old: Values = OLD) -> str:
    return "\n".join(map(str, faults_between(taxonomy(old), taxonomy(new))))


def test_a_value_that_goes_without_an_heir_is_refused_with_the_remedy() -> None:
    gone = {key: value for key, value in OLD.items() if key != "hiring"}
    assert "hiring（招聘）不见了：请在接替它的值里写 was: [hiring]" in faults(gone)
    assert [faults(one) for one in (renamed(), joined(), split())] == ["", "", ""]


def test_an_heir_is_not_forgotten_by_a_later_change() -> None:
    later = {**renamed(), "skills": {"label": "技能培训", "aliases": ["培训"], "parent": "work"}}
    assert "training（技能培训）不见了" in faults(later, renamed())
    # Back to the first name is a rename as well.
    assert faults({**OLD, "training": {**OLD["training"], "was": ["skills"],
                                       "aliases": ["技能培训"]}}, renamed()) == ""  # fmt: skip


def test_a_former_name_stays_among_the_words_people_may_say() -> None:
    new = {**renamed(), "skills": {**renamed()["skills"], "aliases": []}}
    assert "名称“培训”没有了" in faults(new)


def test_nobody_comes_to_a_sensitive_value_without_their_own_consent() -> None:
    old, new = {"a": {"label": "甲"}}, {"b": {"label": "乙", "aliases": ["甲"], "was": ["a"]}}
    secret = {"b": {**new["b"], "sensitive": True}}
    told = [*faults_between(taxonomy({}, groups=old), taxonomy({}, groups=secret))]
    assert "敏感的要本人单独同意" in str(told[0])
    assert not [*faults_between(taxonomy({}, groups=old), taxonomy({}, groups=new))]


@pytest.mark.parametrize(
    ("topics", "told"),
    [
        ({**OLD, "work": {"label": "就业", "was": ["hiring"]}}, "hiring 还在，不能由别的值接替"),
        ({"a": {"label": "甲", "parent": "b"}, "b": {"label": "乙", "parent": "a"}}, "绕回了自己"),
        ({"a": {"label": "甲", "was": "b"}}, "was：应为列表"),
    ],
)
def test_a_taxonomy_that_contradicts_itself_is_refused_in_words(topics: Values, told: str) -> None:
    with pytest.raises(TaxonomyError, match=told):
        taxonomy(topics)


def test_one_name_twice_in_one_place_is_refused_and_an_office_that_has_it_goes_on() -> None:
    twice = {**OLD, "again": {"label": "招聘", "parent": "work"}}
    assert faults(twice) == "again 的名称“招聘”与 hiring 同名同级，请合并或改名"
    assert taxonomy(twice).find("招聘", ("topics",))


def test_two_places_of_one_name_may_lie_in_two_places() -> None:
    places: Values = {
        "a": {"label": "甲市"},
        "b": {"label": "乙市"},
        "a1": {"label": "新城区", "parent": "a"},
        "b1": {"label": "新城区", "parent": "b"},
    }
    found = taxonomy({}, regions=places).find("新城区", ("regions",))
    assert [one.key for one in found] == ["a1", "b1"]


def test_who_approves_reads_what_becomes_of_subscriptions() -> None:
    told = [told_between(taxonomy(OLD), taxonomy(one)) for one in (renamed(), joined(), split())]
    assert told == [
        ["“培训”改为“技能培训”：订阅转过去"],
        ["“培训”、“招聘”、“就业”合为“就业”：订阅转过去，同一个人的几项合成一项"],
        ["“培训”拆成“网上培训或培训班”：原来的订阅仍收到各类，由本人在“我的订阅”里选其中一类"],
    ]
    assert told_between(taxonomy(renamed()), taxonomy(renamed())) == []


def test_what_the_office_renamed_does_not_come_back_with_a_newer_program() -> None:
    own = yaml.safe_dump(written(renamed()), allow_unicode=True)
    text = merged(own, yaml.safe_dump({"version": 2, **written(OLD)}, allow_unicode=True))
    assert "training" not in parse_taxonomy(yaml.safe_load(text)).facets["topics"]


def test_a_split_value_means_each_part_and_a_button_of_it_asks_which() -> None:
    now = taxonomy(split())
    asked = Asked("training")
    assert in_words(now, asked) == "网上培训或培训班"
    assert of_now(now, asked) == asked
    assert ways_now(now, asked) == [Asked("online"), Asked("class")]
    for part in ("online", "class", "training", "work"):
        assert meets(wanted(now, {"topics": [part]}), asked)
    assert not meets(wanted(now, {"topics": ["hiring"]}), asked)
    # What was approved for the value that was is for both parts.
    assert meets(wanted(now, {"topics": ["training"]}), Asked("class"))


def test_a_place_keeps_its_parts_when_it_is_renamed() -> None:
    places: Values = {
        "a": {"label": "新市", "was": ["old"]},
        "b": {"label": "某县", "parent": "a"},
    }
    now = taxonomy(OLD, regions=places)
    asked = Asked("work", region="old" + BELOW)
    assert of_now(now, asked) == Asked("work", region="a" + BELOW)
    found = wanted(now, {"topics": ["work"], "regions": ["b"]})
    assert meets(found, asked)
    assert not meets(found, Asked("work", region="old"))


KEYS = [f"v{number}" for number in range(6)]


@settings(deadline=None, max_examples=60)
@given(
    heirs=st.lists(st.sets(st.sampled_from(KEYS), min_size=1, max_size=2), min_size=1, max_size=5),
    listed=st.sets(st.integers(0, 10), min_size=1),
    value=st.integers(0, 10),
)
def test_whatever_was_renamed_merged_or_split_a_row_matches_before_and_after_it_is_moved(
    heirs: list[set[str]], listed: set[int], value: int
) -> None:
    values: Values = {key: {"label": key} for key in KEYS}
    for number, carried in enumerate(heirs):
        for key in carried:
            values[key].setdefault("was", []).append(f"old{number}")
    now = taxonomy(values, groups=values)
    every = [*KEYS, *(f"old{number}" for number in range(len(heirs)))]
    meant = {one: {one} for one in KEYS} | {f"old{n}": one for n, one in enumerate(heirs)}
    keys = {every[one % len(every)] for one in listed}
    mine = every[value % len(every)]
    audience = {"topics": sorted(keys), "groups": sorted(keys)}
    expected = any(meant[mine] & meant[key] for key in keys)
    for asked in (Asked(mine, mine), of_now(now, Asked(mine, mine))):
        assert meets(wanted(now, audience), asked) is expected
        assert meets(wanted(now, current(now, audience)), asked) is expected


def test_what_was_kept_by_an_older_key_means_its_heir() -> None:
    gone = ((renamed(), ("skills",)), (joined(), ("work",)), (split(), ("online", "class")))
    for topics, heirs in gone:
        known = taxonomy(topics)
        assert known.keys_now("topics", ["training", "buying", "training"]) == (*heirs, "buying")
        assert "training" in known.with_former("topics", heirs[:1])
        assert "training" not in known.with_former("topics", ["buying"])
    assert taxonomy(OLD).keys_now("topics", ["nobody"]) == ("nobody",)


@pytest.mark.parametrize("topics", [renamed(), joined(), split()])
def test_a_policy_and_a_source_follow_their_topic(topics: Values) -> None:
    known = taxonomy(topics)
    heirs = known.keys_now("topics", ["training"])
    policy: Any = SimpleNamespace(title="办法", topics="training")
    assert Shelf(known.with_former("topics", heirs)).holds(policy)
    source: Any = SimpleNamespace(organisation="县人社局", topics=("training",))
    for key in ("training", *heirs, "buying"):
        draft: Any = SimpleNamespace(audience={"topics": [key]})
        refused = [one.rule for one in topic_faults(draft, source, known)]
        assert refused == (["scope"] if key == "buying" else [])
