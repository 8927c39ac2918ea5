"""Ways to reach a person: mobiles, mailboxes, messengers, home numbers and addresses."""

import re
from collections.abc import Iterator

from documents.parts import Severity
from gates.broken import cut_numbers
from gates.finding import Context, Finding
from gates.grounds import ground_of, told_of
from gates.redaction import profile_of, town_of

Personal = Iterator[tuple[Finding, tuple[int, int]]]

_GAP = r"[ \-.—–－‐‑·•_/～~()（）、,，]{1,3}"
_MOBILE = re.compile(
    rf"(?<![0-9A-Za-z])(?<!\d[-.,])(?<!\d[*×＊●■])(?<![*×＊●■]{{2}})(?:\+?86{_GAP}|\+?86)?1(?:{_GAP})?[3-9](?:(?:{_GAP})?\d){{9}}"
    r"(?![0-9])(?![-.]\d)"
)
# How people group the eleven digits; other groups count where a word beside them says so.
_GROUPS = frozenset({(3, 4, 4), (4, 4, 3), (3, 3, 5), (4, 3, 4), (3, 8), (4, 7), (5, 6), (3, 5, 3)})
_HAN_MOBILE = re.compile(
    r"(?<![零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖])(?:[一幺][三四五六七八九][零〇一二三四五六七八九幺]{9}"
    r"|[壹幺][叁肆伍陆柒捌玖][零〇壹贰叁肆伍陆柒捌玖幺]{9})(?![零〇一二三四五六七八九十百千万幺拾佰仟萬])"
)
_AT = r"(?:[@＠]|[ ]?[(（\[【<{][ ]?(?:at|AT|At|@|艾特|a)[ ]?[)）\]】>}][ ]?|[ ](?:at|AT)[ ]|艾特)"
_DOT = (
    r"(?:[.．]|[ ]?[(（\[【][ ]?(?:dot|DOT|点|\.)[ ]?[)）\]】][ ]?"
    r"|[ ](?:dot|DOT)[ ]|点(?=[A-Za-z]))"
)
_MAIL = re.compile(
    rf"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{{0,63}}{_AT}"
    rf"(?:[A-Za-z0-9-]{{1,63}}{_DOT}){{1,4}}[A-Za-z]{{2,10}}(?![A-Za-z0-9])"
)
_ACCOUNT = re.compile(
    r"(?:(?<!企业)(?:微信|薇信|威信)(?:号码?|ID|id|账号)?(?!群|公众|服务|小程序)"
    r"|(?<![A-Za-z])(?:WeChat|Wechat|wechat|VX|vx|Vx|V信|wx|WX)(?:号|ID)?)"
    r"(?:[:：为是 （(]|加){0,3}([A-Za-z][-_A-Za-z0-9]{5,19})(?![A-Za-z0-9.@])"
    r"|(?:Q ?Q|qq|Qq|扣扣|企鹅号)(?:号码?|账号)?(?!群)[:：为是 （(]{0,3}([1-9]\d{4,10})(?!\d)"
    r"|(?:抖音号|快手号|微博账号|支付宝账号)[:：为是 ]{0,3}([A-Za-z0-9][-_.A-Za-z0-9]{4,19})"
)
_OFFICIAL = re.compile(r"公众号|官方|政务|客户端|新媒体|单位|客服|订阅号|服务号|政府网")
_HOME_PHONE = re.compile(
    r"(?:(?:家中|家里|家庭|住宅|宅|住家)(?:固定)?(?:电话|座机)|宅电)(?:号码)?"
    r"[:：为是 ]{0,3}"
    r"((?:[(（]?0\d{2,3}[)）]?[- ]?)?[2-8]\d{6,7})(?!\d)"
)
_UNITS = "号楼|号院|号|栋|幢|座|单元|楼|层|室|组|社|门|院|弄|排"
_PIECE = rf"[\dA-Za-z一二三四五六七八九十百-]{{1,6}}(?:{_UNITS})"
_FLAT_NUMBER = r"\d{1,3}-\d{1,2}(?:-\d{2,4})?|(?<=[元栋幢楼层座])\d{2,4}(?![\d年月日户人元平])"
_TAIL = (
    rf"(?:[\u4e00-\u9fff]{{0,6}}?{_PIECE}|院(?=[\dA-Za-z])|{_FLAT_NUMBER}"
    r"|[（(][^（）()\n]{1,10}[）)])*"
)
_HEADINGS = (
    "家庭住址|家庭地址|现住址|现住地|户籍地址|户籍所在地|户籍地|户口所在地|居住地址|常住地址"
    "|收件地址|收货地址|身份证地址|身份证住址|户籍"
)
_HOME = re.compile(
    rf"(?:(?:{_HEADINGS}|住址|居住地|暂住地)(?:为|是|[:： ])"
    r"|(?:家住|现住|租住|暂住|居住)(?:在|于)?"
    r"|(?<![居入安留暂租常])住(?:在|于)?(?![院建房宿户宅在于]))(?![户该本其的])[ ]{0,3}"
    rf"(?![\u4e00-\u9fff]{{0,12}}(?:医院|门诊|酒店|宾馆|隔离|方舱|病房|宿舍|敬老院|养老院))"
    rf"[\u4e00-\u9fffA-Za-z0-9-]{{2,30}}?(?:{_PIECE}|[路街巷道村区里弄][A-Za-z]座|[路街园苑庭城府]\d{{1,3}}-\d{{1,2}}-\d{{2,4}}){_TAIL}"
)
# After a heading of a form whatever stands there to the next mark is the address.
_FORM = re.compile(
    rf"(?:{_HEADINGS})[:：][ ]{{0,3}}([\u4e00-\u9fff][\u4e00-\u9fffA-Za-z0-9（）()-]{{3,40}})"
)
_STREETS = re.compile(r"[路街巷村屯组社号室嘎查队]|小区|家园|花园|公寓")
_FLAT = re.compile(
    r"[\u4e00-\u9fff]{2,12}(?:小区|家园|花园|公寓|新村|嘉园|佳苑|小镇|嘎查|村)[\u4e00-\u9fff]{0,4}"
    rf"(?:\d{{1,3}}(?:号楼|栋|幢|号)\d{{1,2}}单元\d{{2,4}}(?:室|号)?"
    rf"|\d{{1,2}}[-—－]\d{{1,2}}[-—－]\d{{3,4}}(?!\d)(?:室|号)?){_TAIL}"
)
_AMOUNT_AFTER = re.compile(r"\s*(?:元|万|亿|吨|人次|千瓦|平方|公里|亩|户|件|号文|〕)")
_SERIAL_BEFORE = re.compile(
    r"(?:编号|索引号|备案号?|许可证号?|证书号|流水号|订单号|条形码|批准文号|案号|文号|代码"
    r"|注册号|批号|QQ群?|qq|金额|总额|合计|产值|投资额?|预算|资金)"
    r"(?:[（(].{1,4}[)）])?[:： 为是]{0,3}$"
)
_URL_BEFORE = re.compile(r"(?:https?://|www\.)[^\s\u4e00-\u9fff，。]*$")
_PHONE_WORD = re.compile(r"手机|电话|联系|微信|联络|致电|拨打|热线")
_ELEVEN = re.compile(r"1[3-9]\d{9}")
_LEAST_HEAD, _LEAST_TAIL = 3, 2  # digits on each side of a line end
_COUNTED = re.compile(r"\s*(?:[年月日时点分秒号人名家个项条页台辆套笔只]|[%％])")
_OTHER_FIGURES = re.compile(r"\d[\d ,.，、—-]{0,3}$")
_SPARED_HOSTS = ("gov.cn",)
_OFFICE_BOX = re.compile(
    r"(?:(?:举报|投诉|监督|受理|接收|报送|专用|公共|公开|征集|反馈|报名)[\u4e00-\u9fff]{0,4}"
    r"|(?:咨询|办公室?|单位|官方|值班|信访|政务)(?:电子)?)(?:邮箱|信箱|邮件)[^\u4e00-\u9fff]{0,4}$"
)


