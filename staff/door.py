"""The way in: a password or the body's own sign-in, and a second step; or a passkey, which is both.

Wrong passwords slow down whoever tries them (staff/slowing.py). A passkey cannot be guessed, so
its sign-in waits for nobody.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from config.clock import now
from ledger.append import Ledger
from ledger.changed import row_changed
from staff.factors import NEEDED, factor_in, set_up_by
from staff.known import known_here, known_mark
from staff.models import Passkey, Staff
from staff.newest import newest_password
from staff.passkeys import Place, answers, challenge_options, keys_in, shown_assertion
from staff.people import password_holds
from staff.refusal import Reason, Refused
from staff.second_factor import SecondFactors
from staff.sessions import begin_session, limit_passwords, password_was_right
from staff.slowing import Pace, admit, at_the_door, failed, hidden, of_browser, passed
from staff.standing import standing, standing_in
from storage.cache import Cache
from storage.crypt import DataKey

PROVIDER = "provider"
STEP_WAIT = 300.0
"""Seconds between the password and the second step."""
_STEP_TRIES = 8  # codes for one right password
_CODES_TOLD = 10  # wrong codes after right passwords, until somebody is told
_DAY = 86400.0


@dataclass(frozen=True)
class Attempt:
    """One sign-in form, and where it came from; `known`: the marks its browser keeps."""

    login: str
    password: str = field(repr=False)
    address: str
    user_agent: str
    known: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Entered:
    """A new session: its token, the mark that makes its browser known, how it was proved."""

    staff_id: str
    token: str = field(repr=False)
    mark: str = field(repr=False)
    by: str

    @property
    def recovered(self) -> bool:
        """Whether a recovery code was used up for it."""
        return self.by.endswith("recovery")


@dataclass(frozen=True)
class Step:
    """The password was right; what `ticket` stands for still needs the second step."""

    ticket: str = field(repr=False)


@dataclass(frozen=True)
class Ways:
    """How a person can take the second step: keys by origin, one-time codes."""

    keys: tuple[Mapping[str, Any], ...]
    codes: bool

    def here(self, place: Place) -> list[str]:
        """The keys that were made at this address."""
        return [str(key["credential"]) for key in self.keys if key["origin"] == place.origin]


@dataclass(frozen=True)
class _Held:
    """What the cache keeps behind a ticket."""

    staff_id: str
    password: str
    challenge: str
    known: str
    first: str = "password"  # or provider: how the first step was taken


class Door:
    """Signing in to one office."""

    def __init__(self, ledger: Ledger, cache: Cache, crypt: DataKey) -> None:
        """`cache` is shared by every process, so that waits are."""
        self.factors = SecondFactors(ledger, cache, crypt)
        self._ledger = ledger
        self._cache = cache
        self.crypt = crypt

    async def sign_in(self, attempt: Attempt) -> Entered | Step:
        """A session, or the ticket for the second step of who has one.

        Refused (401) says the same for an unknown login and a wrong password, and takes as long.
        """
        person, known = await self._by_password(attempt)
        return await self._first_step(person, attempt.user_agent, "password", known or "")

    async def sign_in_by_provider(self, staff_id: str | None, user_agent: str) -> Entered | Step:
        """The same for whom the body's own sign-in named (staff/identities.py): one step of two.

        What a provider asked of them is not known here, so a second step stays what it is.
        """
        async with self._ledger.db.session() as session:
            row = await session.get(Staff, staff_id) if staff_id else None
        person = await self._believed(row)
        if person is None:
            words = (
                "这个单位账号没有绑定本系统的人员：请用密码或通行密钥登录，"
                "在“我的登录”里绑定，再请另一位管理员确认"
            )
            raise Refused(401, [Reason("identity", words)])
        return await self._first_step(person, user_agent, PROVIDER, "")

    async def _first_step(
        self, person: Staff, user_agent: str, by: str, known: str
    ) -> Entered | Step:
        ways = await self._ways(person.id)
        if not ways.keys and not ways.codes:
            return await self._enter(person, user_agent, by)
        ticket, challenge = secrets.token_urlsafe(32), bytes_to_base64url(_challenge())
        held = [person.id, hidden(person.password_hash), challenge, known, by]
        await self._cache.set(_ticket_key(ticket), json.dumps(held), STEP_WAIT)
        return Step(ticket)

    async def prove(self, attempt: Attempt, code: str = "") -> str:
        """The id of who acts on a command line: password, and the code of who has one.

        Refused with the rule `code_needed` when a code is missing; the sign-in is an entry.
        """
        person, known = await self._by_password(attempt)
        ways, by = await self._ways(person.id), "password"
        if ways.codes and not code.strip():
            raise Refused(401, [Reason("code_needed", "还需要您的动态码：在手机上看，或用恢复码")])
        if ways.codes:
            by = f"{by}+{await self._by_code(person, known or '', code)}"
        elif ways.keys:
            words = "您的第二步是通行密钥，命令行用不了：请在网页上做，或先在“我的登录”里设动态码"
            raise Refused(403, [Reason("second_factor", words)])
        roles = (await standing(self._ledger, person.id)).held
        late = await set_up_by(self._ledger, person.id, roles)
        if late is not None and late <= now():
            words = "您的角色必须有第二步验证：请先在网页登录设好，再用命令行"
            raise Refused(403, [Reason("second_factor", words)])
        async with self._ledger.transaction() as tx:
            subject = f"staff:{person.id}"
            await tx.append("signin", subject=subject, actor=person.id, body={"by": by})
        return person.id

    async def prove_again(self, staff_id: str, password: str, code: str) -> None:
        """Once more who somebody signed in is: password, and the code of who has one."""
        await limit_passwords(self._cache, staff_id)
        async with self._ledger.db.session() as session:
            person = await self._believed(await session.get(Staff, staff_id))
        if person is None or not await password_holds(person.password_hash, password):
            raise Refused(403, [Reason("password", "密码不对，没有改变")])
        await password_was_right(self._cache, staff_id)
        if (await self._ways(staff_id)).codes:
            await self._by_code(person, f"own:{staff_id}", code)

    async def removable(self, staff_id: str) -> None:
        """Refuse (409) when this person would be left without the second step they need."""
        roles = (await standing(self._ledger, staff_id)).held
        if not NEEDED.isdisjoint(roles) and not (await self._ways(staff_id)).keys:
            words = "您的角色必须有第二步验证：可以更换，不能去掉"
            raise Refused(409, [Reason("second_factor", words)])

    async def mark_of(self, staff_id: str) -> str:
        """A new mark for the browser in which somebody just changed their password."""
        async with self._ledger.db.session() as session:
            return known_mark(self.crypt, await session.get_one(Staff, staff_id))

    # --- the second step ----------------------------------------------------------------------

    async def ways(self, ticket: str) -> Ways | None:
        """What the person behind a ticket can do; None when it ended."""
        held = await self._held(ticket)
        return await self._ways(held.staff_id) if held else None

    async def enter_by_code(self, ticket: str, code: str, user_agent: str) -> Entered:
        """A session for a right one-time or recovery code."""
        held, person = await self._person_of(ticket)
        by = f"{held.first}+{await self._by_code(person, held.known, code)}"
        await self._cache.delete(_ticket_key(ticket))
        return await self._enter(person, user_agent, by)

    async def step_options(self, ticket: str, place: Place) -> dict[str, Any]:
        """Options for navigator.credentials.get over the keys of the person behind a ticket."""
        held, person = await self._person_of(ticket)
        here = (await self._ways(person.id)).here(place)
        if not here:
            raise Refused(409, [Reason("passkey", "您没有在这个网址登记的通行密钥")])
        return challenge_options(base64url_to_bytes(held.challenge), place, here)

    async def enter_by_key(
        self, ticket: str, credential: Mapping[str, Any], user_agent: str
    ) -> Entered:
        """A session for the answer of one of the person's devices."""
        held, person = await self._person_of(ticket)
        await self._answered(person, credential, base64url_to_bytes(held.challenge))
        await self._cache.delete(_ticket_key(ticket))
        return await self._enter(person, user_agent, f"{held.first}+passkey")

    # --- by passkey alone -----------------------------------------------------------------------

    async def key_options(self, browser: str, place: Place) -> dict[str, Any]:
        """Options for navigator.credentials.get for whoever sits there; nobody is named."""
        if place.fault:
            raise Refused(422, [place.fault])
        challenge = _challenge()
        await self._cache.set(_key_key(browser), bytes_to_base64url(challenge), STEP_WAIT)
        return challenge_options(challenge, place)

    async def sign_in_by_key(
        self, browser: str, credential: Mapping[str, Any], user_agent: str
    ) -> Entered:
        """A session for a device that checked its owner; no password, and never slowed down."""
        challenge = await self._cache.get(_key_key(browser))
        # Once only, also when two answers come at the same moment.
        if challenge is None or not await self._cache.add_once(f"signin:used:{challenge}", _DAY):
            raise Refused(409, [Reason("passkey", "等得太久了：请再点一次“用通行密钥登录”")])
        await self._cache.delete(_key_key(browser))
        name = str(credential.get("id", ""))[:1024]
        async with self._ledger.db.session() as session:
            found = select(Staff).join(Passkey, Passkey.staff_id == Staff.id)
            person = (await session.scalars(found.where(Passkey.credential == name))).first()
        person = await self._believed(person)
        if person is None:
            raise _no_key()
        await self._answered(person, credential, base64url_to_bytes(challenge))
        return await self._enter(person, user_agent, "passkey")

    # --- parts ----------------------------------------------------------------------------------

    async def _by_password(self, attempt: Attempt) -> tuple[Staff, str | None]:
        """Who this is, and the mark by which this browser is known to them."""
        async with self._ledger.db.session() as session:
            query = select(Staff).where(Staff.login == attempt.login)
            person = await self._believed((await session.scalars(query)).first())
        known = known_here(self.crypt, person, attempt.known) if person else None
        login = attempt.login[:60].lower()
        paces = of_browser(known) if known else at_the_door(login, attempt.address)
        await admit(self._cache, paces)
        stored = person.password_hash if person else None
        if not await password_holds(stored, attempt.password) or person is None:
            await failed(self._cache, paces)
            raise Refused(401, [Reason("signin", "登录名或密码不对，请检查后重新输入")])
        await passed(self._cache, paces)
        return person, known

    async def _believed(self, person: Staff | None) -> Staff | None:
        """An unbroken row, with their newest password, of who works here by signed entry."""
        if person is None:
            return None
        if not person.whole:
            await row_changed(self._ledger, "staff", person.id)
            return None
        entries = await self._ledger.facts(f"staff:{person.id}")
        if not standing_in(entries).active:
            return None
        if newest_password(person, entries):
            return person
        async with self._ledger.db.session() as session:
            stands = await session.get(Staff, person.id)
        # Read again: whoever changes their password in this very moment put nothing back.
        if stands is not None and stands.password_hash == person.password_hash:
            await row_changed(self._ledger, "staff", person.id)
        return None

    async def _ways(self, staff_id: str) -> Ways:
        entries = await self._ledger.facts(f"staff:{staff_id}")
        return Ways(tuple(keys_in(entries)), factor_in(entries) is not None)

    async def _held(self, ticket: str) -> _Held | None:
        kept = await self._cache.get(_ticket_key(ticket)) if ticket else None
        return _Held(*json.loads(kept)) if kept else None

    async def _person_of(self, ticket: str) -> tuple[_Held, Staff]:
        """The person behind a ticket, unless their password changed since."""
        held = await self._held(ticket)
        person = None
        if held is not None:
            async with self._ledger.db.session() as session:
                person = await self._believed(await session.get(Staff, held.staff_id))
        if held is None or person is None or hidden(person.password_hash) != held.password:
            raise Refused(401, [Reason("step", "等得太久了：请重新输入登录名和密码")])
        if await self._cache.count(f"{_ticket_key(ticket)}:tries", STEP_WAIT) > _STEP_TRIES:
            await self._cache.delete(_ticket_key(ticket))
            raise Refused(401, [Reason("step", "试得太多：请重新输入登录名和密码")])
        return held, person

    async def _by_code(self, person: Staff, known: str, code: str) -> str:
        """How the code proved it. Few codes a day may be tried, or six digits would be guessed."""
        pace = Pace(f"signin:code:{person.id}", f"signin:code-wait:{person.id}", 5, 300.0, _DAY)
        paces = of_browser(f"code:{known}") if known else [pace]
        await admit(self._cache, paces)
        try:
            by = await self.factors.prove(person.id, code)
        except Refused:
            await failed(self._cache, paces)
            await self._tell(person)
            raise
        await passed(self._cache, paces)
        return by

    async def _tell(self, person: Staff) -> None:
        """Whoever enters wrong codes again and again knew the password."""
        if await self._cache.count(f"signin:code-failed:{person.id}", _DAY) != _CODES_TOLD:
            return
        words = f"有人用{person.name}的密码登录，第二步多次不对：如果不是本人，请马上改密码"
        await self._ledger.open_incident(
            "second_step_guessed", subject=f"staff:{person.id}", message=words, detail={}
        )

    async def _answered(
        self, person: Staff, credential: Mapping[str, Any], challenge: bytes
    ) -> None:
        entries = await self._ledger.facts(f"staff:{person.id}")
        if not answers(shown_assertion(credential), challenge, entries):
            raise _no_key()

    async def _enter(self, person: Staff, user_agent: str, by: str) -> Entered:
        async with self._ledger.transaction() as tx:
            token = await begin_session(tx, person, user_agent, by)
        return Entered(person.id, token, known_mark(self.crypt, person), by)


def _challenge() -> bytes:
    """Random, and never the digest of a decision: what signs in can sign nothing else."""
    return hashlib.sha256(b"shenfa sign-in" + secrets.token_bytes(32)).digest()


def _ticket_key(ticket: str) -> str:
    return f"signin:step:{hidden(ticket)}"


def _key_key(browser: str) -> str:
    return f"signin:key:{hidden(browser)}"


def _no_key() -> Refused:
    words = "这个通行密钥不能登录：没有登记、还没有经管理员确认，或已停用"
    return Refused(401, [Reason("passkey", words)])
