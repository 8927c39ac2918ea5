"""Contents of blocks, as tests of the renderings write them."""

from typing import Any

from blocks.document import Document, read_document
from blocks.text import project
from bot.contract import Content
from tests.bot.conftest import content


def article(blocks: Document | list[dict[str, Any]], **changes: Any) -> Content:
    document = blocks if isinstance(blocks, Document) else read_document(blocks)
    told: dict[str, Any] = {"attribution": {}, "body": project(document).text, "blocks": document}
    return content(**(told | changes))


def words(text: str, **look: Any) -> dict[str, Any]:
    return {"kind": "paragraph", "runs": [{"text": text, **look}]}


def table(*rows: str, head: bool = True) -> dict[str, Any]:
    lines = [
        {"cells": [{"runs": [{"text": text}], "head": head and not at} for text in row.split("|")]}
        for at, row in enumerate(rows)
    ]
    return {"kind": "table", "rows": lines}


def dense(text: str) -> str:
    return "".join(sign for sign in text if not sign.isspace())
