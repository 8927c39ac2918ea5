"""The same news by another route is linked, explained, and only dropped when nothing is lost."""

import pytest
from sqlalchemy import func, select

from config.clock import now
from content_sources.duplicates import find, remember
from content_sources.models import Article, Snapshot, Source
from content_sources.snapshots import body_of, of_article, take
from gates.alike import share, sketch
from review_queue.models import Item
from storage.media import Blob
from tests.content_sources.conftest import Desk, Site

TEXT = (
    "青禾县人力资源和社会保障局决定自十二月起开展冬季技能培训，面向返乡务工人员、高校毕业生和登记失业人员，"
    "设电工、护理、烹饪、电商直播四个班次，每班学习期限为十五天，培训期间提供午餐，结业后由合作企业优先录用。"
    "报名地点设在各苏木乡镇便民服务中心，报名时携带身份证原件，培训不收取任何费用。咨询电话12333。"
)
EDITED = TEXT.replace("提供午餐", "供应午餐")
SPRING = TEXT.replace("十二月", "三月份")
_MOMENT = now()
OTHER = (
    "青禾县图书馆本周起延长开放时间，晚上八点闭馆，馆内增加自习座位和热水供应，读者凭身份证入馆，周六上午为儿童讲故事，"
    "不需要提前预约，图书馆提醒读者保持安静并爱护图书，损坏图书应当照价赔偿，借阅期限延长到一个月。"
)


def page(title: str, text: str) -> str:
    meta = f"<meta name='ArticleTitle' content='{title}'>"
    return f"<html><head>{meta}</head><body><div id='zoom'><p>{text}</p></div></body></html>"


async def fetch(desk: Desk, site: Site, path: str, title: str, text: str) -> Article:
    return await desk.ingest.fetch_article(site.serve(path, page(title, text)))


async def items(desk: Desk) -> int:
    async with desk.db.session() as session:
        return (await session.scalar(select(func.count()).select_from(Item))) or 0


def test_the_share_of_common_groups_falls_with_each_change() -> None:
    small = EDITED
    large = TEXT[:60] + OTHER[:60] + TEXT[120:]
    assert share(TEXT, TEXT.replace("，", ", ").replace("。", " ")) == 1.0
    assert 0.85 < share(TEXT, small) < 1.0
    assert 0.2 < share(TEXT, large) < 0.7
    assert share(TEXT, OTHER) < 0.1
    assert share("", "") == 1.0


def test_a_short_text_has_no_sketch_and_the_same_text_the_same_one() -> None:
    assert sketch("停水公告") == b""
    assert sketch(TEXT) == sketch(TEXT.replace("。", "\n")) != sketch(OTHER)


async def test_a_near_copy_with_the_same_title_is_linked_and_explained(
    desk: Desk, site: Site
) -> None:
    first = await fetch(desk, site, "/a.html", "冬季技能培训开班", TEXT)
    second = await fetch(desk, site, "/b.html", "冬季技能培训开班", EDITED)
    third = await fetch(desk, site, "/c.html", "图书馆延长开放", OTHER)
    assert (first.state, second.state, third.state) == ("item", "duplicate", "item")
    assert second.duplicate_of == first.id
    assert second.likeness.startswith("与《冬季技能培训开班》（青禾县人民政府）相似 9")
    assert (third.duplicate_of, third.likeness) == (None, "")
    assert await items(desk) == 2


async def test_a_near_copy_from_another_source_is_dropped_though_it_has_another_title(
    desk: Desk, site: Site
) -> None:
    first = await fetch(desk, site, "/a.html", "冬季技能培训开班", TEXT)
    async with desk.db.session() as session:
        row = await session.get(Article, first.id)
        source = await session.get(Source, desk.source_id)
        assert row is not None
        assert source is not None
        row.source_id = "another"
    second = await fetch(desk, site, "/b.html", "学技能到县里来", EDITED)
    assert second.state == "duplicate"


