"""What a platform's channel has to do: listen, render, publish, push, and take back."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.chosen import Chosen
from bot.contract import (
    AccountView,
    Content,
    Inbound,
    LoadMedia,
    Outcome,
    Rendering,
    Reply,
    Still,
)
from bot.meaning import Listed
from bot.preview import Shown
from bot.quota import Limit
from bot.read_back import Asked, ReadBack
from bot.takedown import Notice, Standing, Took
from bot.trial import Look
from storage.cache import Cache


@dataclass(frozen=True)
class Call:
    """One HTTP call on an account's callback address.

    `read` gives the body; what the head alone condemns is refused without reading it.
    """

    query: Mapping[str, str]
    headers: Mapping[str, str]
    read: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True)
class Heard:
    """A call that was proved and parsed; `respond` writes a text as this very call's answer."""

    inbound: Inbound
    respond: Callable[[str], str] = str


class Listening(Protocol):
    """The callback side of a platform. `prove` and `hear` raise Forged or Unreadable."""

    platform: str
    nothing: str
    """What ends a call when there is nothing to say in it."""
    passive_seconds: float
    """How long a call may wait for its answer; 0: answers are messages of their own."""
    asks_for_proof: bool
    """Whether the platform makes the address prove itself by a GET before it is used."""
    nobody: str
    """The address by which we speak to ourselves (`press`): answered, kept nowhere."""

    async def prove(self, account: AccountView, call: Call) -> str:
        """What proves to the platform that the address is ours."""

    async def hear(self, account: AccountView, call: Call) -> Heard:
        """One proved call, parsed."""

    def notice(self, account: AccountView, inbound: Inbound) -> str:
        """What a NOTICE says and what to do about it, in Chinese for staff."""

    def passive(self, reply: Reply) -> str | None:
        """The reply as the call's own answer, or None when it does not fit into one."""

    async def acknowledge(self, account: AccountView, callback_id: str) -> None:
        """Tell the platform at once that a pressed button was seen."""


@dataclass(frozen=True)
class Menu:
    """What a citizen may choose without typing.

    `groups`: a label, and what opens below it as (label, key). `commands`: (name, description).
    """

    groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    commands: Sequence[tuple[str, str]]


class NotEquipped(Exception):
    """The platform did not take our address or our menu; the words are its own."""