def is_serial(dense: str, start: int, end: int) -> bool:
    """A sum, a serial number or a part of a web address, not a person's number."""
    before = dense[max(0, start - 80) : start]
    return bool(
        _AMOUNT_AFTER.match(dense, end)
        or _SERIAL_BEFORE.search(before)
        or _URL_BEFORE.search(before)
    )


def mobiles(ctx: Context, dense: str) -> Personal:
    """Mobile numbers, however their digits are grouped."""
    for match in _MOBILE.finditer(dense):
        start, end = match.span()
        number = re.split(_GAP, match[0])
        if number[0].lstrip("+") == "86":
            number = number[1:]
        sizes = tuple(len(part) for part in number)
        # Other gaps are also how scores, codes and rows of figures are written; the word beside
        # them decides.
        if len(number) == 1 or (sizes in _GROUPS and not _in_a_row(dense, match)):
            told = not is_serial(dense, start, end)
        else:
            told = bool(_PHONE_WORD.search(dense, max(0, start - 20), start))
        if told:
            yield _mobile(ctx, (start, end))
    for match in _HAN_MOBILE.finditer(dense):
        yield _mobile(ctx, match.span())
    # Cells and lines of a file are fields of their own.
    if ctx.field in ("title", "text"):
        yield from _cut_mobiles(ctx, dense)


