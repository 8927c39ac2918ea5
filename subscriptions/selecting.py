"""Whom an audience means, as statements: what criteria.py says, asked of the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.sql.elements import ColumnElement

from bot.models import Contact
from config.clock import beijing, now
from facets.criteria import Wanted
from facets.taxonomy import DIMENSIONS
from subscriptions.models import Subscription

ASKED = (
    *(Subscription.topic, Subscription.group, Subscription.region),
    *(Subscription.industry, Subscription.kind),
)
"""The columns of the criteria, in the order of Asked."""
Condition = ColumnElement[bool]
_COLUMNS = dict(zip(DIMENSIONS, ASKED, strict=True))


def day_of(moment: datetime) -> str:
    """The day in Beijing, as subscriptions keep it."""
    return beijing(moment).date().isoformat()


def counting(found: Wanted, account_ids: Sequence[str], *columns: Any) -> Select[Any]:
    """The subscriptions that count for an audience; a paused one matches nothing.

    Whether each value of `found.each` is met by its person is not asked here.
    """
    return (
        select(*columns)
        .select_from(Subscription)
        .join(Contact, Contact.id == Subscription.contact_id)
        .where(*_theirs(account_ids), *_limits(found))
    )


def people(
    found: Wanted, account_ids: Sequence[str], *columns: Any, of: Sequence[Condition] = ()
) -> Select[Any]:
    """One row for each person an audience means; `of` is asked of every subscription that counts.

    A person is looked up and their subscriptions are not put together: each of five samples is
    found by the index it is ordered by, and a count sorts nothing.
    """
    met = [has(found, *of, _COLUMNS[name].in_(sorted(values))) for name, values in found.each]
    return select(*columns).where(*_theirs(account_ids), has(found, *of), *met)


def has(found: Wanted, *conditions: Condition) -> Condition:
    """Whether a person has a subscription that counts and meets these conditions."""
    mine = Subscription.contact_id == Contact.id
    return exists(select(1).where(mine, *_limits(found), *conditions).correlate(Contact))


def _theirs(account_ids: Sequence[str]) -> list[Condition]:
    return [Contact.state == "active", Contact.account_id.in_(list(account_ids))]


def _limits(found: Wanted) -> list[Condition]:
    return [
        Subscription.state == "active",
        Subscription.paused_until <= day_of(now()),
        Subscription.policy == "",
        *(_COLUMNS[name].in_(sorted(values)) for name, values in found.limits.items()),
    ]
