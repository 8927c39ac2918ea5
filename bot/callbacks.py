"""What the platforms send us: proved, stored once, answered through the same channel."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from aiohttp import web

from bot.agreed import Agreed
from bot.albums import speaks_for_album
from bot.arrivals import HEARD
from bot.calls import call_of, forbidden
from bot.channel import Listening
from bot.contract import (
    ACTS,
    AccountView,
    Forged,
    Inbound,
    InboundKind,
    ReplyBasis,
    State,
    Unreadable,
)
from bot.intake import Intake, Stored
from bot.later import Later, Sealed
from bot.models import Contact
from bot.opens import Opens
from bot.replies import Filled, Parts, Unsayable
from bot.turns import SETTLE, Act, Turns
from bot.unanswered import Unanswered, took
from bot.unanswered import Wiring as Waiting
from bot.wiring import CallbackWiring
from storage.away import REDIS_AWAY

ACCOUNT_FOR = 2.0  # seconds an opened account is remembered
MOST_UNDER_WAY = (
    2000  # answers being made in this process, above which a platform is told to come again
)
SAID_FOR = 5.0  # seconds for which the next act of a person waits for the answer to this one

Say = Callable[[Parts | None], Coroutine[Any, Any, None]]
_log = structlog.get_logger("bot.callbacks")


def add_routes(app: web.Application, wiring: CallbackWiring) -> "Callbacks":
    """Mount `/<platform>/<slug>`; answers still on their way are awaited at shutdown."""
    return mount(app, Callbacks(wiring))


def mount(app: web.Application, callbacks: "Callbacks") -> "Callbacks":
    """As add_routes, for callbacks that jobs share."""
    for platform, channel in callbacks.channels.items():
        path = f"/{platform}/{{slug}}"
        if channel.asks_for_proof:
            app.router.add_get(path, partial(callbacks.prove, channel))
        app.router.add_post(path, partial(callbacks.receive, channel))

    async def drain(_: web.Application) -> None:
        await callbacks.drain()

    app.on_shutdown.append(drain)
    return callbacks


class Callbacks:
    """The doors of every platform: once only in, answered in the call or after it."""

    def __init__(self, wiring: CallbackWiring) -> None:
        """See CallbackWiring."""
        self._w = wiring
        self._turns = Turns(wiring.db)
        self._unanswered = Unanswered(
            Waiting(
                wiring.db,
                wiring.contacts,
                wiring.sender.owner,
                self._answer_again,
                wiring.on_incident,
                wiring.sender.note_changed,
            )
        )
        self._agreed = Agreed(
            wiring.db, wiring.contacts, wiring.on_incident, wiring.sender.note_changed
        )
        self._intake = Intake(wiring, self._unanswered)
        self._sealed = Sealed(wiring.db, wiring.cache)
        self._later = Later(wiring.db, self._sealed)
        self._running: set[asyncio.Task[Any]] = set()
        self._known: dict[str, tuple[float, AccountView | None]] = {}

    @property
    def channels(self) -> Mapping[str, Listening]:
        """By platform."""
        return self._w.channels

    async def answer_left(self) -> int:
        """Answer what a process left without one; how many acts."""
        return await self._unanswered.sweep()

    async def drain(self, seconds: float = 20.0) -> None:
        """Wait for the answers still on their way."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def prove(self, channel: Listening, request: web.Request) -> web.Response:
        """Prove to the platform that the address is ours."""
        try:
            account = await self._account(request, channel.platform)
            return web.Response(text=await channel.prove(account, call_of(request)))
        except Forged as forged:
            return forbidden(request, forged)

    async def receive(self, channel: Listening, request: web.Request) -> web.Response:
        """One message or event; answered in the call where the platform waits for it."""
        if len(self._running) >= MOST_UNDER_WAY:  # not taken, so nothing is lost: it comes again
            return web.Response(status=503, headers={"Retry-After": "1"})
        try:
            account = await self._account(request, channel.platform)
            heard = await channel.hear(account, call_of(request))
        except Forged as forged:
            return forbidden(request, forged)
        except Unreadable as unreadable:
            return web.Response(status=400, text=str(unreadable))
        text = await self._taken(channel, account, heard.inbound)
        if text is None:
            return web.Response(text=channel.nothing)
        return web.Response(text=heard.respond(text), content_type="application/xml")

    async def _taken(
        self, channel: Listening, account: AccountView, inbound: Inbound
    ) -> str | None:
        """What a proved call brought; the words that answer it in the call, or None."""
        if inbound.kind is InboundKind.RESULT:
            await self._w.publisher.on_result_event(inbound)
            await self._agreed(channel, account, inbound)
        elif inbound.kind is InboundKind.NOTICE:
            await self._noticed(channel, account, inbound)
        elif inbound.address == channel.nobody:
            return await self._tried(channel, inbound)
        elif not inbound.address or inbound.kind not in HEARD:
            pass  # nobody spoke to us: not even who they are is kept
        elif channel.passive_seconds:
            return await self._answer_in_call(channel, account, inbound)
        elif (stored := await self._intake.store(inbound)) is not None:
            self._spawn(self._answer_after(channel, account, inbound, stored))
        return None

    async def _noticed(self, channel: Listening, account: AccountView, inbound: Inbound) -> None:
        """What the platform says of the account itself is for staff, and its sender is nobody."""
        if words := channel.notice(account, inbound):
            subject = f"account:{account.id}:{inbound.key}"
            await self._w.on_incident("account_notice", subject, words)

    async def _tried(self, channel: Listening, inbound: Inbound) -> str | None:
        """Our own daily trial: answered in the call on every platform, whatever the way else is."""
        parts = await self._w.on_trial(inbound)
        if parts is None:
            return None
        try:
            return (await self._w.sender.build(parts, channel.platform)).text
        except Unsayable:
            return None

    async def _answer_in_call(
        self, channel: Listening, account: AccountView, inbound: Inbound
    ) -> str | None:
        """The passive answer, or None: nothing to say, or it follows as messages."""
        key = f"passive:{account.id}:{inbound.dedupe}"
        stored = await self._intake.store(inbound)
        if stored is None:  # the platform tries again: the same answer, if there is one yet
            kept = await self._sealed.kept(key)
            if kept is None:
                await self._unanswered.asked_again(account.id, inbound.dedupe)
            return kept
        late = await self._later.kept(inbound, stored.contact)
        task = self._spawn(
            self._once_more(late, inbound, stored) if late else self._answered(inbound, stored)
        )
        later = False
        try:
            text = await self._in_time(channel, account, task)
            if text is not None:
                with suppress(*REDIS_AWAY):  # then a second try is answered by a message
                    await self._sealed.keep(key, text, 60)
                said = task.result()
                met = "" if said is None else said.met
                await self._unanswered.done(stored.row_id, said, met, took(stored.row_id))
            else:
                later = True
                mute = await self._later.mute(account.id)
                self._spawn(
                    self._keep_late(task, inbound, stored)
                    if mute
                    else self._send_late(task, stored.row_id)
                )
                wait = self._w.wait_mute if mute else self._w.wait
                text = await self._wait(channel, inbound, stored, "" if task.done() else wait())
        finally:
            if not later:
                self._unanswered.gave(stored.row_id)
        return text

    async def _wait(
        self, channel: Listening, inbound: Inbound, stored: Stored, name: str
    ) -> str | None:
        """What is said inside the call while the answer to a question is still being looked for."""
        if not name or inbound.kind is not InboundKind.TEXT:
            return None
        contact, template = stored.contact, ReplyBasis.TEMPLATE
        return await self._said(
            channel, Parts(contact.account_id, contact.id, template, (Filled(name),))
        )

    async def _in_time(
        self, channel: Listening, account: AccountView, task: asyncio.Task[Parts | None]
    ) -> str | None:
        """The words of the answer, when there are some before the platform hangs up."""
        seconds = float(account.settings.get("passive_seconds", channel.passive_seconds))
        # `wait` and not `wait_for`: an answer that is late goes on and follows as a message.
        await asyncio.wait({task}, timeout=seconds)
        parts = task.result() if task.done() else None
        return None if parts is None else await self._said(channel, parts)

    async def _answered(
        self, inbound: Inbound, stored: Stored, say: Say | None = None
    ) -> Parts | None:
        """What is said to one act, in its turn; `say` belongs to the turn for a while."""
        weighs = self._w.weighs(inbound)
        if weighs:
            await asyncio.sleep(SETTLE)
        async with self._turns.turn(stored.act, taken=stored.taken):
            if await self._turns.overtaken(stored.act):
                inbound = replace(inbound, late=True)
            contact = stored.contact if stored.taken else await self._contact_now(inbound, stored)
            try:
                parts = await self._w.on_inbound(inbound, contact)
            finally:
                await self._release_held(inbound, contact)
            if say is not None:
                # Answers come in order too, but no slow platform keeps a person from leaving.
                await asyncio.wait({self._spawn(say(parts))}, timeout=SAID_FOR)
        return parts

    async def _once_more(self, parts: Parts, inbound: Inbound, stored: Stored) -> Parts:
        """What came too late for the first asking, in the turn of the second."""
        async with self._turns.turn(stored.act, taken=stored.taken):
            await self._release_held(inbound, stored.contact)
        return parts

    async def _contact_now(self, inbound: Inbound, stored: Stored) -> Contact:
        """Whoever asked to be forgotten while this act waited has come as somebody new.

        Only by an act of their own: blocking us makes nobody known.
        """
        async with self._w.db.session() as session:
            contact = await session.get(Contact, stored.contact.id)
            if contact is not None and contact.address:
                return contact
            if inbound.kind not in ACTS or inbound.kind is InboundKind.RETURN:
                return contact or stored.contact
            return await self._w.contacts.upsert(
                session, inbound.account_id, inbound.address, inbound.at, inbound.opens
            )

    async def _release_held(self, inbound: Inbound, contact: Contact) -> None:
        """An act that opens no window frees nothing that waits for one."""
        if inbound.opens is not Opens.NOTHING:
            async with self._w.db.session() as session:
                await self._w.contacts.make_due(session, contact.id)

    async def _said(self, channel: Listening, parts: Parts) -> str | None:
        try:
            reply = await self._w.sender.build(parts, channel.platform)
        except Unsayable as why:
            _log.warning("reply_refused", reason=str(why))
            return None
        return channel.passive(reply)

    async def _send_late(self, answer: asyncio.Task[Parts | None], row_id: str) -> None:
        try:
            await self._say(await answer, row_id)
        finally:
            self._unanswered.gave(row_id)

    async def _keep_late(
        self, answer: asyncio.Task[Parts | None], inbound: Inbound, stored: Stored
    ) -> None:
        """No message can bring it: it waits for the question to be asked again."""
        try:
            parts = await answer
            if parts is not None:
                await self._later.keep(inbound, stored.contact, parts)
            await self._unanswered.done(stored.row_id, met="" if parts is None else parts.met)
        finally:
            self._unanswered.gave(stored.row_id)

    async def _say(self, parts: Parts | None, row_id: str) -> None:
        if parts is None:
            await self._unanswered.done(row_id)
            return
        if await self._later.mute(parts.account_id):  # it would be refused, and nobody told
            await self._unanswered.done(row_id, met=parts.met)
            return
        came = await self._w.sender.reply_now(parts, f"in:{row_id}")
        # What waits in the outbox, or failed, was not handed over in time.
        taken = took(row_id) if came.state is State.PUBLISHED else None
        await self._unanswered.done(row_id, met=parts.met, took=taken)

    async def _answer_again(self, inbound: Inbound, contact: Contact, row_id: str) -> None:
        stored = Stored(contact, Act.of(row_id, contact.id, inbound), taken=False)
        await self._answered(inbound, stored, partial(self._say, row_id=row_id))

    async def _answer_after(
        self, channel: Listening, account: AccountView, inbound: Inbound, stored: Stored
    ) -> None:
        if inbound.callback_id:
            self._spawn(channel.acknowledge(account, inbound.callback_id))
        try:
            if inbound.album and not await speaks_for_album(self._w.cache, inbound):
                await self._pass_over(stored)
                return
            await self._answered(inbound, stored, partial(self._say, row_id=stored.row_id))
        finally:
            self._unanswered.gave(stored.row_id)

    async def _pass_over(self, stored: Stored) -> None:
        """Nothing is said to it: whatever its contact does next need not wait for it."""
        async with self._turns.turn(stored.act, taken=stored.taken):
            await self._unanswered.done(stored.row_id)

    async def _account(self, request: web.Request, platform: str) -> AccountView:
        slug = request.match_info["slug"]
        until, account = self._known.get(slug, (0.0, None))
        if account is None or until < time.monotonic():
            try:
                account = await self._w.accounts.by_slug(slug)
            except (LookupError, ValueError) as error:
                raise Forged("no such account") from error
            self._known[slug] = (time.monotonic() + ACCOUNT_FOR, account)
        # A known slug under another platform's path would be parsed by rules it never agreed to.
        if account.platform != platform:
            raise Forged("no such account")
        return account

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("answer_failed", error=type(error).__name__, exc_info=error)
