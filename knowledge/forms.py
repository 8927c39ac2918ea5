"""What changes of the library share: fields of a payload, what stands, and who signed it."""

import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import beijing, now
from facets.taxonomy import Taxonomy
from gates.finding import Finding
from knowledge.models import Clause, Policy
from knowledge.proof import SignedPolicy, fault_in, signed_policies, tell_changed
from knowledge.validity import Defaults, parse_day, policy_status
from ledger.append import Ledger
from ledger.verify import Broken
from staff.proposals import Approval
from staff.refusal import Reason, Refused

IMPORT, END, AMEND, EDIT = "policy", "policy_end", "policy_amend", "policy_edit"
KINDS = (IMPORT, END, AMEND, EDIT)
MET = frozenset({"secrecy", "law"})
"""The gates a policy meets. It is quoted as its issuer wrote it, so the others have no say."""
LONGEST = {"title": 300, "doc_number": 60, "issuer": 120, "url": 500}
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SHOWN = 6  # characters of a secret that a refusal repeats
MOST_SAID = 20
FIRST_YEAR, LAST_YEAR = 1900, 2200

Gates = Callable[[str, str], Awaitable[Sequence[Finding]]]
"""Title and text of a policy to what the gates in MET say of them."""


@dataclass(frozen=True)
class Filling:
    """What fills in a policy that does not say it itself; None: as the program starts with."""

    taxonomy: Taxonomy | None = None
    defaults: Defaults | None = None


def basis_of(approval: Approval) -> Mapping[str, Any]:
    """What a signed word about a policy rests on."""
    return {"proposal": approval.proposal_id, "proposed_by": approval.proposed_by}


async def signed_now(ledger: Ledger) -> Mapping[str, SignedPolicy]:
    """Every policy as signed; Refused 409 while the ledger cannot be read."""
    try:
        return await signed_policies(ledger)
    except Broken as broken:
        words = f"台账核验不通过，暂时不能变更政策库：{broken}"
        raise Refused(409, [Reason("ledger", words)]) from broken


def known_in(signed: Mapping[str, SignedPolicy], policy_id: Any) -> SignedPolicy:
    """The policy of that id, or Refused 404."""
    state = signed.get(str(policy_id))
    if state is None:
        raise Refused(404, [Reason("policy", "政策库里没有这项政策")])
    return state


def words_in(payload: Mapping[str, Any], name: str) -> str:
    """A field of words; Refused 422 when it is none."""
    value = payload.get(name) or ""
    # A lone surrogate cannot be signed, and a NUL cannot be stored on PostgreSQL.
    if not isinstance(value, str) or any(_unfit(sign) for sign in value):
        raise Refused(422, [Reason(name, f"{name}：应当是文字，不含无法识别的字符")])
    return value


def _unfit(sign: str) -> bool:
    return sign == "\x00" or "\ud800" <= sign <= "\udfff"


def must_be_plain(name: str, value: str, *, allowed: str = "") -> None:
    """Refused 422 for signs that move, hide or turn round what a person reads before approving."""
    odd = {one for one in value if one not in allowed and _moves(one)}
    if odd:
        codes = "、".join(f"U+{ord(one):04X}" for one in sorted(odd)[:3])
        raise Refused(422, [Reason(name, f"{name}：含有换行或看不见的控制字符（{codes}），请删掉")])


def _moves(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Zl", "Zp") or sign in _DIRECTIONS


def day_in(payload: Mapping[str, Any], name: str) -> str | None:
    """A field that is a day or nothing; Refused 422."""
    try:
        day = parse_day(payload.get(name), name)
    except ValueError as error:
        raise Refused(422, [Reason(name, str(error))]) from error
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        words = f"{name}：年份应当在 {FIRST_YEAR} 至 {LAST_YEAR} 之间，没有期限的请留空"
        raise Refused(422, [Reason(name, words)])
    return day.isoformat() if day is not None else None


def date_of(text: str | None) -> date | None:
    """The day that a checked field names."""
    return date.fromisoformat(text) if text else None


def must_run_forward(days: Mapping[str, str | None]) -> None:
    """Refused 422 for a last day before the first, or before the day of issue where none is told.

    All days are in their checked form.
    """
    last = days["effective_to"]
    names = (("施行日期", "effective_from"), ("成文日期", "issued_on"))
    told = next(((name, days[key]) for name, key in names if days.get(key)), None)
    if last and told and told[1] and last < told[1]:
        words = f"最后有效日 {last} 在{told[0]} {told[1]} 之前，请核对"
        raise Refused(422, [Reason("effective_to", words)])


def must_be_new(form: Mapping[str, Any], signed: Mapping[str, SignedPolicy], digest: str) -> None:
    """Refused 409 when the library holds this document, or one of its title and number in force.

    Of documents without a number the title and the issuer are compared, while it has not ended:
    an amendment changes the text, and next year's notice may be called as this year's.
    """
    today = beijing(now()).date()
    for state in signed.values():
        if state.id == form["id"]:
            continue
        same = (state.title, state.doc_number) == (form["title"], form["doc_number"])
        still = state.repealed_on is None
        if not form["doc_number"]:
            still = still and policy_status(state, today) != "expired" and _one_issuer(state, form)
        if same and (state.text_sha256 == digest or still):
            raise there(form["title"])


def _one_issuer(state: SignedPolicy, form: Mapping[str, Any]) -> bool:
    """Whether both may be of one issuer: one that is not known may be any."""
    return not (state.issuer and form["issuer"]) or state.issuer == form["issuer"]


def there(title: str) -> Refused:
    """That a document stands in the library already."""
    words = f"政策库里已有《{title}》，不必重复录入"
    return Refused(409, [Reason("doc_number", words)])


async def must_be_open(gates: Gates, title: str, text: str) -> None:
    """Refused 422 when the secrecy gate blocks: a library is quoted to everybody."""
    blocked = [
        Reason(one.rule, f"保密检查不通过：{one.reason}（“{one.text[:_SHOWN]}…”）")
        for one in await gates(title, text)
        if (one.gate, one.severity) == ("secrecy", "block")
    ]
    if blocked:
        raise Refused(422, blocked[:MOST_SAID])


def named(title: str) -> str:
    """A title as it is spoken of."""
    return f"《{title.strip('《》')}》"


async def must_agree(
    ledger: Ledger, state: SignedPolicy, policy: Policy | None, clauses: Sequence[Clause]
) -> Policy:
    """The row, when it and its clauses are what was signed; else an incident and Refused 409."""
    fault = fault_in(state, policy, clauses)
    if fault is None and policy is not None:
        return policy
    if fault is not None:
        await tell_changed(ledger, [fault])
    words = "这项政策的记录与签名的台账不符，先查明并恢复，再变更"
    raise Refused(409, [Reason("tampered", words)])


async def clauses_of(session: AsyncSession, policy_id: str) -> Sequence[Clause]:
    """The clause rows as the document reads: each wording where its clause stands."""
    rows = (await session.scalars(select(Clause).where(Clause.policy_id == policy_id))).all()
    return sorted(rows, key=lambda one: (_order(one.place or one.number), _order(one.number)))


def _order(number: Any) -> tuple[int, Any]:
    # SQLite keeps a word in a column of numbers: it must come as far as being told as changed.
    return (0, number) if isinstance(number, int) else (1, str(number))
