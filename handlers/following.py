"""Following one policy: 关注《…办法》, a button under an answer, and out of it by name or button.

`Following(wiring)` is a Handler, before Withdrawing: 取消关注《…》 names one document. Keys it
answers: follow:<policy>. What is told of it later is made by office/policy_followers.py.
"""

import re
from collections.abc import Sequence

from bot.contract import InboundKind
from config.clock import beijing, now
from handlers.commands import CommandWiring
from handlers.turn import Choice, Said, Turn, fill
from handlers.wishes import Missed, wish_in
from knowledge.followed import PolicyNow
from knowledge.proof import SignedPolicy
from knowledge.validity import STATUS_NAMES
from ledger.verify import Broken
from subscriptions.agreed import Begun, follow
from subscriptions.subscribers import CONSENT_VERSION, SubscriptionError

_TITLE = re.compile(r"[《〈<]([^《》<>]{2,120})[》>]")
_LEAVE = re.compile(
    r"(?:请|帮我|我要|我想)*(?:取消关注|取消订阅|不再关注|别再关注|不要关注|不想关注|退订|取关)"
    r"[《〈<][^《》<>]{2,120}[》>](?:了|吧|谢谢)*[。.！!]*"
)
_BUTTON = 40


class Following:
    """Begins and ends that somebody follows one document."""

    def __init__(self, wiring: CommandWiring) -> None:
        """Titles come from the signed library; what is kept is a subscription like the others."""
        self._ledger = wiring.tickets.ledger
        self._subs = wiring.subscribers
        self._names = wiring.policies

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        head, _, policy = turn.key.partition(":")
        if head == "follow":
            return await self._follow(turn, policy)
        if turn.key or turn.inbound.kind is not InboundKind.TEXT or self._names is None:
            return None
        titles = _TITLE.findall(turn.text)
        if len(titles) != 1:
            return None
        if _LEAVE.fullmatch("".join(turn.text.split())):
            return await self._leave(turn, titles[0])
        wish = wish_in(turn.text, self._subs.taxonomy)
        if wish is None or wish.asked or wish.missed != {Missed.TITLE}:
            return None
        return await self._named(turn, titles[0])

    async def _named(self, turn: Turn, title: str) -> Said:
        found = self._found(title)
        if not found:
            return Said(fill("follow_none"), (Choice("订阅政策", "sub"),))
        if len(found) == 1:
            return await self._follow(turn, found[0].id)
        choices = (Choice(_label(one), f"follow:{one.id}") for one in found)
        return Said(fill("follow_which"), tuple(choices))

    def _found(self, title: str) -> Sequence[SignedPolicy]:
        return self._names.found(title, beijing(now()).date()) if self._names is not None else ()

    async def _follow(self, turn: Turn, policy: str) -> Said:
        if turn.inbound.late:
            return Said(fill("overtaken"))
        found = await self._now(policy)
        if found is None:  # a button of last month, or typed by hand
            return Said(fill("stale"))
        if not found.citable and found.status != "not_yet":
            return self._gone(found)
        try:
            async with self._ledger.transaction() as tx:
                state = Begun(policy, ",".join(found.events))
                row = await follow(self._subs, tx, turn.contact, state, CONSENT_VERSION)
        except SubscriptionError as error:
            return Said(fill("subscribe_refused", problem=str(error)))
        choices = (Choice("我的订阅", "mine"), Choice("不再关注", f"leave:{row.id}"))
        return Said(fill("followed", subscription=self._subs.words(row)), choices)

    async def _now(self, policy: str) -> PolicyNow | None:
        if self._names is None:
            return None
        try:
            return (await self._names.now([policy], beijing(now()).date())).get(policy)
        except Broken:
            return None

    def _gone(self, found: PolicyNow) -> Said:
        """It has ended already: what follows it may be followed."""
        policy, after = found.policy, found.successor
        said = fill(
            "follow_gone",
            title=policy.title.strip("《》"),
            number=policy.doc_number,
            validity=STATUS_NAMES[found.status],
            date=f"（{found.ended_on}）" if found.ended_on else "",
        )
        choices = (Choice(_label(after), f"follow:{after.id}"),) if after is not None else ()
        return Said(said, choices)

    async def _leave(self, turn: Turn, title: str) -> Said | None:
        """Those of theirs that are meant; None when they follow none of that name."""
        meant = {one.id for one in self._found(title)}
        async with self._ledger.transaction() as tx:
            own = await self._subs.list(tx.session, turn.contact.id)
            ids = [row.id for row in own if row.policy and row.policy in meant]
            if not ids:
                return None
            gone = await self._subs.leave(tx, turn.contact.id, *ids)
        return Said(fill("left_one", subscription="；".join(self._subs.words(row) for row in gone)))


def _label(policy: SignedPolicy) -> str:
    title = policy.title.strip("《》")
    return f"关注《{title if len(title) <= _BUTTON else title[: _BUTTON - 1] + '…'}》"
