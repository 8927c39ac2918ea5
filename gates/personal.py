"""Personal data: recognisers with their checks, each with a masked replacement.

A recogniser yields findings with their span in the dense text. Office numbers (landlines, hotlines,
文号, sums, serial numbers, web addresses) are not personal.
"""

import re
from collections.abc import Callable, Iterator

from stdnum import luhn
from stdnum.cn import ric

from documents.parts import Severity
from documents.persons import SURNAMES
from gates.broken import cut_numbers
from gates.contacts import accounts, homes, is_serial, mails, mobiles
from gates.finding import Context, Finding
from gates.grounds import told_of
from gates.identity import LENGTH, PROVINCES, dated, odd_identities
from gates.redaction import PERSONAL
from gates.stories import minors, names_beside, recombined, tracks

# What people put between the figures of a number, or a form between its boxes.
_GAP = "[ \u00a0\u2000-\u200a\u3000－—–‐‑−·•．./-]?"
_ID18 = re.compile(
    rf"(?<![0-9A-Za-z])([1-9](?:{_GAP}\d){{5}}){_GAP}((?:1{_GAP}[89]|2{_GAP}0)(?:{_GAP}\d){{2}})"
    rf"{_GAP}(\d{_GAP}\d){_GAP}(\d{_GAP}\d){_GAP}((?:\d{_GAP}){{3}}[\dXx×Хх])(?![0-9A-Za-z])"
)
_ID15 = re.compile(r"(?<![0-9A-Za-z.])([1-8]\d{5})(\d\d)(\d\d)(\d\d)(\d{3})(?![0-9A-Za-z.])")
_HIDES = "*×Xx＊✱●■○□◆#＃_?？•…﹡"
_ID_MASKED = re.compile(
    rf"(?<![0-9A-Za-z*])(?=[0-9 {_HIDES}-]{{14,26}}(?![0-9A-Za-z*]))"
    rf"[1-9]\d{{1,5}}[ -]?\d{{0,8}}[ -]?"
    rf"\d{{0,3}}[{_HIDES}]{{1,17}}[ -]?[\d{_HIDES}]{{0,12}}[ -]?[\d{_HIDES}]{{0,4}}"
    r"(?![0-9A-Za-z*×])"
)
_RESIDENCE = re.compile(r"(?<![A-Za-z0-9])[A-Z]{3}\d{12}(?!\d)")
_CARD = re.compile(
    r"(?<![0-9A-Za-z.])[3-6]\d{3}(?:[ -]?\d{4}){2,3}(?:[ -]?\d{1,4})?(?![0-9A-Za-z])"
)
_PASSPORT = re.compile(r"(?<![A-Za-z0-9])(?:[EGDSPH]\d{8}|E[A-HJ-NP-Z]\d{7})(?![A-Za-z0-9])")
_PERMIT = re.compile(r"(?<![A-Za-z0-9])(?:[HM]\d{8}(?:\d\d)?|C[A-Z]?\d{7,8}|\d{8})(?![A-Za-z0-9])")
_HONG_KONG = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,2}\d{6}[(（]?[0-9A][)）]?(?![A-Za-z0-9])")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][-· ]?"
    r"(?=[A-HJ-NP-Z]*\d)[A-HJ-NP-Z0-9]{5,6}(?![A-Za-z0-9])"
)
_MEMBER = re.compile(
    r"(?:社保(?:卡|账|编)?号码?|社会保障(?:卡)?号码?|医保(?:卡|编)?号码?|病历号|住院号|门诊号|就诊卡号|残疾人?证号)"
    r"(?:为|是|[:： ])*([A-Za-z]{0,3}\d{5,20}[A-Za-z]?)(?![0-9A-Za-z])"
)
_SERVICE = re.compile(
    r"(?:军官|士官|士兵|义务兵|文职干部|文职人员|警官|人民警察|军人|残疾军人|伤残军人|退役军人优待|军属)证(?:件)?(?:号码?|编号)?"
    r"(?:为|是|[:： （(])*((?:[\u4e00-\u9fff]{1,3}字?第?)?[A-Za-z]{0,2}\d{5,12}号?)(?![0-9A-Za-z])"
)
_BANK = re.compile(r"银行|卡号|账号|帐号|账户|帐户|开户|储蓄卡|信用卡|借记卡|存折|一卡通|惠农卡")
_IDENTITY = re.compile(r"身份证|证件号|公民身份|居民身份")
_PASSPORT_WORD = re.compile(r"护照|证件")
_PERMIT_WORD = re.compile(r"通行证|回乡证|台胞证|港澳证")
_RESIDENCE_WORD = re.compile(r"居留|外国人|证件")
_HONG_KONG_WORD = re.compile(r"香港.{0,6}身份证|身份证.{0,6}香港")
# Length of a card by how its number begins (issuer identification).
_BINS = ((re.compile("62"), range(16, 20)), (re.compile("3[47]"), range(15, 16)),
         (re.compile("4|5[1-5]|35|60|6[459]"), range(16, 17)))  # fmt: skip

