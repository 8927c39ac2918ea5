"""Whether one message may leave now, and by which way: asked directly before its call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.channel import Channel
from bot.codes import ACCOUNT_HOLD, WINDOW_HOLD
from bot.contract import (
    AccountView,
    NotReleased,
    Outcome,
    Release,
    Rendering,
    ReplyBasis,
    State,
    Still,
    Withheld,
)
from bot.delivery.choosing import Facts, Via, choose
from bot.delivery.digest import Ready
from bot.delivery.life import WORDS as OLD_WORDS
from bot.delivery.life import too_old
from bot.delivery.mended import EARLIER, Had, form_for, halted, noted, unmarked
from bot.delivery.not_now import put_off_push
from bot.delivery.outbox import (
    CHANGED,
    CHANGED_HOLD,
    RELEASE_HOLD,
    Work,
)
from bot.delivery.past import Past
from bot.delivery.recent import Recent, not_released
from bot.delivery.retrying import LEFT, NO_ROOM, QUIET, TOO_OLD
from bot.delivery.routes import Route, Way, Window, route, window_of
from bot.delivery.wiring import Wants, Wiring
from bot.models import Delivery
from bot.noticing import NOTICE_CALL, notices
from bot.quota import begins, day_of
from bot.render import fill_link
from config.clock import now

NOT_WANTED = "本人已退订"
BY_MASS = "已随群发送达，不再单独推送"
CAME = "对方已来信，答复直接送达，不用通知"
NOT_AGREED = "对方没有同意过答复通知，或同意的次数已用完"
NIGHT = "夜间不推送，到早上再发"
AGAIN = 0.5  # seconds after which somebody who has just chosen anew is asked once more
AFTER_EARLIER = 5.0  # seconds in which a call that is on its way mostly has its end
Opened = tuple[Channel, AccountView, str]
"""A channel, the account on it, and the address of somebody."""


@dataclass
class Leaving:
    """What holds for everybody who is sent one publication: asked once for the rows of a turn."""

    release: Release
    rendering: Mapping[str, Any]
    still: Still
    link: str
    put_off: Outcome | None
    forms: dict[Had, Rendering] = field(default_factory=dict)

    def form(self, had: Had) -> Rendering:
        """What whoever had this of an earlier text is pushed."""
        if had not in self.forms:
            self.forms[had] = fill_link(form_for(self.rendering, had), self.link)
        return self.forms[had]


@dataclass
class Shared:
    """What the rows of one turn share: they are prepared in one moment.

    Each call asks again directly before it (Ready.still).
    """

    leaving: dict[tuple[str | None, ...], Outcome | Leaving] = field(default_factory=dict)
    addresses: dict[tuple[str, str], str] = field(default_factory=dict)


class Preparing:
    """Asks what stands in the way of one claimed row."""

    def __init__(self, wiring: Wiring, recent: Recent, past: Past) -> None:
        """Shared with the Sender of the process."""
        self._w = wiring
        self._recent = recent
        self._past = past

    async def opened(self, one: Work, shared: Shared, *, several: bool = False) -> Outcome | Opened:
        """The way to somebody, or why there is none now; `several`: it goes with other items."""
        left = route(Window(), one.contact, now())  # asked first: no account need be opened
        if left.kind is Way.ENDED:
            return Outcome(State.ENDED, reason=left.words)
        if pushed(one) and refuses(one.contact):
            return Outcome(State.ENDED, reason=one.contact.refused_why, code=LEFT)
        # Before anything can hold it: what waits is given more time.
        if too_old(one.id, one.reply, late=one.late):
            return Outcome(State.ENDED, reason=OLD_WORDS, code=TOO_OLD)
        account = await self._recent.account(one.account_id)
        if isinstance(account, str):
            return Outcome(State.HELD, reason=account, code=ACCOUNT_HOLD)
        channel = self._w.channels[account.platform]
        if (shut := await self._choose(channel, account, one, several=several)) is not None:
            return shut
        person = (one.account_id, one.contact_id)
        if person not in shared.addresses:
            try:
                address = self._w.contacts.address_on(one.account_id, one.contact)
            except ValueError:
                return await self.changed("contact", one.contact_id)
            shared.addresses[person] = address
        if one.key in self._past:  # its end is not in the table any more: an older row put back
            return await self.changed(Delivery.__tablename__, one.id)
        return channel, account, shared.addresses[person]

    async def _choose(
        self, channel: Channel, account: AccountView, one: Work, *, several: bool
    ) -> Outcome | None:
        """Choose the one way of this message (choosing.py), or say why there is none now."""
        way = route(window_of(channel, account.settings), one.contact, now())
        held = Outcome(State.HELD, reason=way.words, code=WINDOW_HOLD)
        if tells_of_answer(one):
            return await self._by_notice(channel, account, one, way)
        if one.reply is not None or not notices(channel):
            one.counts = way.counts
            return None if way.open else held
        full = await self._recent.full(channel, account)
        one.chosen = choose(
            Facts(
                window=way,
                templates=[one for one in channel.templates(account.settings) if not one.answers],
                consents=one.agreed.of,
                mass=await self._recent.by_mass(channel, one.publication_id),
                several=several,
                spent=full | ({NOTICE_CALL} if one.agreed.full else set()),
            )
        )
        one.counts = one.chosen.counts
        if one.chosen.via is Via.MASS:
            return Outcome(State.ENDED, reason=BY_MASS, code=LEFT)
        if one.chosen.via is not Via.HOLD:
            return None
        return _tomorrow(one) if one.chosen.for_quota else held

    async def _by_notice(
        self, channel: Channel, account: AccountView, one: Work, way: Route
    ) -> Outcome | None:
        """That an answer waits goes by a notice its reader agreed to, or not at all."""
        if way.open:
            return Outcome(State.ENDED, reason=CAME, code=LEFT)
        if not notices(channel):
            return Outcome(State.ENDED, reason=NOT_AGREED, code=LEFT)
        full = await self._recent.full(channel, account)
        templates = [one for one in channel.templates(account.settings) if one.answers]
        spent = full | ({NOTICE_CALL} if one.agreed.full else set())
        picked = choose(Facts(window=way, templates=templates, consents=one.agreed.of, spent=spent))
        if picked.via is Via.HOLD and picked.for_quota:
            return _tomorrow(one)
        if picked.via is Via.HOLD:
            return Outcome(State.ENDED, reason=NOT_AGREED, code=LEFT)
        one.chosen, one.counts = picked, ""
        return None

    async def each(
        self, rows: Sequence[Work], shared: Shared
    ) -> tuple[Opened | None, list[Ready], list[Outcome | None]]:
        """Those of a digest that may leave, their way, and for each of the others its outcome."""
        way: Opened | None = None
        ready: list[Ready] = []
        outcomes: list[Outcome | None] = []
        for one in rows:
            opened = await self.opened(one, shared, several=len(rows) > 1)
            found: Outcome | Ready = (
                opened if isinstance(opened, Outcome) else await self.ready(opened[1], one, shared)
            )
            if isinstance(opened, Outcome) or isinstance(found, Outcome):
                outcomes.append(found if isinstance(found, Outcome) else None)
                continue
            way = opened
            ready.append(found)
            outcomes.append(None)
        return way, ready, outcomes

    async def ready(self, account: AccountView, one: Work, shared: Shared) -> Outcome | Ready:
        """What of a push may leave now, proved anew; or why it may not."""
        if one.publication_id and not one.late and await self._recent.finished(one.publication_id):
            return await self.changed(Delivery.__tablename__, one.id)
        leaving = await self._leaving(account, one, shared)
        if isinstance(leaving, Outcome):
            return leaving
        # One call goes to all of them: what goes alone now is a row that somebody made due.
        if self._w.channels[account.platform].chooses(account.settings) and not one.late:
            return await self.changed(Delivery.__tablename__, one.id)
        if leaving.put_off is not None:
            return leaving.put_off
        release = leaving.release
        wants, audience = one.wants, release.audience or {}
        reason = unmarked(one.reason)
        why = wants.why(one.account_id, one.contact_id, audience, reason) if wants else ""
        if wants is None or not why:
            return Outcome(State.ENDED, reason=NOT_WANTED, code=LEFT)
        wait = 0.0 if release.urgent else wants.waits(audience, one.id, one.contact)
        if wait:
            return Outcome(State.RETRYING, reason=NIGHT, code=QUIET, retry_after=wait)
        had = await self._w.had(release, one.contact_id) if release.corrects else Had.NO
        if had is Had.ON_ITS_WAY:
            words = "更正前的原文正在发给对方，等它有结果再发"
            return Outcome(State.RETRYING, reason=words, code=EARLIER, retry_after=AFTER_EARLIER)
        one.reason = noted(why) if had is Had.YES else why
        still = _wanted(leaving.still, wants, one.contact_id)
        form, items = leaving.form(had), (release.item_id,)
        return Ready(form, release.title, leaving.link, one.reason, still, items)

    async def _leaving(self, account: AccountView, one: Work, shared: Shared) -> Outcome | Leaving:
        key = (one.release_id, one.publication_id, account.id)
        if key not in shared.leaving:
            shared.leaving[key] = await self._look(account, one)
        return shared.leaving[key]

    async def _look(self, account: AccountView, one: Work) -> Outcome | Leaving:
        release = await self._recent.release(str(one.release_id))
        if isinstance(release, NotReleased):
            return not_released(release)
        if stop := halted(await self._recent.going(release.item_id, account.id)):
            return stop
        rendering = release.renderings.get(account.id)
        if rendering is None:
            return Outcome(State.HELD, reason="放行的内容不含这个账号", code=RELEASE_HOLD)
        still = self._recent.still(release, account.id)
        link = await self._recent.link(release.item_id, one.publication_id or "")
        put_off = await put_off_push(self._w, release)
        return Leaving(release, rendering, still, link, put_off)

    async def changed(self, table: str, row_id: str) -> Outcome:
        """Tell of a row that somebody wrote past this program, and hold the message."""
        await self._w.on_changed(table, row_id)
        return Outcome(State.HELD, reason=CHANGED, code=CHANGED_HOLD)


def _tomorrow(one: Work) -> Outcome:
    """Until the platform counts anew: that of a refused notice, or the next day."""
    until = one.agreed.full or begins(day_of(now()) + timedelta(days=1))
    wait = max(1.0, (until - now()).total_seconds() + 1)
    words = "今天能发的条数已用完，恢复后再发"
    return Outcome(State.RETRYING, reason=words, code=NO_ROOM, retry_after=wait)


def pushed(one: Work) -> bool:
    """Whether nobody asked for it just now: what is released, or what became of a policy."""
    return one.reply is None or one.reply.get("basis") == ReplyBasis.NOTICE


def tells_of_answer(one: Work) -> bool:
    """Whether it only says that an answer waits."""
    return one.reply is not None and one.reply.get("basis") == ReplyBasis.WAITS


def refuses(contact: Any) -> bool:
    """Whether they refused pushes and have not acted since: whoever writes again may get them."""
    if contact.refused_at is None:
        return False
    acts = (contact.last_inbound_at, contact.brief_at)
    return not any(at is not None and at > contact.refused_at for at in acts)


def _wanted(still: Still, wants: Wants, contact_id: str) -> Still:
    """Also that its reader wants it as when it was claimed: a call may wait long for its pace."""

    async def asked() -> None:
        await still()
        if not await wants.stands(contact_id):
            words = "本人刚刚改动了订阅，再核对一次"
            raise Withheld(Outcome(State.RETRYING, reason=words, retry_after=AGAIN))

    return asked
