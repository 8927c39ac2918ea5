"""Which part of a web page is the article, and which of its blocks are. Pure."""

import re
from collections.abc import Callable, Sequence
from copy import deepcopy

from lxml import etree
from lxml.html import HtmlElement, fromstring
from readability import Document
from readability.readability import Unparseable

from documents.pages.blocks import SILENT, Block, clean, is_file
from documents.pages.policy_info import box_lines, labels_in

_CONTAINERS = (  # ids and classes of site systems, most telling first
    ("UCAP-CONTENT", "js_content", "TRS_Editor", "TRS_UEDITOR", "trs_editor_view"),
    ("trs_paper_default", "Custom_UnionStyle", "wp_articlecontent", "vsb_content"),
    ("v_news_content", "zoom", "Zoom", "zoomcon", "artibody", "ContentRegion", "rwb_zw"),
    ("pages_content", "article-content", "article_content", "articleContent", "article_con"),
    ("article-con", "xxgk_content", "xxgkContent", "wzzw", "news_content", "newsContent"),
    ("detail-content", "detail_content", "content_txt", "article_txt", "rm_txt_con", "mainText"),
    ("contentText", "con_text", "conTxt", "content_area", "article-body", "article_body"),
    ("articleBody", "post_body", "nr_content", "zwxl-article", "xl-content", "j-fontContent"),
)
_SURE_RANKS = 3  # of these names no other part of a page makes use
_FOOT = re.compile(
    r"ICP备|公网安备|版权所有|网站标识码|Copyright|主办单位[:：]|承办单位[:：]|技术支持[:：]|备案号[:：]|"
    r"(?:视听节目|新闻信息服务|电视节目制作\S{0,4})许可证|违法和不良信息|举报(?:电话|邮箱|热线)|法律顾问[:：]|"
    r"未经(?:书面)?授权|网站地图|主办(?:单位)?[:：][^。]{0,40}承办",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[，。；！？]")
_NOISE = re.compile(r"nav|menu|crumb|footer|sidebar|share|related|recommend|pager|copyright", re.I)
_INFO = re.compile(
    r"^(?:首页\s*[>›»＞]|(?:您|你)?(?:的|现在|当前)?(?:的)?(?:所在)?位置|今天是|"
    r"(?:发布|更新|发稿)(?:时间|日期)\s*[:：]|(?:时间|日期)\s*[:：][^来浏]*(?:来源|浏览)|"
    r"(?:(?:信息|文章|稿件)?来源|作者)\s*[:：](?!.*[。！？；]|.*[您你]好)|"
    r"(?:字号|字体|(?:浏览|阅读|点击)(?:量|数|次数)?|分享到|【?打印|\[?\s*字体)(?=$|[\s:：\]】）)【\[]|\d+次?$|[大中小\s]+$)|"
    r"\d{4}-\d\d-\d\d)"
)
_CUT = re.compile(
    r"^[【\[（(]?\s*(?:相关(?:链接|新闻|阅读|文章|推荐|稿件|信息|解读|报道|文件|附件下载)|延伸阅读|推荐阅读|热门(?:推荐|文章|新闻)|"
    r"猜你喜欢|最新(?:文章|新闻|发布)|您可能感兴趣|网友评论|精彩推荐|更多(?:新闻|内容|>)|热点(?:新闻|推荐|排行)|"
    r"(?:上|下)一(?:篇|条|页|则)|分享(?:到|至|本文)|扫一扫|扫描二维码|打印(?:本页|此页)?(?=$|[\s\]】|｜])|关闭(?:窗口|本页)|返回(?:顶部|列表)|"
    r"版权声明|免责声明|网站(?:地图|声明)|联系我们|关于我们|预览时标签不可点|微信扫一扫|继续滑动看下一个|阅读原文)"
)
_TINY = re.compile(
    r"^[【\[（(]?\s*(?:分享(?:到|至|本文)?|打印(?:本页|此页|文章)?|关闭(?:窗口|本页|页面)?|加?入?收藏(?:本页)?|我要纠错|纠错|"
    r"字体|字号|大\s*中\s*小|返回(?:顶部|列表|首页)|点赞|\d*\s*次?阅读(?:量|数|次数)?|浏览(?:次数|量)?|点击(?:数|量|次数)?|访问(?:量|次数))"
    r"(?=$|[\s:：\]】）)|｜+【\[]|\d+次?$|[大中小\s]+$)[\s\S]{0,24}$"
)
_EDITED = re.compile(
    r"^[【\[（(]?\s*(?:责任编辑|责编|编辑|审核|校对|初审|复审|终审|值班编委)\s*[:：]"
)
_KEYWORDS = re.compile(r"^[【\[（(]?\s*(?:关键词|关键字|标签|tags?)\s*[:：]", re.IGNORECASE)
_READABLE_LONGEST = 2_000_000  # characters; so does readability's
_LEAST = 120  # characters; below this a readability text is compared with gne's
_SERIES = 3  # elements alike, side by side
_ENOUGH = 40  # characters that make a container the body


def container(tree: HtmlElement) -> HtmlElement | None:
    """The text container of a known government site system, when it holds enough."""
    ranks = {name: rank for rank, names in enumerate(_CONTAINERS) for name in names}
    best: tuple[int, int] | None = None
    chosen: HtmlElement | None = None
    for node in tree.iter("div", "td", "article", "section", "span", "ucapcontent", "p"):
        names = [node.get("id") or "", *(node.get("class") or "").split()]
        rank = min((ranks[name] for name in names if name in ranks), default=None)
        if rank is None or not _holds(node):
            continue
        weight = (-rank, _size(node))
        if best is None or weight > best:
            best, chosen = weight, node
    if chosen is not None and best is not None and -best[0] >= _SURE_RANKS:
        dense = _densest(tree)  # an everyday class name may also stand on a teaser
        if dense is not None and _sentences(chosen) < 0.35 * _sentences(dense):
            return None
    return chosen if chosen is None else _whole_of(chosen)


def _whole_of(node: HtmlElement) -> HtmlElement:
    """All of an article whose paragraphs stand each in an element of their own, side by side."""
    parent = node.getparent()
    if parent is None:
        return node
    like = [one for one in parent if _kind(one) == _kind(node)]
    if len(like) < _SERIES or sum(map(_sentences, like)) < 1.15 * _sentences(node):
        return node
    return _between(parent, like[0], like[-1])


def _series(node: HtmlElement) -> HtmlElement | None:
    """The part of an element from the first to the last of the alike that hold its sentences."""
    groups: dict[tuple[str, str], list[HtmlElement]] = {}
    for one in node.iterchildren("div", "section", "article", "dl", "table"):
        groups.setdefault(_kind(one), []).append(one)
    most = max(groups.values(), key=lambda one: sum(map(_sentences, one)), default=[])
    if len(most) < _SERIES or sum(map(_sentences, most)) < 0.8 * _sentences(node):
        return None
    return _between(node, most[0], most[-1])


def _kind(node: HtmlElement) -> tuple[str, str]:
    return str(node.tag), node.get("class") or ""


def _between(parent: HtmlElement, first: HtmlElement, last: HtmlElement) -> HtmlElement:
    """A copy of the children of an element from one to another."""
    body = fromstring("<div></div>")
    children = list(parent)
    for one in children[children.index(first) : children.index(last) + 1]:
        body.append(deepcopy(one))
    return body


def _holds(node: HtmlElement) -> bool:
    """Enough text, or a little with a picture or a file, and not merely a list of links."""
    size = _size(node)
    linked = sum(len(clean(one.text_content())) for one in node.iter("a"))
    files = any(is_file(one.get("href") or "") for one in node.iter("a"))
    if size >= _ENOUGH:
        return files or linked < 0.7 * size
    return size >= 5 and (files or next(node.iter("img"), None) is not None)


def generic(tree: HtmlElement, html: str, guess: Callable[[], str]) -> HtmlElement | None:
    """readability's body, or where most sentences stand when that is elsewhere; gne's if short.

    `guess` gives gne's body as HTML; it is asked only when the others found little.
    """
    bodies = []
    try:
        if len(html) <= _READABLE_LONGEST:
            summary = Document(html).summary(html_partial=True)
            bodies.append(_without_noise(fromstring(summary)))
    except (Unparseable, etree.LxmlError, ValueError, TypeError, RecursionError):
        bodies.clear()
    dense = _densest(tree)
    if dense is not None and (not bodies or _sentences(bodies[0]) < 0.6 * _sentences(dense)):
        bodies.insert(0, _without_noise(deepcopy(dense)))
    series = _series(dense) if dense is not None else None
    # readability leaves out short paragraphs that stand in elements of their own.
    if series is not None and bodies and _sentences(bodies[0]) < 0.98 * _sentences(series):
        bodies.insert(0, _without_noise(series))
    size = _size(bodies[0]) if bodies else 0
    if size < _LEAST:
        other = guess()
        second = _without_noise(fromstring(other)) if other else None
        if second is not None and _size(second) > size:
            bodies.insert(0, second)
    return bodies[0] if bodies else None


def _densest(tree: HtmlElement) -> HtmlElement | None:
    """The innermost element that holds four fifths of the page's sentences."""
    weights: dict[HtmlElement, int] = {}
    for node in tree.iter():
        if not isinstance(node.tag, str) or node.tag in SILENT or node.tag in ("a", "title"):
            continue
        own = "".join([node.text or "", *(child.tail or "" for child in node)])
        if not _SENTENCE.search(own) or _FOOT.search(own):
            continue
        size = len(clean(own))
        weights[node] = weights.get(node, 0) + size
        for parent in node.iterancestors():
            weights[parent] = weights.get(parent, 0) + size
    whole = max(weights.values(), default=0)
    if whole < _LEAST:
        return None
    holding = [node for node, size in weights.items() if size >= 0.8 * whole]
    node = max(holding, key=lambda one: sum(1 for _ in one.iterancestors()))
    return node if node.tag not in ("p", "span", "font", "strong", "b") else node.getparent()


def _sentences(node: HtmlElement) -> int:
    """How much of the text stands in sentences outside links."""
    return sum(
        len(clean(str(text)))
        for text in node.xpath(".//text()[not(ancestor::a)]")
        if _SENTENCE.search(str(text)) and not _FOOT.search(str(text))
    )


def _without_noise(body: HtmlElement) -> HtmlElement:
    """Drop menus, lists of other articles and the foot of the page from a guessed body."""
    blocks = body.iter("div", "ul", "ol", "nav", "footer", "table", "section", "aside", "p")
    for node in reversed(list(blocks)):  # the inner ones first, so that wrappers get lighter
        if node is not body and _is_noise(node):
            node.drop_tree()
    return body


def _is_noise(node: HtmlElement) -> bool:
    size = _size(node)
    anchors = node.xpath(".//a[@href]")
    if size > 400 or any(is_file(one.get("href")) for one in anchors) or node.xpath(".//img"):
        return False
    if node.tag in ("nav", "footer", "aside") or _FOOT.search(node.text_content()):
        return True
    linked = sum(len(clean(one.text_content())) for one in anchors)
    share = linked / size if size else 0
    named = _NOISE.search(f"{node.get('class', '')} {node.get('id', '')}")
    return len(anchors) >= 2 and (share > 0.7 or (bool(named) and share > 0.4))


def _size(node: etree._Element) -> int:
    return len(clean("".join(str(part) for part in node.itertext())))


def trimmed(blocks: Sequence[Block], title: str) -> list[Block]:
    """The document without the title, the line of time and source above, and what follows below."""
    kept = [one for one in blocks if one.text != title or one.kind == "image"]
    box = box_lines([one.text for one in kept[:25]])
    kept = [one for at, one in enumerate(kept) if at not in box]
    top = [one for one in kept[:5] if not _is_head(one)]
    return _without_tail([*top, *kept[5:]])


def _is_head(block: Block) -> bool:
    """A line of time and source, or the information box of a policy page."""
    if block.kind == "image":
        return False
    if block.kind == "table":
        return labels_in(cell for row in block.rows for cell in row) >= 3
    if len(block.text) > 90:
        return False
    return bool(_INFO.match(block.text) or _TINY.match(block.text))


def _without_tail(blocks: list[Block]) -> list[Block]:
    """Cut at a heading of other articles, with the links below it; drop buttons anywhere."""
    made: list[Block] = []
    skipping = False
    for block in blocks:
        if block.kind != "image" and _CUT.match(block.text) and not block.file:
            skipping = len(block.text) <= 60 or block.linked > 0.5
            if skipping:
                continue
        if skipping and (block.linked > 0.5 or block.kind == "item") and not block.file:
            continue
        if skipping and block.kind != "image" and _FOOT.search(block.text):
            continue
        skipping = False
        if block.kind == "image" or not (_TINY.match(block.text) and len(block.text) <= 30):
            made.append(block)
    while made and made[-1].kind != "image" and _is_foot(made[-1]):
        made.pop()
    return made


def _is_foot(block: Block) -> bool:
    """The last lines: who edited it, links to lists, the site's own foot."""
    if block.file or len(block.text) > 120:
        return False
    if _KEYWORDS.match(block.text) and block.linked > 0.3:
        return True
    return bool(_EDITED.match(block.text) or _FOOT.search(block.text)) or block.linked > 0.9
