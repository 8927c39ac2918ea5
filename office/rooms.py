"""How the rooms of one office are given to each other, from the bottom up."""

from dataclasses import dataclass
from functools import partial

from bot.accounts import Accounts
from bot.channels import open_channels
from bot.contacts import Contacts
from bot.contract import Channel
from bot.delivery.outbox import queue_reply
from bot.delivery.sending import Sender
from bot.delivery.wiring import Wiring
from config.settings import CONFIG, Settings
from content_sources.fetch import Fetcher
from content_sources.link_look import Allowed, LinkLook
from content_sources.reposts import Reposts
from content_sources.whitelist import judging
from escalations.alarms import Alarms
from escalations.calendar import load_hours
from escalations.commitments import Commitments
from escalations.tickets import TicketWiring
from facets.taxonomy import Taxonomy, starting_taxonomy
from handlers.answers import Answers
from handlers.commands import CommandWiring
from handlers.dispatch import Dispatcher, build_dispatcher
from handlers.masking import mask
from handlers.templates import Templates, load_templates
from knowledge.quoting import Quotations
from knowledge.service import KnowledgeService
from ledger.append import Ledger
from ledger.changed import row_changed
from office.checking import clauses, finders_of, renderer_over
from office.keys import open_crypt, open_ledger
from review_queue import publishing
from review_queue.desk import Queue
from review_queue.files import Files
from review_queue.findings import Checks
from review_queue.governance.kinds import Governance
from review_queue.links import Links
from review_queue.release import Releases
from storage.cache import Cache, open_cache
from storage.crypt import DataKey
from storage.database import Database
from storage.media import load
from subscriptions.push import push_finished
from subscriptions.subscribers import Subscribers


@dataclass(frozen=True)
class Base:
    """What every room rests on."""

    settings: Settings
    db: Database
    cache: Cache
    crypt: DataKey
    ledger: Ledger
    accounts: Accounts
    contacts: Contacts
    channels: dict[str, Channel]
    taxonomy: Taxonomy
    knowledge: KnowledgeService


@dataclass(frozen=True)
class Review:
    """What stands between a draft and its release, and what looks at sources for it."""

    governance: Governance
    reposts: Reposts
    fetcher: Fetcher
    links: Links
    checks: Checks
    queue: Queue
    releases: Releases


def build_base(settings: Settings, db: Database) -> Base:
    """What stands below every room; nothing is connected yet but what opens by itself."""
    cache, crypt = open_cache(settings.redis_url), open_crypt(settings)
    ledger, reachable = open_ledger(settings, db), settings.allowed_private
    return Base(
        settings=settings,
        db=db,
        cache=cache,
        crypt=crypt,
        ledger=ledger,
        accounts=Accounts(db, crypt, reachable, on_changed=partial(row_changed, ledger)),
        contacts=Contacts(crypt),
        channels=open_channels(cache, settings.allowed_private),
        taxonomy=starting_taxonomy(),
        knowledge=KnowledgeService(db, settings.home / "index"),
    )


def build_review(base: Base) -> Review:
    """The queue with its rules, its gates and what they look at."""
    db, ledger = base.db, base.ledger
    governance, reposts = Governance.of(ledger, partial(clauses, db)), Reposts(ledger)
    fetcher = Fetcher(base.settings.allowed_private)
    allowed = Allowed.load(base.settings.public_url)
    links = Links(db, LinkLook(fetcher, partial(judging, db), allowed))
    finders = finders_of(Files(db), links, reposts)
    checks = Checks(governance.rules, base.knowledge.facts_now, finders)
    return Review(
        governance=governance,
        reposts=reposts,
        fetcher=fetcher,
        links=links,
        checks=checks,
        queue=Queue.of(ledger, governance.levels, renderer_over(base.channels), checks.check),
        # Looked at once more when sent: rules, sources and files may have changed since approval.
        releases=Releases(ledger, checks.at_send),
    )


def build_delivery(base: Base, review: Review) -> Wiring:
    """How what is released reaches a platform; `verify` is the only way to a release."""

    async def load_media(name: str) -> tuple[bytes, str]:
        async with base.db.session() as session:
            found = await load(session, name)
        if found is None:
            raise LookupError(f"没有这个媒体文件：{name}")
        return found

    async def on_incident(kind: str, subject: str, message: str) -> None:
        await base.ledger.open_incident(kind, subject=subject, message=message, detail={})

    return Wiring(
        db=base.db,
        cache=base.cache,
        contacts=base.contacts,
        channels=base.channels,
        verify=review.releases.verify,
        open_account=base.accounts.open,
        load_media=load_media,
        in_flight=base.settings.sends_in_flight,
        on_incident=on_incident,
        on_publication=partial(publishing.note_publication, review.queue),
        on_changed=partial(row_changed, base.ledger),
        build=build_words(base).build,
        finished=partial(push_finished, base.ledger),
    )


def build_words(base: Base) -> Answers:
    """What makes words of a reply's parts, each read anew as it is said."""
    released = load_templates(CONFIG / "replies.yaml")

    async def templates() -> Templates:
        return released

    quotations = Quotations(base.ledger, partial(row_changed, base.ledger))
    return Answers(base.taxonomy, templates, quotations.hit, Commitments(base.ledger).words)


def build_tickets(base: Base, review: Review, alarms: Alarms) -> TicketWiring:
    """What a question for a person needs."""
    return TicketWiring(
        ledger=base.ledger,
        hours=load_hours(CONFIG / "calendar.yaml"),
        check=review.checks.check_text,
        queue_reply=partial(queue_reply, base.db),
        alarm=alarms.tell,
        channels=base.channels,
    )


def build_answers(base: Base, tickets: TicketWiring, sender: Sender) -> Dispatcher:
    """Who answers a citizen: commands first, then questions to the library."""
    wiring = CommandWiring(
        db=base.db,
        contacts=base.contacts,
        subscribers=Subscribers(base.taxonomy),
        tickets=tickets,
        mask=mask,
        hotline=tickets.hours.hotline,
        say_now=sender.reply_now,
    )
    return build_dispatcher(wiring, base.cache, base.knowledge.ask, base.knowledge.told)
