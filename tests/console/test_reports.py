"""报表: figures from signed entries, each with its rows, and the same when recomputed offline."""

import hashlib
import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import update
from typer.testing import CliRunner

from bot.models import Publication
from cli import shenfa
from config.clock import beijing, now
from staff.refusal import Refused
from supervision.annual import PARTS, faults, names, tables
from supervision.archive import write_archive
from supervision.archiving import archive_due, archived, file_of
from supervision.bundle import check_bundle
from supervision.counting import count_days
from supervision.figures import COUNTED_LATER, Counting, Span, as_json, differences, span_of
from supervision.report import Filled, counted, give
from supervision.sheets import safe, xlsx_of
from tests.console.office import Office, busy_morning

FIVE = ("published", "approvals", "released", "submitted", "returns")


async def test_five_figures_are_recomputed_from_the_export_and_lead_to_their_rows(
    office: Office, tmp_path: Path
) -> None:
    made, ledger, year = await busy_morning(office), office.deps.ledger, beijing(now()).year
    cells = {"asked.new.person": 3, "asked.open.person": 2, "asked.left.person": 1}
    await give(ledger, str(year), Filled(cells), office.people["admin1"])
    assert await count_days(ledger) == 1
    assert await count_days(ledger) == 0
    admin = await office.signed_in("admin1")
    status, text = await admin.get(f"/console/reports/{year}/file.json")
    assert status == 200
    report = json.loads(text)
    figures = report["figures"]
    assert [figures[name]["value"] for name in FIVE] == [1, 7, 2, 6, 1]
    files = {name: tmp_path / name for name in ("ledger.jsonl", "key.hex", "report.json")}
    lines = [line async for line in ledger.export()]
    files["ledger.jsonl"].write_text("\n".join(lines), encoding="utf-8")
    files["key.hex"].write_text(ledger.public_hex)
    files["report.json"].write_text(text)
    asked = ["report", "recompute", str(year), "--export", str(files["ledger.jsonl"])]
    asked += ["--public-key", str(files["key.hex"])]
    done = CliRunner().invoke(shenfa, [*asked, "--report", str(files["report.json"])])
    assert (done.exit_code, "全部与台账相同" in done.output) == (0, True), done.output
    # A number somebody made better is found by the chain alone.
    figures["published"]["value"] += 1
    files["report.json"].write_text(json.dumps(report))
    done = CliRunner().invoke(shenfa, [*asked, "--report", str(files["report.json"])])
    assert done.exit_code == 1
    assert "发布篇次（每个账号一次）：报表写 2，台账算得 1" in done.output
    # One clicked: its rows.
    status, text = await admin.get(f"/console/reports?period={year}")
    assert status == 200
    for words in (
        f'/console/reports/{year}/approvals">7</a>',
        "三、收到和处理",
        "新收政府信息公开",
    ):
        assert words in text
    status, text = await admin.get(f"/console/reports/{year}/released")
    assert (status, text.count('data-label="序号"')) == (200, 2)
    assert f"/console/items/{made['approved']}" in text
    staff = office.people["reviewer1"]
    status, text = await admin.get(f"/console/reports/{year}/by.{staff}.return")
    assert (status, text.count('data-label="序号"')) == (200, 1)
    for path, code in (("released2", 404), ("by.x.y", 404), ("file.exe", 404)):
        assert (await admin.get(f"/console/reports/{year}/{path}"))[0] == code
    assert (await admin.get("/console/reports?period=2026Q5"))[0] == 422
    await _sheets(office, year)
    await _archive(office, made["published"])