class Channel(Listening, Protocol):
    """One platform. Rendering is pure; sending never retries by itself.

    What stands in the class itself is said without a connection: see bot/channels.py.
    """

    label: str
    """The platform's name for staff."""
    account_word: str
    """What citizens call an account there."""
    secrets: tuple[str, ...]
    """The secrets an account must have, as they are named in a setup file."""
    addresses: tuple[str, ...]
    """Which of them say where it is published and are no secret: whoever approves sees them."""
    chosen: tuple[str, ...]
    """Which of them an office thinks up itself, so that it can change them when it likes."""
    overseas: bool
    """Whether what is sent leaves the country, so that an assessment must stand behind it."""
    buttons: bool
    """Whether a reply carries inline buttons; without them choices are numbered lines."""
    window_seconds: float
    """How long after a contact's last message it may be written to; 0 for always."""
    window_count: int
    """How many messages fit into that window."""
    act_seconds: float
    """How long after an act that is no message; 0 where every act counts as a message."""
    act_count: int
    """How many messages fit into that shorter window."""
    most_articles: int
    """How many articles one message holds; 0 where articles never go out together."""
    codes: Mapping[str, Listed]
    """Its table of codes: what each means, and what staff read of it."""
    take_down: str
    """How staff take a publication off the platform, in Chinese."""
    deletions_a_day: int
    """How many publications may be taken off in a day; 0: as many as there are."""
    unread: str
    """What of a publication is read back afterwards, what is not and why, in Chinese."""
    brings: Mapping[str, Path]
    """Pictures that come with the program, by marker: they stand in no table."""

    def __init__(self, cache: Cache, allowed_private: frozenset[str] = frozenset()) -> None:
        """`cache` is shared by every process; `allowed_private` is for development."""

    @staticmethod
    def room(text: str) -> int:
        """What a reply still holds after `text`, in the platform's own unit; below 0: too long."""

    @staticmethod
    def secret_problem(secrets: Mapping[str, str]) -> str:
        """What is wrong with complete secrets, in Chinese; empty when they can be used."""

    @staticmethod
    def new_secret(name: str) -> str:
        """A fresh value for one of `chosen`, as the platform takes it."""

    @staticmethod
    def once_a_day(settings: Mapping[str, Any]) -> bool:
        """Whether one publication of an account with these settings may fill its day."""

    @staticmethod
    def chooses(settings: Mapping[str, Any]) -> bool:
        """Whether what has an audience goes to its people in the very call that publishes it."""

    @staticmethod
    def takes_place(settings: Mapping[str, Any], *, chosen: bool) -> bool:
        """Whether a send uses up the account's own days; `chosen`: it has an audience."""

    @staticmethod
    def limits(settings: Mapping[str, Any]) -> Sequence[Limit]:
        """What the platform counts of an account with these settings, each with its number."""

    @staticmethod
    def confirmed_by(settings: Mapping[str, Any]) -> str:
        """Who must let each send of such an account go on the platform; empty where nobody must."""

    @staticmethod
    def shown(rendering: Mapping[str, Any]) -> Shown | None:
        """How a rendering will look; None when it is not of this channel's form."""

    async def equip(self, account: AccountView, callback: str, menu: Menu) -> None:
        """Tell the platform where we listen and what the menu is; raises NotEquipped."""

    async def entrance(self, account: AccountView, scene: str) -> str:
        """The address of a QR code that opens with this scene (bot/scenes.py); NotEquipped."""

    def looks(self, account: AccountView, callback: str, menu: Menu) -> AsyncIterator[Look]:
        """Try every part of the account: reads at the platform, one call to our own address."""

    def press(self, account: AccountView, key: str) -> Mapping[str, Any]:
        """The call by which the platform would bring a pressed menu entry, from `nobody`."""

    def pressed(self, account: AccountView, answer: str) -> str:
        """The words in what our address answered to `press`; empty when it said nothing."""

    def resumable(self, account: AccountView) -> bool:
        """Whether the platform itself refuses a second publication of the same rendering."""

    def result(self, inbound: Inbound) -> "tuple[str, Outcome] | None":
        """What a RESULT event says about which publication ref, or None when it says nothing."""

    def render(self, content: Content) -> Rendering:
        """The exact thing this channel will publish and push, media as markers. Deterministic."""

    def problems(self, rendering: Mapping[str, Any], content: Content | None = None) -> list[str]:
        """Every limit of the platform this rendering breaks, in Chinese; empty when it fits.

        `content` is what was rendered: with it the block that is to blame is named, and what this
        platform cannot show of it.
        """

    async def publish(
        self, account: AccountView, rendering: Mapping[str, Any], media: LoadMedia, still: Still
    ) -> Outcome:
        """Put it on the account's public timeline.

        `still` is awaited directly before each call that readers may see the effect of; what it
        raises ends the publication, and uploads and drafts come before it.
        """

    async def publish_to(
        self, account: AccountView, rendering: Mapping[str, Any], media: LoadMedia, chosen: Chosen
    ) -> Outcome:
        """The same in one call to these people; only of an account that `chooses`."""

    async def settle(self, account: AccountView, ref: str) -> Outcome:
        """Ask the platform what became of a submitted publication."""

    async def remove(
        self, account: AccountView, standing: Standing, notice: Notice, still: Still
    ) -> Took:
        """Take a publication off, or put the notice where it stands.

        `still` is awaited directly before each call that readers may see the effect of.
        """

    async def missing(
        self, account: AccountView, standing: Sequence[Standing]
    ) -> Sequence[Standing]:
        """Those of which the platform surely says that they are gone."""

    async def altered(
        self, account: AccountView, asked: Sequence[Asked], media: LoadMedia
    ) -> Sequence[ReadBack]:
        """What was found of those that could be read back; `media` gives our own pictures."""

    async def push(
        self,
        account: AccountView,
        address: str,
        rendering: Mapping[str, Any],
        reason: str,
        still: Still,
    ) -> Outcome:
        """Send the rendering's `push` form to one contact; `reason` fills its closed field.

        `still` is awaited directly before the call, after whatever had to be waited for.
        """

    async def reply(self, account: AccountView, address: str, reply: Reply) -> Outcome:
        """Send a reply outside the callback's own answer."""

    async def close(self) -> None:
        """Give connections back."""
