"""Numbers for Prometheus: what waits, what went out, who works. Nobody's name and no words."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.delivery.processes import KINDS, engine_silence, kinds_alive
from bot.delivery.runs import ages
from bot.models import ENDS, Account, AccountRest, Delivery, InboundMessage, Publication
from config.clock import now
from console.web.clients import comes_from
from console.web.deps import DEPS
from console.web.permissions import PUBLIC, needs
from escalations.models import Ticket
from ledger.reopening import open_incidents
from review_queue.models import Item
from storage.database import Database

NOT_FOR_YOU = "运行指标只给指定的地址看：请在 SHENFA_METRICS_FROM 里写上采集程序的地址"
_DUE = (State.CREATED, State.RETRYING)
_NOBODY = "?"  # an account that is not there any more

Row = tuple[Sequence[str], float]


@needs(PUBLIC)
async def metrics(request: web.Request) -> web.StreamResponse:
    """Counts for Prometheus, for the addresses that the settings name."""
    deps = request.config_dict[DEPS]
    if not comes_from(request, deps.settings.watchers):
        return web.Response(status=403, text=NOT_FOR_YOU)
    found = await measured(deps.db)
    registry = CollectorRegistry()
    registry.register(found)
    return web.Response(body=generate_latest(registry), content_type="text/plain", charset="utf-8")


class Measured(Collector):
    """What was measured for one answer."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.found: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        """All of it."""
        return self.found

    def gauge(self, name: str, words: str, labels: Sequence[str], rows: Iterable[Row]) -> None:
        """What may rise and fall."""
        family = GaugeMetricFamily(f"shenfa_{name}", words, labels=labels)
        for values, number in rows:
            family.add_metric(values, number)
        self.found.append(family)

    def counter(self, name: str, words: str, labels: Sequence[str], rows: Iterable[Row]) -> None:
        """What only rises, so that its rate can be asked for."""
        family = CounterMetricFamily(f"shenfa_{name}", words, labels=labels)
        for values, number in rows:
            family.add_metric(values, number)
        self.found.append(family)


async def measured(db: Database) -> Measured:
    """Everything, by what the database says now: the same whichever process is asked."""
    to = Measured()
    async with db.session() as session:
        rows = await session.execute(select(Account.id, Account.slug))
        slugs = {row.id: row.slug for row in rows}
        await _rows(session, slugs, to)
        await _waiting(session, slugs, to)
        opened = len(await open_incidents(session))
    to.gauge("incidents_open", "Open incidents", [], [((), opened)])
    await _office(db, to)
    return to


async def _rows(session: AsyncSession, slugs: dict[str, str], to: Measured) -> None:
    for name, column in (("items", Item.state), ("tickets", Ticket.state)):
        rows = await session.execute(select(column, func.count()).group_by(column))
        states: list[Row] = [((state,), number) for state, number in rows]
        to.gauge(name, f"{name.capitalize()} by state", ["state"], states)
    for name, model in (("publications", Publication), ("deliveries", Delivery)):
        found = await _by_account(session, model, slugs)
        words = f"{name.capitalize()} that are not over, by state and account"
        labels = ["state", "account"]
        to.gauge(name, words, labels, [one for one in found if one[0][0] not in ENDS])
        ended = [one for one in found if one[0][0] in ENDS]
        words = f"{name.capitalize()} that are over, by outcome and account"
        to.counter(f"{name}_ended", words, ["outcome", "account"], ended)


async def _by_account(session: AsyncSession, model: Any, slugs: dict[str, str]) -> list[Row]:
    by = (model.state, model.account_id)
    rows = await session.execute(select(*by, func.count()).group_by(*by))
    return [((state, slugs.get(account, _NOBODY)), number) for state, account, number in rows]


async def _waiting(session: AsyncSession, slugs: dict[str, str], to: Measured) -> None:
    moment = now()
    late = select(Delivery.account_id, func.min(Delivery.next_at)).where(
        Delivery.state.in_(_DUE), Delivery.next_at <= moment
    )
    rows = (await session.execute(late.group_by(Delivery.account_id))).all()
    to.gauge(
        "oldest_due_seconds", "For how long the oldest due message waits, by account", ["account"],
        [((slugs.get(account, _NOBODY),), _since(moment, at)) for account, at in rows],
    )  # fmt: skip
    waits = select(func.count(), func.min(InboundMessage.at)).where(InboundMessage.waits > "")
    number, oldest = (await session.execute(waits)).one()
    to.gauge("unanswered", "Acts of citizens that wait for their answer", [], [((), number)])
    words = "For how long the oldest of them waits"
    to.gauge("oldest_unanswered_seconds", words, [], [((), _since(moment, oldest))])
    rest = select(AccountRest.account_id, AccountRest.until).where(AccountRest.until > moment)
    to.gauge(
        "account_rest_seconds", "How long a platform told an account to wait", ["account"],
        [
            ((slugs.get(account, _NOBODY),), -_since(moment, until))
            for account, until in (await session.execute(rest)).all()
        ],
    )  # fmt: skip


def _since(moment: datetime, at: datetime | None) -> float:
    return 0.0 if at is None else (moment - at).total_seconds()


async def _office(db: Database, to: Measured) -> None:
    alive = await kinds_alive(db)
    known = [((kind,), alive[kind]) for kind in KINDS]
    to.gauge("processes", "Living processes by kind", ["kind"], known)
    silent = await engine_silence(db)
    age = [] if silent is None else [((), silent)]
    to.gauge("engine_silent_seconds", "Since a task engine last did something", [], age)
    jobs = sorted((await ages(db)).items())
    to.gauge(
        "job_begun_seconds", "Since a job was last begun, by job", ["job"],
        [((name,), age.began) for name, age in jobs],
    )  # fmt: skip
    to.gauge(
        "job_interval_seconds", "How often a job should be done", ["job"],
        [((name,), age.every) for name, age in jobs],
    )  # fmt: skip
    to.gauge("job_failed_seconds", "Since a job last failed", ["job"], _failed(jobs))


def _failed(jobs: Iterable[tuple[str, Any]]) -> Iterator[Row]:
    for name, age in jobs:
        if age.failed is not None:
            yield (name,), age.failed
