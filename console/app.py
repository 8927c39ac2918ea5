"""The console and the JSON API mounted on the office's web application."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web

from console import openapi
from console.audit import pages as audit_pages
from console.audit import words as audit_words
from console.cockpit import pages as cockpit_pages
from console.cockpit import promises
from console.cockpit import relevance as cockpit_relevance
from console.cockpit import words as cockpit_words
from console.consultations import pages as consultations_pages
from console.consultations import words as consultations_words
from console.experts import answering
from console.experts import pages as experts_pages
from console.experts import words as experts_words
from console.home import pages as home_pages
from console.items import pages as items_pages
from console.items import words as items_words
from console.me import absence, alarms, passkeys, provider, second, signin
from console.me import pages as me_pages
from console.me import words as me_words
from console.plan import pages as plan_pages
from console.plan import words as plan_words
from console.policies import pages as policies_pages
from console.policies import words as policies_words
from console.public import health
from console.public import pages as public_pages
from console.publications import codes, live
from console.publications import comments as publications_comments
from console.publications import pages as publications_pages
from console.publications import people as publications_people
from console.publications import words as publications_words
from console.records import pages as records_pages
from console.records import words as records_words
from console.reports import pages as reports_pages
from console.reports import words as reports_words
from console.settings import pages as settings_pages
from console.settings import words as settings_words
from console.sources import columns, exceptions, imports
from console.sources import pages as sources_pages
from console.sources import words as sources_words
from console.subscriptions import pages as subscriptions_pages
from console.subscriptions import unreachable
from console.subscriptions import words as subscriptions_words
from console.tasks import pages as tasks_pages
from console.tasks import words as tasks_words
from console.tickets import counts as tickets_counts
from console.tickets import desk as tickets_desk
from console.tickets import live as tickets_live
from console.tickets import pages as tickets_pages
from console.tickets import words as tickets_words
from console.web import static, streams
from console.web import words as shared_words
from console.web.deps import DEPS, Deps
from console.web.guard import guard, headed
from console.web.interface import problem_json
from console.web.pages import DONE, problem_page
from console.workplan import pages as workplan_pages
from console.workplan import words as workplan_words

FEATURES = (
    shared_words,
    audit_words,
    cockpit_words,
    consultations_words,
    experts_words,
    items_words,
    me_words,
    plan_words,
    policies_words,
    publications_words,
    records_words,
    reports_words,
    settings_words,
    sources_words,
    subscriptions_words,
    tasks_words,
    tickets_words,
    workplan_words,
)
HERE = Path(__file__).parent

LARGEST_BODY = 12 * 1024 * 1024  # a file of 10 MB and the form around it


def merged(name: str) -> dict[str, Any]:
    """DONE, WORDS or FILTERS of every feature as one; a key that two features define is a fault."""
    whole: dict[str, Any] = {}
    for feature in FEATURES:
        mine = getattr(feature, name, {})
        if twice := whole.keys() & mine.keys():
            raise KeyError(f"{feature.__name__} defines {sorted(twice)} once more in {name}")
        whole |= mine
    return whole


def _templates(app: web.Application) -> None:
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(HERE),
        filters=merged("FILTERS"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals.update(
        merged("WORDS"), fingerprint=static.fingerprint(), has_editor=static.HAS_EDITOR
    )


def _pages() -> Sequence[web.RouteDef]:
    return [
        web.get("", public_pages.front_door),
        *static.ROUTES,
        *signin.ROUTES,
        *provider.ROUTES,
        *me_pages.ROUTES,
        *second.ROUTES,
        *home_pages.ROUTES,
        *cockpit_pages.ROUTES,
        *promises.ROUTES,
        *cockpit_relevance.ROUTES,
        *items_pages.ROUTES,
        *experts_pages.ROUTES,
        *passkeys.ROUTES,
        *absence.ROUTES,
        *alarms.ROUTES,
        *publications_pages.ROUTES,
        *publications_people.ROUTES,
        *publications_comments.ROUTES,
        *codes.ROUTES,
        *live.ROUTES,
        *plan_pages.ROUTES,
        *policies_pages.ROUTES,
        *subscriptions_pages.ROUTES,
        *unreachable.ROUTES,
        *tickets_live.ROUTES,  # before /tickets/{ticket}, which takes any name
        *tickets_pages.ROUTES,
        *tickets_desk.ROUTES,
        *tickets_counts.ROUTES,
        *records_pages.ROUTES,
        *reports_pages.ROUTES,
        *audit_pages.ROUTES,
        *settings_pages.ROUTES,
        *imports.ROUTES,  # before /sources/{source}, which takes any name
        *exceptions.ROUTES,
        *sources_pages.ROUTES,
        *columns.ROUTES,
        *tasks_pages.ROUTES,
        *workplan_pages.ROUTES,
        *consultations_pages.ROUTES,
    ]


def create_console(deps: Deps) -> web.Application:
    """The whole web face as one application: pages, API, verify page, health."""
    app = web.Application(client_max_size=LARGEST_BODY)
    add_routes(app, deps)
    return app


def add_routes(app: web.Application, deps: Deps) -> None:
    """Mount everything the console serves on `app`; other rooms may add their own routes."""
    app[DEPS] = deps
    app[DONE] = merged("DONE")
    # Of every answer of the whole site: also of what no guard stands before.
    app.on_response_prepare.append(headed)
    console = web.Application(middlewares=[guard(problem_page)])
    _templates(console)
    streams.mount(console)
    console.add_routes(_pages())
    app.add_subapp("/console/", console)

    # An application each, because each answers a refusal in its own way.
    interface = web.Application(middlewares=[guard(problem_json, tokens=True)])
    interface.add_routes(openapi.ROUTES)
    app.add_subapp("/api/v1/", interface)

    verify = web.Application(middlewares=[guard(problem_page)])
    _templates(verify)
    verify.add_routes(public_pages.ROUTES)
    app.add_subapp("/verify/", verify)
    expert = web.Application(middlewares=[guard(problem_page)])
    _templates(expert)
    expert.add_routes(answering.ROUTES)
    app.add_subapp("/expert/", expert)
    app.add_routes([*public_pages.FRONT, *health.ROUTES])
