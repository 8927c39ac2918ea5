"""Changing one subscription by buttons: whom, where, which part of a topic, and how often.

`Narrowing(ledger, subscribers)` is a Handler. Keys it answers: t:, g:, r:, i:, k:<id>[:<value>],
d:<id> (the places inside its region), f:<id>[:<frequency>], f:all:<frequency>.
"""

from collections.abc import Collection, Sequence

from facets.criteria import (
    BELOW,
    GROUPS,
    INDUSTRIES,
    KINDS,
    REGIONS,
    TOPICS,
    Asked,
    values_now,
)
from facets.taxonomy import Facet, Taxonomy
from handlers.turn import Choice, Said, Turn, fill
from ledger.append import Ledger
from subscriptions.models import Subscription
from subscriptions.subscribers import (
    FREQUENCIES,
    ConsentNeeded,
    Subscribers,
    SubscriptionError,
    Wish,
)

ANY = "-"  # 不限, as the last part of a key
EVERY = "all"
"""Instead of the id of one subscription."""
_CHANGES = {
    "t": (TOPICS, "topic", "choose_topic"),
    "g": (GROUPS, "group", "choose_group"),
    "r": (REGIONS, "region", "choose_region"),
    "i": (INDUSTRIES, "industry", "choose_industry"),
    "k": (KINDS, "kind", "choose_kind"),
}
HEADS = frozenset({*_CHANGES, "d", "f"})


class Narrowing:
    """What holds of one subscription, changed step by step."""

    def __init__(self, ledger: Ledger, subscribers: Subscribers) -> None:
        """Each change is signed in the transaction that makes it."""
        self._ledger = ledger
        self._subs = subscribers

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        head, *rest = turn.key.split(":")
        if head not in HEADS:
            return None
        if head == "f" and rest[:1] == [EVERY]:
            return await self._every(turn, rest[1:])
        async with self._ledger.db.session() as session:
            row = await self._subs.own(session, turn.contact.id, rest[0] if rest else "")
        if row is None or row.policy:  # of one document nothing can be narrowed
            return Said(fill("stale"))
        if head == "f":
            return await self._frequency(turn, row, rest[1:])
        if head == "d":
            inside = self._taxonomy.offered(REGIONS, row.region.removesuffix(BELOW))
            return self._offer("r", row, inside)
        return await self._narrow(turn, row, head, rest[1:])

    @property
    def _taxonomy(self) -> Taxonomy:
        return self._subs.taxonomy

    def _offer(self, head: str, row: Subscription, facets: Sequence[Facet]) -> Said:
        """Sensitive values are never offered: a menu must not ask whether somebody is ill."""
        choices = [
            Choice(one.label, f"{head}:{row.id}:{one.key}") for one in facets if not one.sensitive
        ]
        if head == "r" and row.region and not row.region.endswith(BELOW):
            choices.append(Choice("所辖各地的也要", f"r:{row.id}:{row.region}{BELOW}"))
        if head != "t":
            choices.append(Choice("不限", f"{head}:{row.id}:{ANY}"))
        return Said(fill(_CHANGES[head][2]), tuple(choices))

    async def _narrow(self, turn: Turn, row: Subscription, head: str, rest: list[str]) -> Said:
        dimension, name, _ = _CHANGES[head]
        if not rest:
            return self._offer(head, row, self._offered(head, row))
        value = "" if rest[0] == ANY else rest[0]
        values = values_now(self._taxonomy, dimension, value) if value else ("",)
        if len(values) > 1:  # a button from before this value was split
            found = [self._taxonomy.get(dimension, one.removesuffix(BELOW)) for one in values]
            return self._offer(head, row, [one for one in found if one is not None])
        value = values[0] if values else value
        # Of what is set aside nothing is lost where they choose of themselves anew.
        held = self._subs.asked(row) if head in "gri" else None
        held = held or Asked(row.topic, row.group, row.region, row.industry, row.kind)
        group = self._taxonomy.get(GROUPS, held.group)
        asked = held._replace(**{name: value})
        wish = Wish(
            topic=asked.topic,
            group=asked.group,
            region=asked.region,
            industry=asked.industry,
            kind=asked.kind,
            # An earlier own consent to the group stands.
            sensitive_consent=head != "g" and group is not None and group.sensitive,
        )
        try:
            async with self._ledger.transaction() as tx:
                changed = await self._subs.narrow(tx, turn.contact.id, row.id, wish)
        except ConsentNeeded:
            return ask_consent(self._taxonomy, wish)
        except SubscriptionError as error:
            return Said(fill("subscribe_refused", problem=str(error)))
        if changed is None:
            return Said(fill("stale"))
        words = fill("changed", subscription=self._subs.words(changed))
        return Said(words, next_steps(self._taxonomy, changed))

    def _offered(self, head: str, row: Subscription) -> Sequence[Facet]:
        """What may be chosen instead: the parts of one that was split, else what a menu shows."""
        dimension, name, _ = _CHANGES[head]
        parts = values_now(self._taxonomy, dimension, getattr(row, name))
        if len(parts) > 1:
            return [self._taxonomy.facets[dimension][one.removesuffix(BELOW)] for one in parts]
        top = self._taxonomy.lineage(TOPICS, row.topic)[-1] if head == "t" else ""
        return self._taxonomy.offered(dimension, top)

    async def _frequency(self, turn: Turn, row: Subscription, rest: list[str]) -> Said:
        if not rest:
            choices = (Choice(label, f"f:{row.id}:{key}") for key, label in FREQUENCIES.items())
            return Said(fill("choose_frequency"), tuple(choices))
        if rest[0] not in FREQUENCIES:
            return Said(fill("stale"))
        async with self._ledger.transaction() as tx:
            own = turn.contact.id
            if not await self._subs.change_frequency(tx, own, row.id, rest[0]):
                return Said(fill("stale"))
            changed = await self._subs.own(tx.session, own, row.id)
        return Said(fill("changed", subscription=self._subs.words(changed) if changed else ""))

    async def _every(self, turn: Turn, rest: list[str]) -> Said:
        if not rest or rest[0] not in FREQUENCIES:
            return Said(fill("stale"))
        _, changed = await change_rhythm(self._ledger, self._subs, turn.contact.id, rest[0])
        if not changed:
            return Said(fill("stale"))
        words = "；".join(self._subs.words(row) for row in changed)
        return Said(fill("changed", subscription=words), (Choice("我的订阅", "mine"),))


