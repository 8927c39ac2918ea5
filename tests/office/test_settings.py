"""Settings and reply templates are what two people signed, whatever files and rows say."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

import office.parts as parts
from app import open_shenfa
from config.clock import BEIJING, beijing, now, use_clock_file
from config.settings import CONFIG
from demo.acts import policies
from demo.platforms import port_for
from facets.taxonomy import starting_taxonomy
from handlers.released import RELEASED, STARTED, ReleasedTemplates
from knowledge.speech import starting_speech
from knowledge.validity import starting_defaults
from ledger.append import Ledger
from office.doctor import examine
from office.keys import open_database, open_ledger
from office.parts import seed_what_lacks, starting_texts
from review_queue import drafting, publishing, recalling
from review_queue.shelving import draft_for, shelve_due, withdraw
from review_queue.states import ItemState
from sandbox.app import start
from staff.refusal import Refused
from staff.settings import SUBJECT
from subscriptions.moving import move_due
from tests.office.talking import TEMPLATE, Talk, make, settings_of, talking

NEW = "0479-8221234"
HELLO = "您好，我是政策小助手，请直接提问。"


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A home made once (its passwords take a second to hash), and the port of its sandbox."""
    home = tmp_path_factory.mktemp("office")
    port = port_for(None)
    asyncio.run(make(home, f"http://127.0.0.1:{port}"))
    return home, port


@pytest.fixture
async def sandbox(initialised: tuple[Path, int]) -> AsyncIterator[str]:
    runner, url = await start("127.0.0.1", initialised[1])
    yield url
    await runner.cleanup()


