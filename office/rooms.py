"""How the rooms of one office are given to each other, from the bottom up."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from bot.accounts import Accounts
from bot.channel import Channel
from bot.channels import open_channels
from bot.contacts import Contacts
from bot.contract import Outcome
from bot.delivery.outbox import queue_reply
from bot.delivery.sending import Sender
from bot.delivery.wiring import Wiring
from bot.replies import Concluded, Corrected, Parts
from bot.silence import Silence
from config.clock import beijing, now
from config.settings import Settings
from content_sources.fetch import Fetcher
from content_sources.kinds import source_kinds
from content_sources.link_look import LinkLook
from content_sources.reposts import Reposts
from content_sources.whitelist import judging
from documents.sight import Eyes, is_installed
from escalations.alarms import Alarms
from escalations.commitments import Commitments
from escalations.consultations import KIND as CONSULTATION
from escalations.consultations import ConsultationKind
from escalations.roster import RosterKind
from escalations.tickets import TicketWiring
from facets.taxonomy import Taxonomy
from gates.finding import LinkFact
from gates.pool import Pool
from gates.results import Results
from handlers.answers import Answers
from handlers.commands import CommandWiring
from handlers.dispatch import Dispatcher, build_dispatcher
from handlers.masking import mask
from handlers.released import KIND, ReleasedTemplates, TemplateShelf
from handlers.templates import Texts
from knowledge.changes import policy_kinds
from knowledge.entries import ReviewedEntries
from knowledge.followed import PolicyNames, PolicyNow, policies_now
from knowledge.forms import Filling
from knowledge.leaving_out import LEAVE_OUT, LeaveOutKind
from knowledge.library import PolicyLibrary
from knowledge.notices import Notices
from knowledge.regression import Regression
from knowledge.service import KnowledgeService
from knowledge.speech import Speech
from ledger.append import Ledger
from ledger.changed import row_changed
from ledger.following import FRESH
from office.checking import clauses, finders_of, policy_gates, renderer_over
from office.keys import open_crypt, open_ledger
from office.parts import parts_of
from office.policy_followers import PolicyFollowers
from office.told_conclusions import ToldConclusions
from office.told_notices import ToldNotices
from review_queue import publishing
from review_queue.canonical import QA, TOLD_NOTICE
from review_queue.classes import Triggers
from review_queue.desk import Queue
from review_queue.files import Files
from review_queue.findings import Checks
from review_queue.governance.account_changes import AccountKind
from review_queue.governance.account_closing import AccountCloseKind
from review_queue.governance.kinds import Governance
from review_queue.links import Links
from review_queue.picture_messages import PictureMessages
from review_queue.release import Releases
from review_queue.told import approved_title
from review_queue.window import WINDOW
from staff.proposals import Kind
from staff.refusal import Refused
from staff.settings import SignedSettings
from storage.cache import Cache, open_cache
from storage.crypt import DataKey
from storage.database import Database
from storage.media import load
from storage.seals import Seals
from subscriptions.calls import choose, rows_for_call
from subscriptions.hours import PushHours, standard_hours
from subscriptions.matching import Matching
from subscriptions.mending import Earlier
from subscriptions.push import push_finished
from subscriptions.reach import Tell, hold_back, reach_now
from subscriptions.subscribers import Subscribers
from supervision.registry import OrganisationKind, PlacementKind

QUIET_FRESH = 0.1
"""Seconds a day of silence may be known to one process before the others: a push asks each time."""


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
    signed: SignedSettings
    templates: ReleasedTemplates
    entries: ReviewedEntries
    notices: Notices
    taxonomy: Taxonomy
    knowledge: KnowledgeService
    matching: Matching


@dataclass(frozen=True)
class Review:
    """What stands between a draft and its release, and what looks at sources for it."""

    governance: Governance
    regression: Regression
    library: PolicyLibrary
    reposts: Reposts
    fetcher: Fetcher
    links: Links
    checks: Checks
    queue: Queue
    releases: Releases


def build_base(settings: Settings, db: Database) -> Base:
    """What stands below every room; nothing is connected yet but what opens by itself."""
    crypt = open_crypt(settings)
    cache = open_cache(settings.redis_url, Seals(crypt.seal_key))
    ledger, reachable = open_ledger(settings, db), settings.allowed_private
    signed = SignedSettings(ledger, parts_of(settings.public_url))

    def speech() -> Speech:
        return Speech(signed.held("answering"), signed.held("synonyms"))

    return Base(
        settings=settings,
        db=db,
        cache=cache,
        crypt=crypt,
        ledger=ledger,
        accounts=Accounts(db, crypt, reachable, on_changed=partial(row_changed, ledger)),
        contacts=Contacts(crypt),
        channels=open_channels(cache, settings.allowed_private),
        signed=signed,
        templates=ReleasedTemplates(ledger),
        entries=ReviewedEntries(ledger, speech),
        notices=Notices(ledger),
        taxonomy=signed.in_force("taxonomy"),
        knowledge=KnowledgeService(ledger, settings.home / "index", speech),
        matching=Matching(signed.in_force("taxonomy"), partial(_push_hours, signed)),
    )


def _push_hours(signed: SignedSettings) -> PushHours:
    """Those in force; the night stays everybody's own while none can be proved."""
    held = signed.proved("pushing")
    return standard_hours() if held is None else held.value


