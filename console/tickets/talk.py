"""The conversation of a ticket as the person on duty reads it: citizen, bot and colleagues."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from console.tickets.words import ACT_WORDS, MEDIA_WORDS, PURGED, TOLD_WORDS
from console.web.deps import Recall
from escalations.announcing import announced
from escalations.models import Ticket, TicketReply
from escalations.transcript import Act, conversation

ROBOT = "robot"
_NOT_TALK = ("stopped", "dropped")


@dataclass(frozen=True)
class Line:
    """One line of the conversation; `who` is "" for the citizen, ROBOT, else a staff id.

    `came` is how far an answer has come, `why` the reason it is not out.
    """

    at: datetime
    text: str
    who: str = ""
    came: str = ""
    why: str = ""


@dataclass(frozen=True)
class Talk:
    """The lines in order, and what has to be said of those that are not there."""

    lines: Sequence[Line]
    notes: Sequence[str]


async def talk_of(
    recall: Recall, session: AsyncSession, ticket: Ticket, sent: Sequence[TicketReply]
) -> Talk:
    """Everything that is kept of both sides, from a week before the ticket on."""
    found = await conversation(session, ticket)
    lines: list[Line] = []
    offered: dict[str, str] = {}
    for act in found.acts:
        lines.append(Line(act.at, _words(recall, act, offered)))
        if act.answer is not None:
            offered = {key: label for label, key in act.answer.choices}
            why = "" if act.out else "没有发到对方"
            lines.append(Line(act.at, await recall.words(act.answer), ROBOT, why=why))
    lines += [
        Line(row.created_at, row.text, row.staff_id, row.state, row.why)
        for row in sent
        if row.state not in _NOT_TALK
    ]
    for row, came in await announced(session, sent) if sent else ():
        lines.append(Line(row["created_at"], TOLD_WORDS, ROBOT, came, row["why"]))
    notes = ["机器人的话按现在的回复模板和政策原文还原。"] if _robot(lines) else []
    if found.more:
        notes.append("更早的来信没有列出。")
    if found.missing:
        notes.append(
            f"有 {found.missing} 条来信没有留下机器人的答复：当时没有答复，或旧版本没有保存。"
        )
    return Talk(sorted(lines, key=lambda line: line.at), notes)


def _robot(lines: Sequence[Line]) -> bool:
    return any(line.who == ROBOT for line in lines)


def _words(recall: Recall, act: Act, offered: dict[str, str]) -> str:
    if act.gone:
        return PURGED
    if act.text:
        return act.text
    pressed = offered.get(act.key) or recall.label(act.key)
    if pressed:
        return f"（选择：{pressed}）"
    return MEDIA_WORDS.get(act.key) or ACT_WORDS.get(act.kind, "（按了按钮）")
