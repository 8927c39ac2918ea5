"""Declaring that a backup was restored: which anchored entries it lacks, in one signed entry."""

from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.anchors import Mark
from ledger.append import Ledger
from ledger.verify import RESTORED, Audit, Gap, signature_holds


async def declare_restored(ledger: Ledger, marks: Iterable[Mark]) -> tuple[Gap, int]:
    """After a backup was restored: sign which anchored entries it lacks, in one entry.

    `marks` are all anchors known from elsewhere. Later verification names the gap instead of
    a break, for exactly the lost ones and no others. Returns the gap and how many anchors it
    holds; raises Broken when what was restored is not whole.
    """
    audit = Audit(ledger.public_key)
    await ledger.read_all(audit)
    lost: set[tuple[int, str]] = set()
    for mark in marks:
        # Only anchors with our own signature count as lost: anybody could write others to the
        # file.
        if mark["seq"] > audit.seq and _signed_by(ledger.public_key, mark):
            lost.add((mark["seq"], mark["hash"]))
        else:
            audit.anchor(mark)
    last = max(lost, default=(audit.seq, audit.prev))
    body = {
        "from": audit.seq + 1,
        "to": last[0],
        "hash": last[1],
        "lost": [list(one) for one in sorted(lost)],
    }
    async with ledger.transaction() as tx:
        seq = await tx.append(RESTORED, subject="ledger", actor="system", body=body)
    return Gap(seq, audit.seq + 1, last[0]), len(lost)


def _signed_by(key: Ed25519PublicKey, mark: Mark) -> bool:
    message = f"anchor:{mark['seq']}:{mark['hash']}"
    return signature_holds(key, mark["signature"], message)
