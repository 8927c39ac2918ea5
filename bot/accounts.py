"""Accounts: created with checked addresses and encrypted secrets, opened for the channels."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.account_entries import account_digest, newest_of, sign_account
from bot.channels import CHANNELS
from bot.contract import AccountView
from bot.http import check_api_base
from bot.models import Account
from config.clock import now
from ledger.append import Transaction, signed_facts
from ledger.verify import Broken, Entry
from storage.crypt import DataKey, place_of
from storage.database import Database, new_id

_FRESH = 1.0  # seconds an account is believed for what citizens send to it
_NOT_AS_SIGNED = "账号记录与签名的登记不符，被绕过本系统改动，已停止使用：请查明后重新提出账号变更"


@dataclass(frozen=True)
class NewAccount:
    """What a person types to register an account; `secrets` as its channel names them."""

    slug: str
    organisation_id: str
    platform: str
    name: str
    api_base: str
    secrets: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    owner: str = ""
    assessment_ref: str = ""
    enabled: bool = True


async def _nobody_told(table: str, row_id: str) -> object:
    return None


class Accounts:
    """Creates accounts and opens their secrets. Nothing decrypted is kept in the database."""

    def __init__(
        self,
        db: Database,
        crypt: DataKey,
        allowed_private: frozenset[str] = frozenset(),
        *,
        on_changed: Callable[[str, str], Awaitable[object]] = _nobody_told,
    ) -> None:
        """`allowed_private`: the `host:port` pairs development may reach.

        `on_changed(table, row)` is told of a row that somebody wrote past this program.
        """
        self._changed = on_changed
        self._db = db
        self._crypt = crypt
        self._allowed = allowed_private

    def check(self, new: NewAccount) -> None:
        """ValueError in Chinese names the first fault and its remedy."""
        for _, words in account_faults(new, self._allowed):
            raise ValueError(words)

    def encrypted(self, account_id: str, secrets: Mapping[str, str]) -> str:
        """The secrets as the database keeps them, bound to this account."""
        place = place_of("account", account_id, "secrets")
        return self._crypt.encrypt(json.dumps(dict(secrets)), place)

    def opened(self, account_id: str, secrets: str) -> dict[str, str]:
        """The secrets behind what `encrypted` gave; ValueError when it is not this account's."""
        found: dict[str, str] = json.loads(
            self._crypt.decrypt(secrets, place_of("account", account_id, "secrets"))
        )
        return found

    async def create(self, tx: Transaction, new: NewAccount, actor: str) -> Account:
        """Add the row and sign it; ValueError in Chinese names the field and the remedy."""
        self.check(new)
        account_id = new_id()
        row = Account(
            id=account_id,
            slug=new.slug,
            organisation_id=new.organisation_id,
            platform=new.platform,
            name=new.name,
            api_base=new.api_base.rstrip("/"),
            secrets=self.encrypted(account_id, new.secrets),
            settings=dict(new.settings),
            enabled=new.enabled,
            owner=new.owner,
            assessment_ref=new.assessment_ref,
            created_at=now(),
        )
        tx.session.add(row)
        await tx.session.flush()
        await sign_account(tx, row, actor)
        return row

    def view(self, row: Account) -> AccountView:
        """The account with its secrets opened; ValueError when it may not be used."""
        if not row.whole:
            raise ValueError(_NOT_AS_SIGNED)
        # Checked again and not only when made: whoever can write the table could send our secrets
        # to a host of their own.
        check_api_base(row.api_base, self._allowed)
        return AccountView(
            id=row.id,
            platform=row.platform,
            name=row.name,
            api_base=row.api_base,
            secrets=self.opened(row.id, row.secrets),
            settings=row.settings,
        )

    async def open(self, account_id: str, *, age: float = 0.0) -> AccountView:
        """The enabled account as it was signed last; LookupError or ValueError otherwise.

        With `age`, entries read so many seconds ago are good enough (what a citizen sets off).
        """
        async with self._db.session() as session:
            row = await session.get(Account, account_id)
            if row is None:
                raise LookupError("没有这个账号")
            signed = await _newest(session, account_id, age)
        if not row.whole or signed is None or signed.body["digest"] != account_digest(row):
            await self._changed("account", row.id)
            raise ValueError(_NOT_AS_SIGNED)
        if not row.enabled:
            raise LookupError(f"账号 {row.name} 已停用")
        # The reference may have been taken away since the account was switched on.
        _check_assessment(row.platform, row.assessment_ref, enabled=True)
        return self.view(row)

    async def by_slug(self, slug: str) -> AccountView:
        """The enabled account behind a callback address; LookupError otherwise."""
        async with self._db.session() as session:
            query = select(Account.id).where(Account.slug == slug)
            account_id = (await session.scalars(query)).first()
        if account_id is None:
            raise LookupError("没有这个账号")
        return await self.open(account_id, age=_FRESH)


def account_faults(
    new: NewAccount, allowed_private: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Each field of a new account that cannot be used, and why with the remedy, in Chinese."""
    channel = CHANNELS.get(new.platform)
    if channel is None:
        yield "platform", f"平台 platform 只能是 {'、'.join(CHANNELS)}"
        return
    if missing := [name for name in channel.secrets if not new.secrets.get(name)]:
        yield "secrets", f"账号 {new.slug} 缺少密钥字段：{'、'.join(missing)}，请补上"
    elif problem := channel.secret_problem(new.secrets):
        yield "secrets", problem
    for field_name, look in (
        ("api_base", lambda: check_api_base(new.api_base, allowed_private)),
        (
            "assessment_ref",
            lambda: _check_assessment(new.platform, new.assessment_ref, enabled=new.enabled),
        ),
    ):
        try:
            look()
        except ValueError as error:
            yield field_name, str(error)


async def _newest(session: AsyncSession, account_id: str, age: float) -> Entry | None:
    subject = f"account:{account_id}"
    try:
        return newest_of((await signed_facts(session, [subject], age=age))[subject])
    except Broken as broken:
        raise LookupError(f"台账核验不通过，账号暂停使用：{broken}") from broken


def _check_assessment(platform: str, reference: str, *, enabled: bool) -> None:
    channel = CHANNELS.get(platform)
    if channel is not None and channel.overseas and enabled and not reference.strip():
        raise ValueError(f"启用 {channel.label} 账号须先填写数据出境安全评估编号 assessment_ref")
