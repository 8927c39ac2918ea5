"""登录中的设备: where somebody is signed in, for an admin who ends it."""

from aiohttp import web

from console.settings.frame import settings_page
from console.settings.staff import id_of
from console.web.deps import DEPS, visitor
from console.web.pages import see
from console.web.permissions import needs
from review_queue import claims
from staff.devices import devices_of, end_device
from staff.people import names


@needs("staff.manage")
async def devices(request: web.Request) -> web.StreamResponse:
    """Every live session of a person."""
    deps, login, me = request.config_dict[DEPS], request.match_info["login"], visitor(request)
    staff_id = await id_of(deps.db, login)
    async with deps.db.session() as session:
        context = {
            "tab": "staff",
            "login": login,
            "name": (await names(session, {staff_id}))[staff_id],
            "devices": await devices_of(session, staff_id, me.key),
        }
    return await settings_page(request, "settings/devices.html", context)


@needs("staff.manage")
async def end_one(request: web.Request) -> web.StreamResponse:
    """End one of them; with the last, whatever the person held for review is free again."""
    deps, login = request.config_dict[DEPS], request.match_info["login"]
    staff_id = await id_of(deps.db, login)
    me, device = visitor(request).staff_id, request.match_info["device"]
    if await end_device(deps.ledger, staff_id, device, me):
        await claims.give_back(deps.queue, staff_id)
    return see(f"/console/settings/staff/{login}/sessions", "session_ended")
