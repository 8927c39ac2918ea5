"""值班安排: the roster, the hours, the office's own days and the hotline on one page."""

from dataclasses import replace
from datetime import date, time

import pytest
import yaml

from config.clock import beijing, now
from console.settings.duty_days import COMPUTED, years_of
from console.settings.duty_forms import hours_fields, hours_text
from escalations.calendar import parse_hours
from escalations.roster import DutyLine, set_roster
from staff.refusal import Refused
from tests.console.office import Office, dismiss, set_roles

PAGE = "/console/settings/duty"
HOURS = {
    "weekday": ["1", "2", "3", "4", "5", "6"],
    "begin": ["09:00", "14:00", ""],
    "end": ["12:00", "17:30", ""],
    "acknowledge_minutes": "10",
    "answer_minutes": "180",
    "hotline": "0471-12345",
    "day": ["2027-02-05", ""],
    "working": ["no", "no"],
    "note": ["停电检修", ""],
    "why": "冬季作息",
}


async def test_hours_own_days_and_hotline_change_by_two_people_and_hold(office: Office) -> None:
    one, two = await office.signed_in("admin1"), await office.signed_in("admin2")
    status, page = await one.get(PAGE)
    assert (status, "08:30-12:00，14:30-18:00" in page, "通知不到" in page) == (200, True, True)
    for field, value, words in (
        ("hotline", "很急", "hotline"),
        ("begin", ["15:00", "14:00", ""], "互不重叠"),
        ("note", ["", ""], "note"),
        ("answer_minutes", "半天", "答复时限要写分钟数"),
        ("weekday", [], "weekdays"),
    ):
        status, page = await one.post(f"{PAGE}/hours", **HOURS | {field: value}, step="propose")
        assert (status, words in page, "0471" in page or field == "hotline") == (422, True, True)
    status, page = await one.post(f"{PAGE}/hours", **HOURS, step="preview")
    assert (status, "停电检修" in page, 'value="14:00"' in page) == (200, True, True)
    assert (await one.post(f"{PAGE}/hours", **HOURS, step="propose"))[0] == 303
    _, rows = await two.api("GET", "/proposals?state=proposed")
    (row,) = rows["proposals"]
    assert (await one.api("POST", f"/proposals/{row['id']}/approve"))[0] == 403
    assert (await two.api("POST", f"/proposals/{row['id']}/approve"))[0] == 200
    await office.deps.governance.settings.refresh()
    held = office.deps.governance.settings.proved("calendar")
    assert held is not None
    hours = parse_hours(yaml.safe_load(held.text))
    assert hours.periods == ((time(9), time(12)), (time(14), time(17, 30)))
    assert (hours.hotline, hours.acknowledge_minutes) == ("0471-12345", 10)
    assert dict(hours.days) == {date(2027, 2, 5): False}
    page = (await two.get(PAGE))[1]
    assert "09:00-12:00，14:00-17:30" in page
    assert f"{beijing(now()).year + 1} 年的放假通知已写全" in page
    # 元旦 of a year nobody arranged is off by law, and the page that the banner leads to says so.
    year = beijing(now()).year + 5
    hours = replace(hours, days={})
    (new_year, *_) = years_of(hours, date(year, 3, 1), {})[0].runs
    assert (new_year.first, new_year.works, new_year.source) == (date(year, 1, 1), False, COMPUTED)
    assert (
        '<a href="/console/settings/duty#days">'
        in (await one.get("/console/settings/texts/calendar"))[1]
    )


def test_a_holiday_is_one_row_from_day_to_day_and_a_whole_year_stays_whole() -> None:
    form = HOURS | {
        "day": ["2027-02-05", "2027-02-14", ""],
        "until": ["2027-02-08", "", ""],
        "working": ["no", "yes", "no"],
        "note": ["春节", "调休", ""],
        "arranged": ["2027"],
    }
    text = hours_text({key: [one] if isinstance(one, str) else one for key, one in form.items()})
    hours = parse_hours(yaml.safe_load(text))
    assert hours.arranged == {2027}
    assert [day.day for day, works in hours.days.items() if not works] == [5, 6, 7, 8]
    # Saved again as the form shows it, nothing is lost.
    shown = hours_fields(text, {})
    assert shown["days"] == [
        ("2027-02-05", "2027-02-08", False, "春节"),
        ("2027-02-14", "", True, "调休"),
    ]
    assert shown["arranged"] == {2027}
    (year, _) = years_of(hours, date(2027, 1, 1), {date(2027, 2, 14): "调休"})
    assert (year.known, year.words) == (True, "已按放假通知写全")
    assert ("2月14日（周日）", True, "本单位填写", "调休") in {
        (run.words, run.works, run.source, run.note) for run in year.runs
    }
    for last, words in (("2026-02-05", "从早到晚"), ("不知道", "不是日期")):
        with pytest.raises(Refused, match=words):
            hours_text(
                {
                    "day": ["2027-02-05"],
                    "until": [last],
                    "answer_minutes": ["9"],
                    "acknowledge_minutes": ["9"],
                }
            )


async def test_the_page_names_whom_a_question_really_reaches(office: Office) -> None:
    browser = await office.signed_in("admin1")
    duty, editor = office.people["duty1"], office.people["editor"]
    async with office.deps.ledger.transaction() as tx:
        await set_roster(tx, [DutyLine("", 0, duty), DutyLine("", 1, editor)], "init")
    page = (await browser.get(PAGE))[1]
    assert "1. 周洋；" in page
    assert "2. 李雪" in page
    assert "没有监督人员" in page
    await dismiss(office, "duty1")
    page = (await browser.get(PAGE))[1]
    assert "1. 李雪" in page
    assert "已停用，不通知" in page


async def test_who_is_on_duty_reads_and_proposes_nothing_a_supervisor_the_roster_alone(
    office: Office,
) -> None:
    duty = await office.signed_in("duty1")
    assert "改值班表" not in (await duty.get(PAGE))[1]
    assert (await duty.post(f"{PAGE}/roster", step="propose"))[0] == 403
    await set_roles(office, "duty1", ["supervisor"])
    roster = {"login": ["duty1"], "tier": ["2"], "topic": [""], "why": "下月值班轮换"}
    status, page = await duty.post(f"{PAGE}/roster", **roster, step="propose")
    assert status == 303, page[page.index("reason") :][:600]
    assert (await duty.post(f"{PAGE}/hours", **HOURS, step="propose"))[0] == 403
