"""The cockpit in the JSON API."""

from dataclasses import asdict

from aiohttp import web

from console.cockpit.pages import account_of, cockpit_of
from console.web.deps import DEPS, visitor
from console.web.interface import as_json
from console.web.permissions import needs
from supervision.cockpit import VETOES, Standing


def _standing(one: Standing) -> dict[str, object]:
    vetoes = [name for name, held in zip(VETOES, one.vetoes, strict=True) if held]
    return {**asdict(one), "own": one.own, "red": one.red, **_relevance(one), "vetoes": vetoes}


def _relevance(one: Standing) -> dict[str, object]:
    return {"unsaid": one.unsaid, "relevance": one.relevance}


@needs("cockpit.read")
async def cockpit(request: web.Request) -> web.StreamResponse:
    """How every account stands, those that need somebody first, and what is late."""
    whole = await cockpit_of(request.config_dict[DEPS], visitor(request))
    late = {
        "reviews": whole.late_reviews,
        "tickets": whole.late_tickets,
        "tasks": whole.late_tasks,
        "unknown": whole.unknown,
    }
    return as_json({"accounts": [_standing(one) for one in whole.accounts], "late": late})


@needs("cockpit.read")
async def cockpit_account(request: web.Request) -> web.StreamResponse:
    """How one account stands."""
    _, one = await account_of(
        request.config_dict[DEPS], request.match_info["account"], visitor(request)
    )
    return as_json(_standing(one))


@needs("accounts.test")
async def selftest_account(request: web.Request) -> web.StreamResponse:
    """Speak to an account by the road of its platform, menu entry by entry."""
    deps, slug = request.config_dict[DEPS], request.match_info["account"]
    await account_of(deps, slug, visitor(request))
    one = await deps.trials.selftest_now(slug)
    return as_json({"ok": one.ok, "faults": list(one.faults), "words": one.words})


ROUTES = [
    web.get("/cockpit", cockpit),
    web.get("/cockpit/{account}", cockpit_account),
    web.post("/cockpit/{account}/selftest", selftest_account),
]