Personal = Iterator[tuple[Finding, tuple[int, int]]]


def find_personal(ctx: Context) -> Iterator[Finding]:
    """Personal data of one field; a stretch is told once, by the surest kind."""
    dense = ctx.dense.text
    taken = bytearray(len(dense))
    numbers: list[tuple[int, int]] = []
    for kind in _KINDS:
        for finding, span in kind(ctx, dense):
            # One stretch is told once, by the first kind in the list: the kinds stand from sure to
            # unsure.
            if taken.find(1, *span) < 0:
                taken[span[0] : span[1]] = b"\1" * (span[1] - span[0])
                if PERSONAL[finding.rule] in _TELLING:
                    numbers.append(span)
                yield finding
    yield from names_beside(ctx, dense, numbers)
    yield from minors(ctx, dense)
    yield from tracks(ctx, dense)
    yield from recombined(ctx, dense)


_TELLING = ("id-card", "bank-card", "passport", "permit", "member-number")


def _digits(text: str) -> str:
    return re.sub(r"[\s－—–‐‑−·•．./-]", "", text)


def _id_cards(ctx: Context, dense: str) -> Personal:
    for match in _ID18.finditer(dense):
        parts = [_digits(part) for part in match.groups()]
        # People type a Cyrillic or Chinese cross for the check character X.
        number = "".join(parts).upper().translate(_CROSSES)
        # Serial numbers of 18 digits are common in official texts; province and date of birth tell
        # them apart.
        # A permanent residence card of 2023 has a 9, the province and the nationality in front.
        where = number[1:3] if number[0] == "9" else number[:2]
        if where not in PROVINCES or not dated(*map(int, parts[1:4])):
            continue
        if number[0] == "9" and ric.calc_check_digit(number) != number[-1]:
            continue
        if ric.calc_check_digit(number) == number[-1]:
            yield told_of(ctx, match.span(), "id-card", "block", "公民身份号码（校验位正确）")
        # A wrong check digit is a warning only where the text itself calls it an identity number.
        elif _IDENTITY.search(ctx.around(*match.span())) or _NAMED.search(
            dense, max(0, match.start() - 8), match.start()
        ):
            said = "写作身份证号但校验位不符，可能有错字；身份号码"
            yield told_of(ctx, match.span(), "id-card-invalid", "warn", said)
    for match in _ID15.finditer(dense):
        year, month, day = (int(part) for part in match.group(2, 3, 4))
        if match[1][:2] not in PROVINCES or not dated(1900 + year, month, day):
            continue
        if is_serial(dense, *match.span()):
            continue
        # Fifteen digits have no check digit: without the word beside them they are only a
        # suspicion.
        severity: Severity = "block" if _IDENTITY.search(ctx.around(*match.span())) else "warn"
        yield told_of(ctx, match.span(), "id-card-15", severity, "疑似15位旧式身份证号")


def _odd_ids(ctx: Context, dense: str) -> Personal:
    """Those in Han figures, with letters for figures, behind letters, a figure at a time."""
    for span in odd_identities(dense):
        yield told_of(ctx, span, "id-card", "block", "公民身份号码（校验位正确，写法特殊）")


def _cut_ids(ctx: Context, dense: str) -> Personal:
    """Those that the end of a line cuts in two; only the check digit tells them from chance."""
    for start, end, typed, _, _ in cut_numbers(dense):
        number = typed.upper().translate(_CROSSES)
        if len(number) != LENGTH or ric.calc_check_digit(number) != number[-1]:
            continue
        where = number[1:3] if number[0] == "9" else number[:2]
        born = int(number[6:10]), int(number[10:12]), int(number[12:14])
        if where not in PROVINCES or not dated(*born):
            continue
        if not is_serial(dense, start, end) or _IDENTITY.search(ctx.around(start, end)):
            said = "公民身份号码（校验位正确，跨行书写）"
            yield told_of(ctx, (start, end), "id-card", "block", said)


_CROSSES = str.maketrans("×ХхX", "XXXX")
_ENOUGH = 10  # digits of an ID that, left readable, tell who it is


