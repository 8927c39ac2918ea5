"""What is signed of an account: an account is used as its newest entry describes it, or not at all.

The row's seal proves that this program wrote it; the entry proves that it is the newest, so that
an older row, once true and sealed, cannot be put back.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.models import Account
from facets.remit import ABOVE, LABELS
from ledger.append import Transaction
from ledger.verify import Entry

SET = "account.set"


def account_digest(row: Account) -> str:
    """Over every field, the secrets as they are encrypted: a random nonce keeps them guessed by
    nobody.
    """
    said = json.dumps([*row.values(), row.owner], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def secrets_digest(row: Account) -> str:
    """Of the secrets as they are encrypted: another one means that they were set anew."""
    return hashlib.sha256(row.secrets.encode()).hexdigest()


async def sign_account(
    tx: Transaction, row: Account, actor: str, said: Mapping[str, Any] | None = None
) -> None:
    """Sign the account as it stands; `said` names the proposal that asked for it."""
    body = {
        "account": row.id,
        "slug": row.slug,
        "platform": row.platform,
        "name": row.name,
        "enabled": row.enabled,
        "digest": account_digest(row),
        "secrets": secrets_digest(row),
        # In clear: a report finds here what the account was for.
        **{name: row.settings[name] for name in (*LABELS, ABOVE) if row.settings.get(name)},
    }
    await tx.append(SET, subject=f"account:{row.id}", actor=actor, body={**body, **(said or {})})


def newest_of(told: Sequence[Entry]) -> Entry | None:
    """The entry an account is used by, from the signed entries about it; None without one."""
    return next((entry for entry in reversed(told) if entry.kind == SET), None)
