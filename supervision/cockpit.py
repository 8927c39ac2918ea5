"""How every account stands now: updates, answers, what is late, and the three vetoes (C2).

`read_cockpit` asks the same few statements for one account and for four hundred. It shows and
decides nothing, so that it reads tables and opens no seal; reports are made from signed entries.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Executable, Select, and_, func, select
from sqlalchemy.orm import Session

from bot.contract import State
from bot.models import Account, Organisation, Publication
from facets.remit import remit_of
from review_queue.models import Item
from review_queue.states import ItemState
from staff.models import Task
from supervision.models import AccountWatch
from supervision.promises import share as share_in
from supervision.relevance import Share, counted_by_parts, shares_of

LIMIT_DAYS = 14
"""Without an update for so long an account is 内容不更新 (C4); `update_limit_days` of its settings
says another number (B4).
"""
BEFORE = (7, 4, 2, 1)
"""The owner is told so many days before the limit: of 14 on day 7, 10, 12 and 13."""
ON_THE_LINE = 2
"""卡点更新: an update that came within so many days of the limit (X11)."""
UNANSWERED_DAYS = 90
"""A question that waits longer is 互动回应差 (C5)."""
WEEKS = 13
SPAN = timedelta(weeks=WEEKS)
REPOST = "转载"
VETOES = ("安全、泄密等严重问题", "内容不更新", "互动回应差")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Standing:
    """One account. Counts are of the last thirteen weeks; `weeks` begins with the oldest.

    `days` since the last update, or since it was registered. `edge`: 卡点更新. `longest`: days
    between two updates. `waiting`: questions nobody answered, the oldest for `oldest` days.
    """

    id: str
    slug: str
    name: str
    platform: str
    organisation: str
    owner: str
    enabled: bool
    limit: int
    last: datetime | None
    days: int
    posts: int = 0
    reposts: int = 0
    weeks: tuple[int, ...] = (0,) * WEEKS
    edge: int = 0
    longest: int = 0
    waiting: int = 0
    oldest: int = 0
    asked: int = 0
    done: int = 0
    incidents: int = 0
    graves: int = 0
    tested_at: datetime | None = None
    faults: tuple[str, ...] = ()
    problem: str = ""
    told_at: datetime | None = None
    share: Share = field(default_factory=Share)
    remit: bool = False

    @property
    def unsaid(self) -> int:
        """Posts of which nobody said whether they concern the body's own work (C9)."""
        return self.posts - self.share.ours - self.share.other

    @property
    def relevance(self) -> float | None:
        """Of those that can be judged, how many in a hundred do; None without one."""
        return share_in(self.share.ours, self.share.ours + self.share.other)

    @property
    def own(self) -> int:
        """What is no repost."""
        return self.posts - self.reposts

    @property
    def red(self) -> bool:
        """Whether the last self-test found no answer."""
        return bool(self.faults or self.problem)

    @property
    def step(self) -> int:
        """The last day of those on which the owner is told that has come; 0: none yet."""
        return max((day for day in steps(self.limit) if day <= self.days), default=0)

    @property
    def tone(self) -> str:
        """As colours of the console: good, warn, stop, plain for what is not in use."""
        if not self.enabled:
            return "plain"
        if self.days >= self.limit:
            return "stop"
        return "warn" if self.step else "good"

    @property
    def vetoes(self) -> tuple[bool, bool, bool]:
        """Each of VETOES, for an account in use."""
        if not self.enabled:
            return (False, False, False)
        silent = self.red or self.oldest > UNANSWERED_DAYS
        return (self.graves > 0, self.days >= self.limit, silent)

    @property
    def urgency(self) -> tuple[bool, int, bool, int]:
        """Sorts what needs a person first."""
        return (not self.enabled, -sum(self.vetoes), not self.red, self.limit - self.days)


@dataclass(frozen=True)
class Cockpit:
    """Every account, those that need somebody first, and what is late in the whole office."""

    accounts: Sequence[Standing]
    late_reviews: int = 0
    late_tickets: int = 0
    late_tasks: int = 0
    unknown: int = 0
    weeks: tuple[int, ...] = (0,) * WEEKS

    @property
    def in_use(self) -> list[Standing]:
        """What is judged."""
        return [one for one in self.accounts if one.enabled]

    @property
    def vetoed(self) -> list[list[Standing]]:
        """The accounts under each of VETOES."""
        return [[one for one in self.accounts if one.vetoes[n]] for n in range(len(VETOES))]


def steps(limit: int) -> list[int]:
    """The days on which an owner is told, of an account with this limit."""
    return sorted({limit - before for before in BEFORE if limit > before})


def limit_of(settings: Mapping[str, Any]) -> int:
    """After how many days without an update an account is 不更新."""
    given = settings.get("update_limit_days", LIMIT_DAYS)
    return given if isinstance(given, int) and 2 <= given <= 366 else LIMIT_DAYS


