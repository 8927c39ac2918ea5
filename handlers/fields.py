"""What each field of a reply template may hold. Never anybody's free text.

The fields of a held reply come from a row; a value that is not of its kind makes no reply.
"""

import re
from collections.abc import Callable, Mapping

from escalations.calendar import WEEKDAYS
from facets.criteria import ANY_TOPIC, BELOW_WORDS
from facets.taxonomy import DIMENSIONS, OR, Taxonomy
from knowledge.validity import STATUS_NAMES
from subscriptions.subscribers import FREQUENCIES, GONE, PAUSED, UNKNOWN_FREQUENCY

MAX_LINE = 300
Check = Callable[[str], object]

_DAY = r"\d{4}-\d{2}-\d{2}"
_DUE = rf"\d{{1,2}}月\d{{1,2}}日（周[{''.join(WEEKDAYS)}]）\d{{2}}:\d{{2}}"


def _shaped(pattern: str) -> Check:
    return re.compile(pattern).fullmatch


def _line(value: str) -> bool:
    # Titles are set with wide and hard blanks, which Python calls unprintable.
    return len(value) <= MAX_LINE and value.translate({0x3000: " ", 0xA0: " "}).isprintable()


def _list(value: str) -> bool:
    """Lines of names or of titles, each title with its address below it."""
    return all(line.startswith(("· ", "  http")) for line in value.split("\n"))


def checks(taxonomy: Taxonomy) -> Mapping[str, Check]:
    """For every field of the closed list, what it may hold."""
    facets = [taxonomy.facets[name].values() for name in DIMENSIONS]
    every = [one for values in facets for one in values]
    labels = "|".join(re.escape(one.label) for one in every)
    # A reason was said in the words of its day: a former label stays among the aliases.
    names = "|".join({re.escape(name) for one in every for name in (one.label, *one.aliases)})
    before, end = "(?:人群 |地区 |行业 |文种 )?", f"(?:{BELOW_WORDS})?"
    item = rf"{before}(?:(?:{labels})(?:{OR}(?:{labels}))*|{GONE}|{ANY_TOPIC}){end}"
    said = rf"{before}(?:(?:{names})(?:{OR}(?:{names}))*|{ANY_TOPIC}){end}"
    often = "|".join([*FREQUENCIES.values(), UNKNOWN_FREQUENCY])
    wish = rf"{item}(?:、{item})*(?:（(?:{often})(?:{PAUSED}{_DAY})?）)?"
    return {
        "account": _line,
        "count": str.isdecimal,
        "date": _shaped(rf"(?:{_DAY}|（{_DAY}）)?"),
        "due": _shaped(_DUE),
        "facet": _shaped(labels),
        "issuer": _line,
        "label": _line,
        "link": _shaped(r"(?:https?://\S+)?"),
        "list": _list,
        "number": _line,
        "phone": _shaped(r"[\d-]{3,20}"),
        "problem": _line,
        "reason": _shaped(rf"您订阅了 {said}(?:、{said})*"),
        "subscription": _shaped(rf"(?:{wish}(?:；{wish})*)?"),
        "ticket": _shaped(r"[0-9A-Z]{6}"),
        "title": _line,
        "validity": _shaped(rf"{'|'.join(STATUS_NAMES.values())}|当时有效，{_DAY} 起(?:失效|修改)"),
        "version": _shaped(r"[\d-]{4,20}"),
    }
