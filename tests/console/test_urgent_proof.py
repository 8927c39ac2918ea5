"""An urgent item is proved to have arrived in time, or its editor and supervisors hear of it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.contract import Content
from bot.models import Account, Contact, Delivery, Publication
from config.clock import now
from ledger.models import Incident
from review_queue import drafting
from review_queue.drafting import Origin
from review_queue.models import Item
from storage.database import new_id
from subscriptions.urgent import Arrival, prove_due
from tests.console.office import Office
from tests.made import signed_out

NIGHT = {"topics": ["employment"], "groups": [], "regions": [], "urgent": ["night"]}


class Town:
    """An item that is out since a while, its rows, and who was called."""

    def __init__(self, office: Office) -> None:
        self.office, self.told = office, list[tuple[str, str]]()
        self.db, self.ledger = office.deps.db, office.deps.ledger

    async def tell(self, staff_id: str, words: str) -> None:
        self.told.append((staff_id, words))

    async def look(self) -> int:
        return await prove_due(self.ledger, self.tell)

    async def item(self, audience: dict[str, list[str]]) -> Item:
        content = Content(kind="原创", title="大风停课通知", body="今天下午停课。")
        origin = Origin(editor_id=self.office.people["editor"], klass="重要", audience=audience)
        return await drafting.create_item(self.office.deps.queue, content, origin)

    async def out(self, item: Item, minutes: int, state: str = "published") -> Publication:
        """Its publication of so many minutes ago."""
        facts = await self.ledger.facts(f"item:{item.id}")
        digest = [str(one.body["digest"]) for one in facts if one.kind == "revision.created"][-1]
        moment = now() - timedelta(minutes=minutes)
        async with self.db.session() as session:
            account = (await session.scalars(select(Account.id))).first()
            row = Publication(
                id=new_id(), release_id=new_id(), item_id=item.id, account_id=account or "",
                digest=digest, state=state, due_at=moment, published_at=moment, pushed_at=moment,
            )  # fmt: skip
            session.add(row)
        await signed_out(self.ledger, row)
        return row

    async def message(self, place: Publication, state: str, **more: object) -> None:
        """A message of this push to somebody new."""
        name = new_id()
        who = Contact(
            id=name, account_id=place.account_id, subject_ref=name, address="", address_hash=name,
            created_at=now(),
        )  # fmt: skip
        row = Delivery(
            id=new_id(), content_key=place.release_id, release_id=place.release_id, state=state,
            publication_id=place.id, account_id=place.account_id, contact_id=name,
            created_at=now(), **more,
        )  # fmt: skip
        async with self.db.session() as session:
            session.add_all([who, row])


@pytest.fixture
def town(office: Office) -> Town:
    return Town(office)


async def test_who_has_no_proof_after_ten_minutes_is_counted_and_people_are_called_once(
    office: Office, town: Town
) -> None:
    place = await town.out(await town.item(NIGHT), minutes=9)
    await town.message(place, "published")
    await town.message(place, "submitted")  # its receipt is suppressed
    assert await town.look() == 0
    async with town.db.session() as session:
        earlier = {"pushed_at": now() - timedelta(minutes=11)}
        await session.execute(
            update(Publication).where(Publication.id == place.id).values(**earlier)
        )
    assert (await town.look(), await town.look()) == (1, 0)
    (entry,) = [
        one
        for one in await town.ledger.facts(f"publication:{place.id}")
        if one.kind == "push.unproved"
    ]
    assert (entry.body["people"], entry.body["proved"]) == (2, 1)
    assert office.people["editor"] in {staff_id for staff_id, _ in town.told}
    assert len({staff_id for staff_id, _ in town.told}) == len(town.told) > 1
    assert all("有平台送达证明的 1 人，没有的 1 人" in words for _, words in town.told)
    async with town.db.session() as session:
        kinds = (await session.scalars(select(Incident.kind))).all()
    assert kinds.count("push.unproved") == 1
    browser = await office.signed_in("editor")
    status, page = await browser.get(f"/console/publications/{place.id}/push")
    assert status == 200
    assert "紧急稿件的送达证明" in page
    _, told = await browser.api("GET", f"/publications/{place.id}/push")
    assert told["proof"] == {"people": 2, "proved": 1, "later": 0, "waits": 0, "lacking": 1}


async def test_what_is_proved_or_not_urgent_or_chosen_by_its_reader_alarms_nobody(
    town: Town,
) -> None:
    proved = await town.out(await town.item(NIGHT), minutes=11)
    await town.message(proved, "published")
    await town.message(proved, "ended")  # left meanwhile
    await town.message(proved, "created", gather=True, next_at=now() + timedelta(hours=8))
    await town.message(proved, "held", hold="window")
    plain = await town.out(await town.item({**NIGHT, "urgent": []}), minutes=11)
    await town.message(plain, "submitted")
    old = await town.out(await town.item(NIGHT), minutes=60 * 25)
    await town.message(old, "submitted")
    assert await town.look() == 0
    assert town.told == []


async def test_one_that_is_not_out_in_time_is_told_as_well(town: Town) -> None:
    await town.out(await town.item(NIGHT), minutes=11, state="submitted")
    assert await town.look() == 1
    assert "到时间没有发布结果" in town.told[0][1]


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (Arrival(3, 3, 0, 0), False),
        (Arrival(3, 2, 0, 0), True),
        (Arrival(3, 1, 1, 1), False),
        (Arrival(3, 0, 0, 3), True),  # it reached nobody at all
        (Arrival(0, 0, 0, 0), False),
    ],
)
def test_it_is_unproved_while_somebody_lacks_it_or_it_reached_nobody(
    one: Arrival, says: object
) -> None:
    assert one.unproved is says
