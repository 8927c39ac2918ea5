"""Parts into words: what is said to a citizen is made here, when it is said, and nowhere else.

`await Answers(...).build(parts, platform) -> Reply` is asked by whoever sends, and for the answer
inside a platform's call alike. A template is filled as it is released now, a clause is read
from the library as the ledger proves it, a person's answer by its signed commitment.
"""

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from bot.channel import Channel
from bot.channels import CHANNELS
from bot.contract import Reply, ReplyBasis
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
    Unsayable,
    Written,
    said,
)
from config.clock import beijing, now
from facets.taxonomy import Taxonomy
from handlers.fields import Check, checks
from handlers.templates import TOLD, TemplateError, Texts
from knowledge.answering import Hit
from knowledge.followed import ENDED, PolicyNow
from knowledge.validity import CITABLE, STATUS_NAMES
from staff.refusal import Refused

LONG_LABEL = 14  # characters of a button beside which no other has room
NOTHING_FOUND = "not_found"
"""What is said instead of a quote that does not hold any more."""

ReadHit = Callable[[str, date], Awaitable[Hit | None]]
"""Clause id and day in, the clause as the ledger proves it out; see knowledge/service.py."""

ReadStaff = Callable[[Parts, Written], Awaitable[str]]
"""A person's own words; Unsayable when no signed commitment stands for them."""

ReadTemplates = Callable[[], Awaitable[Texts]]
"""The templates that may be used now."""


ReadPolicy = Callable[[str], Awaitable[PolicyNow | None]]
"""A policy's id in, how it stands today out; None when it is not what was signed."""


async def _no_policy(policy_id: str) -> PolicyNow | None:
    return None


ReadEntry = Callable[[str, int], Awaitable[str | None]]
"""A reviewed text and its version in, its words out; None when they may not be said now."""


async def _no_entry(key: str, version: int) -> str | None:
    return None


ReadConclusion = Callable[[str, str], Awaitable[tuple[str, str] | None]]
"""A consultation and an account in, title and address of its result out; None for none yet."""


async def _no_conclusion(consultation_id: str, account_id: str) -> tuple[str, str] | None:
    return None


class _Stale(Exception):
    """A clause or an entry is not what it was when it was found."""


