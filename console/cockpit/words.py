"""What happened to a self-test, and the names of what an account is judged by."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.met import Met
from facets.remit import Concern, Ground, in_words
from facets.taxonomy import Taxonomy
from supervision.cockpit import VETOES, WEEKS, Standing
from supervision.promises import Act, share

DONE = {
    "selftested": "互动自测做完了，结果在下面。",
    "concern_marked": "标好了，记在台账里。",
}


def update_words(one: Standing) -> str:
    """3 天前, 还没有发布过, 超过时限 2 天."""
    if one.days >= one.limit:
        return f"{one.days} 天没有更新，超过 {one.limit} 天的时限"
    return f"{one.days} 天，时限 {one.limit} 天" if one.last else f"登记 {one.days} 天还没有发布过"


def bars(weeks: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Of each week: its place, its number, and its height in a chart of 100."""
    top = max(*weeks, 1)
    return [(place, number, round(100 * number / top)) for place, number in enumerate(weeks)]


MET_WORDS = {
    Met.ANSWERED: "当场答复",
    Met.ASKED_BACK: "反问",
    Met.CHOSEN: "选了反问给出的条文",
    Met.PERSON: "转人工",
    Met.CALLED: "按群众要求转人工",
    Met.DANGER: "告知求助电话",
    Met.OPEN: "没有答案",
    Met.LOST: "没有应答",
    Met.OTHER: "菜单、订阅等",
}


CONCERN_WORDS = {Concern.OURS: "有关", Concern.OTHER: "无关", Concern.UNSAID: "说不清"}
CONCERN_TONES = {Concern.OURS: "good", Concern.OTHER: "stop", Concern.UNSAID: "plain"}
GROUND_WORDS = {
    Ground.MARKED_OURS: "审核人标为有关",
    Ground.MARKED_OTHER: "审核人标为无关",
    Ground.TOPIC: "审核通过的主题在职责内",
    Ground.TOPIC_OUTSIDE: "审核通过的主题都不在职责内",
    Ground.REGION_OUTSIDE: "讲的是别的地区",
    Ground.NO_REMIT: "账号没有登记职责主题",
    Ground.NO_TOPICS: "稿件放行时没有主题",
}


def relevance_words(one: Standing) -> str:
    """80 %, or why there is no share."""
    if one.relevance is not None:
        return f"{one.relevance:g} %"
    if not one.posts:
        return "没有发布"
    return "说不清" if one.remit else "没有登记职责"


def remit_words(taxonomy: Taxonomy, settings: Mapping[str, Any], name: str) -> str:
    """What an account is for, as it is typed."""
    return in_words(taxonomy, settings, name)


def topic_words(taxonomy: Taxonomy, keys: Sequence[str]) -> str:
    """就业创业、社保补贴."""
    return "、".join(taxonomy.label("topics", key) for key in keys)


def share_of(part: int, whole: int) -> str:
    """99.4 %, never rounded up to 100 %."""
    found = share(part, whole)
    return "—" if found is None else f"{found:g} %"


def took_words(act: Act) -> str:
    """0.3 秒."""
    return "没有当场交给平台" if act.took is None else f"{act.took / 1000:.1f} 秒"


def hours_of(hours: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    """Each hour in which something was said: when, how often, how often in time."""
    return [(at, replies, good) for at, (replies, good) in enumerate(hours) if replies]


WORDS = {
    "VETOES": VETOES,
    "COCKPIT_WEEKS": WEEKS,
    "MET_WORDS": MET_WORDS,
    "CONCERN_WORDS": CONCERN_WORDS,
    "CONCERN_TONES": CONCERN_TONES,
    "GROUND_WORDS": GROUND_WORDS,
}
FILTERS = {
    "update_words": update_words,
    "bars": bars,
    "share_of": share_of,
    "took_words": took_words,
    "hours_of": hours_of,
    "relevance_words": relevance_words,
    "remit_words": remit_words,
    "topic_words": topic_words,
}
