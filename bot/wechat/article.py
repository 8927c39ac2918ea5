"""An article of blocks as HTML for WeChat, in constructions that outlive its back office. Pure.

What is saved there loses boxes, marks of lists, backgrounds and positions (docs/platforms.md#W18),
so none of them carries a meaning here: numbers and marks stand in the text, borders only in tables.
"""

import html
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import css_inline

from blocks.document import (
    Attachment,
    Block,
    Divider,
    Document,
    Heading,
    ListBlock,
    Paragraph,
    Picture,
    Quote,
    Run,
    Table,
)
from blocks.text import DIVIDER
from bot.wording import Grid, address, caption_line, grid_of, list_lines, rows_in_words

MOST_COLUMNS = 6
"""A table with more cannot be read on a phone, and becomes lines."""
KEPT_HOSTS = frozenset({"mp.weixin.qq.com"})
"""Links that stay pressable in an article; of others the platform keeps the words (#W18)."""

STYLE = """
section{font-size:16px;line-height:1.8;color:#222}
p{margin:0 0 1em}
img{max-width:100%}
h2{font-size:20px;line-height:1.4;margin:1.4em 0 .6em}
h3{font-size:17px;line-height:1.5;margin:1.2em 0 .5em}
blockquote{margin:0 0 1em 1.5em;color:#666}
table{width:100%;margin:0 0 1em;border-collapse:collapse;font-size:14px;line-height:1.5}
td,th{border:1px solid #ccc;padding:4px}
.t5{font-size:12px}
.l1{margin:0 0 .4em 1.5em;text-indent:-1.5em}
.l2{margin:0 0 .4em 3em;text-indent:-1.5em}
.l3{margin:0 0 .4em 4.5em;text-indent:-1.5em}
.l4{margin:0 0 .4em 6em;text-indent:-1.5em}
.end{margin-bottom:1em}
.mid{text-align:center}
.pic{text-align:center;margin-bottom:.4em}
.cap{text-align:center;font-size:14px;line-height:1.5;color:#666}
.src{font-size:14px;color:#666}
"""
_CLASS = re.compile(r'(<\w+) class="[a-z0-9 ]+"')  # no text holds one: its brackets are escaped


def article_html(document: Document, first: Iterable[str], last: Iterable[str]) -> str:
    """The whole text; `first` and `last` are small lines above and below it."""
    parts = [
        *(_small(line) for line in first),
        *(block_html(block) for block in document.blocks),
        *(_small(line) for line in last),
    ]
    inlined = css_inline.inline_fragment(
        f"<section>{''.join(parts)}</section>", STYLE, load_remote_stylesheets=False
    )
    return _CLASS.sub(r"\1", str(inlined))


def _looks() -> dict[str, str]:
    """What each class becomes in an article, back to its name."""
    points = [f"l{depth}{end}" for depth in range(1, 5) for end in ("", " end")]
    names = [*(("p", name) for name in (*points, "mid", "pic", "cap", "src")), ("table", "t5")]
    found = {}
    for tag, name in names:
        one = css_inline.inline_fragment(f'<{tag} class="{name}"></{tag}>', STYLE)
        found[_STYLED.findall(str(one))[0][1]] = name
    return found


_STYLED = re.compile(r'(<\w+(?: [\w-]+="[^"]*")*?) style="([^"]*)"')
_LOOKS = _looks()


def with_names(shown: str) -> str:
    """An article with its looks named by classes again, for a page that takes no styles."""

    def named(found: re.Match[str]) -> str:
        name = _LOOKS.get(found[2], "")
        return found[1] + (f' class="{name}"' if name else "")

    return _STYLED.sub(named, shown)


def block_html(block: Block) -> str:
    """One block, its looks still named by classes."""
    if isinstance(block, Heading):
        size = "h2" if block.level == 1 else "h3"
        return f"<{size}>{_runs(block.runs)}</{size}>"
    if isinstance(block, Paragraph):
        return f"<p>{_runs(block.runs)}</p>"
    if isinstance(block, Quote):
        return f"<blockquote>{_runs(block.runs)}</blockquote>"
    if isinstance(block, Divider):
        return f'<p class="mid">{DIVIDER}</p>'
    if isinstance(block, Picture):
        return _picture(block)
    if isinstance(block, Attachment):
        return _small(f"附件：{block.name}")
    return _list(block) if isinstance(block, ListBlock) else _table(block)


def columns_of(table: Table) -> int:
    """How many columns a phone would have to show side by side."""
    return grid_of(table).width


def can_be_read(table: Table) -> bool:
    """Whether a phone shows it as a table or in lines that say what each field is."""
    grid = grid_of(table)
    return grid.width <= MOST_COLUMNS or bool(grid.head)


def _small(line: str) -> str:
    return f'<p class="src">{html.escape(line, quote=False)}</p>'


def _runs(runs: Sequence[Run]) -> str:
    return "".join(map(_run, runs)).strip()


def _run(run: Run) -> str:
    text = html.escape(run.text, quote=False).replace("\n", "<br>")
    if run.bold:
        text = f"<strong>{text}</strong>"
    if not run.link:
        return text
    # A browser takes a backslash for the end of the host; then it would be another one.
    if "\\" not in run.link and urlsplit(run.link).hostname in KEPT_HOSTS:
        return f'<a href="{html.escape(run.link)}">{text}</a>'
    return text + html.escape(address(run), quote=False)


def _picture(block: Picture) -> str:
    image = f'<img src="{block.media}" alt="{html.escape(block.alt)}">'
    caption = caption_line(block)
    if not caption:
        return f"<p>{image}</p>"
    words = html.escape(caption, quote=False)
    return f'<p class="pic">{image}</p><p class="cap">{words}</p>'


def _list(block: ListBlock) -> str:
    lines = list(list_lines(block))
    found = []
    for number, (depth, mark, item) in enumerate(lines, 1):
        end = " end" if number == len(lines) else ""
        found.append(f'<p class="l{depth}{end}">{mark}{_runs(item.runs)}</p>')
    return "".join(found)


def _table(block: Table) -> str:
    grid = grid_of(block)
    if grid.width > MOST_COLUMNS and grid.head:
        return _in_lines(grid)
    rows = []
    for row in block.rows:
        cells = []
        for cell in row.cells:
            tag = "th" if cell.head else "td"
            wide = f' colspan="{cell.colspan}"' if cell.colspan > 1 else ""
            high = f' rowspan="{cell.rowspan}"' if cell.rowspan > 1 else ""
            cells.append(f"<{tag}{wide}{high}>{_runs(cell.runs)}</{tag}>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    small = ' class="t5"' if grid.width >= 5 else ""
    return f"<table{small}><tbody>{''.join(rows)}</tbody></table>"


def _in_lines(grid: Grid) -> str:
    paragraphs = []
    for row in filter(None, rows_in_words(grid)):
        lines = []
        for one in row:
            label = html.escape(one.label, quote=False)
            lines.append(f"{label}：{_runs(one.runs)}" if label else _runs(one.runs))
        paragraphs.append(f"<p>{'<br>'.join(lines)}</p>")
    return "".join(paragraphs)
