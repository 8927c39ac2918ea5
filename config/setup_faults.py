"""What is wrong with the form of a setup file, in words: every fault at once, each in its place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from config.setup import (
    FILL_IN,
    AccountSetup,
    ColumnSetup,
    RosterSetup,
    Setup,
    SourceSetup,
    StaffSetup,
)
from config.texts import Step

HOW: Mapping[str, str] = {
    "login": "小写字母开头，只用小写字母、数字和下划线，例如 editor1",
    "slug": "小写字母开头，只用小写字母、数字和连字符，例如 qinghe-news",
    "kind": "只能是 feed（RSS）、list（列表页）或 sitemap（网站地图）",
    "platform": "写平台的代号",
    "roles": "例如 [editor]",
    "alarm": "一行一种方式，例如 - mail: duty@example.gov.cn",
    "secrets": "一行一项“名称: 值”，例如 token: abcdef",
    "settings": "一行一项“名称: 值”，例如 push: mass",
    "hosts": "例如 [www.example.gov.cn]",
    "basis": "写依据文件的名称或文号，至少 4 个字",
    "valid_from": "例如 2026-01-01",
    "valid_to": "例如 2026-12-31，长期有效就去掉这一行",
    "second_factor_from": "例如 2026-12-01，或去掉这一行",
    "every_minutes": "写 1 以上的整数，例如 30",
    "tier": "写 0 到 9 的整数，0 最先被叫到",
    "allow_http": "只能写 true 或 false",
    "staff": "至少写一个人，每人以 - 开头",
    "policies": "一行一个文件，例如 - 政策/补贴办法.docx",
    "levels": "照 config/workflows.yaml 的写法，例如 日常: {levels: [...]}",
    "calendar": '例如 hotline: "12345"',
    "organisation": "写单位全称，例如 青禾县人民政府",
    "name": "例如 陈编辑",
    "url": "例如 https://www.example.gov.cn/xwzx/rss.xml",
    "api_base": "写平台的接口地址，以 https:// 开头",
}
"""How a field is written, by its name; `shenfa init --example` shows each in its place."""

_KINDS = {
    "missing": "没有写",
    "string_type": "应是文字，数字和 yes、no 要加引号",
    "string_too_short": "太短或是空的",
    "string_pattern_mismatch": "写法不对",
    "too_short": "是空的，至少要一项",
    "list_type": "应是一列，每项以 - 开头",
    "dict_type": "应是一组“名称: 值”",
    "model_type": "应是一组“名称: 值”",
    "int_type": "应是整数",
    "int_parsing": "应是整数",
    "int_from_float": "应是整数",
    "bool_type": "应是 true 或 false",
    "bool_parsing": "应是 true 或 false",
    "greater_than_equal": "太小",
    "less_than_equal": "太大",
}
_ROWS: Mapping[str, type[BaseModel]] = {
    "staff": StaffSetup,
    "accounts": AccountSetup,
    "sources": SourceSetup,
    "roster": RosterSetup,
    "columns": ColumnSetup,
}
_NAMES = {
    "staff": "人员", "accounts": "账号", "sources": "稿源", "roster": "值班表", "columns": "栏目",
    "policies": "政策文件", "levels": "审核级次", "calendar": "工作日历", "alarm": "提醒方式",
}  # fmt: skip

_STAND_INS = {
    "login": "x{}", "slug": "x-{}", "name": "x", "organisation": "xxxx", "basis": "xxxx",
    "valid_from": "2000-01-01", "allow_http": "true",
}  # fmt: skip
"""For a field that breaks the form, so that the others of its row are looked at all the same."""


@dataclass(frozen=True)
class Wrong:
    """One fault: the way to the field from the top of the file, and what is wrong with it."""

    where: tuple[Step, ...]
    words: str

    def line(self, number: int = 0) -> str:
        """The fault in one line; `number` is the line of the file where it stands."""
        place = f"第 {number} 行，" if number else ""
        return f"{place}{path_words(self.where)}：{self.words}" if self.where else self.words


def path_words(where: Sequence[Step]) -> str:
    """人员 staff[1].login: what people call the section, and the field as it is written."""
    said = "".join(f"[{one + 1}]" if isinstance(one, int) else f".{one}" for one in where)
    name = _NAMES.get(str(where[0]), "") if where else ""
    return f"{name} {said.removeprefix('.')}".strip()


def form_faults(data: Any) -> list[Wrong]:
    """Every break of the form, and every value that still says that it is to be filled in."""
    if not isinstance(data, dict):
        return [Wrong((), "应写成一项项“名称: 值”：请照 shenfa init --example 写出的文件填写")]
    blank = [Wrong(where, "还没有填写：请换成本单位的值，用不到就删去") for where in _blanks(data)]
    try:
        Setup.model_validate(data)
    except ValidationError as error:
        told = dict(map(_fault_of(data), error.errors()))
        known = {one.where for one in blank}
        return [*blank, *(Wrong(where, told[where]) for where in told if where not in known)]
    return blank


def _blanks(value: Any, above: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    if isinstance(value, str) and value.startswith(FILL_IN):
        yield above
    if isinstance(value, list):
        for number, part in enumerate(value):
            yield from _blanks(part, (*above, number))
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _blanks(part, (*above, str(name)))


def _fault_of(data: Any) -> Any:
    def of(error: Any) -> tuple[tuple[Step, ...], str]:
        where = _trimmed(data, error["loc"])
        return where, _words(error, where)

    return of


def _trimmed(data: Any, where: Sequence[Step]) -> tuple[Step, ...]:
    """Without the branches of a union, which pydantic names as if they stood in the file."""
    for depth, step in enumerate(where):
        if isinstance(data, dict):
            if step not in data:
                return tuple(where[: depth + 1])
            data = data[step]
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step]
        else:
            return tuple(where[:depth])
    return tuple(where)


def _words(error: Mapping[str, Any], where: tuple[Step, ...]) -> str:
    kind, name = str(error["type"]), str(where[-1]) if where else ""
    if kind == "extra_forbidden":
        return f"没有“{name}”这一项，{nearest(name, _fields_beside(where))}"
    if kind.startswith(("date", "time")):
        kind = "date"
    what = "应是日期" if kind == "date" else _KINDS.get(kind, "写法不对")
    named = next((str(one) for one in reversed(where) if not isinstance(one, int)), "")
    return f"{what}：请改正，{HOW.get(named, '写法见 shenfa init --example')}"


def nearest(name: str, known: Sequence[str]) -> str:
    """What a name that nobody knows may have been meant as, or which there are."""
    near = get_close_matches(name, known, 1, 0.5)
    return (
        f"最接近的是 {near[0]}：请改名或删去" if near else f"请改成 {'、'.join(known)} 之一或删去"
    )


def _fields_beside(where: tuple[Step, ...]) -> list[str]:
    section = next((str(one) for one in reversed(where[:-1]) if not isinstance(one, int)), "")
    return list(_ROWS.get(section, Setup).model_fields)


@dataclass(frozen=True)
class Readable:
    """What of a file keeps its form, each row by its number: for what must fit together."""

    data: Mapping[str, Any]
    staff: Mapping[int, StaffSetup]
    accounts: Mapping[int, AccountSetup]
    sources: Mapping[int, SourceSetup]
    roster: Mapping[int, RosterSetup]
    blank: frozenset[tuple[Step, ...]] = frozenset()

    def blank_in(self, where: tuple[Step, ...]) -> bool:
        """Whether something at this place is still to be filled in."""
        return any(blank[: len(where)] == where for blank in self.blank)

    def named(self, section: str, field: str) -> set[str]:
        """Every value of a field in a section, of rows that break the form too."""
        given = self.data.get(section)
        rows = given if isinstance(given, list) else []
        return {str(row[field]) for row in rows if isinstance(row, dict) and field in row}


def _kept(section: str, row: Any, number: int) -> Any:
    """A row with what of it keeps the form, the rest stood in for; None when too little is left."""
    try:
        return _ROWS[section].model_validate(row)
    except ValidationError as error:
        bad = {one["loc"][0] for one in error.errors() if one["loc"]}
    if not isinstance(row, dict):
        return None
    stand_ins = {name: value.format(number) for name, value in _STAND_INS.items()}
    stand_ins = {name: stand_ins[name] for name in bad if name in stand_ins}
    left = {name: value for name, value in row.items() if name not in bad}
    try:
        return _ROWS[section].model_validate(left | stand_ins)
    except ValidationError:
        return None


def readable(data: Any) -> Readable:
    """The rows of a file that keep their form."""
    given = data if isinstance(data, dict) else {}

    def rows(section: str) -> dict[int, Any]:
        found = given.get(section)
        kept = {}
        for number, row in enumerate(found if isinstance(found, list) else []):
            if (one := _kept(section, row, number)) is not None:
                kept[number] = one
        return kept

    return Readable(
        given,
        staff=rows("staff"),
        accounts=rows("accounts"),
        sources=rows("sources"),
        roster=rows("roster"),
        blank=frozenset(_blanks(given)),
    )