async def _sheets(office: Office, year: int) -> None:
    admin = await office.signed_in("admin1")
    answer = await admin.client.get(f"/console/reports/{year}/file.xlsx")
    book = load_workbook(io.BytesIO(await answer.read()))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert ("审核", "终审放行", 2) in rows
    assert None not in {row[-1] for row in rows}  # zero is written
    asked = list(book.worksheets[4].iter_rows(values_only=True))
    assert asked[1][1:] == (3, 0, 0, 0, 0, 0, 3)
    status, text = await admin.get(f"/console/reports/{year}/file.csv")
    assert (status, "审核,终审放行,2" in text) == (200, True)
    status, told = await admin.api("GET", f"/reports/{year}")
    assert told["given"]["asked.new.person"] == 3
    status, told = await admin.api("POST", f"/reports/{year}/given", {"cells": {"x": 1}})
    assert (status, told["message"]) == (422, "没有这一格：x")
    editor = await office.signed_in("editor")
    assert (await editor.api("POST", f"/reports/{year}/given", {"cells": {}}))[0] == 403
    assert (await editor.get(f"/console/reports/{year}/given"))[0] == 403
    # The same on the page, with what was typed kept where it does not add up.
    place = f"/console/reports/{year}/given"
    status, text = await admin.get(place)
    assert (status, 'name="asked.new.person" value="3"' in text) == (200, True)
    typed = {"asked.new.person": "5", "made.rules.made": "x", "text.problems": "公开还不及时。"}
    typed["after"] = _after(text)
    status, text = await admin.post(place, **typed)
    assert (status, "made.rules.made 应写不小于 0 的整数" in text) == (422, True)
    assert 'name="asked.new.person" value="5"' in text
    assert "公开还不及时。" in text
    typed |= {"asked.open.person": "5", "made.rules.made": "2"}
    status, _ = await admin.post(place, **typed)
    assert status == 303
    status, text = await admin.get(f"/console/reports?period={year}")
    assert [part in text for part in PARTS] == [True] * 6
    # A day's own counts come when it is over, and each such figure says so while it runs.
    assert text.count("次日计入</span>") == len(COUNTED_LATER)
    assert "次日计入" not in (await admin.get(f"/console/reports?period={year - 1}"))[1]
    assert text.index("五、存在的主要问题") < text.index("公开还不及时。") < text.index("六、其他")
    assert (
        "五、存在的主要问题及改进情况,公开还不及时。"
        in (await admin.get(f"/console/reports/{year}/file.csv"))[1]
    )
    assert (await admin.get("/console/reports/2026Q3/given"))[0] == 404
    await _two_at_once(office, place, typed)


async def _two_at_once(office: Office, place: str, typed: dict[str, str]) -> None:
    """Who filled it in on what stood before is told so, and nothing of theirs is lost."""
    other = await office.signed_in("admin2")
    status, text = await other.post(place, **{**typed, "text.problems": "人手不足。"})
    assert (status, "人手不足。" in text) == (409, True)
    assert ("填写期间" in text, "已经交过一次" in text) == (True, True)
    assert int(_after(text)) > int(typed["after"])
    differs = text.partition('id="differs"')[2].partition("</section>")[0]
    assert differs.count("<tr>") == 2
    assert differs.index("公开还不及时。") < differs.index("人手不足。")
    assert (
        'name="take.problems" value="1" aria-label="五、存在的主要问题及改进情况用对方的">'
        in differs
    )
    # What they never touched is the other's by default: pressing again reverts nothing unseen.
    _, text = await other.post(place, **{**typed, "text.problems": "", "text.others": "无。"})
    differs = text.partition('id="differs"')[2].partition("</section>")[0]
    assert (differs.count(">您没有改过<"), differs.count(" checked>")) == (1, 1)
    api = place.removeprefix("/console")
    answer = await other.api("POST", api, {"cells": {}, "after": int(typed["after"])})
    assert (answer[0], "已经交过一次" in answer[1]["message"]) == (409, True)
    for odd in ("x", "9" * 5000, "-1"):
        assert (await other.post(place, **{**typed, "after": odd}))[0] == 409
    again = {**typed, "text.problems": "人手不足。", "after": _after(text)}
    assert (await other.post(place, **again))[0] == 303
    assert "人手不足。" in (await other.get(place))[1]
    # Of a second clash each field can be taken over, and the rest stays as it was typed.
    mine = {
        **typed,
        "text.problems": "公开还不及时。",
        "asked.new.other": "1",
        "asked.open.other": "1",
    }
    _, text = await other.post(place, **mine)
    differs = text.partition('id="differs"')[2].partition("</section>")[0]
    assert "三、收到和处理政府信息公开申请情况：（一）予以公开，其他" in differs
    assert 'name="asked.new.other" value="1"' in text
    took = {**mine, "after": _after(text), "take.problems": "1"}
    assert (await other.post(place, **took))[0] == 303
    text = (await other.get(place))[1]
    assert ("人手不足。" in text, 'name="asked.new.other" value="1"' in text) == (True, True)


def _after(text: str) -> str:
    return text.partition('name="after" value="')[2].partition('"')[0]


async def _archive(office: Office, item: str) -> None:
    ledger, today = office.deps.ledger, beijing(now()).date()
    async with office.deps.db.session() as session:
        await session.execute(update(Publication).values(url="https://t.example/1"))
    out = io.BytesIO()
    period = f"{today:%Y-%m}"
    assert await write_archive(ledger, period, span_of(period), out) == 1
    with zipfile.ZipFile(out) as package:
        held = package.namelist()
        manifest = json.loads(package.read("manifest.json"))["sha256"]
        review = package.read(f"items/{item}/review.jsonl").decode()
        ends = json.loads(package.read("about.json"))["ledger"]
    assert set(manifest) == set(held) - {"manifest.json", "manifest.signature.json"}
    assert review.count('\\"kind\\":\\"decision\\"') == 3
    assert ends["last"] > ends["first"] == 1
    # The address was put into the row above, by nobody who signed it.
    (fault,) = check_bundle(out, ledger.public_key).faults
    assert fault.endswith("的 url 与台账不同")


