"""A newer taxonomy comes to an older office as a text, and changes nothing that it has."""

import yaml

from facets.merging import merged
from facets.taxonomy import STARTING_FILE, parse_taxonomy, starting_taxonomy

OLD = """
version: 1
dimensions:
  topics:
    label: 主题
    values:
      employment: {label: 就业, aliases: [找工作, 招聘], words: {6: [就业补贴]}}
      fishing: {label: 渔业, aliases: [夜市]}
      markets: {label: 消费维权, aliases: []}
  groups: {label: 人群, values: {}}
  regions:
    label: 地区
    values:
      neimenggu: {label: 内蒙古自治区}
      hohhot: {label: 呼和浩特市, aliases: [青城], parent: neimenggu}
  industries: {label: 行业, values: {}}
  kinds: {label: 文种, values: {notice: {label: 通知}}}
"""


def test_what_an_office_has_stays_and_what_it_lacks_is_added() -> None:
    text = merged(OLD, STARTING_FILE.read_text(encoding="utf-8"))
    old, new = parse_taxonomy(yaml.safe_load(OLD)), parse_taxonomy(yaml.safe_load(text))
    for dimension, values in old.facets.items():
        for key, facet in values.items():
            kept = new.get(dimension, key)
            assert kept is not None
            assert (kept.label, kept.parent, kept.words) == (facet.label, facet.parent, facet.words)
    assert new.lineage("regions", "tumote_zuoqi") == ("tumote_zuoqi", "hohhot", "neimenggu")
    assert new.lineage("topics", "recruitment") == ("recruitment", "employment")
    # The narrower value carries the name from now on, and the office's own names stay.
    assert [facet.key for facet in new.find("招聘", ("topics",))] == ["recruitment"]
    assert [facet.key for facet in new.find("青城", ("regions",))] == ["hohhot"]
    # A label the office uses for something of its own is not given twice.
    labels = [facet.label for facet in new.facets["topics"].values()]
    assert len(labels) == len(set(labels))


def test_a_value_that_an_office_merged_away_does_not_come_back() -> None:
    own = OLD.replace("{label: 渔业,", "{label: 渔业, was: [consumption],")
    brought = STARTING_FILE.read_text(encoding="utf-8")
    assert parse_taxonomy(yaml.safe_load(merged(OLD, brought))).get("topics", "consumption")
    new = parse_taxonomy(yaml.safe_load(merged(own, brought)))
    heir = new.get("topics", "consumption")
    assert heir is not None
    assert heir.key == "fishing"


def test_merging_twice_adds_nothing_and_the_newest_office_has_all() -> None:
    brought = STARTING_FILE.read_text(encoding="utf-8")
    once = merged(OLD, brought)
    assert merged(once, brought) == once
    whole = parse_taxonomy(yaml.safe_load(merged(brought, brought)))
    for dimension, values in starting_taxonomy().facets.items():
        assert list(whole.facets[dimension]) == list(values)
