"""A topic is renamed or split while a citizen chooses: their button works, or asks which part."""

from collections.abc import Mapping
from typing import Any

import yaml

from config.settings import CONFIG
from facets.taxonomy import Taxonomy, parse_taxonomy
from tests.handlers.conftest import Citizen, Office

STARTING = (CONFIG / "taxonomy.yaml").read_text(encoding="utf-8")
RENAMED = {"skills": {"label": "技能提升", "aliases": ["培训"], "was": ["employment"]}}
SPLIT = {
    "online": {"label": "网上培训", "parent": "employment", "was": ["job_training"]},
    "class": {"label": "培训班", "parent": "employment", "was": ["job_training"]},
}


def taxonomy(topics: Mapping[str, Mapping[str, Any]]) -> Taxonomy:
    whole = yaml.safe_load(STARTING)
    values = whole["dimensions"]["topics"]["values"]
    gone = {old for one in topics.values() for old in one["was"]}
    rest = {key: value for key, value in values.items() if key not in gone}
    for value in rest.values():
        if value.get("parent") in gone:
            value["parent"] = next(iter(topics))
    whole["dimensions"]["topics"]["values"] = {**topics, **rest}
    return parse_taxonomy(whole)


async def test_a_button_offered_before_the_rename_still_subscribes(
    office: Office, citizen: Citizen
) -> None:
    await citizen.menu("sub")
    office.changed(taxonomy(RENAMED))
    told = await citizen.tap("就业创业")
    assert "已订阅" in told
    assert "技能提升" in told


async def test_a_button_of_a_split_topic_asks_which_part(office: Office, citizen: Citizen) -> None:
    office.changed(taxonomy(SPLIT))
    told = await citizen.menu("sub:job_training:graduates")
    assert "分成了几类" in told
    assert "培训班" in await citizen.tap("培训班、人群 高校毕业生")


async def test_who_had_a_split_topic_sees_both_parts_and_chooses_one(
    office: Office, citizen: Citizen
) -> None:
    await citizen.menu("sub:job_training")
    office.changed(taxonomy(SPLIT))
    assert "网上培训或培训班（即时）" in await citizen.menu("mine")
    await citizen.tap("选一类：网上培训或培训班")
    assert "培训班（即时）" in await citizen.tap("培训班")
    assert "网上培训" not in await citizen.menu("mine")


async def test_leaving_by_the_name_of_a_part_leaves_the_split_topic(
    office: Office, citizen: Citizen
) -> None:
    await citizen.menu("sub:job_training")
    office.changed(taxonomy(SPLIT))
    assert "已退订" in await citizen.say("退订培训班")
    assert "培训" not in await citizen.menu("mine")


async def test_a_button_of_something_that_never_was_says_so(
    office: Office, citizen: Citizen
) -> None:
    assert "不在可订阅范围" in await citizen.menu("sub:no_such_topic")
