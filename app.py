"""The composition root: builds everything from settings, mounts routes, lists jobs."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from aiohttp import web
from sqlalchemy import select
from telegram.error import TelegramError

from bot.accounts import Accounts
from bot.anchor_post import AnchorPost
from bot.contacts import Contacts
from bot.contract import Channel, Content, Inbound, InboundKind, Reply
from bot.delivery import Deliverer, Wiring
from bot.inbound import Doors
from bot.inbound import add_routes as add_inbound_routes
from bot.models import Account, Contact, Organisation
from bot.telegram import TelegramChannel
from bot.wechat import NoAnswer, NotSent, WeChatChannel
from bot.wechat import Refused as WeChatRefused
from config.clock import beijing, now, use_clock_file
from config.settings import CONFIG, Settings
from console.app import add_routes as add_console_routes
from console.deps import Deps
from content_sources.fetch import Fetcher
from content_sources.ingest import Ingest
from content_sources.link_look import Allowed, LinkLook
from content_sources.models import Source
from content_sources.reposts import Reposts
from content_sources.tasks import Tasks as SourceTasks
from content_sources.watch import OriginalWatch
from escalations.alarms import AlarmRoutes, Alarms
from escalations.calendar import load_hours, seed_calendar
from escalations.tickets import Tickets, TicketWiring
from facets.taxonomy import Taxonomy, starting_taxonomy
from gates.engine import Draft as GateDraft
from gates.engine import RuleSet, run_gates
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
from review_queue.canonical import Draft
from review_queue.deadlines import Deadlines
from review_queue.files import Files
from review_queue.governance.kinds import Governance
from review_queue.governance.rulesets import RuleSets
from review_queue.items import Render, ReviewQueue
from review_queue.links import Links
from review_queue.release import Releases
from staff.refusal import Refused
from storage.cache import Cache, open_cache
from storage.crypt import DataKey
from storage.database import Database
from storage.media import load
from subscriptions.matching import Matching
from subscriptions.push import Pusher
from subscriptions.subscribers import Subscribers


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
    telegram: TelegramChannel
    wechat: WeChatChannel
    queue: ReviewQueue
    governance: Governance
    releases: Releases
    deliverer: Deliverer
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
    source_tasks: SourceTasks
    tickets: Tickets
    deadlines: Deadlines
    dispatcher: Dispatcher
    rules: "_Rules"

    async def on_inbound(self, inbound: Inbound, contact: Contact) -> Reply | None:
        """What a platform sent: results settle publications, everything else is a conversation."""
        if inbound.kind is InboundKind.RESULT:
            await self.deliverer.on_result_event(inbound)
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
        """Tell each platform where we listen and what our menu is; the problems, in Chinese.

        WeChat has no call for the callback address: it is typed into its console by a person.
        """
        async with self.db.session() as session:
            query = select(Account).where(Account.enabled.is_(True)).order_by(Account.slug)
            rows = (await session.scalars(query)).all()
        problems = []
        for row in rows:
            try:
                account = self.accounts.view(row)
                if row.platform == "telegram":
                    callback = f"{self.settings.public_url}/telegram/{row.slug}"
                    await self.telegram.equip(account, callback, COMMANDS)
                else:
                    await self.wechat.create_menu(account, _wechat_menu())
            except (TelegramError, WeChatRefused, NotSent, NoAnswer, ValueError) as error:
                problems.append(f"{row.name}：菜单或回调地址没有设好（{error}），请检查账号设置")
        return problems

    @asynccontextmanager
    async def jobs(self) -> AsyncIterator[TaskEngine]:
        """Run every job of the office, with what they rest on; drained at the end."""
        reading = asyncio.create_task(self.rules.read_speller(self.db))
        await self.deliverer.start()
        try:
            async with running(jobs_of(self), self.settings.redis_url) as engine:
                yield engine
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await self.deliverer.stop()


# --- one running office -------------------------------------------------------------------


class _Rules:
    """The gates as the queue asks them: rule set and policy facts of this moment."""

    def __init__(
        self,
        sets: RuleSets,
        knowledge: KnowledgeService,
        files: Files,
        links: Links,
        reposts: Reposts,
    ) -> None:
        self._sets = sets
        self._knowledge = knowledge
        self._files = files
        self._links = links
        self._reposts = reposts
        self.speller: Speller | None = None  # it only warns, so nothing waits for it at start

    async def read_speller(self, db: Database) -> None:
        """Load the model in a thread, with the words and names of this office."""
        async with db.session() as session:
            names = [
                *(await session.scalars(select(Organisation.name))).all(),
                *(await session.scalars(select(Account.name))).all(),
                *(await session.scalars(select(Source.organisation))).all(),
            ]
        own = [*(await _clauses(db)), *names * 20]  # a name is met more often than it is stored
        self.speller = await asyncio.to_thread(Speller.load, own_texts=own)

    async def _run(
        self, draft: Draft, rules: RuleSet, *, sending: bool = False
    ) -> list[dict[str, Any]]:
        await self._knowledge.refresh()
        gate_draft = GateDraft(
            title=draft.title, text=draft.body, kind=draft.kind, as_of=beijing(now()).date()
        )
        facts = self._knowledge.facts
        speller = None if sending else self.speller
        found = await asyncio.to_thread(run_gates, gate_draft, rules, facts, speller=speller)
        found += await self._files.findings(draft, rules, facts)
        found += await self._links.findings(draft, sending=sending)
        return [asdict(one) for one in found] + await self._reposts.findings(draft)

    async def check(self, draft: Draft) -> tuple[str, list[dict[str, Any]]]:
        """For the queue: digest of the approved version, and the findings above a hint."""
        active = await self._sets.active()
        return active.digest, await self._run(draft, active.rules)

    async def at_send(self, draft: Draft) -> list[dict[str, Any]]:
        """For the sender: the same, with the stored rule set proved once more."""
        return await self._run(draft, (await self._sets.proved()).rules, sending=True)

    async def check_text(self, text: str) -> list[dict[str, Any]]:
        """For a staff reply: the same gates over a text without a title."""
        moment = now()
        draft = Draft("问答", "日常", "", text, (), moment, moment)
        return (await self.check(draft))[1]


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
    telegram, wechat = TelegramChannel(cache, allowed), WeChatChannel(cache, allowed)
    channels: dict[str, Channel] = {"telegram": telegram, "wechat": wechat}
    taxonomy = starting_taxonomy()
    knowledge = KnowledgeService(db, settings.home / "index")
    governance = Governance.of(ledger, partial(_clauses, db))
    reposts = Reposts(ledger)
    fetcher = Fetcher(allowed)
    links = Links(
        db, LinkLook(fetcher, lambda: ingest.judging(), Allowed.load(settings.public_url))
    )
    rules = _Rules(governance.rules, knowledge, Files(db), links, reposts)
    queue = ReviewQueue(ledger, governance.levels, _renderer(channels), rules.check)
    ingest = Ingest(db, ledger, queue, fetcher, partial(audience_of, taxonomy))
    releases = Releases(ledger, rules.at_send)
    matching = Matching(taxonomy)

    async def load_media(name: str) -> tuple[bytes, str]:
        async with db.session() as session:
            found = await load(session, name)
        if found is None:
            raise LookupError(f"没有这个媒体文件：{name}")
        return found

    async def on_incident(kind: str, subject: str, message: str) -> None:
        await ledger.open_incident(kind, subject=subject, message=message, detail={})

    deliverer = Deliverer(
        Wiring(
            db=db,
            cache=cache,
            contacts=contacts,
            channels=channels,
            verify=releases.verify,
            open_account=accounts.open,
            load_media=load_media,
            in_flight=settings.sends_in_flight,
            on_incident=on_incident,
            on_publication=queue.note_publication,
        )
    )
    hours = load_hours(CONFIG / "calendar.yaml")
    mail = (settings.smtp_host, settings.smtp_port, settings.mail_from)
    routes, post = AlarmRoutes(allowed, *mail), AnchorPost(allowed, *mail)
    alarms = Alarms(db, crypt, accounts.open, channels, routes)

    async def notify(people: Sequence[str], words: str) -> None:
        for staff_id in people:
            await alarms.tell(staff_id, words)

    tickets = Tickets(
        TicketWiring(
            ledger=ledger,
            hours=hours,
            check=rules.check_text,
            queue_reply=deliverer.queue_reply,
            alarm=alarms.tell,
            windows={"wechat": (48 * 3600.0, 5)},
        )
    )
    wiring = CommandWiring(
        db=db,
        templates=load_templates(CONFIG / "replies.yaml"),
        contacts=contacts,
        subscribers=Subscribers(taxonomy),
        tickets=tickets,
        mask=mask,
        hotline=hours.hotline,
        say_now=deliverer.reply_now,
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
        deliverer=deliverer,
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
        source_tasks=SourceTasks(queue, alarms.tell),
        tickets=tickets,
        deadlines=Deadlines(queue, notify),
        dispatcher=dispatcher,
        rules=rules,
        telegram=telegram,
        wechat=wechat,
    )


def build_site(shenfa: Shenfa) -> web.Application:
    """The whole web face: platform callbacks, console, API, verify page, health."""
    app = web.Application(client_max_size=12 * 1024 * 1024)
    add_inbound_routes(
        app,
        Doors(
            db=shenfa.db,
            cache=shenfa.cache,
            accounts=shenfa.accounts,
            contacts=shenfa.contacts,
            deliverer=shenfa.deliverer,
            telegram=shenfa.telegram,
            on_inbound=shenfa.on_inbound,
            mask=mask,
        ),
    )
    add_console_routes(app, shenfa.console_deps())
    return app


def _wechat_menu() -> list[dict[str, Any]]:
    """The menu in the platform's form: three groups of click buttons."""
    return [
        {
            "name": label,
            "sub_button": [{"type": "click", "name": name, "key": key} for name, key in choices],
        }
        for label, choices in MENU
    ]
