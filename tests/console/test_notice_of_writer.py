"""A notice that LibreOffice saved is imported, reviewed and published; one digest all the way."""

import secrets

from aiohttp import FormData
from sqlalchemy import select

from blocks.document import Document, Picture
from documents.normalise_picture import normalise
from documents.to_blocks import bring_file
from review_queue import drafting
from review_queue.canonical import Draft
from review_queue.models import Item, Revision
from storage.crypt import DataKey
from storage.media import marker
from tests.bot.conftest import Platforms, platforms
from tests.console.office import Office
from tests.console.test_same_digest import accounts_at, published_as_reviewed
from tests.documents.test_one_notice import TITLE, WRITER, original

__all__ = ["platforms"]  # the fixture of that room, used here


async def test_a_notice_of_libreoffice_is_published_as_it_was_written(
    office: Office, platforms: Platforms
) -> None:
    crypt = DataKey(secrets.token_bytes(32))
    accounts = await accounts_at(office, platforms, crypt)
    browser = await office.signed_in("editor")
    form = FormData({"csrf": browser.csrf})
    form.add_field("file", WRITER, filename="市集通知.docx")
    answer = await browser.client.post("/console/items/import", data=form)
    assert answer.status == 200
    async with office.deps.db.session() as session:
        row = (await session.scalars(select(Item))).one()
        draft = Draft.from_canonical((await session.scalars(select(Revision.canonical))).one())
    found = bring_file("a.docx", WRITER).pictures.values()
    kept = [marker(normalise(content).data) for content in found]
    assert draft.title == TITLE
    assert draft.blocks == original(kept)

    told = {"origin": "本单位拍摄", "licence": "自有"}
    blocks = Document(
        blocks=tuple(
            one.model_copy(update=told) if isinstance(one, Picture) else one
            for one in draft.blocks.blocks
        )
    )
    changes = {"blocks": blocks, "cover": kept[0], "klass": "重要"}
    row = await drafting.edit(
        office.deps.queue, row.id, office.people["editor"], row.version, changes
    )
    await published_as_reviewed(office, platforms, accounts, crypt, row)
