"""Every example of openapi.json is run against an office, as it stands in the document."""

import re
from typing import Any

from sqlalchemy import select

from console.examples import BODIES, PLACES
from console.openapi import ROUTES, document
from content_sources.models import Article
from staff.sessions import PERSONAL
from tests.console.office import Office, busy_morning
from tests.console.test_open_data import open_up
from tests.console.test_tokens import token_of_everybody

OUT = {"recall", "correct"}
"""What is done about an item that is out; everything else about a draft."""
NAMED = re.compile(r"\{(\w+)\}")


async def places(office: Office, token: str) -> dict[str, str]:
    """What stands in this office for the examples of parts of addresses."""
    ids = await busy_morning(office)
    await open_up(office)
    async with office.deps.db.session() as session:
        article = (await session.scalars(select(Article.id).where(Article.state == "item"))).one()
    headers = {"Authorization": f"Bearer {token}"}
    answer = await office.client().get("/api/v1/rules", headers=headers)
    rules = (await answer.json())["rules"]
    named = {key: ids[key] for key in ("policy", "publication", "source", "ticket")}
    known = {key: PLACES[key] for key in ("account", "login", "name", "period", "key")}
    own = {"item": ids["draft"], "article": article, "rule": rules[0]["id"]}
    return {**known, **named, **own, "published": ids["published"]}


def runs(method: str, path: str) -> bool:
    """Whether the document has an example for all of it."""
    return (method == "GET" or f"{method} {path}" in BODIES) and set(NAMED.findall(path)) <= {
        *PLACES
    }


async def test_every_example_of_the_document_is_answered_as_it_says(office: Office) -> None:
    token = await token_of_everybody(office, PERSONAL)
    here, client = await places(office, token), office.client()
    chosen = [one for one in ROUTES if runs(one.method, one.path)]
    # What looks comes first, and what takes a text back comes last.
    chosen.sort(key=lambda one: (one.method != "GET", one.path.endswith("recall")))
    done, wrong = 0, []
    for route in chosen:
        own = {"item": here["published"]} if route.path.rsplit("/", 1)[-1] in OUT else {}
        path = route.path.format_map({**here, **own})
        answer = await client.request(
            route.method,
            f"/api/v1{path}",
            json=example(route.method, route.path),
            headers={"Authorization": f"Bearer {token}"},
        )
        done += 1
        if answer.status not in (200, 201, 202):
            wrong.append((route.method, path, answer.status, (await answer.text())[:300]))
    assert wrong == []
    assert done > 55


def example(method: str, path: str) -> Any:
    """The body as it stands in the document."""
    operation = document()["paths"][f"/api/v1{path}"][method.lower()]
    if "requestBody" not in operation:
        return None
    return operation["requestBody"]["content"]["application/json"]["example"]


def test_every_example_belongs_to_an_operation() -> None:
    assert set(BODIES) <= {f"{one.method} {one.path}" for one in ROUTES}
    used = {name for one in ROUTES for name in NAMED.findall(one.path)}
    assert set(PLACES) <= used
