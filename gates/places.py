"""The table of administrative divisions: which name lies in which."""

from collections import defaultdict
from functools import cached_property
from pathlib import Path

import config

TABLE = Path(config.__file__).parent / "rules" / "divisions.tsv"
RENAMED = Path(config.__file__).parent / "rules" / "renamed.tsv"
# Names that are also common nouns: "苏州市老城区" says nothing about 洛阳.
_COMMON = frozenset(
    [
        "新城区",
        "市中区",
        "城中区",
        "城东区",
        "城西区",
        "城北区",
        "城南区",
        "城关区",
        "城区",
        "郊区",
        "矿区",
        "老城区",
        "新市区",
        "东区",
        "西区",
        "南区",
        "北区",
        "开发区",
        "新区",
        "港口区",
        "江北区",
        "江南区",
        "山区",
        "县城",
        "海港区",
        "东城区",
        "西城区",
        "城厢区",
        "南城县",
        "新县",
        "和平区",
        "新兴区",
    ]
)


class Divisions:
    """Full names (and short names of provinces and prefectures) with the chains above them.

    The table has a line for each prefecture: province, prefecture (empty for what hangs directly
    below the province), its counties; tab between columns, space between counties.
    """

    def __init__(self, table: str) -> None:
        """Read the table's text."""
        self.provinces: set[str] = set()
        self.prefectures: set[str] = set()
        self.parents: dict[str, set[str]] = defaultdict(set)  # name -> names it may stand behind
        self.children: dict[str, set[str]] = defaultdict(set)  # and the names that may stand there
        self.short: dict[str, str] = {}  # short province name -> full one
        for line in table.splitlines():
            province, prefecture, counties = line.split("\t")
            self.provinces.add(province)
            if prefecture:
                self.prefectures.add(prefecture)
                self.parents[prefecture].add(province)
            for county in counties.split():
                self.parents[county] |= {province, prefecture} - {""}
        for name, uppers in self.parents.items():
            for upper in uppers:
                self.children[upper].add(name)
        for name in self.provinces:
            short = name.removesuffix("特别行政区").removesuffix("自治区")
            short = short.removesuffix("省").removesuffix("市")
            self.short[short.removesuffix("壮族").removesuffix("回族").removesuffix("维吾尔")] = (
                name
            )

    @cached_property
    def cities(self) -> frozenset[str]:
        """The provinces that are cities, their counties directly below them."""
        return frozenset(name for name in self.provinces if name.endswith("市"))

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that are looked for."""
        counties = {name for name in self.parents if len(name) > 2 and name not in _COMMON}
        stems = {name[:-1] for name in self.prefectures if len(name) > 3 and name[-1] in "市盟"}
        return frozenset(counties | stems | self.provinces | set(self.short))

    def now(self, upper: str, prefecture: str) -> list[str]:
        """The present prefectures that took over an old one of a province; empty for none."""
        if prefecture in self.children[upper] & self.prefectures:
            return [prefecture]
        stem = prefecture.removesuffix("地区").removesuffix("盟").removesuffix("市")
        same = [stem + end for end in "市盟" if stem + end in self.children[upper]]
        return RENAMES.prefectures.get((upper, prefecture)) or same

    def full(self, name: str) -> str:
        """The full name of a short province or prefecture name; the name itself otherwise."""
        if name in self.short:
            return self.short[name]
        if name in self.parents or name in self.provinces:
            return name
        return next((name + end for end in "市盟" if name + end in self.prefectures), name)

    def may_follow(self, upper: str, lower: str) -> bool:
        """Whether the division `lower` (full name) lies in `upper` (full name)."""
        return upper in self.parents[lower] if lower in self.parents else False


DIVISIONS = Divisions(TABLE.read_text(encoding="utf-8"))


class Renames:
    """Old names of divisions that a look at the present table cannot explain.

    A line: province, old prefecture (empty for what hung directly below the province), old county
    (empty when the line is about the prefecture), and what it is now, written without the province.
    """

    def __init__(self, table: str) -> None:
        """Read the table's text."""
        self.prefectures: dict[tuple[str, str], list[str]] = {}
        self.counties: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for line in table.splitlines():
            province, prefecture, county, now = line.split("\t")
            if county:
                self.counties[county].append((province, prefecture, now))
            else:
                self.prefectures[province, prefecture] = now.split()


RENAMES = Renames(RENAMED.read_text(encoding="utf-8"))
