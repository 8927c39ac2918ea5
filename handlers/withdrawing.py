"""Leaving by word, button or number, in any state: all, one, what was named, or for a while.

`Withdrawing(ledger, subscribers)` is a Handler. Keys it answers: leave:all, leave:<id>, pause,
pause:<days>, resume. Words are understood by handlers/leaving.py.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.contract import InboundKind
from bot.replies import Piece
from config.clock import beijing, now
from facets.criteria import BELOW, GROUPS, INDUSTRIES, KINDS, REGIONS, TOPICS
from facets.taxonomy import Facet, Taxonomy
from handlers.choosing import chosen
from handlers.commands import ALWAYS, SURE
from handlers.exchanges import exchange_in, keeps_in, of_ours, only_in, parted_in
from handlers.later import later_in
from handlers.leaving import Act, Leaving, leaving, may_leave, plain_of
from handlers.picking import by_place, counted, picked
from handlers.resuming import goes_on, restores
from handlers.rhythms import asks_less
from handlers.rhythms_asked import offers_rhythm
from handlers.several import Kind, several_in
from handlers.stories import beyond, leaves_beside, nearly
from handlers.turn import Choice, Handler, Said, Turn, fill
from ledger.append import Ledger
from staff.refusal import Refused
from subscriptions.aside import NEVER
from subscriptions.aside import chosen as all_chosen
from subscriptions.departures import note, said
from subscriptions.models import Subscription
from subscriptions.subscribers import CONSENT_VERSION, Subscribers

PAUSE = timedelta(days=30)
"""How long a pause lasts of which no end was said."""
MOST_DAYS = 366
_ANY_CHOICE = range(1, 100)


_SENT = ("发", "推", "消息", "通知", "收到")
_KEYS = ("leave:", "pause:")


def withdraws(turn: Turn, taxonomy: Taxonomy) -> bool:
    """Whether this act ends or pauses something: it works always, as consenting does."""
    if turn.key:
        return turn.key in ALWAYS or turn.key.startswith(_KEYS)
    try:
        return leaving(turn.text, beijing(now()).date(), taxonomy) is not None
    except Refused:  # no taxonomy can be proved: what is left by name has to wait, all can be left
        return False


async def _nobody(turn: Turn) -> Said | None:
    """For who only leaves."""
    return None


class Withdrawing:
    """Ends and pauses."""

    def __init__(self, ledger: Ledger, subscribers: Subscribers, wishes: Handler = _nobody) -> None:
        """What ends is signed in the transaction that ends it; `wishes` hears of a second wish."""
        self._ledger = ledger
        self._subs = subscribers
        self._wishes = wishes

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        head, _, rest = turn.key.partition(":")
        if head == "leave":
            return await (self._leave_all(turn) if rest == "all" else self._leave(turn, rest))
        if head == "pause":
            return await self._pause_key(turn, rest)
        if head == "resume":
            return await self._pause(turn, "")
        if turn.key or turn.inbound.kind is not InboundKind.TEXT:
            return None
        said = await self._picked(turn) or await self._goes_on(turn)
        said = said or await self._exchanged(turn) or await self._kept(turn)
        said = said or await self._several(turn)
        if said is not None:
            return said
        meant = leaving(turn.text, beijing(now()).date(), self._subs.taxonomy)
        if meant is not None and (meant.sure or beyond(turn.text) != ""):
            return await self._meant(turn, meant)
        known = self._subs.taxonomy
        if asks_less(turn.text):  # the rhythms are offered, where nothing else was said
            sent = any(word in turn.text for word in _SENT)  # and no neighbour who is loud
            ask = sent and not offers_rhythm(turn.text, known)
            return await self._unsure(turn) if ask else None
        later = later_in(turn.text, beijing(now()).date())
        if later is not None and await self._named(turn, ()):
            return await self._meant(turn, later)
        asked = may_leave(turn.text, known) or only_in(turn.text, known)
        asked = asked or leaves_beside(turn.text, known) or nearly(turn.text)
        return await self._unsure(turn) if asked and await self._theirs(turn) else None

    async def _theirs(self, turn: Turn) -> bool:
        """Whether what is named is something of theirs, or a part of it; or nothing is named."""
        known = self._subs.taxonomy
        said = known.spans(plain_of(turn.text), (TOPICS,)).values()
        named = {facet.key for _, owners in said for facet in owners}
        async with self._ledger.db.session() as session:
            rows = await self._subs.list(session, turn.contact.id)
        if not named or not rows:
            return True
        above = {up for key in named for up in known.lineage(TOPICS, key)}
        own = {key for row in rows for key in _of(known, row, TOPICS)}
        whole = any(not row.topic and not row.policy for row in rows)
        below = any(named & set(known.lineage(TOPICS, key)) for key in own)
        return whole or below or not above.isdisjoint(own)

    async def _exchanged(self, turn: Turn) -> Said | None:
        """取消就业改订消费: the one ends, the other is subscribed as if it had been said alone."""
        found = exchange_in(turn.text, self._subs.taxonomy)
        known = self._subs.taxonomy
        facets = found.facets if found else parted_in(turn.text, known)
        rows = await self._named(turn, facets) if facets else []
        if not rows:  # nothing of theirs is named: what is wished for may be
            return None
        gone = await self._end(turn, rows)
        if found is None:
            return Said(gone, (Choice("我的订阅", "mine"),))
        wished = await self._wishes(replace(turn, text=found.wish, step=""))
        if wished is None:
            return Said((*gone, *fill("missed_other")), (Choice("订阅政策", "sub"),))
        return replace(wished, pieces=(*gone, *wished.pieces))

    async def _kept(self, turn: Turn) -> Said | None:
        """只留消费其他都退: everything ends but what was named, when they have that."""
        facets = keeps_in(turn.text, self._subs.taxonomy)
        kept = {row.id for row in await self._named(turn, facets)} if facets else set()
        async with self._ledger.db.session() as session:
            every = await self._subs.list(session, turn.contact.id) if facets else []
        # They have none of it, or may speak of something else: how much is to go, nobody knows.
        if not kept or not of_ours(turn.text):
            return await self._unsure(turn) if every else None
        gone = [row for row in every if row.id not in kept]
        if not gone:
            return listed(self._subs, every)
        held = "\n".join(f"· {self._subs.words(row)}" for row in every if row.id in kept)
        said = (*await self._end(turn, gone), *fill("now_holds", list=held))
        return Said(said, (Choice("我的订阅", "mine"),))

    async def _picked(self, turn: Turn) -> Said | None:
        """第一个退了: of the list that was shown last; else the list is shown."""
        keys = [str(key) for key in turn.data.get("choices") or ()]
        shown = bool(keys) and keys[0].startswith("leave:") and keys[0] != "leave:all"
        ids = (
            [key.removeprefix("leave:") for key in keys if key.startswith("leave:")]
            if shown
            else []
        )
        ids = [one for one in ids if one != "all"]
        places = picked(turn.text, len(ids))
        if places is None or not (ids or by_place(turn.text) or "leave:all" in keys):
            return None
        async with self._ledger.db.session() as session:
            own = await self._subs.list(session, turn.contact.id)
        rows = [row for place in places for row in own if row.id == ids[place]]
        if not rows:
            return listed(self._subs, own) if own else None
        return Said(await self._end(turn, rows), (Choice("我的订阅", "mine"),))

    async def _goes_on(self, turn: Turn) -> Said | None:
        """继续发吧: all that is paused, or what was named of it."""
        bare = restores(turn.text)
        facets = () if bare else goes_on(turn.text, self._subs.taxonomy)
        rows = await self._named(turn, facets) if facets is not None else []
        paused = [row.id for row in rows if row.paused_until not in ("", NEVER)]
        if paused:
            return await self._pause(turn, "", paused)
        return listed(self._subs, rows) if rows and not bare else None

    async def _several(self, turn: Turn) -> Said | None:
        """就业退了，消费每天发: each is done with its word, what ends first."""
        found = several_in(turn.text, self._subs.taxonomy, beijing(now()).date())
        if found is None:
            return None
        ends = [one.leaving for one in found.parts if one.leaving is not None]
        theirs = [not one.facets or bool(await self._named(turn, one.facets)) for one in ends]
        if not found.sure or not all(theirs):  # as much as is understood is not theirs
            return await self._unsure(turn)
        said = [await self._meant(turn, one) for one in ends]
        for part in found.parts:
            if part.kind is Kind.OWN:
                said.append(Said(fill("forget_confirm"), SURE))
            elif part.leaving is None and part.kind is not Kind.STAY:
                said.append(await self._wishes(replace(turn, text=part.text, step="")))
        return _together(said, more=found.more)

    async def _end(self, turn: Turn, rows: list[Subscription]) -> tuple[Piece, ...]:
        """End these, and say so."""
        async with self._ledger.transaction() as tx:
            gone = await self._subs.leave(tx, turn.contact.id, *(row.id for row in rows))
            await note(tx.session, gone, _how(turn))
        return fill("left_one", subscription="；".join(self._subs.words(row) for row in rows))

    async def _meant(self, turn: Turn, meant: Leaving) -> Said | None:
        if meant.act is Act.ALL:
            return await self._leave_all(turn)
        if meant.act is Act.LOOK:
            return await self.mine(turn)
        rows = await self._named(turn, meant.facets)
        if not rows and not meant.sure:
            # Nothing of theirs: 别发就业了 may be about anything, unless they have the whole of it.
            held = bool(meant.facets) and await self._theirs(turn)
            return await self._unsure(turn) if held else None
        if meant.act is Act.PAUSE and (rows or not meant.facets):
            day = meant.until or beijing(now()).date() + PAUSE
            return await self._pause(turn, day.isoformat(), [row.id for row in rows])
        if meant.facets:  # signed also when none is seen: one that is hidden is left as well
            async with self._ledger.transaction() as tx:
                gone = await self._subs.leave(tx, turn.contact.id, *(row.id for row in rows))
                await note(tx.session, gone, _how(turn))
        if not rows:
            return await self.mine(turn)
        left = fill("left_one", subscription="；".join(self._subs.words(row) for row in rows))
        if not meant.rest:
            return Said(left)
        return Said((*left, *fill("missed_other")), (Choice("订阅政策", "sub"),))

    async def _unsure(self, turn: Turn) -> Said | None:
        """我要退出, 都不要了: nothing ends, and every way out is one tap away."""
        async with self._ledger.db.session() as session:
            rows = await self._subs.list(session, turn.contact.id)
        if not rows:  # in the middle of something it means that
            bare = not (turn.step or turn.data) and may_leave(turn.text)
            return Said(fill("left_none")) if bare else None
        held = "\n".join(f"· {self._subs.words(row)}" for row in rows)
        if len(rows) == 1:  # as short as consenting is: out by the first tap
            slower = (Choice("改成每周一次", "f:all:weekly"),) if _oftener(rows) else ()
            return Said(
                fill("leave_unsure", list=held),
                (Choice("退订", "leave:all"), *slower, Choice("都不改", "keep")),
            )
        choices = (
            Choice("全部退订", "leave:all"),
            *(Choice(f"退订 {self._subs.criteria(row)}", f"leave:{row.id}") for row in rows),
            Choice("暂停推送", "pause:30"),
            *((Choice("改成每周一次", "f:all:weekly"),) if _oftener(rows) else ()),
            Choice("为什么收到", "why"),
            Choice("都不改", "keep"),
        )
        return Said(fill("leave_unsure", list=held), choices)

    async def _named(self, turn: Turn, facets: tuple[Facet, ...]) -> list[Subscription]:
        """Those of theirs that have all that was named; all of them when nothing was."""
        named: dict[str, set[str]] = {}
        for facet in facets:
            named.setdefault(facet.dimension, set()).add(facet.key)
        async with self._ledger.db.session() as session:
            rows = await self._subs.list(session, turn.contact.id)
        known = self._subs.taxonomy
        return [
            row for row in rows if all(_of(known, row, name) & keys for name, keys in named.items())
        ]

    async def _leave_all(self, turn: Turn) -> Said:
        async with self._ledger.transaction() as tx:
            rows = await self._subs.list(tx.session, turn.contact.id)
            told = counted(turn.text) if turn.inbound.kind is InboundKind.TEXT else 0
            if told and rows and told != len(rows):
                return listed(self._subs, rows)  # 两个都退, and they have three
            count = await self._subs.leave_all(tx, turn.contact.id)
            await note(tx.session, rows, _how(turn))
        return Said(fill("left_all", count=str(count)) if count else fill("left_none"))

    async def _leave(self, turn: Turn, sub_id: str) -> Said:
        async with self._ledger.transaction() as tx:
            gone = await self._subs.leave(tx, turn.contact.id, *([sub_id] if sub_id else ()))
            await note(tx.session, gone, _how(turn))
        if not gone:
            return Said(fill("stale"))
        return Said(fill("left_one", subscription=self._subs.words(gone[0])))

    async def _pause_key(self, turn: Turn, days: str) -> Said:
        today = beijing(now()).date()
        if days:  # a button
            if not days.isdecimal() or not 0 < int(days) <= MOST_DAYS:
                return Said(fill("stale"))
            return await self._pause(turn, (today + timedelta(days=int(days))).isoformat())
        meant = leaving(turn.text, today)
        until = meant.until if meant is not None and meant.until else today + PAUSE
        return await self._pause(turn, until.isoformat())

    async def _pause(self, turn: Turn, until: str, sub_ids: list[str] | None = None) -> Said:
        """Pause until a day, or go on at once for an empty one; what now holds is said."""
        async with self._ledger.transaction() as tx:
            await self._subs.pause(tx, turn.contact.id, until, sub_ids)
            rows = await self._subs.list(tx.session, turn.contact.id)
        if not rows:
            return Said(fill("left_none"))
        held = "\n".join(f"· {self._subs.words(row)}" for row in rows)
        if not until:
            return Said(fill("resumed", list=held), (Choice("我的订阅", "mine"),))
        choices = (
            *(Choice(f"暂停 {days} 天", f"pause:{days}") for days in (7, 30, 90)),
            Choice("恢复推送", "resume"),
            Choice("全部退订", "leave:all"),
        )
        return Said(fill("paused", date=until, list=held), choices)

    async def mine(self, turn: Turn) -> Said:
        """What they have, each with its way out."""
        async with self._ledger.db.session() as session:
            rows = await self._subs.list(session, turn.contact.id)
        return listed(self._subs, rows)


def _together(said: Sequence[Said | None], *, more: bool) -> Said | None:
    """What was said to each wish of a message, with the choices of the last."""
    heard = [one for one in said if one is not None]
    if not heard:
        return None
    missed = fill("missed_other") if more or len(heard) < len(said) else ()
    pieces = tuple(piece for one in heard for piece in one.pieces)
    return replace(heard[-1], pieces=(*pieces, *missed))


def listed(subs: Subscribers, rows: list[Subscription]) -> Said:
    """The subscriptions of one person with a button to leave each, and all of them."""
    if not rows:
        return Said(fill("mine_none"), (Choice("订阅政策", "sub"),))
    lines = "\n".join(f"· {subs.words(row)}" for row in rows)
    choices = [Choice(f"退订 {subs.criteria(row)}", f"leave:{row.id}") for row in rows]
    choices += [one for row in rows for one in _parts(subs.taxonomy, row)]
    paused = any(row.paused_until not in ("", NEVER) for row in rows)
    more = Choice("恢复推送", "resume") if paused else Choice("暂停推送", "pause:30")
    told = fill("mine", list=lines)
    choices += [Choice("全部退订", "leave:all"), more]
    if any(row.consent_version != CONSENT_VERSION for row in rows):
        told = (*told, *fill("consent_changed", version=CONSENT_VERSION))
        choices.append(Choice("同意新版告知", f"consent:{CONSENT_VERSION}"))
    return Said(told, tuple(choices))


def _oftener(rows: list[Subscription]) -> bool:
    """Whether any of them is served more than once a week."""
    return any(row.frequency != "weekly" and not row.policy for row in rows)


def _how(turn: Turn) -> str:
    """How somebody left, as it is counted: by a button or a number, or in which kind of words."""
    if turn.inbound.kind is not InboundKind.TEXT or chosen(turn.text, _ANY_CHOICE):
        return "button"
    return said(turn.text)


def _parts(taxonomy: Taxonomy, row: Subscription) -> list[Choice]:
    """A way to choose for each value that was split since it was asked for."""
    values = (
        ("t", TOPICS, row.topic),
        ("g", GROUPS, row.group),
        ("r", REGIONS, row.region.removesuffix(BELOW)),
        ("i", INDUSTRIES, row.industry),
        ("k", KINDS, row.kind),
    )
    return [
        Choice(f"选一类：{taxonomy.label(dimension, value)}", f"{head}:{row.id}")
        for head, dimension, value in values
        if len(taxonomy.now(dimension, value)) > 1
    ]


def _of(taxonomy: Taxonomy, row: Subscription, dimension: str) -> set[str]:
    """The value of a subscription in one dimension, also set aside; every part of a split one."""
    asked = all_chosen(row)
    values = {
        TOPICS: asked.topic,
        GROUPS: asked.group,
        REGIONS: asked.region.removesuffix(BELOW),
        INDUSTRIES: asked.industry,
    }
    return set(taxonomy.now(dimension, values.get(dimension, "")))
