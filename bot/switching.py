"""The stop switches: everything, one function, or one account, as signed entries."""

from bot.models import Account
from ledger.append import Ledger
from staff.refusal import Reason, Refused, missing
from staff.rights import entitled
from storage.switches import set_switch

SWITCHES = {
    "all": "全部对外发送",
    "publishing": "公开发布",
    "push": "订阅推送",
    "answers": "自动答复",
}
ACCOUNT = "account:"
"""Before an account's id: the switch of this one account."""


async def turn_switch(
    ledger: Ledger, staff_id: str, name: str, *, stopped: bool, reason: str
) -> None:
    """Stop or resume `name`, with a reason either way; Refused 403, 404 or 422.

    A start needs its reason as much as a stop: it is the riskier of the two.
    """
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "switches.set")
        if name not in SWITCHES and not name.startswith(ACCOUNT):
            raise Refused(422, [Reason("name", "没有这个开关")])
        if not reason.strip():
            raise Refused(422, [Reason("reason", "请写明停发或恢复的原因")])
        if name.startswith(ACCOUNT):
            account = await tx.session.get(Account, name.removeprefix(ACCOUNT))
            if account is None:
                raise missing("个账号")
        await set_switch(tx.session, name, stopped=stopped, reason=reason[:400], by=staff_id)
        await tx.append(
            "switch.set", subject=f"switch:{name}", actor=staff_id, body={"stopped": stopped}
        )
