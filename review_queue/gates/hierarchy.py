"""Place names against the table of divisions: what lies elsewhere, and what was renamed."""

import re
from collections.abc import Iterator

from review_queue.gates.finding import Context, Finding, Ground, Place
from review_queue.gates.places import DIVISIONS

_BASIS = "《行政区划管理条例》；《地名管理条例》；中华人民共和国县级以上行政区划"
_HIERARCHY = Ground("wording", "wording.place-hierarchy", "warn", "行政区划隶属关系不对", _BASIS)
_RENAMED = Ground(
    "wording", "wording.place-renamed", "warn", "行政区划已经变更，请用现在的名称", _BASIS
)
_UNKNOWN = Ground(
    "wording", "wording.place-unknown", "warn", "现行行政区划中没有这个名称，请核对", _BASIS
)
_ROADS = re.compile(
    r"[东西南北中一二三0-9]*(?:路|街|大道|大街|巷|大学|学院|站|店|饭店|宾馆|银行|队)"
)
_OLD_PREFECTURE = re.compile(r"[\u4e00-\u9fff]{2,4}?(?:市|地区|盟|自治州)")
_COUNTY = re.compile(r"([\u4e00-\u9fff]{1,7}?)(?:自治县|县|市|区|旗|行政委员会)")
_NOT_A_NAME = re.compile(
    r"[的等及和与或各全所该本辖有为在一二三两多个其]|政府|[新园社景林矿灾地片特城郊山校院厂库牧港疫市老辖小学居]区$"
    r"|(?:开发|保税|合作|示范|试验|功能|度假|保护|管理|高新|工业|经济|技术)区$"
)


def misplaced(ctx: Context) -> Iterator[Finding]:
    """A division name written directly behind one that does not contain it."""
    by_start = _by_start(ctx)
    for upper in ctx.places:
        lowers = by_start.get(upper.end, [])
        if (
            not lowers
            or not _is_upper(upper, ctx)
            or not _touching(ctx, upper.start, lowers[0].end)
        ):
            continue
        wrong = _wrong(upper, lowers, ctx)
        if wrong is None:
            continue
        parents = DIVISIONS.parents.get(wrong, set())
        above = sorted(parents - DIVISIONS.provinces or parents)
        better = [above[0] + wrong] if len(above) == 1 else []
        if wrong in DIVISIONS.provinces:
            better = [wrong]
        yield ctx.mark_dense((upper.start, lowers[0].end), _HIERARCHY, better)


def renamed(ctx: Context) -> Iterator[Finding]:
    """Province, prefecture and county in a row, of which one no longer exists under that name."""
    by_start = _by_start(ctx)
    text = ctx.dense.text
    for province in ctx.places:
        if province.name not in DIVISIONS.provinces:
            continue
        known = [
            place
            for place in by_start.get(province.end, [])
            if place.name in DIVISIONS.children[province.name] & DIVISIONS.prefectures
        ]
        if known:
            end, middle = known[0].end, known[0].name
        else:
            old = _OLD_PREFECTURE.match(text, province.end)
            if old is None or old[0] in DIVISIONS.parents or old[0] in DIVISIONS.provinces:
                continue
            end, middle = old.end(), ""
        county = _COUNTY.match(text, end)
        if county is None or not _touching(ctx, province.start, county.end()):
            continue
        yield from _changed(ctx, (province, middle), county)


def _changed(ctx: Context, above: tuple[Place, str], county: re.Match[str]) -> Iterator[Finding]:
    """Judge one county behind its province and prefecture (empty when that is unknown)."""
    province, middle = above
    span = (province.start, county.end())
    if middle:
        inside = DIVISIONS.children[middle]
        if any(ctx.dense.text.startswith(name, county.start()) for name in inside):
            return
        now = [middle + name for name in sorted(inside) if _same_stem(county[1], name)]
    else:
        below = DIVISIONS.children[province.name] & DIVISIONS.prefectures
        now = [
            upper + name
            for upper in sorted(below)
            for name in sorted(DIVISIONS.children[upper])
            if name == county[0] or _same_stem(county[1], name)
        ]
    if now:
        yield ctx.mark_dense(span, _RENAMED, [province.name + name for name in now])
    elif (
        middle
        and county[0] not in DIVISIONS.parents
        and 3 <= len(county[0]) <= 4
        and not _NOT_A_NAME.search(county[0])
    ):
        yield ctx.mark_dense(span, _UNKNOWN)


def _same_stem(stem: str, name: str) -> bool:
    """Whether a present name is the old stem with another rank: 滦县 is 滦州市 now."""
    if len(stem) == 1:
        return name == stem + "州市"
    return name.startswith(stem) and (len(name) == len(stem) + 1 or name.endswith("自治县"))


def _by_start(ctx: Context) -> dict[int, list[Place]]:
    """The places by where they begin, longest first."""
    by_start: dict[int, list[Place]] = {}
    for place in ctx.places:
        by_start.setdefault(place.start, []).append(place)
    return by_start


def _touching(ctx: Context, start: int, end: int) -> bool:
    """Whether nothing was dropped between two ends: cells of a table are not one name."""
    left, right = ctx.dense.original(start, end)
    return right - left == end - start


def _is_upper(place: Place, ctx: Context) -> bool:
    """A full province or prefecture name, or a short province name that does not end a word."""
    if place.name in DIVISIONS.provinces or place.name in DIVISIONS.prefectures:
        return True
    before = ctx.dense.text[place.start - 1 : place.start] if place.start else ""
    return place.name in DIVISIONS.short and not re.match(r"[\u4e00-\u9fff]", before)


def _wrong(upper: Place, lowers: list[Place], ctx: Context) -> str | None:
    """The full name of the lower place when none of its readings lies in the upper one."""
    name = DIVISIONS.full(upper.name)
    names = [DIVISIONS.full(lower.name) for lower in lowers]
    if any(DIVISIONS.may_follow(name, other) for other in names) or name in names:
        return None
    longest = lowers[0]
    if longest.name in DIVISIONS.short or _ROADS.match(ctx.dense.text, longest.end):
        return None
    if name in DIVISIONS.prefectures and names[0] in DIVISIONS.provinces | DIVISIONS.prefectures:
        return None
    return names[0]
