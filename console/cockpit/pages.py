"""总览: every account, those that need somebody first; and one account by itself."""

from aiohttp import web
from sqlalchemy import select

from bot.channels import CHANNELS
from bot.models import Account
from config.clock import now
from console.web.care import accounts_in_care
from console.web.deps import DEPS, Deps, found, visitor
from console.web.pages import page, see
from console.web.permissions import needs
from escalations.waiting import waiting_questions
from ledger.reopening import open_incidents
from ledger.verify import Broken
from staff.refusal import missing
from staff.sessions import Visitor
from supervision.cockpit import Cockpit, Standing, read_cockpit, rows_of
from supervision.quotas import quotas_of

A_PAGE = 50
_FRESH = 2.0  # seconds a page may lag behind the incidents of another process


async def cockpit_of(deps: Deps, person: Visitor, slug: str = "") -> Cockpit:
    """As it stands now, of the accounts this person looks after; of one where it is named."""
    moment = now()
    more = waiting_questions(moment, slug)
    rows = await deps.db.read(lambda session: rows_of(session, moment, slug, more))
    async with deps.db.session() as session:
        incidents = await open_incidents(session, age=_FRESH)
        mine = await accounts_in_care(session, person)
    if mine is not None:
        rows["accounts"] = [row for row in rows["accounts"] if row[0] in mine]
    return read_cockpit(rows, moment, [one.subject for one in incidents])


async def account_of(deps: Deps, slug: str, person: Visitor) -> tuple[Cockpit, Standing]:
    """One account; Refused 404."""
    cockpit = await cockpit_of(deps, person, slug)
    if not cockpit.accounts:
        raise missing("个账号")
    return cockpit, cockpit.accounts[0]


@needs("cockpit.read")
async def cockpit(request: web.Request) -> web.StreamResponse:
    """Everything late, the three vetoes, and the accounts."""
    whole = await cockpit_of(request.config_dict[DEPS], visitor(request))
    asked = request.query.get("page", "1")
    number = max(1, int(asked)) if asked.isdecimal() and len(asked) < 6 else 1
    rows = whole.accounts[(number - 1) * A_PAGE : number * A_PAGE]
    context = {
        "place": "cockpit",
        "cockpit": whole,
        "rows": rows,
        "number": number,
        "more": number * A_PAGE < len(whole.accounts),
    }
    return page(request, "cockpit/page.html", context)


@needs("cockpit.read")
async def account(request: web.Request) -> web.StreamResponse:
    """One account: updates week by week, self-test, what waits, what is left at the platform."""
    deps, slug = request.config_dict[DEPS], request.match_info["account"]
    _, one = await account_of(deps, slug, visitor(request))
    fault = ""
    async with deps.db.session() as session:
        query = select(Account).where(Account.slug == slug)
        row = found((await session.scalars(query)).first(), "个账号")
        try:
            left = await quotas_of(deps.ledger, session, row)
        except Broken as broken:
            left, fault = (), str(broken)
        incidents = await open_incidents(session, age=_FRESH)
    mine = [
        it for it in incidents if it.subject.startswith((f"account:{one.id}", f"grave:{one.id}"))
    ]
    context = {"place": "cockpit", "one": one, "left": left, "fault": fault, "incidents": mine}
    context["unread"] = CHANNELS[one.platform].unread if one.platform in CHANNELS else ""
    return page(request, "cockpit/account.html", context)


@needs("accounts.test")
async def selftest(request: web.Request) -> web.StreamResponse:
    """Speak to this account now."""
    deps, slug = request.config_dict[DEPS], request.match_info["account"]
    await account_of(deps, slug, visitor(request))
    await deps.trials.selftest_now(slug)
    return see(f"/console/cockpit/{slug}", "selftested")


ROUTES = [
    web.get("/cockpit", cockpit),
    web.get("/cockpit/{account}", account),
    web.post("/cockpit/{account}/selftest", selftest),
]
