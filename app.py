"""The composition root: builds everything from settings, mounts routes, lists jobs."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web
from sqlalchemy import select

from bot.accounts import Accounts
from bot.anchor_post import AnchorPost
from bot.callbacks import CallbackWiring
from bot.callbacks import add_routes as add_inbound_routes
from bot.channels import open_channels
from bot.contacts import Contacts
from bot.contract import Channel, Content, Inbound, InboundKind, Menu, Reply
from bot.delivery.leases import Lease
from bot.delivery.outbox import queue_reply
from bot.delivery.publishing import Publisher
from bot.delivery.recent import Recent
from bot.delivery.sending import Sender
from bot.delivery.wiring import Wiring
from bot.menus import equip
from bot.models import Account, Contact, Organisation
from config.clock import beijing, now, use_clock_file
from config.settings import CONFIG, Settings
from console.app import add_routes as add_console_routes
from console.web.deps import Deps
from content_sources.fetch import Fetcher
from content_sources.ingest import Ingest
from content_sources.link_look import Allowed, LinkLook
from content_sources.models import Source
from content_sources.reposts import Reposts
from content_sources.watch import OriginalWatch
from content_sources.whitelist import judging
from escalations.alarms import AlarmRoutes, Alarms
from escalations.calendar import load_hours, seed_calendar
from escalations.tickets import TicketWiring
from facets.taxonomy import Taxonomy, starting_taxonomy
from gates.finding import Finding
from gates.spelling import Speller
from handlers.commands import COMMANDS, MENU, CommandWiring
from handlers.dispatch import Dispatcher, build_dispatcher
from handlers.masking import mask
from handlers.templates import load_templates
from knowledge.library import PolicyLibrary
from knowledge.models import Clause
from knowledge.service import KnowledgeService
from ledger.append import Ledger
from ledger.remote import RemoteAnchors
from migrations.run import upgrade
from office.engine import TaskEngine
from office.handovers import audience_of
from office.jobs import jobs_of, running
from office.keys import open_crypt, open_ledger
from review_queue import publishing
from review_queue.canonical import Draft
from review_queue.deadlines import Deadlines
from review_queue.desk import Queue, Render
from review_queue.files import Files
from review_queue.findings import Against, Checks, Finder
from review_queue.governance.kinds import Governance
from review_queue.links import Links
from review_queue.release import Releases
from staff.refusal import Refused
from staff.tasks import Tell
from storage.cache import Cache, open_cache
from storage.crypt import DataKey
from storage.database import Database
from storage.media import load
from subscriptions.matching import Matching
from subscriptions.push import Pusher
from subscriptions.subscribers import Subscribers

CLOSING_SECONDS = 10.0  # open requests get so long when the office stops


@dataclass
class Shenfa:
    """Everything of one running office, built once."""

    settings: Settings
    db: Database
    cache: Cache
    crypt: DataKey
    ledger: Ledger
    remote_anchors: RemoteAnchors
    accounts: Accounts
    contacts: Contacts
    channels: dict[str, Channel]
    queue: Queue
    governance: Governance
    releases: Releases
    lease: Lease
    publisher: Publisher
    sender: Sender
    pusher: Pusher
    matching: Matching
    taxonomy: Taxonomy
    knowledge: KnowledgeService
    library: PolicyLibrary
    fetcher: Fetcher
    links: Links
    ingest: Ingest
    reposts: Reposts
    originals: OriginalWatch
    tell: Tell
    tickets: TicketWiring
    deadlines: Deadlines
    dispatcher: Dispatcher
    checks: Checks

    async def on_inbound(self, inbound: Inbound, contact: Contact) -> Reply | None:
        """What a platform sent: results settle publications, everything else is a conversation."""
        if inbound.kind is InboundKind.RESULT:
            await self.publisher.on_result_event(inbound)
            return None
        return await self.dispatcher.handle(inbound, contact)

    def console_deps(self) -> Deps:
        """What the console is given."""
        return Deps(
            settings=self.settings,
            db=self.db,
            ledger=self.ledger,
            queue=self.queue,
            governance=self.governance,
            cache=self.cache,
            taxonomy=self.taxonomy,
            tickets=self.tickets,
            ingest=self.ingest,
        )

    async def equip(self) -> list[str]:
        """Tell each platform where we listen and what our menu is; the problems, in Chinese."""
        menu = Menu(MENU, COMMANDS)
        return await equip(self.db, self.accounts, self.channels, self.settings.public_url, menu)

    async def _read_speller(self) -> None:
        """Load the spelling model in a thread; it only warns, so nothing waits for it at start."""
        own = await _own_texts(self.db)
        self.checks.speller = await asyncio.to_thread(Speller.load, own_texts=own)

    @asynccontextmanager
    async def jobs(self) -> AsyncIterator[TaskEngine]:
        """Run every job of the office, with what they rest on; drained at the end."""
        reading = asyncio.create_task(self._read_speller())
        await self.lease.start()
        try:
            async with running(jobs_of(self), self.settings.redis_url) as engine:
                try:
                    yield engine
                finally:
                    self.lease.halt()  # or the running job would go on to the end of its push
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await self.lease.stop()


# --- one running office -------------------------------------------------------------------


async def _own_texts(db: Database) -> list[str]:
    """The words and names of this office, which spelling must know."""
    async with db.session() as session:
        names = [
            *(await session.scalars(select(Organisation.name))).all(),
            *(await session.scalars(select(Account.name))).all(),
            *(await session.scalars(select(Source.organisation))).all(),
        ]
    return [*(await _clauses(db)), *names * 20]  # a name is met more often than it is stored


def _finders(files: Files, links: Links, reposts: Reposts) -> tuple[Finder, ...]:
    """What else is looked at beside the words of a draft: its files, its links, its source."""

    async def in_files(draft: Draft, against: Against) -> Sequence[Finding]:
        return await files.findings(draft, against.rules, against.facts)

    async def in_links(draft: Draft, against: Against) -> Sequence[Finding]:
        return await links.findings(draft, sending=against.sending)

    async def in_source(draft: Draft, _: Against) -> Sequence[Finding]:
        return await reposts.findings(draft)

    return in_files, in_links, in_source


async def _clauses(db: Database) -> Sequence[str]:
    """Texts of the library on which a change of rules is tried."""
    async with db.session() as session:
        return (await session.scalars(select(Clause.text).limit(2000))).all()


def _renderer(channels: Mapping[str, Channel]) -> Render:
    def render(
        accounts: Sequence[Account], content: Content
    ) -> tuple[dict[str, dict[str, Any]], list[str]]:
        renderings = {row.id: channels[row.platform].render(content) for row in accounts}
        problems = [
            f"{row.name}：{problem}"
            for row in accounts
            for problem in channels[row.platform].problems(renderings[row.id])
        ]
        return renderings, problems

    return render


@asynccontextmanager
async def open_shenfa(settings: Settings) -> AsyncIterator[Shenfa]:
    """Build everything from settings, and give every connection back at the end."""
    use_clock_file(settings.dev_clock_file)
    db = Database(settings.database_url)
    await upgrade(db)
    shenfa = _build(settings, db)
    with suppress(Refused):  # a broken ledger stops submitting, not the console that shows it
        await shenfa.governance.levels.refresh()
    async with db.writing() as session:
        year = beijing(now()).year
        await seed_calendar(session, (year, year + 1))
    try:
        yield shenfa
    finally:
        for channel in shenfa.channels.values():
            await channel.close()
        await shenfa.links.close()
        await shenfa.fetcher.close()
        await shenfa.cache.close()
        await db.close()


def _build(settings: Settings, db: Database) -> Shenfa:
    cache, crypt = open_cache(settings.redis_url), open_crypt(settings)
    ledger = open_ledger(settings, db)
    allowed = settings.allowed_private
    accounts, contacts = Accounts(db, crypt, allowed), Contacts(crypt)
    channels = open_channels(cache, allowed)
    taxonomy = starting_taxonomy()
    knowledge = KnowledgeService(db, settings.home / "index")
    governance = Governance.of(ledger, partial(_clauses, db))
    reposts = Reposts(ledger)
    fetcher = Fetcher(allowed)
    links = Links(db, LinkLook(fetcher, partial(judging, db), Allowed.load(settings.public_url)))
    checks = Checks(governance.rules, knowledge.facts_now, _finders(Files(db), links, reposts))
    queue = Queue.of(ledger, governance.levels, _renderer(channels), checks.check)
    ingest = Ingest(db, ledger, queue, fetcher, partial(audience_of, taxonomy))
    releases = Releases(ledger, checks.at_send)
    matching = Matching(taxonomy)

    async def load_media(name: str) -> tuple[bytes, str]:
        async with db.session() as session:
            found = await load(session, name)
        if found is None:
            raise LookupError(f"没有这个媒体文件：{name}")
        return found

    async def on_incident(kind: str, subject: str, message: str) -> None:
        await ledger.open_incident(kind, subject=subject, message=message, detail={})

    delivery = Wiring(
        db=db,
        cache=cache,
        contacts=contacts,
        channels=channels,
        verify=releases.verify,
        open_account=accounts.open,
        load_media=load_media,
        in_flight=settings.sends_in_flight,
        on_incident=on_incident,
        on_publication=partial(publishing.note_publication, queue),
    )
    recent = Recent(delivery)
    lease = Lease(delivery, recent)
    publisher, sender = Publisher(delivery, lease, recent), Sender(delivery, lease, recent)
    hours = load_hours(CONFIG / "calendar.yaml")
    mail = (settings.smtp_host, settings.smtp_port, settings.mail_from)
    routes, post = AlarmRoutes(allowed, *mail), AnchorPost(allowed, *mail)
    alarms = Alarms(db, crypt, accounts.open, channels, routes)

    async def notify(people: Sequence[str], words: str) -> None:
        for staff_id in people:
            await alarms.tell(staff_id, words)

    tickets = TicketWiring(
        ledger=ledger,
        hours=hours,
        check=checks.check_text,
        queue_reply=partial(queue_reply, db),
        alarm=alarms.tell,
        channels=channels,
    )
    wiring = CommandWiring(
        db=db,
        templates=load_templates(CONFIG / "replies.yaml"),
        contacts=contacts,
        subscribers=Subscribers(taxonomy),
        tickets=tickets,
        mask=mask,
        hotline=hours.hotline,
        say_now=sender.reply_now,
    )
    dispatcher = build_dispatcher(wiring, cache, knowledge.ask, knowledge.told)
    return Shenfa(
        settings=settings,
        db=db,
        cache=cache,
        crypt=crypt,
        ledger=ledger,
        remote_anchors=RemoteAnchors(ledger, settings.anchor_addresses, post),
        accounts=accounts,
        contacts=contacts,
        channels=channels,
        queue=queue,
        governance=governance,
        releases=releases,
        lease=lease,
        publisher=publisher,
        sender=sender,
        pusher=Pusher(db, ledger, releases.verify, matching),
        matching=matching,
        taxonomy=taxonomy,
        knowledge=knowledge,
        library=PolicyLibrary(ledger),
        fetcher=fetcher,
        links=links,
        ingest=ingest,
        reposts=reposts,
        originals=OriginalWatch(ledger, fetcher, alarms.tell),
        tell=alarms.tell,
        tickets=tickets,
        deadlines=Deadlines(queue, notify),
        dispatcher=dispatcher,
        checks=checks,
    )


def build_site(shenfa: Shenfa) -> web.Application:
    """The whole web face: platform callbacks, console, API, verify page, health."""
    app = web.Application(client_max_size=12 * 1024 * 1024)
    add_inbound_routes(
        app,
        CallbackWiring(
            db=shenfa.db,
            cache=shenfa.cache,
            accounts=shenfa.accounts,
            contacts=shenfa.contacts,
            publisher=shenfa.publisher,
            sender=shenfa.sender,
            channels=shenfa.channels,
            on_inbound=shenfa.on_inbound,
            mask=mask,
        ),
    )
    add_console_routes(app, shenfa.console_deps())
    return app


@asynccontextmanager
async def listening(shenfa: Shenfa) -> AsyncIterator[None]:
    """The web face on the host and port of the settings; at the end open requests are finished."""
    runner = web.AppRunner(build_site(shenfa), access_log=None, shutdown_timeout=CLOSING_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, shenfa.settings.host, shenfa.settings.port).start()
        yield
    finally:
        await runner.cleanup()
