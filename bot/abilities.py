"""What a platform lets each account do: found by calls that change nothing, and kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from bot.accounts import Accounts
from bot.models import Account, AccountAbility
from bot.probing import Ability, Probing
from config.clock import beijing, now
from storage.database import Database

NOT_LOOKED = "还没有查过这个账号能用哪些接口：请运行 shenfa account probe"


@dataclass(frozen=True)
class Looked:
    """What one account may do, and in words."""

    account_id: str
    slug: str
    name: str
    abilities: Sequence[Ability]
    at: str = ""

    @property
    def missing(self) -> list[Ability]:
        """What it needs and may not do."""
        return [one for one in self.abilities if one.needed and one.able is False]

    @property
    def words(self) -> str:
        """One line for a person."""
        able = "、".join(one.label for one in self.abilities if one.able)
        parts = [f"可用：{able}"] if able else []
        for title, answer in (("不可用", False), ("不能确定", None)):
            found = [one for one in self.abilities if one.able is answer]
            if found:
                told = "；".join(f"{one.label}（{one.words}）" for one in found)
                parts.append(f"{title}：{told}")
        return "。".join(parts) if parts else NOT_LOOKED


async def look(
    db: Database, accounts: Accounts, channels: Mapping[str, Any], slugs: Collection[str] = ()
) -> list[Looked]:
    """Ask the platform of each enabled account (or of those named), and keep what it said."""
    async with db.session() as session:
        query = select(Account).where(Account.enabled.is_(True)).order_by(Account.slug)
        rows = (
            await session.scalars(query.where(Account.slug.in_(slugs)) if slugs else query)
        ).all()
    looked = []
    for row in rows:
        channel = channels[row.platform]
        if not isinstance(channel, Probing):
            continue
        found = await channel.abilities(accounts.view(row))
        await _keep(db, row.id, found)
        looked.append(Looked(row.id, row.slug, row.name, found))
    return looked


async def _keep(db: Database, account_id: str, found: Sequence[Ability]) -> None:
    async with db.session() as session:
        mine = AccountAbility.account_id == account_id
        await session.execute(delete(AccountAbility).where(mine))
        for number, one in enumerate(found):
            session.add(
                AccountAbility(
                    account_id=account_id, name=one.name, number=number, label=one.label,
                    able=one.able, needed=one.needed, words=one.words, at=now(),
                )
            )  # fmt: skip


async def lacks(db: Database, account_id: str, name: str) -> bool:
    """Whether the platform said, when it was asked last, that the account may not do it."""
    query = select(AccountAbility.able).where(
        AccountAbility.account_id == account_id, AccountAbility.name == name
    )
    async with db.session() as session:
        return (await session.scalars(query)).first() is False


async def known(db: Database) -> dict[str, Looked]:
    """What was found last, by account; without those nobody asked about."""
    query = (
        select(AccountAbility, Account.slug, Account.name)
        .join(Account, Account.id == AccountAbility.account_id)
        .where(Account.enabled.is_(True))
        .order_by(Account.slug, AccountAbility.number)
    )
    found: dict[str, Looked] = {}
    async with db.session() as session:
        for row, slug, name in (await session.execute(query)).all():
            one = Ability(row.name, row.label, row.able, row.words, row.needed)
            before = found[slug].abilities if slug in found else ()
            at = f"{beijing(row.at):%Y-%m-%d %H:%M}"
            found[slug] = Looked(row.account_id, slug, name, (*before, one), at)
    return found
