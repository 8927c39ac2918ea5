"""Subscribing in chat: by menu, by button or number, or in plain words; leaving in one step.

`Subscribing(ledger, subscribers)` is a Handler. Keys it answers: sub, sub:<topic>, mine,
leave:all, leave:<id>, g:<id>[:<group>], r:<id>[:<region>], f:<id>[:<frequency>], tags,
ok:<topic>:<group>:<region> (own consent to a sensitive facet).
"""

import re
from collections.abc import Awaitable, Callable

from bot.contract import Inbound, InboundKind
from facets.taxonomy import Facet, Taxonomy
from handlers.choosing import chosen
from handlers.commands import command_key
from handlers.masking import normal
from handlers.turn import Choice, Said, Turn, fill
from ledger.append import Ledger
from subscriptions.models import Subscription
from subscriptions.subscribers import (
    CONSENT_VERSION,
    FREQUENCIES,
    GROUPS,
    REGIONS,
    TOPICS,
    ConsentNeeded,
    Subscribers,
    SubscriptionError,
    Wish,
)

_SPOKEN = re.compile(r"(?:我要|我想|请|帮我)?(?:订阅|关注)(?P<what>.+)", re.S)
_LEAVING = re.compile(r"(?:我要|我想|请|帮我)?(?:退订|取消订阅)(?P<what>.+)", re.S)
_CHANGES = {"g": GROUPS, "r": REGIONS}
_ASK = {"g": "choose_group", "r": "choose_region"}
_HEADS = frozenset({"sub", "leave", "g", "r", "f", "tags", "ok", "forget", "keep"})
_ANY_CHOICE = range(1, 100)
ANY = "-"  # 不限, as the last part of a key


def weighs(inbound: Inbound) -> bool:
    """Whether this act may change what its person agreed to: its order decides what stands.

    A number may stand for any of the choices that were offered.
    """
    text = normal(inbound.text)
    key = inbound.key or command_key(text)
    spoken = bool(_SPOKEN.fullmatch(text) or _LEAVING.fullmatch(text))
    return key.split(":")[0] in _HEADS or bool(chosen(text, _ANY_CHOICE)) or spoken


