"""What an office does by itself: one table, and the clock that goes through it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from bot.abilities import look
from bot.accounts import Accounts
from bot.callbacks import Callbacks
from bot.channel import Channel
from bot.delivery.commenting import Commenter
from bot.delivery.leases import Lease
from bot.delivery.publishing import Publisher
from bot.delivery.refused import try_refused
from bot.delivery.removing import Remover
from bot.delivery.sending import Sender
from bot.followers import Followers
from bot.menus import Equipping
from bot.readings import Readings
from config.settings import Settings
from console.items.working import drop_old
from content_sources.ingest import Ingest
from content_sources.quarantine import expire_due
from content_sources.tasks import tend
from content_sources.watch import OriginalWatch
from escalations.announcing import announce_due
from escalations.ladder import escalate_due
from escalations.outcomes import settle_replies
from escalations.tickets import TicketWiring
from escalations.urgent import page_due
from handlers.dispatch import Dispatcher
from handlers.released import ReleasedTemplates
from knowledge.entries import ReviewedEntries
from knowledge.notices import Notices
from knowledge.service import KnowledgeService
from ledger.append import Ledger
from ledger.remote import RemoteAnchors
from ledger.watch import Watch
from office.handovers import offer_policies, take_back_policies
from office.nightly import back_up_due
from office.policy_followers import PolicyFollowers
from office.rooms import incidents_of
from office.superior import offer_changes
from office.told_conclusions import ToldConclusions
from office.told_notices import ToldNotices
from review_queue.correcting_out import give_way
from review_queue.deadlines import Deadlines
from review_queue.desk import Queue
from review_queue.links import Links
from review_queue.shelving import shelve_due
from staff.settings import SignedSettings
from staff.tasks import Tell
from storage.database import Database
from subscriptions.matching import Matching
from subscriptions.moving import move_due
from subscriptions.push import Pusher
from subscriptions.urgent import prove_due
from supervision.archiving import archive_due
from supervision.counting import count_days
from supervision.filing import tell_late
from supervision.grave import clock_due
from supervision.outbound import look_out
from supervision.reminding import remind_due
from supervision.retention import expire
from supervision.standing import read_back, read_back_due
from supervision.trial import Trials
from supervision.workplan import chase_due

ANSWER = "answer"


@dataclass(frozen=True)
class Job:
    """`run` every so many seconds; safe to run twice, and by any worker.

    `at`: instead by the calendar, as a crontab has it, in Beijing time; `every` is then how long it
    takes at most from one turn to the next. In an office at rest see also rest.py.
    """

    name: str
    every: float
    run: Callable[[], Awaitable[Any]]
    why: str
    at: str = ""


class Office(Protocol):
    """What the jobs need of the office that is built above."""

    settings: Settings
    db: Database
    ledger: Ledger
    remote_anchors: RemoteAnchors
    accounts: Accounts
    channels: dict[str, Channel]
    lease: Lease
    publisher: Publisher
    remover: Remover
    sender: Sender
    pusher: Pusher
    matching: Matching
    readings: Readings
    followers: Followers
    commenter: Commenter
    knowledge: KnowledgeService
    links: Links
    ingest: Ingest
    originals: OriginalWatch
    tickets: TicketWiring
    queue: Queue
    signed: SignedSettings
    templates: ReleasedTemplates
    entries: ReviewedEntries
    notices: Notices
    deadlines: Deadlines
    dispatcher: Dispatcher

    @property
    def equipping(self) -> Equipping:
        """Who tells the platforms where we listen."""

    @property
    def callbacks(self) -> Callbacks:
        """Who answers what the platforms send."""

    @property
    def trials(self) -> Trials:
        """Who tries accounts."""

    @property
    def tell(self) -> Tell:
        """How a person is reminded."""


def jobs_of(office: Office) -> tuple[Job, ...]:
    """Every job of an office."""
    return (
        *_going_out(office),
        *_coming_in(office),
        *_by_the_hour(office),
        *_told_in_time(office),
        *_kept_whole(office),
    )


def _going_out(office: Office) -> tuple[Job, ...]:
    """What is published, pushed and told, and what becomes of it."""
    publish, push, ledger = office.publisher, office.pusher, office.ledger
    followers = PolicyFollowers(ledger, office.matching)
    notices = ToldNotices(ledger, office.matching, office.notices)
    results = ToldConclusions(ledger, office.matching)
    return (
        Job("publish", 0.5, publish.publish_due, "a publication whose hour has come goes out"),
        Job("settle", 1, publish.settle_due, "the platform says later what became of it"),
        Job("takedown", 1, office.remover.remove_due, "what was recalled goes off its platforms"),
        Job("gives_way", 5, partial(give_way, office.queue), "what is corrected gives way"),
        Job("missing", 3600, office.remover.look, "what somebody deleted on a platform is noticed"),
        Job("rows", 0.5, push.create_due, "a published item becomes a row a subscriber"),
        Job("deliver", 0.5, office.sender.deliver_due, "each row becomes a message"),
        Job(ANSWER, 5, office.callbacks.answer_left, "who was not answered is answered"),
        Job("refused", 60, partial(_refused, office), "what waits for its account is tried again"),
        Job("equip", 30, office.equipping.changed, "a changed account is told to its platform"),
        Job(
            "readings", 3600, office.readings.look_due, "what was read and shared is fetched daily"
        ),
        Job(
            "followers",
            60,
            office.followers.compare_due,
            "who follows is held against the list",
        ),
        Job("comments", 60, office.commenter.read_due, "what readers wrote is read"),
        Job("comment_acts", 2, office.commenter.do_due, "what was let be done about it is done"),
        Job("shelve", 5, partial(shelve_due, office.queue), "a released template comes into use"),
        Job(
            "settings", 60, partial(_compare, office), "texts in tables are held against the ledger"
        ),
        Job(
            "moving",
            5,
            partial(move_due, ledger, office.signed),
            "subscriptions follow a value that was renamed or merged",
        ),
        Job("follow", 60, followers.tell_due, "who follows a policy is told what became of it"),
        Job("notices", 5, notices.tell_due, "who was told it is told that it was wrong"),
        Job("results", 30, results.tell_due, "who wrote to a consultation hears of its result"),
        Job("seal", 5, push.finish_due, "a push that is through gets its signed count"),
        Job(
            "proof",
            60,
            partial(prove_due, ledger, office.tell),
            "an urgent item that is not proved to have arrived is told",
        ),
    )


def _coming_in(office: Office) -> tuple[Job, ...]:
    """What is read of sources and policies, and what citizens wait for."""
    ledger = office.ledger
    reminding = partial(tend, ledger, office.tell)
    policies = partial(_policies, office)
    return (
        Job("poll", 20, office.ingest.poll_due, "columns are read for new articles"),
        Job("links", 60, office.links.refresh_due, "links of what goes out soon are looked at"),
        Job("library", 60, policies, "fetched policies are laid before an editor"),
        Job("policies", 300, office.knowledge.compare, "the library's rows are what was signed"),
        Job("entries", 60, office.entries.lapse_due, "an answer ends with the clause it rests on"),
        Job("originals", 60, office.originals.look_due, "a reprinted original may have changed"),
        Job("remind", 60, reminding, "tasks about changed originals have a limit"),
        Job("expire", 60, partial(_expire, ledger), "a source ends on its day"),
        Job(
            "escalate",
            10,
            partial(_escalate, office),
            "a question nobody took goes higher",
        ),
        Job("danger", 2, partial(page_due, office.tickets), "whoever is on duty hears of danger"),
        Job("ratings", 60, office.dispatcher.ask_ratings, "who got an answer is asked how it was"),
        Job("replies", 1, partial(settle_replies, office.tickets), "a staff answer's end is told"),
        Job("announce", 5, partial(announce_due, office.tickets), "who agreed hears of an answer"),
        Job("pulse", 5, office.lease.pulse, "the office knows that its task engine works"),
    )


def _by_the_hour(office: Office) -> tuple[Job, ...]:
    """What is made, counted, compared or removed at its hour."""
    ledger = office.ledger
    return (
        Job(
            "copies",
            3600,
            partial(drop_old, office.db),
            "words typed and never saved go",
            at="17 * * * *",
        ),
        Job(
            "backup",
            3600,
            partial(back_up_due, office.settings, ledger),
            "a night's backup is made, and one that is missing is told",
            at="40 * * * *",
        ),
        Job(
            "counts",
            3600,
            partial(count_days, ledger),
            "what is no entry of its own is counted each day and signed",
            at="9 * * * *",
        ),
        Job(
            "read_back",
            3600,
            partial(read_back_due, ledger, office.channels, office.accounts.open),
            "what stands on a platform is held against what was released",
            at="52 * * * *",
        ),
        Job(
            "read_week",
            86_400,
            partial(read_back, ledger, office.channels, office.accounts.open),
            "what went out within a week is read back once a day",
            at="22 6 * * *",
        ),
        Job(
            "retention",
            86_400,
            partial(expire, ledger),
            "what has been kept for its time goes, and is counted",
            at="50 4 * * *",
        ),
        Job(
            "archive",
            86_400,
            partial(archive_due, ledger, office.settings.home),
            "each month that is over gets its package",
            at="20 3 * * *",
        ),
    )


def _told_in_time(office: Office) -> tuple[Job, ...]:
    """What people are told before it is late."""
    ledger = office.ledger
    return (
        Job(
            "abilities",
            86_400,
            partial(_abilities, office),
            "what an account may do no more is told",
            at="23 6 * * *",
        ),
        Job(
            "updates",
            300,
            partial(remind_due, ledger, office.tell),
            "an owner is told before an account counts as not updated",
        ),
        Job(
            "outbound",
            300,
            partial(_outbound, office),
            "more sent than usual, at night or of nothing queued is told",
        ),
        Job(
            "grave",
            60,
            partial(clock_due, ledger, office.tell),
            "a grave matter that nobody closed is told of while its clock runs",
        ),
        Job(
            "workplan",
            86_400,
            partial(chase_due, ledger, office.tell),
            "an owner of the work plan who said nothing for thirty days is asked",
            at="29 9 * * *",
        ),
        Job(
            "selftest",
            86_400,
            office.trials.selftest.run,
            "each account is spoken to as its platform does",
            at="41 7 * * *",
        ),
        Job(
            "filings",
            86_400,
            partial(_filings, office),
            "an account that is not filed in time is told",
            at="12 8 * * *",
        ),
    )


def _kept_whole(office: Office) -> tuple[Job, ...]:
    """What sees to the office itself: its rows, its levels, its ledger."""
    ledger = office.ledger
    return (
        Job("sweep", 30, office.lease.sweep, "what a dead worker was sending becomes unknown"),
        Job("deadlines", 30, office.deadlines.run_due, "a late level passes to the next in line"),
        Job("checkpoint", 15, ledger.checkpoint_due, "the ledger's head is signed and anchored"),
        Job("verify", 60, Watch(ledger).look, "a broken chain stops publishing"),
        Job("anchor", 20, office.remote_anchors.tell_due, "places elsewhere learn the head"),
    )


async def _escalate(office: Office) -> Any:
    await office.signed.refresh()  # working hours may have been approved in another process
    return await escalate_due(office.tickets)


async def _abilities(office: Office) -> None:
    """What an account needs and may not do (any more) is an incident, before anything is held."""
    tell = incidents_of(office.ledger)
    for one in await look(office.db, office.accounts, office.channels):
        for ability in one.missing:
            words = f"账号“{one.name}”不能使用平台的“{ability.label}”：{ability.words}"
            await tell("account_notice", f"account:{one.account_id}:{ability.name}", words)


async def _outbound(office: Office) -> int:
    return len(await look_out(office.ledger, office.matching.hours(), office.tell))


async def _filings(office: Office) -> int:
    await office.signed.refresh()
    hours = office.signed.proved("calendar")
    return 0 if hours is None else await tell_late(office.ledger, hours.value.is_working_day)


async def _refused(office: Office) -> int:
    sender = office.sender
    return await try_refused(office.db, sender.send_row, sender.resume)


async def _policies(office: Office) -> int:
    done = await take_back_policies(office.db) + await offer_policies(office.db)
    return done + await offer_changes(office.ledger)


async def _compare(office: Office) -> None:
    await office.signed.compare()
    await office.templates.compare()
    await office.entries.compare()
    await office.notices.compare()


async def _expire(ledger: Ledger) -> dict[str, int]:
    async with ledger.transaction() as tx:
        return await expire_due(tx)
