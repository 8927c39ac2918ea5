"""The composition root: builds everything from settings, mounts routes, lists jobs."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import select, update
from telegram.error import TelegramError

from bot.accounts import Accounts, NewAccount
from bot.anchor_post import AnchorPost
from bot.callbacks import CallbackWiring
from bot.callbacks import add_routes as add_inbound_routes
from bot.contacts import Contacts
from bot.contract import Channel, Content, Inbound, InboundKind, Reply
from bot.delivery.leases import Lease
from bot.delivery.outbox import queue_reply
from bot.delivery.publishing import Publisher
from bot.delivery.recent import Recent
from bot.delivery.sending import Sender
from bot.delivery.wiring import Wiring
from bot.models import Account, Contact, Organisation
from bot.tasks import Tasks
from bot.telegram.channel import TelegramChannel
from bot.wechat.channel import WeChatChannel
from bot.wechat.client import NoAnswer, NotSent, WeChatRefused
from config.clock import BEIJING, beijing, now, use_clock_file
from config.settings import Settings
from config.setup import Setup, SetupError, SourceSetup
from console.app import add_routes as add_console_routes
from console.deps import Deps
from content_sources.changes import determine
from content_sources.fetch import Fetcher
from content_sources.ingest import Ingest
from content_sources.link_look import Allowed, LinkLook
from content_sources.models import Article, Column, Source
from content_sources.quarantine import expire_due
from content_sources.reposts import Reposts
from content_sources.tasks import tend as tend_tasks
from content_sources.watch import OriginalWatch
from content_sources.whitelist import judging
from escalations.alarms import AlarmRoutes, Alarms
from escalations.calendar import load_hours, seed_calendar
from escalations.ladder import escalate_due
from escalations.models import RosterEntry
from escalations.tickets import TicketWiring
from facets.tagger import tag
from facets.taxonomy import Taxonomy, starting_taxonomy
from gates.engine import RuleSet
from gates.finding import Finding
from gates.spelling import Speller
from handlers.commands import COMMANDS, MENU, CommandWiring
from handlers.dispatch import Dispatcher, build_dispatcher
from handlers.masking import mask
from handlers.templates import load_templates
from knowledge.documents import PolicyDraft
from knowledge.library import PolicyLibrary
from knowledge.models import Clause
from knowledge.service import KnowledgeService
from ledger.append import Ledger, Transaction, load_signing_key
from ledger.models import LedgerEntry
from ledger.remote import RemoteAnchors
from ledger.watch import Watch
from migrations.run import upgrade
from review_queue import publishing
from review_queue.canonical import Draft
from review_queue.deadlines import Deadlines
from review_queue.desk import ROBOT, Queue, Render
from review_queue.files import Files
from review_queue.findings import Against, Checks, Finder
from review_queue.governance.kinds import Governance, seed
from review_queue.governance.rulesets import rows_of, seal_version
from review_queue.links import Links
from review_queue.release import Releases
from review_queue.workflow import Workflow, WorkflowError, load_workflows, read_workflow, unfillable
from staff.people import Person, hash_password, set_staff
from staff.refusal import Refused
from staff.tasks import Tell
from storage.cache import Cache, open_cache
from storage.crypt import DataKey, load_or_create_key
from storage.database import Database, new_id, sqlite_file
from storage.media import load
from subscriptions.matching import Matching
from subscriptions.push import Pusher
from subscriptions.subscribers import Subscribers

CONFIG = Path(__file__).parent / "config"


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

    async def propose_policies(self) -> int:
        """Fetched policy pages go to the library as the robot's proposals; how many there were."""
        async with self.db.session() as session:
            query = select(Article).where(Article.library == "waiting").limit(20)
            waiting = (await session.scalars(query)).all()
        for row in waiting:
            draft, state = _policy_draft(row), "ended"
            if draft is not None:
                try:
                    await self.library.propose_import([draft], ROBOT)
                    state = "proposed"
                except Refused:  # it is in the library already
                    state = "known"
            async with self.db.session() as session:
                await session.execute(
                    update(Article).where(Article.id == row.id).values(library=state)
                )
        return len(waiting)

    async def _read_speller(self) -> None:
        """Load the spelling model in a thread; it only warns, so nothing waits for it at start."""
        own = await _own_texts(self.db)
        self.checks.speller = await asyncio.to_thread(Speller.load, own_texts=own)

    async def _expire_sources(self) -> dict[str, int]:
        async with self.ledger.transaction() as tx:
            return await expire_due(tx)

    @asynccontextmanager
    async def jobs(self) -> AsyncIterator[Tasks]:
        """Run every job of the office: a ticker asks, the task engine does; drained at the end."""
        tasks = Tasks(
            {
                "publish": self.publisher.publish_due,
                "settle": self.publisher.settle_due,
                "rows": self.pusher.create_due,
                "deliver": self.sender.deliver_due,
                "seal": self.pusher.finish_due,
                "poll": self.ingest.poll_due,
                "links": self.links.refresh_due,
                "library": self.propose_policies,
                "originals": self.originals.look_due,
                "remind": partial(tend_tasks, self.ledger, self.tell),
                "expire": self._expire_sources,
                "escalate": partial(escalate_due, self.tickets),
                "sweep": self.lease.sweep,
                "deadlines": self.deadlines.run_due,
                "checkpoint": self.ledger.checkpoint_due,
                "verify": Watch(self.ledger).look,
                "anchor": self.remote_anchors.tell_due,
            },
            self.settings.redis_url,
        )
        every = {
            "publish": 0.5,
            "settle": 1,
            "rows": 0.5,
            "deliver": 0.5,
            "seal": 5,
            "poll": 20,
            "links": 60,
            "library": 60,
            "originals": 60,
            "remind": 60,
            "expire": 60,
            "escalate": 10,
            "sweep": 30,
            "deadlines": 30,
            "checkpoint": 15,
            "verify": 60,
            "anchor": 20,
        }
        reading = asyncio.create_task(self._read_speller())
        await self.lease.start()
        await tasks.start()
        ticker = AsyncIOScheduler(timezone=BEIJING)
        for name, seconds in every.items():
            ticker.add_job(
                tasks.ask,
                "interval",
                args=[name],
                seconds=seconds,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=30,
            )
        ticker.start()
        try:
            yield tasks
        finally:
            ticker.shutdown(wait=False)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await tasks.stop()
            await self.lease.stop()


