"""The five gates, one file each; a new gate is one more file and one more line here."""

from collections.abc import Callable, Iterable

from review_queue.gates import law, policy, politics, secrecy, wording
from review_queue.gates.finding import Context, Finding

Find = Callable[[str, Context], Iterable[Finding]]

GATES: dict[str, Find] = {
    "politics": politics.find,
    "law": law.find,
    "policy": policy.find,
    "secrecy": secrecy.find,
    "wording": wording.find,
}
