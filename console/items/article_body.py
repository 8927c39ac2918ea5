"""The parts of an article in the JSON API: blocks, summary, author, who wrote it, cover, crops."""

from typing import Any

from pydantic import Field

from blocks.document import BlockFault, Made, read_document
from blocks.text import project
from console.web.interface import Strict
from review_queue.article_fields import one_line
from staff.refusal import Reason, Refused

ARTICLE = frozenset(
    {"blocks", "summary", "author", "made", "cover", "crops", "changes", "comments"}
)


class ArticleBody(Strict):
    """What an article says beside its title; what is left out stays as it is.

    `blocks` as docs/digest.md has them; `crops` maps wide and square to left, top, right and bottom
    in millionths of the cover's sides. `changes` is what a correction changed, in words for those
    who got the text before it. `comments`: readers may write under it.
    """

    blocks: list[dict[str, Any]] | None = None
    summary: str | None = None
    author: str | None = None
    changes: str | None = None
    made: Made | None = None
    cover: str | None = None
    comments: bool | None = None
    crops: dict[str, tuple[int, int, int, int]] | None = Field(default=None)


def article_of(body: ArticleBody) -> dict[str, Any]:
    """The given parts as changes of a draft; Refused (422) names the block that is none."""
    given = {name: getattr(body, name) for name in ARTICLE & body.model_fields_set}
    found = {name: value for name, value in given.items() if value is not None}
    for name in ("summary", "author", "changes"):
        if name in found:
            found[name] = one_line(found[name])
    if "blocks" in found:
        try:
            found["blocks"] = read_document(found["blocks"])
        except BlockFault as fault:
            where = f"字段 {fault.where} 不对：" if fault.where else ""
            raise Refused(422, [Reason("blocks", f"{where}{fault}")]) from fault
        found["body"] = project(found["blocks"]).text
    return found
