"""The whole article behind a fetched page, be it in parts on several pages."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from content_sources.answers import Fetched
from documents.pages.extract import Page, extract_page

Fetch = Callable[[str], Awaitable[Fetched]]
"""An address in; what is there, judged and fetched like the page itself."""


async def whole_article(
    fetched: Fetched, fetch: Fetch, selectors: Mapping[str, Any] | None = None
) -> Page:
    """The article with its further parts. ValueError where there is none, or not all of it.

    A part of an article is no article: what it leaves out may be the conditions.
    """
    page = await _read(fetched, selectors)
    if not page.continued:
        return page
    if not page.parts:
        raise ValueError("原文分成几页，网页没有给出其余各页的网址：请人工转录")
    return joined(page, [await _read(await fetch(one), selectors) for one in page.parts])


def joined(page: Page, others: list[Page]) -> Page:
    """The article of these pages, in their order; its title, day and source are the first's."""
    pages = [page, *others]
    return replace(
        page,
        text="\n".join(one.text for one in pages),
        marked="\n".join(one.marked for one in pages),
        blocks=tuple(block for one in pages for block in one.blocks),
        images=tuple(dict.fromkeys(link for one in pages for link in one.images)),
        links=tuple(dict.fromkeys(link for one in pages for link in one.links)),
        attachments=tuple(dict.fromkeys(link for one in pages for link in one.attachments)),
        continued=False,
    )


async def _read(fetched: Fetched, selectors: Mapping[str, Any] | None) -> Page:
    return await asyncio.to_thread(extract_page, fetched.text, fetched.final_url, selectors)