async def initialise(settings: Settings, setup: Setup) -> dict[str, Any]:
    """Make a home from a setup file: keys, tables, the signed genesis entry, people, accounts.

    Returns what a person needs once: addresses, passwords, the public key. SetupError when the
    home is in use already or the file names something that does not exist.
    """
    use_clock_file(settings.dev_clock_file)
    db = Database(settings.database_url)
    try:
        await upgrade(db)
        async with db.session() as session:
            if (await session.scalars(select(LedgerEntry.seq).limit(1))).first() is not None:
                raise SetupError(f"{settings.home} 已经初始化过：请换一个 --home，或先备份再清空")
        return await _initialise(settings, setup, db)
    finally:
        await db.close()


async def _initialise(settings: Settings, setup: Setup, db: Database) -> dict[str, Any]:
    ledger = open_ledger(settings, db)
    passwords = {
        person.login: person.password or secrets.token_urlsafe(9) for person in setup.staff
    }
    hashes = dict(
        zip(
            passwords,
            await asyncio.gather(*(hash_password(word) for word in passwords.values())),
            strict=True,
        )
    )
    flows, rules = _starting_levels(setup), RuleSet.load()
    accounts = Accounts(db, _open_crypt(settings), settings.allowed_private)
    async with ledger.transaction() as tx:
        organisation = Organisation(id=new_id(), name=setup.organisation, parent_id=None)
        tx.session.add(organisation)
        await tx.append(
            "genesis",
            subject="office",
            actor="init",
            body={
                "organisation": setup.organisation,
                "workflows": {klass: flow.digest for klass, flow in flows.items()},
                "ruleset": seal_version(1, rows_of(rules))[1],
            },
        )
        await seed(tx, flows.values(), rules)
        people = {
            row.login: await set_staff(
                tx, Person(row.login, row.name, tuple(row.roles), hashes[row.login]), "init"
            )
            for row in setup.staff
        }
        for row in setup.accounts:
            await accounts.create(
                tx.session, NewAccount(organisation_id=organisation.id, **row.model_dump())
            )
        for source in setup.sources:
            await _add_source(tx, source)
        for position, duty in enumerate(setup.roster):
            if duty.login not in people:
                raise SetupError(f"值班表 roster 里的 {duty.login} 不在人员 staff 中，请先加上")
            tx.session.add(
                RosterEntry(
                    id=new_id(),
                    topic=duty.topic,
                    tier=duty.tier,
                    position=position,
                    staff_id=people[duty.login].id,
                )
            )
    return {
        "home": str(settings.home),
        "console": f"{settings.public_url}/console/",
        "public_key": ledger.public_hex,
        "staff": [
            {"login": row.login, "name": row.name, "password": passwords[row.login]}
            for row in setup.staff
        ],
        "accounts": [
            {
                "slug": row.slug,
                "platform": row.platform,
                "callback": f"{settings.public_url}/{row.platform}/{row.slug}",
            }
            for row in setup.accounts
        ],
        "warnings": unfillable(flows, {row.login: row.roles for row in setup.staff})
        + _admin_warnings(setup),
    }


