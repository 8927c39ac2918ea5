"""The frozen words between the house and the platforms: what goes out, and what comes in."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from blocks.document import Document, Made
from bot.editions import Placed
from bot.meaning import Meaning
from bot.opens import Opens

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
