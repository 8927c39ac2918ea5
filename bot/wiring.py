"""What the callbacks are given: where acts are kept, and who answers them."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from bot.accounts import Accounts
from bot.channel import Listening
from bot.contacts import Contacts
from bot.contract import Inbound
from bot.delivery.publishing import Publisher
from bot.delivery.sending import Sender
from bot.delivery.wiring import no_incident
from bot.models import Contact
from bot.replies import Parts
from storage.cache import Cache
from storage.database import Database

OnInbound = Callable[[Inbound, Contact], Coroutine[Any, Any, Parts | None]]
Mask = Callable[[str], str]


async def _nobody_answers(inbound: Inbound) -> Parts | None:
    return None


def _nothing_weighs(inbound: Inbound) -> bool:
    return False


@dataclass(frozen=True)
class CallbackWiring:
    """What the callbacks need.

    `mask` takes personal data out of what is stored. `on_inbound` gives the answer, or None.
    `on_incident(kind, subject, message)` records what staff must see.
    `wait` names the template that says an answer follows, or is empty where none may be used;
    `wait_mute` the one that asks for the question again, where the account can send nothing.
    `weighs`: an act that waits a moment for an earlier one, because it changes what its person
    agreed to. `on_trial` answers what we send to ourselves: nothing of it is kept.
    """

    db: Database
    cache: Cache
    accounts: Accounts
    contacts: Contacts
    publisher: Publisher
    sender: Sender
    channels: Mapping[str, Listening]
    on_inbound: OnInbound
    mask: Mask
    on_incident: Callable[[str, str, str], Awaitable[None]] = no_incident
    weighs: Callable[[Inbound], bool] = _nothing_weighs
    on_trial: Callable[[Inbound], Awaitable[Parts | None]] = _nobody_answers
    wait: Callable[[], str] = str
    wait_mute: Callable[[], str] = str
