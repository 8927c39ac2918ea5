"""Subscribing in chat: by menu, by button or number, or in plain words (handlers/wishes.py).

`Subscribing(ledger, subscribers)` is a Handler. Keys it answers: sub, sub:<topic>[:<group>
[:<region>[:<industry>[:<kind>]]]], mine, ok:… (own consent to a sensitive facet). Leaving is
in withdrawing.py, changing one subscription in narrowing.py.

What was not understood is said, by its kind and never in its words: an account of a public body
repeats nothing that somebody else typed.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from bot.contract import Inbound, InboundKind
from bot.replies import Piece
from config.clock import beijing, now
from facets.criteria import GROUPS, REGIONS, TOPICS, Asked, in_words, ways_now
from facets.taxonomy import Taxonomy
from handlers.choosing import chosen
from handlers.commands import command_key
from handlers.leaving import leaving
from handlers.masking import normal
from handlers.narrowing import EVERY, HEADS, ask_consent, change_rhythm, next_steps, wish_key
from handlers.rhythms import changes_rhythm
from handlers.rhythms_asked import other_rhythm_in, rhythm_in
from handlers.turn import Choice, Said, Turn, fill
from handlers.wishes import Missed, Understood, profile_in, wish_in
from handlers.wishes_words import INTENT
from handlers.withdrawing import listed
from ledger.append import Ledger
from subscriptions.agreed import consent
from subscriptions.subscribers import (
    CONSENT_VERSION,
    FREQUENCIES,
    ConsentNeeded,
    Subscribers,
    SubscriptionError,
    Wish,
)

_KEYS = frozenset({
    *("sub", "follow", "consent", "leave", "pause", "resume"),
    *("tags", "untag", "precise", "ok", "forget", "keep"),
    *HEADS,
})  # fmt: skip
_ANY_CHOICE = range(1, 100)
_FIRST = ("employment", "consumption")
_SWAPS = ("换", "改", "只留", "保留", "除了", "其他", "其余")
_CHANGING = "改换调设变"
_SETTLES = ("一次", "就行", "就好", "即可")
MOST_WAYS = 8
"""Parts of a value that was split, offered at once."""


def weighs(inbound: Inbound) -> bool:
    """Whether this act may change what its person agreed to: its order decides what stands.

    A number may stand for any of the choices that were offered.
    """
    text = normal(inbound.text)
    key = inbound.key or command_key(text)
    if key.split(":")[0] in _KEYS or chosen(text, _ANY_CHOICE):
        return True
    # Without the taxonomy: whatever may turn out to be a wish or a withdrawal by name.
    spoken = any(
        word in text for word in (*INTENT, *_SWAPS, "退订", "暂停", "推送", "每天", "每周", "每日")
    )
    return spoken or leaving(text, beijing(now()).date()) is not None


class Subscribing:
    """The wishes of a citizen."""

    def __init__(self, ledger: Ledger, subscribers: Subscribers) -> None:
        """Choices come from the subscribers' taxonomy; what ends is signed with its rows."""
        self._ledger = ledger
        self._subs = subscribers
        self._by_head: dict[str, Callable[[Turn, list[str]], Awaitable[Said]]] = {
            "sub": self._subscribe_key,
            "mine": self._mine,
            "ok": self._consented,
            "consent": self._consent,
        }

    @property
    def _taxonomy(self) -> Taxonomy:
        return self._subs.taxonomy

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        if turn.key:
            head, *rest = turn.key.split(":")
            act = self._by_head.get(head)
            return await act(turn, rest) if act else None
        if turn.inbound.kind is not InboundKind.TEXT:
            return None
        rhythm = rhythm_in(turn.text, self._taxonomy)
        if rhythm is not None and (
            not rhythm.facets or any(sign in turn.text for sign in _CHANGING)
        ):
            return await self._rhythm(turn, rhythm)
        # A bare topic counts only right after we asked for one; else it is a question.
        wish = wish_in(turn.text, self._taxonomy, asked=turn.step == "topic")
        if wish is not None:
            return await self._wished(turn, wish)
        if rhythm is not None and any(words in turn.text for words in _SETTLES):
            return await self._rhythm(turn, rhythm)
        other = other_rhythm_in(turn.text, self._taxonomy)
        if other is not None and (offered := await self._rhythms(turn, other)) is not None:
            return offered
        if turn.step == "clarify":  # who they are was asked, for the answer to a question
            return None
        profile = profile_in(turn.text, self._taxonomy)
        return None if profile is None else self._offered(profile)

    # --- subscribing ----------------------------------------------------------------------

    def _topics(self, before: Iterable[Piece] = ()) -> Said:
        said = fill("subscribe_topics", version=CONSENT_VERSION)
        topics = [one for one in self._taxonomy.offered(TOPICS) if one.key != "other"]
        topics.sort(key=lambda facet: facet.key not in _FIRST)
        choices = tuple(Choice(facet.label, f"sub:{facet.key}") for facet in topics)
        # Chosen and never asked: who has a firm presses it.
        return Said((*before, *said), (*choices, Choice("按企业情况订阅", "firm")), step="topic")

    async def _subscribe_key(self, turn: Turn, rest: list[str]) -> Said:
        if not rest or len(rest) > len(Asked._fields):
            return Said(fill("stale")) if rest else self._topics()
        ways = ways_now(self._taxonomy, Asked(*rest))
        if len(ways) > 1:  # a button from before its value was split
            return self._parted(ways)
        return await self._keep(turn, [_wish(ways[0])])

    def _parted(self, ways: Sequence[Asked]) -> Said:
        choices = [Choice(in_words(self._taxonomy, one), wish_key(_wish(one))) for one in ways]
        return Said(fill("value_split"), (*choices[:MOST_WAYS], Choice("不订阅", "keep")))

    async def _wished(self, turn: Turn, wish: Understood) -> Said:
        """Keep what was understood; what was not is said in the same reply."""
        missed = _missed(wish)
        topics = any(one.topic for one in wish.asked)
        if wish.doubtful:
            return self._which(wish)
        if Missed.PERSON in wish.missed and _faint(turn.text, wish):
            offered = self._offered(wish)
            return replace(offered, pieces=(*offered.pieces, *missed))
        if not wish.asked or (wish.missed - {Missed.PERSON} and not topics):
            return self._topics((*fill("subscribe_unknown"), *missed))
        wishes = [_wish(one, wish.frequency or "immediate") for one in wish.asked]
        return await self._keep(turn, wishes, missed)

    def _which(self, wish: Understood) -> Said:
        """A place that exists twice: the citizen says which."""
        first = wish.asked[0] if wish.asked else Asked("")
        choices = []
        for place in wish.doubtful:
            above = self._taxonomy.label(REGIONS, place.parent or "")
            asked = first._replace(region=place.key)
            choices.append(Choice(f"{above} {place.label}".strip(), wish_key(_wish(asked))))
        return Said(fill("which_place"), tuple(choices))

    def _offered(self, profile: Understood) -> Said:
        """Who somebody is, was told and not agreed to be kept: topics are offered for it."""
        who = profile.asked[0]._replace(topic="")
        rows = [one for one in profile.asked if one.topic] or [
            who._replace(topic=topic) for topic in _FIRST if self._taxonomy.get(TOPICS, topic)
        ]
        choices = [Choice(in_words(self._taxonomy, one), wish_key(_wish(one))) for one in rows]
        words = fill("profile_offer", version=CONSENT_VERSION)
        return Said(words, (*choices, Choice("其他主题", "sub"), Choice("不订阅", "keep")))

    async def _keep(
        self, turn: Turn, wishes: Sequence[Wish], missed: tuple[Piece, ...] = ()
    ) -> Said:
        """Keep the wishes together; one that needs its own consent asks for it first.

        Nothing is kept of a wish that something later has overtaken: that may have been leaving.
        """
        if turn.inbound.late:
            return Said(fill("overtaken"))
        try:
            async with self._ledger.transaction() as tx:
                rows = [
                    await self._subs.subscribe(tx, turn.contact, wish, CONSENT_VERSION)
                    for wish in wishes
                ]
                every = await self._subs.list(tx.session, turn.contact.id)
        except ConsentNeeded:
            return ask_consent(self._taxonomy, next(one for one in wishes if self._sensitive(one)))
        except SubscriptionError as error:
            return Said(fill("subscribe_refused", problem=str(error)))
        names = "；".join(self._subs.words(row) for row in rows)
        said = (*fill("subscribed", subscription=names), *missed)
        if len(every) > len(rows):
            held = "\n".join(f"· {self._subs.words(row)}" for row in every)
            said = (*said, *fill("now_holds", list=held))
        return Said(said, next_steps(self._taxonomy, rows[0]))

    def _sensitive(self, wish: Wish) -> bool:
        facet = self._taxonomy.get(GROUPS, wish.group)
        return facet is not None and facet.sensitive

    async def _consented(self, turn: Turn, rest: list[str]) -> Said:
        # Keys come from buttons of any age, and from people who type them.
        if not 2 <= len(rest) <= len(Asked._fields):
            return Said(fill("stale"))
        ways = ways_now(self._taxonomy, Asked(*rest))
        if len(ways) > 1:  # the consent was to a value that is several now: it is asked anew
            return self._parted(ways)
        return await self._keep(turn, [replace(_wish(ways[0]), sensitive_consent=True)])

    # --- looking and changing -------------------------------------------------------------

    async def _mine(self, turn: Turn, rest: list[str]) -> Said:
        async with self._ledger.db.session() as session:
            rows = await self._subs.list(session, turn.contact.id)
        return listed(self._subs, rows)

    async def _consent(self, turn: Turn, rest: list[str]) -> Said:
        """同意新版告知: of the version that was shown, and no other."""
        if rest != [CONSENT_VERSION] or turn.inbound.late:
            return Said(fill("stale"), (Choice("我的订阅", "mine"),))
        async with self._ledger.transaction() as tx:
            await consent(self._subs, tx, turn.contact.id, CONSENT_VERSION)
        return Said(fill("consent_kept", version=CONSENT_VERSION), (Choice("我的订阅", "mine"),))

    async def _rhythm(self, turn: Turn, rhythm: Understood) -> Said:
        """改成每周: every subscription, or those that were named; what now holds is said."""
        topics = {one.topic for one in rhythm.asked if one.topic}
        every, changed = await change_rhythm(
            self._ledger, self._subs, turn.contact.id, rhythm.frequency, topics
        )
        if not changed:
            return listed(self._subs, every)
        words = "；".join(self._subs.words(row) for row in changed)
        return Said(fill("changed", subscription=words), (Choice("我的订阅", "mine"),))

    async def _rhythms(self, turn: Turn, rhythm: Understood) -> Said | None:
        """每月: no rhythm of ours; the three there are, for what was named or all of them."""
        async with self._ledger.db.session() as session:
            own = await self._subs.list(session, turn.contact.id)
        rows = [row for row in own if not row.policy]
        topics = {one.topic for one in rhythm.asked if one.topic}
        named = [row for row in rows if topics & set(self._taxonomy.now(TOPICS, row.topic))]
        meant = named or ([] if topics else rows)
        if not meant:
            return listed(self._subs, own) if changes_rhythm(turn.text) else None
        at = meant[0].id if len(meant) == 1 else EVERY
        choices = [Choice(label, f"f:{at}:{key}") for key, label in FREQUENCIES.items()]
        ways = (Choice("全部退订", "leave:all"), Choice("都不改", "keep"))
        return Said(fill("rhythm_offer"), (*choices, *ways))


def _faint(text: str, wish: Understood) -> bool:
    """帮孩子关注学校: to follow something of somebody else's, by what is no name of ours."""
    labels = "".join(facet.label for facet in wish.facets)
    return "订" not in text and not all(name in labels for name in wish.names)


def _wish(asked: Asked, frequency: str = "immediate") -> Wish:
    return Wish(
        topic=asked.topic,
        group=asked.group,
        region=asked.region,
        industry=asked.industry,
        kind=asked.kind,
        frequency=frequency if frequency in FREQUENCIES else "immediate",
    )


def _missed(wish: Understood) -> tuple[Piece, ...]:
    names = {Missed.TITLE: "missed_policy"}
    said = [names.get(one, f"missed_{one}") for one in sorted(wish.missed)]
    return tuple(piece for name in said for piece in fill(name))