def _starting_levels(setup: Setup) -> dict[str, Workflow]:
    """The levels of workflows.yaml, single classes replaced by the setup file's."""
    flows = load_workflows(CONFIG / "workflows.yaml")
    version = max(flow.version for flow in flows.values())
    try:
        return flows | {
            klass: read_workflow(klass, version, row) for klass, row in setup.levels.items()
        }
    except WorkflowError as error:
        raise SetupError(f"审核级次 levels：{error}") from error


def _admin_warnings(setup: Setup) -> list[str]:
    if sum("admin" in row.roles for row in setup.staff) >= 2:
        return []
    return ["管理员少于两位：级次、规则、人员的变更都要另一位管理员批准，请在 staff 里再加一位"]


async def _add_source(tx: Transaction, setup: SourceSetup) -> None:
    """One determined source of the setup file, with its columns, as a signed entry."""
    source = Source(
        id=new_id(),
        organisation=setup.organisation,
        hosts=setup.hosts,
        allow_http=setup.allow_http,
        basis=setup.basis,
        list_version=setup.list_version,
        owner=setup.owner,
        paths=setup.paths,
        topics=setup.topics,
        picture_licence=setup.picture_licence,
        basis_file="",
        valid_from=datetime.combine(setup.valid_from, time(), UTC),
        valid_to=datetime.combine(setup.valid_to, time(), UTC) if setup.valid_to else None,
        state="active",
        proposed_by="init",
        approved_by="init",
    )
    await determine(tx, source)
    for column in setup.columns:
        tx.session.add(
            Column(id=new_id(), source_id=source.id, next_at=now(), **column.model_dump())
        )


def open_ledger(settings: Settings, db: Database) -> Ledger:
    """The ledger in `db` with the key and anchor files of `settings`; SetupError for bad paths."""
    anchor, store = _path(settings.anchor_file), sqlite_file(settings.database_url)
    for path in (anchor, *settings.anchor_paths):
        if store is not None and path.resolve() == store.resolve():
            raise SetupError(f"锚定文件 {path} 就是数据库文件：请把 SHENFA_ANCHOR_FILE 设到别处")
    key = load_signing_key(_path(settings.ledger_key_file))
    return Ledger(db, key, anchor, settings.anchor_paths)


def _open_crypt(settings: Settings) -> DataKey:
    return DataKey(load_or_create_key(_path(settings.data_key_file)))


def _path(value: Path | None) -> Path:
    if value is None:
        raise SetupError("设置里缺少密钥文件路径")
    return value


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


def _policy_draft(article: Article) -> PolicyDraft | None:
    """What a fetched policy page says of itself; None for one that is no longer in force."""
    info = article.policy
    if info.get("validity") in ("废止", "失效"):
        return None
    return PolicyDraft(
        title=article.title,
        text=article.text,
        doc_number=info.get("doc_number", ""),
        issuer=info.get("issuer", "") or article.source_name,
        url=article.url,
        issued_on=_day_of(info.get("written_on") or article.published_on),
        effective_from=_day_of(info.get("effective_from")),
    )


def _day_of(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


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
    cache, crypt = open_cache(settings.redis_url), _open_crypt(settings)
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
    links = Links(db, LinkLook(fetcher, partial(judging, db), Allowed.load(settings.public_url)))
    checks = Checks(governance.rules, knowledge.facts_now, _finders(Files(db), links, reposts))
    queue = Queue.of(ledger, governance.levels, _renderer(channels), checks.check)
    ingest = Ingest(db, ledger, queue, fetcher, partial(_audience, taxonomy))
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
        telegram=telegram,
        wechat=wechat,
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


def _wechat_menu() -> list[dict[str, Any]]:
    """The menu in the platform's form: three groups of click buttons."""
    return [
        {
            "name": label,
            "sub_button": [{"type": "click", "name": name, "key": key} for name, key in choices],
        }
        for label, choices in MENU
    ]


def _audience(taxonomy: Taxonomy, title: str, body: str) -> dict[str, list[str]] | None:
    """Whom a fetched text is for, as a suggestion the editor sees and may change."""
    found = tag(body, title)
    topics = [one["key"] for one in found["topics"] if one["key"] != "other"][:2]
    return {"topics": topics} if topics else None