def _cut_mobiles(ctx: Context, dense: str) -> Personal:
    """Those that the end of a line cuts in two; a word before them says that they are numbers."""
    for start, end, number, head, apart in cut_numbers(dense):
        plain = number.removeprefix("86")
        tail = len(number) - head
        if apart or not _ELEVEN.fullmatch(plain) or head < _LEAST_HEAD or tail < _LEAST_TAIL:
            continue
        line = dense[max(dense.rfind("\n", 0, start) + 1, start - 20) : start]
        if not _PHONE_WORD.search(line) or is_serial(dense, start, end):
            continue
        if not _COUNTED.match(dense, end):
            yield _mobile(ctx, (start, end))


def _in_a_row(dense: str, match: re.Match[str]) -> bool:
    """Groups parted by blanks or one point may be figures of a table or a decimal."""
    if match[0].count(".") == 1:
        return True
    before = _OTHER_FIGURES.search(dense[max(0, match.start() - 6) : match.start()])
    after = re.match(r"[ ,，、]{1,3}\d", dense[match.end() : match.end() + 5])
    return " " in match[0] and bool(before or after)


def _mobile(ctx: Context, span: tuple[int, int]) -> tuple[Finding, tuple[int, int]]:
    # Without the country code: the mask keeps head and tail of the eleven digits.
    number = re.sub(r"[^\d零〇一二三四五六七八九幺]", "", ctx.dense.text[slice(*span)])[-11:]
    ground = ground_of("mobile", "block", "手机号码，公开前应当去标识化")
    return ctx.mark_dense(span, ground, [profile_of().mask("mobile", number)]), span


def mails(ctx: Context, dense: str) -> Personal:
    """Mailboxes, also written with (at) and the like."""
    if not re.search(r"[@＠]|at|AT|艾特", dense):
        return
    for match in _MAIL.finditer(dense):
        # An office's address is there to be published, so it is only a hint.
        before = dense[max(0, match.start() - 14) : match.start()]
        host = re.sub(_DOT, ".", match[0].lower())
        official = host.endswith(_SPARED_HOSTS) or _OFFICE_BOX.search(before)
        severity: Severity = "hint" if official else "warn"
        said = "单位邮箱，请确认可以公开；邮箱" if official else "电子邮箱"
        yield told_of(ctx, match.span(), "e-mail", severity, said)


def accounts(ctx: Context, dense: str) -> Personal:
    """Accounts of messengers, and the telephone at home."""
    for match in _ACCOUNT.finditer(dense):
        if _OFFICIAL.search(ctx.around(*match.span())):
            continue
        group = next(number for number in (1, 2, 3) if match[number])
        yield told_of(ctx, match.span(group), "account", "warn", "个人社交账号")
    for match in _HOME_PHONE.finditer(dense):
        yield told_of(ctx, match.span(1), "home-phone", "block", "家庭电话号码")


def homes(ctx: Context, dense: str) -> Personal:
    """Addresses below the street."""
    ground = ground_of("home-address", "warn", "家庭住址，公开时只到乡镇、街道")
    for pattern in (_FORM, _HOME, _FLAT):
        for match in pattern.finditer(dense):
            mask = profile_of().mask("address", match[0])
            if pattern is _FORM and not (
                _STREETS.search(match[1]) and town_of(match[1]) != match[1]
            ):
                continue
            if mask != match[0]:
                yield ctx.mark_dense(match.span(), ground, [mask]), match.span()
