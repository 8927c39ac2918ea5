"""An article with a block of every kind, as a draft of the office."""

import io
from typing import Any

from PIL import Image
from sqlalchemy import select

from blocks.document import Document, read_document
from blocks.text import project
from bot.contract import Content
from review_queue import drafting
from review_queue.canonical import Draft
from review_queue.drafting import Origin
from review_queue.models import Item, Revision
from storage.media import keep
from tests.console.office import Office


def png(colour: str = "navy") -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (240, 160), colour).save(out, "PNG")
    return out.getvalue()


async def kept(office: Office, content: bytes) -> str:
    """The marker of a picture the office has."""
    async with office.deps.db.session() as session:
        name = await keep(session, content, "image/png")
        await session.commit()
        return name


def said(text: str, **look: Any) -> list[dict[str, Any]]:
    """Runs of one look."""
    return [{"text": text, **look}]


def notice(media: str) -> Document:
    """A notice with a block of every kind."""
    head = [{"head": True, "runs": said(word)} for word in ("日期", "地点", "电话")]
    below = {"kind": "list", "items": [{"runs": said("原件")}, {"runs": said("复印件")}]}
    told = {"alt": "办事大厅", "caption": "县政务大厅", "origin": "李雪摄", "licence": "自有"}
    return read_document(
        [
            {"kind": "heading", "level": 1, "runs": said("一、申领条件")},
            {
                "kind": "paragraph",
                "runs": [
                    *said("毕业生\t每人"),
                    *said("1500元", bold=True),
                    *said("，见\n"),
                    *said("细则", link="https://www.gov.cn/a?b=1", bold=True),
                ],
            },
            {"kind": "heading", "level": 2, "runs": said("（一）时间安排")},
            {
                "kind": "table",
                "rows": [
                    {"cells": head},
                    {"cells": [{"runs": said("12月1日"), "rowspan": 2}, {}, {}]},
                    {"cells": [{"runs": said("大厅\n二楼"), "colspan": 2}]},
                ],
            },
            {
                "kind": "list",
                "ordered": True,
                "start": 3,
                "items": [{"runs": said("身份证明"), "below": below}, {"runs": said("学籍证明")}],
            },
            {"kind": "quote", "runs": said("如实填报。\n逾期不再受理。")},
            {"kind": "divider"},
            {"kind": "picture", "media": media, "made": "human", **told},
            {"kind": "attachment", "name": "名单.docx", "media": media},
            {"kind": "table", "rows": [{"cells": [{"runs": said("末尾")}]}]},
        ]
    )


async def article(office: Office, blocks: Document) -> Item:
    """A draft of these blocks by the editor."""
    body = project(blocks).text
    content = Content(kind="原创", title="求职补贴开始申请", body=body, blocks=blocks)
    origin = Origin(editor_id=office.people["editor"], klass="日常")
    return await drafting.create_item(office.deps.queue, content, origin)


async def revision(office: Office, item_id: str = "") -> Revision:
    """The newest revision of an item, or of all."""
    query = select(Revision).order_by(Revision.created_at.desc(), Revision.number.desc())
    if item_id:
        query = query.where(Revision.item_id == item_id)
    async with office.deps.db.session() as session:
        return (await session.scalars(query.limit(1))).one()


async def draft_of(office: Office, item_id: str = "") -> Draft:
    """What the newest revision says."""
    return Draft.from_canonical((await revision(office, item_id)).canonical)
