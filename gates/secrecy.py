"""Secrecy gate: marks of secret and internal papers told from talk about them; personal data."""

import re
from collections.abc import Iterator

from gates.finding import NEAR, Context, Finding, Ground
from gates.personal import find_personal

_MARKS = "《中华人民共和国保守国家秘密法》第三十五条；《保守国家秘密法实施条例》第四十二条"
_OPENNESS = "《政府信息公开条例》第十五条、第十七条；公文公开属性标注（此件公开发布）"

_BODY = "[局厅部委办府室院会处署队团校省市县区旗盟]"
_MARK = re.compile(
    r"(?:绝\s*密|机\s*密|秘\s*密)\s*[★☆✩✭⭐＊*](?:\s*(?:\d{1,2}\s*(?:年|个月|月)|长期))?"
    # Alone in its line, with the number, the term or the haste that stand beside it on a page.
    r"|^[ \t]*(?:\d{1,6}[ \t]*)?(?:[特加平]急)?[ \t]*(?:绝密|机密|秘密)[ \t]*"
    r"(?:\d{1,2}年|长期)?[ \t]*(?:[特加平]急)?[ \t]*$"
    # Behind the red head without a blank, or before it, as a template puts both into one line.
    rf"|(?<={_BODY}文件)(?:绝密|机密|秘密)(?=[ \t]*(?:$|[特加平]急|\d{{1,2}}年|长期|\d{{6}}$))"
    rf"|^[ \t]*(?:\d{{1,6}}[ \t]*)?(?:绝密|机密|秘密)(?=[\u4e00-\u9fff]{{1,30}}{_BODY}文件[ \t]*$)"
    r"|密级[:： ]{1,2}(?:绝密|机密|秘密)",
    re.MULTILINE,
)
# A ringed or boxed 密: the one character, or as a word processor lays a ring over it.
_RINGED = re.compile(
    r"㊙|(?<![○〇◯⭕□▢☐◻⬜])[○〇◯⭕□▢☐◻⬜▣■◎]\ufe0f?密(?=[件级★☆\s，。；：）]|$)"
    r"|^[ \t]*[（(【\[〔]密[）)】\]〕]",
    re.MULTILINE,
)
_INTERNAL = re.compile(
    r"^[ \t]*[（(【\[]?(?:工作秘密|内部资料|内部文件|内部参阅|内部掌握)[）)】\]]?[ \t]*$"
    r"|工作秘密\s*[★☆]",
    re.MULTILINE,
)
_TALK = re.compile(r"“[^“”\n]*$|(?:标注|标明|标有|加盖|标识|标志|字样|如|例如)[^。\n]{0,12}$")
_MARKED = Ground("secrecy", "secrecy.classification-mark", "block",
                 "文中有密级标志，涉密文件不得公开发布", _MARKS, waivable=False)  # fmt: skip
_RING = Ground("secrecy", "secrecy.classification-mark", "block",
               "文中有带圈、带框的“密”字，涉密文件不得公开发布", _MARKS)  # fmt: skip
_WORK_SECRET = Ground("secrecy", "secrecy.work-secret-mark", "block",
                      "文中有工作秘密或内部资料标志，不得公开发布",
                      "《中华人民共和国保守国家秘密法》第六十四条；《政府信息公开条例》第十六条",
                      waivable=False)  # fmt: skip
_MENTIONED = Ground("secrecy", "secrecy.classification-mention", "hint",
                    "文中说到密级标志，请确认只是说明，不是本件的标志", _MARKS)  # fmt: skip
_OWN_NUMBER = re.compile(r"^[\u4e00-\u9fff]{2,12}〔(?:19|20)\d\d〕\d{1,5}号$", re.MULTILINE)
_OPEN_MARK = re.compile(r"此件(?:主动)?公开")
_UNMARKED = Ground(
    "secrecy",
    "secrecy.openness-unmarked",
    "hint",
    "公文没有注明公开属性（此件公开发布），请核对可以公开的依据",
    _OPENNESS,
)


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Marks and personal data of one field."""
    dense = ctx.dense.text
    if "密" in dense:
        yield from _classified(ctx, dense)
    for match in _RINGED.finditer(ctx.text):
        spoken = _TALK.search(_line_before(ctx.text, match.start()))
        yield ctx.mark(match.span(), _MENTIONED if spoken else _RING)
    if "秘密" in dense or "内部" in dense:
        for match in _INTERNAL.finditer(dense):
            yield ctx.mark_dense(match.span(), _WORK_SECRET)
    # A short notice that quotes a number is no document of its own.
    if ctx.field == "text" and len(dense) > 200:
        own = _OWN_NUMBER.search(dense)
        if own and not _OPEN_MARK.search(dense):
            yield ctx.mark_dense(own.span(), _UNMARKED)
    yield from find_personal(ctx)


def _classified(ctx: Context, dense: str) -> Iterator[Finding]:
    """A mark stands alone or at an edge; inside quotation marks, or after 标注, it is spoken of."""
    for match in _MARK.finditer(dense):
        spoken = _TALK.search(_line_before(dense, match.start()))
        yield ctx.mark_dense(match.span(), _MENTIONED if spoken else _MARKED)


def _line_before(text: str, at: int) -> str:
    """What stands before it in its line alone: rules about marking speak of 密级 all the time."""
    return text[max(0, at - NEAR) : at].rpartition("\n")[2]
