"""Who an audience means: counted, sampled and turned into delivery rows by the database itself.

An audience is {"topics": [...], "groups": [...], "regions": [...]} (facet keys). A subscription
matches when its topic is listed; its group is empty, or listed, or nothing is listed; likewise its
region, where a listed region also means every region below it.

`Matching(taxonomy)`: count(session, audience, account_ids), sample(...), create_deliveries(db,
publication, release). Every statement is one set operation; rows are made in batches of contacts,
one short transaction each, and a second run adds nothing (unique content_key and contact_id).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    Select,
    String,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from bot.contract import Release, State
from bot.models import Contact, Delivery, Publication
from config.clock import BEIJING, beijing, now
from facets.taxonomy import Taxonomy
from storage.database import Database, UtcTime, new_id
from subscriptions.models import Subscription
from subscriptions.subscribers import GROUPS, REGIONS, TOPICS

BATCH = 20_000  # contacts in one transaction
_COLUMNS = (
    *("id", "content_key", "release_id", "publication_id", "account_id", "contact_id", "reason"),
    *("reply", "state", "ref", "why", "hold", "owner", "attempts", "created_at", "next_at"),
)
DIGEST_HOUR = 9  # Beijing hour at which 每日 and 每周 subscribers are served


@dataclass(frozen=True)
class Sampled:
    """One person an audience reaches: a masked reference and why, in words."""

    who: str
    reason: str


class Matching:
    """Turns audiences into set operations."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        """`taxonomy` gives labels for reasons and the tree of regions."""
        self._taxonomy = taxonomy

    async def count(
        self, session: AsyncSession, audience: Mapping[str, Any], account_ids: Sequence[str]
    ) -> int:
        """How many active contacts of these accounts the audience reaches now."""
        inner = self._matching(audience, account_ids, Subscription.contact_id).distinct()
        return int(
            (await session.execute(select(func.count()).select_from(inner.subquery()))).scalar_one()
        )

    async def sample(
        self,
        session: AsyncSession,
        audience: Mapping[str, Any],
        account_ids: Sequence[str],
        limit: int = 5,
    ) -> list[Sampled]:
        """Some of them with reasons; the person appears only as a short masked reference."""
        query = (
            self._matching(
                audience, account_ids, Contact.subject_ref, func.max(self._reason(audience))
            )
            .group_by(Contact.id, Contact.subject_ref)
            .order_by(Contact.subject_ref.desc())
            .limit(limit)
        )
        return [Sampled(f"订阅者 …{ref[-4:]}", why) for ref, why in await session.execute(query)]

    async def create_deliveries(
        self, db: Database, publication: Publication, release: Release
    ) -> int:
        """Make the missing delivery rows of this publication; return how many were made.

        Nothing for a release without audience: that is for the public timeline only.
        """
        if release.audience is None:
            return 0
        made, last = 0, ""
        while True:
            async with db.session() as session:
                bound = await _batch_end(session, publication.account_id, last)
                if bound is None:
                    return made
                made += await self._create_batch(
                    session, publication, release, after=last, upto=bound
                )
            last = bound

    async def _create_batch(
        self,
        session: AsyncSession,
        publication: Publication,
        release: Release,
        *,
        after: str,
        upto: str,
    ) -> int:
        audience = release.audience or {}
        moment = now()
        sqlite_used = session.get_bind().dialect.name == "sqlite"
        # Ids in the order of the rows: a batch prefix and nine digits, appended to the index's end.
        row_id = literal(new_id()[:17]) + cast(func.row_number().over() + 100_000_000, String)
        rows = (
            self._matching(
                audience,
                [publication.account_id],
                row_id,
                literal(release.id),
                literal(release.id),
                literal(publication.id),
                literal(publication.account_id),
                Subscription.contact_id,
                func.max(self._reason(audience)),
                cast(null(), Delivery.reply.type),
                *(literal(text) for text in (State.CREATED.value, "", "", "", "")),
                literal(0),
                literal(moment, UtcTime()),
                func.min(_due(moment)),
            )
            .where(Contact.id > after, Contact.id <= upto)
            .group_by(Subscription.contact_id)
        )
        names = [*_COLUMNS]
        insert = (sqlite.insert if sqlite_used else postgresql.insert)(Delivery)
        statement = insert.from_select(names, rows, include_defaults=False).on_conflict_do_nothing(
            index_elements=["content_key", "contact_id"]
        )
        result = await session.execute(statement)
        return int(result.rowcount)  # type: ignore[attr-defined]  # a cursor's

    def _matching(
        self, audience: Mapping[str, Any], account_ids: Sequence[str], *columns: Any
    ) -> Select[Any]:
        topics = list(audience.get(TOPICS) or ())
        groups = list(audience.get(GROUPS) or ())
        regions = self._with_below(audience.get(REGIONS) or ())
        wanted: list[ColumnElement[bool]] = [
            Subscription.state == "active",
            Subscription.topic.in_(topics),
            Contact.state == "active",
            Contact.account_id.in_(list(account_ids)),
        ]
        if groups:
            wanted.append(or_(Subscription.group == "", Subscription.group.in_(groups)))
        if regions:
            wanted.append(or_(Subscription.region == "", Subscription.region.in_(regions)))
        return (
            select(*columns)
            .select_from(Subscription)
            .join(Contact, Contact.id == Subscription.contact_id)
            .where(*wanted)
        )

    def _with_below(self, regions: Iterable[str]) -> list[str]:
        """These regions and every region inside them: who lives there is meant too."""
        wanted = set(regions)
        known = self._taxonomy.facets[REGIONS]
        return sorted(
            wanted | {key for key in known if wanted & set(self._taxonomy.lineage(REGIONS, key))}
        )

    def _reason(self, audience: Mapping[str, Any]) -> ColumnElement[str]:
        """您订阅了 就业创业、人群 高校毕业生、地区 青禾县: built by the database, per row."""
        return (
            literal("您订阅了 ")
            + self._labels(Subscription.topic, TOPICS, "")
            + self._labels(Subscription.group, GROUPS, "、人群 ")
            + self._labels(Subscription.region, REGIONS, "、地区 ")
        )

    def _labels(self, column: Any, dimension: str, before: str) -> ColumnElement[str]:
        values = self._taxonomy.facets[dimension].values()
        known = {value.key: literal(before + value.label) for value in values}
        known[""] = literal("")
        return case(known, value=column, else_=literal(before) + column)


def _due(moment: datetime) -> ColumnElement[Any]:
    """When a subscription of each frequency is served; immediate ones now."""
    daily = next_at(moment, DIGEST_HOUR)
    weekly = daily + timedelta(days=-daily.weekday() % 7)  # the next Monday
    return case(
        {"daily": literal(daily, UtcTime()), "weekly": literal(weekly, UtcTime())},
        value=Subscription.frequency,
        else_=literal(moment, UtcTime()),
    )


def next_at(moment: datetime, hour: int) -> datetime:
    """The first `hour` o'clock Beijing time at or after `moment`."""
    local = beijing(moment)
    wanted = datetime.combine(local.date(), time(hour), BEIJING)
    return wanted if wanted >= local else wanted + timedelta(days=1)


async def _batch_end(session: AsyncSession, account_id: str, last: str) -> str | None:
    """The last contact id of the next batch, or None when there is no contact left."""
    batch = (
        select(Contact.id)
        .where(Contact.account_id == account_id, Contact.id > last)
        .order_by(Contact.id)
        .limit(BATCH)
        .subquery()
    )
    found: str | None = (await session.execute(select(func.max(batch.c.id)))).scalar_one()
    return found
