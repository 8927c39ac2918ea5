"""图片消息 from the form to both platforms: what was reviewed is received, in its order."""

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from blocks.document import Document, read_document
from blocks.text import project
from bot.contract import Content, NotReleased, State
from bot.models import Account, Publication
from bot.picture_message import KIND
from review_queue import drafting, publishing, submitting
from review_queue.canonical import Draft, canonical, digest
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.models import Item, Revision
from review_queue.release import Releases
from review_queue.told import latest_on
from staff.refusal import Refused
from storage.crypt import DataKey
from storage.media import keep
from tests.bot.conftest import Platforms, platforms
from tests.console.office import Office
from tests.console.test_same_digest import accounts_at, captured, send
from tests.documents import made_pictures as made

__all__ = ["platforms"]  # the fixture of that room, used here

TEXT = "汛期将至，请照图检查房前屋后。"


def pictures(count: int) -> list[bytes]:
    return [made.picture(60 + number, 90, "teal") for number in range(count)]


def poster(marker: str, number: int) -> dict[str, Any]:
    told = {"alt": f"海报{number}", "origin": "县应急局制作", "licence": "自有"}
    return {"kind": "picture", "media": marker, **told}


def laid_out(markers: Sequence[str]) -> Document:
    paragraph = {"kind": "paragraph", "runs": [{"text": TEXT}]}
    return read_document(
        [paragraph, *(poster(one, number) for number, one in enumerate(markers, 1))]
    )


async def stored(office: Office, contents: Sequence[bytes]) -> list[str]:
    async with office.deps.db.session() as session:
        return [await keep(session, one, "image/png") for one in contents]


async def drafted(office: Office, markers: Sequence[str], **more: Any) -> Item:
    blocks = laid_out(markers)
    content = Content(kind=KIND, title="防汛海报", body=project(blocks).text, blocks=blocks, **more)
    origin = Origin(editor_id=office.people["editor"], klass="重要")
    return await drafting.create_item(office.deps.queue, content, origin)


async def text_of(office: Office, row: Item) -> str:
    query = select(Revision.canonical).where(Revision.item_id == row.id)
    async with office.deps.db.session() as session:
        return str(await session.scalar(query.order_by(Revision.number.desc()).limit(1)))


async def approved(office: Office, row: Item) -> Item:
    row = await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)
    for login in ("reviewer1", "reviewer2", "reviewer3"):
        row = await office.decide(row, login)
    return row


async def states(office: Office) -> dict[str, str]:
    async with office.deps.db.session() as session:
        names = {one.id: one.platform for one in (await session.scalars(select(Account))).all()}
        rows = (await session.scalars(select(Publication))).all()
        return {names[one.account_id]: one.state for one in rows}


async def bytes_at(platforms: Platforms, url: str) -> bytes:
    async with platforms.http.get(url) as answer:
        assert answer.status == 200
        return await answer.read()


async def on_wechat(platforms: Platforms) -> tuple[list[bytes], dict[str, Any]]:
    """The pictures of the draft in order, and the draft."""
    [call] = await captured(platforms, "draft/add")
    [sent] = call["parsed"]["articles"]
    urls = {
        one["response"]["media_id"]: one["response"]["url"]
        for one in await captured(platforms, "material/add_material")
    }
    listed = [one["image_media_id"] for one in sent["image_info"]["image_list"]]
    return [await bytes_at(platforms, urls[one]) for one in listed], sent


async def on_telegram(platforms: Platforms) -> tuple[list[list[bytes]], list[str]]:
    """The pictures of each album in order, and every text in order."""
    albums, texts = [], []
    calls = [
        call
        for method in ("sendMediaGroup", "sendPhoto", "sendMessage")
        for call in await captured(platforms, method)
    ]
    for call in sorted(calls, key=lambda one: int(one["seq"])):
        result = call["response"]["result"]
        messages = result if isinstance(result, list) else [result]
        texts += [str(one.get("caption") or one.get("text") or "") for one in messages]
        files = [one["photo"][-1]["file_id"] for one in messages if "photo" in one]
        if files:
            base = f"{platforms.url}/telegram/file/bot7:abc"
            albums.append([await bytes_at(platforms, f"{base}/{one}") for one in files])
    return albums, [one for one in texts if one]


