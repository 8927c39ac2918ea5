"""What citizens wish to receive: subscribe, list, change, leave, forget; the caller's transaction.

`Subscribers(taxonomy)`; methods that read take a session first, methods that change a transaction
of the ledger, because rows are stamped with their contact's last signed end under the write lock
(proof.py). Then the contact's id.
Errors are `SubscriptionError` with one Chinese line for the citizen.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Select, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery.preparing import NOT_WANTED
from bot.models import Contact, Delivery
from bot.sealing import rewrite
from config.clock import beijing, now
from facets.criteria import (
    BELOW,
    GROUPS,
    INDUSTRIES,
    KINDS,
    REGIONS,
    TOPICS,
    Asked,
    in_words,
    of_now,
)
from facets.taxonomy import Taxonomy
from ledger.append import Transaction
from ledger.verify import Broken
from storage.database import new_id
from subscriptions.aside import NEVER, chosen, restore
from subscriptions.models import Subscription
from subscriptions.proof import last_end, sign_end

CONSENT_VERSION = "2026-11"  # version of the notice in config/replies.yaml (subscribe_topics)
FREQUENCIES = {"immediate": "即时", "daily": "每日", "weekly": "每周"}
MAX_SUBSCRIPTIONS = 10
GONE, UNKNOWN_FREQUENCY = "（已取消的选项）", "频率未知"
PAUSED = "，暂停到 "
FILE, FOLLOWED = "文件", "有变化时告知"
_TITLE = 22
"""Characters of a policy's title in a list: ten of them fit into one passive answer (W4)."""
PLAIN, RESTS = "，精准推送已关", "，暂不推送"
"""Behind the frequency: its narrowing is set aside, and without it nothing is left to serve."""


class SubscriptionError(ValueError):
    """The wish cannot be kept; the text names the field and the remedy."""


class ConsentNeeded(SubscriptionError):
    """A sensitive facet was chosen without its own consent line."""


@dataclass(frozen=True)
class Wish:
    """Criteria of one subscription: facet keys, an empty one means any; never all of them empty."""

    topic: str
    group: str = ""
    region: str = ""
    frequency: str = "immediate"
    sensitive_consent: bool = False
    industry: str = ""
    kind: str = ""

    @property
    def asked(self) -> Asked:
        """The criteria alone."""
        return Asked(self.topic, self.group, self.region, self.industry, self.kind)