async def test_a_copy_with_other_numbers_is_an_item_of_its_own_with_the_likeness_shown(
    desk: Desk, site: Site
) -> None:
    first = await fetch(desk, site, "/a.html", "冬季技能培训开班", TEXT)
    second = await fetch(desk, site, "/b.html", "冬季技能培训开班", TEXT.replace("12333", "12345"))
    assert second.state == "item"
    assert second.duplicate_of == first.id
    assert "数字不同：12345、12333" in second.likeness
    assert await items(desk) == 2


async def test_a_notice_the_same_office_writes_again_under_another_title_is_not_lost(
    desk: Desk, site: Site
) -> None:
    await fetch(desk, site, "/a.html", "冬季技能培训开班", TEXT)
    second = await fetch(desk, site, "/b.html", "春季技能培训开班", SPRING)
    assert second.state == "item"
    assert "相似 9" in second.likeness


async def test_the_index_answers_from_the_table_and_ignores_what_is_unlike(desk: Desk) -> None:
    async with desk.db.session() as session:
        for number in range(60):
            words = "".join(chr(0x4E00 + (number * 89 + step * 37) % 7000) for step in range(200))
            article = _article(f"a{number}", words)
            session.add(article)
            await remember(session, article.id, sketch(words))
        session.add(_article("mine", TEXT))
        await remember(session, "mine", sketch(TEXT))
    changed = TEXT.replace("电工、护理", "护理、电工")
    async with desk.db.session() as session:
        found = await find(session, changed, sketch(changed))
        assert [one.article_id for one in found] == ["mine"]
        assert await find(session, OTHER, sketch(OTHER)) == []
        assert await find(session, "短", b"") == []


def _article(key: str, text: str) -> Article:
    return Article(
        id=key,
        source_id="s",
        column_id=None,
        url=f"https://q.example/{key}",
        title=key,
        published_on=None,
        text=text,
        images=[],
        attachments=[],
        headers={},
        snapshot="",
        text_hash=key,
        duplicate_of=None,
        item_id=None,
        state="item",
        fetched_at=_MOMENT,
    )


# --- snapshots ----------------------------------------------------------------------------


async def test_a_snapshot_is_the_answer_byte_for_byte_kept_once(desk: Desk, site: Site) -> None:
    raw = page("冬季技能培训开班", TEXT).encode("gb18030") + bytes([0xFF, 0x00, 0xFE])
    url = site.serve("/a.html", raw, "text/html; charset=gbk", ETag='"7"')
    article = await desk.ingest.fetch_article(url)
    async with desk.db.session() as session:
        snapshots = await of_article(session, article.id)
        assert len(snapshots) == 1
        assert await body_of(session, snapshots[0]) == raw
        assert snapshots[0].headers["etag"] == '"7"'
        assert (snapshots[0].url, snapshots[0].status) == (url, 200)
        blob = await session.get(Blob, snapshots[0].media.removeprefix("sha256:"))
        assert blob is not None
        assert len(blob.content) < blob.size
    again = await desk.ingest._fetcher.fetch(url, site.judge())
    async with desk.db.session() as session:
        await take(session, again, article.id)
    async with desk.db.session() as session:
        assert len(await of_article(session, article.id)) == 2
        count = select(func.count()).select_from(Blob)
        assert await session.scalar(count.where(Blob.mime == "text/html")) == 1


async def test_a_changed_or_lost_snapshot_is_not_shown_as_the_original(
    desk: Desk, site: Site
) -> None:
    article = await fetch(desk, site, "/a.html", "冬季技能培训开班", TEXT)
    async with desk.db.session() as session:
        snapshot = (await session.scalars(select(Snapshot))).one()
        key = snapshot.media.removeprefix("sha256:")
        other = (await session.scalars(select(Blob).where(Blob.sha256 == key))).one()
        other.content = b"x\x9c\x03\x00\x00\x00\x00\x01"
    async with desk.db.session() as session:
        with pytest.raises(ValueError, match="摘要不符"):
            await body_of(session, (await of_article(session, article.id))[0])
        await session.delete(await session.get(Blob, key))
    async with desk.db.session() as session:
        with pytest.raises(LookupError):
            await body_of(session, (await of_article(session, article.id))[0])
