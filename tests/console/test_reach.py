"""Whom a push reaches: shown, signed by who approves, held when it is another number by then."""

import json
from functools import partial

import pytest
from sqlalchemy import delete, func, select

from bot.contract import State, Withheld
from bot.models import Account, Contact, Delivery, Publication
from config.clock import now
from ledger.models import Incident, LedgerEntry
from review_queue import submitting
from review_queue.models import Item
from staff.refusal import Refused
from storage.database import new_id
from subscriptions.calls import choose, rows_for_call
from subscriptions.hours import STANDARD
from subscriptions.matching import Matching
from subscriptions.mending import pause, resume
from subscriptions.models import Subscription
from subscriptions.push import Pusher
from subscriptions.reach import hold_back, off, send_anyway
from tests.console.article import draft_of
from tests.console.office import Office
from tests.made import signed_out


class Readers:
    """People who follow 就业创业, and the pushes made for them."""

    def __init__(self, office: Office) -> None:
        self.office, self.told = office, list[tuple[str, str]]()
        self.db, self.ledger = office.deps.db, office.deps.ledger
        self.pusher = Pusher(
            self.db,
            self.ledger,
            office.deps.queue.releases.verify,
            Matching(office.deps.taxonomy, lambda: STANDARD),
            self.tell,
        )

    async def tell(self, staff_id: str, words: str) -> None:
        self.told.append((staff_id, words))

    async def account(self, platform: str) -> str:
        async with self.db.session() as session:
            query = select(Account.id).where(Account.platform == platform)
            return (await session.scalars(query)).one()

    async def join(self, platform: str, count: int, group: str = "") -> None:
        account = await self.account(platform)
        async with self.db.session() as session:
            for _ in range(count):
                name = new_id()
                who = Contact(
                    id=name,
                    account_id=account,
                    subject_ref=name[::-1],
                    address="",
                    address_hash=name,
                    created_at=now(),
                )
                wish = Subscription(
                    id=new_id(),
                    contact_id=name,
                    account_id=account,
                    topic="employment",
                    group=group,
                    consent_version="1",
                    created_at=now(),
                )
                session.add_all([who, wish])

    async def out(self, item: Item) -> dict[str, str]:
        """Its publications, all out, by platform."""
        digest = await self.digest(item)
        found = {}
        for platform in ("telegram", "wechat"):
            row = Publication(
                id=new_id(),
                release_id=item.release_id,
                item_id=item.id,
                account_id=await self.account(platform),
                digest=digest,
                state="published",
                due_at=now(),
            )
            async with self.db.session() as session:
                session.add(row)
            await signed_out(self.ledger, row)
            found[platform] = row.id
        return found

    async def digest(self, item: Item) -> str:
        facts = await self.ledger.facts(f"item:{item.id}")
        return [str(one.body["digest"]) for one in facts if one.kind == "revision.created"][-1]

    async def rows(self, publication: str) -> int:
        async with self.db.session() as session:
            mine = Delivery.publication_id == publication
            people = func.count(func.distinct(Delivery.contact_id))
            query = select(func.count(), people).where(mine)
            count, different = (await session.execute(query)).one()
        assert count == different
        return int(count)

    async def signed(self, kind: str, item: Item) -> list[dict[str, object]]:
        facts = await self.ledger.facts(f"item:{item.id}")
        return [dict(one.body) for one in facts if one.kind == kind]


@pytest.fixture
def readers(office: Office) -> Readers:
    return Readers(office)


@pytest.mark.parametrize(
    ("approved", "then", "says"),
    [
        (100, 120, False),
        (100, 121, True),
        (100, 80, False),
        (100, 79, True),
        (10, 15, False),
        (10, 16, True),
        (10, 5, False),
        (10, 4, True),
        (0, 5, False),
        (0, 6, True),
        (5, 0, False),
        (None, 0, True),
    ],
)
def test_a_number_is_off_by_more_than_a_fifth_and_more_than_a_handful(
    approved: int | None, then: int, says: object
) -> None:
    assert off(approved, then) is says


