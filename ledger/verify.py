"""Verify an exported ledger with nothing but the file and the public key. Pure; no database.

An export is UTF-8 JSON lines: entry n on line n, `{"preimage", "hash", "signature"}`; then anchors
`{"anchor": {"seq", "hash", "signature"}}`; last one head `{"head": {"seq", "hash", "signature"}}`.
`preimage` is RFC 8785 JSON of exactly the FIELDS below; `hash` is its SHA-256 and `prev` the hash
before it. Signatures are Ed25519, lower-case hex: over the entry's hash text, over
`anchor:<seq>:<hash>`, and over `head:<seq>:<hash>`. docs/ledger.md says what this proves.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS = "0" * 64
UNSIGNED_KINDS = frozenset({"item.claimed", "item.unclaimed", "gates.run", "signin"})
"""Entries that carry no authority; every other kind must be signed."""
CHECKPOINT_EVERY = 1000
"""An entry whose number divides by this is signed, whatever its kind."""
RESTORED = "ledger.restored"
"""The signed word of an operator that a backup was restored: `lost` names the anchors it lacks."""
FIELDS = {
    "v": int,
    "seq": int,
    "at": str,
    "kind": str,
    "subject": str,
    "actor": str,
    "body": dict,
    "prev": str,
}


def _number(text: str) -> float:
    """A number with a fraction, spelled as RFC 8785 spells it (and never NaN or Infinity)."""
    value = float(text)
    if rfc8785.dumps(value).decode() != text:
        raise ValueError("not a canonical number")
    return value


_decode = json.JSONDecoder(parse_float=_number, parse_constant=_number).decode
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class Entry:
    """One link as stored; everything but hash and signature is read from the preimage only."""

    seq: int
    kind: str
    subject: str
    actor: str
    at: str
    body: dict[str, Any]
    prev: str
    hash: str
    signature: str | None


@dataclass(frozen=True)
class Gap:
    """Entry `entry` declares that a backup was restored, and `first` to `last` were lost by it.

    `last` is `first` - 1 when no anchor was known beyond the backup.
    """

    entry: int
    first: int
    last: int


@dataclass(frozen=True)
class Verdict:
    """The outcome: `first_bad` is the sequence number where trust ends, `problem` says why.

    `tail` entries after the last signed one are held by the head's signature alone.
    """

    ok: bool
    entries: int
    signed: int
    head: str
    tail: int = 0
    gaps: list[Gap] = field(default_factory=list)
    first_bad: int | None = None
    problem: str = ""


class Broken(ValueError):
    """The chain breaks at `seq`."""

    def __init__(self, seq: int, problem: str) -> None:
        """Name the first bad entry."""
        super().__init__(f"台账第 {seq} 条：{problem}")
        self.seq = seq
        self.problem = problem


class Row(NamedTuple):
    """An entry as it is stored: what was hashed, its hash, and the signature if it has one."""

    preimage: str
    hash: str
    signature: str | None
    beside: tuple[Any, ...] | None = None
    """The columns kept beside it for lists; an export has none (see ledger.stored)."""


def check_entry(row: Row, seq: int, prev: str, key: Ed25519PublicKey) -> Entry:
    """Check one row as number `seq` after hash `prev`; raise Broken."""
    preimage, digest, signature = row[:3]
    fields = _read_preimage(preimage, digest, seq)
    kind = fields["kind"]
    # The number in the signed text must be its place: a missing entry cannot be closed up.
    if fields["seq"] != seq:
        raise Broken(seq, f"序号应为 {seq}，实为 {fields['seq']}：有删除、插入或换序")
    if fields["prev"] != prev:
        raise Broken(seq, "与前一条不相连：有删除、插入或换序")
    if signature is None:
        # The list is fixed here: an attacker cannot declare a decision to need no signature.
        if kind not in UNSIGNED_KINDS:
            raise Broken(seq, f"{kind} 必须签名而没有签名")
        if seq % CHECKPOINT_EVERY == 0:
            raise Broken(seq, f"每 {CHECKPOINT_EVERY} 条必须有签名，这一条没有")
    elif not signature_holds(key, signature, digest):
        raise Broken(seq, "签名不符")
    return Entry(
        seq,
        kind,
        fields["subject"],
        fields["actor"],
        fields["at"],
        fields["body"],
        prev,
        digest,
        signature,
    )


def _read_preimage(preimage: str, digest: str, seq: int) -> dict[str, Any]:
    """The fields of a preimage that has one reading only, and is what was hashed."""
    try:
        if hashlib.sha256(preimage.encode()).hexdigest() != digest:
            raise Broken(seq, "内容与摘要不符，已被改动")
        fields = _decode(preimage)
        if {name: type(value) for name, value in fields.items()} != FIELDS or fields["v"] != 1:
            raise Broken(seq, "不是台账条目的规定字段")
        # Equal to its canonical form: no key twice, no other order, spacing or spelling.
        if _encode(fields) != preimage and rfc8785.dumps(fields).decode() != preimage:
            raise Broken(seq, "不是规范写法：有重复的键，或顺序、空格、写法不同")
    except Broken:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Broken(seq, "不是台账条目，已损坏") from error
    return dict(fields)


def signature_holds(key: Ed25519PublicKey, signature: str, message: str) -> bool:
    """Whether `signature` (128 lower-case hex digits) is the key's over the text `message`."""
    try:
        raw = bytes.fromhex(signature)
        key.verify(raw, message.encode())
    except (InvalidSignature, ValueError, TypeError):
        return False
    # Upper case or spaces would let the same proof be written in many ways.
    return raw.hex() == signature