@dataclass(frozen=True)
class Answers:
    """What words are made of: templates, library and people's answers, each asked anew."""

    taxonomy: Taxonomy
    templates: ReadTemplates
    hit: ReadHit
    staff: ReadStaff
    policy: ReadPolicy = _no_policy
    entry: ReadEntry = _no_entry
    notice: ReadEntry = _no_entry
    conclusion: ReadConclusion = _no_conclusion

    _checks: dict[str, tuple[Taxonomy, Mapping[str, Check]]] = field(default_factory=dict)

    def _allowed(self) -> Mapping[str, Check]:
        """What fields may hold, with the facets of now: the taxonomy is a setting that changes."""
        held = self.taxonomy.itself
        known = self._checks.get("")
        if known is None or known[0] is not held:
            known = self._checks[""] = (held, checks(held))
        return known[1]

    async def build(self, parts: Parts, platform: str) -> Reply:
        """The reply in words, within what this platform takes. Unsayable, with the reason."""
        channel = CHANNELS[platform]
        filling = _Filling(self._allowed, await self.templates())
        try:
            text = await self._text(filling, channel, parts)
        except _Stale:  # a citizen is never left without an answer, and never told what ended
            parts = replace(parts, basis=ReplyBasis.TEMPLATE, pieces=(Filled(NOTHING_FOUND),))
            text = await self._text(filling, channel, parts)
        if not text.strip():
            raise Unsayable("没有可以使用的回复模板")
        if channel.buttons:
            return said(parts, text, _rows(parts.choices))
        text += _numbers(parts)
        # An answer within the call is one text; a message of its own may be sent in parts.
        if channel.passive_seconds and channel.room(text) < 0:
            text = cut_quote(channel, text, channel.room(""))
        return said(parts, text)

    async def _text(self, filling: "_Filling", channel: type[Channel], parts: Parts) -> str:
        quotes = [one for one in parts.pieces if isinstance(one, Quoted)]
        if not quotes:
            return await self._lines(filling, parts, parts.pieces)
        # Lines and quotes in their order: a message may answer more than one question.
        runs = [(quote, [*run]) for quote, run in groupby(parts.pieces, key=_is_quote)]
        lines = ["" if quote else await self._lines(filling, parts, run) for quote, run in runs]
        numbers = "" if channel.buttons else _numbers(parts)
        # An empty line stands between them; what is no quote is never cut for one.
        room = channel.room("".join(f"{one}\n\n" for one in lines if one) + numbers)
        quoted = [await self._quoted(filling, one) for one in quotes]
        wanted = [_size(channel, quote + tail) + 2 for quote, tail in quoted]
        blocks = iter(
            [
                _fitted(filling, channel, quote, tail, share)
                for (quote, tail), share in zip(quoted, shares(wanted, room), strict=True)
            ]
        )
        said = [
            [next(blocks) for _ in run] if quote else [text] if text else []
            for (quote, run), text in zip(runs, lines, strict=True)
        ]
        return "\n\n".join(block for each in said for block in each)

    async def _lines(self, filling: "_Filling", parts: Parts, pieces: Sequence[Piece]) -> str:
        """What is said of these pieces, none of which is a quote."""
        said = []
        for one in pieces:
            try:
                said.append(await self._line(filling, parts, one))
            except (Unsayable, Refused):
                # A number to call is said without the number of the ticket.
                if not isinstance(one, Filled) or one.name != TOLD:
                    raise
        return "\n".join(line for line in said if line)

    async def _line(self, filling: "_Filling", parts: Parts, piece: object) -> str:
        if isinstance(piece, Filled):
            return filling.text(piece)
        if isinstance(piece, Written):
            return await self.staff(parts, piece)
        if isinstance(piece, Ended):
            return filling.ended(await self._read(piece))
        if isinstance(piece, Followed):
            return await self._followed(filling, piece)
        if isinstance(piece, Reviewed):
            return await self._reviewed(filling, piece)
        if isinstance(piece, Corrected):
            return await self._corrected(piece)
        if isinstance(piece, Concluded):
            return await self._concluded(filling, piece, parts.account_id)
        raise Unsayable("这条答复的组成无法读取，没有发送")

    async def _followed(self, filling: "_Filling", piece: Followed) -> str:
        """What became of a policy, read anew: it may have been taken back since."""
        found = await self.policy(piece.policy)
        if found is None or piece.event not in found.events:
            raise Unsayable("所关注文件的变化现在不能确认，没有发送")
        return filling.followed(found, piece.event)

    async def _corrected(self, piece: Corrected) -> str:
        words = await self.notice(piece.notice, piece.version)
        if words is None:
            raise Unsayable("这条更正告知已停用或不能确认，没有发送")
        return words

    async def _concluded(self, filling: "_Filling", piece: Concluded, account_id: str) -> str:
        found = await self.conclusion(piece.consultation, account_id)
        if found is None:
            raise Unsayable("意见征集的结果没有公布或已撤回，没有发送")
        title, link = found
        return filling.text(Filled("opinion_told", {"title": title, "link": link})).rstrip()

    async def _reviewed(self, filling: "_Filling", piece: Reviewed) -> str:
        """A reviewed answer, and below it the clauses it rests on as they stand now."""
        words = await self.entry(piece.entry, piece.version)
        if words is None:
            raise _Stale
        today = str(beijing(now()).date())
        hits = [await self._read(Quoted(clause, 0, 0, today)) for clause in piece.rests]
        return "\n".join([words, *(filling.source(hit) for hit in hits)])

    async def _read(self, piece: Quoted | Ended) -> Hit:
        hit = await self.hit(piece.clause, date.fromisoformat(piece.day))
        if hit is None or (isinstance(piece, Quoted) and hit.validity not in CITABLE):
            raise _Stale
        return hit

    async def _quoted(self, filling: "_Filling", piece: Quoted) -> tuple[str, str]:
        """The words of a quote, and its source below them."""
        hit = await self._read(piece)
        text = hit.text[piece.start - hit.offset : piece.end - hit.offset]
        if not text or piece.start < hit.offset:
            raise _Stale
        return text, "\n" + filling.source(hit)


