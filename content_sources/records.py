"""The lines of `shenfa extract`: a file or an address in, the fields of the article out."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NotRequired, TypedDict
from urllib.parse import urlsplit

from config.clock import now
from content_sources.answers import FetchError
from content_sources.fetch import Fetcher
from content_sources.whitelist import Judge, SourceRule, judge
from documents.pages.extract import Page, extract_page


class Picture(TypedDict):
    """A picture of an article: its address and what it says in its place."""

    url: str
    alt: str


class Target(TypedDict):
    """A link of an article."""

    url: str
    text: str


class PageRecord(TypedDict):
    """One line of `extract`: what the page does not say is None.

    `continued` stands there where the page holds only a part of its article.
    """

    id: object
    title: str | None
    date: str | None
    source: str | None
    author: str | None
    text: str
    images: list[Picture]
    links: list[Target]
    continued: NotRequired[bool]


def extract_record(record: Mapping[str, object]) -> PageRecord:
    """One line of `shenfa extract`: id, path (HTML file) and url (its base) in, the fields out."""
    path = record.get("path")
    if not isinstance(path, str) or not path:
        raise ValueError("字段 path 缺失：请写 HTML 文件的路径")
    try:
        body = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"字段 path 指向的文件无法读取：{path}") from error
    page = extract_page(body, str(record.get("url") or ""))
    return page_record(record.get("id"), page)


async def fetch_record(record: Mapping[str, object], fetcher: Fetcher) -> PageRecord:
    """The same for `--fetch`: id and url in. Only the named host is asked, redirects included.

    ValueError in one Chinese line when the address is wrong, refused or without an article.
    """
    url = record.get("url")
    if not isinstance(url, str) or not url:
        raise ValueError("字段 url 缺失：请写要抓取的网址")
    try:
        fetched = await fetcher.fetch(url, typed_judge(url))
    except FetchError as error:
        raise ValueError(f"字段 url：{error.message}") from error
    page = await asyncio.to_thread(extract_page, fetched.text, fetched.final_url)
    return page_record(record.get("id"), page)


def typed_judge(url: str) -> Judge:
    """Allows the host of an address that a person typed, and no other."""
    return partial(judge, sources=_named(url), as_of=now())


def _named(url: str) -> list[SourceRule]:
    """The person who types an address stands for its host, and for no other."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return []
    listed = f"{host}:{port}" if port else host
    return [SourceRule("typed", host, (listed,), allow_http=True, valid_from=now(), valid_to=None)]


def page_record(record_id: object, page: Page) -> PageRecord:
    """A page in the shape of the `extract` contract: what the page does not say is None."""
    record: PageRecord = {
        "id": record_id,
        "title": page.title or None,
        "date": page.date or None,
        "source": page.source or None,
        "author": page.author or None,
        "text": page.text,
        "images": [{"url": url, "alt": alt} for url, alt in page.images],
        "links": [{"url": url, "text": text} for url, text in page.links],
    }
    if page.continued:
        record["continued"] = True
    return record