def build_review(base: Base) -> Review:
    """The queue with its rules, its gates and what they look at."""
    db, ledger = base.db, base.ledger
    # Whatever takes a text or a file apart does so in processes of its own.
    results = Results(Pool(preload=("content_sources.provenance",)))
    more: dict[str, Kind] = {
        "account": AccountKind(ledger, base.accounts, base.taxonomy),
        "account_close": AccountCloseKind(ledger),
        "organisation": OrganisationKind(ledger),
        "placement": PlacementKind(ledger),
        "roster": RosterKind(ledger, base.taxonomy),
        CONSULTATION: ConsultationKind(ledger),
        **source_kinds(ledger),
    }
    governance = Governance.of(ledger, partial(clauses, db), more, base.signed)
    governance.rules.runner = results.runner
    filling = Filling(base.taxonomy, base.signed.in_force("library"))
    governance.proposals.kinds |= policy_kinds(ledger, policy_gates(governance.rules), filling)
    governance.proposals.kinds[LEAVE_OUT] = LeaveOutKind(ledger)
    reposts = Reposts(ledger, results, base.taxonomy)
    fetcher = Fetcher(base.settings.allowed_private)
    look = LinkLook(fetcher, partial(judging, db), base.signed.in_force("links"))

    async def look_now(url: str) -> LinkFact:
        await base.signed.refresh()
        try:
            return await look(url)
        except Refused as refused:  # what may be linked to cannot be proved: nothing may
            return LinkFact("off_list", str(refused))

    async def triggers() -> Triggers:
        await base.signed.refresh()
        words: Triggers = base.signed.held("class_triggers")
        return words

    async def window() -> timedelta:
        # As it was read last, within a minute: drafts are made inside a transaction.
        try:
            hours: timedelta = base.signed.held("publishing")
        except Refused:  # drafts are written all the same: the editor sees the hour and may say it
            return WINDOW
        return hours

    links = Links(db, look_now)
    eyes = Eyes() if is_installed() else None
    finders = finders_of(Files(db, results, eyes), links, reposts, PictureMessages(db))
    checks = Checks(governance.rules, base.knowledge.facts_now, finders, results)
    renderer = renderer_over(base.channels)
    queue = Queue.of(ledger, governance.levels, renderer, checks.check, triggers)
    regression = Regression(ledger, base.knowledge, base.signed)
    governance.proposals.hold = regression.hold
    return Review(
        governance=governance,
        regression=regression,
        library=PolicyLibrary(governance.proposals),
        reposts=reposts,
        fetcher=fetcher,
        links=links,
        checks=checks,
        queue=replace(
            queue,
            runner=results.runner,
            library={
                KIND: TemplateShelf(base.templates),
                QA: base.entries,
                TOLD_NOTICE: base.notices,
            },
            window=window,
            quiet=partial(quiet_times, base.signed),
            reach=partial(reach_now, ledger, base.matching),
        ),
        # Looked at once more when sent: rules, sources and files may have changed since approval.
        releases=Releases(ledger, checks.at_send, triggers),
    )


def incidents_of(ledger: Ledger) -> Callable[[str, str, str], Awaitable[None]]:
    """What a low room tells staff by: kind, subject, words."""

    async def on_incident(kind: str, subject: str, message: str) -> None:
        await ledger.open_incident(kind, subject=subject, message=message, detail={})

    return on_incident


