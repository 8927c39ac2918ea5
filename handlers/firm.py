"""涉企政策 by what a firm is: industry, size and region, each chosen by its citizen and none asked.

`Firm(wiring)` is a Handler. Keys it answers: firm[:<industry>[:<size>[:<region>]]]; ANY: no matter.
What is chosen stands in the keys of the buttons alone; it is kept as a subscription once its
citizen chooses a topic, and nothing before that.
"""

from collections.abc import Iterable

from bot.contract import InboundKind
from facets.criteria import GROUPS, INDUSTRIES, REGIONS, TOPICS, in_words
from facets.taxonomy import Facet
from handlers.commands import CommandWiring
from handlers.narrowing import ANY, wish_key
from handlers.turn import Choice, Said, Turn, fill
from subscriptions.subscribers import CONSENT_VERSION, Wish

SIZES = ("small_firms", "self_employed")
OFFERED = ("small_business", "job_subsidies", "tax_finance", "consumption")
_STEPS = (
    (INDUSTRIES, "firm_industry"),
    (GROUPS, "firm_size"),
    (REGIONS, "firm_region"),
)
_WORDS = frozenset(
    {
        *("涉企政策", "订阅涉企政策", "我要订阅涉企政策", "惠企政策", "订阅惠企政策"),
        *("助企政策", "订阅助企政策", "订阅企业政策", "企业订阅", "企业画像", "按企业情况订阅"),
    }
)


class Firm:
    """From a firm's industry, size and region to what it may subscribe to."""

    def __init__(self, wiring: CommandWiring) -> None:
        """Choices come from the taxonomy of now."""
        self._subs = wiring.subscribers

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        head, *chosen = turn.key.split(":")
        spoken = not turn.key and turn.inbound.kind is InboundKind.TEXT
        if spoken and "".join(turn.text.split()).rstrip("。.!！") in _WORDS:
            return self._step([])
        return self._step(chosen) if head == "firm" else None

    def _step(self, chosen: list[str]) -> Said:
        if len(chosen) > len(_STEPS) or not self._known(chosen):
            # A button of last month, or a value renamed since: from the beginning, nothing lost.
            first = self._step([])
            return Said((*fill("stale"), *first.pieces), first.choices)
        if len(chosen) == len(_STEPS):
            return self._offer(*("" if one == ANY else one for one in chosen))
        dimension, words = _STEPS[len(chosen)]
        before = ":".join(("firm", *chosen))
        choices = (Choice(one.label, f"{before}:{one.key}") for one in self._values(dimension))
        return Said(fill(words), (*choices, Choice("不限", f"{before}:{ANY}")))

    def _known(self, chosen: list[str]) -> bool:
        named = zip(_STEPS, chosen, strict=False)
        return all(one == ANY or self._get(dimension, one) for (dimension, _), one in named)

    def _get(self, dimension: str, key: str) -> Facet | None:
        return self._subs.taxonomy.get(dimension, key)

    def _values(self, dimension: str) -> Iterable[Facet]:
        if dimension != GROUPS:
            return self._subs.taxonomy.offered(dimension)
        return [found for key in SIZES if (found := self._get(GROUPS, key)) is not None]

    def _offer(self, industry: str, size: str, region: str) -> Said:
        taxonomy = self._subs.taxonomy
        wishes = [
            Wish(topic, group=size, region=region, industry=industry)
            for topic in OFFERED
            if taxonomy.get(TOPICS, topic) is not None
        ]
        choices = [Choice(in_words(taxonomy, one.asked), wish_key(one)) for one in wishes]
        words = fill("profile_offer", version=CONSENT_VERSION)
        return Said(words, (*choices, Choice("其他主题", "sub"), Choice("不订阅", "keep")))
