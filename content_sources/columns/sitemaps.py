"""A sitemap to entries, or to its newest parts. Pure."""

from lxml import etree

from content_sources.columns.entries import LONGEST_TITLE, ColumnError, Entry, one_line, web_address
from documents.pages.blocks import plain
from documents.pages.dates import find_day
from documents.unpack import PackedError, TooLarge, Unpacker

MOST_SITEMAPS = 5  # parts of a sitemap index
LARGEST_SITEMAP = 20 * 1024 * 1024  # bytes, unpacked


def read_sitemap(body: bytes, base_url: str, match: str) -> tuple[list[Entry], tuple[str, ...]]:
    """The addresses of a sitemap, newest first; of an index, its newest parts as `more`."""
    try:
        if body.startswith(b"\x1f\x8b"):
            unpacker = Unpacker("gzip", LARGEST_SITEMAP)
            unpacker.feed(body)
            body = unpacker.finish()
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, recover=True
        )
        root = etree.fromstring(body, parser)
    except (TooLarge, PackedError, etree.XMLSyntaxError, ValueError) as error:
        raise ColumnError(f"栏目 {base_url} 不是有效的网站地图 sitemap") from error
    name = etree.QName(root).localname if root is not None else ""
    if name not in ("urlset", "sitemapindex"):
        raise ColumnError(f"栏目 {base_url} 不是有效的网站地图 sitemap")
    rows = [_sitemap_row(node, base_url) for node in root]
    rows.sort(key=lambda one: one.date, reverse=True)
    if name == "sitemapindex":
        return [], tuple(one.url for one in rows if one.url)[:MOST_SITEMAPS]
    return [one for one in rows if one.url and match in one.url], ()


def _sitemap_row(node: etree._Element, base_url: str) -> Entry:
    texts = {
        etree.QName(one).localname: one_line(one.text)
        for one in node.iter()
        if isinstance(one.tag, str)
    }
    day = find_day(texts.get("lastmod", "") or texts.get("publication_date", ""))
    url = web_address(base_url, texts["loc"]) if texts.get("loc") else ""
    return Entry(url, plain(texts.get("title", ""))[:LONGEST_TITLE], day)
