"""The questions an office holds its library against: asked again before every change of it.

Each was asked by somebody and is answered rightly now; a click keeps it with what answers it. A
change after which one of them is answered by something else, or by nothing, names it and waits for
a person who says in words that it is meant so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from time import monotonic
from typing import Any

from sqlalchemy import String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from config.clock import beijing, now
from knowledge.answering import Answer
from knowledge.forms import KINDS
from knowledge.service import KnowledgeService
from knowledge.speech import Speech
from knowledge.trial import AskOn, rehearse, trial
from ledger.append import Ledger
from ledger.changed import row_changed
from ledger.verify import Broken, Entry
from staff.people import read_person
from staff.proposals import Kind
from staff.proposed import seal
from staff.refusal import Reason, Refused
from staff.rights import RIGHTS
from staff.settings import SignedSettings
from staff.standing import facts_or_refuse
from storage.database import Base, new_id
from storage.seals import Sealed

SUBJECT = "regression"
ADDED, REMOVED = "regression.added", "regression.removed"
SETTING = "setting"
_SPOKEN = {"answering", "synonyms"}
_ANSWERED = ("answered", "several")
MOST, LONGEST = 500, 200
_NAMED = 10  # questions that one refusal names


class RegressionQuestion(Sealed, Base):
    """A question and the clause that answers it, by its policy and its label."""

    __tablename__ = "regression_question"
    SEALED = ("id", "question", "policy_id", "label")
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    question: Mapped[str] = mapped_column(Text)
    policy_id: Mapped[str] = mapped_column(String(26))
    label: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(300))
    by: Mapped[str] = mapped_column(String(26))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Drop:
    """A question that would not be answered as it is now; `then` is what it would get, in words."""

    question: str
    was: str
    then: str

    @property
    def words(self) -> str:
        """For whoever decides about the change."""
        return f"“{self.question}”现在答 {self.was}，改后{self.then}"


class Regression:
    """The set of one office."""

    def __init__(
        self, ledger: Ledger, service: KnowledgeService, settings: SignedSettings | None = None
    ) -> None:
        """`settings`: whose words may change."""
        self._ledger = ledger
        self._service = service
        self._settings = settings
        self._found_by: tuple[Any, ...] = ()
        self._found: dict[str, bool] = {}

    async def questions(self) -> Sequence[RegressionQuestion]:
        """Those that stand, as signed; one that was changed past this program is told, left out."""
        try:
            entries = await self._ledger.facts(SUBJECT)
        except Broken:
            return []
        stand = _stand(entries)
        async with self._ledger.db.session() as session:
            query = select(RegressionQuestion).where(RegressionQuestion.id.in_(stand))
            rows = {row.id: row for row in (await session.scalars(query)).all()}
        good = [row for key in stand if (row := rows.get(key)) and _digest(row) == stand[key]]
        for key in [one for one in stand if one not in {row.id for row in good}][:1]:
            await row_changed(self._ledger, RegressionQuestion.__tablename__, key)
        return good

    async def add(self, question: str, by: str) -> RegressionQuestion:
        """Keep a question with what answers it now; Refused 403, 409 or 422."""
        words = " ".join(question.split())
        if not 2 <= len(words) <= LONGEST:
            raise Refused(422, [Reason("question", f"问题应为 2 至 {LONGEST} 字")])
        have = await self.questions()
        if any(one.question == words for one in have) or len(have) >= MOST:
            raise Refused(409, [Reason("question", f"已有这个问题，或者已满 {MOST} 个")])
        answer = await self._service.ask(words, _today())
        if answer.status not in _ANSWERED:
            words = "这个问题现在答不出来，不能用来核对：请先补上政策或群众说法"
            raise Refused(409, [Reason("question", words)])
        first = answer.quotes[0].hit
        row = RegressionQuestion(
            id=new_id(),
            question=words,
            policy_id=first.policy_id,
            label=first.label,
            title=first.title[:300],
            by=by,
            at=now(),
        )
        async with self._ledger.transaction() as tx:
            await _must_propose(tx.session, by)
            tx.session.add(row)
            body = {"question": row.id, "digest": _digest(row)}
            await tx.append(ADDED, subject=SUBJECT, actor=by, body=body)
        return row

    async def run(self) -> list[tuple[RegressionQuestion, bool]]:
        """Each question, and whether it is answered now as it was when it was kept."""
        return [(one, bool(right)) for one, right in await self.look(float("inf"))]

    async def look(self, seconds: float) -> list[tuple[RegressionQuestion, bool | None]]:
        """The same, asking for so long: None for those whose turn has not come.

        What was found stands until library, words or day are others; the next look goes on there.
        """
        asked, ask = await self.questions(), await trial(self._service)
        until = monotonic() + seconds
        now_is = (*self._service.standing(), self._service.speech(), _today())
        if self._found_by != now_is:
            self._found_by, self._found = now_is, {}
        found = self._found
        for one in asked:
            if one.id not in found and monotonic() < until:
                found[one.id] = _right(await ask(one.question, _today()), one)
        return [(one, found.get(one.id)) for one in asked]

    async def drops(self, name: str, kind: Kind, payload: Mapping[str, Any]) -> list[Drop]:
        """The questions that this change would make worse; none for what is no such change."""
        speech = self._speech(payload) if name == SETTING else None
        if (name not in KINDS and speech is None) or not (asked := await self.questions()):
            return []
        altered = await rehearse(self._ledger, kind, payload) if name in KINDS else None
        before = await trial(self._service)
        after = await trial(self._service, altered, speech)
        found = [await _drop(one, before, after) for one in asked]
        return [one for one in found if one is not None]

    async def hold(self, name: str, kind: Kind, payload: Mapping[str, Any]) -> list[Reason]:
        """Why a change waits for a person who says that it is meant so."""
        drops = await self.drops(name, kind, payload)
        if not drops:
            return []
        more = f"，另有 {len(drops) - _NAMED} 个" if len(drops) > _NAMED else ""
        head = f"批准后有 {len(drops)} 个核对问题答得不如现在{more}：确实要改的，写明理由再批准"
        return [Reason("regression", head)] + [
            Reason("regression", one.words) for one in drops[:_NAMED]
        ]

    def _speech(self, payload: Mapping[str, Any]) -> Speech | None:
        """The office's words as they would be; None for another setting."""
        name = payload.get("name")
        if name not in _SPOKEN or self._settings is None:
            return None
        part, held = self._settings.parts[str(name)], self._service.speech()
        value = part.value(str(payload["text"]))
        return (
            Speech(value, held.synonyms) if name == "answering" else Speech(held.answering, value)
        )