async def quiet_times(signed: SignedSettings, age: float = 0.0) -> Silence:
    """The days of silence in force; Refused while they cannot be proved."""
    await signed.refresh(age)
    found: Silence = signed.held("silence")
    return found


def build_delivery(base: Base, review: Review, tell: Tell) -> Wiring:
    """How what is released reaches a platform; `verify` is the only way to a release."""

    async def load_media(name: str) -> tuple[bytes, str]:
        async with base.db.session() as session:
            found = await load(session, name)
        if found is None:
            raise LookupError(f"没有这个媒体文件：{name}")
        return found

    return Wiring(
        db=base.db,
        ledger=base.ledger,
        contacts=base.contacts,
        channels=base.channels,
        verify=review.releases.verify,
        open_account=base.accounts.open,
        load_media=load_media,
        in_flight=base.settings.sends_in_flight,
        on_incident=incidents_of(base.ledger),
        on_publication=partial(publishing.note_publication, review.queue),
        on_refused=partial(publishing.refused_by_platform, review.queue),
        on_changed=partial(row_changed, base.ledger),
        build=build_words(base).build,
        finished=partial(push_finished, base.ledger),
        wants=base.matching.wants,
        had=Earlier(base.db).had,
        on_answered=Commitments(base.ledger).sent,
        public_url=base.settings.public_url,
        title_of=partial(approved_title, base.ledger),
        quiet=partial(quiet_times, base.signed, QUIET_FRESH),
        notice=partial(_notice, base),
        choose=partial(
            choose,
            base.ledger,
            partial(hold_back, base.ledger, base.matching, tell),
            partial(rows_for_call, base.db, base.ledger, base.matching),
        ),
    )


async def _notice(base: Base, delivery_id: str, contact: Any, parts: Parts) -> Outcome | None:
    """Whether a notice may leave now: a correction, a result, or of a followed policy."""
    for one in parts.pieces:
        if isinstance(one, Corrected):
            told = ToldNotices(base.ledger, base.matching, base.notices)
            return await told.may_go(one, delivery_id, contact)
        if isinstance(one, Concluded):
            results = ToldConclusions(base.ledger, base.matching)
            return await results.may_go(one, delivery_id, contact, parts)
    return await PolicyFollowers(base.ledger, base.matching).notice(delivery_id, contact, parts)


def build_words(base: Base) -> Answers:
    """What makes words of a reply's parts, each read anew as it is said."""

    async def templates() -> Texts:
        await base.signed.refresh(FRESH)
        await base.templates.refresh(FRESH)
        return base.templates

    async def policy(policy_id: str) -> PolicyNow | None:
        return (await policies_now(base.ledger, [policy_id], beijing(now()).date())).get(policy_id)

    staff = Commitments(base.ledger).words
    return Answers(
        base.taxonomy,
        templates,
        base.knowledge.hit,
        staff,
        policy,
        base.entries.words,
        base.notices.words,
        ToldConclusions(base.ledger, base.matching).said,
    )


def build_tickets(base: Base, review: Review, alarms: Alarms, sender: Sender) -> TicketWiring:
    """What a question for a person needs."""
    return TicketWiring(
        ledger=base.ledger,
        hours=base.signed.in_force("calendar"),
        check=review.checks.check_text,
        queue_reply=partial(queue_reply, base.db),
        alarm=alarms.tell,
        channels=base.channels,
        send=sender.send_soon,
        crypt=base.crypt,
    )


def build_answers(base: Base, tickets: TicketWiring, sender: Sender) -> Dispatcher:
    """Who answers a citizen: commands first, then questions to the library."""
    policies = PolicyNames(base.ledger)

    async def fresh() -> None:
        await base.signed.refresh(FRESH)
        await base.templates.refresh(FRESH)
        await policies.refresh(FRESH)

    wiring = CommandWiring(
        db=base.db,
        templates=base.templates,
        contacts=base.contacts,
        subscribers=Subscribers(base.taxonomy, policies.title),
        tickets=tickets,
        mask=mask,
        say_now=sender.reply_now,
        fresh=fresh,
        policies=policies,
        entries=base.entries,
        ask_on=base.knowledge.ask_on,
        speech=base.knowledge.speech,
    )
    library = base.knowledge
    return build_dispatcher(wiring, base.cache, library.ask, library.told, library.danger)