class Subscribers:
    """Subscriptions of contacts, checked against the taxonomy."""

    def __init__(self, taxonomy: Taxonomy, title: Callable[[str], str] = str) -> None:
        """`taxonomy`: the facet values that may be chosen; `title` of a policy by its id."""
        self.taxonomy = taxonomy
        self._title = title

    async def subscribe(
        self, tx: Transaction, contact: Contact, wish: Wish, consent_version: str
    ) -> Subscription:
        """Keep the wish once; the same criteria again only change its frequency."""
        session = tx.session
        self._check(wish)
        if not consent_version:
            raise SubscriptionError("缺少订阅告知版本 consent_version：请先阅读并同意订阅告知")
        own = await self.list(session, contact.id)
        found = self._same(own, wish)
        if found is not None:
            await self._set_frequency(tx, own, found, wish.frequency)
            if found.aside:  # what they choose now is meant
                restore(found)
                await self._end(tx, contact.id, "precise", own)
            found.consent_version = consent_version
            await session.flush()
            return found
        row = await new_row(session, contact, wish, own)
        row.consent_version = consent_version
        session.add(row)
        await session.execute(
            update(Contact).where(Contact.id == contact.id).values(consent_version=consent_version)
        )
        await session.flush()
        return row

    def _check(self, wish: Wish) -> None:
        if not any(wish.asked):
            raise SubscriptionError("主题不在可订阅范围：请从列表中选择")
        region = wish.region.removesuffix(BELOW)
        for dimension, key, name in (
            (TOPICS, wish.topic, "主题"),
            (GROUPS, wish.group, "人群"),
            (REGIONS, region, "地区"),
            (INDUSTRIES, wish.industry, "行业"),
            (KINDS, wish.kind, "文种"),
        ):
            term = self.taxonomy.get(dimension, key)
            # One that was split stays theirs until they choose; nothing sensitive came of it.
            if term is None and key and not self.taxonomy.now(dimension, key):
                raise SubscriptionError(f"{name}不在可订阅范围：请从列表中选择")
            if term is not None and term.sensitive and not wish.sensitive_consent:
                raise ConsentNeeded(f"{name}“{term.label}”属于敏感信息：需要您单独同意")
        if wish.frequency not in FREQUENCIES:
            raise SubscriptionError("频率只能是 即时、每日、每周")

    async def list(self, session: AsyncSession, contact_id: str) -> list[Subscription]:
        """What stands, oldest first: the order in which the citizen numbers them."""
        query = select(Subscription).where(
            Subscription.contact_id == contact_id, Subscription.state == "active"
        )
        rows = await _readable(session, query.order_by(Subscription.created_at, Subscription.id))
        try:
            after = await last_end(session, contact_id)
        except Broken:  # nothing is pushed then; a citizen is still told, and can still leave
            return [row for row in rows if row.whole]
        return [row for row in rows if row.whole and row.after_end == after]

    async def own(self, session: AsyncSession, contact_id: str, sub_id: str) -> Subscription | None:
        """One active subscription of this contact; never another person's."""
        own = await self.list(session, contact_id)
        return next((row for row in own if row.id == sub_id), None)

    async def leave(
        self, tx: Transaction, contact_id: str, *sub_ids: str
    ) -> Sequence[Subscription]:
        """End these of the contact's subscriptions; which ones ended.

        Signed even when none did: a row hidden from its citizen while they leave must not stand
        again when it is put back.
        """
        own = await self.list(tx.session, contact_id)
        gone = [row for row in own if row.id in sub_ids]
        await self._end(tx, contact_id, "left", own, gone)
        return gone

    async def leave_all(self, tx: Transaction, contact_id: str, reason: str = "left") -> int:
        """End every subscription, and what was waiting to be pushed; return how many ended."""
        rows = await self.list(tx.session, contact_id)
        await self._end(tx, contact_id, reason, rows, rows)
        waiting = and_(
            Delivery.contact_id == contact_id,
            Delivery.release_id.is_not(None),
            Delivery.state.in_(("created", "held", "retrying")),
        )
        await rewrite(tx.session, waiting, state="ended", why=NOT_WANTED, finished_at=now())
        return len(rows)

    async def _end(
        self,
        tx: Transaction,
        contact_id: str,
        reason: str,
        own: Iterable[Subscription],
        gone: Collection[Subscription] = (),
    ) -> None:
        """Sign that what stood stands no more, but those that are kept: they are sealed anew."""
        seq = await sign_end(tx, contact_id, reason)
        for row in own:
            if row in gone:
                row.state, row.left_at = "left", now()
            else:
                row.after_end = seq
        await tx.session.flush()

    async def own_in(self, tx: Transaction, contact_id: str) -> Sequence[Subscription]:
        """What stands, in a transaction that will change it."""
        return await self.list(tx.session, contact_id)

    async def end(
        self, tx: Transaction, contact_id: str, reason: str, own: Sequence[Subscription]
    ) -> None:
        """Sign that what stood before was changed, and seal anew what is their `own`."""
        await self._end(tx, contact_id, reason, own)

    async def change_frequency(
        self, tx: Transaction, contact_id: str, sub_id: str, frequency: str
    ) -> bool:
        """即时, 每日 or 每周 for one subscription; False when it is not this contact's."""
        if frequency not in FREQUENCIES:
            raise SubscriptionError("频率只能是 即时、每日、每周")
        own = await self.list(tx.session, contact_id)
        row = next((one for one in own if one.id == sub_id), None)
        if row is None:
            return False
        await self._set_frequency(tx, own, row, frequency)
        return True

    async def _set_frequency(
        self, tx: Transaction, own: Iterable[Subscription], row: Subscription, frequency: str
    ) -> None:
        if row.frequency == frequency:
            return
        row.frequency = frequency
        # The row as it was, put back, would serve at once whoever asked for once a week.
        await self._end(tx, row.contact_id, "frequency", own)

    async def narrow(
        self, tx: Transaction, contact_id: str, sub_id: str, wish: Wish
    ) -> Subscription | None:
        """Replace the criteria of one subscription; None when it is not this contact's."""
        own = await self.list(tx.session, contact_id)
        row = next((one for one in own if one.id == sub_id), None)
        if row is None:
            return None
        self._check(wish)
        same = self._same(own, wish)
        if same is not None and same.id != row.id:
            await self._end(tx, contact_id, "narrowed", own, [row])
            return same
        traits = any((wish.group, wish.region, wish.industry))
        if traits or (wish.topic, wish.kind) == (row.topic, row.kind):
            restore(row)  # what they choose of themselves now is meant
        elif row.paused_until == NEVER:  # there is something again that it can be served by
            row.paused_until = ""
        row.topic, row.group, row.region, row.industry, row.kind = wish.asked
        await self._end(tx, contact_id, "narrowed", own)
        return row

    async def pause(
        self, tx: Transaction, contact_id: str, until: str, sub_ids: Collection[str] | None = None
    ) -> Sequence[Subscription]:
        """Serve these again from the day `until` on (as 2026-12-05; empty: at once); all for None.

        Which ones changed. What comes in between is not sent later.
        """
        own = await self.list(tx.session, contact_id)
        named = [row for row in own if sub_ids is None or row.id in sub_ids]
        meant = [row for row in named if row.paused_until != NEVER]
        changed = [row for row in meant if row.paused_until != until]
        for row in changed:
            row.paused_until = until
        # The row as it was, put back, would be served at once; also one that is hidden just now.
        if changed or until:
            await self._end(tx, contact_id, "paused" if until else "resumed", own)
        return changed

    async def delete_tags(self, tx: Transaction, contact_id: str) -> int:
        """删除我的标签: topics stay and nothing else; return how many rows changed.

        One without a topic has nothing left to ask for, and ends.
        """
        own = await self.list(tx.session, contact_id)
        first = {row.topic: row for row in reversed(own) if row.topic}
        gone = [row for row in own if row is not first.get(row.topic) and not row.policy]
        changed = sum(any(chosen(row)[1:]) for row in own)
        await self._end(tx, contact_id, "tags", own, gone)
        # Past rows lose their tags too: what was deleted must not be found again.
        every = select(Subscription).where(Subscription.contact_id == contact_id)
        for row in await _readable(tx.session, every):
            row.group = row.region = row.industry = row.kind = row.aside = ""
        await tx.session.flush()
        return changed

    async def erase(self, tx: Transaction, contact_id: str) -> None:
        """忘记我: no wish, tag or reason of this contact remains."""
        await self.leave_all(tx, contact_id, "forgotten")
        await tx.session.execute(delete(Subscription).where(Subscription.contact_id == contact_id))
        await rewrite(tx.session, Delivery.contact_id == contact_id, reason="")

    async def count(self, session: AsyncSession, account_id: str) -> int:
        """How many contacts of an account have at least one active subscription."""
        query = select(func.count(func.distinct(Subscription.contact_id))).where(
            Subscription.account_id == account_id, Subscription.state == "active"
        )
        return int((await session.execute(query)).scalar_one())

    def words(self, row: Subscription) -> str:
        """One subscription in words: 就业创业、人群 高校毕业生、地区 青禾县（即时）."""
        often = FREQUENCIES.get(row.frequency, UNKNOWN_FREQUENCY)
        often = FOLLOWED if row.policy else often
        rests = row.paused_until == NEVER
        paused = row.paused_until if row.paused_until > today() and not rests else ""
        more = f"{PAUSED + paused if paused else ''}{PLAIN if row.aside else ''}"
        return f"{self.criteria(row)}（{often}{more}{RESTS if rests else ''}）"

    def criteria(self, row: Subscription) -> str:
        """The criteria alone, in words of the taxonomy and no others, whatever the row says."""
        if row.policy:
            return f"{FILE}《{_short(self._title(row.policy)) or GONE}》"
        return in_words(self.taxonomy, chosen(row), GONE)

    def asked(self, row: Subscription) -> Asked:
        """All that was chosen for one, in the keys of now, in whichever it was kept."""
        return of_now(self.taxonomy, chosen(row))

    def _same(self, own: Iterable[Subscription], wish: Wish) -> Subscription | None:
        """The one with exactly these criteria, in whichever keys it was kept."""
        asked = of_now(self.taxonomy, wish.asked)
        return next((row for row in own if self.asked(row) == asked), None)