def shares(wanted: Sequence[int], room: int) -> list[int]:
    """How much of `room` each may take: what a short one leaves goes to the longer ones."""
    given = [0] * len(wanted)
    for left, at in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        given[at] = min(wanted[at], room // (len(wanted) - left))
        room -= given[at]
    return given


@dataclass(frozen=True)
class _Filling:
    """The templates of this moment, and what their fields may hold."""

    allowed: Callable[[], Mapping[str, Check]]
    templates: Texts

    def text(self, piece: Filled) -> str:
        # Asked only for fields: without a proved taxonomy a bare sentence can still be said.
        allowed = self.allowed() if piece.fields else {}
        for name, value in piece.fields.items():
            check = allowed.get(name)
            if check is None or not isinstance(value, str) or not check(value):
                raise Unsayable(f"回复模板 {piece.name} 的字段 {name} 不是这一栏可以填的内容")
        try:
            return self.templates.text(piece.name, **piece.fields)
        except TemplateError as error:
            raise Unsayable(str(error)) from error

    def ended(self, hit: Hit) -> str:
        """Which policy is no longer in force, since when, and what follows it."""
        name = {"title": hit.title.strip("《》"), "number": hit.doc_number}
        if hit.policy_stands:  # one clause ended: nobody must think that all of it did
            number = f"（{hit.doc_number}）" if hit.doc_number else ""
            name["number"] = f"{hit.label or '中的一段'}{number}"
        day = f"（{hit.ended_on}）" if hit.ended_on else ""
        fields = {**name, "validity": STATUS_NAMES[hit.validity], "date": day}
        lines = [self.text(Filled("policy_ended", fields))]
        if hit.successor and not hit.policy_stands:
            follows = {
                "title": hit.successor.strip("《》"),
                "number": hit.successor_number,
                "link": hit.successor_url,
            }
            lines.append(self.text(Filled("policy_successor", follows)).rstrip())
        return "\n".join(lines)

    def followed(self, found: PolicyNow, event: str) -> str:
        """What became of a followed policy, and what follows one that ended."""
        kind, _, day = event.partition(":")
        policy, after = found.policy, found.successor
        said = {"title": policy.title.strip("《》"), "number": policy.doc_number, "date": day}
        if kind == ENDED:
            said |= {"validity": STATUS_NAMES[found.status], "date": f"（{day}）" if day else ""}
        lines = [self.text(Filled(f"follow_{kind}", said))]
        if kind == ENDED and after is not None:
            follows = {
                "title": after.title.strip("《》"), "number": after.doc_number, "link": after.url
            }  # fmt: skip
            lines.append(self.text(Filled("policy_successor", follows)).rstrip())
        if kind != ENDED and policy.url:
            lines.append(policy.url)
        return "\n".join(lines)

    def source(self, hit: Hit) -> str:
        """Title, 文号, issuer, date, validity, link; lines without a value are left out."""
        fields = {
            "title": hit.title.strip("《》"),
            "label": f" {hit.label}" if hit.label else "",
            "number": hit.doc_number,
            "issuer": hit.issuer,
            "date": hit.issued_on,
            # Asked about a past day: words that have ended since are not called in force.
            "validity": _validity(hit),
            "link": hit.url,
        }
        lines = (line.rstrip() for line in self.text(Filled("quote_source", fields)).split("\n"))
        return "\n".join(line for line in lines if not line.endswith("："))


def _validity(hit: Hit) -> str:
    """How a quote stands: as on the day asked about, and what became of it by today."""
    if not hit.ended_on or hit.ended_on > str(beijing(now()).date()):
        return STATUS_NAMES[hit.validity]
    return f"当时有效，{hit.ended_on} 起{'修改' if hit.reworded else '失效'}"


def _is_quote(piece: object) -> bool:
    return isinstance(piece, Quoted)


def _numbers(parts: Parts) -> str:
    """The choices as lines below a text, where a platform has no buttons."""
    lines = [f"{number}. {label}" for number, (label, _) in enumerate(parts.choices, 1)]
    return "\n" + "".join(f"\n{one}" for one in [*lines, "回复数字选择。"]) if lines else ""


def _rows(choices: Sequence[tuple[str, str]]) -> list[Sequence[tuple[str, str]]]:
    # Two a row, and a long label by itself: it is cut on a phone (T6 would allow eight).
    if any(len(label) > LONG_LABEL for label, _ in choices):
        return [[one] for one in choices]
    return [choices[at : at + 2] for at in range(0, len(choices), 2)]


def _fitted(filling: "_Filling", channel: type[Channel], text: str, tail: str, room: int) -> str:
    """The quote and its source within `room` units; only the quote is ever shortened."""
    left = room - _size(channel, tail) - 2
    if _size(channel, text) <= left:
        return text + tail
    note = "\n" + filling.text(Filled("quote_cut"))
    return cut_quote(channel, text, left - _size(channel, note)) + note + tail


def _size(channel: type[Channel], text: str) -> int:
    return channel.room("") - channel.room(text)


def cut_quote(channel: type[Channel], text: str, room: int) -> str:
    """The beginning of `text` within `room` of the channel's units; after a sentence if it can."""
    # Which unit it is only the channel knows, but a longer text never takes less of it.
    lengths = range(len(text) + 1)
    fits = bisect_right(lengths, max(room, 0), key=lambda length: _size(channel, text[:length]))
    part = text[: fits - 1]
    end = max(part.rfind(mark) for mark in "。；\n")
    return part[: end + 1].rstrip() if end > 0 else part
