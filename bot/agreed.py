"""What a platform tells of agreements to notices: kept for its person, each event once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.consents import heard
from bot.contacts import ContactChanged, Contacts
from bot.contract import AccountView, Inbound
from bot.noticing import Consent, Did, Noticing, Template
from bot.opens import Opens
from storage.database import Database

UNKNOWN_TEMPLATE = "notice_template"
OnIncident = Callable[[str, str, str], Awaitable[None]]
OnChanged = Callable[[str, str], Awaitable[object]]


@dataclass(frozen=True)
class Agreed:
    """Keeps agreements; `on_incident` and `on_changed` as in the callbacks."""

    db: Database
    contacts: Contacts
    on_incident: OnIncident
    on_changed: OnChanged

    async def __call__(self, channel: object, account: AccountView, inbound: Inbound) -> int:
        """How many events of this call were new."""
        if not isinstance(channel, Noticing):
            return 0
        known = {one.id: one for one in channel.templates(account.settings)}
        said = [one for one in channel.consents(inbound) if not _standing(known, one)]
        if not said:
            return 0
        new = await self._keep(inbound, said)
        # Kept all the same: once the account's settings name it, the agreement stands.
        for name in sorted({one.template for one in said if _unknown(known, one)}):
            words = (
                f"有人同意接收账号“{account.name}”的通知模板 {name}，"
                "账号设置 notices 里没有这个模板，不会用它发送："
                "请核对后把它加进账号设置，或在公众平台删去"
            )
            await self.on_incident(UNKNOWN_TEMPLATE, f"account:{account.id}:{name}", words)
        return new

    async def _keep(self, inbound: Inbound, said: Sequence[Consent]) -> int:
        for _ in range(2):  # two events at once may both make their person
            try:
                db = self.db
                async with db.writing() if db.is_sqlite else db.session() as session:
                    return await self._kept(session, inbound, said)
            except IntegrityError:
                continue
            except ContactChanged as changed:
                await self.on_changed("contact", changed.contact_id)
                return 0
        return 0

    async def _kept(self, session: AsyncSession, inbound: Inbound, said: Sequence[Consent]) -> int:
        contact = await self.contacts.known(session, inbound.account_id, inbound.address)
        agrees = any(one.did is Did.ACCEPTED for one in said)
        if contact is None:
            if not agrees:
                return 0
            where = (inbound.account_id, inbound.address, inbound.at)
            contact = await self.contacts.upsert(session, *where, Opens.NOTHING)
        new = await heard(session, contact, said, inbound.at)
        if new and agrees:  # what waited for them may go by a notice now
            await self.contacts.make_due(session, contact.id)
        return new


def _standing(known: dict[str, Template], one: Consent) -> bool:
    """A notice of a standing template that arrived uses nothing up."""
    return one.did is Did.USED and one.template in known and known[one.template].long_term


def _unknown(known: dict[str, Template], one: Consent) -> bool:
    return one.did is Did.ACCEPTED and one.template not in known