async def test_number_and_five_reasons_stand_before_the_decision_and_are_signed_with_it(
    office: Office, readers: Readers
) -> None:
    await readers.join("telegram", 6, "graduates")
    await readers.join("wechat", 1, "unemployed")
    row = await office.submitted()
    editor = await office.signed_in("editor")
    _, page = await editor.get(f"/console/items/{row.id}")
    assert "现在推送到 7 人" in page
    assert page.count("订阅者 …") == 5
    assert "您订阅了 就业创业、人群 高校毕业生" in page
    _, told = await editor.api("GET", f"/items/{row.id}")
    assert (told["reach"]["count"], len(told["reach"]["sample"])) == (7, 5)
    ask = {"audience": {"topics": ["employment"]}, "accounts": [await readers.account("telegram")]}
    _, counted = await editor.api("POST", "/subscribers/count", ask)
    assert (counted["count"], counted["words"]) == (6, "")
    row = await office.decide(row, "reviewer1")
    (body,) = await readers.signed("decision", row)
    reach = body["reach"]
    assert isinstance(reach, dict)
    assert reach["accounts"] == {
        await readers.account("telegram"): 6,
        await readers.account("wechat"): 1,
    }
    assert len(reach["sample"]) == 5
    assert ["employment", "graduates", "", "", ""] in reach["sample"]
    async with readers.db.session() as session:
        people = (await session.scalars(select(Contact.subject_ref))).all()
        texts = "".join((await session.scalars(select(LedgerEntry.preimage))).all())
    assert not [one for one in people if one in texts or one[-4:] in json.dumps(reach)]
    # Of a value with a consent of its own nothing is signed, however few people there are.
    assert "unemployed" not in json.dumps(reach)
    _, page = await editor.get(f"/console/items/{row.id}")
    assert "这时符合推送条件的有 7 人" in page


async def test_a_number_that_is_off_holds_the_push_until_a_person_sends_it_anyway(
    office: Office, readers: Readers
) -> None:
    await readers.join("telegram", 10)
    await readers.join("wechat", 2)
    row = await office.approved()
    await readers.join("telegram", 6)
    places = await readers.out(row)
    assert await readers.pusher.create_due() == 2
    assert await readers.pusher.create_due() == 0
    assert (await readers.rows(places["telegram"]), await readers.rows(places["wechat"])) == (0, 2)
    (held,) = await readers.signed("push.held", row)
    assert (held["approved"], held["now"], held["publication"]) == (10, 16, places["telegram"])
    async with readers.db.session() as session:
        incidents = (await session.scalars(select(Incident))).all()
    assert [(one.kind, one.subject) for one in incidents] == [
        ("push.held", f"publication:{places['telegram']}")
    ]
    ((whom, words),) = readers.told
    assert whom == office.people["editor"]
    assert "批准时符合条件的有 10 人，到推送时有 16 人" in words
    # Who decides sees both numbers and the one of now; the other push is as it was.
    await readers.join("telegram", 1)
    path = f"/publications/{places['telegram']}/push"
    editor, reviewer = await office.signed_in("editor"), await office.signed_in("reviewer1")
    _, page = await editor.get(f"/console{path}")
    for said in (
        "推送没有开始",
        "有 10 人，到推送时有 16 人",
        "仍然推送给现在的 17 人",
    ):
        assert said in page
    _, told = await editor.api("GET", path)
    assert (told["stand"], told["held"]) == ("held", {"approved": 10, "then": 16, "now": 17})
    _, other = await editor.api("GET", f"/publications/{places['wechat']}/push")
    assert (other["stand"], other["held"]) == ("on", None)
    assert "仍然推送" not in (await reviewer.get(f"/console{path}"))[1]
    send = {"act": "send", "reason": "县里刚做过宣传，人数是真的"}
    assert (await reviewer.api("POST", f"{path}/mend", send))[0] == 403
    assert (await editor.api("POST", f"{path}/mend", send | {"reason": " "}))[0] == 422
    assert (await editor.api("POST", f"{path}/lacking"))[0] == 409
    assert await readers.pusher.create_due() == 0
    assert (await editor.post(f"/console{path}/mend", **send))[0] == 303
    (choice,) = await readers.signed("push.resumed", row)
    assert (choice["publication"], choice["rest"]) == (places["telegram"], 17)
    assert "宣传" not in json.dumps(choice, ensure_ascii=False)
    assert (await editor.api("POST", f"{path}/mend", send))[0] == 409
    # The decision ended what the incident was about.
    async with readers.db.session() as session:
        (closed,) = (await session.scalars(select(Incident))).all()
    assert closed.closed_by == office.people["editor"]
    assert closed.resolution == "决定照发（17 人）：县里刚做过宣传，人数是真的"
    assert (await office.deps.ledger.incidents()).entries == {}
    # Whatever the number is by now: a person decided, and it is not asked again.
    await readers.join("telegram", 20)
    assert [await readers.pusher.create_due() for _ in range(2)] == [37, 0]
    assert await readers.rows(places["telegram"]) == 37
    _, page = await editor.get(f"/console/items/{row.id}")
    assert "人数不同，仍然推送（这时 17 人）" in page


