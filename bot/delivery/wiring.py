"""What publishing and sending are given by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channel import Channel
from bot.contacts import Contacts
from bot.contract import AccountView, LoadMedia, Outcome, Release, Reply, State, Verify
from bot.delivery.mended import Had
from bot.models import Publication
from bot.replies import Build, Parts, Unsayable
from bot.silence import Silence, no_silence
from ledger.append import Ledger
from storage.database import Database

_log = structlog.get_logger("bot.delivery")


async def no_incident(kind: str, subject: str, message: str) -> None:
    _log.error(kind, subject=subject, message=message)


async def _no_news(publication_id: str) -> None:
    _log.info("publication", id=publication_id)


async def _not_returned(publication_id: str, reason: str) -> bool:
    return False


async def _no_title(item_id: str, digest: str) -> str:
    return ""


async def _no_change(table: str, row_id: str) -> None:
    _log.error("row_changed", table=table, row=row_id)


async def _not_finished(publication_id: str) -> bool:
    return False


async def _not_noted(parts: Parts, state: State) -> None:
    _log.info("answered", contact=parts.contact_id, state=state)


async def _nothing_new(contact_id: str) -> bool:
    return True


async def _had_nothing(release: Release, contact_id: str) -> Had:
    return Had.NO


async def _no_rows(publication: Publication, release: Release) -> int:
    return 0


def _no_night(audience: Mapping[str, Any], delivery_id: str, contact: Any) -> float:
    return 0.0


@dataclass(frozen=True)
class Wants:
    """Why a contact still gets a push, and which rows nobody may believe.

    `why(account, contact, audience, reason)` is the reason that holds now, which may be the one the
    row was made with, and empty for who does not want it any more. `stands(contact)`: nobody left
    or narrowed anything since that was asked; directly before the call.
    """

    why: Callable[[str, str, Mapping[str, Any], str], str]
    wrong: Sequence[tuple[str, str]] = ()
    stands: Callable[[str], Awaitable[bool]] = _nothing_new
    # For how many seconds nobody disturbs them: audience, delivery, contact.
    waits: Callable[[Mapping[str, Any], str, Any], float] = _no_night

    def still(self, account_id: str, contact_id: str, audience: Mapping[str, Any]) -> bool:
        """Whether there is any reason."""
        return bool(self.why(account_id, contact_id, audience, ""))


Notice = Callable[[str, Any, Parts], Awaitable[Outcome | None]]
"""A delivery's id, its contact and its parts in; why it is not sent now, or None."""


async def _whatever_comes(session: AsyncSession, contact_ids: Sequence[str]) -> Wants:
    return Wants(lambda account_id, contact_id, audience, reason: reason)


async def _at_once(delivery_id: str, contact: Any, parts: Parts) -> Outcome | None:
    return None


async def _no_words(parts: Parts, platform: str) -> Reply:
    raise Unsayable("没有接好答复的组成")


@dataclass(frozen=True)
class Wiring:
    """One for all of this room.

    `on_incident(kind, subject, message)` records what staff must see. `on_publication(id)` is
    called after a publication reached published, failed, held or unknown.
    `on_refused(id, reason)`: the platform refused the text of a publication; whether its item went
    back to the editor. `on_changed(table, row)` records a row that somebody wrote past this
    program. `build` makes the
    words of a reply. `finished(publication)`: whether the ledger holds the end of its push.
    `on_answered(parts, state)` signs that a person's answer was sent, or may have been.
    `wants(session, contacts)`: what these people want pushed at this moment.
    `had(release, contact)`: whether they were sent what this correction is about.
    `public_url` is where citizens find the verify page; `title_of(item, digest)` the approved title
    behind a signed digest, empty when nothing proves it.
    `choose(publication, release)`: the rows of its audience, which wait for one call to all.
    `quiet()`: the days of silence in force; Refused when they cannot be proved.
    `notice(delivery, contact, parts)`: why what became of a followed policy is not said now.
    `in_flight`: how many calls may be unsettled at any instant in this process.
    """

    db: Database
    ledger: Ledger
    contacts: Contacts
    channels: Mapping[str, Channel]
    verify: Verify
    open_account: Callable[[str], Awaitable[AccountView]]
    load_media: LoadMedia
    in_flight: int = 8
    on_incident: Callable[[str, str, str], Awaitable[None]] = no_incident
    on_publication: Callable[[str], Awaitable[None]] = _no_news
    on_changed: Callable[[str, str], Awaitable[object]] = _no_change
    build: Build = _no_words
    finished: Callable[[str], Awaitable[bool]] = _not_finished
    on_answered: Callable[[Parts, State], Awaitable[None]] = _not_noted
    wants: Callable[[AsyncSession, Sequence[str]], Awaitable[Wants]] = _whatever_comes
    on_refused: Callable[[str, str], Awaitable[bool]] = _not_returned
    had: Callable[[Release, str], Awaitable[Had]] = _had_nothing
    public_url: str = ""
    title_of: Callable[[str, str], Awaitable[str]] = _no_title
    quiet: Callable[[], Awaitable[Silence]] = no_silence
    notice: Notice = _at_once
    choose: Callable[[Publication, Release], Awaitable[int]] = _no_rows
