"""The questions that nobody answered yet, as statements: how many, since when, how many late."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Executable, func, select

from bot.models import Account
from escalations.models import Ticket

_WAITS = Ticket.state.in_(("open", "claimed"))


def waiting_questions(moment: datetime, slug: str = "") -> Mapping[str, Executable]:
    """`tickets`: account, number, since when; `late_tickets`: one number. `slug`: one account's."""
    each = select(Ticket.account_id, func.count(), func.min(Ticket.created_at)).where(_WAITS)
    if slug:
        mine = select(Account.id).where(Account.slug == slug).scalar_subquery()
        each = each.where(Ticket.account_id == mine)
    late = select(func.count()).where(_WAITS, Ticket.due_at < moment)
    return {"tickets": each.group_by(Ticket.account_id), "late_tickets": late}