async def test_a_push_that_is_not_sent_ends_for_its_account_alone(
    office: Office, readers: Readers
) -> None:
    await readers.join("telegram", 10)
    await readers.join("wechat", 10)
    row = await office.approved()
    async with readers.db.session() as session:
        await session.execute(delete(Subscription))
    places = await readers.out(row)
    assert await readers.pusher.create_due() == 0
    editor = await office.signed_in("editor")
    stop = {"act": "stop", "reason": "条件写错了"}
    path = f"/console/publications/{places['telegram']}/push/mend"
    assert (await editor.post(path, **stop))[0] == 303
    await readers.join("telegram", 10)
    await readers.join("wechat", 10)
    assert await readers.pusher.create_due() == 0
    assert await readers.rows(places["telegram"]) == 0
    _, told = await editor.api("GET", f"/publications/{places['wechat']}/push")
    assert told["stand"] == "held"
    _, told = await editor.api("GET", f"/publications/{places['telegram']}/push")
    assert (told["stand"], told["held"]) == ("dropped", None)


async def test_going_on_after_a_pause_is_no_answer_about_the_number(
    office: Office, readers: Readers
) -> None:
    row = await office.approved()
    await readers.join("telegram", 6)
    await readers.out(row)
    assert await readers.pusher.create_due() == 0
    editor = office.people["editor"]
    await pause(readers.ledger, row.id, editor, "再看一遍")
    await resume(readers.ledger, row.id, editor, "没有错")
    assert await readers.pusher.create_due() == 0
    assert len(await readers.signed("push.held", row)) == 1


async def test_one_call_to_many_waits_for_the_same_choice(office: Office, readers: Readers) -> None:
    await readers.join("wechat", 3)
    row = await office.approved()
    await readers.join("wechat", 6)
    account, place = await readers.account("wechat"), new_id()
    digest = await readers.digest(row)
    publication = Publication(
        id=place,
        release_id=row.release_id,
        item_id=row.id,
        account_id=account,
        digest=digest,
        state="sending",
        due_at=now(),
    )
    async with readers.db.session() as session:
        session.add(publication)
    matching = Matching(office.deps.taxonomy)
    ready = partial(
        choose,
        readers.ledger,
        partial(hold_back, readers.ledger, matching, readers.tell),
        partial(rows_for_call, readers.db, readers.ledger, matching),
        publication,
    )
    release = await office.deps.queue.releases.verify(str(row.release_id))
    for _ in range(2):
        with pytest.raises(Withheld, match="推送没有开始") as withheld:
            await ready(release)
        assert withheld.value.outcome.state == State.RETRYING
    assert (len(readers.told), await readers.rows(place)) == (1, 0)
    editor = office.people["editor"]
    with pytest.raises(Refused, match="请写明理由"):
        await send_anyway(readers.ledger, matching, place, editor, "")
    assert await send_anyway(readers.ledger, matching, place, editor, "人数是真的") == 9
    assert await ready(release) == 9
    assert await readers.rows(place) == 9


async def test_one_call_to_another_number_of_people_waits(office: Office, readers: Readers) -> None:
    row = await office.approved()
    await readers.join("wechat", 6)
    place = (await readers.out(row))["wechat"]
    async with readers.db.session() as session:
        publication = await session.get_one(Publication, place)
    matching = Matching(office.deps.taxonomy)
    hold = partial(hold_back, readers.ledger, matching, readers.tell)
    rows = partial(rows_for_call, readers.db, readers.ledger, matching)
    release = await office.deps.queue.releases.verify(str(row.release_id))
    with pytest.raises(Withheld, match="等人决定") as withheld:
        await choose(readers.ledger, hold, rows, publication, release)
    assert (withheld.value.outcome.state, await readers.rows(place)) == (State.RETRYING, 0)


async def test_what_was_approved_before_numbers_were_kept_is_pushed_as_ever(
    office: Office, readers: Readers
) -> None:
    async def unsaid(_draft: object) -> None:
        """As the program before this one."""

    vars(office.deps.queue)["reach"] = unsaid
    row = await office.approved()
    await readers.join("telegram", 9)
    places = await readers.out(row)
    assert await readers.pusher.create_due() == 9
    assert await readers.rows(places["telegram"]) == 9


async def test_an_audience_that_nobody_matches_is_told_before_submitting_and_kept(
    office: Office, readers: Readers
) -> None:
    row, editor = await office.item("一句话。"), await office.signed_in("editor")
    words = "现在没有订阅者符合这些推送条件，发布后推送不到任何人"
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    assert page.count(words) == 2  # beside the audience, and before submitting
    _, told = await editor.api("GET", f"/items/{row.id}")
    assert (told["reach"]["count"], words in told["reach"]["words"]) == (0, True)
    before = (await draft_of(office, row.id)).audience
    row = await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)
    assert (row.state, (await draft_of(office, row.id)).audience) == ("review", before)
    await readers.join("telegram", 1)
    _, page = await editor.get(f"/console/items/{row.id}")
    assert words not in page
    assert "现在推送到 1 人" in page
