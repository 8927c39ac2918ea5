"""The composition root: builds everything from settings, mounts routes, lists jobs."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial

from aiohttp import web

from bot.accounts import Accounts
from bot.anchor_post import AnchorPost
from bot.callbacks import Callbacks, mount
from bot.channel import Channel, Menu
from bot.contacts import Contacts
from bot.contract import Inbound, InboundKind
from bot.delivery.commenting import Commenter
from bot.delivery.leases import Lease
from bot.delivery.processes import SCHEDULER, WORKER
from bot.delivery.publishing import Publisher
from bot.delivery.recent import Recent
from bot.delivery.removing import Remover
from bot.delivery.sending import Sender
from bot.followers import Followers
from bot.menus import Equipping
from bot.models import Account, Contact
from bot.readings import Readings
from bot.replies import Parts
from bot.wiring import CallbackWiring
from config.clock import use_clock_file
from config.settings import Settings
from config.signals import end
from console.app import LARGEST_BODY
from console.app import add_routes as add_console_routes
from console.web.deps import Deps
from content_sources.carried import carry_over
from content_sources.fetch import Fetcher
from content_sources.ingest import Ingest
from content_sources.reposts import Reposts
from content_sources.watch import OriginalWatch
from escalations.alarms import AlarmPost, Alarms
from escalations.tickets import TicketWiring
from facets.taxonomy import Taxonomy
from handlers.commands import COMMANDS, MENU
from handlers.dispatch import Dispatcher
from handlers.masking import mask
from handlers.recall import Recall
from handlers.released import LOOKING_MUTE, ReleasedTemplates, looking
from handlers.subscribing import weighs
from knowledge.entries import ReviewedEntries
from knowledge.library import PolicyLibrary
from knowledge.notices import Notices
from knowledge.regression import Regression
from knowledge.service import KnowledgeService
from ledger.append import Ledger
from ledger.remote import RemoteAnchors
from ledger.verify import Broken
from migrations.run import upgrade
from office.checking import own_texts
from office.clear_text import sweep_all
from office.engine import TaskEngine
from office.jobs import jobs_of
from office.keys import open_database
from office.leading import Leader
from office.library_upgrade import sign_library
from office.parts import seed_what_lacks
from office.rooms import (
    build_answers,
    build_base,
    build_delivery,
    build_review,
    build_tickets,
    incidents_of,
)
from office.running import answering, running, scheduling, working
from office.stood import sign_incidents_that_stood, sign_what_was_published
from office.upgrades import move_alarms, seal_contacts, seal_what_stood, sign_what_stood
from review_queue.comments import Comments, digest_of
from review_queue.deadlines import Deadlines
from review_queue.desk import Queue
from review_queue.findings import Checks
from review_queue.governance.kinds import Governance
from review_queue.links import Links
from review_queue.release import Releases
from staff.door import Door
from staff.identities import Identities
from staff.provider import Provider, client_of
from staff.refusal import Refused
from staff.second_factor import begin_first_week
from staff.settings import SignedSettings
from staff.tasks import Tell
from storage.cache import Cache
from storage.crypt import DataKey
from storage.database import Database
from subscriptions.matching import Matching
from subscriptions.push import Pusher
from supervision.road import Road
from supervision.trial import Trials

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
    signed: SignedSettings
    templates: ReleasedTemplates
    entries: ReviewedEntries
    notices: Notices
    releases: Releases
    lease: Lease
    publisher: Publisher
    remover: Remover
    sender: Sender
    pusher: Pusher
    readings: Readings
    followers: Followers
    commenter: Commenter
    comments: Comments
    matching: Matching
    taxonomy: Taxonomy
    knowledge: KnowledgeService
    library: PolicyLibrary
    regression: Regression
    fetcher: Fetcher
    links: Links
    ingest: Ingest
    reposts: Reposts
    originals: OriginalWatch
    tell: Tell
    alarms: Alarms
    tickets: TicketWiring
    deadlines: Deadlines
    dispatcher: Dispatcher
    checks: Checks

    async def on_inbound(self, inbound: Inbound, contact: Contact) -> Parts | None:
        """What a platform sent: results settle publications, everything else is a conversation."""
        if inbound.kind is InboundKind.RESULT:
            await self.publisher.on_result_event(inbound)
            return None
        return await self.dispatcher.handle(inbound, contact)

    @cached_property
    def callbacks(self) -> Callbacks:
        """The doors of the platforms, and what is still to be answered."""
        return Callbacks(
            CallbackWiring(
                db=self.db,
                cache=self.cache,
                accounts=self.accounts,
                contacts=self.contacts,
                publisher=self.publisher,
                sender=self.sender,
                channels=self.channels,
                on_inbound=self.on_inbound,
                mask=mask,
                weighs=weighs,
                on_trial=self.dispatcher.rehearse,
                wait=partial(looking, self.templates),
                wait_mute=partial(looking, self.templates, LOOKING_MUTE),
                on_incident=incidents_of(self.ledger),
            )
        )

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
            matching=self.matching,
            tickets=self.tickets,
            alarms=self.alarms,
            ingest=self.ingest,
            door=self.door,
            trials=self.trials,
            comments=self.comments,
            regression=self.regression,
            identities=self.identities,
            recall=Recall(self.templates, self.entries, self.knowledge.hit, self.knowledge.ask),
        )

    @cached_property
    def identities(self) -> Identities | None:
        """The body's own sign-in, where it is configured."""
        if (client := client_of(self.settings)) is None:
            return None
        return Identities(self.ledger, self.cache, self.crypt, Provider(client))

    @property
    def door(self) -> Door:
        """The way in, for the console and for commands."""
        return Door(self.ledger, self.cache, self.crypt)

    @cached_property
    def equipping(self) -> Equipping:
        """What tells the platforms where we listen, and again when an account was changed."""
        address, menu = self.settings.public_url, Menu(MENU, COMMANDS)
        return Equipping(self.db, self.accounts, self.channels, address, menu)

    async def equip(self, slugs: Collection[str] = ()) -> list[str]:
        """Tell each platform where we listen and what our menu is; the problems, in Chinese.

        Only those accounts that are named, when some are.
        """
        return await self.equipping.everything(slugs)

    @property
    def trials(self) -> Trials:
        """What tries an account at the asking of a person."""
        address, menu = self.settings.public_url, Menu(MENU, COMMANDS)
        road = Road(self.accounts, self.channels, address, menu)

        async def to_oneself(staff_id: str, account: Account) -> str:
            return await self.alarms.by_account(staff_id, account.platform, account.slug)

        return Trials(self.ledger, self.cache, road, to_oneself)

    async def _read_speller(self) -> None:
        """Give the spelling model the words of this office; nothing waits for it at start."""
        self.checks.read_spelling(await own_texts(self.db))

    @asynccontextmanager
    async def jobs(self) -> AsyncIterator[TaskEngine]:
        """Run every job of the office, with what they rest on; drained at the end."""
        run = running(jobs_of(self), self.settings.redis_url, self.db)
        async with self._at_work(), run as engine:
            try:
                yield engine
            finally:
                self.lease.halt()  # or the running job would go on to the end of its push

    @asynccontextmanager
    async def working(self) -> AsyncIterator[TaskEngine]:
        """Do the jobs that a scheduler asks for; drained at the end."""
        self.lease.kind = WORKER
        work = working(jobs_of(self), self.settings.redis_url, self.db)
        async with self._at_work(), work as engine:
            try:
                yield engine
            finally:
                self.lease.halt()

    async def schedule(self) -> None:
        """Until cancelled: ask for the jobs while this process leads, and stand by otherwise."""
        self.lease.kind = SCHEDULER
        await self.lease.sign()
        leader = Leader(self.settings.database_url)
        try:
            await scheduling(jobs_of(self), self.settings.redis_url, leader, self.db)
        finally:
            await self.lease.stop()

    @asynccontextmanager
    async def facing(self) -> AsyncIterator[None]:
        """What a face does beside its pages where workers do the jobs."""
        async with self.reading(), answering(jobs_of(self)):
            yield

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Give the checks of this process the words of this office; nothing waits for it."""
        reading = asyncio.create_task(self._read_speller())
        try:
            yield
        finally:
            await end(reading)

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        await self.lease.start()
        try:
            async with self.reading():
                yield
        finally:
            await self.lease.stop()


# --- one running office -------------------------------------------------------------------


@asynccontextmanager
async def open_shenfa(settings: Settings) -> AsyncIterator[Shenfa]:
    """Build everything from settings, and give every connection back at the end."""
    use_clock_file(settings.dev_clock_file)
    sweep_all(settings)
    db = open_database(settings)
    await upgrade(db)
    shenfa = _build(settings, db)
    await seal_what_stood(shenfa.ledger, shenfa.crypt)
    await seal_contacts(shenfa.ledger)
    await sign_what_stood(shenfa.ledger)
    await move_alarms(shenfa.ledger, shenfa.crypt, shenfa.alarms.routes)
    await sign_library(shenfa.ledger)
    await carry_over(shenfa.ledger)
    await sign_what_was_published(shenfa.ledger)
    await sign_incidents_that_stood(shenfa.ledger)
    with suppress(Broken):  # as above the console opens, and shows where the ledger is broken
        await begin_first_week(shenfa.ledger)
    await seed_what_lacks(shenfa.ledger)
    await shenfa.signed.refresh()
    await shenfa.templates.refresh()
    with suppress(Refused):  # a broken ledger stops submitting, not the console that shows it
        await shenfa.governance.levels.refresh()
    try:
        yield shenfa
    finally:
        for channel in shenfa.channels.values():
            await channel.close()
        await shenfa.checks.close()
        await shenfa.links.close()
        await shenfa.fetcher.close()
        await shenfa.cache.close()
        await db.close()


def _build(settings: Settings, db: Database) -> Shenfa:
    base = build_base(settings, db)
    review = build_review(base)
    allowed = settings.allowed_private
    mail = (settings.smtp_host, settings.smtp_port, settings.mail_from)
    alarms = Alarms(db, base.crypt, base.accounts.open, base.channels, AlarmPost(allowed, *mail))
    delivery = build_delivery(base, review, alarms.tell)
    recent = Recent(delivery)
    lease = Lease(delivery, recent)
    sender = Sender(delivery, lease, recent)
    tickets, matching = build_tickets(base, review, alarms, sender), base.matching
    ledger, queue, fetcher = base.ledger, review.queue, review.fetcher
    post = AnchorPost(allowed, *mail)

    async def notify(people: Sequence[str], words: str) -> None:
        for staff_id in people:
            await alarms.tell(staff_id, words)

    return Shenfa(
        settings=settings,
        db=db,
        cache=base.cache,
        crypt=base.crypt,
        ledger=ledger,
        accounts=base.accounts,
        contacts=base.contacts,
        channels=base.channels,
        queue=queue,
        governance=review.governance,
        signed=base.signed,
        templates=base.templates,
        entries=base.entries,
        notices=base.notices,
        releases=review.releases,
        taxonomy=base.taxonomy,
        knowledge=base.knowledge,
        fetcher=fetcher,
        links=review.links,
        reposts=review.reposts,
        checks=review.checks,
        remote_anchors=RemoteAnchors(ledger, settings.anchor_addresses, post),
        lease=lease,
        publisher=Publisher(delivery, lease, recent),
        remover=Remover(delivery, lease),
        sender=sender,
        pusher=Pusher(db, ledger, review.releases.verify, matching, alarms.tell),
        readings=Readings(db, base.channels, base.accounts.open),
        followers=Followers(delivery),
        commenter=Commenter(delivery, lease, mask, digest_of),
        comments=Comments(ledger, review.checks.check_text),
        matching=matching,
        library=review.library,
        regression=review.regression,
        ingest=Ingest(db, ledger, queue, fetcher),
        originals=OriginalWatch(ledger, fetcher, alarms.tell),
        tell=alarms.tell,
        alarms=alarms,
        tickets=tickets,
        deadlines=Deadlines(queue, notify),
        dispatcher=build_answers(base, tickets, sender),
    )


def build_site(shenfa: Shenfa) -> web.Application:
    """The whole web face: platform callbacks, console, API, verify page, health."""
    app = web.Application(client_max_size=LARGEST_BODY)
    mount(app, shenfa.callbacks)
    add_console_routes(app, shenfa.console_deps())
    return app


@asynccontextmanager
async def listening(shenfa: Shenfa) -> AsyncIterator[None]:
    """The web face on the host and port of the settings; at the end open requests are finished.

    Where workers and a scheduler do the jobs, this process is one of the faces, and does none.
    """
    await shenfa.lease.sign()  # what comes in from now on is this process's to answer
    runner = web.AppRunner(build_site(shenfa), access_log=None, shutdown_timeout=CLOSING_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, shenfa.settings.host, shenfa.settings.port).start()
        yield
    finally:
        await runner.cleanup()
        await shenfa.lease.stop()
