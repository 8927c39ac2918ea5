"""Turn a stop switch, as a signed entry."""

from bot.models import Account
from console.web.deps import Deps, found
from console.web.words import SWITCHES
from staff.refusal import Reason, Refused
from storage.switches import set_switch


async def turn_switch(deps: Deps, staff_id: str, name: str, wanted: tuple[bool, str]) -> None:
    """Stop or resume `name`; `wanted` is (stopped, reason). A stop needs its reason."""
    stopped, reason = wanted
    known = name in SWITCHES or name.startswith("account:")
    if not known:
        raise Refused(422, [Reason("name", "没有这个开关")])
    if not reason.strip():
        raise Refused(422, [Reason("reason", "请写明停发或恢复的原因")])
    async with deps.ledger.transaction() as tx:
        if name.startswith("account:"):
            found(await tx.session.get(Account, name.removeprefix("account:")), "个账号")
        await set_switch(tx.session, name, stopped=stopped, reason=reason[:400], by=staff_id)
        await tx.append(
            "switch.set", subject=f"switch:{name}", actor=staff_id, body={"stopped": stopped}
        )
