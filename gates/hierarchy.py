"""Place names against the table of divisions: what lies elsewhere, and what was renamed."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from gates.finding import Context, Finding, Ground, Place
from gates.places import DIVISIONS, RENAMES
from gates.words import kind_of

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
    r"[的等及和与行或各全所该本辖有为在一二三两多个其]|政府|[新园社景林矿灾地片特城郊山校院厂库牧港疫市老辖小学居]区$"
    r"|(?:开发|保税|合作|示范|试验|功能|度假|保护|管理|高新|工业|经济|技术)区$"
)
# 区域, 县级, 市直, 区县 and the like: the last character of the "name" begins another word.
_GOES_ON = re.compile(r"[域级块位间情城委直属市县区划际界内外长民场井容镇乡舰帜]")


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
    """A county behind its province or prefecture, of which one no longer has that name."""
    by_start = _by_start(ctx)
    done: set[int] = set()  # where counties end that were judged with their province
    for place in ctx.places:
        if place.name in DIVISIONS.provinces:
            chain = _chain(ctx, place, by_start)
        elif place.name in DIVISIONS.prefectures:
            chain = _below_prefecture(ctx, place)
        else:
            continue
        if chain is None or chain.end in done or not _touching(ctx, chain.start, chain.end):
            continue
        done.add(chain.end)
        yield from _changed(ctx, chain)


class _Chain(NamedTuple):
    """A province, what stands behind it as prefecture and county, and where all that is."""

    province: str
    prefecture: str  # as written; empty for a county directly below
    county: str
    start: int
    end: int
    shown: str  # the province as it stands in the text, empty when it does not

    def rewritten(self, now: str) -> str:
        """The present name, beginning as the text begins."""
        return self.shown + now


def _chain(ctx: Context, province: Place, by_start: dict[int, list[Place]]) -> _Chain | None:
    text, name = ctx.dense.text, province.name
    known = [
        place.name
        for place in by_start.get(province.end, [])
        if place.name in DIVISIONS.children[name] & DIVISIONS.prefectures
    ]
    old = _OLD_PREFECTURE.match(text, province.end)
    middle = known[0] if known else ""
    if not known and old and _was_prefecture(name, old[0]):
        middle = old[0]
    county = _county(text, province.end + len(middle), name, middle)
    direct = name in DIVISIONS.cities and not middle
    if not county or (not middle and not direct and not _left_out(text, province, county)):
        return None
    end = province.end + len(middle) + len(county)
    return _Chain(name, middle, county, province.start, end, name)


def _below_prefecture(ctx: Context, place: Place) -> _Chain | None:
    """A county behind a present prefecture without its province: only what the table names."""
    for province in DIVISIONS.parents[place.name]:
        county = _old_county(ctx.dense.text, place.end, province, place.name)
        if county:
            end = place.end + len(county)
            return _Chain(province, place.name, county, place.start, end, "")
    province = min(DIVISIONS.parents[place.name], default="")
    near = _near_county(ctx.dense.text, place)
    if not near:
        return None
    return _Chain(province, place.name, near, place.start, place.end + len(near), "")


def _near_county(text: str, place: Place) -> str:
    """What stands behind a prefecture and is one character off one of its counties."""
    for size in (3, 4):
        said = text[place.end : place.end + size]
        alike = [
            name
            for name in DIVISIONS.children[place.name]
            if len(name) == size
            and said[-1:] == name[-1]
            and len(said) == size
            and _differing(said, name) == 1
        ]
        if len(alike) == 1 and said not in DIVISIONS.parents and not _NOT_A_NAME.search(said):
            return said
    return ""


def _left_out(text: str, province: Place, county: str) -> bool:
    """河北省丰南县: an old county directly behind its province, the prefecture left out."""
    name = province.name
    if _renamed_to(name, "", county):
        return True
    here = province.end + len(county)
    if county in DIVISIONS.parents or len(county) < 3 or _GOES_ON.match(text, here):
        return False
    heirs = _like_named(name, "", county)
    return len(heirs) == 1 and heirs[0] not in DIVISIONS.prefectures


def _was_prefecture(province: str, name: str) -> bool:
    return name not in DIVISIONS.prefectures and bool(DIVISIONS.now(province, name))


def _county(text: str, at: int, province: str, prefecture: str) -> str:
    """The county name at a place of the text: one that was renamed, or whatever looks like one."""
    old = _old_county(text, at, province, prefecture)
    match = None if old else _COUNTY.match(text, at)
    return old or (match[0] if match else "")


def _old_county(text: str, at: int, province: str, prefecture: str) -> str:
    """The longest renamed county of a prefecture that stands here."""
    if any(text.startswith(name, at) for name in DIVISIONS.children[prefecture or province]):
        return ""
    lengths = range(min(12, len(text) - at), 1, -1)
    names = (text[at : at + length] for length in lengths)
    return next((name for name in names if _renamed_to(province, prefecture, name)), "")


def _renamed_to(province: str, prefecture: str, county: str) -> list[str]:
    """What the table of renamed counties says, if anything."""
    heirs = DIVISIONS.now(province, prefecture) if prefecture else [""]
    return [
        now
        for upper, old, now in RENAMES.counties.get(county, ())
        if upper == province and (old == prefecture or old in heirs)
    ]


def _changed(ctx: Context, chain: _Chain) -> Iterator[Finding]:
    """Judge one chain: what the table says, else what present names say."""
    province, middle, county = chain[:3]
    span = (chain.start, chain.end)
    now = _renamed_to(province, middle, county)
    if not now:
        gone = middle and middle not in DIVISIONS.prefectures
        inside = set() if gone else DIVISIONS.children[middle or province]
        if any(ctx.dense.text.startswith(name, chain.end - len(county)) for name in inside):
            return
        now = _like_named(province, middle, county)
    if now:
        yield ctx.mark_dense(span, _RENAMED, [chain.rewritten(name) for name in now])
    elif (
        middle in DIVISIONS.prefectures
        and county not in DIVISIONS.parents
        and 3 <= len(county) <= 4
        and not _NOT_A_NAME.search(county)
    ):
        yield from _unknown(ctx, chain)


def _unknown(ctx: Context, chain: _Chain) -> Iterator[Finding]:
    """What looks like a county of the prefecture, is none, and is no other word either."""
    near = [
        name
        for name in sorted(DIVISIONS.children[chain.prefecture])
        if len(name) == len(chain.county) and _differing(name, chain.county) == 1
    ]
    # 加强区域 begins with a verb: only what is no word at all, or a name, can be meant as a place.
    kind = kind_of(chain.county[:-1])
    if _GOES_ON.match(ctx.dense.text, chain.end) or kind[:2] not in ("", "ns", "nr", "nz"):
        return
    better = [chain.rewritten(chain.prefecture + near[0])] if len(near) == 1 else []
    yield ctx.mark_dense((chain.start, chain.end), _UNKNOWN, better)


def _differing(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def _like_named(province: str, middle: str, county: str) -> list[str]:
    """Present counties of the same stem: in the prefecture, in its heirs, or in the province."""
    stem = _COUNTY.match(county)
    if stem is None:
        return []
    if not middle:
        return [name for name in DIVISIONS.children[province] if _same_stem(stem[1], name)]
    uppers = DIVISIONS.now(province, middle)
    below = DIVISIONS.children[province] & DIVISIONS.prefectures
    for places in (uppers, [] if middle in DIVISIONS.prefectures else sorted(below)):
        found = [
            upper + name
            for upper in places
            for name in sorted(DIVISIONS.children[upper])
            if name == county or _same_stem(stem[1], name)
        ]
        if found:
            return found
    return []


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
