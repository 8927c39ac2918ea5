"""What a WeChat account is here, one call on its way, and its refusals."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from wechatpy.crypto import WeChatCrypto

from sandbox.state import JSON, Account, Citizen, State, Upload, iso

DAY = 86_400
BEIJING = 8 * 3600

MESSAGES = {
    -1: "system error", 40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid", 40004: "invalid media type", 40005: "invalid file type",
    40007: "invalid media_id", 40008: "invalid message type", 40009: "invalid image size",
    40013: "invalid appid", 40014: "invalid access_token", 40015: "invalid menu type",
    40016: "invalid button size", 40017: "invalid button type", 40018: "invalid button name size",
    40019: "invalid button key size", 40032: "invalid openid list size", 40035: "invalid argument",
    40037: "invalid template_id", 40059: "invalid msg id", 40066: "invalid url",
    40125: "invalid appsecret", 40130: "invalid openid list size, at least two openid",
    40164: "invalid ip, not in whitelist", 41001: "access_token missing",
    41005: "media data missing", 42001: "access_token expired", 43002: "require POST method",
    43004: "require subscribe", 43101: "user refuse to accept the msg",
    44002: "empty post data", 44003: "empty news data", 44004: "empty content",
    45001: "media size out of limit", 45002: "content size out of limit",
    45003: "title size out of limit", 45004: "description size out of limit",
    45005: "url size out of limit", 45008: "article size out of limit",
    45009: "reach max api daily quota limit", 45011: "api minute-quota reach limit, must slower",
    45015: "response out of time limit or subscription is canceled", 45028: "has no masssend quota",
    45047: "out of response count limit", 45056: "too many tag now, no need to add new",
    45058: "can't modify sys tag", 45059: "can not tagging one user too much",
    45064: "no permission to use weapp in menu", 45065: "clientmsgid exist",
    45066: "same clientmsgid retry too fast", 45166: "invalid content",
    45067: "clientmsgid size out of limit",
    45110: "author size out of limit", 45157: "invalid tag name",
    45158: "tag name too long", 45159: "invalid tag id", 46003: "menu no exist",
    47001: "data format error", 47003: "argument invalid",
    48001: "api unauthorized", 48006: "forbid to clear quota",
    49003: "not match openid with appid",
    53600: "Article ID invalid", 61500: "date format error", 61501: "date range error",
    61503: "data not ready", 88000: "without comment privilege",
    88001: "msg_data is not exists", 88003: "elected comment upper limit",
    88004: "comment was deleted by user", 88005: "already reply",
    88007: "reply content beyond max len or content len is zero", 88008: "comment is not exists",
    88009: "reply is not exists", 88010: "count range error. count <= 0 or count > 50",
}  # fmt: skip


class WeChatError(Exception):
    """A refusal: errcode and errmsg, with further fields of the answer."""

    def __init__(self, code: int, message: str = "", **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.body: JSON = {"errcode": code, "errmsg": message or MESSAGES.get(code, "error")} | more


@dataclass(slots=True)
class Token:
    """One issued access token; `ends` and `expires` are Unix times."""

    value: str
    expires: float
    ends: float


@dataclass(slots=True)
class Official(Account):
    """One WeChat account with everything the platform keeps for it."""

    secret: str = ""
    token: str = ""
    aes_key: str = ""
    kind: str = "service"
    verified: bool = True
    protected: bool = False
    commenting: bool = True
    webhook: str = ""
    templates: list[JSON] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    latest: str = ""
    stable: str = ""
    forced_at: float = 0.0
    issued: dict[str, int] = field(default_factory=dict)
    used: dict[tuple[int, str], int] = field(default_factory=dict)
    minute: list[float] = field(default_factory=list)
    materials: dict[str, JSON] = field(default_factory=dict)
    # Where pictures of picture messages lie: they stay there when their material is deleted.
    pictures: dict[str, str] = field(default_factory=dict)
    drafts: dict[str, JSON] = field(default_factory=dict)
    jobs: dict[str, JSON] = field(default_factory=dict)
    articles: dict[str, JSON] = field(default_factory=dict)
    mass: dict[int, JSON] = field(default_factory=dict)
    menu: JSON = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)

    @property
    def original(self) -> str:
        """Return the account's gh_ id, the ToUserName of its callbacks."""
        # Made of the appid, so that the same account has the same name after a restart.
        return "gh_" + hashlib.sha256(self.id.encode()).hexdigest()[:12]

    def crypto(self) -> Any:
        """Return the cipher of this account's callbacks."""
        return WeChatCrypto(self.token, self.aes_key, self.id)


@dataclass(slots=True)
class Call:
    """One API call on its way through its handler."""

    state: State
    account: Official
    params: JSON
    query: JSON
    files: dict[str, Upload]
    base: str

    @property
    def now(self) -> float:
        """Return the platform's present."""
        return self.state.clock.now()

    def text(self, name: str) -> str:
        """Return a text parameter, or an empty text."""
        return str(self.params.get(name) or "")

    def follower(self, openid: Any) -> Citizen:
        """Return a citizen who has ever met this account; 40003 otherwise."""
        citizen = self.account.citizens.get(str(openid or ""))
        # 40003 for a stranger: openids of one account mean nothing to another.
        if citizen is None:
            raise WeChatError(40003)
        return citizen


def day(at: float) -> int:
    """Return the number of the Beijing day of a Unix time."""
    # Quotas end at midnight in Beijing, whatever the machine's zone.
    return int((at + BEIJING) // DAY)


def receive(citizen: Citizen, account: Official, at: float, content: JSON) -> JSON:
    """Put a message on a citizen's phone and return it."""
    message = {"message_id": next(account.numbers), "time": iso(at), **content}
    citizen.received.append(message)
    return message
