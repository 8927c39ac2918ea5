"""One result for one question: kept, and shared by all who ask while it is being found."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace
from itertools import count
from weakref import WeakKeyDictionary

from gates.finding import Facts, Finding
from gates.limits import not_finished
from gates.rules import RuleSet
from gates.spelling import Speller
from gates.work import Held, InThread, NotDone, Runner, Work, held_as_is

_KEPT = 512  # results; the oldest go first
_AGAIN = 60.0  # seconds after which a check that did not come to its end is tried once more
Prepare = Callable[[], Awaitable[Work]]


_NUMBERS = count(1)
_LIBRARIES: WeakKeyDictionary[Facts, str] = WeakKeyDictionary()


def of_rules(rules: RuleSet) -> Held:
    """A rule set, by its digest."""
    return Held("rules", rules.digest, RuleSet, rules.rules, rules)


def of_facts(facts: Facts) -> Held:
    """What is known of the world, by this very object: a changed library is another one."""
    key = _LIBRARIES.setdefault(facts, f"facts-{next(_NUMBERS)}")
    return held_as_is("facts", key, facts)


def of_speller(own_texts: Sequence[str]) -> Held:
    """The spelling model with the words of the office, made where it is used."""
    return Held("speller", f"speller-{next(_NUMBERS)}", _speller, tuple(own_texts))


def _speller(own_texts: tuple[str, ...]) -> Speller:
    return Speller.load(own_texts=own_texts)


class Results:
    """Findings by what they were found in and by; nothing is kept beyond this process."""

    def __init__(self, runner: Runner | None = None) -> None:
        """Without a runner the work is done in threads, without a limit."""
        self.runner = runner or InThread()
        self._known: OrderedDict[Hashable, list[Finding]] = OrderedDict()
        self._failed: dict[Hashable, tuple[float, list[Finding]]] = {}
        self._running: dict[Hashable, asyncio.Task[list[Finding]]] = {}

    async def of(self, key: Hashable, prepare: Prepare, field: str = "text") -> list[Finding]:
        """The findings under this key, found once; a check that failed is one that blocks.

        `prepare` gives the work, and is called only when it has to be done; `field` is where a
        failure is told.
        """
        if key in self._known:
            self._known.move_to_end(key)
            return list(self._known[key])
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._find(key, prepare, field))
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
        # Whoever asked first may go away; the others still wait for the result.
        return list(await asyncio.shield(task))

    def holds(self, key: Hashable) -> bool:
        """Whether the result under this key is at hand."""
        return key in self._known

    async def _find(self, key: Hashable, prepare: Prepare, field: str) -> list[Finding]:
        tried = self._failed.pop(key, None)
        if tried is not None and time.monotonic() - tried[0] < _AGAIN:
            self._failed[key] = tried
            return tried[1]
        try:
            found: list[Finding] = await self.runner.run(await prepare())
        except NotDone as failed:
            found = [replace(not_finished(failed.rule, str(failed)), field=field)]
            self._failed[key] = time.monotonic(), found
            while len(self._failed) > _KEPT:
                self._failed.pop(next(iter(self._failed)))
            return found
        self._known[key] = found
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return found

    async def close(self) -> None:
        """End what is being found, and the runner."""
        await self.runner.close()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
