"""Verify an exported ledger with nothing but the file and the public key. Pure; no database.

An export is UTF-8 JSON lines: entries `{"preimage", "hash", "signature"}` in order, anchors
`{"anchor": {"seq", "hash", "signature"}}`, and one head `{"head": {"seq", "hash", "signature"}}`.
`hash` is SHA-256 of the exact preimage text; the preimage carries `prev`, the hash before it.
Signatures are Ed25519, hex: over the entry's hash text, over `anchor:<seq>:<hash>`, and over
`head:<seq>:<hash>`.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS = "0" * 64
UNSIGNED_KINDS = frozenset({"item.claimed", "item.unclaimed", "gates.run", "signin"})
"""Entries that carry no authority; every other kind must be signed."""


@dataclass(frozen=True)
class Entry:
    """One link as stored; `body` and the rest are read from the preimage only."""

    seq: int
    kind: str
    subject: str
    actor: str
    at: str
    body: dict[str, Any]
    prev: str
    hash: str
    signed: bool


@dataclass(frozen=True)
class Verdict:
    """The outcome: `first_bad` is the sequence number where trust ends, `problem` says why."""

    ok: bool
    entries: int
    signed: int
    head: str
    first_bad: int | None = None
    problem: str = ""


class Broken(ValueError):
    """The chain breaks at `seq`."""

    def __init__(self, seq: int, problem: str) -> None:
        """Name the first bad entry."""
        super().__init__(f"台账第 {seq} 条：{problem}")
        self.seq = seq
        self.problem = problem


def check_entry(
    row: tuple[str, str, str | None], seq: int, prev: str, key: Ed25519PublicKey
) -> Entry:
    """Check one `(preimage, hash, signature)` as number `seq` after hash `prev`; raise Broken."""
    preimage, digest, signature = row
    if hashlib.sha256(preimage.encode()).hexdigest() != digest:
        raise Broken(seq, "内容与摘要不符，已被改动")
    fields = json.loads(preimage)
    if fields["seq"] != seq:
        raise Broken(seq, f"序号应为 {seq}，实为 {fields['seq']}：有删除、插入或换序")
    if fields["prev"] != prev:
        raise Broken(seq, "与前一条不相连：有删除、插入或换序")
    if signature is None and fields["kind"] not in UNSIGNED_KINDS:
        raise Broken(seq, f"{fields['kind']} 必须签名而没有签名")
    if signature is not None and not signature_holds(key, signature, digest):
        raise Broken(seq, "签名不符")
    return Entry(
        seq=seq,
        kind=fields["kind"],
        subject=fields["subject"],
        actor=fields["actor"],
        at=fields["at"],
        body=fields["body"],
        prev=prev,
        hash=digest,
        signed=signature is not None,
    )


def signature_holds(key: Ed25519PublicKey, signature: str, message: str) -> bool:
    """Whether `signature` (hex) is the key's over the text `message`."""
    try:
        key.verify(bytes.fromhex(signature), message.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def verify_export(
    lines: Iterable[str], key: Ed25519PublicKey, anchors: Iterable[str] = ()
) -> Verdict:
    """Read an export and, if given, the anchor file's lines; name the first bad entry."""
    seq, signed, prev = 0, 0, GENESIS
    hashes: dict[int, str] = {}
    marks: list[tuple[str, dict[str, Any]]] = [("anchor", json.loads(a)) for a in anchors]
    try:
        for line in lines:
            record = json.loads(line)
            if "preimage" not in record:
                marks.extend((name, mark) for name, mark in record.items())
                continue
            row = (record["preimage"], record["hash"], record["signature"])
            entry = check_entry(row, seq + 1, prev, key)
            seq, prev, signed = seq + 1, entry.hash, signed + entry.signed
            hashes[seq] = prev
        _check_marks(marks, hashes, seq, key)
    except Broken as broken:
        return Verdict(
            ok=False,
            entries=seq,
            signed=signed,
            head=prev,
            first_bad=broken.seq,
            problem=broken.problem,
        )
    except (KeyError, TypeError, ValueError):
        return Verdict(
            ok=False,
            entries=seq,
            signed=signed,
            head=prev,
            first_bad=seq + 1,
            problem="这一行不是台账条目，文件已损坏",
        )
    return Verdict(ok=True, entries=seq, signed=signed, head=prev)


def _check_marks(
    marks: list[tuple[str, dict[str, Any]]],
    hashes: dict[int, str],
    last: int,
    key: Ed25519PublicKey,
) -> None:
    """Anchors and the head must sign what the chain holds; a cut tail leaves one without entry."""
    if not any(name == "head" for name, _ in marks):
        raise Broken(last + 1, "没有签名的结尾，末尾可能被截去")
    for name, mark in sorted(marks, key=lambda pair: int(pair[1]["seq"])):
        number, digest = int(mark["seq"]), str(mark["hash"])
        if not signature_holds(key, str(mark["signature"]), f"{name}:{number}:{digest}"):
            raise Broken(number, "锚点或结尾的签名不符")
        if number > last:
            raise Broken(last + 1, f"末尾被截去：锚点已记到第 {number} 条")
        if hashes.get(number, GENESIS) != digest:
            raise Broken(number, "与锚点记录的摘要不同")
        if name == "head" and number != last:
            raise Broken(number + 1, "结尾之后还有条目")
