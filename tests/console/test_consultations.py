"""意见征集 in the console: proposed, decided with a reason, drafted; nobody is named."""

from datetime import timedelta

from sqlalchemy import select

from bot.models import Account, Contact
from config.clock import now
from escalations.models import Consultation
from escalations.opinions import opinions_of, receive
from storage.database import new_id
from tests.console.office import Office


async def closed(office: Office, *texts: str) -> tuple[Consultation, Contact]:
    """A consultation that ended a minute ago, and who wrote these to it."""
    deps, moment = office.deps, now()
    async with deps.db.session() as session:
        account = (await session.scalars(select(Account).order_by(Account.slug))).first()
        assert account is not None
        row = Consultation(
            id=new_id(),
            title="青禾县停车管理办法",
            about="0" * 26,
            accounts=[account.id],
            promise="逐条研究",
            begins_at=moment - timedelta(days=31),
            ends_at=moment + timedelta(days=1),
            result_by=moment + timedelta(days=9),
        )
        contact = Contact(
            id=new_id(),
            account_id=account.id,
            subject_ref="s",
            address="a",
            address_hash="h",
            created_at=moment,
        )
        session.add_all((row, contact))
    for one in texts:
        await receive(deps.ledger, row, contact, one)
    async with deps.db.session() as session:
        fresh = await session.get_one(Consultation, row.id)
        fresh.ends_at = moment - timedelta(minutes=1)
    return row, contact


async def test_opinions_are_decided_and_drafted_by_an_editor(office: Office) -> None:
    editor, deps = await office.signed_in("editor"), office.deps
    nobody = await office.signed_in("nobody")
    assert (await nobody.get("/console/consultations"))[0] == 403
    fields = {"title": "停车", "about": "", "begins": "x", "why": "征求意见"}
    status, text = await editor.post("/console/consultations", **fields)
    assert status == 422
    assert "要写成 2026-12-01 的样子" in text
    row, contact = await closed(office, "门口要划车位")
    first = (await opinions_of(deps.ledger, row.id)).rows[0].id
    at = f"/console/consultations/{row.id}"
    status, text = await editor.get(at)
    assert "门口要划车位" in text
    assert contact.id not in text
    assert (await editor.post(f"{at}/summary"))[0] == 422
    wrong = {"opinions": first, "verdict": "采纳", "reason": ""}
    assert "请写明理由" in (await editor.post(f"{at}/verdicts", **wrong))[1]
    right = wrong | {"reason": "已写进第三条", "topic": "车位"}
    assert (await editor.post(f"{at}/verdicts", **right))[0] == 303
    status, told = await editor.api("GET", f"/consultations/{row.id}")
    assert [(one["verdict"], one["topic"]) for one in told["opinions"]] == [("采纳", "车位")]
    status, told = await editor.api("POST", f"/consultations/{row.id}/summary")
    assert status == 201
    status, text = await editor.get(f"/console/items/{told['item']}")
    assert "共收到 1 人的意见 1 条" in text
    status, text = await editor.get("/console/consultations")
    assert "征集情况在审核" in text
    status, told = await editor.api("GET", "/consultations")
    assert [(one["opinions"], one["waiting"]) for one in told["consultations"]] == [(1, 0)]
