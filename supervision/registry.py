"""Public bodies in a tree, and who belongs to which: a supervisor looks after what is below theirs.

Each change takes two people. The signed entries under one subject are the tree; the table is the
list of names that accounts refer to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import ENDED_BODY, Account, Organisation
from ledger.append import Ledger, Transaction
from ledger.verify import Entry
from staff.models import Staff
from staff.people import names
from staff.proposals import AboutPeople, Approval
from staff.refusal import Reason, Refused, missing
from staff.standing import facts_or_refuse
from storage.database import new_id

SUBJECT = "organisations"
SET, PLACED = "organisation.set", "organisation.placed"
_LONGEST = 120


@dataclass(frozen=True)
class Bodies:
    """Names and parents by id, and the body of each person who has one."""

    names: Mapping[str, str]
    parents: Mapping[str, str]
    places: Mapping[str, str] = field(default_factory=dict)

    def below(self, body: str) -> frozenset[str]:
        """A body and all under it."""
        found, fresh = {body}, {body}
        while fresh:
            fresh = {one for one, parent in self.parents.items() if parent in fresh} - found
            found |= fresh
        return frozenset(found)

    def seen_by(self, staff_id: str) -> frozenset[str] | None:
        """What somebody looks after; None is everything, of who belongs to no body."""
        place = self.places.get(staff_id)
        return None if place is None else self.below(place)

    def named(self, name: str) -> str | None:
        """The id of a name."""
        return next((key for key, one in self.names.items() if one == name), None)

    def path(self, body: str) -> str:
        """A body after those above it."""
        parent = self.parents.get(body, "")
        above = f"{self.path(parent)} / " if parent in self.names else ""
        return f"{above}{self.names.get(body, body)}"


async def bodies_now(session: AsyncSession) -> Bodies:
    """The tree as it was signed; what an office began with stands at its top."""
    rows = await session.execute(select(Organisation.id, Organisation.name))
    told = await facts_or_refuse(session, SUBJECT)
    return bodies_of({row.id: row.name for row in rows}, told)


def bodies_of(began: Mapping[str, str], told: Sequence[Entry]) -> Bodies:
    """The tree that these entries make, over the bodies that were there."""
    known, parents, places = dict(began), dict.fromkeys(began, ""), dict[str, str]()
    for entry in told:
        body = entry.body
        if entry.kind == SET and body.get("closed"):
            known.pop(body["organisation"], None)
            parents.pop(body["organisation"], None)
        elif entry.kind == SET:
            known[body["organisation"]] = str(body["name"])
            parents[body["organisation"]] = str(body["parent"])
        elif entry.kind == PLACED and body["organisation"]:
            places[body["staff"]] = str(body["organisation"])
        elif entry.kind == PLACED:
            places.pop(body["staff"], None)
    return Bodies(known, parents, places)


class OrganisationKind:
    """{name, parent, rename, close}: a body that comes, moves, changes its name, or ends."""

    label = "单位变更"
    proposers = frozenset({"admin"})

    def __init__(self, ledger: Ledger) -> None:
        """Rows and entries of one office."""
        self._ledger = ledger

    def subject(self, payload: Mapping[str, Any]) -> str:
        """There is one tree."""
        return SUBJECT

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ids instead of names, beside what the body is now."""
        name = _words(payload, "name")
        async with self._ledger.db.session() as session:
            tree = await bodies_now(session)
        key = str(payload.get("id") or tree.named(name) or "")
        here = key in tree.names
        was = [tree.names[key], tree.parents[key]] if here else []
        if payload.get("was", was) != was:
            raise Refused(409, [Reason("overtaken", "这个单位刚刚有变化：请收回后重新提出")])
        if payload.get("close"):
            return await self._ending(tree, key, name)
        new = _words(payload, "rename") or name
        if not 1 < len(new) <= _LONGEST:
            raise Refused(422, [Reason("name", f"请写单位全称，2 到 {_LONGEST} 个字")])
        if tree.named(new) not in (None, key) or ENDED_BODY in new:
            raise Refused(422, [Reason("name", f"已有叫“{new}”的单位")])
        parent = self._parent(tree, key, payload, was)
        if was == [new, parent]:
            raise Refused(422, [Reason("name", "单位没有变化")])
        return {"id": key or new_id(), "name": name, "rename": new, "parent": parent, "was": was}

    async def _ending(self, tree: Bodies, key: str, name: str) -> Mapping[str, Any]:
        """A body that ends holds nothing any more."""
        if key not in tree.names:
            raise missing(f"个叫“{name}”的单位")
        async with self._ledger.db.session() as session:
            held = await session.scalar(
                select(Account.name).where(Account.organisation_id == key).limit(1)
            )
        below = [one for one, parent in tree.parents.items() if parent == key]
        faults = [f"账号“{held}”"] if held else []
        faults += ["人员"] if key in tree.places.values() else []
        faults += ["下级单位"] if below else []
        if faults:
            words = f"还有{'、'.join(faults)}属于它：请先转走"
            raise Refused(422, [Reason("close", words)])
        was = [tree.names[key], tree.parents[key]]
        kept = {"id": key, "name": name, "rename": was[0], "parent": was[1]}
        return {**kept, "was": was, "close": True}

    def _parent(
        self, tree: Bodies, key: str, payload: Mapping[str, Any], was: Sequence[str]
    ) -> str:
        given = _words(payload, "parent") or (was[1] if was else "")
        parent = given if given in tree.names else tree.named(given)
        if parent is None and was and not was[1]:
            return ""  # the body at the top stays there
        if parent is None:
            words = f"没有叫“{given}”的单位：请写它的上级单位，要先登记"
            raise Refused(422, [Reason("parent", words)])
        if key and parent in tree.below(key):
            raise Refused(422, [Reason("parent", "上级不能是自己，也不能是自己的下级")])
        return parent

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Where it stood and where it will stand."""
        async with self._ledger.db.session() as session:
            tree = await bodies_now(session)
        if payload.get("close"):
            text = f"{tree.path(payload['id'])} 撤销"
            return {"changes": [{"sign": "-", "text": text}], "warnings": [], "note": ""}
        parent = tree.path(payload["parent"]) if payload["parent"] else "（最上级）"
        text = f"{payload['rename']}，上级：{parent}"
        if payload["was"]:
            text = f"{tree.path(payload['id'])} 改为 {text}"
        sign = "~" if payload["was"] else "+"
        return {"changes": [{"sign": sign, "text": text}], "warnings": [], "note": ""}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """The tree holds from the commit on."""
        row = await tx.session.get(Organisation, payload["id"])
        if row is None:
            row = Organisation(id=payload["id"])
            tx.session.add(row)
        # Its name is free for another body; accounts refer to it by its id.
        gone = f"{ENDED_BODY} {row.id[-6:]}）" if payload.get("close") else ""
        row.name = f"{payload['rename'][: _LONGEST - len(gone)]}{gone}"
        row.parent_id = payload["parent"] or None
        await tx.session.flush()
        body = {
            "organisation": row.id,
            "name": row.name,
            "parent": payload["parent"],
            **({"closed": True} if payload.get("close") else {}),
            "proposal": approval.proposal_id,
            "proposed_by": approval.proposed_by,
        }
        await tx.append(SET, subject=SUBJECT, actor=approval.approved_by, body=body)
        return {"organisation": row.id}


class PlacementKind(AboutPeople):
    """{login, organisation}: to which body somebody belongs; without one they see every body."""

    label = "人员所属单位"
    proposers = frozenset({"admin"})

    def __init__(self, ledger: Ledger) -> None:
        """Rows and entries of one office."""
        self._ledger = ledger

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The person's id."""
        return f"staff:{payload['staff']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ids instead of names, beside where they are now."""
        login, wanted = _words(payload, "login"), _words(payload, "organisation")
        async with self._ledger.db.session() as session:
            tree = await bodies_now(session)
            staff_id = await session.scalar(select(Staff.id).where(Staff.login == login))
        if staff_id is None:
            raise missing("个人员")
        body = wanted if wanted in tree.names else tree.named(wanted)
        if wanted and body is None:
            raise Refused(422, [Reason("organisation", f"没有叫“{wanted}”的单位：请先登记")])
        was = tree.places.get(staff_id, "")
        if payload.get("was", was) != was:
            raise Refused(409, [Reason("overtaken", "这个人刚刚换了单位：请收回后重新提出")])
        if was == (body or ""):
            raise Refused(422, [Reason("organisation", "所属单位没有变化")])
        return {"staff": staff_id, "login": login, "organisation": body or "", "was": was}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who belongs where."""
        async with self._ledger.db.session() as session:
            tree = await bodies_now(session)
            name = (await names(session, {payload["staff"]})).get(payload["staff"], "")
        body = payload["organisation"]
        where = tree.path(body) if body else "不属于哪个单位，看得到全部"
        text = f"{name}（{payload['login']}）：{where}"
        note = "监督人员在“总览”和“设置 → 账号”里只看得到本单位和下级单位的账号。" if body else ""
        return {"changes": [{"sign": "~", "text": text}], "warnings": [], "note": note}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """What they look after holds from the commit on."""
        body = {
            "staff": payload["staff"],
            "organisation": payload["organisation"],
            "proposal": approval.proposal_id,
            "proposed_by": approval.proposed_by,
        }
        await tx.append(PLACED, subject=SUBJECT, actor=approval.approved_by, body=body)
        return {"staff": payload["staff"]}


def _words(payload: Mapping[str, Any], name: str) -> str:
    return str(payload.get(name) or "").strip()
