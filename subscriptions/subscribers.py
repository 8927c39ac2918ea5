"""What citizens wish to receive: subscribe, list, change, leave, forget; the caller's session.

`Subscribers(taxonomy)`; every method takes the open session first and the contact's id.
Errors are `SubscriptionError` with one Chinese line for the citizen.
"""

from dataclasses import dataclass

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Contact, Delivery
from bot.sealing import rewrite
from config.clock import now
from facets.taxonomy import Taxonomy
from storage.database import new_id
from subscriptions.models import Subscription

TOPICS, GROUPS, REGIONS = "topics", "groups", "regions"
CONSENT_VERSION = "2026-11"  # version of the notice in config/replies.yaml (subscribe_topics)
FREQUENCIES = {"immediate": "即时", "daily": "每日", "weekly": "每周"}
MAX_SUBSCRIPTIONS = 10
GONE, UNKNOWN_FREQUENCY = "（已取消的选项）", "频率未知"


class SubscriptionError(ValueError):
    """The wish cannot be kept; the text names the field and the remedy."""


class ConsentNeeded(SubscriptionError):
    """A sensitive facet was chosen without its own consent line."""


@dataclass(frozen=True)
class Wish:
    """Criteria of one subscription: facet keys, empty group or region means any."""

    topic: str
    group: str = ""
    region: str = ""
    frequency: str = "immediate"
    sensitive_consent: bool = False


