"""Random people do random things to random items; an oracle that reads no ledger keeps watch.

After each step, whatever the sender would let out must have been approved, on exactly the text it
has now, by enough different entitled people in order; and what was fully approved must go out.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import text

from bot.contract import Content, NotReleased, Release
from review_queue import (
    chain,
    deciding,
    drafting,
    emergencies,
    recalling,
    referrals,
    release,
    rounds,
    submitting,
)
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.governance import levels
from review_queue.models import Item
from review_queue.release import Releases
from staff.refusal import Refused
from storage.database import Database
from tests.review_queue.conftest import PEOPLE, all_ok, make_office

LEVELS = {
    "日常": (("reviewer_1",), ("reviewer_2", "reviewer_3")),
    "重要": (("reviewer_1",), ("reviewer_2",), ("reviewer_3",)),
    "敏感": (("reviewer_1",), ("reviewer_2",), ("secrecy",)),
}
ANSWERERS = ("reviewer1", "reviewer2", "reviewer3")
FAST = (("reviewer_1", "reviewer_2"), ("reviewer_3", "secrecy"))
WHO = st.sampled_from(sorted(PEOPLE))
AUTHORS = st.sampled_from(("editor", "editor2", "everything"))
WHICH = st.integers(0, 1)


@dataclass
class Known:
    """What the oracle remembers of one item: only what it was told had succeeded."""

    id: str
    author: str
    editor: str
    klass: str
    body: str
    asker: str = ""
    running: bool = False
    open_question: bool = False
    dead: bool = False
    tampered: bool = False
    approvals: list[tuple[str, str]] = field(default_factory=list)  # person, body then
    releases: set[str] = field(default_factory=set)
    seen: ReviewForm | None = None  # the last form that was sent

    def void(self) -> None:
        self.running, self.open_question, self.asker, self.approvals = False, False, "", []

    @property
    def complete(self) -> bool:
        """Whether enough different, entitled people approved exactly this text."""
        people = [person for person, _ in self.approvals]
        fast = bool(self.asker)
        levels = FAST if fast else LEVELS[self.klass]
        seats = people[: len(levels)]
        if self.dead or not self.running or self.open_question or len(seats) < len(levels):
            return False
        if len(set(people)) < len(people) or {self.author, self.editor, self.asker} & set(people):
            return False
        if any(body != self.body for _, body in self.approvals):
            return False
        orders = [levels, levels[::-1]] if fast else [levels]
        return any(
            all(set(PEOPLE[who]) & set(roles) for who, roles in zip(seats, order, strict=True))
            and "secrecy" in PEOPLE[seats[order.index(levels[-1])]]
            for order in orders
        )


class Walk(RuleBasedStateMachine):
    """One office for all walks; every walk has two items of its own."""

    loop = asyncio.new_event_loop()
    office: Any = None
    released = 0

    @classmethod
    def do_now(cls, work: Coroutine[Any, Any, Any]) -> Any:
        return cls.loop.run_until_complete(work)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.do_now(work)

    def attempt(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The outcome, or None when it was refused."""
        try:
            return self.do(work)
        except Refused:
            return None

    @initialize(
        klasses=st.tuples(*[st.sampled_from(sorted(LEVELS))] * 2),
        authors=st.tuples(AUTHORS, AUTHORS),
    )
    def begin(self, klasses: tuple[str, str], authors: tuple[str, str]) -> None:
        self.known: list[Known] = []
        self.queue, self.people = Walk.office.queue, Walk.office.people
        for klass, author in zip(klasses, authors, strict=True):
            content = Content(kind="原创", title="通知", body="正文")
            origin = Origin(self.people[author], klass=klass)
            item = self.do(drafting.create_item(self.queue, content, origin))
            self.known.append(Known(item.id, author, author, klass, "正文"))

    def item(self, known: Known) -> Any:
        async def read() -> Any:
            async with self.queue.db.session() as session:
                query = text("SELECT version, release_id, klass FROM item WHERE id = :i")
                return (await session.execute(query, {"i": known.id})).one()

        return self.do(read())

    @rule(which=WHICH, who=WHO, body=st.sampled_from(("正文", "改过的正文", "出了突发事件")))
    def edit(self, which: int, who: str, body: str) -> None:
        known = self.known[which]
        done = self.attempt(
            drafting.edit(
                self.queue, known.id, self.people[who], self.item(known).version, {"body": body}
            )
        )
        if done is not None and body != known.body:
            known.void()
            known.body, known.editor = body, who

    @rule(which=WHICH, who=WHO)
    def submit(self, which: int, who: str) -> None:
        known = self.known[which]
        done = self.attempt(
            submitting.submit(self.queue, known.id, self.people[who], self.item(known).version)
        )
        if done is not None:
            known.void()
            known.running, known.klass = True, done.klass

    @rule(which=WHICH, who=WHO)
    def hurry(self, which: int, who: str) -> None:
        known = self.known[which]
        version = self.item(known).version
        done = self.attempt(
            emergencies.submit_emergency(self.queue, known.id, self.people[who], version, "汛情")
        )
        if done is not None:
            known.void()
            known.running, known.asker = True, who

    @rule(
        which=WHICH,
        who=WHO,
        verdict=st.sampled_from(("approve", "approve", "approve", "approve", "return", "refer")),
        missing=st.sampled_from((None, None, None, "law", "secrecy", "proof")),
    )
    def decide(self, which: int, who: str, verdict: str, missing: str | None) -> None:
        known = self.known[which]
        digest, _ = self.do(findings_now(self.queue, known.id))
        gates = {gate: row for gate, row in all_ok().items() if gate != missing}
        answer = ReviewForm(
            verdict,
            digest,
            self.item(known).version,
            gates,
            note="请看",
            proof=missing != "proof",
            department="县统计局" if verdict == "refer" else "",
        )
        before = self.item(known).release_id
        done = self.attempt(deciding.decide(self.queue, known.id, self.people[who], answer))
        known.seen = answer
        if done is None:
            return
        if verdict == "approve" and before is None:
            known.approvals.append((who, known.body))
        elif verdict == "refer":
            known.open_question = True
        elif verdict == "return":
            known.dead = known.dead or before is not None
            known.void()
        if done.release_id:
            known.releases.add(done.release_id)

    @rule(which=WHICH, turn=st.integers(0, 9), steps=st.integers(1, 4))
    def go_on(self, which: int, turn: int, steps: int) -> None:
        """What an office does all day: the next right step by somebody who may take it."""
        known = self.known[which]
        for _ in range(steps):
            if known.open_question:
                makers = (known.author, known.editor)
                self.answer(which, next(one for one in ANSWERERS if one not in makers))
            elif not known.running:
                self.submit(which, "editor")
            else:
                may = self.do(self.may(known.id))
                names = sorted(name for name, staff in self.people.items() if staff in may)
                if not names:
                    return
                self.decide(which, names[turn % len(names)], "approve", None)

    @rule(which=WHICH, who=st.sampled_from(("everything", "editor2", "reviewer3", "reviewer1")))
    def grab(self, which: int, who: str) -> None:
        """One person tries to fill every level, and others only do what that person could not."""
        known = self.known[which]
        for turn in range(6):
            if not known.running or known.open_question:
                self.go_on(which, turn, 1)
            before = list(known.approvals)
            self.decide(which, who, "approve", None)
            if known.approvals == before:
                self.go_on(which, turn, 1)

    @rule(which=WHICH, who=WHO)
    def replay(self, which: int, who: str) -> None:
        """A form of before the last edit, sent again with the version of now."""
        known = self.known[which]
        if known.seen is None:
            return
        stale = replace(known.seen, version=self.item(known).version)
        digest, _ = self.do(findings_now(self.queue, known.id))
        if stale.digest != digest:
            assert (
                self.attempt(deciding.decide(self.queue, known.id, self.people[who], stale)) is None
            )

    @rule(which=WHICH)
    def swap_text(self, which: int) -> None:
        """Somebody with SQL changes the text that is about to go out."""
        known = self.known[which]
        if not known.releases or known.tampered:
            return

        async def write() -> None:
            async with self.queue.db.session() as session:
                query = "UPDATE revision SET canonical = replace(canonical, '文', '丈')"
                await session.execute(text(f"{query} WHERE item_id = :i"), {"i": known.id})

        self.do(write())
        known.tampered = True

    async def may(self, item_id: str) -> list[str]:
        async with self.queue.db.session() as session:
            item = await session.get(Item, item_id)
            found: list[str] = await rounds.who_may(session, item)
            return found

    @rule(which=WHICH, who=WHO)
    def answer(self, which: int, who: str) -> None:
        known = self.known[which]
        if self.attempt(
            referrals.answer_referral(self.queue, known.id, self.people[who], "没有问题")
        ):
            known.open_question = False

    @rule(which=WHICH, who=WHO, to=st.sampled_from(("日常", "重要")))
    def lower(self, which: int, who: str, to: str) -> None:
        known = self.known[which]
        done = self.attempt(
            drafting.lower_class(self.queue, known.id, self.people[who], to, "只是演练")
        )
        if done is not None:
            assert who not in (known.author, known.editor)
            known.void()
            known.klass = to

    @rule(which=WHICH, who=WHO)
    def recall(self, which: int, who: str) -> None:
        known = self.known[which]
        if len(known.approvals) < 3:
            return  # seldom enough that walks get somewhere
        if self.attempt(recalling.recall(self.queue, known.id, self.people[who], "有误")):
            known.void()
            known.dead = True

    @rule(which=WHICH, who=WHO)
    def forge(self, which: int, who: str) -> None:
        """Somebody with SQL says that who approved is somebody else."""
        known = self.known[which]
        if len(known.approvals) < 2 or known.approvals[0][0] == who:
            return

        async def write() -> None:
            async with self.queue.db.session() as session:
                query = "UPDATE decision SET staff_id = :s WHERE item_id = :i AND level = 0"
                await session.execute(text(query), {"s": self.people[who], "i": known.id})

        self.do(write())
        known.tampered = True

    @invariant()
    def only_what_was_approved_goes_out(self) -> None:
        for known in getattr(self, "known", ()):
            current = self.item(known).release_id
            for release_id in known.releases:
                allowed = known.complete and not known.tampered
                release = self.do(sent(Walk.office.releases, release_id))
                if release is None:
                    assert not (allowed and release_id == current)
                    continue
                Walk.released += 1
                assert allowed
                assert known.body in release.renderings["wx"]["text"]


