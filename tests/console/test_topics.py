"""订阅: topics as numbers, a push by its reasons, and a person without their name."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.contract import Content
from bot.models import Account, Contact, Delivery, DigestDay, Publication
from bot.quota import day_of
from config.clock import now
from review_queue import drafting
from review_queue.drafting import Origin
from storage.database import new_id
from subscriptions.departures import note
from subscriptions.subscribers import CONSENT_VERSION, Subscribers, Wish
from tests.console.office import Office, busy_morning

ADDRESS = "密文甲乙丙"


async def citizen(office: Office, account: str, *wishes: Wish) -> Contact:
    person = Contact(
        id=new_id(), account_id=account, subject_ref=new_id(), address=ADDRESS,
        address_hash=new_id(), state="active", created_at=now(),
    )  # fmt: skip
    subs = Subscribers(office.deps.taxonomy)
    async with office.deps.ledger.transaction() as tx:
        tx.session.add(person)
        await tx.session.flush()
        for wish in wishes:
            await subs.subscribe(tx, person, wish, CONSENT_VERSION)
    return person


async def leave(office: Office, person: Contact, how: str) -> None:
    subs = Subscribers(office.deps.taxonomy)
    async with office.deps.ledger.transaction() as tx:
        rows = await subs.list(tx.session, person.id)
        await subs.leave_all(tx, person.id)
        await note(tx.session, rows, how)


async def pushed(office: Office, *people: Contact, reason: str) -> str:
    """The busy morning's publication, pushed to these as well; its id."""
    ids = await busy_morning(office)
    async with office.deps.db.session() as session:
        place = await session.get_one(Publication, ids["publication"])
        for person in people:
            session.add(
                Delivery(
                    id=new_id(), content_key=place.release_id, release_id=place.release_id,
                    publication_id=place.id, account_id=place.account_id, contact_id=person.id,
                    reason=reason, state="published", created_at=now(),
                    finished_at=now() - timedelta(hours=1),
                )
            )  # fmt: skip
    return ids["publication"]


@pytest.fixture
async def account(office: Office) -> str:
    async with office.deps.db.session() as session:
        query = select(Account.id).where(Account.slug == "qinghe-tg")
        return str(await session.scalar(query))


async def test_the_page_shows_reach_growth_silence_and_masked_reasons(
    office: Office, account: str
) -> None:
    for how, number in (("many", 6), ("disturbed", 2)):
        for _ in range(number):
            await leave(office, await citizen(office, account, Wish("employment")), how)
    stays = await citizen(office, account, Wish("employment", "graduates"))
    async with office.deps.db.session() as session:
        session.add(
            DigestDay(
                account_id=account, day=day_of(now()).isoformat(), began=now(), newest=now(),
                messages=41, items=97, skipped=2, failed=0,
            )
        )  # fmt: skip
    browser = await office.signed_in("editor")
    status, text = await browser.get("/console/subscriptions")
    assert status == 200
    for words in (
        "嫌太多、太频繁",
        "嫌打扰",
        "不足 5",
        "就业创业 6",
        "<svg",
        "90 天内没有",
        ">97<",
    ):
        assert words in text, words
    # The list nobody was pushed anything for is named, in words and without its person.
    assert "就业创业、人群 高校毕业生" in text
    assert "还没有推送过" in text
    assert stays.id not in text
    _, told = await browser.api("GET", "/topics")
    jobs = next(one for one in told["topics"] if one["key"] == "employment")
    assert (jobs["people"], jobs["began"], jobs["left"]) == (1, 9, 8)
    assert jobs["reasons"] == {"many": "6", "disturbed": "不足 5"}


async def test_a_push_is_told_by_reason_and_by_what_came_after_it(
    office: Office, account: str
) -> None:
    people = [await citizen(office, account, Wish("employment")) for _ in range(6)]
    place = await pushed(office, *people, reason="您订阅了 就业创业")
    await leave(office, people[0], "useless")
    browser = await office.signed_in("editor")
    _, text = await browser.get(f"/console/publications/{place}/push")
    assert "您订阅了 就业创业" in text
    assert "一周内退订（觉得没有用、不感兴趣）：不足 5 次" in text
    _, told = await browser.api("GET", f"/publications/{place}/push")
    mine = next(one for one in told["report"]["reasons"] if one["reason"])
    assert mine == {"reason": "您订阅了 就业创业", "people": "6", "got": "6"}
    assert told["report"]["left"] == {"useless": "不足 5"}


async def test_a_person_is_found_by_the_end_of_their_reference_and_never_named(
    office: Office, account: str
) -> None:
    person = await citizen(office, account, Wish("employment", "graduates"), Wish("consumption"))
    await pushed(office, person, reason="您订阅了 促进消费")
    browser = await office.signed_in("admin1")
    # One that is found is shown at once.
    found, _ = await browser.get(f"/console/subscriptions/people?ref={person.subject_ref[-6:]}")
    status, text = await browser.get(f"/console/subscriptions/people/{person.subject_ref}")
    assert (found, status) == (303, 200)
    for words in ("就业创业、人群 高校毕业生（即时）", "冬季取暖补助申请指南", "您订阅了 促进消费"):
        assert words in text, words
    assert "…" + person.subject_ref[-8:] in text
    assert CONSENT_VERSION in text
    for secret in (ADDRESS, person.id, person.address_hash, person.subject_ref):
        assert secret not in text.replace(f"people/{person.subject_ref}", "")
    _, told = await browser.api("GET", f"/subscribers/{person.subject_ref}")
    assert [one["words"] for one in told["subscriptions"]][1] == "促进消费（即时）"
    assert ADDRESS not in str(told)


@pytest.mark.parametrize(
    ("ref", "status", "words"),
    [("abc", 422, "至少 4 位"), ("%%%%", 422, "只有字母和数字"), ("zzzzzz", 200, "没有编号以")],
)
async def test_what_is_no_reference_finds_nobody_and_says_so(
    office: Office, ref: str, status: int, words: str
) -> None:
    browser = await office.signed_in("admin1")
    answer, text = await browser.get(f"/console/subscriptions/people?ref={ref.replace('%', '%25')}")
    assert (answer, words in text) == (status, True)


async def test_who_writes_or_reviews_sees_numbers_and_no_person(
    office: Office, account: str
) -> None:
    person = await citizen(office, account, Wish("employment"))
    browser = await office.signed_in("editor")
    for path in ("people", f"people/{person.subject_ref}"):
        status, text = await browser.get(f"/console/subscriptions/{path}")
        assert (status, "就业创业" in text) == (403, False)
    assert (await browser.api("GET", f"/subscribers/{person.subject_ref}"))[0] == 403
    _, text = await browser.get("/console/subscriptions")
    assert "查一位订阅者" not in text


async def test_a_draft_shows_what_its_words_suggest_and_ticks_nothing(office: Office) -> None:
    content = Content(kind="原创", title="关于举办残疾人招聘会的通知", body="招聘会不收费。")
    origin = Origin(office.people["editor"], "重要")
    row = await drafting.create_item(office.deps.queue, content, origin)
    browser = await office.signed_in("editor")
    _, text = await browser.get(f"/console/items/{row.id}/edit")
    assert "勾选以后才算数" in text
    assert "标题有“招聘会”" in text
    assert 'name="push" value="1" checked' not in text
    boxes = re.findall(r'<input type="checkbox" name="topics" value="(\w+)"( checked)?', text)
    assert ("employment", "") in boxes
    assert not [key for key, ticked in boxes if ticked]
