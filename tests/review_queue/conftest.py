"""A small office: two accounts, an editor, three reviewers, and a queue with plain renderings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.contract import Content
from bot.models import Account
from config.clock import now
from gates.finding import Finding
from ledger.append import Ledger, load_signing_key
from review_queue import deciding, drafting, submitting
from review_queue.canonical import Draft
from review_queue.desk import Queue
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item
from review_queue.release import Releases
from review_queue.workflow import GATES, load_workflows
from staff.people import Person, set_staff
from storage.database import Database

ROOT = Path(__file__).parents[2]


@dataclass
class Office:
    """What the tests of this room share; `blocking` steers what the gates say from now on."""

    queue: Queue
    releases: Releases
    people: dict[str, str]
    blocking: list[Finding] = field(default_factory=list)

    async def item(self, klass: str = "重要") -> Item:
        content = Content(kind="原创", title="关于发放就业补贴的通知", body="第一段\n第二段")
        origin = Origin(editor_id=self.people["editor"], klass=klass)
        return await drafting.create_item(self.queue, content, origin)

    async def submitted(self, klass: str = "重要") -> Item:
        item = await self.item(klass)
        return await submitting.submit(self.queue, item.id, self.people["editor"], item.version)

    async def decide(self, item: Item, who: str, verdict: str = "approve", **more: Any) -> Item:
        digest, _ = await findings_now(self.queue, item.id)
        fields: dict[str, Any] = {
            "digest": digest,
            "version": item.version,
            "gates": all_ok(),
            "proof": True,
        } | more
        return await deciding.decide(
            self.queue, item.id, self.people[who], ReviewForm(verdict, **fields)
        )

    async def approved(self) -> Item:
        item = await self.submitted()
        for who in ("reviewer1", "reviewer2", "reviewer3"):
            item = await self.decide(item, who)
        return item


def all_ok(**changed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {gate: {"ok": True, "note": ""} for gate in GATES} | changed


def plain_render(accounts: Sequence[Account], content: Content) -> tuple[dict[str, Any], list[str]]:
    return {row.id: {"text": f"{content.title}\n{content.body}"} for row in accounts}, []


PEOPLE = {
    "editor": ("editor",),
    "editor2": ("editor", "reviewer_1"),
    "reviewer1": ("reviewer_1",),
    "reviewer2": ("reviewer_2",),
    "reviewer3": ("reviewer_3", "secrecy"),
    "supervisor": ("supervisor",),
    "everything": ("editor", "reviewer_1", "reviewer_2", "reviewer_3", "secrecy", "admin"),
}


@pytest.fixture
async def office(tmp_path: Path, database: Database) -> Office:
    return await make_office(tmp_path, database)


async def make_office(tmp_path: Path, database: Database) -> Office:
    """The office over a database, its key and anchors in a folder."""
    ledger = Ledger(database, load_signing_key(tmp_path / "keys/l.key"), tmp_path / "anchors.jsonl")
    found: list[Finding] = []

    async def check(draft: Draft) -> tuple[str, list[Finding]]:
        return "rules-1", list(found)

    async def recheck(draft: Draft) -> list[Finding]:
        return list(found)

    flows = load_workflows(ROOT / "config" / "workflows.yaml")
    async with ledger.transaction() as tx:
        digests = {klass: flow.digest for klass, flow in flows.items()}
        await tx.append("genesis", subject="office", actor="init", body={"workflows": digests})
        for slug in ("wx", "tg"):
            tx.session.add(
                Account(
                    id=slug,
                    slug=slug,
                    organisation_id="o",
                    platform=slug,
                    name=slug,
                    api_base="",
                    secrets="",
                    settings={},
                    created_at=now(),
                )
            )
        people = {
            login: (await set_staff(tx, Person(login, login, roles, "-"), "system")).id
            for login, roles in PEOPLE.items()
        }
    queue = Queue.of(ledger, flows, plain_render, check)
    return Office(queue, Releases(ledger, recheck), people, found)