Taking = Callable[[Entry], object]


def _nothing(_entry: Entry) -> None:
    return None


class Audit:
    """Reads a chain once, entry by entry, then its marks. Keeps 32 bytes an entry, no more."""

    def __init__(self, key: Ed25519PublicKey, taking: Taking = _nothing) -> None:
        """At the beginning of the chain; `taking` is given each entry that holds."""
        self.key = key
        self._taking = taking
        self.seq, self.prev = 0, GENESIS
        self.signed = self.last_signed = 0
        self.gaps: list[Gap] = []
        self._hashes = bytearray()
        self._declared: set[tuple[int, str]] = set()

    def entry(self, row: Row) -> Entry:
        """The next entry; Broken, and nothing changed, when it is not one."""
        try:
            found = check_entry(row, self.seq + 1, self.prev, self.key)
        except Broken as broken:
            # The first signature of all: most often the wrong public key was given, and the words
            # say so.
            if broken.problem == "签名不符" and self.signed == 0:
                words = "签名不符：公钥不是这本台账的，或者这一条是伪造的"
                raise Broken(broken.seq, words) from broken
            raise
        self.seq, self.prev = found.seq, found.hash
        # 32 bytes an entry: a chain of ten million still fits where an auditor looks at it.
        self._hashes += bytes.fromhex(found.hash)
        if found.signature is not None:
            self.signed, self.last_signed = self.signed + 1, found.seq
        if found.kind == RESTORED:
            self._restored(found)
        self._taking(found)
        return found

    def _restored(self, found: Entry) -> None:
        lost = {(int(number), str(digest)) for number, digest in found.body["lost"]}
        self._declared |= lost
        self.gaps.append(Gap(found.seq, int(found.body["from"]), int(found.body["to"])))

    def hash_at(self, seq: int) -> str | None:
        """The hash of an entry already read."""
        if not 0 < seq <= self.seq:
            return None
        return self._hashes[32 * (seq - 1) : 32 * seq].hex()

    def anchor(self, mark: Mapping[str, Any]) -> None:
        """One anchor, after all entries: the chain holds it, or declared it lost; else Broken.

        An anchor that repeats the chain needs no proof; one that contradicts it must be ours.
        """
        number, digest = int(mark["seq"]), str(mark["hash"])
        if self.hash_at(number) == digest:
            return
        if not signature_holds(self.key, str(mark["signature"]), f"anchor:{number}:{digest}"):
            raise Broken(number, "锚点的签名不符，锚点是伪造的或属于别的台账")
        # A restore was declared and signed for exactly this anchor.
        if (number, digest) in self._declared:
            return
        if number > self.seq:
            raise Broken(self.seq + 1, f"末尾被截去：锚点已记到第 {number} 条")
        raise Broken(number, "与锚点记录的摘要不同")

    def head(self, mark: Mapping[str, Any]) -> None:
        """The signed end of an export: it must sign the very last entry."""
        number, digest = int(mark["seq"]), str(mark["hash"])
        if not signature_holds(self.key, str(mark["signature"]), f"head:{number}:{digest}"):
            raise Broken(self.seq + 1, "结尾的签名不符，结尾是伪造的")
        if number > self.seq:
            raise Broken(self.seq + 1, f"末尾被截去：结尾签的是第 {number} 条")
        # Entries after the signed end were added by somebody without the key.
        if number < self.seq:
            raise Broken(number + 1, "签名的结尾之后又添了条目")
        if digest != self.prev:
            raise Broken(number, "与结尾签名的摘要不同")

    def verdict(self, broken: Broken | None = None) -> Verdict:
        """What was found so far."""
        return Verdict(
            ok=broken is None,
            entries=self.seq,
            signed=self.signed,
            head=self.prev,
            tail=self.seq - self.last_signed,
            gaps=self.gaps,
            first_bad=broken.seq if broken else None,
            problem=broken.problem if broken else "",
        )


