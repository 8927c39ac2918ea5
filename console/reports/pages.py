"""报表: a year, a quarter or a month; each figure leads to its entries in the ledger."""

import asyncio
import json
from collections.abc import Mapping, Sequence

from aiohttp import web
from sqlalchemy import select

from config.clock import beijing, now
from console.web.deps import DEPS, visitor
from console.web.pages import form, page, see
from console.web.permissions import download, needs
from ledger.models import LedgerEntry
from ledger.verify import Broken
from staff import people as staff_people
from staff.refusal import Reason, Refused
from supervision.annual import MOST_WORDS, TEXTS, forms, names, tables
from supervision.archiving import archive_file, archived, size_words
from supervision.figures import COUNTED_LATER, LABELS, Counting, as_json
from supervision.report import (
    Differs,
    Filled,
    Given,
    counted,
    counted_words,
    differing,
    give,
    given_at,
    groups,
    people_of,
    period_of,
    rows_for,
)
from supervision.sheets import csv_of, sheets_of, xlsx_of

_PAGE = 100
_TAKE = "take."
"""Before the name of a field of which the other one's word counts."""
_FORMS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "json": "application/json",
}


async def counting_of(request: web.Request, period: str) -> Counting:
    """The figures of a period; Refused (409) while the chain does not hold."""
    span = period_of(period)
    try:
        return await counted(request.config_dict[DEPS].ledger, span)
    except Broken as broken:
        words = f"台账核验不通过，不能出报表：{broken}"
        raise Refused(409, [Reason("ledger", words)]) from broken


def periods() -> list[str]:
    """What a person most likely asks for: quarters of this year and the last, and both years."""
    year = beijing(now()).year
    return [str(year), *(f"{year}Q{n}" for n in range(1, 5)), str(year - 1), f"{year - 1}Q4"]


@needs("reports.read")
async def report(request: web.Request) -> web.StreamResponse:
    """The figures of a period, who decided what, and of a year the six parts."""
    today = beijing(now()).date()
    period = request.query.get("period") or f"{today.year}Q{(today.month + 2) // 3}"
    counting = await counting_of(request, period)
    kept = await archived(request.config_dict[DEPS].ledger)
    context = {
        "place": "reports",
        "period": period,
        "periods": periods(),
        "groups": groups(counting),
        "counted": counted_words(counting),
        "later": COUNTED_LATER,
        "deciding": await people_of(request.config_dict[DEPS].ledger, counting),
        "tables": tables(counting.given) if len(period) == 4 else (),
        "texts": counting.texts,
        "written": {part: name for name, part in TEXTS.items()},
        "archives": kept,
        "sizes": size_words(kept),
    }
    return page(request, "reports/page.html", context)


@needs("reports.give")
async def given(request: web.Request) -> web.StreamResponse:
    """What of the annual report only the office knows, as it was given last."""
    return await _form(request, await counting_of(request, _year(request)))


@needs("reports.give")
async def give_numbers(request: web.Request) -> web.StreamResponse:
    """Sign it, all at once; with a fault everything that was typed stays."""
    year, fields = _year(request), await form(request)
    theirs = await _theirs(request, year, fields)
    cells = {name: _whole(fields.get(name, "")) for name in names()}
    texts = {name: fields.get(f"text.{name}", "") for name in TEXTS}
    if "seq" in theirs.given:
        taken = {name.removeprefix(_TAKE) for name in fields if name.startswith(_TAKE)}
        cells |= {name: theirs.given.get(name, 0) for name in taken & set(cells)}
        texts |= {name: theirs.texts.get(name, "") for name in taken & set(texts)}
    deps, me = request.config_dict[DEPS], visitor(request).staff_id
    filled = {name: value for name, value in cells.items() if value != 0}
    try:
        await give(deps.ledger, year, Filled(filled, texts, _seen(fields)), me)
    except Refused as refused:
        typed, differs = Counting(period_of(year)), None
        typed.given, typed.texts = {**cells, "seq": _seen(fields)}, texts
        if isinstance(refused, Given):
            standing = await counting_of(request, year)
            base = await given_at(deps.ledger, year, _seen(fields))
            differs = differing(standing, Filled(cells, texts), base)
            # Who was shown what differs and gives theirs again means it.
            typed.given["seq"] = standing.given.get("seq", 0)
        return await _form(request, typed, refused, differs)
    return see(f"/console/reports?period={year}", "numbers_given")


