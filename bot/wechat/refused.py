"""Which place of an article the platform does not take: it says 45166, and not where."""

from collections.abc import Mapping, Sequence
from typing import Any

import lxml.html

from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused
from bot.wechat.codes import BLOCKS, hinted

_WORDS = 20


async def place_refused(client: AioWeChatClient, article: Mapping[str, Any], content: str) -> str:
    """The first words of the first block that is refused; empty when it cannot be told.

    Tried with ever shorter beginnings of the article: some six drafts, each deleted at once.
    """
    section = lxml.html.fragment_fromstring(content)
    blocks = [lxml.html.tostring(one, encoding="unicode") for one in section]
    good, bad = 0, len(blocks)
    while bad - good > 1:
        middle = (good + bad) // 2
        beginning = f"<section>{''.join(blocks[:middle])}</section>"
        taken = await _taken(client, {**article, "content": beginning})
        if taken is None:
            return ""
        good, bad = (middle, bad) if taken else (good, middle)
    if not blocks:
        return ""
    words = " ".join(section[bad - 1].text_content().split())
    return words[:_WORDS] or f"第 {bad} 段（图片）"


async def article_refused(
    client: AioWeChatClient, articles: Sequence[Mapping[str, Any]]
) -> int | None:
    """Which of the articles of a draft is refused, from 0; None when it cannot be told."""
    if len(articles) == 1:
        return 0
    for at, article in enumerate(articles):
        taken = await _taken(client, article)
        if not taken:
            return None if taken is None else at
    return None


async def _taken(client: AioWeChatClient, article: Mapping[str, Any]) -> bool | None:
    """Whether a draft of this is taken; None when the platform says something else."""
    try:
        answer = await client.post("draft/add", data={"articles": [article]})
        await client.post("draft/delete", data={"media_id": answer["media_id"]})
    except WeChatRefused as refused:
        return False if hinted(refused.code) == BLOCKS else None
    except (NotSent, NoAnswer):
        return None
    return True
