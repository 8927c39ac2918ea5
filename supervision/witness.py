"""A second body that cosigns how far a ledger has come, only when it extends what it saw. Pure.

It holds a key of its own and what it signed last. An older backup that goes on, or a second ledger
shown to somebody else, does not extend that, and is refused: a signature of the office alone does
not help (goals, row 83). A cosignature is Ed25519 over `cosign:<office key>:<seq>:<hash>`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.verify import Entry, signature_holds, verify_export


class NotExtended(ValueError):
    """The ledger is whole and is not the one that was cosigned before."""


@dataclass(frozen=True)
class Cosigned:
    """How far the ledger of an office had come when a witness saw it."""

    office: str
    seq: int
    hash: str
    witness: str
    signature: str

    @property
    def said(self) -> str:
        """What is signed."""
        return said_of(self.office, self.seq, self.hash)


def said_of(office: str, seq: int, digest: str) -> str:
    """The text a witness signs."""
    return f"cosign:{office}:{seq}:{digest}"


def hex_of(key: Ed25519PublicKey) -> str:
    """A public key as 64 hex digits."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def cosign(
    lines: Iterable[str],
    office: Ed25519PublicKey,
    own: Ed25519PrivateKey,
    last: Cosigned | None = None,
) -> Cosigned:
    """Sign the head of an export. ValueError for one that is broken, NotExtended for another one.

    `last` is what this witness signed before; its own signature must hold, or it is not believed.
    """
    seen: dict[int, str] = {}
    wanted = last.seq if last else 0

    def take(entry: Entry) -> None:
        if entry.seq == wanted:
            seen[entry.seq] = entry.hash

    verdict = verify_export(lines, office, (), take)
    if not verdict.ok:
        raise ValueError(f"台账在第 {verdict.first_bad} 条断开：{verdict.problem}")
    if last is not None:
        _must_extend(last, seen, hex_of(office), hex_of(own.public_key()))
    name, digest = hex_of(office), verdict.head
    signature = own.sign(said_of(name, verdict.entries, digest).encode()).hex()
    return Cosigned(name, verdict.entries, digest, hex_of(own.public_key()), signature)


def _must_extend(last: Cosigned, seen: Mapping[int, str], office: str, witness: str) -> None:
    if (last.office, last.witness) != (office, witness) or not holds(last):
        raise NotExtended("上次见证的记录不是这个单位、这把钥匙的，或已被改动：请核对文件")
    found = seen.get(last.seq)
    if found is None:
        words = f"上次已见证到第 {last.seq} 条，现在不到这一条：末尾被截去，或从旧备份恢复过"
        raise NotExtended(words)
    if found != last.hash:
        words = f"第 {last.seq} 条与上次见证的不同：从旧备份恢复后又写下去，或给人看的是另一本台账"
        raise NotExtended(words)


def holds(one: Cosigned) -> bool:
    """Whether the witness really signed this."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(one.witness))
    except ValueError:
        return False
    return signature_holds(key, one.signature, one.said)


def forked(one: Cosigned, other: Cosigned) -> bool:
    """Whether two cosignatures say different things of one place: somebody was shown a fork."""
    same = (one.office, one.seq) == (other.office, other.seq)
    return same and one.hash != other.hash
