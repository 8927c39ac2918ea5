"""`shenfa bench article`: what an article costs from its blocks to its digest."""

import json
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import css_inline
import rfc8785

from bench.figures import SENTENCES, Measured, Row, figure, milliseconds
from blocks.document import Document, read_document
from blocks.text import project
from bot.contract import Rendering
from bot.telegram.rendering import render_telegram
from bot.wechat.article import STYLE, block_html
from bot.wechat.rendering import render_wechat
from review_queue.canonical import Draft, canonical, digest

LENGTH, PICTURES = 5_000, 10
_MOMENT = datetime(2026, 11, 28, tzinfo=UTC)


def _blocks() -> Iterator[dict[str, Any]]:
    """Headings, paragraphs with runs, lists, a table and pictures, as such accounts write them."""
    whole = "".join(SENTENCES)
    for part in range(PICTURES):
        yield {"kind": "heading", "runs": [{"text": f"{part + 1}、办理事项"}]}
        for _ in range(2):
            runs = [{"text": whole}, {"text": "青政办发〔2026〕12号", "bold": True}]
            yield {"kind": "paragraph", "runs": [*runs, {"text": "全文", "link": "https://a.cn"}]}
        points = [{"runs": [{"text": sentence}]} for sentence in SENTENCES]
        yield {"kind": "list", "ordered": True, "items": points}
        yield {"kind": "picture", "media": f"sha256:{part:064x}", "caption": f"图{part}"}
    cells = [{"runs": [{"text": text}]} for text in ("周六", "文化广场", "文艺演出")]
    yield {"kind": "table", "rows": [{"cells": cells}] * 10}


def _article() -> Document:
    document = read_document(list(_blocks()))
    said = len(project(document).text)
    if said < LENGTH:
        raise RuntimeError(f"the article has {said} characters")
    return document


def _renderings(draft: Draft) -> dict[str, Rendering]:
    content = draft.content
    return {"wechat": render_wechat(content), "telegram": render_telegram(content)}


async def article(n: int = 100) -> list[Row]:
    """Render an article for both channels and make its digest, beside the two libraries alone."""
    document = _article()
    draft = Draft(
        kind="原创",
        klass="日常",
        title="青禾县便民事项办理指南",
        body=project(document).text,
        blocks=document,
        accounts=("wechat", "telegram"),
        not_before=_MOMENT,
        not_after=_MOMENT,
    )

    def ours() -> str:
        project.cache_clear()  # kept for a text that is looked at again; a changed one is not
        return digest(canonical(draft, _renderings(draft)))

    # The same content: the article without its looks, and the whole form as plain data.
    text = f"<section>{''.join(map(block_html, document.blocks))}</section>"
    data = json.loads(canonical(draft, _renderings(draft)))

    def bare() -> None:
        css_inline.inline_fragment(text, STYLE, load_remote_stylesheets=False)
        rfc8785.dumps(data)

    # One after the other, so that a busy moment of the machine meets both.
    taken = [(milliseconds(ours, 1)[0], milliseconds(bare, 1)[0]) for _ in range(n)]
    mine, short = (statistics.median(times) for times in zip(*taken, strict=True))
    name = "p50 of rendering an article for both channels and of its digest"
    row = figure("article", name, "ms", Measured(mine, short, 3 * short), n)
    row["detail"] = {"characters": len(draft.body), "pictures": PICTURES}
    return [row]
