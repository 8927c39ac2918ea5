"""A policy that stands is ended, amended or mended: a form, what it would change, and proposing."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from console.web.deps import DEPS, Deps, found, visitor
from console.web.mentions import mentions
from console.web.pages import form, many, page, see
from console.web.permissions import needs
from facets.taxonomy import Taxonomy
from knowledge.editing import FIELDS
from knowledge.forms import AMEND, EDIT, END, signed_now
from knowledge.library import PolicyLibrary
from knowledge.models import Clause
from knowledge.proof import SignedPolicy
from knowledge.validity import STATUS_NAMES
from staff.refusal import Reason, Refused

_KINDS = {"end": END, "amend": AMEND, "edit": EDIT}
_DIGITS = 6  # of the number of a clause
_EMPTY = {"on": "", "successor": "", "added": "", "why": ""}
_STATED = ("amended", "expired", "repealed", "not_yet")


@needs("policies.propose")
async def change(request: web.Request) -> web.StreamResponse:
    """The form, filled with how the policy stands."""
    return await _show(request, {})


@needs("policies.propose")
async def propose(request: web.Request) -> web.StreamResponse:
    """先看影响 or 提出: two buttons on one form, so that nobody proposes unseen."""
    deps, me, what = request.config_dict[DEPS], visitor(request), _what(request)
    typed: dict[str, Any] = {**await form(request), "topics": await many(request, "topics")}
    library, policy_id = PolicyLibrary(deps.governance.proposals), request.match_info["policy"]
    try:
        payload = await _payload(deps, what, policy_id, typed)
        if typed.get("step") != "propose":
            effect = await library.draft(_KINDS[what], payload, me.staff_id)
            return await _show(request, typed, effect=effect)
        await library.propose(_KINDS[what], payload, me.staff_id, typed.get("why", ""))
    except Refused as refused:
        if refused.status == 404 and refused.reasons[0].rule == "policy":
            raise
        return await _show(request, typed, refused=refused)
    return see(f"/console/policies/{policy_id}", "policy_change_proposed")


def _what(request: web.Request) -> str:
    what = request.match_info["what"]
    return found(what if what in _KINDS else None, "种变更")


async def _payload(
    deps: Deps, what: str, policy_id: str, typed: Mapping[str, Any]
) -> Mapping[str, Any]:
    """What is proposed, from the fields of the form."""
    row, clauses = await PolicyLibrary(deps.governance.proposals).whole(policy_id)
    if what == "end":
        return {
            "policy_id": row.id,
            "on": typed.get("on", ""),
            "successor_id": typed.get("successor", ""),
            "clause": _number(typed.get("clause", "")),
        }
    if what == "amend":
        words = [(one.number, typed.get(f"text-{one.number}")) for one in _open(clauses)]
        texts = {one.number: _plain(one.text) for one in clauses}
        changed = [
            {"number": number, "text": text}
            for number, text in words
            if text is not None and _plain(text) != texts[number]
        ]
        added = [{"number": None, "text": typed["added"]}] if typed.get("added") else []
        return {"policy_id": row.id, "on": typed.get("on", ""), "clauses": [*changed, *added]}
    now = _said(row, deps.taxonomy)
    given = {name: typed.get(name, "") for name in now} | {"topics": typed["topics"]}
    # Only what somebody changed in the form: a field that was never signed stays so.
    fields = {name: value for name, value in given.items() if value != now[name]}
    return {"policy_id": row.id, "fields": fields}


def _number(text: str) -> int | None:
    if text and not (text.isdecimal() and len(text) <= _DIGITS):
        raise Refused(422, [Reason("clause", "请选一条条文，或选整份文件")])
    return int(text) if text else None


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def _open(clauses: Sequence[Clause]) -> list[Clause]:
    """The clauses as they will stand: neither replaced nor ended."""
    return [one for one in clauses if one.replaced_on is None and one.repealed_on is None]


def _said(row: SignedPolicy, taxonomy: Taxonomy) -> dict[str, Any]:
    """What is said of the policy now, as the form shows it; topics by the keys of now."""
    said: dict[str, Any] = {name: getattr(row, name) or "" for name in FIELDS}
    if row.repealed_on is None:
        del said["repealed_on"]
    topics = row.topics.split(",") if row.topics else []
    return said | {"topics": list(taxonomy.keys_now("topics", topics))}


async def _show(
    request: web.Request,
    typed: Mapping[str, Any],
    *,
    effect: Mapping[str, Any] | None = None,
    refused: Refused | None = None,
) -> web.Response:
    deps, what = request.config_dict[DEPS], _what(request)
    library = PolicyLibrary(deps.governance.proposals)
    row, clauses = await library.whole(request.match_info["policy"])
    shown = {
        **_EMPTY,
        **_said(row, deps.taxonomy),
        "clause": request.query.get("clause", ""),
        **typed,
    }
    context = {
        "place": "policies",
        "what": what,
        "row": row,
        "clauses": _open(clauses),
        "typed": shown,
        "plain": {one.number: _plain(one.text) for one in clauses},
        "others": await _others(deps, row.id) if what == "end" else [],
        "topics": deps.facets["topics"],
        "statuses": {"": "按日期判断"} | {name: STATUS_NAMES[name] for name in _STATED},
        "fields": FIELDS,
        "effect": effect,
        "mentions": await mentions(deps.db, effect, visitor(request).roles),
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "policies/change.html", context, refused.status if refused else 200)


async def _others(deps: Deps, policy_id: str) -> list[tuple[str, str]]:
    """The policies that may follow this one: signed, and not ended."""
    signed = (await signed_now(deps.ledger)).values()
    rows = [one for one in signed if one.id != policy_id and one.repealed_on is None]
    rows.sort(key=lambda one: one.issued_on or "", reverse=True)
    return [(one.id, f"{one.title} {one.doc_number}".strip()) for one in rows]


ROUTES = [
    web.get("/policies/{policy}/change/{what}", change),
    web.post("/policies/{policy}/change/{what}", propose),
]
