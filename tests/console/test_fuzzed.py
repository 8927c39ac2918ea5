"""Every operation of openapi.json against a running office, with what schemathesis thinks up.

A few cases of each by somebody who may do all of it and by nobody at all; SHENFA_FUZZ=50 tries
fifty times as many. Nothing may fail inside, tell of our code, or have another form than it says.
"""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import APIOperation, Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from console.openapi import ROUTES, document
from staff.sessions import PERSONAL
from tests.console.office import Office, build, busy_morning, close
from tests.console.test_open_data import open_up
from tests.console.test_tokens import token_of_everybody

MANY = int(os.environ.get("SHENFA_FUZZ", "1"))
CASES = {"somebody": 2 * MANY, "nobody": MANY}
"""Cases of one operation, by who sends them."""
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
OURS = ("Traceback", 'File "', "site-packages", "sqlalchemy", "SELECT ")
Value = TypeVar("Value")


class Loop:
    """An event loop in a thread of its own: the office runs there, cases are sent from here."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Value]) -> Value:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@dataclass
class Served:
    """Where the office answers, who may do everything, and what came back."""

    base: str
    token: str
    statuses: Counter[int] = field(default_factory=Counter)


async def _begin(office: Office) -> str:
    """A busy office, open to everybody; the token of somebody with every role."""
    await busy_morning(office)
    await open_up(office)
    return await token_of_everybody(office, PERSONAL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, password_hash: str) -> Iterator[Served]:
    loop = Loop()
    office = loop.run(build(tmp_path_factory.mktemp("fuzz"), password_hash))
    token = loop.run(_begin(office))
    yield Served(f"http://127.0.0.1:{office.server.port}", token)
    loop.run(close(office))
    loop.close()


def operations() -> list[APIOperation]:
    schema = schemathesis.openapi.from_dict(dict(document()))
    return [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]


@pytest.mark.parametrize("who", ["somebody", "nobody"])
def test_no_case_fails_inside_or_has_another_form_than_it_says(served: Served, who: str) -> None:
    headers = {"Authorization": f"Bearer {served.token}"} if who == "somebody" else {}
    served.statuses.clear()
    wrong: list[str] = []
    found = operations()
    assert len(found) == len(ROUTES)
    for operation in found:
        for case in cases(operation, CASES[who]):
            _try(case, served, headers, wrong)
    assert wrong == []
    assert served.statuses.total() >= len(found)
    if who == "nobody":  # what is public answers, everything else asks who it is
        assert served.statuses[401] > served.statuses.total() * 0.8
    else:
        assert served.statuses[401] == 0
        assert served.statuses[200] > 20


def cases(operation: APIOperation, number: int) -> list[Case]:
    """The same cases at every run."""
    made: list[Case] = []

    @seed(20261130)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def keep(case: Case) -> None:
        made.append(case)

    keep()
    return made


def _try(case: Case, served: Served, headers: dict[str, str], wrong: list[str]) -> None:
    response = case.call(base_url=served.base, headers=headers, timeout=60)
    served.statuses[response.status_code] += 1
    told = f"{case.operation.label} {response.status_code}: {response.text[:200]}"
    try:
        case.validate_response(response, checks=list(CHECKS))
    except BaseExceptionGroup as group:
        wrong.append(f"{told}: {[str(error).splitlines()[0] for error in group.exceptions]}")
    if any(word in response.text for word in OURS):
        wrong.append(f"{told}: tells of our code")


def test_every_operation_has_a_name_of_its_own() -> None:
    paths = document()["paths"]
    names = [one["operationId"] for verbs in paths.values() for one in verbs.values()]
    assert len(names) == len(set(names)) > 100
