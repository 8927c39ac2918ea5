"""The second step of signing in: one-time codes (RFC 6238), and the recovery codes beside them.

That somebody has it is a signed entry holding the digest of what their row keeps. A row deleted,
put back or replaced past this program therefore opens nothing: it closes the door and is told.
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field

import pyotp
from sqlalchemy import delete

from config.clock import now
from ledger.append import Ledger, Transaction
from ledger.changed import row_changed
from staff.factors import (
    BEGUN,
    CODES,
    FIRST_WEEK,
    OFFICE,
    RECOVERED,
    REMOVED,
    SET,
    Factor,
    factor_in,
    required_from,
)
from staff.models import SecondFactor
from staff.refusal import Reason, Refused
from staff.sessions import end_access
from storage.cache import Cache
from storage.crypt import DataKey, place_of

_STEP = 30  # seconds of one code
_NEAR = (-1, 0, 1)  # a phone's clock may be half a minute wrong
_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"
_PENDING = 600.0  # seconds between the secret on the page and the code that confirms it


async def begin_first_week(ledger: Ledger) -> None:
    """Give an office of an earlier version its first week, once."""
    facts = await ledger.facts(OFFICE)
    if not facts or required_from(facts) is not None:
        return
    body = {"second_factor_from": (now() + FIRST_WEEK).isoformat()}
    async with ledger.transaction() as tx:
        await tx.append(BEGUN, subject=OFFICE, actor="system", body=body)


async def reset_second_factor(tx: Transaction, staff_id: str, actor: str) -> None:
    """Take a person's one-time codes away and end what they are signed in with.

    For a change by two people only: they sign in with their password next and set it up anew.
    """
    await _remove(tx, staff_id, actor)
    await end_access(tx.session, staff_id)


async def _remove(tx: Transaction, staff_id: str, actor: str) -> None:
    await tx.session.execute(delete(SecondFactor).where(SecondFactor.staff_id == staff_id))
    await tx.append(REMOVED, subject=f"staff:{staff_id}", actor=actor, body={"staff": staff_id})


@dataclass(frozen=True)
class Fresh:
    """A secret on its way to a phone."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


