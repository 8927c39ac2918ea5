"""What stands on the platform against what was released: block by block, picture by picture.

The platform takes styles and addresses of its own, so that words and pictures are compared and
nothing else. A mass send stands in no list, so its page is opened as a reader opens it. What is not
listed, or has a captcha before it, is not concluded here: looking.py tells what is gone.
"""

import html
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import lxml.etree
import lxml.html

from bot.read_back import Asked, ReadBack
from bot.render import MARKER
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused
from bot.wechat.live_pictures import Pictures, compare, compare_cover, pictures_of
from bot.wechat.looking import MOST_LOOKS, Open, articles_of
from bot.wechat.newspic import is_newspic
from bot.wechat.rendering import DEFAULT_COVER

PAGES, PAGE = 2, 20
PICTURES_FOR = 120.0  # seconds of one turn of an account; what is left is unread until the next
_BLOCK = re.compile(r"</?(?:p|section|h[1-6]|li|ul|ol|tr|td|th|table|blockquote|br|hr|div)\b[^>]*>")
_TAG = re.compile(r"<[^>]+>")
_PICTURE = re.compile(r"<img\b")
_TITLE, _CONTENT = "activity-name", "js_content"
"""The parts of a page of WeChat, by id."""
_ENOUGH = 3  # faults told of one article; a person looks at it anyway


async def altered(
    client: AioWeChatClient, page: Open, asked: Sequence[Asked], pictures: Pictures
) -> list[ReadBack]:
    """What was found of each that could be read."""
    sent = [one.standing.url for one in asked if one.standing.ref.startswith("mass:")]
    there = await _there(client) if len(sent) < len(asked) else {}
    for url in [one for one in sent if one][:MOST_LOOKS]:
        if (found_there := article_on(await page(url))) is not None:
            there[url] = found_there
    until = time.monotonic() + PICTURES_FOR
    found = []
    for one in asked:
        stands, released = there.get(one.standing.url), one.rendering.get("article")
        if stands is not None and released:
            found.append(await _held(one, released, stands, pictures.until(until)))
    return found


async def _held(
    one: Asked, released: Mapping[str, Any], stands: Mapping[str, Any], pictures: Pictures
) -> ReadBack:
    faults, ours, theirs = differences(released, stands), pictures_of(released), pictures_of(stands)
    if is_newspic(released) and not theirs:  # listed without the addresses of its pictures
        return ReadBack(one.standing, tuple(faults))
    if not all(MARKER.fullmatch(picture.source) for picture in ours):
        return ReadBack(one.standing, tuple(faults))
    told = await compare(pictures, ours, theirs, one.digests)
    address = str(stands.get("thumb_url") or "")  # not of a page, which shows none
    if address and released.get("thumb", DEFAULT_COVER) != DEFAULT_COVER:
        cover = await compare_cover(pictures, released, address, one.digests)
        told.faults[:0] = cover.faults
        told.digests |= cover.digests
        told.unread += cover.unread
    faults += told.faults[:_ENOUGH]
    return ReadBack(one.standing, tuple(faults), told.digests, tuple(told.unread))


async def _there(client: AioWeChatClient) -> dict[str, Mapping[str, Any]]:
    """The newest articles that stand, with their text, by address."""
    found: dict[str, Mapping[str, Any]] = {}
    try:
        for number in range(PAGES):
            data = {"offset": number * PAGE, "count": PAGE, "no_content": 0}
            rows = (await client.post("freepublish/batchget", data=data)).get("item") or []
            for _, article in articles_of(rows):
                if not article.get("is_deleted"):
                    found[str(article.get("url", ""))] = article
            if len(rows) < PAGE:
                break
    except (WeChatRefused, NotSent, NoAnswer):
        return {}  # asked again at the next turn
    return found


def article_on(page: str) -> Mapping[str, Any] | None:
    """Title and content of an article's page; None where a page shows something else."""
    if _CONTENT not in page:
        return None
    parser = lxml.html.HTMLParser(encoding="utf-8")
    try:  # as bytes: a text that says how it is encoded is refused
        tree = lxml.html.document_fromstring(page.encode(errors="replace"), parser=parser)
    except lxml.etree.ParserError:  # nothing in it but a comment
        return None
    content, title = tree.find(f".//*[@id='{_CONTENT}']"), tree.find(f".//*[@id='{_TITLE}']")
    if content is None or title is None:
        return None
    inner = lxml.html.tostring(content, encoding="unicode", with_tail=False)
    return {"title": "".join(map(str, title.itertext())), "content": inner}


def differences(released: Mapping[str, Any], stands: Mapping[str, Any]) -> list[str]:
    """What an article says otherwise, naming the block; empty when it is what was released."""
    faults = []
    if _plain(str(released.get("title", ""))) != _plain(str(stands.get("title", ""))):
        faults.append("标题不同")
    said, seen = (str(one.get("content", "")) for one in (released, stands))
    if is_newspic(released) and _PICTURE.search(seen):  # its page, which writes numbers between
        return faults if _plain(said) in _plain(_TAG.sub("", seen)) else [*faults, "文字不同"]
    ours, theirs = blocks_of(said), blocks_of(seen)
    for number in range(max(len(ours), len(theirs))):
        mine = ours[number] if number < len(ours) else ""
        other = theirs[number] if number < len(theirs) else ""
        if mine != other:
            faults.append(f"第 {number + 1} 段不同，放行的是“{mine[:30]}”")
            if len(theirs) != len(ours):
                break  # every further one is moved by the one that is missing
    wanted, held = len(_PICTURE.findall(said)), len(_PICTURE.findall(seen))
    if wanted != held:
        faults.append(f"放行时有 {wanted} 张图片，现在是 {held} 张")
    return faults[:_ENOUGH]


def blocks_of(content: str) -> list[str]:
    """The words of each block, in order; a block without words is none."""
    parts = (_plain(_TAG.sub("", part)) for part in _BLOCK.split(content))
    return [part for part in parts if part]


def _plain(text: str) -> str:
    return "".join(html.unescape(text).split())
