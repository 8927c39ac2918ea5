"""What happened to a self-test, and the names of what an account is judged by."""

from supervision.cockpit import VETOES, WEEKS, Standing

DONE = {
    "selftested": "互动自测做完了，结果在下面。",
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


WORDS = {"VETOES": VETOES, "COCKPIT_WEEKS": WEEKS}
FILTERS = {"update_words": update_words, "bars": bars}
