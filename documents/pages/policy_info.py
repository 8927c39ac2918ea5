"""The information box of a policy page: 索引号, 发文机关, 文号, 成文日期, 有效性 ... Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

from documents.pages.dates import find_day

_LABELS = {
    "索引号": "index_number",
    "信息索引号": "index_number",
    "信息索引": "index_number",
    "索取号": "index_number",
    "发文机关": "issuer",
    "发文机构": "issuer",
    "发文单位": "issuer",
    "制发机关": "issuer",
    "发布机构": "issuer",
    "发布机关": "issuer",
    "发布单位": "issuer",
    "公开机构": "issuer",
    "公开主体": "issuer",
    "信息来源单位": "issuer",
    "颁布机构": "issuer",
    "文号": "doc_number",
    "发文字号": "doc_number",
    "发文号": "doc_number",
    "文件编号": "doc_number",
    "文件文号": "doc_number",
    "成文日期": "written_on",
    "成文时间": "written_on",
    "发文日期": "written_on",
    "发文时间": "written_on",
    "生成日期": "written_on",
    "生成时间": "written_on",
    "印发日期": "written_on",
    "制发日期": "written_on",
    "发布日期": "published_on",
    "发布时间": "published_on",
    "公开日期": "published_on",
    "公开时间": "published_on",
    "公布日期": "published_on",
    "有效性": "validity",
    "是否有效": "validity",
    "效力状态": "validity",
    "时效性": "validity",
    "时效状态": "validity",
    "有效状态": "validity",
    "文件状态": "validity",
    "效力": "validity",
    "主题分类": "category",
    "信息分类": "category",
    "公开分类": "category",
    "所属主题": "category",
    "主题": "category",
    "体裁分类": "genre",
    "体裁": "genre",
    "文种": "genre",
    "公文种类": "genre",
    "主题词": "keywords",
    "关键词": "keywords",
    "关键字": "keywords",
    "标题": "title",
    "名称": "title",
    "信息名称": "title",
    "文件名称": "title",
    "实施日期": "effective_from",
    "施行日期": "effective_from",
    "生效日期": "effective_from",
    "生效时间": "effective_from",
    "施行时间": "effective_from",
    "实施时间": "effective_from",
    "废止日期": "repealed_on",
    "失效日期": "repealed_on",
    "废止时间": "repealed_on",
    "失效时间": "repealed_on",
    "公开方式": "",
    "公开范围": "",
    "公开时限": "",
    "公开责任部门": "",
    "信息公开类别": "",
    "服务对象": "",
    "语种": "",
    "来源": "",
    "内容概述": "",
    "内容概要": "",
    "备注": "",
    "分类": "",
}
_DAYS = frozenset({"written_on", "published_on", "effective_from", "repealed_on"})
_VALIDITY = (
    ("尚未施行", ("尚未", "未生效", "未施行")),
    ("废止", ("废止", "撤销", "作废")),
    ("失效", ("失效", "无效", "过期", "否", "暂停", "停止")),
    ("已修改", ("修改", "修订", "修正")),
    ("有效", ("有效", "现行", "是")),
)
NUMBER = re.compile(
    r"[\u4e00-\u9fff]{1,16}[〔\[［(（【﹝]\s*((?:19|20)\d\d)\s*[〕\]］)）】﹞]\s*第?\s*\d{1,5}\s*号"
    r"|[\u4e00-\u9fff]{1,20}(?<![命指口司法])令\s*(?:\[\d{4}\])?\s*第?\s*[\d一二三四五六七八九十百]{1,6}\s*号"
)
_CITES = re.compile("根据|依据|按照|依照|遵照|参照")
_INDEX = re.compile(r"[A-Za-z0-9一-龥][A-Za-z0-9一-龥/_\-.:：\[\]〔〕()（） ]{3,79}")
_RECORD = re.compile(
    "发布机构|发布机关|发布单位|公开机构|公开主体|信息来源单位|发文日期|发文时间|生成日期|生成时间"
)
"""Labels that may speak of the record on the site where another one speaks of the document."""
_SITE = re.compile(r"(?:网站|门户网?|网|平台|管理员|编辑部)$")
_BRACKETS = "【】[]〖〗"
_LONGEST = 200


@dataclass(frozen=True)
class PolicyInfo:
    """What the box says; empty where it says nothing. Dates are YYYY-MM-DD.

    `validity` is 有效, 已修改, 失效, 废止 or 尚未施行. `publisher` and `recorded_on` are what a
    label that may speak of the record on the site says; they stand for issuer and day too where
    no better label does.
    """

    index_number: str = ""
    issuer: str = ""
    doc_number: str = ""
    written_on: str = ""
    published_on: str = ""
    effective_from: str = ""
    repealed_on: str = ""
    validity: str = ""
    category: str = ""
    genre: str = ""
    keywords: str = ""
    title: str = ""
    publisher: str = ""
    recorded_on: str = ""

    @property
    def is_policy(self) -> bool:
        """Whether the page presents one document of a body: a number or index with its issuer."""
        return bool((self.index_number or self.doc_number) and (self.issuer or self.written_on))

    def record(self) -> dict[str, str]:
        """What is known, as plain data."""
        return {name: value for name, value in asdict(self).items() if value}


def read_info(tokens: Sequence[str], meta: dict[str, str] | None = None) -> PolicyInfo:
    """The box among the visible pieces of text of a page (each as the page separates them).

    A label stands alone before its value, or in one piece with it after a colon. `meta` are
    fields already known, which win.
    """
    found: dict[str, str] = dict(meta or {})
    second: dict[str, str] = {}
    for at, token in enumerate(tokens):
        name, inside = _label(token)
        if not name or name in found:
            continue
        value = _value(name, inside or _next(tokens, at + 1))
        if value:
            of_record = _RECORD.match(re.sub(r"[\s【】\[\]〖〗]", "", token)) is not None
            (second if of_record else found).setdefault(name, value)
    of_site = {"publisher": second.get("issuer"), "recorded_on": second.get("written_on")}
    found = {name: value for name, value in of_site.items() if value} | second | found
    known = {field.name for field in fields(PolicyInfo)}
    return PolicyInfo(**{name: value for name, value in found.items() if name in known})


def labels_in(cells: Iterable[str]) -> int:
    """How many cells or lines begin with a label of such a box."""
    return sum(_label(cell)[0] is not None for cell in cells)


def box_lines(lines: Sequence[str]) -> set[int]:
    """Which lines are such a box, labels and values; none when it has fewer than three labels."""
    found: set[int] = set()
    count = 0
    for at, line in enumerate(lines):
        name, inside = _label(line)
        if name is None or len(line) > 120:
            continue
        count += 1
        found |= {at} if inside else {at, at + 1}
    return found if count >= 3 else set()


def _label(token: str) -> tuple[str | None, str]:
    """The field a piece of text names and what follows the colon; (None, "") for other text."""
    head, colon, tail = token.replace("：", ":").partition(":")
    name = re.sub(r"\s", "", head).strip(_BRACKETS + "*·•")
    if len(name) > 8 or name not in _LABELS:
        return None, ""
    if not colon and name in ("主题", "标题", "名称", "效力", "来源", "分类", "文种", "体裁"):
        return None, ""  # everyday words need their colon
    return _LABELS[name], tail.strip()


def _next(tokens: Sequence[str], start: int) -> str:
    """The piece after a label, unless that is a label too (an empty field)."""
    for token in tokens[start : start + 2]:
        if token.strip(" :：") and _label(token)[0] is None:
            return token.strip(" :：")
        if token.strip(" :："):
            return ""
    return ""


def _value(name: str, text: str) -> str:
    if name in _DAYS:
        return find_day(text[:40])
    if name == "doc_number":
        match = NUMBER.match(text.lstrip("（(《 "))  # not one that a sentence below cites
        match = None if _CITES.match(text) else match
        return re.sub(r"\s", "", match[0]) if match else ""
    if name == "validity":
        return validity_of(text)
    if name == "issuer" and _SITE.search(text.strip()):
        return ""
    if name == "index_number":
        match = _INDEX.match(text)
        return match[0].strip() if match and any(char.isdigit() for char in match[0]) else ""
    return text[:_LONGEST].strip(" /;；|") if len(text) <= _LONGEST else ""


def validity_of(text: str) -> str:
    """有效, 已修改, 失效, 废止, 尚未施行, or empty."""
    plain = text.strip()[:12]
    return next((name for name, words in _VALIDITY if any(one in plain for one in words)), "")