async def _theirs(request: web.Request, year: str, fields: Mapping[str, str]) -> Counting:
    """What the other one gave, where somebody chose fields of it; else nothing."""
    nothing = Counting(period_of(year))
    if not any(name.startswith(_TAKE) for name in fields):
        return nothing
    standing = await counting_of(request, year)
    # Yet another one may have been given since: it was not what they saw.
    return standing if standing.given.get("seq", 0) == _seen(fields) else nothing


def _seen(fields: Mapping[str, str]) -> int:
    after = fields.get("after", "")
    return int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0


def _year(request: web.Request) -> str:
    year = request.match_info["period"]
    if len(year) != 4:
        raise Refused(404, [Reason("year", "只有年报要填报")])
    period_of(year)
    return year


def _whole(text: str) -> object:
    """A whole number; what is none stays as it was typed, and is a fault."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text or 0


async def _form(
    request: web.Request,
    counting: Counting,
    refused: Refused | None = None,
    differs: Sequence[Differs] | None = None,
) -> web.Response:
    """`differs`: from what somebody else gave while this one was filled in."""
    context = {
        "place": "reports",
        "year": request.match_info["period"],
        "forms": forms(),
        "given": counting.given,
        "after": counting.given.get("seq", 0),
        "texts": counting.texts,
        "parts": TEXTS,
        "most": MOST_WORDS,
        "reasons": refused.reasons if refused else (),
        "clashed": differs is not None,
        "differs": differs or (),
    }
    return page(request, "reports/given.html", context, refused.status if refused else 200)


@needs("reports.read")
async def rows(request: web.Request) -> web.StreamResponse:
    """The entries one figure is counted from."""
    deps, period = request.config_dict[DEPS], request.match_info["period"]
    figure, after = request.match_info["figure"], request.query.get("after", "0")
    all_of_it = rows_for(await counting_of(request, period), figure)
    left = [seq for seq in all_of_it if seq > (int(after) if after.isdecimal() else 0)]
    async with deps.db.session() as session:
        query = select(LedgerEntry).where(LedgerEntry.seq.in_(left[:_PAGE]))
        found = (await session.scalars(query.order_by(LedgerEntry.seq))).all()
        people = await staff_people.names(session, {row.actor for row in found})
    context = {
        "place": "reports",
        "period": period,
        "label": LABELS.get(figure, "审核结论"),
        "number": len(all_of_it),
        "entries": found,
        "people": people,
        "more": left[_PAGE - 1] if len(left) > _PAGE else None,
    }
    return page(request, "reports/rows.html", context)


@download
@needs("reports.read")
async def file(request: web.Request) -> web.StreamResponse:
    """The report as xlsx, CSV or the JSON that is recomputed offline."""
    period, form = request.match_info["period"], request.match_info["form"]
    if form not in _FORMS:
        raise Refused(404, [Reason("form", "只有 xlsx、csv 和 json")])
    counting = await counting_of(request, period)
    if form == "json":
        body = json.dumps(as_json(period, counting), ensure_ascii=False, indent=1).encode()
    else:
        people = await people_of(request.config_dict[DEPS].ledger, counting)
        sheets = sheets_of(period, counting, people)
        body = await asyncio.to_thread(xlsx_of if form == "xlsx" else csv_of, sheets)
    headers = {
        "Content-Disposition": f'attachment; filename="shenfa-{period}.{form}"',
        "Cache-Control": "no-store",
    }
    return web.Response(body=body, content_type=_FORMS[form], headers=headers)


@download
@needs("reports.archive")
async def archive(request: web.Request) -> web.StreamResponse:
    """The package of a month, exactly as it was signed."""
    deps, period = request.config_dict[DEPS], request.match_info["period"]
    place = await archive_file(deps.ledger, deps.settings.home, period)
    headers = {
        "Content-Disposition": f'attachment; filename="{place.name}"',
        "Content-Type": "application/zip",
        "Cache-Control": "no-store",
    }
    return web.FileResponse(place, headers=headers)


ROUTES = [
    web.get("/reports", report),
    web.get("/reports/archives/{period}", archive),
    web.get("/reports/{period}/file.{form}", file),
    web.get("/reports/{period}/given", given),
    web.post("/reports/{period}/given", give_numbers),
    web.get("/reports/{period}/{figure}", rows),
]
