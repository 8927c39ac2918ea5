"""Law gate, structure: laws that are no longer in force, cited by title as if they were."""

import re
from collections.abc import Iterator
from datetime import date

from review_queue.gates.finding import Context, Finding, Ground

_CIVIL_CODE = date(2021, 1, 1)
_INTO_CIVIL_CODE = frozenset(
    [
        "婚姻法",
        "继承法",
        "民法通则",
        "收养法",
        "担保法",
        "合同法",
        "物权法",
        "侵权责任法",
        "民法总则",
    ]
)
_REPEALED = Ground(
    "law",
    "law.repealed-statute",
    "warn",
    "该法已自2021年1月1日起废止，不能再作为现行依据引用",
    "《中华人民共和国民法典》第一千二百六十条",
)
_LAW = re.compile(r"《(中华人民共和国)?([\u4e00-\u9fff]{3,6})》")
_KNOWN_GONE = re.compile(r"废止|失效|原《|修订前|当时|同时|历史|颁布|通过了")


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Structural findings of one field."""
    if ctx.as_of < _CIVIL_CODE or "《" not in text:
        return
    for match in _LAW.finditer(ctx.dense.text):
        if match[2] in _INTO_CIVIL_CODE and not _KNOWN_GONE.search(ctx.around(*match.span())):
            title = f"《{match[1] or ''}民法典》"
            yield ctx.mark_dense(match.span(), _REPEALED, [title])