def _short(title: str) -> str:
    """A title as a list and a button have room for it."""
    plain = " ".join(title.replace("《", "〈").replace("》", "〉").split())
    return plain if len(plain) <= _TITLE else f"{plain[: _TITLE - 1]}…"


async def new_row(
    session: AsyncSession, contact: Contact, wish: Wish, own: Sequence[Subscription]
) -> Subscription:
    """A row that stands from now on, not added yet; SubscriptionError where none may be made."""
    if len(own) >= MAX_SUBSCRIPTIONS:
        raise SubscriptionError(f"最多订阅 {MAX_SUBSCRIPTIONS} 项：请先退订不需要的一项")
    try:
        after = await last_end(session, contact.id)
    except Broken as broken:  # what is written now would be pushed to nobody
        raise SubscriptionError("现在不能登记新的订阅：请过些时候再试一次") from broken
    return Subscription(
        id=new_id(),
        contact_id=contact.id,
        account_id=contact.account_id,
        topic=wish.topic,
        group=wish.group,
        region=wish.region,
        industry=wish.industry,
        kind=wish.kind,
        paused_until="",
        frequency=wish.frequency,
        state="active",
        after_end=after,
        created_at=now(),
    )


def today() -> str:
    """The day in Beijing, as it is kept and compared."""
    return beijing(now()).date().isoformat()


async def _readable(session: AsyncSession, query: Select[Subscription]) -> Sequence[Subscription]:
    """The rows that can be read: one of no moment must not keep its citizen from leaving it."""
    try:
        return (await session.scalars(query)).all()
    except (ValueError, TypeError):  # SQLite keeps anything in any column
        found = []
        for key in (await session.scalars(query.with_only_columns(Subscription.id))).all():
            with suppress(ValueError, TypeError):
                found.append(await session.get_one(Subscription, key))
        return found