class Subscribers:
    """Subscriptions of contacts, checked against the taxonomy."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        """`taxonomy`: the facet values that may be chosen."""
        self.taxonomy = taxonomy

    async def subscribe(
        self, session: AsyncSession, contact: Contact, wish: Wish, consent_version: str
    ) -> Subscription:
        """Keep the wish once; the same criteria again only change its frequency."""
        self._check(wish)
        if not consent_version:
            raise SubscriptionError("缺少订阅告知版本 consent_version：请先阅读并同意订阅告知")
        found = await self._same(session, contact.id, wish)
        if found is not None:
            found.frequency, found.consent_version = wish.frequency, consent_version
            return found
        if len(await self.list(session, contact.id)) >= MAX_SUBSCRIPTIONS:
            raise SubscriptionError(f"最多订阅 {MAX_SUBSCRIPTIONS} 项：请先退订不需要的一项")
        row = Subscription(
            id=new_id(),
            contact_id=contact.id,
            account_id=contact.account_id,
            topic=wish.topic,
            group=wish.group,
            region=wish.region,
            frequency=wish.frequency,
            state="active",
            consent_version=consent_version,
            created_at=now(),
        )
        session.add(row)
        await session.execute(
            update(Contact).where(Contact.id == contact.id).values(consent_version=consent_version)
        )
        await session.flush()
        return row

    def _check(self, wish: Wish) -> None:
        for dimension, key, name in (
            (TOPICS, wish.topic, "主题"),
            (GROUPS, wish.group, "人群"),
            (REGIONS, wish.region, "地区"),
        ):
            term = self.taxonomy.get(dimension, key)
            if term is None and (key or dimension == TOPICS):
                raise SubscriptionError(f"{name}不在可订阅范围：请从列表中选择")
            if term is not None and term.sensitive and not wish.sensitive_consent:
                raise ConsentNeeded(f"{name}“{term.label}”属于敏感信息：需要您单独同意")
        if wish.frequency not in FREQUENCIES:
            raise SubscriptionError("频率只能是 即时、每日、每周")

    async def _same(
        self, session: AsyncSession, contact_id: str, wish: Wish
    ) -> Subscription | None:
        query = select(Subscription).where(
            Subscription.contact_id == contact_id,
            Subscription.state == "active",
            Subscription.topic == wish.topic,
            Subscription.group == wish.group,
            Subscription.region == wish.region,
        )
        return (await session.scalars(query.limit(1))).first()

    async def list(self, session: AsyncSession, contact_id: str) -> list[Subscription]:
        """The active subscriptions, oldest first: the order in which the citizen numbers them."""
        query = select(Subscription).where(
            Subscription.contact_id == contact_id, Subscription.state == "active"
        )
        rows = await session.scalars(query.order_by(Subscription.created_at, Subscription.id))
        return [*rows.all()]

    async def own(self, session: AsyncSession, contact_id: str, sub_id: str) -> Subscription | None:
        """One active subscription of this contact; never another person's."""
        row = await session.get(Subscription, sub_id)
        mine = row is not None and row.contact_id == contact_id and row.state == "active"
        return row if mine else None

    async def leave(self, session: AsyncSession, contact_id: str, sub_id: str) -> bool:
        """End one subscription; False when it is not an active one of this contact."""
        row = await self.own(session, contact_id, sub_id)
        if row is None:
            return False
        row.state, row.left_at = "left", now()
        await session.flush()
        return True

    async def leave_all(self, session: AsyncSession, contact_id: str) -> int:
        """End every subscription, and what was waiting to be pushed; return how many ended."""
        rows = await self.list(session, contact_id)
        for row in rows:
            row.state, row.left_at = "left", now()
        waiting = and_(
            Delivery.contact_id == contact_id,
            Delivery.release_id.is_not(None),
            Delivery.state.in_(("created", "held", "retrying")),
        )
        await rewrite(session, waiting, state="ended", why="本人已退订", finished_at=now())
        await session.flush()
        return len(rows)

    async def change_frequency(
        self, session: AsyncSession, contact_id: str, sub_id: str, frequency: str
    ) -> bool:
        """即时, 每日 or 每周 for one subscription; False when it is not this contact's."""
        if frequency not in FREQUENCIES:
            raise SubscriptionError("频率只能是 即时、每日、每周")
        row = await self.own(session, contact_id, sub_id)
        if row is None:
            return False
        row.frequency = frequency
        await session.flush()
        return True

    async def narrow(
        self, session: AsyncSession, contact_id: str, sub_id: str, wish: Wish
    ) -> Subscription | None:
        """Replace the criteria of one subscription; None when it is not this contact's."""
        row = await self.own(session, contact_id, sub_id)
        if row is None:
            return None
        self._check(wish)
        same = await self._same(session, contact_id, wish)
        if same is not None and same.id != row.id:
            row.state, row.left_at = "left", now()
            return same
        row.group, row.region = wish.group, wish.region
        await session.flush()
        return row

    async def delete_tags(self, session: AsyncSession, contact_id: str) -> int:
        """关闭精准推送: group and region are removed, topics stay; return how many rows changed."""
        kept: dict[str, Subscription] = {}
        changed = 0
        for row in await self.list(session, contact_id):
            changed += bool(row.group or row.region)
            if row.topic in kept:
                row.state, row.left_at = "left", now()
            kept.setdefault(row.topic, row)
        await session.flush()
        # Past rows lose their tags too: what was deleted must not be found again.
        await session.execute(
            update(Subscription)
            .where(Subscription.contact_id == contact_id)
            .values(group="", region="")
        )
        return changed

    async def erase(self, session: AsyncSession, contact_id: str) -> None:
        """忘记我: no wish, tag or reason of this contact remains."""
        await self.leave_all(session, contact_id)
        await session.execute(delete(Subscription).where(Subscription.contact_id == contact_id))
        await rewrite(session, Delivery.contact_id == contact_id, reason="")

    async def count(self, session: AsyncSession, account_id: str) -> int:
        """How many contacts of an account have at least one active subscription."""
        query = select(func.count(func.distinct(Subscription.contact_id))).where(
            Subscription.account_id == account_id, Subscription.state == "active"
        )
        return int((await session.execute(query)).scalar_one())

    def words(self, row: Subscription) -> str:
        """One subscription in words: 就业创业、人群 高校毕业生、地区 青禾县（即时）."""
        return f"{self.criteria(row)}（{FREQUENCIES.get(row.frequency, UNKNOWN_FREQUENCY)}）"

    def criteria(self, row: Subscription) -> str:
        """The criteria alone, in words of the taxonomy and no others, whatever the row says."""
        parts = [self._known(TOPICS, row.topic)]
        if row.group:
            parts.append(f"人群 {self._known(GROUPS, row.group)}")
        if row.region:
            parts.append(f"地区 {self._known(REGIONS, row.region)}")
        return "、".join(parts)

    def _known(self, dimension: str, key: str) -> str:
        facet = self.taxonomy.get(dimension, key)
        return facet.label if facet is not None else GONE
