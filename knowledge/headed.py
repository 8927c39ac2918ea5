"""What a policy says of itself: title, 文号, issuer, its day, from when to when it is in force.

Pure. Only what is the document's own counts: a number, an issuer or a day it cites is another's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from documents.lines import without_blanks
from documents.own_number import (
    ORDER,
    ORDER_HEAD,
    is_order_number,
    is_own_number,
    number_behind,
    own_number,
)
from knowledge.ending import in_force
from knowledge.in_force import DAY, counted, day_in

_ORGAN = (
    r"(?:人民政府|政府|国务院|办公厅|办公室|委员会|常务委员会|代表大会|中央|厅|局|部|署|省委|市委|县委|区委"
    r"|旗委|盟委|军委|军区|法院|检察院|总局|管委会|指挥部|中心|银行|总工会|联合会|妇联|团委|会|院|司)"
)
_NAME = rf"[\u4e00-\u9fff]{{1,28}}?{_ORGAN}(?:[(（][\u4e00-\u9fff]{{2,14}}[）)])?"
_NAMES = re.compile(rf"{_NAME}(?:[ 、\u3000]+{_NAME}){{0,9}}|国务院")
_SIGNED = re.compile(rf"[（(]?(?:成文日期|发布日期|发文日期)?[：:]?{DAY}[）)]?")
_TITLE_WORD = re.compile(
    r"(?:通知|答复|预案|名录|名单|章程|准则|公约|守则|请示|指引|若干条款|意见|办法|规定|措施|方案|要点|条例|公告|通告|决定|细则|规划|计划|指南|批复|函|通报|解读|问答"
    r"|法|规则|规程|目录|标准|清单|决议|命令|令|公报|报告|制度|规范|纲要|政策)"
    r"(?:[（(][^）)]{1,20}[）)])*[》）)]*"
)
_TITLE_ISSUER = re.compile(
    rf"(?P<who>{_NAMES.pattern})[ \u3000]*"
    r"(?=关于|印发|转发|批转|公布|发布|令|公告|通告|对(?!口|外|接|标|照|应|等))"
)
_SPACED = re.compile(r"(?:[\u4e00-\u9fff《》（）、“”][ \u3000\xa0]{1,2}){3,}[\u4e00-\u9fff》）”]")
_REMARK = re.compile(r"[（(](?:此件|此文|本文|本件|此页)[^（）()]{2,20}[）)]$")
_ORDER_END = re.compile(r"(?:令|公告|通告)$")
_WHOLE = re.compile(
    r"的(?:[\u4e00-\u9fff]{0,6})(?:通知|意见|决定|复函|函|批复|公告|通告|通报|报告|请示|答复|办法|措施|方案|规定"
    r"|细则|决议|公报|通告|命令|解释)(?:[（(][^）)]{1,20}[）)])*$"
)
_ENACTED = re.compile(
    r"(?:现)(?:将|予以?)?(?:公布|发布)(?:修订后的|修改后的)?《([^《》]{3,80})》"
    r"|《([^《》]{3,80}(?:〈[^〉]+〉[^《》]{0,20})?)》[^。]{0,160}?(?:公布|发布|施行)"
)
_ABOVE = re.compile(
    r"\d{1,8}|[A-Z]{2,8}[-—][\d—-]{5,16}|(?:绝密|机密|秘密|内部)[★☆]?.{0,8}|特急|加急|平急|急件|签发人.*|[ABC]\d{0,2}|主动公开|依申请公开"
)
_TITLE = 160
_LONGEST = 300
_DIGITS = {char: str(at) for at, char in enumerate("〇一二三四五六七八九")} | {
    "零": "0",
    "○": "0",
    "Ｏ": "0",
    "O": "0",
}


@dataclass(frozen=True)
class Head:
    """What was found; what was not stays empty."""

    title: str = ""
    doc_number: str = ""
    issuer: str = ""
    issued_on: date | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    starts_later: str = ""  # the words of a start whose day could not be worked out


def head_of(text: str, title: str = "", fallback: str = "", *, issued: date | None = None) -> Head:
    """All that a text says of itself; `title` and `issued` when they are known already.

    `fallback` is the title of a text without one.
    """
    lines = [line for line in map(_plain_line, text.split("\n")) if line]
    title = title.strip() or title_of(lines) or fallback
    whole, (title, _) = title, number_behind(title)
    days = [_with_digits(line) for line in lines]
    issued = issued or _issued(days)
    force = in_force("\n".join(days), issued)
    number = own_number(lines, whole)
    issuer = _issuer(lines, days, title)
    return Head(title[:_LONGEST], number, issuer, issued, force.start, force.end, force.unknown)


def _plain_line(raw: str) -> str:
    """A line without the blanks of its layout and what is said of its publication behind it."""
    line = _REMARK.sub("", without_blanks(raw.strip())).strip()
    return re.sub(r"\s", "", line) if _SPACED.fullmatch(line) else line


# --- title ------------------------------------------------------------------------------------


def title_of(lines: Sequence[str]) -> str:
    """The title: what an order puts into force, else the lines above number or addressees."""
    return _ordered(lines) or _block(lines) or _first_title(lines)


def _ordered(lines: Sequence[str]) -> str:
    """The title that the words of an order put into force: 《某办法》已经通过，现予公布."""
    at = _order_head(lines)
    found = _ENACTED.search("".join(lines[at + 2 : at + 6])) if at is not None else None
    return (found[1] or found[2]) if found else ""


def _order_head(lines: Sequence[str]) -> int | None:
    """Where a line names an order or announcement whose number stands below it."""
    heads = (at for at, one in enumerate(lines[:4]) if ORDER_HEAD.fullmatch(one))
    return next((at for at in heads if any(map(is_order_number, lines[at + 1 : at + 2]))), None)


def _block(lines: Sequence[str]) -> str:
    """The first lines that are no head, no number and no sentence, as far as the title reaches."""
    start = next((at for at, one in enumerate(lines[:12]) if not _is_head(one)), None)
    if start is None:
        return ""
    end = start
    while end < len(lines) and end - start < 7 and not _stops(lines[end]):
        end += 1
    told = lines[start:end]
    if end == len(lines) or not told or not any(_is_end_of_title(one) for one in told):
        return ""
    joined = ""
    for at, line in enumerate(told):
        joined += line
        following = told[at + 1 :]
        goes_on = bool(following) and following[0].startswith(("的", "》", "）"))
        if _is_end_of_title(line) and not goes_on and not _unfinished(joined, following):
            return joined if len(joined) <= _TITLE else ""
    return ""


def _unfinished(joined: str, following: Sequence[str]) -> bool:
    """Whether a title that names its kind already goes on: 关于某制度 / 某制度的指导意见."""
    if _WHOLE.search(joined) or ("关于" not in joined and "印发" not in joined):
        return False
    return any(_WHOLE.search(one) for one in following)


def _is_head(line: str) -> bool:
    """What may stand above a title: 某局文件, a number, a degree of secrecy or haste, a day."""
    above = (line.endswith("文件") and "关于" not in line) or _ABOVE.fullmatch(line) is not None
    return above or _is_number(line) or _SIGNED.fullmatch(_with_digits(line)) is not None


def _stops(line: str) -> bool:
    """What stands below a title: number, addressees, a day, a sentence, the first clause."""
    begins = line.startswith(("（", "(", "第一章", "目录", "目 录", "总则"))
    told = _plain(line) or len(line) > 60 or re.search(r"[。；]", line) is not None
    return told or (begins and not _is_end_of_title(line))


def _first_title(lines: Sequence[str]) -> str:
    """The first line that ends as titles do, with the lines it began on or goes on in."""
    for at, line in enumerate(lines[:40]):
        if not _is_end_of_title(line):
            continue
        begin, end = at, at + 1
        while begin > 0 and at - begin < 3 and _leads(lines[begin - 1], lines[begin]):
            begin -= 1
        while end < len(lines) and end - at < 3 and _follows(lines[end]):
            end += 1
        return "".join(lines[begin:end])
    return next((line for line in lines[:40] if 4 <= len(line) <= 60 and not _is_number(line)), "")


def _is_end_of_title(line: str) -> bool:
    ends = list(_TITLE_WORD.finditer(line))
    told = bool(ends) and ends[-1].end() == len(line)
    return told and 2 <= len(line) <= 120 and not line.endswith("文件") and not _plain(line)


def _plain(line: str) -> bool:
    """Whether a line is a sentence, a number or a date rather than a part of a title."""
    return (
        line.endswith(tuple("。：；！？，:;,"))
        or line.startswith(("附件", "一、", "（一）", "第一条", "根据", "为了", "现将"))
        or _is_number(line)
        or re.fullmatch(rf"[（(]?{DAY}.*", _with_digits(line)) is not None
    )


def _is_number(line: str) -> bool:
    return is_own_number(line) or re.fullmatch(r"第?\d{1,5}号", line) is not None


def _leads(line: str, following: str) -> bool:
    """Whether a title begins in this line and goes on in the one that follows."""
    if _plain(line) or len(line) > 60 or line.endswith(("文件", "令", "公告")):
        return False
    unfinished = "关于" in line and "关于" not in following
    goes_on = following.startswith(("关于", "的", "印发", "转发", "》", "和", "、"))
    cut = line.endswith(("关于", "印发", "转发", "的", "和", "、", "《", "及"))
    return unfinished or (goes_on and _is_issuer_or_part(line)) or cut


def _is_issuer_or_part(line: str) -> bool:
    return _NAMES.fullmatch(line) is not None or "关于" in line


def _follows(line: str) -> bool:
    return line.startswith(("的", "》")) and _is_end_of_title(line) and len(line) <= 40


# --- issuer -----------------------------------------------------------------------------------


def _issuer(lines: Sequence[str], days: Sequence[str], title: str) -> str:
    """Who issued it, several with a blank between: by the title, the signature, or the head."""
    if found := _TITLE_ISSUER.match(title):
        return _names(found["who"])
    order = next((m for line in lines[:6] if (m := ORDER.fullmatch(line)) and m["who"]), None)
    if order is not None and _NAMES.fullmatch(order["who"].strip()):
        return _names(order["who"])
    if (at := _order_head(lines)) is not None:
        return _names(_ORDER_END.sub("", lines[at]))
    signed = next((at for at, day in enumerate(days) if _signature_day(day) is not None), None)
    if signed is not None:
        own = days[signed][: _signature_day(days[signed])].strip()
        names = [own] if own else []
        for line in reversed(lines[max(signed - 8, 0) : signed]):
            if own or not _NAMES.fullmatch(line):
                break
            names.insert(0, line)
        if names:
            return _names(" ".join(names))
    for line in [*lines[:6], *lines[-8:]]:
        line = line.removesuffix("文件")
        if _NAMES.fullmatch(line):
            return _names(line)
    return ""


_TWO = re.compile(r"(?<=[委央])(办公[厅室])(?=国务院|[\u4e00-\u9fff]{2,10}?人民政府)")
_OF_STATE = re.compile(r"^中华人民共和国(?=国务院|[\u4e00-\u9fff]{2,16}(?:部|署|委员会|局)$)")


def _names(text: str) -> str:
    """Who issued it, a blank between; a body of the state as its papers and boxes name it."""
    parted = _TWO.sub(r"\1 ", text.strip())
    return " ".join(_OF_STATE.sub("", one) for one in re.split(r"[ 、\u3000]+", parted))


def _signature_day(line: str) -> int | None:
    """Where the day begins in a line that is a day, alone or after the names of who signs."""
    found = re.search(rf"{DAY}$", line)
    if found is None:
        return 0 if _SIGNED.fullmatch(line) else None
    before = line[: found.start()].strip()
    if not before or _SIGNED.fullmatch(line):
        return 0 if _SIGNED.fullmatch(line) else found.start()
    return found.start() if _NAMES.fullmatch(before) else None


# --- days -------------------------------------------------------------------------------------


def _with_digits(line: str) -> str:
    """A line whose days are in figures (二〇二六年三月二日 no longer), without blanks in them."""
    line = re.sub(
        r"([〇零○ＯO一二三四五六七八九]{4})\s?年",
        lambda m: "".join(_DIGITS[c] for c in m[1]) + "年",
        line,
    )
    line = re.sub(
        r"(?<=\d年)([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日",
        lambda m: f"{counted(m[1])}月{counted(m[2])}日",
        line,
    )
    return re.sub(r"(?<=\d)\s+(?=[年月日])|(?<=[年月])\s+(?=\d)", "", line)


def _issued(lines: Sequence[str]) -> date | None:
    """The day under the signature, else the first that stands alone on a line."""
    for line in lines:
        if _signature_day(line) is not None and (found := re.search(DAY, line)):
            return day_in(found)
    # The printer's line at the foot stands in for a day that is nowhere else.
    printed = (re.search(rf"{DAY}印发$", line) for line in reversed(lines))
    found = next((one for one in printed if one), None)
    return day_in(found) if found else None