@pytest.fixture
def home(tmp_path: Path, initialised: tuple[Path, int]) -> Path:
    shutil.copytree(initialised[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
async def talk(home: Path, sandbox: str) -> AsyncIterator[Talk]:
    async with talking(home, sandbox) as made:
        yield made


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Callable[[float], None]]:
    """Set the clock forward by hours."""
    file = tmp_path / "clock"

    def go(hours: float) -> None:
        file.write_text(str(hours * 3600))
        use_clock_file(file)

    yield go
    use_clock_file(None)


def rules(caught: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.rule for reason in caught.value.reasons}


# --- files ------------------------------------------------------------------------------------


async def test_what_is_edited_in_the_programs_folder_reaches_nobody(
    home: Path, sandbox: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder as somebody with a shell leaves it: every text another one, then a new start."""
    folder = tmp_path / "edited"
    shutil.copytree(CONFIG, folder)
    for file in folder.glob("*.yaml"):
        words = file.read_text(encoding="utf-8")
        file.write_text(words.replace("12345", "95000").replace("您", "尔"), encoding="utf-8")
    monkeypatch.setattr("office.parts.CONFIG", folder)
    assert "95000" in starting_texts()["calendar"]
    async with talking(home, sandbox) as talk:
        told = [await talk.says(words) for words in ("帮助", "转人工", "订阅就业")]
        assert "12345" in told[1]
        assert all(told)
        assert not any(mark in one for one in told for mark in ("95000", "尔"))


async def test_no_file_of_settings_is_opened_once_the_office_stands(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    reads = Path.read_text

    def read(path: Path, *args: Any, **kwargs: Any) -> str:
        opened.append(path.name)
        return reads(path, *args, **kwargs)

    for read_once in (starting_speech, starting_defaults, starting_taxonomy):
        read_once.cache_clear()  # whichever test came before this one
    monkeypatch.setattr(Path, "read_text", read)
    for words in ("订阅就业", "失业金怎么领", "那需要什么材料", "着火了", "转人工"):
        assert await talk.says(words)
    await talk.released("welcome", "您好，这里是{account}。")
    files = {part.file for part in parts.parts_of("")} | {"replies.yaml"}
    assert not files & set(opened)


# --- changed by two people --------------------------------------------------------------------


async def test_an_approved_hotline_is_told_without_a_restart_in_every_process(
    talk: Talk, home: Path, sandbox: str
) -> None:
    """Asked of a second office over the same database too, as a second `serve` would be."""
    assert "12345" in await talk.says("转人工")
    words = talk.text_of("calendar").replace("12345", NEW)
    async with open_shenfa(settings_of(home, sandbox)) as other:
        assert other.tickets.hours.hotline == "12345"
        assert await talk.change("calendar", words) == {"setting": "calendar", "version": 2}
        await other.signed.refresh()
        assert other.tickets.hours.hotline == NEW
    await talk.sql("UPDATE ticket SET state = 'closed'")
    told = await talk.says("转人工")
    assert NEW in told
    assert "12345" not in told


async def test_a_day_of_silence_two_people_set_holds_publishing_in_every_process(
    talk: Talk, home: Path, sandbox: str
) -> None:
    day = beijing(now()).date()
    words = f"stops:\n  - {{from: {day}, to: {day}, note: 国家公祭日}}\n"
    async with open_shenfa(settings_of(home, sandbox)) as other:
        for one in (talk.shenfa, other):
            assert (await one.publisher._w.quiet()).at(now()) is None
        assert await talk.change("silence", words) == {"setting": "silence", "version": 2}
        await asyncio.sleep(0.2)  # a process may believe for a moment what it has just read
        for one in (talk.shenfa, other):
            for asked in (one.publisher._w.quiet, one.queue.quiet):
                stop = (await asked()).at(now())
                assert stop is not None
                assert stop.note == "国家公祭日"
        # Written past the two, it is not believed: what cannot be proved stops publishing.
        await talk.sql("UPDATE setting SET text = 'stops: []' WHERE name = 'silence'")
        await other.signed.compare()
        assert (await other.publisher._w.quiet()).at(now()) is not None
    async with open_shenfa(settings_of(home, sandbox)) as started:
        with pytest.raises(Refused, match="暂停发布和推送"):
            await started.publisher._w.quiet()


async def test_the_proposal_shows_the_lines_that_change(talk: Talk) -> None:
    words = talk.text_of("calendar").replace("12345", NEW)
    payload = {"name": "calendar", "text": words}
    _, effect = await talk.shenfa.governance.proposals.draft("setting", payload)
    assert [row["text"] for row in effect["changes"]] == [
        "设置“值班时间和热线”改为第 2 版",
        "hotline: '12345'",
        f"hotline: '{NEW}'",
    ]
    assert [row["sign"] for row in effect["changes"]] == ["~", "-", "+"]


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        ("calendar", "weekdays: [1\n", "calendar.yaml：第 2 行不是有效的 YAML"),
        ("calendar", "periods: []\nacknowledge_minutes: x\n", "calendar.yaml 第 2 行，字段 ack"),
        ("class_triggers", "- {klass: 重要, words: [甲], basis: 乙, must: [丙]}\n", "第 1 行"),
        ("taxonomy", "dimensions: {}\n", "taxonomy.yaml 第 1 行，字段 dimensions"),
        ("links", "own_hosts: [https://x.cn]\nsuffixes: []\n", "字段 own_hosts.0"),
        ("answering", "emergency: []\nabuse: []\nfillers: []\nsmall_talk: []\n", "遇险"),
        ("synonyms", "synonyms: {甲: 乙}\nasking: []\n", "字段 synonyms.甲"),
        ("silence", "stops:\n- {from: 明天, to: 明天, note: 甲}\n", "字段 stops.0.from"),
        ("library", "default_years: 0\n", "字段 default_years"),
        ("calendar", "a: &x [1]\nb: *x\n", "不能使用引用"),
        ("replies", "templates: {}\n", "没有“replies”这项设置"),
    ],
)
async def test_a_text_that_cannot_be_read_stops_the_proposal_and_not_the_office(
    talk: Talk, name: str, words: str, told: str
) -> None:
    with pytest.raises(Refused) as caught:
        await talk.change(name, words)
    assert caught.value.status == 422
    assert told in str(caught.value)
    assert "12345" in await talk.says("转人工")
    assert await talk.incidents() == []


async def test_a_topic_that_two_people_rename_takes_its_subscribers_along(talk: Talk) -> None:
    assert "职业技能培训" in await talk.says("订阅职业技能培训")
    before = talk.text_of("taxonomy")
    line = next(one for one in before.splitlines() if one.strip().startswith("job_training:"))
    with pytest.raises(Refused, match=r"请在接替它的值里写 was: \[job_training\]"):
        await talk.change("taxonomy", before.replace(line + "\n", ""))
    new = line.replace("job_training:", "skills:").replace("职业技能培训", "技能提升")
    new = new.replace("aliases: [", "was: [job_training], aliases: [职业技能培训, ")
    payload = {"name": "taxonomy", "text": before.replace(line, new)}
    _, effect = await talk.shenfa.governance.proposals.draft("setting", payload)
    assert effect["warnings"] == ["“职业技能培训”改为“技能提升”：订阅转过去"]
    await talk.change("taxonomy", payload["text"])
    assert await move_due(talk.shenfa.ledger, talk.shenfa.signed) == 1
    assert "技能提升" in await talk.says("我的订阅")


async def test_an_editor_proposes_no_setting_and_one_admin_alone_changes_none(talk: Talk) -> None:
    proposals = talk.shenfa.governance.proposals
    payload = {
        "name": "calendar",
        "text": talk.text_of("calendar").replace("12345", NEW),
    }
    with pytest.raises(Refused) as caught:
        await proposals.propose("setting", payload, talk.people["editor"], "试验这项变更")
    assert rules(caught) == {"role"}
    row = await proposals.propose("setting", payload, talk.people["admin1"], "试验这项变更")
    with pytest.raises(Refused) as caught:
        await proposals.approve(row.id, talk.people["admin1"])
    assert "two_people" in rules(caught)
    assert "12345" in await talk.says("转人工")


async def test_two_proposals_about_one_setting_do_not_overwrite_each_other(talk: Talk) -> None:
    proposals, words = talk.shenfa.governance.proposals, talk.text_of("calendar")
    first, second = [
        await proposals.propose(
            "setting",
            {"name": "calendar", "text": words.replace("12345", number)},
            talk.people["admin1"],
            "试验这项变更",
        )
        for number in (NEW, "0479-8225678")
    ]
    await proposals.approve(first.id, talk.people["admin2"])
    with pytest.raises(Refused) as caught:
        await proposals.approve(second.id, talk.people["admin2"])
    assert rules(caught) == {"overtaken"}


async def test_trigger_words_and_links_and_synonyms_follow_what_was_approved(talk: Talk) -> None:
    triggers = "- {klass: 敏感, words: [河东市集], basis: 县里的通知, must: [河东市集开放]}\n"
    await talk.change("class_triggers", talk.text_of("class_triggers") + triggers)
    queue, editor = talk.shenfa.queue, talk.people["editor"]
    await queue.releases.fresh_triggers()
    assert queue.triggers.found("河东市集", "")["河东市集"] == "敏感"
    assert editor
    await talk.change("links", "own_hosts: []\nsuffixes: [example.org]\n")
    look = talk.shenfa.links._look
    assert (await look("https://www.beijing.gov.cn/")).outcome == "off_list"
    words = talk.text_of("answering").replace("  - 快救人\n", "  - 快救人\n  - 三号楼红灯亮\n")
    assert "110" not in await talk.says("三号楼红灯亮")
    await talk.change("answering", words)
    assert "110" in await talk.says("三号楼红灯亮")


# --- rows changed past this program -----------------------------------------------------------


async def test_a_setting_changed_by_sql_is_not_told_and_opens_an_incident(
    talk: Talk, home: Path, sandbox: str
) -> None:
    await talk.sql("UPDATE setting SET text = replace(text, '12345', '95000')")
    await talk.sql("UPDATE setting SET text = 'x' WHERE name = 'answering'")
    await talk.shenfa.signed.compare()
    assert ("row_changed", "setting:calendar:1") in await talk.incidents()
    assert "12345" in await talk.says("转人工")
    async with talking(home, sandbox) as started:
        # Nothing proved stays in memory: the part refuses, the rest of the office answers.
        told = await started.says("转人工")
        assert "暂时不能答复" in told
        assert "95000" not in told
        assert "值班" in await started.says("帮助")
        with pytest.raises(Refused, match="值班时间和热线"):
            _ = started.shenfa.tickets.hours.hotline
        # Two people put it right again, without a restart.
        await started.change("calendar", starting_texts()["calendar"].replace("12345", NEW))
        assert NEW in await started.says("转人工")


async def test_a_setting_changed_by_sql_keeps_no_danger_quiet(
    talk: Talk, home: Path, sandbox: str
) -> None:
    await talk.sql("UPDATE setting SET text = 'x' WHERE name IN ('answering', 'calendar')")
    async with talking(home, sandbox) as started:
        said = await started.says("我不想活了")
        assert "12356" in said
        assert "已同时通知值班人员" in said


# --- days off ---------------------------------------------------------------------------------


def due_on(talk: Talk) -> date:
    """The day on which a question of now is to be answered."""
    hours = talk.shenfa.tickets.hours
    return beijing(hours.due_at(now(), hours.answer_minutes)).date()


def told_day(day: date) -> str:
    return f"{day.month}月{day.day}日"


def days_off(talk: Talk, first: date, count: int) -> str:
    """The calendar in force with so many days off from the first on."""
    days = [first + timedelta(days=one) for one in range(count)]
    lines = "".join(f"  {day}: {{working: false, note: 停电检修}}\n" for day in days)
    return f"{talk.text_of('calendar')}days:\n{lines}"


async def test_days_off_approved_by_two_people_move_the_hour_a_citizen_is_told(
    talk: Talk,
) -> None:
    first = due_on(talk)
    assert told_day(first) in await talk.says("转人工")
    await talk.change("calendar", days_off(talk, beijing(now()).date(), 40))
    await talk.shenfa.signed.refresh()
    later = due_on(talk)
    assert later - first > timedelta(days=30)
    await talk.sql("UPDATE ticket SET state = 'closed'")
    assert told_day(later) in await talk.says("转人工")


async def test_days_off_written_by_sql_move_no_hour_a_citizen_is_told(talk: Talk) -> None:
    """The table an earlier version read, as somebody makes it anew, and the row of the setting."""
    due, today = due_on(talk), beijing(now()).date()
    await talk.sql("CREATE TABLE calendar_day (day TEXT PRIMARY KEY, working BOOLEAN, note TEXT)")
    for ahead in range(40):
        day = today + timedelta(days=ahead)
        await talk.sql(f"INSERT INTO calendar_day VALUES ('{day}', false, '')")
    wrong = days_off(talk, today, 40).replace(":", "\\:").replace("'", "''")
    await talk.sql(f"UPDATE setting SET text = '{wrong}' WHERE name = 'calendar'")
    await talk.shenfa.signed.compare()
    assert told_day(due) in await talk.says("转人工")
    assert ("row_changed", "setting:calendar:1") in await talk.incidents()


async def test_the_examination_says_of_which_year_no_holidays_are_known(
    home: Path, sandbox: str, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told() -> tuple[str, str]:
        checks = {one.name: one for one in await examine(settings_of(home, sandbox))}
        return checks["放假安排"].state, checks["放假安排"].words

    def on(year: int, month: int) -> None:
        moment = datetime(year, month, 3, 9, tzinfo=BEIJING)
        monkeypatch.setattr("office.doctor.now", lambda: moment)

    on(2026, 10)
    assert await told() == ("ok", "2026 年的放假和调休已知")
    on(2089, 11)
    state, words = await told()
    assert state == "warn"
    assert "不知道 2089 年、2090 年的调休" in words
    assert "升级审发" in words
    assert "值班安排" in words
    day = "days:\n  2090-01-03: {working: false, note: 停电}\n"  # one day says nothing of a year
    text = talk.text_of("calendar") + day + "arranged: [2089]\n"
    await talk.change("calendar", text)
    assert "不知道 2090 年的调休" in (await told())[1]
    on(2089, 10)
    assert await told() == ("ok", "2089 年的放假和调休已知")


async def test_a_version_inserted_or_a_digest_rewritten_by_sql_is_never_in_force(
    talk: Talk, home: Path, sandbox: str
) -> None:
    await talk.sql(
        "INSERT INTO setting SELECT name, 9, replace(text, '12345', '95000'), digest, proposal_id,"
        " proposed_by, approved_by, approved_seq, approved_at FROM setting WHERE name = 'calendar'"
    )
    await talk.shenfa.signed.compare()
    async with talking(home, sandbox) as started:
        assert "12345" in await started.says("转人工")


async def test_trigger_words_that_cannot_be_proved_stop_submitting(
    talk: Talk, home: Path, sandbox: str
) -> None:
    await talk.sql("DELETE FROM setting WHERE name = 'class_triggers'")
    async with talking(home, sandbox) as started:
        item = await started.drafted("menu", "请选择一项：")
        with pytest.raises(Refused, match="类别触发词"):
            await started.submitted(item)
        assert ("row_changed", "setting:class_triggers:1") in await started.incidents()


# --- reply templates --------------------------------------------------------------------------


async def test_a_template_is_reviewed_released_used_and_withdrawn(talk: Talk) -> None:
    before = await talk.says("帮助")
    item = await talk.submitted(await talk.drafted("help", HELLO))
    assert [level["name"] for level in (item.workflow or {})["levels"]] == ["初审", "终审"]
    item = await talk.approve(item, "reviewer1")
    assert await talk.says("帮助") == before
    item = await talk.approve(item, "reviewer3")
    assert item.state == ItemState.SHELVED
    assert HELLO in await talk.says("帮助")
    entries = await talk.shenfa.ledger.facts("templates")
    assert [entry.kind for entry in entries] == [STARTED, RELEASED]
    assert entries[-1].body["template"] == "help"
    assert entries[-1].body["version"] == 2
    await recalling.recall(talk.shenfa.queue, item.id, talk.people["reviewer3"], "措辞不当")
    told = await talk.says("帮助")
    # Neither the withdrawn text nor the one before it: nobody decided that that one is right.
    assert "暂时不能答复" in told
    assert HELLO not in told
    assert await talk.incidents() == []


async def test_a_starting_text_is_withdrawn_by_one_person_and_replaced_by_a_new_one(
    talk: Talk,
) -> None:
    queue, editor = talk.shenfa.queue, talk.people["editor"]
    with pytest.raises(Refused) as caught:
        await withdraw(queue, TEMPLATE, "help", talk.people["duty1"], "措辞不当")
    assert rules(caught) == {"role"}
    with pytest.raises(Refused) as caught:
        await withdraw(queue, TEMPLATE, "help", editor, " ")
    assert rules(caught) == {"reason"}
    await withdraw(queue, TEMPLATE, "help", editor, "措辞不当")
    assert "暂时不能答复" in await talk.says("帮助")
    with pytest.raises(Refused) as caught:
        await withdraw(queue, TEMPLATE, "help", editor, "措辞不当")
    assert rules(caught) == {"state"}
    await withdraw(queue, TEMPLATE, "unavailable", editor, "措辞不当")
    assert await talk.says("帮助", wait=1.0) == ""
    await talk.released("help", HELLO)
    assert HELLO in await talk.says("帮助")


async def test_without_the_source_of_a_quotation_a_person_answers(talk: Talk) -> None:
    stage: Any = SimpleNamespace(shenfa=talk.shenfa, people=talk.people)
    await policies(stage)
    question = "高校毕业生有什么就业补贴"
    assert "青人社发〔2026〕5号" in await talk.says(question)
    await withdraw(talk.shenfa.queue, TEMPLATE, "quote_source", talk.people["editor"], "措辞不当")
    assert "已转值班人员" in await talk.says(question)


async def test_an_expired_template_is_not_used(talk: Talk, later: Any) -> None:
    item = await talk.drafted("help", HELLO)
    day = {"not_after": now() + timedelta(days=1)}
    queue, editor = talk.shenfa.queue, talk.people["editor"]
    item = await drafting.edit(queue, item.id, editor, item.version, day)
    await talk.approve(await talk.submitted(item), "reviewer1", "reviewer3")
    assert HELLO in await talk.says("帮助")
    later(25)
    assert "暂时不能答复" in await talk.says("帮助")


async def test_a_template_waits_for_the_day_it_is_meant_for(talk: Talk, later: Any) -> None:
    item = await talk.drafted("help", HELLO)
    day = {"not_before": now() + timedelta(hours=5)}
    queue, editor = talk.shenfa.queue, talk.people["editor"]
    item = await drafting.edit(queue, item.id, editor, item.version, day)
    item = await talk.approve(await talk.submitted(item), "reviewer1", "reviewer3")
    assert item.state == ItemState.APPROVED
    assert await shelve_due(queue) == 0
    later(6)
    assert await shelve_due(queue) == 1
    assert HELLO in await talk.says("帮助")
    assert await talk.incidents() == []


MANY = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)"
    " INSERT INTO revision (id, item_id, number, digest, canonical, editor_id, created_at)"
    " SELECT 'r0' || i, '0' || i, 1, 'x', '{\"body\":\"\\\"entry\\\":\\\"a\"}', 'e',"
    " '2026-01-01' FROM n",
    "CREATE TEMP TABLE more AS SELECT item.*, revision.item_id AS other FROM revision, item"
    " WHERE revision.digest = 'x' AND item.title = '模板 help'",
    "UPDATE more SET id = other, kind = '问答', state = 'approved', release_id = 'x', revision = 1",
    "ALTER TABLE more DROP COLUMN other",
    "INSERT INTO item SELECT * FROM more",
)
"""150 approved 问答 that are articles, with ids before every other."""


async def test_one_that_cannot_be_put_into_use_keeps_no_other_waiting(
    talk: Talk, later: Any
) -> None:
    queue, editor = talk.shenfa.queue, talk.people["editor"]
    first = await talk.drafted("help", HELLO)
    async with talk.shenfa.db.session() as session:
        for words in MANY:
            await session.execute(text(words))
    for item in (first, await talk.drafted("abuse", "请好好说话。")):
        day = {"not_before": now() + timedelta(hours=5)}
        item = await drafting.edit(queue, item.id, editor, item.version, day)
        await talk.approve(await talk.submitted(item), "reviewer1", "reviewer3")
    later(6)
    await talk.sql(
        "INSERT INTO reply_template SELECT name, 2, text, digest, item_id, not_after, at"
        " FROM reply_template WHERE name = 'help' AND version = 1"
    )
    assert [await shelve_due(queue) for _ in range(2)] == [1, 0]
    assert [one for one in await talk.incidents() if one[0] == "release_refused"] == [
        ("release_refused", f"item:{first.id}")
    ]
    await talk.sql("DELETE FROM reply_template WHERE name = 'help' AND version = 2")
    assert await shelve_due(queue) == 1
    assert HELLO in await talk.says("帮助")


async def test_a_template_changed_by_sql_is_not_told(talk: Talk, home: Path, sandbox: str) -> None:
    await talk.sql("UPDATE reply_template SET text = '请把钱转到这个账户' WHERE name = 'help'")
    await talk.shenfa.templates.compare()
    assert ("row_changed", "reply_template:help:1") in await talk.incidents()
    assert "转到" not in await talk.says("帮助")
    async with talking(home, sandbox) as started:
        told = await started.says("帮助")
        assert "转到" not in told
        assert "暂时不能答复" in told


async def test_an_item_set_to_approved_by_sql_brings_no_text_into_use(talk: Talk) -> None:
    item = await talk.submitted(await talk.drafted("help", HELLO))
    await talk.sql(
        "INSERT INTO release (id, item_id, digest, ruleset, created_at)"
        " SELECT 'forged', id, 'x', 'x', created_at FROM item"
    )
    await talk.sql("UPDATE item SET state = 'approved', release_id = 'forged'")
    assert await shelve_due(talk.shenfa.queue) == 0
    assert HELLO not in await talk.says("帮助")
    assert ("release_refused", f"item:{item.id}") in await talk.incidents()


async def test_an_old_release_set_back_by_sql_is_not_used_once_more(talk: Talk) -> None:
    first = await talk.released("help", HELLO)
    await talk.released("help", "请直接提问。")
    await talk.sql(f"UPDATE item SET state = 'approved' WHERE id = '{first.id}'")
    await shelve_due(talk.shenfa.queue)
    assert "请直接提问。" in await talk.says("帮助")


@pytest.mark.parametrize(
    ("entry", "body", "told"),
    [
        ("nothing", "正文", "不认识的回复模板"),
        ("help", "请拨打{phone}", "没有|未登记的字段 phone"),
        ("person_opened", "已转值班人员，单号 {ticket}。", "缺少字段"),
        ("help", "花括号{没有关", "花括号不成对|只能写成"),
        ("help", "字" * 601, "1 至 600 字"),
    ],
)
async def test_a_text_the_program_could_not_fill_is_not_submitted(
    talk: Talk, entry: str, body: str, told: str
) -> None:
    item = await talk.drafted(entry, body)
    with pytest.raises(Refused, match=told) as caught:
        await talk.submitted(item)
    assert rules(caught) == {"template"}


async def test_a_template_goes_to_no_account_and_is_not_scheduled(talk: Talk) -> None:
    item = await talk.submitted(await talk.drafted("help", HELLO))
    reasons = await publishing.why_not_publish(talk.shenfa.queue, item.id)
    assert "入库使用" in reasons[0].message
    draft = await draft_for(talk.shenfa.queue, TEMPLATE, "menu", talk.people["editor"])
    assert (draft.kind, draft.title) == (TEMPLATE, "主菜单")


# --- offices of the version before ------------------------------------------------------------


async def test_an_office_of_an_earlier_version_is_given_the_texts_once_and_signed(
    home: Path, sandbox: str
) -> None:
    settings = settings_of(home, sandbox)
    ledger = await _without_texts(settings)
    counted = len(parts.parts_of("")) + len(parts.starting_templates())
    assert await seed_what_lacks(ledger) == counted
    assert await seed_what_lacks(ledger) == 0
    await ledger.db.close()
    async with talking(home, sandbox) as talk:
        assert "12345" in await talk.says("转人工")
        await talk.sql("DELETE FROM setting")
    async with talking(home, sandbox) as talk:
        # What is lost is not read from a file once more.
        assert "暂时不能答复" in await talk.says("转人工")


async def _without_texts(settings: Any) -> Ledger:
    """The same home as the version before left it: a ledger that knows of no texts and no rules."""
    db = open_database(settings)
    ledger = open_ledger(settings, db)
    first = (await ledger.facts("office"))[0].body
    async with db.session() as session:
        await session.execute(text("DELETE FROM setting"))
        await session.execute(text("DELETE FROM reply_template"))
        await session.execute(text("DELETE FROM ledger_entry"))
    settings.anchor_file.unlink()
    ledger = open_ledger(settings, db)
    said = {name: first[name] for name in ("organisation", "workflows", "ruleset", "sealed")}
    async with ledger.transaction() as tx:
        await tx.append("genesis", subject="office", actor="init", body=said)
    return ledger


async def test_several_processes_read_the_same_templates(talk: Talk) -> None:
    other = ReleasedTemplates(talk.shenfa.ledger)
    await other.refresh()
    await talk.released("help", HELLO)
    assert HELLO not in other.text("help")
    await other.refresh()
    assert other.text("help") == HELLO
    assert SUBJECT == "settings"


async def test_the_examination_names_what_cannot_be_proved(
    home: Path, sandbox: str, talk: Talk
) -> None:
    settings = settings_of(home, sandbox)
    checks = {one.name: one for one in await examine(settings)}
    assert checks["设置和回复模板"].state == "ok"
    await talk.sql("UPDATE setting SET text = 'x' WHERE name = 'links'")
    checks = {one.name: one for one in await examine(settings)}
    assert (checks["设置和回复模板"].state, "可以链接的网址") == (
        "warn",
        checks["设置和回复模板"].words.split("不能确认")[0],
    )
