"""Whom an audience means, as statements: what criteria.py says, asked of the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.sql.elements import ColumnElement

from bot.models import Contact
from config.clock import beijing, now
from facets.criteria import Wanted, wanted
from facets.taxonomy import DIMENSIONS, Taxonomy
from subscriptions.models import Subscription

ASKED = (
    *(Subscription.topic, Subscription.group, Subscription.region),
    *(Subscription.industry, Subscription.kind),
)
"""The columns of the criteria, in the order of Asked."""
_COLUMNS = dict(zip(DIMENSIONS, ASKED, strict=True))


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
        Subscription.policy == "",
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
