"""What somebody has typed is still there after the next press of a button."""

from sqlalchemy import select

from escalations.models import Ticket
from tests.console.office import Office, busy_morning


async def test_a_reply_begun_before_the_question_was_taken_is_kept(office: Office) -> None:
    ids = await busy_morning(office)
    duty = await office.signed_in("duty1")
    path = f"/console/tickets/{ids['ticket']}"
    _, text = await duty.get(path)
    assert f'formaction="{path}/claim"' in text
    words = "您好，可以在 12 月 31 日以前申请。"
    status, text = await duty.post(f"{path}/claim", text=words)
    assert status == 200
    assert f">{words}</textarea>" in text
    assert "发送答复" in text
    async with office.deps.db.session() as session:
        claimed = select(Ticket.claimed_by).where(Ticket.id == ids["ticket"])
        assert await session.scalar(claimed) == office.people["duty1"]


async def test_taking_a_question_with_nothing_written_goes_back_to_its_page(office: Office) -> None:
    ids = await busy_morning(office)
    duty = await office.signed_in("duty1")
    status, _ = await duty.post(f"/console/tickets/{ids['ticket']}/claim", text=" ")
    assert status == 303