class Subscribing:
    """The whole cycle of a subscription."""

    def __init__(self, ledger: Ledger, subscribers: Subscribers) -> None:
        """Facets come from the subscribers' taxonomy; who leaves leaves a signed entry."""
        self._ledger = ledger
        self._db = ledger.db
        self._say = fill
        self._subs = subscribers
        self._taxonomy: Taxonomy = subscribers.taxonomy
        self._by_head: dict[str, Callable[[Turn, list[str]], Awaitable[Said]]] = {
            "sub": self._subscribe_key,
            "mine": self._mine,
            "leave": self._leave,
            "g": self._narrow,
            "r": self._narrow,
            "f": self._frequency,
            "tags": self._tags,
            "ok": self._consented,
        }

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        if turn.key:
            head, *rest = turn.key.split(":")
            act = self._by_head.get(head)
            return await act(turn, rest) if act else None
        if turn.inbound.kind is not InboundKind.TEXT:
            return None
        if leaving := _LEAVING.fullmatch(turn.text):
            return await self._leave_words(turn, leaving["what"])
        if spoken := _SPOKEN.fullmatch(turn.text):
            return await self._subscribe_words(turn, spoken["what"])
        # A bare topic counts only right after we asked for one; else it is a question.
        if turn.step == "topic" and self._named(turn.text, TOPICS):
            return await self._subscribe_words(turn, turn.text)
        return None

    # --- subscribing ----------------------------------------------------------------------

    def _topics(self, template: str = "subscribe_topics") -> Said:
        said = self._say("subscribe_topics", version=CONSENT_VERSION)
        if template != "subscribe_topics":
            said = (*self._say(template), *said)
        topics = [facet for facet in self._taxonomy.facets[TOPICS].values() if facet.key != "other"]
        first = ("employment", "consumption")
        topics.sort(key=lambda facet: facet.key not in first)
        choices = tuple(Choice(facet.label, f"sub:{facet.key}") for facet in topics)
        return Said(said, choices, step="topic")

    async def _subscribe_key(self, turn: Turn, rest: list[str]) -> Said:
        return await self._keep(turn, [Wish(rest[0])]) if rest else self._topics()

    async def _subscribe_words(self, turn: Turn, what: str) -> Said:
        topics = self._named(what, TOPICS)
        if not topics:
            return self._topics("subscribe_unknown")
        groups, regions = self._named(what, GROUPS), self._named(what, REGIONS)
        frequency = next((key for key, label in FREQUENCIES.items() if label in what), "immediate")
        wishes = [
            Wish(topic.key, group, region, frequency)
            for topic in topics
            for group in ([facet.key for facet in groups] or [""])
            for region in ([facet.key for facet in regions] or [""])
        ]
        return await self._keep(turn, wishes)

    def _named(self, words: str, dimension: str) -> list[Facet]:
        return self._taxonomy.find(words, (dimension,))

    async def _keep(self, turn: Turn, wishes: list[Wish]) -> Said:
        """Keep the wishes together; one that needs its own consent asks for it first.

        Nothing is kept of a wish that something later has overtaken: that may have been leaving.
        """
        if turn.inbound.late:
            return Said(self._say("overtaken"))
        try:
            async with self._ledger.transaction() as tx:
                rows = [
                    await self._subs.subscribe(tx, turn.contact, wish, CONSENT_VERSION)
                    for wish in wishes
                ]
        except ConsentNeeded:
            return self._ask_consent(next(wish for wish in wishes if self._sensitive(wish)))
        except SubscriptionError as error:
            return Said(self._say("subscribe_refused", problem=str(error)))
        names = "；".join(self._subs.words(row) for row in rows)
        return Said(self._say("subscribed", subscription=names), _next_steps(rows[0]))

    def _sensitive(self, wish: Wish) -> bool:
        facet = self._taxonomy.get(GROUPS, wish.group)
        return facet is not None and facet.sensitive

    def _ask_consent(self, wish: Wish) -> Said:
        label = self._taxonomy.label(GROUPS, wish.group)
        choices = (
            Choice("同意并订阅", f"ok:{wish.topic}:{wish.group}:{wish.region}"),
            Choice("只订阅主题", f"sub:{wish.topic}"),
            Choice("不订阅", "keep"),
        )
        return Said(self._say("sensitive_consent", facet=label), choices)

    async def _consented(self, turn: Turn, rest: list[str]) -> Said:
        # Keys come from buttons of any age, and from people who type them.
        if len(rest) != 3:
            return Said(self._say("stale"))
        topic, group, region = rest
        return await self._keep(turn, [Wish(topic, group, region, sensitive_consent=True)])

    # --- looking and changing -------------------------------------------------------------

    async def _mine(self, turn: Turn, rest: list[str]) -> Said:
        async with self._db.session() as session:
            rows = await self._subs.list(session, turn.contact.id)
        if not rows:
            return Said(self._say("mine_none"), (Choice("订阅政策", "sub"),))
        lines = "\n".join(f"· {self._subs.words(row)}" for row in rows)
        choices = tuple(
            Choice(f"退订 {self._subs.criteria(row)}", f"leave:{row.id}") for row in rows
        )
        return Said(self._say("mine", list=lines), (*choices, Choice("全部退订", "leave:all")))

    async def _narrow(self, turn: Turn, rest: list[str]) -> Said:
        """g:<id> and r:<id> ask; with a value they change. Sensitive groups are never offered."""
        head = turn.key.split(":")[0]
        dimension = _CHANGES[head]
        async with self._db.session() as session:
            row = await self._subs.own(session, turn.contact.id, rest[0] if rest else "")
        if row is None:
            return Said(self._say("stale"))
        if len(rest) == 1:
            # A menu must not ask people whether they are ill or in debt.
            offered = [f for f in self._taxonomy.facets[dimension].values() if not f.sensitive]
            choices = [Choice(facet.label, f"{head}:{row.id}:{facet.key}") for facet in offered]
            choices.append(Choice("不限", f"{head}:{row.id}:{ANY}"))
            return Said(self._say(_ASK[head]), tuple(choices))
        value = "" if rest[1] == ANY else rest[1]
        wish = Wish(
            row.topic,
            group=value if head == "g" else row.group,
            region=value if head == "r" else row.region,
            sensitive_consent=head == "r",  # an earlier own consent to the group stands
        )
        return await self._narrowed(turn, row.id, wish)

    async def _narrowed(self, turn: Turn, sub_id: str, wish: Wish) -> Said:
        try:
            async with self._ledger.transaction() as tx:
                row = await self._subs.narrow(tx, turn.contact.id, sub_id, wish)
        except ConsentNeeded:
            return self._ask_consent(wish)
        except SubscriptionError as error:
            return Said(self._say("subscribe_refused", problem=str(error)))
        if row is None:
            return Said(self._say("stale"))
        return Said(self._say("changed", subscription=self._subs.words(row)), _next_steps(row))

    async def _frequency(self, turn: Turn, rest: list[str]) -> Said:
        if len(rest) == 1:
            choices = tuple(
                Choice(label, f"f:{rest[0]}:{key}") for key, label in FREQUENCIES.items()
            )
            return Said(self._say("choose_frequency"), choices)
        if len(rest) != 2 or rest[1] not in FREQUENCIES:
            return Said(self._say("stale"))
        async with self._ledger.transaction() as tx:
            own = turn.contact.id
            if not await self._subs.change_frequency(tx, own, rest[0], rest[1]):
                return Said(self._say("stale"))
            row = await self._subs.own(tx.session, own, rest[0])
        return Said(self._say("changed", subscription=self._subs.words(row) if row else ""))

    # --- leaving --------------------------------------------------------------------------

    async def _leave(self, turn: Turn, rest: list[str]) -> Said:
        async with self._ledger.transaction() as tx:
            if rest == ["all"]:
                count = await self._subs.leave_all(tx, turn.contact.id)
                return Said(
                    self._say("left_all", count=str(count)) if count else self._say("left_none")
                )
            gone = await self._subs.leave(tx, turn.contact.id, *rest[:1])
        if not gone:
            return Said(self._say("stale"))
        return Said(self._say("left_one", subscription=self._subs.words(gone[0])))

    async def _leave_words(self, turn: Turn, what: str) -> Said:
        """退订就业: every subscription that has all the facets named ends; none named: the list."""
        named = {
            dimension: {facet.key for facet in self._named(what, dimension)}
            for dimension in (TOPICS, GROUPS, REGIONS)
        }
        async with self._ledger.transaction() as tx:
            rows = [
                row
                for row in await self._subs.list(tx.session, turn.contact.id)
                # Without a facet named every subscription would match: the list is shown instead.
                if any(named.values())
                and (not named[TOPICS] or row.topic in named[TOPICS])
                and (not named[GROUPS] or row.group in named[GROUPS])
                and (not named[REGIONS] or row.region in named[REGIONS])
            ]
            if any(named.values()):
                await self._subs.leave(tx, turn.contact.id, *(row.id for row in rows))
        if not rows:
            return await self._mine(turn, [])
        words = "；".join(self._subs.words(row) for row in rows)
        return Said(self._say("left_one", subscription=words))

    async def _tags(self, turn: Turn, rest: list[str]) -> Said:
        async with self._ledger.transaction() as tx:
            await self._subs.delete_tags(tx, turn.contact.id)
        return Said(self._say("tags_deleted"))


def _next_steps(row: Subscription) -> tuple[Choice, ...]:
    return (
        Choice("限定人群", f"g:{row.id}"),
        Choice("限定地区", f"r:{row.id}"),
        Choice("推送频率", f"f:{row.id}"),
        Choice("我的订阅", "mine"),
        Choice("退订这一项", f"leave:{row.id}"),
    )
