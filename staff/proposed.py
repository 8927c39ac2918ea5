"""What a signed entry keeps of a proposal, and whether a row still says the same.

Digests only: the words stay in the table, so that they can be erased.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import rfc8785

from ledger.verify import Entry
from staff.models import Proposal

_DECIDED = {"proposal.approved", "proposal.rejected", "proposal.withdrawn"}


def seal(data: Any) -> tuple[str, str]:
    """The canonical text (RFC 8785) of some JSON data, and its SHA-256."""
    raw = rfc8785.dumps(data)
    return raw.decode(), hashlib.sha256(raw).hexdigest()


def digest_of(text: str) -> str:
    """SHA-256 of a stored canonical text."""
    return hashlib.sha256(text.encode()).hexdigest()


def words_digest(salt: str, text: str) -> str:
    """What a signed entry keeps of a free text: a salted digest."""
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()


def differences(row: Proposal, entries: Sequence[Entry]) -> str:
    """Where a waiting row says something else than its signed entries; empty when it agrees."""
    made = [entry for entry in entries if entry.kind == "proposal.made"]
    # None was made outside this program, two mean that somebody wrote entries of their own.
    if len(made) != 1:
        return "没有签名的提出记录"
    if any(entry.kind in _DECIDED for entry in entries):
        return "台账中已有处理结果"
    signed = made[0]
    if signed.actor != row.proposed_by:
        return "提出人与台账不符"
    if signed.body["digest"] != row.digest or digest_of(row.payload) != row.digest:
        return "内容与提出时签名的摘要不符"
    if (signed.body["kind"], signed.body["about"]) != (row.kind, row.subject):
        return "变更种类与台账不符"
    if signed.body["reason"] != words_digest(row.salt, row.reason):
        return "理由与台账不符"
    # What an approver reads is the effect; entries of earlier versions do not speak of it.
    if signed.body.get("effect", effect_digest(row)) != effect_digest(row):
        return "显示的变更内容与提出时签名的摘要不符"
    return ""


def effect_digest(row: Proposal) -> str:
    """What a signed entry keeps of the effect, as its column gives it back."""
    return seal(json.loads(json.dumps(row.effect)))[1]