async def sent(releases: Releases, release_id: str) -> Release | None:
    """What a sender gets."""
    try:
        return await releases.verify(release_id)
    except NotReleased:
        return None


def walk(walks: int) -> int:
    """Take some walks in one office; how many times something went out. Fails as a test does."""
    Walk.loop, Walk.released = asyncio.new_event_loop(), 0
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/walk.db")
        try:
            Walk.do_now(database.create_all())
            Walk.office = Walk.do_now(make_office(Path(folder), database))
            Walk.TestCase.settings = settings(
                max_examples=walks,
                stateful_step_count=16,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],  # the steps are printed; shrinking them takes minutes
                suppress_health_check=list(HealthCheck),
            )
            Walk.TestCase().runTest()
        finally:
            Walk.do_now(database.close())
            Walk.loop.close()
    return Walk.released


def test_random_walks_never_let_an_unapproved_text_out() -> None:
    assert walk(25) > 20


def no_reasons(*_: Any) -> list[Any]:
    return []


def anybody(*_: Any) -> tuple[str, list[Any]]:
    return "", []


@pytest.mark.parametrize(
    ("check", "instead"),
    [("maker_faults", no_reasons), ("eligible", anybody), ("_table_faults", no_reasons)],
)
def test_the_walks_notice_when_a_check_is_missing(
    monkeypatch: pytest.MonkeyPatch, check: str, instead: Any
) -> None:
    for module in (chain, rounds, deciding, levels, release):
        monkeypatch.setattr(module, check, instead, raising=False)
    with pytest.raises(AssertionError):
        walk(25)
