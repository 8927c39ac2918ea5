"""The list and the neighbours of an item, read from either database."""

from sqlalchemy import update

from review_queue import drafting
from review_queue.collisions import Kind
from review_queue.models import Item, ItemWords
from review_queue.neighbours import collisions_of
from review_queue.rounds import turns
from review_queue.searching import Wanted, count_wanted, items_wanted
from tests.review_queue.conftest import Office

LONG = (
    "因供水管网改造，城东片区定于7月5日8时至18时停水，涉及青年路、建设路和文化路沿线用户。"
    "请提前储水，停水期间关好龙头。停水区域内的学校、医院由供水公司派车送水。"
)


async def written(office: Office, title: str, body: str) -> Item:
    row = await office.item()
    changes = {"title": title, "body": body}
    me = office.people["editor"]
    return await drafting.edit(office.queue, row.id, me, row.version, changes)


async def test_items_are_found_counted_and_compared_on_either_database(office: Office) -> None:
    one = await written(office, "城东片区停水通知", LONG)
    two = await written(office, "关于城东片区停水的通知", LONG.replace("7月5日", "7月15日"))
    await written(office, "100%的_字", "Ａ区办理，一句平常的话。")
    async with office.queue.db.session() as session:
        for words, count in (("停水", 2), ("停水 7月15日", 1), ("a区", 1), ("%", 0), ("100", 1)):
            wanted = Wanted(q=words)
            assert await count_wanted(session, wanted) == count, words
            assert len((await session.scalars(items_wanted(wanted))).all()) == count
    me = office.people["editor"]
    for mine, other in ((one, two), (two, one)):
        (told,) = await collisions_of(office.queue.db, mine.id, me)
        assert (told.kind, told.key) == (Kind.COPY, other.id)
        assert told.details[0].startswith("日期不同：本稿7月")
    async with office.queue.db.session() as session:
        await session.execute(update(ItemWords).values(sketch=None))
    assert len(await collisions_of(office.queue.db, one.id, me)) == 1


async def test_whose_turn_it_is_is_known_of_many_items_at_once(office: Office) -> None:
    draft, waiting = await office.item(), await office.submitted()
    async with office.queue.db.session() as session:
        found = await turns(session, [draft, waiting])
    assert set(found) == {waiting.id}
    turn = found[waiting.id]
    assert turn.levels == ("初审",)
    assert office.people["reviewer1"] in turn.people
    assert office.people["editor"] not in turn.people
