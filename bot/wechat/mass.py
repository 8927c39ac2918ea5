"""The calls of a mass send: to everybody, to a list, to a tag; each under its `clientmsgid`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.chosen import Chosen
from bot.codes import PERSON_HOLD, At
from bot.contract import AccountView, Outcome, State
from bot.meaning import Meaning
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused
from bot.wechat.codes import SENT, hinted
from bot.wechat.errors import outcome_of
from bot.wechat.targeted import SendTag, by_list

NOBODY = "受众里现在没有可以群发的人：请核对受众，或等有人订阅后重新发送"
DATA = "data"
"""In Outcome.detail: the platform's other name for a send."""
_ALL: Mapping[str, Any] = {"filter": {"is_to_all": True}}


@dataclass(frozen=True)
class SendTo:
    """The account, and its client for preparing calls and for the one that cannot be taken back."""

    prepares: AioWeChatClient
    calls: AioWeChatClient
    account: AccountView


def client_key(account_id: str, rendering: Mapping[str, Any]) -> str:
    """`clientmsgid`: the same words of the same account are the same send, whoever tries again."""
    form = json.dumps([account_id, rendering], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(form.encode()).hexdigest()


async def mass_send(
    client: AioWeChatClient, draft: str, key: str, to: Mapping[str, Any] = _ALL
) -> Outcome:
    """One send; SUBMITTED with ref `mass:<id>`. `to`: its `touser`, or its filter."""
    data = {
        **to,
        "mpnews": {"media_id": draft},
        "msgtype": "mpnews",
        "send_ignore_reprint": 0,
        "clientmsgid": key,
    }
    try:
        call = "message/mass/send" if "touser" in to else "message/mass/sendall"
        answer = await client.post(call, data=data)
    except WeChatRefused as refused:
        # Our first call arrived after all: the answer names it, nothing is sent twice (W13).
        if hinted(refused.code) == SENT and refused.body.get("msg_id"):
            return _submitted(refused.body)
        found = outcome_of(refused, At.TIMELINE)
        # Of one reader it says that they are gone; here it is all of them.
        return _nobody() if found.meaning is Meaning.DROP else found
    except (NotSent, NoAnswer) as error:
        return outcome_of(error, At.TIMELINE)
    return _submitted(answer)


def _submitted(answer: Mapping[str, Any]) -> Outcome:
    number = answer["msg_id"]
    data = str(answer.get("msg_data_id") or number)  # by it comments are asked after (W42)
    return Outcome(State.SUBMITTED, ref=f"mass:{number}", detail={DATA: data})


async def send_to_chosen(to: SendTo, draft: str, key: str, chosen: Chosen) -> Outcome:
    """One send to these people: by list where that may be, else by a tag of its own."""
    people = await chosen.people()
    if not people:
        return _nobody()
    if by_list(to.account.settings, len(people)):
        return await mass_send(to.calls, draft, key, {"touser": list(people)})
    tag = SendTag(to.prepares, key)
    try:
        await tag.hold(people)
        # Tagging thousands takes its time: who left meanwhile is untagged before the call.
        people = await chosen.people()
        held = await tag.hold(people)
    except (WeChatRefused, NotSent, NoAnswer) as error:
        return outcome_of(error, At.PREPARING)
    await chosen.without(set(people) - held)
    if not held:
        return _nobody()
    return await mass_send(
        to.calls, draft, key, {"filter": {"is_to_all": False, "tag_id": tag.number}}
    )


def _nobody() -> Outcome:
    return Outcome(State.HELD, reason=NOBODY, code="nobody", hold=PERSON_HOLD)