async def test_numbers_that_do_not_add_up_are_refused_all_at_once(office: Office) -> None:
    cells = {"asked.new.person": 3, "asked.new.legal": 1}
    with pytest.raises(Refused) as caught:
        await give(office.deps.ledger, "26", Filled(cells), office.people["admin1"])
    said = [one.message for one in caught.value.reasons]
    assert len(said) == 3
    assert "“自然人”一列不相等：新收加上年结转是 3，办理结果总计加结转下年度是 0" in said[1]
    assert faults({"made.rules.made": -1, "asked.new.person": True, "nothing": 1})[2:] == [
        "made.rules.made 应写不小于 0 的整数，现在是 -1"
    ]
    assert faults(dict.fromkeys(names(), 0)) == []
    cells_of = [cell for _, rows in tables({}) for row in rows[1:] for cell in row[1:]]
    assert set(cells_of) == {0}
    # An entry that says a figure otherwise is a difference, and nothing else is.
    counting = await counted(office.deps.ledger, span_of("2026"))
    assert differences(as_json("2026", counting), counting) == []
    assert differences({}, Counting(span_of("2026")))


@pytest.mark.parametrize(
    ("period", "first", "end"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026Q4", "2026-10-01", "2027-01-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-02", "2026-02-01", "2026-03-01"),
    ],
)
def test_a_period_is_whole_beijing_days(period: str, first: str, end: str) -> None:
    span: Span = span_of(period)
    assert [str(span.first), str(span.end)] == [first, end]
    assert span.holds(f"{first}T00:00:00+08:00")
    assert not span.holds(f"{end}T00:00:00+08:00")


async def test_a_year_is_written_with_plain_digits(office: Office) -> None:
    for period in ("２０２６", "+202", "1_00", "２０２６Q3"):
        with pytest.raises(ValueError, match=re.escape(period)):
            span_of(period)
    filled = Filled({"asked.new.person": 0})
    with pytest.raises(Refused, match="年份写成"):
        await give(office.deps.ledger, "２０２６", filled, office.people["admin1"])


@pytest.mark.parametrize(
    ("cell", "kept"),
    [("=1+1", "'=1+1"), ("＝1+1", "'＝1+1"), ("\x0b@x", "'@x"), ("张\x00伟", "张伟"), (-1, -1)],
)
def test_no_name_is_a_formula_or_breaks_a_sheet(cell: str | int, kept: str | int) -> None:
    assert safe(cell) == kept
    book = load_workbook(io.BytesIO(xlsx_of([("表", [(cell,)])])))
    assert [[one.value for one in row] for row in book["表"].rows] == [[kept]]


async def test_each_month_that_is_over_gets_its_package_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made up after an outage, its digest in the ledger; another file is not given out."""
    await busy_morning(office)
    ledger, home = office.deps.ledger, office.deps.settings.home
    assert await archive_due(ledger, home) == []
    first = f"{beijing(now()):%Y-%m}"
    later = (beijing(now()).replace(day=1) + timedelta(days=62)).replace(day=1, hour=12)
    monkeypatch.setattr("supervision.archiving.now", lambda: later)
    made = await archive_due(ledger, home)
    assert (made[0], len(made)) == (first, 2)
    assert await archive_due(ledger, home) == []
    kept = {one.period: one for one in await archived(ledger)}
    assert (kept[first].publications, kept[made[1]].digest) == (1, "")
    admin, editor = await office.signed_in("admin1"), await office.signed_in("editor")
    status, text = await admin.get("/console/reports")
    assert (status, f"/console/reports/archives/{first}" in text) == (200, True)
    assert "这个月没有记录" in text
    answer = await admin.client.get(f"/console/reports/archives/{first}")
    whole = await answer.read()
    assert hashlib.sha256(whole).hexdigest() == kept[first].digest
    assert check_bundle(io.BytesIO(whole), ledger.public_key).faults == []
    assert (await editor.get(f"/console/reports/archives/{first}"))[0] == 403
    place = file_of(home, first)
    for change, code in ((place.write_bytes, 409), (lambda _: place.unlink(), 409)):
        change(whole + b"x")
        assert (await admin.get(f"/console/reports/archives/{first}"))[0] == code
    assert (await admin.get("/console/reports/archives/2020-01"))[0] == 404
