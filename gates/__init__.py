"""The five gates, one file each; a new gate is one more file and one more line here."""

from collections.abc import Callable, Iterable

from gates.finding import Context, Finding
from gates.law import find as find_law
from gates.policy import find as find_policy
from gates.politics import find as find_politics
from gates.secrecy import find as find_secrecy
from gates.wording import find as find_wording

Find = Callable[[str, Context], Iterable[Finding]]

GATES: dict[str, Find] = {
    "politics": find_politics,
    "law": find_law,
    "policy": find_policy,
    "secrecy": find_secrecy,
    "wording": find_wording,
}