def _stand(entries: Sequence[Entry]) -> dict[str, str]:
    """The questions that were added and not removed, with the digest of each."""
    stand: dict[str, str] = {}
    for entry in entries:
        if entry.kind == ADDED:
            stand[entry.body["question"]] = entry.body["digest"]
        elif entry.kind == REMOVED:
            stand.pop(entry.body["question"], None)
    return stand


async def standing_questions(session: AsyncSession) -> Mapping[str, str]:
    """The same, of an open session; Refused 409 while the ledger cannot be read."""
    return _stand(await facts_or_refuse(session, SUBJECT))


async def _drop(one: RegressionQuestion, before: AskOn, after: AskOn) -> Drop | None:
    today = _today()
    then = await after(one.question, today)
    if _right(then, one) or not _right(await before(one.question, today), one):
        return None
    return Drop(one.question, f"{_named(one.title)}{one.label}", _then(then))


def _right(answer: Answer, one: RegressionQuestion) -> bool:
    """Whether the clause that was kept is what is quoted first, or is one of several."""
    if answer.status not in _ANSWERED:
        return False
    quotes = answer.quotes if answer.status == "several" else answer.quotes[:1]
    return any(
        (each.hit.policy_id, each.hit.label) == (one.policy_id, one.label) for each in quotes
    )


def _then(answer: Answer) -> str:
    if answer.status in _ANSWERED and answer.quotes:
        hit = answer.quotes[0].hit
        return f"答 {_named(hit.title)}{hit.label}"
    return "说已不再有效" if answer.status == "repealed" else "答不出来"


def _named(title: str) -> str:
    return f"《{title.strip('《》')}》"


def _digest(row: RegressionQuestion) -> str:
    return seal({name: getattr(row, name) for name in RegressionQuestion.SEALED})[1]


async def _must_propose(session: Any, by: str) -> None:
    person = await read_person(session, by)
    if not RIGHTS["policies.propose"] & set(person.roles):
        raise Refused(403, [Reason("role", "只有能提出政策变更的人可以增加核对问题")])


def _today() -> date:
    return beijing(now()).date()