def _ids_masked(ctx: Context, dense: str) -> Personal:
    """IDs masked too little: most digits, or the whole date of birth, can be read."""
    # A look before the expensive pattern: most texts have no mask at all.
    if not any(mark in dense for mark in _HIDES):
        return
    for match in _ID_MASKED.finditer(dense):
        number = _digits(match[0])
        shown = sum(char.isdigit() for char in number)
        # People put as many stars as they like; beside the word any length is an identity number.
        named = 14 <= len(number) <= 22 and _IDENTITY.search(ctx.around(*match.span())) is not None
        looks = (len(number) in (15, 18) or named) and number[:2] in PROVINCES
        # Few hidden digits are found by trying: the check digit tells which one is right.
        told = shown > _ENOUGH or _BORN.search(number) is not None
        if looks and told and _is_masked(number):
            said = "身份证号遮盖得太少，剩下的数字仍能认出本人"
            yield told_of(ctx, match.span(), "id-card-masked", "warn", said)


# 农户张大山（150222…）: what stands in brackets behind a name of a person is theirs.
_NAMED = re.compile(rf"[户人员者民生工，。、：][{SURNAMES}][\u4e00-\u9fff]{{1,2}}[（(]$")
_CARD_SAID = re.compile(
    r"(?:银行卡|储蓄卡|借记卡|社保卡|工资卡|惠农卡|一卡通|卡|账|帐)号?码?(?:为|是|[:：])?$"
)
_BORN = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


def _is_masked(number: str) -> bool:
    """Whether something before the check character is hidden."""
    return not number[:-1].isdigit()


def _cards(ctx: Context, dense: str) -> Personal:
    for match in _CARD.finditer(dense):
        digits = _digits(match[0])
        named = _BANK.search(ctx.around(*match.span()))
        known = any(start.match(digits) and len(digits) in sizes for start, sizes in _BINS)
        # The check digit alone lets one number in ten through; length and beginning must fit as
        # well.
        if not (known or (named and 15 <= len(digits) <= 19)):
            continue
        if not luhn.is_valid(digits):
            # One figure typed wrong gives as much away: told where it is called a card.
            if known and _CARD_SAID.search(dense, max(0, match.start() - 10), match.start()):
                said = "像是银行卡号（校验位不符）"
                yield told_of(ctx, match.span(), "bank-card-invalid", "warn", said)
            continue
        # Named as a card it is one, whatever stands around it.
        if not named and is_serial(dense, *match.span()):
            continue
        severity: Severity = "block" if named else "warn"
        yield told_of(ctx, match.span(), "bank-card", severity, "银行卡号")


def _passports(ctx: Context, dense: str) -> Personal:
    for match in _PASSPORT.finditer(dense):
        # A letter with eight digits is a model or file number more often than a passport.
        if _PASSPORT_WORD.search(ctx.around(*match.span())):
            yield told_of(ctx, match.span(), "passport", "block", "护照号码")


def _permits(ctx: Context, dense: str) -> Personal:
    if "证" not in dense:
        return
    for pattern, word, said in (
        (_PERMIT, _PERMIT_WORD, "港澳台通行证号码"),
        (_HONG_KONG, _HONG_KONG_WORD, "香港身份证号码"),
        (_RESIDENCE, _RESIDENCE_WORD, "外国人永久居留证号码"),
    ):
        for match in pattern.finditer(dense):
            # Eight digits are dates and telephone numbers nearly always; only the word right before
            # them counts.
            before = dense[max(0, match.start() - 20) : match.start()]
            if word.search(before) and not re.search(r"[年月日电话]\S{0,4}$", before):
                yield told_of(ctx, match.span(), "permit", "block", said)


def _service(ctx: Context, dense: str) -> Personal:
    if "证" not in dense:
        return
    for match in _SERVICE.finditer(dense):
        yield told_of(ctx, match.span(1), "permit", "block", "军人、警察证件号码")


def _plates(ctx: Context, dense: str) -> Personal:
    for match in _PLATE.finditer(dense):
        yield told_of(ctx, match.span(), "plate", "warn", "车牌号码")


def _members(ctx: Context, dense: str) -> Personal:
    if "号" not in dense:
        return
    for match in _MEMBER.finditer(dense):
        yield told_of(ctx, match.span(1), "member-number", "block", "社保、医保或病历号码")


_KINDS: tuple[Callable[[Context, str], Personal], ...] = (
    _id_cards,
    _odd_ids,
    _cut_ids,
    _ids_masked,
    _members,
    _cards,
    mobiles,
    mails,
    _passports,
    _permits,
    _service,
    _plates,
    accounts,
    homes,
)