class SecondFactors:
    """One-time codes of the people of one office."""

    def __init__(self, ledger: Ledger, cache: Cache, crypt: DataKey) -> None:
        """`cache` keeps a secret that is not confirmed yet, encrypted."""
        self._ledger = ledger
        self._cache = cache
        self._crypt = crypt

    async def of(self, staff_id: str) -> Factor | None:
        """What a person has, by signed entries."""
        return factor_in(await self._ledger.facts(f"staff:{staff_id}"))

    async def begin(self, staff_id: str, login: str, where: str) -> Fresh:
        """A new secret; nothing changes before a code of it was entered.

        `where` is the session that proved itself: no other one is shown the secret.
        """
        secret = pyotp.random_base32()
        kept = self._crypt.encrypt(secret, _pending_place(staff_id))
        await self._cache.set(_pending_key(staff_id, where), kept, _PENDING)
        return self._fresh(secret, login)

    async def pending(self, staff_id: str, login: str, where: str) -> Fresh | None:
        """The secret that waits for its first code."""
        kept = await self._cache.get(_pending_key(staff_id, where))
        if kept is None:
            return None
        return self._fresh(self._crypt.decrypt(kept, _pending_place(staff_id)), login)

    def _fresh(self, secret: str, login: str) -> Fresh:
        uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="审发")
        return Fresh(secret, uri)

    async def confirm(self, staff_id: str, login: str, code: str, where: str) -> list[str]:
        """Put the new secret into force; the recovery codes, which nobody sees again."""
        fresh = await self.pending(staff_id, login, where)
        if fresh is None:
            raise Refused(409, [Reason("code", "设置超过了十分钟，请重新开始")])
        step = _step_of(fresh.secret, code, after=0)
        if step is None:
            raise Refused(422, [_wrong("请看手机的时间是否准确")])
        codes = [_recovery_code() for _ in range(CODES)]
        kept = self._crypt.encrypt(fresh.secret, place_of("second_factor", staff_id, "secret"))
        row = SecondFactor(
            staff_id=staff_id,
            secret=kept,
            recovery=[self._hidden(staff_id, one) for one in codes],
            used=[],
            last_step=step,
            set_at=now(),
        )
        async with self._ledger.transaction() as tx:
            # By statement: a row somebody left there must not lend the new one its wrong seal.
            await tx.session.execute(delete(SecondFactor).where(SecondFactor.staff_id == staff_id))
            tx.session.add(row)
            body = {"staff": staff_id, "digest": _digest(row), "at": row.set_at.isoformat()}
            await tx.append(SET, subject=f"staff:{staff_id}", actor=staff_id, body=body)
        await self._cache.delete(_pending_key(staff_id, where))
        return codes

    async def remove(self, staff_id: str) -> None:
        """The person's own wish, once password and code were proved."""
        async with self._ledger.transaction() as tx:
            await _remove(tx, staff_id, staff_id)

    async def prove(self, staff_id: str, code: str) -> str:
        """How a right code proves it (totp, recovery); used up then. Refused (401) otherwise."""
        factor = await self.of(staff_id)
        if factor is None:
            raise Refused(409, [Reason("code", "您还没有设动态码")])
        async with self._ledger.transaction() as tx:
            row = await tx.session.get(SecondFactor, staff_id, populate_existing=True)
            held = row if row is not None and row.whole else None
            if held is not None and hmac.compare_digest(_digest(held), factor.digest):
                return await self._use(tx, held, factor, code)
        await row_changed(self._ledger, "second_factor", staff_id)
        words = "第二步验证的记录被绕过本系统改动，不能登录：请管理员查明后重设您的第二步"
        raise Refused(403, [Reason("second_factor", words)])

    async def _use(self, tx: Transaction, row: SecondFactor, factor: Factor, code: str) -> str:
        place = place_of("second_factor", row.staff_id, "secret")
        step = _step_of(self._crypt.decrypt(row.secret, place), code, after=row.last_step)
        if step is not None:
            row.last_step = step
            return "totp"
        given = self._hidden(row.staff_id, code)
        # Asked of the entries too: an older row, put back, does not bring used codes back.
        if given not in row.recovery or given in row.used or _named(given) in factor.used:
            raise Refused(401, [_wrong("每个码只能用一次，请等下一个")])
        row.used = [*row.used, given]
        body = {"staff": row.staff_id, "code": _named(given)}
        await tx.append(RECOVERED, subject=f"staff:{row.staff_id}", actor=row.staff_id, body=body)
        return "recovery"

    def _hidden(self, staff_id: str, code: str) -> str:
        plain = "".join(one for one in code.lower() if one.isalnum())
        return self._crypt.blind(f"recovery:{staff_id}:{plain}")


def _wrong(hint: str) -> Reason:
    return Reason("code", f"动态码或恢复码不对：{hint}")


def _step_of(secret: str, code: str, *, after: int) -> int | None:
    """The step whose code this is, newer than `after`: a code seen once opens nothing again."""
    plain, current = "".join(code.split()), int(now().timestamp()) // _STEP
    made = pyotp.HOTP(secret)
    steps = [current + near for near in _NEAR]
    fits = [hmac.compare_digest(made.at(one).encode(), plain.encode()) for one in steps]
    return max(
        (one for one, fit in zip(steps, fits, strict=True) if fit and one > after), default=None
    )


def _recovery_code() -> str:
    letters = [secrets.choice(_LETTERS) for _ in range(12)]
    return "-".join("".join(letters[start : start + 4]) for start in (0, 4, 8))


def _digest(row: SecondFactor) -> str:
    """What the signed entry holds of a row: the ciphertext and every recovery code."""
    return hashlib.sha256(json.dumps([row.secret, row.recovery]).encode()).hexdigest()


def _named(hidden: str) -> str:
    """How an entry names a used recovery code."""
    return hashlib.sha256(hidden.encode()).hexdigest()[:32]


def _pending_key(staff_id: str, where: str) -> str:
    return f"second_factor:{staff_id}:{where}"


def _pending_place(staff_id: str) -> str:
    return place_of("second_factor", staff_id, "pending")
