"""Who a subject of the body's own sign-in is here: bound by its owner, confirmed by another.

Nobody is made by signing in. The binding is two signed entries about the person; what they hold of
the subject is a keyed hash. It lets in and gives no right: roles are those of this office.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hmac import compare_digest

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Ledger
from ledger.verify import Entry
from staff.handover import witness_faults
from staff.models import Staff
from staff.people import read_person
from staff.provider import Asked, Provider, new_question
from staff.refusal import Reason, Refused, missing, refuse
from staff.slowing import hidden
from staff.standing import WAITING, all_facts_or_refuse, facts_or_refuse, handover_in, standing_in
from storage.cache import Cache
from storage.crypt import DataKey

BOUND, CONFIRMED, UNBOUND = "identity.bound", "identity.confirmed", "identity.unbound"
WAIT = 600.0
"""Seconds between leaving for the provider and coming back."""
_PLACE = "cookie:provider:question"


@dataclass(frozen=True)
class Identity:
    """The subject a person bound last: `name` is its keyed hash; it counts once `confirmed`."""

    name: str
    at: datetime
    confirmed: bool = False


def identity_in(entries: Sequence[Entry]) -> Identity | None:
    """The binding that these entries about a person leave standing, or None."""
    found: Identity | None = None
    for entry in entries:
        owner = entry.subject.removeprefix("staff:")
        if entry.kind == BOUND and entry.actor == owner:
            # Made with a login that somebody else gave them and nobody confirmed: it may be theirs.
            handed = handover_in(entries, entry.seq)
            settled = handed is None or handed.settled
            at = datetime.fromisoformat(entry.at)
            found = Identity(str(entry.body["identity"]), at) if settled else None
        elif entry.kind == CONFIRMED and found and _may_confirm(entries, entry, found):
            found = replace(found, confirmed=True)
        # Who leaves takes nothing along for the day they come back.
        elif entry.kind == UNBOUND or (entry.kind == "staff.set" and not entry.body["active"]):
            found = None
    return found


def _may_confirm(entries: Sequence[Entry], entry: Entry, found: Identity) -> bool:
    """Whether it confirms this very binding, and who did is not the owner nor gave the login."""
    handed = handover_in(entries, entry.seq)
    own = entry.actor == entry.subject.removeprefix("staff:")
    given = handed is not None and entry.actor == handed.approved_by
    return entry.body["identity"] == found.name and not own and not given


@dataclass(frozen=True)
class Returned:
    """Who came back from the provider: the hash of their subject, why they went, where to go on."""

    name: str
    binds: str
    next: str


class Identities:
    """Going to the provider and coming back, and the bindings of one office."""

    def __init__(self, ledger: Ledger, cache: Cache, crypt: DataKey, provider: Provider) -> None:
        """`cache` is shared by every process, so that an answer counts once."""
        self.provider = provider
        self._ledger = ledger
        self._cache = cache
        self._crypt = crypt

    # --- there and back -------------------------------------------------------------------------

    async def begin(self, *, next_path: str, binds: str = "") -> tuple[str, str]:
        """The provider's address for a browser, and what that browser keeps until it is back.

        `binds` is the id of the person whose subject is to be bound; empty to sign in.
        """
        asked = new_question()
        address = await self.provider.address(asked)
        kept = {**asdict(asked), "next": next_path, "binds": binds, "at": now().timestamp()}
        return address, self._crypt.encrypt(json.dumps(kept), _PLACE)

    async def finish(self, kept: str, query: Mapping[str, str]) -> Returned:
        """Who came back; Refused for another browser, too late, a second time, or unproved."""
        said = self._opened(kept)
        state = query.get("state", "")
        if said is None or not compare_digest(
            state.encode(errors="replace"), str(said["state"]).encode()
        ):
            raise _again("这次登录不是从这个浏览器开始的，或等得太久了")
        # Once only, also when two answers come at the same moment.
        if not await self._cache.add_once(f"provider:used:{hidden(state)}", WAIT * 2):
            raise _again("这个登录结果已经用过了")
        # https://www.rfc-editor.org/rfc/rfc9207: an answer of another provider is none of this one.
        if query.get("iss", self.provider.client.issuer) != self.provider.client.issuer:
            raise _again("这个登录结果来自别的地方")
        if "error" in query or not query.get("code"):
            raise _again(f"{self.provider.client.name}没有登录成功")
        asked = Asked(state, str(said["nonce"]), str(said["verifier"]))
        subject = await self.provider.subject(query["code"], asked)
        return Returned(self._hidden(subject), str(said["binds"]), str(said["next"]))

    def _opened(self, kept: str) -> Mapping[str, object] | None:
        try:
            said: dict[str, object] = json.loads(self._crypt.decrypt(kept, _PLACE))
        except ValueError:
            return None
        age = now().timestamp() - float(str(said["at"]))
        return said if 0 <= age < WAIT else None

    def _hidden(self, subject: str) -> str:
        return self._crypt.blind(f"identity:{self.provider.client.issuer}\n{subject}")

    # --- whose it is ----------------------------------------------------------------------------

    async def owner(self, name: str) -> str | None:
        """The id of the one active person it is bound to and confirmed for, or None."""
        async with self._ledger.db.session() as session:
            found = await _all(session)
        owners = [key for key, one in found.items() if one.name == name and one.confirmed]
        # Of two nobody says whom it means.
        return owners[0] if len(owners) == 1 else None

    async def bind(self, staff_id: str, name: str) -> None:
        """Sign that somebody says this subject is theirs; it counts once another confirms it."""
        async with self._ledger.transaction() as tx:
            await read_person(tx.session, staff_id)
            entries = await facts_or_refuse(tx.session, f"staff:{staff_id}")
            if standing_in(entries).waiting:
                raise Refused(403, [WAITING])
            taken = [key for key, one in (await _all(tx.session)).items() if one.name == name]
            if taken == [staff_id]:
                raise Refused(409, [Reason("identity", "这个单位账号已经绑定在您这里")])
            if taken:
                words = "这个单位账号已经绑定给别人：请核对是不是登录错了，或请管理员先解除"
                raise Refused(409, [Reason("identity", words)])
            body = {"staff": staff_id, "identity": name}
            await tx.append(BOUND, subject=f"staff:{staff_id}", actor=staff_id, body=body)

    async def confirm(self, login: str, by: str) -> None:
        """Somebody else confirms that it is this person's (see staff.handover)."""
        async with self._ledger.transaction() as tx:
            row = await _person(tx.session, login)
            refuse(await witness_faults(tx.session, row.id, by))
            found = identity_in(await facts_or_refuse(tx.session, f"staff:{row.id}"))
            if found is None or found.confirmed:
                raise Refused(409, [Reason("state", "没有在等待确认的绑定")])
            body = {"staff": row.id, "identity": found.name}
            await tx.append(CONFIRMED, subject=f"staff:{row.id}", actor=by, body=body)

    async def unbind(self, login: str, by: str) -> None:
        """The owner or an admin ends a binding at once."""
        async with self._ledger.transaction() as tx:
            row, person = await _person(tx.session, login), await read_person(tx.session, by)
            if row.id != by and "admin" not in person.roles:
                raise Refused(403, [Reason("role", "只有本人或管理员能解除绑定")])
            if identity_in(await facts_or_refuse(tx.session, f"staff:{row.id}")) is None:
                return  # two people may wish it at once
            body = {"staff": row.id}
            await tx.append(UNBOUND, subject=f"staff:{row.id}", actor=by, body=body)

    async def of(self, staff_id: str) -> Identity | None:
        """How somebody's own binding stands."""
        return identity_in(await self._ledger.facts(f"staff:{staff_id}"))


async def waiting_identities(session: AsyncSession) -> list[tuple[Staff, Identity]]:
    """Whose binding waits for a second person, oldest first."""
    found = {key: one for key, one in (await _all(session)).items() if not one.confirmed}
    rows = await session.scalars(select(Staff).where(Staff.id.in_(found)))
    return sorted(((row, found[row.id]) for row in rows.all()), key=lambda one: one[1].at)


async def _all(session: AsyncSession) -> dict[str, Identity]:
    """Every binding that stands, by person: an office has some dozen people."""
    ids: Iterable[str] = (await session.scalars(select(Staff.id).order_by(Staff.id))).all()
    told = await all_facts_or_refuse(session, [f"staff:{one}" for one in ids])
    found = {one: identity_in(told[f"staff:{one}"]) for one in ids}
    return {key: one for key, one in found.items() if one is not None}


async def _person(session: AsyncSession, login: str) -> Staff:
    row = (await session.scalars(select(Staff).where(Staff.login == login))).first()
    if row is None:
        raise missing("个人员")
    return row


def _again(words: str) -> Refused:
    return Refused(401, [Reason("provider", f"{words}：请再试一次，或用密码、通行密钥登录")])
