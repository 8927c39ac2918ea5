"""The frozen words between the house and the platforms: two verbs out, one shape in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from blocks.document import Document, Made
from bot.chosen import Chosen
from bot.editions import Placed
from bot.meaning import Listed, Meaning
from bot.opens import Opens
from bot.preview import Shown
from bot.quota import Limit
from bot.read_back import Asked, ReadBack
from bot.takedown import Notice, Standing, Took
from bot.trial import Look
from storage.cache import Cache

Rendering = dict[str, Any]
"""A message in its platform's own form (JSON): only that platform's channel reads inside it."""


@dataclass(frozen=True)
class Content:
    """What an item says, before any channel renders it.

    `body` is plain text, paragraphs parted by newlines; a line `![alt](sha256:<hex>)` is a picture.
    `blocks` is the body as it is set, and `body` then its text; None for what has no blocks.
    `attribution` holds source, original_author, original_title, editor, url (texts, may be empty).
    `attachments` are {"name", "media"} with `media` a `sha256:` marker. `edition` are renderings of
    articles that go out together (bot/editions.py); then nothing else of it is sent. `changes` says
    what a correction changed, to those who got the text before it; `corrected` is the title of what
    it corrects. `comments`: readers may write under it, where the platform has that.
    """

    kind: str
    title: str
    body: str
    attribution: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Mapping[str, str], ...] = ()
    cover: str = ""
    blocks: Document | None = None
    summary: str = ""
    author: str = ""
    made: Made = Made.UNDECLARED
    crops: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    edition: tuple[Rendering, ...] = ()
    changes: str = ""
    comments: bool = False
    corrected: str = ""


@dataclass(frozen=True)
class Corrected:
    """What a correction is about: an item, and the digest of it that went out."""

    item: str
    digest: str


@dataclass(frozen=True)
class Release:
    """The proof that a digest may go out. Only review_queue/release.py constructs one.

    `renderings` maps account id to what that channel sends, with media as `sha256:` markers.
    `audience` is a criteria mapping, or None for the public timeline only. `edition` are the
    articles of an edition in their order, each proved by its own release.
    """

    id: str
    item_id: str
    digest: str
    title: str
    renderings: Mapping[str, Mapping[str, Any]]
    audience: Mapping[str, Any] | None
    not_before: datetime
    not_after: datetime
    corrects: Corrected | None = None
    urgent: bool = False
    """Whether it was reviewed as 应急: a day of silence does not hold it."""
    edition: tuple[Placed, ...] = ()


class ReplyBasis(StrEnum):
    """Why a reply may go to one contact without a release (design, invariant 1)."""

    QUOTE = "quote"
    TEMPLATE = "template"
    STAFF = "staff"
    ALARM = "alarm"
    NOTICE = "notice"  # what became of a policy somebody follows: a template, when they wish it
    WAITS = "waits"  # that an answer waits for their next act: a template, by an agreed notice
    DANGER = "danger"  # whom to call now: a template, and sent while other answers are stopped


@dataclass(frozen=True)
class Button:
    """One inline choice; `data` is at most 64 bytes."""

    label: str
    data: str


@dataclass(frozen=True)
class Reply:
    """What the bot says back to one contact that wrote or has an open ticket."""

    account_id: str
    contact_id: str
    text: str
    basis: ReplyBasis
    buttons: tuple[tuple[Button, ...], ...] = ()
    sources: tuple[str, ...] = ()
    thread: str = ""
    """The topic of the chat it is said in, where a chat has topics."""


class InboundKind(StrEnum):
    """What a citizen did."""

    TEXT = "text"
    MENU = "menu"
    FOLLOW = "follow"
    UNFOLLOW = "unfollow"
    BUTTON = "button"
    RESULT = "result"
    MEDIA = "media"
    """A message without words; `key` says what it is (see MEDIA_KINDS)."""
    RETURN = "return"
    """They unblocked the account, and said nothing."""
    ERASE = "erase"
    """The platform says that this person withdrew what was known of them."""
    NOTICE = "notice"
    """The platform speaks of the account itself; `key` is the event."""
    OTHER = "other"


ACTS = frozenset({
    InboundKind.TEXT, InboundKind.MEDIA, InboundKind.MENU, InboundKind.BUTTON,
    InboundKind.FOLLOW, InboundKind.RETURN,
})  # fmt: skip
"""What a person does by themselves: only these make a contact, or bring one back who left."""
MEDIA_KINDS = ("picture", "voice", "place", "card", "file", "other")
"""What a message without words may be; each has its reply template."""


@dataclass(frozen=True)
class Inbound:
    """One message or event from a platform, verified and parsed.

    `key` is the menu or button key, the event name of a RESULT or NOTICE, or the kind of MEDIA;
    `dedupe` is unique per real-world act (message id, or sender + time + event); `raw` only for
    RESULT and NOTICE. `first_at` is set for an edited message: when it was first sent. `album`
    binds messages sent as one, `thread` is the topic of the chat it stands in. `position` and
    `place` are its order among the acts of one contact (bot/turns.py); `late`: one that came after
    it was acted on before.
    """

    account_id: str
    platform: str
    address: str
    kind: InboundKind
    at: datetime
    dedupe: str
    text: str = ""
    key: str = ""
    callback_id: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)
    opens: Opens = Opens.MESSAGE
    position: int = 0
    place: int = 0
    late: bool = False
    first_at: datetime | None = None
    album: str = ""
    thread: str = ""


class State(StrEnum):
    """Delivery and publication states."""

    CREATED = "created"
    SENDING = "sending"
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    RETRYING = "retrying"
    FAILED = "failed"
    UNKNOWN = "unknown"
    ENDED = "ended"
    HELD = "held"


@dataclass(frozen=True)
class Outcome:
    """What one platform call came to. `reason` is plain Chinese for staff.

    RETRYING: surely not accepted, try again after `retry_after` seconds. UNKNOWN: no answer.
    ENDED: this contact can never be reached again by itself. HELD: not now (e.g. 48 h window).
    `hold`: what holds it, where that is another word than its code. `meaning`: of a platform's
    code, by its table.
    """

    state: State
    ref: str = ""
    reason: str = ""
    code: str = ""
    retry_after: float = 0.0
    detail: Mapping[str, Any] = field(default_factory=dict)
    hold: str = ""
    meaning: Meaning | None = None

    @property
    def held_by(self) -> str:
        """What holds it; empty while nothing does."""
        if self.state is not State.HELD:
            return ""
        return "account" if self.detail.get("scope") == "account" else self.hold or self.code


MEND: Mapping[str, Any] = {"mend": True}
"""Detail of a failure that lies in the text: sending it again changes nothing, mending it does."""
REFUSED = "refused"
"""Detail of an end: the person wants no pushes, and can still be answered."""
UNLISTED = "unlisted"
"""Detail of a code that no table has: staff hear of it once for each account."""


@dataclass(frozen=True)
class AccountView:
    """One account with its secrets opened, as the channels need it.

    secrets: those that the platform's channel names in `secrets`.
    settings: free numbers and flags (push "mass" or "targeted", kind, protected, per_second, …).
    """

    id: str
    platform: str
    name: str
    api_base: str
    secrets: Mapping[str, str]
    settings: Mapping[str, Any]


LoadMedia = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Marker in, (bytes, mime) out; LookupError when absent."""

Still = Callable[[], Awaitable[None]]
"""Asked directly before each call that cannot be taken back; raises Withheld."""


class Verify(Protocol):
    """Release id in, the release verified at this moment out; raises NotReleased."""

    async def __call__(self, release_id: str, account_id: str = "") -> Release:
        """With an account also: that nothing says it went out there already."""


class Withheld(Exception):
    """Not called at the last moment; `outcome` is what the call came to instead."""

    def __init__(self, outcome: Outcome) -> None:
        """Keep the outcome; its reason is for staff."""
        super().__init__(outcome.reason)
        self.outcome = outcome


class NotReleased(Exception):
    """The chain behind a release is broken; `reasons` are all of them, in Chinese.

    `over`: the chain holds, and only the time is past within which it might go out.
    """

    def __init__(self, reasons: list[str], *, over: bool = False) -> None:
        """Keep every reason."""
        super().__init__("；".join(reasons))
        self.reasons = reasons
        self.over = over


class Forged(Exception):
    """Not from the platform, too old, or seen before: 403 and no more words."""


class Unreadable(Exception):
    """From the platform, but not in its form: 400 and one line."""


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
