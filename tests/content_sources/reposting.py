"""An office that republishes: signed sources, the real judgement in the queue, real levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.contract import Content
from bot.models import Account
from config.clock import now
from content_sources.changes import WantedChange, approve, propose
from content_sources.models import Article
from content_sources.reposts import Reposts
from content_sources.source_fields import SourceFields
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
from storage.database import Database, new_id

ROOT = Path(__file__).parents[2]
HOST = "www.qinghe.gov.cn"
URL = f"https://{HOST}/zwgk/a.html"
TITLE = "青禾县关于发放就业补贴的通知"
TEXT = (
    "青政发〔2026〕12号\n"
    "每人每月补贴800元，最长发放12个月。\n"
    "逾期不再受理，由青禾县人社局负责解释。"
)
PEOPLE = {
    "admin1": ("admin",),
    "admin2": ("admin",),
    "editor": ("editor",),
    "reviewer1": ("reviewer_1",),
    "reviewer2": ("reviewer_2",),
    "reviewer3": ("reviewer_3", "secrecy"),
    "supervisor": ("supervisor",),
    "duty": ("duty",),
}


@dataclass
class Relay:
    """The parts a repost passes through."""

    db: Database
    ledger: Ledger
    queue: Queue
    reposts: Reposts
    releases: Releases
    people: dict[str, str]

    def fields(self, **changed: Any) -> SourceFields:
        given: dict[str, Any] = {
            "organisation": "青禾县人民政府",
            "hosts": (HOST,),
            "basis": "青政办发〔2026〕1号",
            "valid_from": now() - timedelta(days=1),
            "owner": "editor",
        }
        return SourceFields(**(given | changed))

    async def source(self, **changed: Any) -> str:
        """A source that two people determined."""
        proposal = WantedChange("add", self.fields(**changed))
        change = await propose(self.ledger, self.people["admin1"], proposal)
        await approve(self.ledger, self.people["admin2"], change.source_id)
        return change.source_id

    async def change(self, source_id: str, action: str = "edit", **changed: Any) -> None:
        """A change that two people made."""
        proposal = WantedChange(action, self.fields(**changed), source_id)
        await propose(self.ledger, self.people["admin1"], proposal)
        await approve(self.ledger, self.people["admin2"], source_id)

    async def article(self, source_id: str, url: str = URL, **changed: Any) -> str:
        """A fetched page of that source."""
        given: dict[str, Any] = {
            "id": new_id(),
            "source_id": source_id,
            "url": url,
            "title": TITLE,
            "author": "林青",
            "source_name": "青禾县人民政府",
            "text": TEXT,
            "images": [],
            "attachments": [],
            "headers": {},
            "snapshot": "sha256:" + "0" * 64,
            "text_hash": "0" * 64,
            "state": "item",
            "fetched_at": now(),
        }
        async with self.db.session() as session:
            session.add(Article(**(given | changed)))
        return str((given | changed)["id"])

    async def item(self, article_id: str | None = None, **changed: Any) -> Item:
        """A draft repost, complete in its attribution."""
        attribution = {
            "source": "青禾县人民政府",
            "original_author": "林青",
            "original_title": TITLE,
            "editor": "李雪",
            "url": changed.pop("url", URL),
        }
        given: dict[str, Any] = {"kind": "转载", "title": TITLE, "body": TEXT}
        content = Content(**({**given, "attribution": attribution} | changed))
        origin = Origin("robot", "重要", article_id, accounts=("tg",))
        return await drafting.create_item(self.queue, content, origin)

    async def submitted(self, item: Item) -> Item:
        return await submitting.submit(self.queue, item.id, self.people["editor"], item.version)

    async def approved(self, item: Item) -> Item:
        for who in ("reviewer1", "reviewer2", "reviewer3"):
            digest, _ = await findings_now(self.queue, item.id)
            gates = {gate: {"ok": True, "note": "已对照原文"} for gate in GATES}
            answer = ReviewForm("approve", digest, item.version, gates, proof=True)
            item = await deciding.decide(self.queue, item.id, self.people[who], answer)
        return item

    async def rules(self, item: Item, severity: str = "") -> list[str]:
        """Rules of the findings on an item, in order."""
        _, found = await findings_now(self.queue, item.id)
        return [one.rule for one in found if severity in ("", one.severity)]


def render(accounts: Sequence[Account], content: Content) -> tuple[dict[str, Any], list[str]]:
    return {row.id: {"text": f"{content.title}\n{content.body}"} for row in accounts}, []


async def open_relay(folder: Path, database: Database) -> Relay:
    """People, one account, the queue with the judgement of sources as its only gate."""
    ledger = Ledger(database, load_signing_key(folder / "keys/l.key"), folder / "anchors.jsonl")
    reposts = Reposts(ledger)

    async def check(draft: Draft) -> tuple[str, list[Finding]]:
        return "rules-1", await reposts.findings(draft)

    flows = load_workflows(ROOT / "config/workflows.yaml")
    async with ledger.transaction() as tx:
        digests = {klass: flow.digest for klass, flow in flows.items()}
        await tx.append("genesis", subject="office", actor="init", body={"workflows": digests})
        tx.session.add(
            Account(
                id="tg",
                slug="tg",
                organisation_id="o",
                platform="telegram",
                name="青禾发布",
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
    queue = Queue.of(ledger, flows, render, check)
    return Relay(database, ledger, queue, reposts, Releases(ledger, reposts.findings), people)
