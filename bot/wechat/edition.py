"""Articles that go out as one message: the limits of such a draft, and what comes of each. Pure.

The platform names them by their place in the draft, from 1: `idx` of a publication, `ArticleIdx`
of a mass send, and by that number one of them is deleted later.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.contract import Content, Outcome, Rendering, State
from bot.editions import AT_FAULT, EDITION, URLS, renderings_of
from bot.preview import Message, Shown
from bot.wechat.newspic import is_newspic
from bot.wechat.rendering import DEFAULT_COVER, problems_wechat, render_wechat, shown_wechat

MOST_ARTICLES = 8
"""In one message, as the platform's own page has it (docs/platforms.md#W19)."""
_JUDGED = "2"  # AuditState: taken for a reprint


def render(content: Content) -> Rendering:
    """The article, or the articles of an edition as each was approved."""
    return {EDITION: list(content.edition)} if content.edition else render_wechat(content)


def articles_of(rendering: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The draft fields of each article that goes out together."""
    return [one["article"] for one in renderings_of(rendering)]


def problems(rendering: Mapping[str, Any], content: Content | None = None) -> list[str]:
    """Every limit that is broken; of an edition also those of its articles, by their number."""
    together = rendering.get(EDITION)
    if together is None:
        return problems_wechat(rendering, content)
    found = []
    if len(together) > MOST_ARTICLES:
        found.append(f"微信一次最多发 {MOST_ARTICLES} 篇，现在是 {len(together)} 篇：请拿出几篇")
    if any(is_newspic(one["article"]) for one in together):
        return [*found, "图片消息不能与文章合发：请把它拿出，单独发布"]
    if together[0]["article"]["thumb"] == DEFAULT_COVER:
        found.append("微信头条没有封面图：请换有封面的一篇做头条，或给它加封面重新送审")
    for number, one in enumerate(together, 1):
        found += [f"第 {number} 篇：{words}" for words in problems_wechat(one)]
    return found


def shown(rendering: Mapping[str, Any]) -> Shown | None:
    """How it will look; of an edition the head, and below it the titles of the others."""
    together = rendering.get(EDITION)
    if together is None:
        return shown_wechat(rendering)
    head = shown_wechat(together[0])
    if head is None:
        return None
    return replace(
        head, push=Message(), also=tuple(one["article"]["title"] for one in together[1:])
    )


def of_publication(info: Mapping[str, Any]) -> dict[str, Any]:
    """What a publication that is done says of its articles (W20)."""
    detail = info.get("article_detail") or {}
    return _told(detail.get("item") if isinstance(detail, Mapping) else None, "idx", "article_url")


def of_mass_send(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What the event of a mass send says of its articles (W16)."""
    rows = _listed(raw, "ArticleUrlResult")
    return _told(rows, "ArticleIdx", "ArticleUrl")


def _told(rows: Any, index: str, address: str) -> dict[str, Any]:
    """The first article's address under `url`, as for one by itself, and those of all."""
    listed = [one for one in _rows(rows) if isinstance(one, Mapping)]
    at = {_number(one.get(index)): str(one.get(address, "")) for one in listed}
    urls = tuple(at.get(place, "") for place in range(1, max(at, default=0) + 1))
    return {"url": urls[0] if urls else "", URLS: urls}


def at_fault(outcome: Outcome, raw: Mapping[str, Any], *, judged: bool) -> Outcome:
    """A failure with the numbers of the articles it lies in, where the platform names them.

    `judged`: it lies in those that were taken for a reprint.
    """
    if outcome.state is not State.FAILED:
        return outcome
    numbers = {_number(one) for one in _rows(raw.get("fail_idx"))}
    if judged:
        numbers |= {
            _number(one.get("ArticleIdx"))
            for one in _rows(_listed(raw, "CopyrightCheckResult"))
            if isinstance(one, Mapping) and str(one.get("AuditState", "")) == _JUDGED
        }
    if not (known := sorted(numbers - {0})):
        return outcome
    return replace(outcome, detail={**outcome.detail, AT_FAULT: tuple(known)})


def _listed(raw: Mapping[str, Any], name: str) -> Any:
    held = raw.get(name) or {}
    rows = held.get("ResultList") if isinstance(held, Mapping) else None
    return rows.get("item") if isinstance(rows, Mapping) else None


def _rows(value: Any) -> list[Any]:
    """A list, or the one thing that is left of a list of one in XML."""
    return value if isinstance(value, list) else [value] if value else []


def _number(value: Any) -> int:
    """A place of the platform's, from 1; 0 for what is none."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 4 else 0
