"""The words that go out beside title and text, and signs in any of them that nobody sees. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from blocks.document import Picture
from blocks.text import linked
from gates.finding import Finding
from review_queue.canonical import ATTRIBUTION, Draft

_PAGES = ("http:", "https:")
_TURNING = "\u202a-\u202e\u2066-\u2069"  # what follows is shown in another order
_UNSEEN = "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
_HIDDEN = re.compile(f"([{_TURNING}]+)|[{_UNSEEN}]+")
_BASIS = "《互联网新闻信息服务管理规定》第十二条（信息发布审核）"


@dataclass(frozen=True)
class Beside:
    """Words of one field; `label` is what staff call it. `written`: a person wrote them as text."""

    field: str
    label: str
    words: str
    written: bool = False


def beside(draft: Draft) -> list[Beside]:
    """Everything readers are shown that is neither title nor text, field by field."""
    blocks = draft.blocks.blocks if draft.blocks is not None else ()
    named = [draft.attribution.get(name, "") for name in ATTRIBUTION if name != "url"]
    files = [part["name"] for part in draft.attachments]
    origins = [one.origin for one in blocks if isinstance(one, Picture)]
    # Mail and telephone: of pages the address is followed, of these it is only words.
    reached = [one.url for one in linked(draft.blocks)] if draft.blocks is not None else []
    numbers = [url.partition(":")[2] for url in reached if not url.lower().startswith(_PAGES)]
    fields = (
        Beside("summary", "摘要", draft.summary, written=True),
        Beside("author", "作者", draft.author, written=True),
        Beside("changes", "更正说明", draft.corrects.changes if draft.corrects else ""),
        # A title that is also the original's was read as title.
        Beside("attribution", "署名", _lines(one for one in named if one != draft.title)),
        Beside("picture_origin", "图片来源", _lines(origins)),
        Beside("attachment_names", "附件名", _lines(files)),
        Beside("addresses", "邮箱和电话", _lines(numbers)),
    )
    return [one for one in fields if one.words]


def _lines(words: Iterator[str] | list[str]) -> str:
    """Each once, a line each."""
    return "\n".join(dict.fromkeys(filter(None, words)))


def hidden_findings(draft: Draft) -> Iterator[Finding]:
    """Signs that make readers see other words than were written, or that nobody sees at all.

    The gates pass over them; what stands on the screen is then not what was checked.
    """
    fields = [("title", "", draft.title), ("text", "", draft.body)]
    fields += [(one.field, f"{one.label}：", one.words) for one in beside(draft)]
    for field, label, words in fields:
        for match in _HIDDEN.finditer(words):
            start, end = max(match.start() - 1, 0), match.end() + 1
            text = words[start:end]
            does = "会改变文字显示的顺序" if match[1] else "谁也看不见"
            yield Finding(
                gate="wording",
                rule="wording.hidden-sign",
                severity="block",
                field=field,
                start=start,
                end=start + len(text),
                text=text,
                reason=f"{label}这里夹着控制符，{does}，看到的和检查的不是同一段文字。请删去",
                basis=_BASIS,
                suggestion=_HIDDEN.sub("", text),
            )
