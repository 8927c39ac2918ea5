"""Decisions signed on the reviewer's own device (WebAuthn), and the keys that may sign them.

The challenge is the SHA-256 of the RFC 8785 form of what is decided, so the device signs exactly
that. A key counts once its owner registered it and an admin who is not the owner confirmed it;
both are signed entries, and the sender checks against them. What this does not stop: false pages
served by a taken-over server, which show one text and have another one signed.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

import rfc8785
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from config.clock import now
from ledger.append import Ledger
from ledger.verify import Entry
from staff.handover import witness_faults
from staff.models import Passkey, Staff
from staff.people import read_person
from staff.refusal import Reason, Refused
from staff.standing import WAITING, handover_in, standing_of
from storage.cache import Cache
from storage.database import new_id

_WAIT = 300.0  # seconds a registration may take
_MOST = 5  # keys a person may hold
_PARTS = ("authenticatorData", "clientDataJSON", "signature")


@dataclass(frozen=True)
class Statement:
    """What a device signs: one person's verdict on one digest at one level of one submission.

    `submitted` is the ledger number of the submission, so that nothing can be replayed into a
    later run; `gates` and `attachments` map to True or False.
    """

    item: str
    submitted: int
    digest: str
    level: int
    staff: str
    verdict: str
    gates: Mapping[str, bool] = field(default_factory=dict)
    attachments: Mapping[str, bool] = field(default_factory=dict)
    proof: bool = False

    @property
    def challenge(self) -> bytes:
        """32 bytes that change with every field."""
        return hashlib.sha256(rfc8785.dumps({"v": 1, **asdict(self)})).digest()


@dataclass(frozen=True)
class Place:
    """Where a browser uses a key: the page's origin, and the host name the key is made for."""

    origin: str

    @property
    def rp_id(self) -> str:
        """The host name."""
        return urlsplit(self.origin).hostname or ""

    @property
    def fault(self) -> Reason | None:
        """Browsers offer passkeys over https and on localhost only."""
        host = self.rp_id
        near = host == "localhost" or host.endswith(".localhost")
        # Browsers treat localhost as safe without a certificate, and nothing else.
        if urlsplit(self.origin).scheme == "https" or near:
            return None
        return Reason(
            "passkey_place",
            f"这个网址（{self.origin}）不能用通行密钥：请用 https 地址，或在本机用 localhost 打开",
        )


def shown_assertion(credential: Mapping[str, Any]) -> dict[str, str]:
    """The parts of a browser's answer that go into the decision; Refused (422) when incomplete."""
    response = credential.get("response")
    parts = {name: response.get(name) for name in _PARTS} if isinstance(response, Mapping) else {}
    parts["credential"] = credential.get("id")
    # What is signed into the ledger must be whole: nobody can ask the device again years later.
    if any(not isinstance(value, str) or not value for value in parts.values()) or len(parts) < 4:
        raise Refused(422, [Reason("passkey", "设备的签名不完整，请重新确认一次")])
    return {name: str(value) for name, value in parts.items()}


def assertion_faults(
    assertion: Mapping[str, Any], statement: Statement, entries: Sequence[Entry], seq: int
) -> list[str]:
    """Why this signature does not prove that the device's owner made this statement.

    `entries` are the signed entries about the person; only what was written before entry `seq`
    counts. `assertion` has credential, authenticatorData, clientDataJSON, signature (base64url).
    """
    key = key_at(entries, str(assertion.get("credential", "")), seq)
    if key is None:
        return ["签名所用的通行密钥当时没有登记、没有经另一位管理员确认，或已停用"]
    try:
        _verify(assertion, statement.challenge, key)
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return ["通行密钥的签名与这一结论不符"]
    return []


def answers(assertion: Mapping[str, Any], challenge: bytes, entries: Sequence[Entry]) -> bool:
    """Whether a device whose key counts now answered this challenge."""
    key = key_at(entries, str(assertion.get("credential", "")), sys.maxsize)
    try:
        return key is not None and _verify(assertion, challenge, key) >= 0
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return False


