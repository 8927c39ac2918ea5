"""The measurements there are.

A row is {"bench", "metric", "unit", "value", "bare", "ratio", "target", "ok", "n", "detail"};
`bare` is measured in the same run, `ratio` is how many times the bare time we take.
"""

from collections.abc import Awaitable, Callable

from bench.article import article
from bench.ask import ask
from bench.callback import callback
from bench.cockpit import cockpit
from bench.digest import digest
from bench.extract import extract
from bench.figures import Row
from bench.gates import gates
from bench.idle import idle
from bench.match import match
from bench.push import push
from bench.rate import rate
from bench.release import release
from bench.sources import sources

BENCHES: dict[str, Callable[..., Awaitable[list[Row]]]] = {
    "article": article,
    "extract": extract,
    "gates": gates,
    "ask": ask,
    "release": release,
    "push": push,
    "rate": rate,
    "match": match,
    "digest": digest,
    "callback": callback,
    "sources": sources,
    "cockpit": cockpit,
    "idle": idle,
}
SCALED = ("match", "digest")
"""Those that take a number of people: `shenfa bench match --people 1000000`."""
