"""How something the platform had taken ended, by its table of codes (W16, W20)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.chosen import REACHED
from bot.codes import At, came_to
from bot.contract import Outcome, State
from bot.wechat import edition
from bot.wechat.codes import hinted, listed
from bot.wechat.ends import COPYRIGHT

_DONE, _RUNNING = "0", "1"


def reached_words(raw: Mapping[str, Any]) -> str:
    """How many a send reached, as its event counts them; empty where it counts nothing.

    The platform names nobody: who was left out is known to it alone.
    """
    total, ready, sent, failed = (
        int(text) if (text := str(raw.get(name, ""))).isdecimal() else 0
        for name in ("TotalCount", "FilterCount", "SentCount", "ErrorCount")
    )
    if not total:
        return ""
    if sent >= total:
        return f"平台报告：{total} 人都已送达"
    words = f"平台报告：{total} 人里送达 {sent} 人，过滤 {max(0, total - ready)} 人"
    return f"{words}，失败 {failed} 人；平台没有说明是哪些人"


def mass_outcome(ref: str, status: str, told: Mapping[str, Any] | None = None) -> Outcome:
    """What a status of a mass send comes to; only the platform's own success is one.

    `told` is the detail of a success: where its articles are.
    """
    words = status.strip().lower().replace("_", " ")
    if words == "send success":
        return Outcome(State.PUBLISHED, ref=ref, detail=told or {})
    if words in ("sending", ""):
        return Outcome(State.SUBMITTED, ref=ref)
    found = re.fullmatch(r"err\s*\(?\s*(\d+)\s*\)?", words)
    code = f"mass_{found[1] if found else words.replace(' ', '_')}"[:40]
    known = listed(code)
    shown = f"{known.what}（{status[:40]}）。{known.do}" if known else ""
    outcome = came_to(code, known, At.END, status[:40])
    detail = dict(outcome.detail)
    if words == "send fail":
        detail["unsaid"] = True
    reason = f"群发失败：{shown}" if shown else f"群发没有成功的回音：{outcome.reason}"
    return replace(outcome, ref=ref, reason=reason, detail=detail)


def publish_outcome(ref: str, info: Mapping[str, Any]) -> Outcome:
    """What a status of a free publication comes to."""
    status = str(info.get("publish_status", _RUNNING))
    if status == _DONE:
        return Outcome(State.PUBLISHED, ref=ref, detail=edition.of_publication(info))
    if status == _RUNNING or not status.isdecimal():
        return Outcome(State.SUBMITTED, ref=ref)
    code = f"publish_status_{status}"[:40]
    known = listed(code)
    outcome = replace(came_to(code, known, At.END), ref=ref)
    if known is not None:
        outcome = replace(outcome, reason=known.brief)
    return edition.at_fault(outcome, info, judged=False)


def mass_end(ref: str, raw: Mapping[str, Any]) -> Outcome:
    """What the event of a mass send comes to, with the articles at fault."""
    said = {**edition.of_mass_send(raw), REACHED: reached_words(raw)}
    told = mass_outcome(ref, str(raw.get("Status", "")), said)
    return edition.at_fault(told, raw, judged=hinted(told.code) == COPYRIGHT)
