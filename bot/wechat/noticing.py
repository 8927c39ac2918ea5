"""WeChat's subscription notices: the templates of an account, one call, and what events tell (W26).

In an account's settings: `notices: [{template: ..., long_term: true, fields: {thing1: title}}]`.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from bot.codes import At
from bot.contract import AccountView, Inbound, Outcome, Rendering, State, Still
from bot.meaning import Listed, Meaning
from bot.notice_settings import DATE, NAME, REASON, TITLE, read_notices
from bot.noticing import (
    FULL,
    MESSAGE_CALL,
    NOTICE_CALL,
    PAUSED_FOR,
    REFUSED_BY,
    TEMPLATE,
    Consent,
    Did,
    Notice,
    Template,
)
from bot.quota import begins, day_of
from bot.wechat import codes
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused
from bot.wechat.codes import listed
from bot.wechat.errors import outcome_of
from bot.wechat.limits import CUSTOM_SEND, NOTICE_SEND, SERVICE
from config.clock import beijing, now

_SOON = 0.5  # seconds after which another way is chosen
_DAY = 86_400.0
ROOM = {"thing": 20, "phrase": 5, "name": 10, "character_string": 32, "date": 20, "time": 20}
"""Characters a field of this type may hold; another is not filled by us."""
HOW_TO_LEAVE = "（回复退订可停）"
_MOST_ID = 64
_EVENTS = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}
SENT_EVENT = "subscribe_msg_sent_event"
_ANSWERS = {"accept": Did.ACCEPTED, "reject": Did.REJECTED}


class Calling(Protocol):
    """What a channel gives for a call that cannot be taken back."""

    def client(self, account: AccountView, still: Still | None = None) -> AioWeChatClient:
        """See bot.wechat.channel."""


class Notices:
    """The part of the channel that meets bot.noticing.Noticing."""

    calls: Mapping[str, str] = {CUSTOM_SEND: MESSAGE_CALL, NOTICE_SEND: NOTICE_CALL}

    @staticmethod
    def templates(settings: Mapping[str, Any]) -> Sequence[Template]:
        """Only a service account has any (W26)."""
        return read_notices(settings) if settings.get("kind") in SERVICE else ()

    @staticmethod
    def consents(inbound: Inbound) -> Sequence[Consent]:
        """See the events of W28; what is not in their form says nothing."""
        return list(_consents(inbound))

    @staticmethod
    def by_mass(ref: str) -> bool:
        """A mass send has its own numbers."""
        return ref.startswith("mass:")

    async def notify(
        self: Calling, account: AccountView, address: str, notice: Notice, still: Still
    ) -> Outcome:
        """One call; its ref is the number that the event names."""
        body: dict[str, Any] = {
            "touser": address,
            "template_id": notice.template.id,
            "data": filled(notice, account.name),
        }
        if notice.link:
            body["page"] = notice.link
        try:
            answer = await self.client(account, still).post("message/subscribe/bizsend", data=body)
        except (WeChatRefused, NotSent, NoAnswer) as error:
            return notice_outcome(error, notice.template.id)
        return Outcome(State.PUBLISHED, ref=str(answer.get("msgid", "")))


def filled(notice: Notice, account: str) -> dict[str, dict[str, str]]:
    """The fields of a notice, each as long as its type takes."""
    values = {
        TITLE: _title(notice.form),
        REASON: notice.reason,
        DATE: f"{beijing(now()):%Y年%m月%d日}",
        NAME: account,
    }
    data = {}
    for field, source in notice.template.fields.items():
        room = ROOM[field.rstrip("0123456789")]
        text = values[source]
        if source == REASON and not notice.template.answers:
            why = notice.reason.removeprefix("您订阅了 ")
            text = _cut(why, room - len(HOW_TO_LEAVE)) + HOW_TO_LEAVE
        # The platform refuses an empty field.
        data[field] = {"value": _cut(" ".join(text.split()), room) or _cut(account, room)}
    return data


def _title(form: Rendering) -> str:
    push = form["push"]
    title = str(form.get("article", {}).get("title") or push["text"].split("\n", 1)[0])
    return f"更正：{title}" if push == form.get("note") else title


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"


def notice_outcome(error: Exception, template: str) -> Outcome:
    """What a failed notice means: for its person, for its template, or as any message.

    Where nothing was sent another way is chosen at once.
    """
    came = outcome_of(error, At.READER)
    row = listed(came.code)
    if row is None:
        return came
    detail: dict[str, Any] = {"errcode": came.code, TEMPLATE: template}
    if row.meaning is Meaning.MUTE:
        detail[REFUSED_BY] = True
    elif row.meaning is Meaning.BACK_OFF:
        detail |= {PAUSED_FOR: _rest(row), "stop": FULL}
    elif row.hint in (codes.TEMPLATE, codes.RIGHT):
        detail |= {PAUSED_FOR: _DAY, "stop": came.code}
    else:
        return came
    return Outcome(State.RETRYING, "", row.brief, came.code, _SOON, detail)


def _rest(row: Listed) -> float:
    """Until the platform counts anew: the next day, or as long as it says."""
    if row.hint != codes.DAY:
        return row.wait
    return (begins(day_of(now()) + timedelta(days=1)) - now()).total_seconds()


def _consents(inbound: Inbound) -> Iterator[Consent]:
    told = inbound.raw.get(_EVENTS.get(inbound.key, ""))
    rows = told.get("List") if isinstance(told, Mapping) else None
    for row in rows if isinstance(rows, list) else [rows]:
        if not isinstance(row, Mapping):
            continue
        template = str(row.get("TemplateId") or "")
        if not template or len(template) > _MOST_ID:
            continue
        one = _sent(row, template) if inbound.key == SENT_EVENT else _asked(inbound, row, template)
        if one is not None:
            yield one


def _asked(inbound: Inbound, row: Mapping[str, Any], template: str) -> Consent | None:
    did = _ANSWERS.get(str(row.get("SubscribeStatusString") or ""))
    if did is None:
        return None
    # One person answers one window once in a second: the same again is the same event.
    said = (inbound.address, inbound.position, inbound.key, template, did)
    return Consent(template, did, "asked:" + _short(said))


def _sent(row: Mapping[str, Any], template: str) -> Consent | None:
    number = str(row.get("MsgID") or row.get("MsgId") or "")
    if not number or len(number) > 40:
        return None
    arrived = str(row.get("ErrorCode") or "0") == "0"
    did = Did.USED if arrived else Did.FAILED
    return Consent(template, did, f"sent:{number}", number)


def _short(said: Sequence[object]) -> str:
    return hashlib.sha256("|".join(map(str, said)).encode()).hexdigest()[:48]
