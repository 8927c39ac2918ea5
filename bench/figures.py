"""What every measurement uses: rows, times, words and texts of our own making."""

import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
ROOT = Path(__file__).parents[1]
TEN = 10_000_000
"""People: more than live in any league, and reckoned from what is measured with fewer."""
IN_FLIGHT = 64  # calls on their way at once, ours and bare
_HAN = "办补贴申领条件就业创业促进消费政策企业人员社保登记培训岗位毕业生困难家庭县区镇街道资金审核"
SENTENCES = (
    "符合条件的高校毕业生可以申领一次性就业补贴，标准为每人一千五百元。",
    "用人单位应当在每月十日前向县人力资源和社会保障局提交材料。",
    "购买新能源汽车的消费者凭发票和登记证明申请，补贴资金直接发放到本人账户。",
    "本通知自发布之日起施行，由青禾县商务局负责解释。",
)


@dataclass(frozen=True)
class Measured:
    """What was measured, what the shortest code takes in the same run, and what to reach."""

    value: float
    bare: float
    target: float


def figure(bench: str, metric: str, unit: str, measured: Measured, n: int) -> Row:
    """One row; a unit that ends in /s is better when it is higher."""
    value, bare, target = measured.value, measured.bare, measured.target
    rate = unit.endswith("/s")
    return {
        "bench": bench,
        "metric": metric,
        "unit": unit,
        "value": round(value, 4),
        "bare": round(bare, 4),
        "ratio": round(bare / value if rate else value / bare, 2),
        "target": target,
        "ok": value >= target if rate else value <= target,
        "n": n,
        "detail": {},
    }


@dataclass(frozen=True)
class Timed:
    """So many people took so many seconds."""

    people: int
    seconds: float


def grown(few: Timed, many: Timed) -> dict[str, float]:
    """How the time grew from fewer people to more (1: with their number), and by it that of TEN.

    What is measured to grow more slowly is taken to grow with the number: a beginning has costs of
    its own.
    """
    growth = math.log(many.seconds / few.seconds) / math.log(many.people / few.people)
    whole = many.seconds * (TEN / many.people) ** max(1.0, growth)
    return {"growth": round(growth, 2), "seconds_of_ten_million": round(whole)}


def resident() -> float:
    """The megabytes of memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def milliseconds(work: Callable[[], object], n: int) -> list[float]:
    """Milliseconds of each of `n` calls."""
    taken = []
    for _ in range(n):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def percentile(values: list[float], percent: int) -> float:
    """The value that `percent` of `values` do not exceed."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def word_of(number: int, length: int) -> str:
    """A word of `length` characters; different numbers below 40 ** length give different words."""
    letters = sorted(set(_HAN))
    word = ""
    for _ in range(length):
        number, at = divmod(number, len(letters))
        word += letters[at]
    return word


# A process of its own: seconds to import, seconds to compile, megabytes resident more than before.
_START = """
import json, resource, sys, time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6
empty, begun = resident(), time.perf_counter()
{imports}
words = {words}
imported = time.perf_counter()
{compile}
json.dump([imported - begun, time.perf_counter() - imported, resident() - empty], sys.stdout)
"""


def measured(imports: str, work: str, terms: int) -> list[float]:
    """Seconds to import, seconds to work, megabytes added, with so many `words` in a process."""
    han = (
        f"['一' + ''.join(chr(0x4E00 + n // 40**p % 40) for p in range(6)) for n in range({terms})]"
    )
    code = _START.format(imports=imports, words=han, compile=work)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)  # noqa: S603  our own code
    return [float(value) for value in json.loads(done.stdout)]
