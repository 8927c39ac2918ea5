"""Looking through the policies in force by topic: topics, their parts, documents, ten at a time.

`Browsing(wiring)` is a Handler. Keys it answers: browse, browse:<topic>[:<page>], doc:<policy>;
words: 浏览政策, 浏览就业创业. What is listed are signed facts of the library.
"""

import re
from collections.abc import Sequence
from contextlib import suppress

from bot.contract import InboundKind
from config.clock import beijing, now
from facets.criteria import TOPICS
from facets.taxonomy import Facet
from handlers.commands import CommandWiring
from handlers.turn import Choice, Said, Turn, fill
from knowledge.followed import Shelf
from knowledge.proof import SignedPolicy
from knowledge.validity import STATUS_NAMES
from ledger.verify import Broken

PAGE = 6
"""Documents of one list: titles are long, and all of it fits into a passive answer (W4)."""
_FIRST = ("employment", "consumption")
_WORDS = re.compile(
    r"(?:我想|我要|请|帮我)?(?:浏览|看看|查看|翻看|搜索|查找)(?:一下)?(?P<what>.{0,20})"
)
_EMPTY = re.compile(r"(?:政策|文件|政策库|政策文件|全部政策|所有政策|有哪些政策|主题)?")
_TITLE = 36


class Browsing:
    """From a topic to a document that can be followed or read."""

    def __init__(self, wiring: CommandWiring) -> None:
        """Without a library nothing can be browsed."""
        self._w = wiring
        self._names = wiring.policies

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        if self._names is None:
            return None
        head, *rest = turn.key.split(":")
        if head == "browse":
            return self._browse(rest)
        if head == "doc":
            return await self._document(rest[0] if rest else "")
        if turn.key or turn.inbound.kind is not InboundKind.TEXT:
            return None
        return self._spoken(turn.text)

    def _spoken(self, text: str) -> Said | None:
        words = _WORDS.fullmatch("".join(text.split()).rstrip("。.!！"))
        if words is None:
            return None
        if _EMPTY.fullmatch(words["what"]):
            return self._browse([])
        taxonomy = self._w.subscribers.taxonomy
        named = taxonomy.find(words["what"], (TOPICS,))
        # A topic and nothing else: 查看就业补贴怎么领 is a question.
        names = sorted((n for one in named for n in (one.label, *one.aliases)), key=len)
        rest = words["what"]
        for name in reversed(names):
            rest = rest.replace(name, "")
        plain = re.fullmatch(r"(?:的|方面|类|相关|有关|政策|文件|方面的|相关的)*", rest)
        return self._browse([named[0].key]) if named and plain else None

    def _browse(self, rest: Sequence[str]) -> Said:
        taxonomy = self._w.subscribers.taxonomy
        if not rest:
            offered = [one for one in taxonomy.offered(TOPICS) if one.key != "other"]
            offered.sort(key=lambda one: one.key not in _FIRST)
            return Said(fill("browse_topics"), tuple(_choice(one) for one in offered))
        topic = taxonomy.get(TOPICS, rest[0])
        number = rest[1] if len(rest) > 1 else ""
        if topic is None:  # renamed or gone since the button was made: the topics of now
            offered_now = self._browse([])
            return Said((*fill("stale"), *offered_now.pieces), offered_now.choices)
        parts = taxonomy.offered(TOPICS, topic.key)
        if parts and not number:
            every = Choice("看全部", f"browse:{topic.key}:1")
            said = fill("browse_parts", facet=topic.label)
            return Said(said, (every, *(_choice(one) for one in parts)))
        return self._documents(topic, int(number) if number.isdecimal() else 1)

    def _documents(self, topic: Facet, number: int) -> Said:
        shelf, day = self._shelf(topic), beijing(now()).date()
        found = self._names.of_topics(shelf, day) if self._names is not None else []
        shown = found[(number - 1) * PAGE : number * PAGE] if number > 0 else []
        subscribe = Choice(f"订阅 {topic.label}", f"sub:{topic.key}")
        if not shown:
            said = fill("browse_none", facet=topic.label)
            return Said(said, (subscribe, Choice("其他主题", "browse")))
        choices = [Choice(_title(one), f"doc:{one.id}") for one in shown]
        if len(found) > number * PAGE:
            choices.append(Choice("下一页", f"browse:{topic.key}:{number + 1}"))
        said = fill("browse_found", facet=topic.label, count=str(len(found)))
        return Said(said, (*choices, subscribe, Choice("其他主题", "browse")))

    def _shelf(self, topic: Facet) -> Shelf:
        taxonomy = self._w.subscribers.taxonomy
        above = taxonomy.lineage(TOPICS, topic.key)
        within = {
            key for key in taxonomy.facets[TOPICS] if topic.key in taxonomy.lineage(TOPICS, key)
        }
        # A policy keeps the key it was approved with; renamed or merged, that means its heir.
        return Shelf(
            taxonomy.with_former(TOPICS, within),
            taxonomy.with_former(TOPICS, above[1:]),
            (topic.label, *topic.aliases),
        )

    async def _document(self, policy_id: str) -> Said:
        """What is signed of one document, read at this moment."""
        known = {}
        if self._names is not None:
            with suppress(Broken):
                known = await self._names.now([policy_id], beijing(now()).date())
        found = known.get(policy_id)
        if found is None:
            return Said(fill("stale"), (Choice("浏览政策", "browse"),))
        one = found.policy
        said = fill(
            "browse_document",
            title=one.title.strip("《》"),
            number=one.doc_number,
            issuer=one.issuer,
            date=one.issued_on or "",
            validity=STATUS_NAMES[found.status],
            link=one.url,
        )
        follow = (Choice("关注这份文件", f"follow:{one.id}"),) if found.citable else ()
        return Said(said, (*follow, Choice("浏览政策", "browse")))


def _choice(topic: Facet) -> Choice:
    return Choice(topic.label, f"browse:{topic.key}")


def _title(policy: SignedPolicy) -> str:
    title = policy.title.strip("《》")
    return title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"