async def test_twelve_pictures_arrive_on_both_as_they_were_reviewed_bytes_order_and_crop(
    office: Office, platforms: Platforms
) -> None:
    crypt = DataKey(secrets.token_bytes(32))
    accounts = await accounts_at(office, platforms, crypt)
    contents = pictures(12)
    markers = await stored(office, contents)
    crops = {"wide": (0, 200_000, 1_000_000, 400_000), "square": (0, 0, 1_000_000, 666_667)}
    row = await drafted(office, markers, cover=markers[0], crops=crops)
    reviewer = await office.signed_in("reviewer1")
    _, screen = await reviewer.get(f"/console/items/{row.id}")
    article = screen.split('class="view article"', 1)[1].split('class="view"', 1)[0]
    looked_at = re.findall(r'<img src="/console/media/([0-9a-f]{64})"', article)
    assert looked_at == [one[7:] for one in markers]

    row = await approved(office, row)
    await publishing.schedule(office.deps.queue, row.id, office.people["editor"])
    await send(office, platforms, accounts, crypt)
    assert await states(office) == {"wechat": State.SUBMITTED, "telegram": State.PUBLISHED}

    received, sent = await on_wechat(platforms)
    assert received == contents
    assert ["sha256:" + hashlib.sha256(one).hexdigest() for one in received] == markers
    assert sent["cover_info"]["crop_percent_list"] == [
        {"ratio": "2.35_1", "x1": "0.000000", "y1": "0.200000", "x2": "1.000000", "y2": "0.400000"},
        {"ratio": "1_1", "x1": "0.000000", "y1": "0.000000", "x2": "1.000000", "y2": "0.666667"},
    ]
    albums, texts = await on_telegram(platforms)
    assert albums == [contents[:10], contents[10:]]
    kept = json.loads(await text_of(office, row))["renderings"].values()
    [parts] = [one["parts"] for one in kept if "parts" in one]
    assert texts == [parts[0]["text"]]
    [article_sent] = [one["article"] for one in kept if "article" in one]
    assert sent["content"] == article_sent["content"]
    assert "图12 ［图片：海报12］" in sent["content"]

    # Whoever asks the bot for 最新发布 finds it, and /verify vouches for the words of the phone.
    async with office.deps.db.session() as session:
        query = select(Publication).where(Publication.state == State.PUBLISHED)
        out = (await session.scalars(query)).one()
    [latest] = await latest_on(office.deps.ledger, out.account_id)
    assert latest.title == "防汛海报"
    answer = await office.client().post(f"/verify/{out.id}", data={"text": parts[0]["text"]})
    told = await answer.text()
    assert "防汛海报" in told
    assert "一字不差" in told


async def test_a_swapped_order_is_another_digest_and_does_not_go_out(
    office: Office, platforms: Platforms
) -> None:
    crypt = DataKey(secrets.token_bytes(32))
    accounts = await accounts_at(office, platforms, crypt)
    markers = await stored(office, pictures(3))
    row = await approved(office, await drafted(office, markers))
    await publishing.schedule(office.deps.queue, row.id, office.people["editor"])
    # Somebody with the database swaps two pictures, and makes the rest agree.
    text = await text_of(office, row)
    draft = Draft.from_canonical(text)
    swapped = draft.changed({"blocks": laid_out([markers[1], markers[0], markers[2]])})
    async with office.deps.db.session() as session:
        rows = (await session.scalars(select(Account))).all()
        drawn, _ = office.deps.queue.render(rows, swapped.content)
        other = canonical(swapped, drawn)
        assert digest(other) != digest(text)
        await session.execute(
            update(Revision)
            .where(Revision.canonical == text)
            .values(canonical=other, digest=digest(other))
        )
        [publication] = (await session.scalars(select(Publication.release_id).distinct())).all()

    async def nothing(_draft: Draft) -> list[Any]:
        return []

    with pytest.raises(NotReleased):
        await Releases(office.deps.ledger, nothing).verify(publication)
    await send(office, platforms, accounts, crypt)
    assert not {State.SUBMITTED, State.PUBLISHED} & set((await states(office)).values())
    for method in ("draft/add", "sendMediaGroup", "sendPhoto", "sendMessage"):
        assert await captured(platforms, method) == []