async def change_rhythm(
    ledger: Ledger,
    subs: Subscribers,
    contact_id: str,
    frequency: str,
    topics: Collection[str] = (),
) -> tuple[list[Subscription], list[Subscription]]:
    """Serve every subscription this often, or those of `topics`: all there are, and the changed."""
    changed: list[Subscription] = []
    async with ledger.transaction() as tx:
        own = await subs.list(tx.session, contact_id)
        for row in own:
            named = not topics or set(topics) & set(subs.taxonomy.now(TOPICS, row.topic))
            if not row.policy and named:
                await subs.change_frequency(tx, contact_id, row.id, frequency)
                changed.append(row)
    return own, changed


def ask_consent(taxonomy: Taxonomy, wish: Wish) -> Said:
    """Ask for the own consent to a sensitive group; nothing is kept before."""
    choices = (
        Choice("同意并订阅", _key("ok", wish)),
        Choice("只订阅主题", f"sub:{wish.topic}"),
        Choice("不订阅", "keep"),
    )
    facet = taxonomy.label(GROUPS, wish.group)
    return Said(fill("sensitive_consent", facet=facet), choices if wish.topic else choices[::2])


def _key(head: str, wish: Wish) -> str:
    """The key that wishes this; what would make it too long for a button is left out (T6)."""
    full = ":".join((head, *wish.asked)).rstrip(":")
    return full if len(full) <= 64 else ":".join((head, wish.topic, wish.group, wish.region))


def wish_key(wish: Wish) -> str:
    """The key of a button that subscribes to this."""
    return _key("sub", wish)


def next_steps(taxonomy: Taxonomy, row: Subscription) -> tuple[Choice, ...]:
    """What may be done with a subscription that was just made or changed."""
    narrower = taxonomy.offered(TOPICS, row.topic) if row.topic else []
    parts = narrower or len(taxonomy.now(TOPICS, row.topic)) > 1
    places = taxonomy.offered(REGIONS, row.region) if row.region else []
    # What stood before keeps its number: people type it, and old messages show it.
    steps = [
        Choice("限定人群", f"g:{row.id}"),
        Choice("限定地区", f"r:{row.id}"),
        Choice("推送频率", f"f:{row.id}"),
        Choice("我的订阅", "mine"),
        Choice("退订这一项", f"leave:{row.id}"),
        Choice("只要其中一类", f"t:{row.id}") if parts else None,
        Choice("选到旗县", f"d:{row.id}") if places else None,
        Choice("限定行业", f"i:{row.id}"),
        Choice("限定文种", f"k:{row.id}"),
    ]
    return tuple(step for step in steps if step is not None)
