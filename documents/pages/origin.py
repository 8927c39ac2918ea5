"""Where an article comes from and who wrote it."""

import re
from collections.abc import Sequence
from itertools import pairwise

from lxml.html import HtmlElement

from documents.pages.blocks import clean, short_text
from documents.pages.published import TODAY
from documents.pages.sheet import Sheet, first_of

_LABELS = (
    "作者|编辑|责任|责编|审核|浏览|阅读|点击|访问|发布|时间|日期|来源|字号|字体|打印|分享|记者|稿源|点赞|收藏|"
    "【|\\[|大 中 小|大中小|纠错|关闭"
)
_VALUE = rf"\s*[:：]\s*(?!{_LABELS}|\d{{4}}[-年/])([^\s|｜:：<>【】\[\]]"
# 数据来源, 图片来源, 资金来源: a label that goes on to the left says where something else is from.
_SOURCE = re.compile(
    rf"(?:(?<![\u4e00-\u9fff])|(?<=[日时分秒]))(?:信息|稿件|文章|新闻|内容|本文)?\s*(?:来\s*源|出\s*处|稿源|供稿单位|发布单位|发布机构){_VALUE}{{2,40}})"
)
_AUTHOR = re.compile(rf"(?<!责任)(?:作\s*者|撰稿人?|记者|供稿人?|通讯员){_VALUE}{{2,20}})")
_OTHER_SOURCE = re.compile(
    r"^(?:数据|图片?|指标|资料|素材|资金|视频|音频|题图|配图|表格)(?:来源|供图)?\s*[:：]"
)
# Who made the site, who runs it, where it is: none of them wrote anything.
_NO_WRITER = re.compile(
    r"\d|管理员|大汉|拓尔思|开普|博达|泛微|万户|动易|科讯|织梦|帝国|超凡|南软|通元|讯飞|浪潮|电子政务|"
    r"(?:科技|软件|信息技术|公司)$|网$|网站|门户|平台$|在线$|客户端$|公众号$|频道$|栏目$|"
    r"^[a-z_.-]+$|^(?:本站|本网|本报|原创|网络|互联网|佚名|匿名|未知|无|空|暂无|编辑|编辑部|小编|作者|记者|通讯员|信息员|发布者|转载|其他|来源|null|none|admin\w*|"
    r"test\w*|system|root|guest|user|webmaster|editor|trs\w*|jcms|hanweb\w*|wcm|cms|ucap)$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"[，。？！；：…?!:“”\"]|请|您|你|我们?|首先|感谢|谢谢|大家|什么|怎么|如何|是否|吗"
)
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
_ALONE = re.compile(_MEDIA)
_DAY_AND_HOUR = re.compile(
    r"(?:19|20)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?\s+\d{1,2}:\d{2}(?::\d{2})?$"
)
_SOURCE_CLASS = frozenset(
    {"source", "src", "laiyuan", "media", "origin", "source_baidu", "ly", "from", "article-source"}
)


_LONGEST = 40  # characters of who wrote something: three names and their office


def source_of(sheet: Sheet) -> str:
    """The unit or medium the page names as its source; empty when it names none."""
    given = clean(first_of(sheet.meta, ":source", "contentsource", "source", "og:article:source"))
    given = re.sub(r"^(?:信息|稿件|文章)?来源\s*[:：]\s*", "", given)
    if given and not re.fullmatch(r"[\d\W]+|https?:\S*", given) and not _OTHER_SOURCE.match(given):
        return given
    if found := _find(_SOURCE, sheet.head):
        return found
    name = sheet.tree.xpath('//*[@id="js_name"]')
    if name:
        return clean(name[0].text_content())
    if sheet.info.is_policy and sheet.info.issuer:
        return sheet.info.issuer
    head = TODAY.sub(" ", sheet.head)
    return _find(_BESIDE_DAY, head) or _above_day(sheet.tokens) or _marked_source(sheet.tree)


def _above_day(tokens: Sequence[str]) -> str:
    """A medium or office that stands alone right above the day and hour."""
    for above, below in pairwise(tokens):
        if _DAY_AND_HOUR.match(below) and _ALONE.fullmatch(above):
            return above
    return ""


def _marked_source(tree: HtmlElement) -> str:
    """A short piece of text that the page itself calls its source."""
    for node in tree.iter("span", "div", "a", "p", "em", "i", "td"):
        names = {*(node.get("class") or "").lower().split(), (node.get("id") or "").lower()}
        if names & _SOURCE_CLASS:
            text = short_text(node, 20)
            if len(text) >= 2 and not re.search(r"\d|[:：，。]|(?:数据|图片)来源", text):
                return text
    return ""


def author_of(sheet: Sheet, source: str, text: str) -> str:
    """The writer; an editor, a reposting line or the source itself is no author."""
    given = first_of(sheet.meta, ":author", "author", "og:article:author", "article:author")
    given = re.sub(r"^(?:作者|记者)\s*[:：]\s*", "", given)
    if given != source and wrote(given):
        return given
    for match in _AUTHOR.finditer(sheet.head):
        found = match[1].strip("，。；;,)）")
        if "转载" in found:
            return ""
        # 记者：首先感谢… is a question and not its writer; the line may stand further on.
        if wrote(found) and not sheet.head.startswith(("，", "。"), match.end()):
            return found
    if found := _find(_REPORTER, text[:200]) or _find(_REPORTER, text[-60:]):
        return found if wrote(found) else ""
    if "guess" not in sheet.__dict__:  # not worth gne's time alone
        return ""
    other = clean(str(sheet.guess.get("author", "")))  # gne takes the source for an author at times
    wrong = "转载" in other or (source and other.startswith(source))
    editor = re.search(rf"编辑\s*[:：]\s*{re.escape(other)}", sheet.head)
    return "" if wrong or editor or not wrote(other) else other


def wrote(name: str) -> bool:
    """Whether this can be who wrote something: no number, maker of sites, portal or question."""
    if not 2 <= len(name) <= _LONGEST or name.startswith("http") or "@" in name:
        return False
    return not _NO_WRITER.search(name) and not _SAID.search(name)


def _find(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1].strip("，。；;,)）") if match else ""
