"""Secrecy gate: marks of secret papers, and personal data with masked replacements."""

import re
from collections.abc import Callable, Iterator
from datetime import date

from stdnum import luhn
from stdnum.cn import ric

from review_queue.gates.finding import Context, Finding, Ground, Severity

_PRIVACY = "《中华人民共和国个人信息保护法》第二十五条、第二十八条；《政府信息公开条例》第十五条"
_MARKS = "《中华人民共和国保守国家秘密法》第三十五条；《保守国家秘密法实施条例》第四十二条"

_MARK = re.compile(
    r"(?:绝\s*密|机\s*密|秘\s*密)\s*[★☆✩✭⭐＊*](?:\s*(?:\d{1,2}\s*(?:年|个月|月)|长期))?"
    r"|^[ \t]*(?:绝密|机密|秘密)[ \t]*$",
    re.MULTILINE,
)
_MARKED = Ground("secrecy", "secrecy.classification-mark", "block",
                 "文中有密级标志，涉密文件不得公开发布", _MARKS, waivable=False)  # fmt: skip

_ID18 = re.compile(
    r"(?<![0-9A-Za-z])([1-8]\d{5})[ -]?((?:18|19|20)\d\d)[ -]?(\d\d)[ -]?(\d\d)"
    r"[ -]?(\d{3}[\dXx])(?![0-9A-Za-z])"
)
_ID15 = re.compile(r"(?<![0-9A-Za-z.])([1-8]\d{5})(\d\d)(\d\d)(\d\d)(\d{3})(?![0-9A-Za-z.])")
_MOBILE = re.compile(
    r"(?<![0-9A-Za-z])(?<!\d[-.,])(?:\+?86[ -]?)?1[3-9]\d"
    r"(?:[ -]?\d{4}[ -]?\d{4}|[ -]?\d{3}[ -]\d{5}|\d[ -]?\d{3}[ -]?\d{4})(?![0-9])(?!\.\d)"
)
_MAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,10}(?![A-Za-z0-9])"
)
_CARD = re.compile(
    r"(?<![0-9A-Za-z.])[3-6]\d{3}(?:[ -]?\d{4}){2,3}(?:[ -]?\d{1,4})?(?![0-9A-Za-z])"
)
_PASSPORT = re.compile(r"(?<![A-Za-z0-9])(?:[EGDSPH]\d{8}|E[A-HJ-NP-Z]\d{7})(?![A-Za-z0-9])")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][-· ]?"
    r"(?=[A-HJ-NP-Z]*\d)[A-HJ-NP-Z0-9]{5,6}(?![A-Za-z0-9])"
)
_HOME = re.compile(
    r"(?:家庭住址|家庭地址|现住址|住址|户籍地址|居住地址)(?:为|是|[:： ])\s*"
    r"[\u4e00-\u9fffA-Za-z0-9-]{4,30}?\d+(?:号楼|栋|幢|单元|室|号)"
)

_AMOUNT_AFTER = re.compile(r"\s*(?:元|万|亿|吨|人次|千瓦|平方|公里|亩|户|件|号文|〕)")
_SERIAL_BEFORE = re.compile(
    r"(?:编号|索引号|备案号?|许可证号?|证书号|流水号|订单号|条形码|批准文号|案号|文号|代码"
    r"|注册号|批号|QQ群?|qq|金额|总额|合计|产值|投资额?|预算|资金)"
    r"(?:[（(].{1,4}[)）])?[:： 为是]{0,3}$"
)
_URL_BEFORE = re.compile(r"(?:https?://|www\.)[^\s\u4e00-\u9fff，。]*$")
_BANK = re.compile(r"银行|卡号|账号|帐号|账户|帐户|开户|储蓄卡|信用卡|借记卡|存折")
_IDENTITY = re.compile(r"身份证|证件号|公民身份|居民身份")
_PASSPORT_WORD = re.compile(r"护照|证件")

_PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "83",
    ]
)


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Marks and personal data of one field; a stretch is told once, by the surest kind."""
    dense = ctx.dense.text
    if "密" in dense:
        for match in _MARK.finditer(dense):
            yield ctx.mark_dense(match.span(), _MARKED)
    taken = bytearray(len(dense))
    for kind in _KINDS:
        for finding, span in kind(ctx, dense):
            if taken.find(1, *span) < 0:
                taken[span[0] : span[1]] = b"\1" * (span[1] - span[0])
                yield finding


_Personal = Iterator[tuple[Finding, tuple[int, int]]]


def _told(
    ctx: Context, match: re.Match[str], rule: str, severity: Severity, said: tuple[str, str]
) -> tuple[Finding, tuple[int, int]]:
    """One finding: `said` is what it is, and its masked form."""
    ground = Ground(
        gate="secrecy",
        rule=f"secrecy.{rule}",
        severity=severity,
        reason=f"{said[0]}，公开前应当去标识化",
        basis=_PRIVACY,
        waivable=False,
    )
    return ctx.mark_dense(match.span(), ground, [said[1]]), match.span()


def _is_serial(dense: str, start: int, end: int) -> bool:
    """A sum, a serial number or a part of a web address, not a person's number."""
    before = dense[max(0, start - 80) : start]
    return bool(
        _AMOUNT_AFTER.match(dense, end)
        or _SERIAL_BEFORE.search(before)
        or _URL_BEFORE.search(before)
    )


def _dated(year: int, month: int, day: int) -> bool:
    """A real date of birth between 1900 and 2100."""
    try:
        born = date(year, month, day)
    except ValueError:
        return False
    return 1900 <= born.year <= 2100


def _id_cards(ctx: Context, dense: str) -> _Personal:
    for match in _ID18.finditer(dense):
        number = "".join(match.groups()).upper()
        if number[:2] not in _PROVINCES or not _dated(*map(int, match.group(2, 3, 4))):
            continue
        mask = number[:2] + "*" * 16
        if ric.calc_check_digit(number) == number[-1]:
            yield _told(ctx, match, "id-card", "block", ("公民身份号码（校验位正确）", mask))
        elif _IDENTITY.search(ctx.around(*match.span())):
            said = "写作身份证号但校验位不符，可能有错字；身份号码"
            yield _told(ctx, match, "id-card-invalid", "warn", (said, mask))
    for match in _ID15.finditer(dense):
        year, month, day = (int(part) for part in match.group(2, 3, 4))
        if match[1][:2] not in _PROVINCES or not _dated(1900 + year, month, day):
            continue
        if _is_serial(dense, *match.span()):
            continue
        severity: Severity = "block" if _IDENTITY.search(ctx.around(*match.span())) else "warn"
        mask = match[1][:2] + "*" * 13
        yield _told(ctx, match, "id-card-15", severity, ("疑似15位旧式身份证号", mask))


def _mobiles(ctx: Context, dense: str) -> _Personal:
    for match in _MOBILE.finditer(dense):
        if not _is_serial(dense, *match.span()):
            digits = re.sub(r"\D", "", match[0])[-11:]
            yield _told(ctx, match, "mobile", "block", ("手机号码", digits[:3] + "*" * 8))


def _mails(ctx: Context, dense: str) -> _Personal:
    if "@" not in dense:
        return
    for match in _MAIL.finditer(dense):
        name, host = match[0].split("@")
        official = host.lower().endswith("gov.cn")
        severity: Severity = "hint" if official else "warn"
        said = "单位邮箱，请确认可以公开；邮箱" if official else "电子邮箱"
        yield _told(ctx, match, "e-mail", severity, (said, f"{name[0]}***@{host}"))


def _cards(ctx: Context, dense: str) -> _Personal:
    for match in _CARD.finditer(dense):
        digits = re.sub(r"\D", "", match[0])
        named = _BANK.search(ctx.around(*match.span()))
        lengths = (15, 16, 17, 18, 19) if named else (16, 19)
        if len(digits) not in lengths or not luhn.is_valid(digits):
            continue
        if not named and _is_serial(dense, *match.span()):
            continue
        severity: Severity = "block" if named else "warn"
        yield _told(ctx, match, "bank-card", severity, ("银行卡号", "*" * len(digits)))


def _passports(ctx: Context, dense: str) -> _Personal:
    for match in _PASSPORT.finditer(dense):
        if _PASSPORT_WORD.search(ctx.around(*match.span())):
            yield _told(ctx, match, "passport", "block", ("护照号码", match[0][0] + "*" * 8))


def _plates(ctx: Context, dense: str) -> _Personal:
    for match in _PLATE.finditer(dense):
        yield _told(ctx, match, "plate", "warn", ("车牌号码", match[0][:2] + "*****"))


def _homes(ctx: Context, dense: str) -> _Personal:
    for match in _HOME.finditer(dense):
        ground = Ground("secrecy", "secrecy.home-address", "warn",
                        "家庭住址，公开时只到乡镇、街道", _PRIVACY)  # fmt: skip
        yield ctx.mark_dense(match.span(), ground), match.span()


_KINDS: tuple[Callable[[Context, str], _Personal], ...] = (
    _id_cards,
    _cards,
    _mobiles,
    _mails,
    _passports,
    _plates,
    _homes,
)
