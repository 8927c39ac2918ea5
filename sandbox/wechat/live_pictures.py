"""Pictures of an article that is out: never the bytes that were uploaded.

The platform makes them at most 640 or 1080 points wide and packs them anew; the address says which.
"""

import hashlib
import io
import re

from PIL import Image

from sandbox.state import State
from sandbox.wechat.account import Official

WIDTH, _QUALITY = 640, 75
_SRC = re.compile(r"""(<img\b[^>]*?\s(?:data-)?src=["'])([^"']*)""")


def served_anew(base: str, content: str) -> str:
    """The content with the addresses under which readers get its pictures."""
    own = f"{base}/wechat/media/"
    return _SRC.sub(lambda one: one[0] + (f"/{WIDTH}" if one[2].startswith(own) else ""), content)


def packed(kind: str, data: bytes) -> tuple[str, bytes]:
    """What a reader gets: smaller and anew; what moves, or cannot be opened, as it is."""
    if not kind.startswith("image/") or kind.startswith("image/gif"):
        return kind, data
    try:
        picture = Image.open(io.BytesIO(data)).convert("RGB")
    except OSError:  # taken by its first bytes alone, and no picture: as it came
        return kind, data
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, max(1, picture.height * WIDTH // picture.width)))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return "image/jpeg", out.getvalue()


def exchange(state: State, account: Official, title: str, place: int, data: bytes) -> int:
    """Put another picture in this place of every article with this title; how many were changed."""
    key = hashlib.sha256(data).hexdigest()[:32]
    state.keep_media(key, "image/png", data)
    changed = 0
    for kept in account.articles.values():
        for item in kept["items"]:
            tags = list(_SRC.finditer(str(item["content"])))
            if item["title"] != title or not 1 <= place <= len(tags):
                continue
            at = tags[place - 1]
            address = at[2].partition("/wechat/media/")[0] + f"/wechat/media/{key}/{WIDTH}"
            item["content"] = item["content"][: at.start(2)] + address + item["content"][at.end() :]
            changed += 1
    return changed
