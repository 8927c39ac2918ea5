"""Where an article comes from and who wrote it."""

import re

from lxml.html import HtmlElement

from content_sources.reading.blocks import clean, short_text
from content_sources.reading.published import TODAY
from content_sources.reading.sheet import Sheet, first_of

_LABELS = (
    "作者|编辑|责任|责编|审核|浏览|阅读|点击|访问|发布|时间|日期|来源|字号|字体|打印|分享|记者|稿源|点赞|收藏|"
    "【|\\[|大 中 小|大中小|纠错|关闭"
)
_VALUE = rf"\s*[:：]\s*(?!{_LABELS}|\d{{4}}[-年/])([^\s|｜:：<>【】\[\]]"
_SOURCE = re.compile(
    rf"(?:信息|稿件|文章|新闻|内容)?\s*(?:来\s*源|出\s*处|稿源|供稿单位|发布单位|发布机构){_VALUE}{{2,40}})"
)
_AUTHOR = re.compile(rf"(?<!责任)(?:作\s*者|撰稿人?|记者|供稿人?|通讯员){_VALUE}{{2,20}})")
_MEDIA = (
    r"([\u4e00-\u9fff]{2,14}(?:网|报|社|台|在线|中心|新闻|频道|客户端|政府|委员会|局|厅|办公室|"
    r"杂志|周刊))"
)
_BESIDE_DAY = re.compile(
    r"(?:19|20)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?\s*(?:\d{1,2}:\d{2}(?::\d{2})?)?\s*[|｜/]?\s*"
    + _MEDIA
    + r"(?=\s|$|[|｜])"
)
_REPORTER = re.compile(
    r"(?:(?:本报|本网|本台|全媒体|见习|首席)?(?:记者|通讯员)|文/|文：)\s*([\u4e00-\u9fff]{2,4})(?=[\s）)、/|]|$)"
)
_SOURCE_CLASS = frozenset(
    {"source", "src", "laiyuan", "media", "origin", "source_baidu", "ly", "from", "article-source"}
)


def source_of(sheet: Sheet) -> str:
    """The unit or medium the page names as its source; empty when it names none."""
    given = clean(first_of(sheet.meta, ":source", "contentsource", "source", "og:article:source"))
    given = re.sub(r"^(?:信息|稿件|文章)?来源\s*[:：]\s*", "", given)
    if given and not re.fullmatch(r"[\d\W]+|https?:\S*", given):
        return given
    if found := _find(_SOURCE, sheet.head):
        return found
    name = sheet.tree.xpath('//*[@id="js_name"]')
    if name:
        return clean(name[0].text_content())
    if sheet.info.is_policy and sheet.info.issuer:
        return sheet.info.issuer
    return _find(_BESIDE_DAY, TODAY.sub(" ", sheet.head)) or _marked_source(sheet.tree)


def _marked_source(tree: HtmlElement) -> str:
    """A short piece of text that the page itself calls its source."""
    for node in tree.iter("span", "div", "a", "p", "em", "i", "td"):
        names = {*(node.get("class") or "").lower().split(), (node.get("id") or "").lower()}
        if names & _SOURCE_CLASS:
            text = short_text(node, 20)
            if len(text) >= 2 and not re.search(r"\d|[:：，。]", text):
                return text
    return ""


def author_of(sheet: Sheet, source: str, text: str) -> str:
    """The writer; an editor, a reposting line or the source itself is no author."""
    given = first_of(sheet.meta, ":author", "author", "og:article:author", "article:author")
    given = re.sub(r"^(?:作者|记者)\s*[:：]\s*", "", given)
    if given and not given.startswith("http") and given != source:
        return given
    if found := _find(_AUTHOR, sheet.head):
        return "" if "转载" in found else found
    if found := _find(_REPORTER, text[:200]) or _find(_REPORTER, text[-60:]):
        return found
    if "guess" not in sheet.__dict__:  # not worth gne's time alone
        return ""
    other = clean(str(sheet.guess.get("author", "")))  # gne takes the source for an author at times
    wrong = "转载" in other or (source and other.startswith(source))
    editor = re.search(rf"编辑\s*[:：]\s*{re.escape(other)}", sheet.head)
    return "" if wrong or editor else other


def _find(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1].strip("，。；;,)）") if match else ""
