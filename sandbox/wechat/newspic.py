"""图片消息 (newspic) in drafts: what the platform takes, and what it shows of one."""

import html
import re

from sandbox.state import JSON
from sandbox.wechat.account import Call, Official, WeChatError
from sandbox.wechat.media import material

NEWSPIC = "newspic"
MOST_PICTURES = 20
_RATIOS = ("1_1", "16_9", "2.35_1")
_EDGE = re.compile(r"0(?:\.\d{1,6})?|1(?:\.0{1,6})?")
_MARKUP = re.compile(r"<[a-zA-Z/!][^>]*>")


def checked_newspic(call: Call, article: JSON) -> JSON:
    """One picture message after the platform's limits (W41)."""
    title, content = str(article.get("title") or ""), str(article.get("content") or "")
    if not title or len(title) > 32:
        raise WeChatError(45003)
    if not content:
        raise WeChatError(44004)
    if len(content) >= 20_000 or len(content.encode()) >= 1024 * 1024:
        raise WeChatError(45002)
    # Plain text only: the page shows no mark-up here.
    if _MARKUP.search(content):
        raise WeChatError(45166)
    listed = (article.get("image_info") or {}).get("image_list")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_PICTURES:
        raise WeChatError(40035, f"image_list holds 1 to {MOST_PICTURES} pictures")
    names = [str(one.get("image_media_id") or "") for one in listed]
    found = [material(call, name) for name in names]
    # A temporary picture would vanish under the message, and a voice is none.
    if any(one["type"] not in ("image", "thumb") for one in found):
        raise WeChatError(40007)
    crops = (article.get("cover_info") or {}).get("crop_percent_list") or []
    for crop in crops:
        _checked_crop(crop)
    call.account.pictures |= {name: str(one["url"]) for name, one in zip(names, found, strict=True)}
    return article | {
        "image_info": {"image_list": [{"image_media_id": name} for name in names]},
        "digest": content[:54],
        "thumb_url": found[0]["url"],  # the first picture is the cover
        "url": "",
    }


def _checked_crop(crop: JSON) -> None:
    """A ratio of three, and its corners as parts of the picture's sides."""
    edges = [str(crop.get(name, "")) for name in ("x1", "y1", "x2", "y2")]
    if crop.get("ratio") not in _RATIOS or not all(map(_EDGE.fullmatch, edges)):
        raise WeChatError(40035)
    left, top, right, bottom = map(float, edges)
    if left >= right or top >= bottom:
        raise WeChatError(40035)


def is_newspic(item: JSON) -> bool:
    """Whether an article is a picture message."""
    return item.get("article_type") == NEWSPIC


def addresses(account: Official, item: JSON) -> list[str]:
    """Where the pictures of a message lie, in order; none of an article."""
    listed = (item.get("image_info") or {}).get("image_list") or [] if is_newspic(item) else []
    return [account.pictures[one["image_media_id"]] for one in listed]


def crop_of(item: JSON, ratio: str) -> str:
    """The part of the cover that is shown in this form, X1_Y1_X2_Y2, or nothing."""
    crops = (item.get("cover_info") or {}).get("crop_percent_list") or []
    return next(
        ("_".join(str(one[name]) for name in ("x1", "y1", "x2", "y2"))
         for one in crops if one["ratio"] == ratio), "",
    )  # fmt: skip


def shown(account: Official, item: JSON) -> str:
    """The pictures in order with their numbers, and the text below them."""
    places = addresses(account, item)
    pictures = "".join(
        f'<li><img src="{html.escape(place)}" alt="第 {number} 张"><span>{number}/{len(places)}'
        "</span></li>"
        for number, place in enumerate(places, 1)
    )
    text = html.escape(str(item["content"]))
    return f'<ol class="pictures">{pictures}</ol><p class="said">{text}</p>'