def statements(moment: datetime, slug: str = "") -> dict[str, Select[Any]]:
    """Everything that is asked of the database; with `slug` about that account alone."""
    # By account and moment, as its index is: else SQLite reads every publication there ever was.
    out = and_(Publication.state == State.PUBLISHED, Publication.account_id.in_(select(Account.id)))
    found = {
        "accounts": select(
            *(Account.id, Account.slug, Account.name, Account.platform, Account.owner),
            *(Account.enabled, Account.settings, Account.created_at, Organisation.name),
        ).outerjoin(Organisation, Organisation.id == Account.organisation_id),
        "last": select(Publication.account_id, func.max(Publication.published_at))
        .where(out)
        .group_by(Publication.account_id),
        # In the order of its index, which holds all that is asked.
        "posts": select(Publication.account_id, Publication.published_at)
        .where(out, Publication.published_at >= moment - SPAN)
        .order_by(Publication.account_id, Publication.published_at),
        "parts": counted_by_parts(moment - SPAN, out),
        "watch": select(AccountWatch),
        "asked": select(Task.accounts, Task.state).where(
            Task.kind == "repost", Task.created_at >= moment - SPAN
        ),
        "late": select(
            select(func.count())
            .where(Item.state == ItemState.REVIEW, Item.level_due_at < moment)
            .scalar_subquery(),
            select(func.count())
            .where(and_(Task.state == "open", Task.due_at < moment))
            .scalar_subquery(),
            select(func.count()).where(Publication.state == State.UNKNOWN).scalar_subquery(),
        ),
    }
    if slug:
        mine = select(Account.id).where(Account.slug == slug).scalar_subquery()
        found["accounts"] = found["accounts"].where(Account.slug == slug)
        for name in ("last", "posts", "parts"):
            found[name] = found[name].where(Publication.account_id == mine)
        found["watch"] = found["watch"].where(AccountWatch.account_id == mine)
    return found


def rows_of(
    session: Session,
    moment: datetime,
    slug: str = "",
    more: Mapping[str, Executable] = MappingProxyType({}),
) -> dict[str, Sequence[Any]]:
    """What the database answers, by name; `more` are the statements of another room."""
    found: dict[str, Sequence[Any]] = {"tickets": (), "late_tickets": ((0,),)}
    asked: dict[str, Executable] = {**statements(moment, slug), **more}
    for name, query in asked.items():
        whole = session.scalars(query) if name == "watch" else session.execute(query)
        found[name] = whole.all()
    return found


@dataclass
class _Posts:
    """What one account published lately, read from the oldest on."""

    number: int = 0
    weeks: list[int] = field(default_factory=lambda: [0] * WEEKS)
    last: datetime | None = None
    edge: int = 0
    longest: int = 0

    def take(self, at: datetime, week: int, limit: int) -> None:
        self.number += 1
        self.weeks[week] += 1
        if self.last is not None:
            gap = (at - self.last).days
            self.longest = max(self.longest, gap)
            self.edge += limit - ON_THE_LINE <= gap
        self.last = at


def read_cockpit(
    rows: Mapping[str, Sequence[Any]], moment: datetime, incidents: Iterable[str] = ()
) -> Cockpit:
    """From what `rows_of` read; `incidents` are the subjects of those that are open."""
    limits = {row[0]: limit_of(row[6]) for row in rows["accounts"]}
    last = dict(tuple(row) for row in rows["last"])
    posts = _posts_of(rows["posts"], limits, moment)
    remits = {row[0]: remit_of(row[6]) for row in rows["accounts"]}
    shares = shares_of(rows["parts"], remits, REPOST)
    waiting = {row[0]: (row[1], row[2]) for row in rows["tickets"]}
    watch = {row.account_id: row for row in rows["watch"]}
    asked, done = _asked(rows["asked"])
    open_of, grave_of = Counter[str](), Counter[str]()
    for one in incidents:
        head, _, rest = one.partition(":")
        if head in ("account", "grave"):
            (open_of if head == "account" else grave_of)[rest.split(":")[0]] += 1
    found = []
    for key, slug, name, platform, owner, enabled, _, created, organisation in rows["accounts"]:
        its, seen = posts.get(key, _NO_POSTS), watch.get(key)
        share = shares.get(key, _NO_SHARE)
        number, oldest = waiting.get(key, (0, moment))
        found.append(
            Standing(
                id=key,
                slug=slug,
                name=name,
                platform=platform,
                organisation=organisation or "",
                owner=owner,
                enabled=enabled,
                limit=limits[key],
                last=last.get(key),
                days=(moment - (last.get(key) or created)) // _DAY,
                posts=its.number,
                reposts=share.reposts,
                share=share,
                remit=bool(remits[key].topics),
                weeks=tuple(its.weeks),
                edge=its.edge,
                longest=its.longest,
                waiting=number,
                oldest=(moment - oldest) // _DAY,
                asked=asked[key],
                done=done[key],
                incidents=open_of[key] + grave_of[key],
                graves=grave_of[key],
                tested_at=seen.tested_at if seen else None,
                faults=tuple(seen.faults) if seen else (),
                problem=seen.problem if seen else "",
                told_at=seen.told_at if seen else None,
            )
        )
    found.sort(key=lambda one: one.urgency)
    weeks = tuple(sum(one.weeks[n] for one in found) for n in range(WEEKS))
    reviews, tasks, unknown = (int(one or 0) for one in rows["late"][0])
    return Cockpit(found, reviews, int(rows["late_tickets"][0][0]), tasks, unknown, weeks)


_NO_POSTS = _Posts()
_NO_SHARE = Share()


def _posts_of(
    rows: Sequence[Any], limits: Mapping[str, int], moment: datetime
) -> dict[str, _Posts]:
    found: dict[str, _Posts] = {}
    start, week = (moment - SPAN).timestamp(), timedelta(weeks=1).total_seconds()
    for account_id, at in rows:
        its = found.get(account_id)
        if its is None:
            its = found[account_id] = _Posts()
        number = min(WEEKS - 1, int((at.timestamp() - start) // week))
        its.take(at, number, limits.get(account_id, LIMIT_DAYS))
    return found


def _asked(rows: Sequence[Any]) -> tuple[Counter[str], Counter[str]]:
    """Mandatory reposts by account: how many were asked for, how many are done."""
    asked: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for accounts, state in rows:
        for one in accounts:
            asked[one] += 1
            done[one] += state == "done"
    return asked, done
