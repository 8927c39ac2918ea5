"""A table as it is read: each cell with what heads its column."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# What heads a column whose cells say who somebody is or how to reach them.
_PERSONAL_HEAD = re.compile(
    r"身份证|证件|公民身份|手机|电话|联系方式|银行|账号|帐号|账户|卡号|护照|通行证|住址|地址"
    r"|车牌|姓名|邮箱|社保|社会保障|医保|监护人"
)
_LONG_NUMBER = re.compile(r"\d[\d -]{5,}\d")


@dataclass
class Columns:
    """Remembers what heads each column of one table, so that a cell is read with its heading."""

    heads: dict[int, str] = field(default_factory=dict)
    _seen: bool = False

    def row(self, cells: Mapping[int, str]) -> dict[int, str]:
        """The cells of the next row, those under a telling heading prefixed with it."""
        short = {at: text for at, text in cells.items() if _is_heading(text)}
        if cells and len(short) * 2 > len(cells) and (not self._seen or _tells(short)):
            self._seen = self._seen or len(short) > 1
            self.heads |= short
            return dict(cells)
        return {at: self._with_head(at, text) for at, text in cells.items()}

    def _with_head(self, at: int, text: str) -> str:
        head = self.heads.get(at, "")
        if head and (_PERSONAL_HEAD.search(head) or _LONG_NUMBER.search(text)):
            return f"{head}：{text}"
        return text


def _is_heading(text: str) -> bool:
    return 0 < len(text.strip()) <= 20 and not re.search(r"\d{2}", text)


def _tells(cells: Mapping[int, str]) -> bool:
    return any(_PERSONAL_HEAD.search(text) and len(text.strip()) <= 12 for text in cells.values())