def keys_in(entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
    """The registrations of a person that count now."""
    names = {
        str(entry.body["credential"]) for entry in entries if entry.kind == "passkey.registered"
    }
    found = (key_at(entries, name, sys.maxsize) for name in sorted(names))
    return [key for key in found if key is not None]


def challenge_options(
    challenge: bytes, place: Place, credentials: Iterable[str] = ()
) -> dict[str, Any]:
    """Options for navigator.credentials.get; without credentials the device offers its own."""
    options = generate_authentication_options(
        rp_id=place.rp_id,
        challenge=challenge,
        allow_credentials=[_descriptor(one) for one in credentials],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def _verify(assertion: Mapping[str, Any], challenge: bytes, key: Mapping[str, Any]) -> int:
    answer = {
        "id": assertion["credential"],
        "rawId": assertion["credential"],
        "type": "public-key",
        "response": {name: assertion[name] for name in _PARTS},
    }
    verified = verify_authentication_response(
        credential=answer,
        expected_challenge=challenge,
        expected_rp_id=str(key["rp_id"]),
        expected_origin=str(key["origin"]),
        credential_public_key=base64url_to_bytes(str(key["public_key"])),
        # Many synchronised passkeys count no uses and always say 0: a count that must grow would
        # lock their owners out.
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    return verified.new_sign_count


def key_at(entries: Sequence[Entry], credential: str, seq: int) -> Mapping[str, Any] | None:
    """The registration of a key that counted when entry `seq` was written, or None."""
    found: Mapping[str, Any] | None = None
    confirmed = False
    for entry in entries:
        # Only what was known when it was signed: a key revoked later keeps its earlier signatures.
        if entry.seq >= seq or entry.body.get("credential") != credential:
            continue
        owner = entry.subject.removeprefix("staff:")
        if entry.kind == "passkey.registered" and entry.actor == owner:
            # Made with a login that somebody else gave them and nobody confirmed: it may be theirs.
            handed = handover_in(entries, entry.seq)
            found = entry.body if handed is None or handed.settled else None
            confirmed = False
        # Confirming oneself counts for nothing, even where an entry says so.
        elif entry.kind == "passkey.confirmed" and _may_confirm(entries, entry):
            confirmed = found is not None
        elif entry.kind == "passkey.revoked":
            found, confirmed = None, False
    return found if confirmed else None


def _may_confirm(entries: Sequence[Entry], entry: Entry) -> bool:
    """Whether who confirmed is neither the owner nor who approved the owner's login last."""
    handed = handover_in(entries, entry.seq)
    own = entry.actor == entry.subject.removeprefix("staff:")
    return not own and (handed is None or entry.actor != handed.approved_by)


class Passkeys:
    """Registration, confirmation and withdrawal of keys, and the question put to a device."""

    def __init__(self, ledger: Ledger, cache: Cache) -> None:
        """`cache` holds the open registrations for some minutes."""
        self.ledger = ledger
        self._cache = cache

    async def begin(self, staff_id: str, place: Place) -> dict[str, Any]:
        """Options for navigator.credentials.create."""
        if place.fault:
            raise Refused(422, [place.fault])
        async with self.ledger.db.session() as session:
            person = await session.get(Staff, staff_id)
            held = [row for row in await keys_of(session, staff_id) if row.revoked_at is None]
            if (await standing_of(session, staff_id)).waiting:
                raise Refused(403, [WAITING])
        if person is None:
            raise Refused(403, [Reason("staff", "账号已停用，请联系管理员")])
        # A bound: each key is one more thing that can be stolen, and the form lists them all.
        if len(held) >= _MOST:
            raise Refused(409, [Reason("passkeys", f"最多登记 {_MOST} 个，请先停用不用的")])
        options = generate_registration_options(
            rp_id=place.rp_id,
            rp_name="审发",
            user_id=staff_id.encode(),
            user_name=person.login,
            user_display_name=person.name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            # The same device is not registered twice: the browser says so itself.
            exclude_credentials=[_descriptor(row.credential) for row in held],
        )
        challenge = bytes_to_base64url(options.challenge)
        await self._cache.set(f"passkey:{staff_id}", challenge, _WAIT)
        return options_to_json_dict(options)

    async def finish(
        self, staff_id: str, place: Place, credential: Mapping[str, Any], label: str
    ) -> Passkey:
        """Record the new key. It counts only after `confirm` by somebody else."""
        challenge = await self._cache.get(f"passkey:{staff_id}")
        if challenge is None:
            raise Refused(409, [Reason("passkey", "登记超过了五分钟，请重新开始")])
        # Once only, and before it is checked: an answer cannot be tried against the same question
        # twice.
        await self._cache.delete(f"passkey:{staff_id}")
        try:
            made = verify_registration_response(
                credential=dict(credential),
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=place.rp_id,
                expected_origin=place.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise Refused(
                422, [Reason("passkey", "设备的答复核对不上，没有登记：请重新登记一次")]
            ) from error
        row = Passkey(
            id=new_id(),
            staff_id=staff_id,
            credential=bytes_to_base64url(made.credential_id),
            public_key=bytes_to_base64url(made.credential_public_key),
            rp_id=place.rp_id,
            origin=place.origin,
            label=label.strip()[:60] or "通行密钥",
            sign_count=made.sign_count,
            created_at=now(),
        )
        async with self.ledger.transaction() as tx:
            tx.session.add(row)
            body = {
                name: getattr(row, name) for name in ("credential", "public_key", "rp_id", "origin")
            }
            await tx.append(
                "passkey.registered", subject=f"staff:{staff_id}", actor=staff_id, body=body
            )
        return row

    async def confirm(self, passkey_id: str, admin_id: str) -> Passkey:
        """Somebody else confirms that the key is the owner's (see staff.handover)."""
        async with self.ledger.transaction() as tx:
            row = await _row(tx.session, passkey_id)
            # A stolen password alone must not be able to bring its own key into force.
            if row.staff_id == admin_id:
                raise Refused(403, [Reason("own", "自己的通行密钥要由另一位管理员确认")])
            # Nor somebody who made the login with which the key was registered.
            if faults := await witness_faults(tx.session, row.staff_id, admin_id):
                raise Refused(403, faults)
            if row.revoked_at is not None or row.confirmed_at is not None:
                raise Refused(409, [Reason("state", "这个通行密钥已经确认过或已停用")])
            row.confirmed_by, row.confirmed_at = admin_id, now()
            await tx.append(
                "passkey.confirmed",
                subject=f"staff:{row.staff_id}",
                actor=admin_id,
                body={"credential": row.credential},
            )
        return row

    async def revoke(self, passkey_id: str, staff_id: str) -> Passkey:
        """The owner or an admin stops a key at once; what it signed before stays valid."""
        async with self.ledger.transaction() as tx:
            row = await _row(tx.session, passkey_id)
            person = await read_person(tx.session, staff_id)
            if row.staff_id != staff_id and "admin" not in person.roles:
                raise Refused(403, [Reason("role", "只有本人或管理员能停用通行密钥")])
            # Revoking twice is the wish of two people and no error.
            if row.revoked_at is not None:
                return row
            row.revoked_at = now()
            await tx.append(
                "passkey.revoked",
                subject=f"staff:{row.staff_id}",
                actor=staff_id,
                body={"credential": row.credential},
            )
        return row

    async def ask(self, statement: Statement, place: Place) -> dict[str, Any]:
        """Options for navigator.credentials.get over exactly this statement."""
        if place.fault:
            raise Refused(422, [place.fault])
        async with self.ledger.db.session() as session:
            rows = await keys_of(session, statement.staff)
        usable = [row for row in rows if row.revoked_at is None and row.confirmed_at is not None]
        # A browser uses a key only at the address it was made for.
        here = [row for row in usable if row.origin == place.origin]
        if not here:
            raise Refused(409, [_missing(rows, usable)])
        return challenge_options(statement.challenge, place, [row.credential for row in here])


def _missing(rows: Sequence[Passkey], usable: Sequence[Passkey]) -> Reason:
    if usable:
        return Reason("passkey", f"您的通行密钥是在 {usable[0].origin} 登记的，请从那个网址打开")
    if any(row.revoked_at is None for row in rows):
        return Reason("passkey", "您的通行密钥还在等另一位管理员确认")
    return Reason("passkey", "这一级要用通行密钥签名：请先在“我的登录”里登记")


async def keys_of(session: AsyncSession, staff_id: str) -> Sequence[Passkey]:
    """A person's keys, oldest first."""
    query = select(Passkey).where(Passkey.staff_id == staff_id).order_by(Passkey.created_at)
    return (await session.scalars(query)).all()


async def waiting_keys(session: AsyncSession) -> Sequence[Passkey]:
    """Keys nobody has confirmed yet, oldest first."""
    query = select(Passkey).where(Passkey.confirmed_at.is_(None), Passkey.revoked_at.is_(None))
    return (await session.scalars(query.order_by(Passkey.created_at))).all()


async def _row(session: AsyncSession, passkey_id: str) -> Passkey:
    row = await session.get(Passkey, passkey_id)
    if row is None:
        raise Refused(404, [Reason("passkey", "没有这个通行密钥")])
    return row


def _descriptor(credential: str) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(credential))


def read_credential(text: str) -> Mapping[str, Any]:
    """A browser's credential as JSON text; Refused (422) when it is none."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Refused(422, [Reason("passkey", "没有收到设备的签名，请重新确认一次")]) from error
    if not isinstance(found, dict):
        raise Refused(422, [Reason("passkey", "没有收到设备的签名，请重新确认一次")])
    return found
