"""What the bot said, in words for the person on duty, and what it would offer them to quote.

Read anew from templates and library: a template that was changed since stands as it is now, and
what is not there any more is named.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from bot.replies import (
    Concluded,
    Corrected,
    Ended,
    Filled,
    Followed,
    Parts,
    Piece,
    Quoted,
    Reviewed,
)
from config.clock import beijing, now
from handlers.answers import ReadHit
from handlers.commands import MENU, MENU_KEYS, NOT_SAID
from handlers.offers import candidates, near
from handlers.own_data import DATA
from handlers.released import ReleasedTemplates
from handlers.templates import LABELS, TemplateError, Texts
from knowledge.answering import Answer, Hit
from knowledge.entries import ReviewedEntries
from knowledge.reviewed import Known

_BUTTONS = {key: label for _, entries in MENU for label, key in entries}
_BUTTONS |= {key: label for label, key in MENU_KEYS.items()}
_BUTTONS |= {one.key: one.label for one in DATA}


class Recall:
    """Parts into the words that were said, as far as they are still there."""

    def __init__(
        self,
        templates: ReleasedTemplates,
        entries: ReviewedEntries,
        hit: ReadHit,
        ask: Callable[[str, date], Awaitable[Answer]],
    ) -> None:
        """`ask` is KnowledgeService.ask."""
        self._templates = templates
        self._entries = entries
        self._hit = hit
        self._ask = ask

    async def words(self, parts: Parts) -> str:
        """What was said, with the choices it left open."""
        await self._templates.refresh()
        lines = [await self._piece(self._templates, one) for one in parts.pieces]
        labels = "、".join(label for label, _ in parts.choices)
        return "\n".join([*lines, *([f"（可选：{labels}）"] if labels else [])])

    async def _piece(self, texts: Texts, piece: Piece) -> str:
        if isinstance(piece, Filled):
            return _filled(texts, piece)
        if isinstance(piece, Quoted | Ended):
            return await self._clause(piece)
        if isinstance(piece, Followed):
            return "（告知所关注的文件有变化）"
        if isinstance(piece, Corrected):
            return "（更正告知）"
        if isinstance(piece, Concluded):
            return "（告知意见征集的结果）"
        if isinstance(piece, Reviewed):
            return await self._entries.words(piece.entry, piece.version) or "（问答，现已不用）"
        return "（值班人员的答复）"

    async def _clause(self, piece: Quoted | Ended) -> str:
        hit = await self._hit(piece.clause, date.fromisoformat(piece.day))
        if hit is None:
            return "（引用过一条政策，它已不在政策库里，或与签名的原文不符）"
        name = f"《{hit.title.strip('《》')}》{hit.label}"
        if isinstance(piece, Ended):
            return f"（告知 {name} 已不再有效）"
        return f"{hit.text[piece.start - hit.offset : piece.end - hit.offset]}\n—— {name}"

    def label(self, key: str) -> str:
        """What stands on the button of a menu, or an empty text."""
        return _BUTTONS.get(key, "")

    async def clauses(self, ids: Sequence[str]) -> list[tuple[str, Hit | None]]:
        """Clauses as they stand today; None for one that may not be told."""
        today = beijing(now()).date()
        return [(one, await self._hit(one, today)) for one in ids]

    async def reviewed(self, questions: Sequence[str]) -> list[Known]:
        """Reviewed answers in use to questions like these."""
        return await self._entries.near([one for one in questions if one and one != NOT_SAID])

    async def near(self, questions: Sequence[str]) -> list[dict[str, str]]:
        """Clauses that come near what was asked, the last of it first, each once."""
        today = beijing(now()).date()
        found: dict[str, dict[str, str]] = {}
        for question in reversed([one for one in questions if one and one != NOT_SAID]):
            answer = await self._ask(question, today)
            for one in candidates({"near": near(answer)}):
                found.setdefault(one["clause_id"], one)
        return [*found.values()]


def _filled(texts: Texts, piece: Filled) -> str:
    label = LABELS.get(piece.name, piece.name)
    if not texts.usable(piece.name):
        return f"（回复模板“{label}”，现已停用）"
    try:
        return texts.text(piece.name, **piece.fields)
    except TemplateError:  # its fields were others then
        return f"（回复模板“{label}”，此后改过）"