def verify_export(
    lines: Iterable[str],
    key: Ed25519PublicKey,
    anchors: Iterable[str] = (),
    taking: Taking = _nothing,
) -> Verdict:
    """Read an export and, if given, lines of anchor files; name the first bad entry.

    `taking` is given every entry that holds, in order.
    """
    audit = Audit(key, taking)
    try:
        _read_export(lines, audit)
        for line in anchors:
            if (mark := read_anchor(line)) is not None:
                audit.anchor(mark)
    except Broken as broken:
        return audit.verdict(broken)
    return audit.verdict()


_ORDER = ("preimage", "anchor", "head")


def _read_export(lines: Iterable[str], audit: Audit) -> None:
    """Entries, then anchors, then exactly one head, then nothing."""
    stage = 0
    for line in lines:
        if not line.strip():
            continue
        try:
            name, record = _record(line)
            # One order and one end: appended lines cannot pass as part of the export.
            if stage == 2 or _ORDER.index(name) < stage:
                raise Broken(audit.seq + 1, "签名的结尾之后又添了内容，或行的次序不对")
            stage = _ORDER.index(name)
            if name == "preimage":
                audit.entry(Row(record["preimage"], record["hash"], record["signature"]))
            elif name == "anchor":
                audit.anchor(record["anchor"])
            else:
                audit.head(record["head"])
        except Broken:
            raise
        # A damaged file is reported with its line and never as a crash of the tool.
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise Broken(audit.seq + 1, "这一行不是台账条目，文件已损坏") from error
    if stage != 2:
        raise Broken(audit.seq + 1, "没有签名的结尾，末尾可能被截去")


def _record(line: str) -> tuple[str, dict[str, Any]]:
    """What a line is and what it holds; ValueError unless it has exactly the keys of one form."""
    # As pairs, so that a key written twice is seen: readers disagree about which one counts.
    pairs = json.loads(line, object_pairs_hook=list)
    record = {name: dict(value) if isinstance(value, list) else value for name, value in pairs}
    for name, keys in (("preimage", 3), ("anchor", 1), ("head", 1)):
        if name in record and len(pairs) == len(record) == keys:
            return name, record
    raise ValueError("unknown line")


def read_anchor(line: str) -> dict[str, Any] | None:
    """One line of an anchor file; None when it is blank or was torn while being written."""
    try:
        mark = json.loads(line)
        return {"seq": int(mark["seq"]), "hash": mark["hash"], "signature": mark["signature"]}
    except (ValueError, KeyError, TypeError):
        return None
