"""值班安排: the roster, the hours, the office's own days and the hotline on one page."""

from datetime import date, time

import yaml

from escalations.calendar import parse_hours
from tests.console.office import Office, set_roles

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
    assert "09:00-12:00，14:00-17:30" in (await two.get(PAGE))[1]


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
