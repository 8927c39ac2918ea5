"""What the console is given by the composition root, and how handlers reach it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from aiohttp import web

from bot.replies import Parts
from config.settings import Settings
from console.web.permissions import role_fault
from content_sources.ingest import Ingest
from escalations.alarms import Alarms
from escalations.tickets import TicketWiring
from facets.taxonomy import Labels, Taxonomy
from knowledge.answering import Hit
from knowledge.regression import Regression
from knowledge.reviewed import Known
from ledger.append import Ledger
from review_queue.comments import Comments
from review_queue.desk import Queue
from review_queue.governance.kinds import Governance
from staff.door import Door
from staff.identities import Identities
from staff.refusal import Reason, Refused, missing
from staff.sessions import Visitor
from storage.cache import Cache
from storage.database import Database
from subscriptions.matching import Matching
from supervision.trial import Trials


class Recall(Protocol):
    """What the bot said, and what it would offer to quote; see handlers/recall.py."""

    async def words(self, parts: Parts) -> str:
        """Parts of a reply in words."""
        ...

    def label(self, key: str) -> str:
        """What stands on the button with this key, or an empty text."""
        ...

    async def clauses(self, ids: Sequence[str]) -> list[tuple[str, Hit | None]]:
        """Clauses as they stand today; None for one that may not be told."""
        ...

    async def reviewed(self, questions: Sequence[str]) -> Sequence[Known]:
        """Reviewed answers in use to questions like these."""
        ...

    async def near(self, questions: Sequence[str]) -> Sequence[Mapping[str, str]]:
        """Clauses that come near these questions: clause_id, title, text."""
        ...


@dataclass(frozen=True)
class Deps:
    """One office's parts."""

    settings: Settings
    db: Database
    ledger: Ledger
    queue: Queue
    governance: Governance
    cache: Cache
    taxonomy: Taxonomy
    tickets: TicketWiring
    alarms: Alarms
    ingest: Ingest
    door: Door
    recall: Recall
    trials: Trials
    matching: Matching
    comments: Comments
    regression: Regression
    identities: Identities | None = None

    @property
    def facets(self) -> Mapping[str, Labels]:
        """Dimension -> key -> label, in the order of the taxonomy."""
        taxonomy = self.taxonomy.itself
        return {name: taxonomy.names(name) for name in taxonomy.facets}


DEPS = web.AppKey("deps", Deps)
VISITOR = web.RequestKey("visitor", Visitor)
Row = TypeVar("Row")


def visitor(request: web.Request) -> Visitor:
    """The signed-in person; Refused (401) when nobody is."""
    # Behind the guard this cannot happen; a handler that was mounted without it must not guess.
    found = request.get(VISITOR)
    if not isinstance(found, Visitor):
        raise Refused(401, [Reason("signin", "请先登录")])
    return found


class Acting(NamedTuple):
    """What every act of the queue is given first: `await claims.claim(*acting(request))`."""

    queue: Queue
    item_id: str
    staff_id: str


def acting(request: web.Request) -> Acting:
    """The queue, the item of the address, and who acts on it."""
    queue = request.config_dict[DEPS].queue
    return Acting(queue, request.match_info["item"], visitor(request).staff_id)


def forbidden(action: str) -> Refused:
    """The refusal for a missing role."""
    return Refused(403, [role_fault(action)])


def found(row: Row | None, what: str) -> Row:
    """The row, or a 404 that names what is missing."""
    if row is None:
        raise missing(what)
    return row
