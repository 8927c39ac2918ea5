"""Service tokens read and draft; a person's token acts for them and makes no way in."""

import re

import pytest
from sqlalchemy import select

from console.openapi import ROUTES
from console.web.permissions import open_to_services
from ledger.models import LedgerEntry
from staff.people import Person, set_staff
from staff.roles import ROLES
from staff.sessions import PERSONAL, SERVICE, new_token
from tests.console.office import Office

OPEN = {
    ("POST", "/items"),
    ("POST", "/items/{item}/revisions"),
    ("POST", "/items/{item}/attachments"),
    ("DELETE", "/items/{item}/attachments/{name}"),
    ("POST", "/items/{item}/notes"),
    ("POST", "/sources/check"),
    ("POST", "/sources/{source}/columns/preview"),
    ("POST", "/subscribers/count"),
}
"""What writes and is open to a service token: drafts, notes, and questions that change nothing."""


def writing() -> set[tuple[str, str]]:
    return {(route.method, route.path) for route in ROUTES if route.method != "GET"}


def test_the_writing_routes_open_to_services_are_these_and_no_other() -> None:
    found = {(route.method, route.path) for route in ROUTES if open_to_services(route.handler)}
    assert found == OPEN


async def token_of_everybody(office: Office, sort: str = SERVICE) -> str:
    """A token of somebody who holds every role: only what a token may do is in question."""
    async with office.deps.ledger.transaction() as tx:
        row = await set_staff(tx, Person("all", "全", tuple(ROLES), "x"), "init")
    return await new_token(office.deps.db, row.id, "统计脚本", sort=sort)


async def entries(office: Office) -> int:
    async with office.deps.db.session() as session:
        return len((await session.scalars(select(LedgerEntry.seq))).all())


async def test_a_service_token_decides_nothing_whatever_roles_its_person_has(
    office: Office,
) -> None:
    token = await token_of_everybody(office)
    client, headers = office.client(), {"Authorization": f"Bearer {token}"}
    before, row = await entries(office), await office.submitted()
    before = await entries(office)
    for method, path in sorted(writing() - OPEN):
        real = re.sub(r"\{item\}", row.id, path)
        answer = await client.request(
            method, "/api/v1" + re.sub(r"\{\w+\}", "x", real), json={}, headers=headers
        )
        assert answer.status == 403, path
        assert (await answer.json())["rule"] == "token", path
    assert await entries(office) == before


@pytest.mark.parametrize("sort", [PERSONAL, SERVICE])
async def test_a_token_opens_no_page_so_it_mints_no_token_and_changes_no_sign_in(
    office: Office, sort: str
) -> None:
    token = await token_of_everybody(office, sort)
    client, headers = office.client(), {"Authorization": f"Bearer {token}"}
    assert (await client.get("/api/v1/items", headers=headers)).status == 200
    for path in ("/console/", "/console/me", "/console/me/second", "/console/me/passkeys"):
        answer = await client.get(path, headers=headers, allow_redirects=False)
        assert (answer.status, answer.headers["Location"][:15]) == (303, "/console/signin"), path
    before = await entries(office)
    for path in (
        "me/tokens",
        "me/password",
        "me/passkeys/begin",
        "me/passkeys/finish",
        "me/second/begin",
        "me/second/confirm",
        "me/second/remove",
        "passkeys/x/confirm",
    ):
        answer = await client.post(f"/console/{path}", headers=headers, allow_redirects=False)
        assert answer.status == 303, path
        assert answer.headers["Location"].startswith("/console/signin"), path
    assert await entries(office) == before


async def test_a_person_s_token_decides_as_they_do(office: Office) -> None:
    row = await office.submitted()
    token = await new_token(office.deps.db, office.people["reviewer1"], "审核脚本")
    answer = await office.client().post(
        f"/api/v1/items/{row.id}/claim", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status == 200, await answer.text()


@pytest.mark.parametrize("path", ["/items"])
@pytest.mark.parametrize("sort", [PERSONAL, SERVICE])
async def test_a_token_drafts(office: Office, path: str, sort: str) -> None:
    token = await token_of_everybody(office, sort)
    body = {"kind": "原创", "title": "办理时间", "body": "周一至周五办理。", "klass": "日常"}
    answer = await office.client().post(
        f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status == 201, await answer.text()