async def test_moving_a_picture_voids_what_was_approved(office: Office) -> None:
    markers = await stored(office, pictures(3))
    row = await approved(office, await drafted(office, markers))
    before = digest(await text_of(office, row))
    turned = laid_out([markers[2], markers[1], markers[0]])
    row = await drafting.edit(
        office.deps.queue, row.id, office.people["editor"], row.version, {"blocks": turned}
    )
    assert digest(await text_of(office, row)) != before
    assert row.state == "draft"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (21, "图片消息最多 20 张图片，正文里有 21 张：请去掉 1 张，或分成两篇"),
        (0, "图片消息至少要有 1 张图片，正文里还没有：请添加图片，或把种类改为原创"),
    ],
)
async def test_too_many_or_no_pictures_are_a_finding_and_told_while_it_is_written(
    office: Office, count: int, words: str
) -> None:
    markers = await stored(office, pictures(count))
    row = await drafted(office, markers)
    _, found = await findings_now(office.deps.queue, row.id)
    [finding] = [one for one in found if one.rule.startswith("pictures.")]
    assert (finding.severity, finding.waivable, finding.reason) == ("block", False, words)
    if count:
        told = project(laid_out(markers)).text
        assert told[finding.start : finding.end] == f"![海报21]({markers[20]})"
    editor = await office.signed_in("editor")
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    before = page.split('id="before"', 1)[1].split("</section>", 1)[0]
    assert before.count(words) == 1
    with pytest.raises(Refused) as refused:
        await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)
    assert words in [one.message for one in refused.value.reasons]


async def test_an_animation_blocks_and_a_long_picture_asks_to_be_looked_at(office: Office) -> None:
    markers = await stored(office, [made.picture(), made.animated(), made.picture(100, 400)])
    row = await drafted(office, markers)
    _, found = await findings_now(office.deps.queue, row.id)
    told = {one.rule: (one.severity, one.reason) for one in found if "pictures." in one.rule}
    assert told["pictures.form"][0] == "block"
    assert "第 2 张" in told["pictures.form"][1]
    assert told["pictures.long"][0] == "warn"
    assert "第 3 张" in told["pictures.long"][1]


async def test_posters_of_somebody_else_name_their_original_as_a_repost_does(
    office: Office,
) -> None:
    url = "https://www.gov.cn/a.html"
    markers = await stored(office, pictures(2))
    row = await drafted(office, markers, attribution={"url": url, "source": "县应急局"})
    with pytest.raises(Refused, match="转载的图片消息缺少原标题"):
        await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)


async def test_the_review_form_lists_the_pictures_in_their_order(office: Office) -> None:
    markers = await stored(office, pictures(3))
    row = await drafted(office, [markers[2], markers[0], markers[1]], cover=markers[2])
    reviewer = await office.signed_in("reviewer1")
    _, page = await reviewer.get(f"/console/items/{row.id}/form")
    listed = re.findall(r"第 (\d) 张：海报\d</td>\s*<td class=\"mono\">([0-9a-f]{32})", page)
    order = (markers[2], markers[0], markers[1])
    assert listed == [(str(number), one[7:39]) for number, one in enumerate(order, 1)]
    assert "正文图片" not in page
