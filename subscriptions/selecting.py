"""Whom an audience means, as statements: what criteria.py says, asked of the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, literal, select
from sqlalchemy.sql.elements import ColumnElement

from bot.models import Contact
from config.clock import beijing, now
from facets.criteria import (
    ANY_TOPIC,
    BELOW,
    BELOW_WORDS,
    GROUPS,
    INDUSTRIES,
    KINDS,
    REGIONS,
    TOPICS,
    Wanted,
    wanted,
)
from facets.taxonomy import Taxonomy
from subscriptions.models import Subscription

_COLUMNS = {
    TOPICS: Subscription.topic,
    GROUPS: Subscription.group,
    REGIONS: Subscription.region,
    INDUSTRIES: Subscription.industry,
    KINDS: Subscription.kind,
}
_SAID = {TOPICS: "", GROUPS: "、人群 ", REGIONS: "、地区 ", INDUSTRIES: "、行业 ", KINDS: "、文种 "}


def day_of(moment: datetime) -> str:
    """The day in Beijing, as subscriptions keep it."""
    return beijing(moment).date().isoformat()


def counting(found: Wanted, account_ids: Sequence[str], *columns: Any) -> Select[Any]:
    """The subscriptions that count for an audience; a paused one matches nothing.

    Whether each value of `found.each` is met by its person is not asked here.
    """
    limits: list[ColumnElement[bool]] = [
        Subscription.state == "active",
        Subscription.paused_until <= day_of(now()),
        Contact.state == "active",
        Contact.account_id.in_(list(account_ids)),
        *(_COLUMNS[name].in_(sorted(values)) for name, values in found.limits.items()),
    ]
    return (
        select(*columns)
        .select_from(Subscription)
        .join(Contact, Contact.id == Subscription.contact_id)
        .where(*limits)
    )


def people(
    taxonomy: Taxonomy, audience: Mapping[str, Any], account_ids: Sequence[str], *columns: Any
) -> Select[Any]:
    """One row for each person an audience means; columns may be aggregates over what counts."""
    found = wanted(taxonomy, audience)
    query = counting(found, account_ids, *columns)
    met = [
        func.max(case((_COLUMNS[name].in_(sorted(values)), 1), else_=0)) == 1
        for name, values in found.each
    ]
    return query.group_by(Contact.id).having(*met)


def reason(taxonomy: Taxonomy) -> ColumnElement[str]:
    """您订阅了 就业创业、人群 高校毕业生: built by the database per row, for samples."""
    found: ColumnElement[str] = literal("您订阅了 ")
    for dimension, before in _SAID.items():
        anything = ANY_TOPIC if dimension == TOPICS else ""
        found = found + _labels(taxonomy, dimension, before, anything)
    return found


def _labels(taxonomy: Taxonomy, dimension: str, before: str, anything: str) -> ColumnElement[str]:
    labels = {key: one.label for key, one in taxonomy.facets[dimension].items()}
    labels |= {old: labels[key] for old, key in taxonomy.former[dimension].items()}
    known = {key: literal(before + label) for key, label in labels.items()}
    if dimension == REGIONS:
        below = {key + BELOW: label + BELOW_WORDS for key, label in labels.items()}
        known |= {key: literal(before + words) for key, words in below.items()}
    known[""] = literal(anything)
    return case(known, value=_COLUMNS[dimension], else_=literal(""))
