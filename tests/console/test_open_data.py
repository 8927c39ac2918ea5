"""What an office gives to everybody as data: closed until two people open it, nobody named."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from sqlalchemy import update

from bot.models import Publication
from config.clock import beijing, now
from console.public.open_figures import FiguresData
from console.public.open_items import ItemFeed
from console.public.open_policies import PolicyFeed
from knowledge.library import PolicyLibrary, Repeal
from knowledge.models import Policy
from review_queue import recalling
from review_queue.desk import Queue
from supervision.open_data import parse_open_data
from tests.console.office import PEOPLE, Office, build, busy_morning, close

together = pytest.mark.asyncio(loop_scope="module")
Morning = tuple[Office, dict[str, str]]
TEXT = "version: 1\nopen: {}\ngives: [{}]\nper_minute: {}\n"
ALL = "policies, items, figures"


async def open_up(office: Office, gives: str = ALL, per_minute: int = 600) -> None:
    """Two people change the setting."""
    text = TEXT.format("true" if gives else "false", gives, per_minute)
    proposals = office.deps.governance.proposals
    by = office.people["admin1"]
    row = await proposals.propose("setting", {"name": "open_data", "text": text}, by, "对外开放")
    await proposals.approve(row.id, office.people["admin2"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def morning(
    tmp_path_factory: pytest.TempPathFactory, password_hash: str
) -> AsyncIterator[Morning]:
    """One office after a busy morning, open to everybody, for every test that reads in it."""
    office = await build(tmp_path_factory.mktemp("open"), password_hash)
    ids = await busy_morning(office)
    await open_up(office)
    yield office, ids
    await close(office)


class Reader:
    """Somebody outside, without an account."""

    def __init__(self, office: Office) -> None:
        self.client = office.client()
        self.headers: Mapping[str, str] = {}

    async def get(self, name: str, **headers: str) -> tuple[int, Any]:
        answer = await self.client.get(f"/api/v1/open/{name}", headers=headers)
        self.headers = answer.headers
        text = await answer.text()
        assert not [one for one, _ in PEOPLE.values() if one in text], "a staff name"
        assert "13812345678" not in text
        return answer.status, json.loads(text) if text else None

    async def all(self, name: str, cursor: str = "", limit: int = 1) -> tuple[list[Any], str]:
        found: list[Any] = []
        while True:
            status, page = await self.get(f"{name}?limit={limit}&cursor={cursor}")
            assert status == 200, page
            found += page.get("items", page.get("days"))
            cursor = page["_shenfa" if "items" in page else "place"]["cursor"]
            if page["next_url"] is None:
                return found, cursor
            assert cursor in page["next_url"]


async def test_what_is_given_is_closed_until_two_people_open_it(office: Office) -> None:
    reader = Reader(office)
    for name in ALL.split(", "):
        assert (await reader.get(name))[0] == 404
    await open_up(office, "policies")
    assert (await reader.get("policies"))[0] == 200
    assert (await reader.get("items"))[0] == 404
    await open_up(office, "")
    status, body = await reader.get("policies")
    assert (status, body["rule"]) == (404, "closed")


@together
async def test_who_has_a_page_is_told_so_without_its_bytes(morning: Morning) -> None:
    office, _ = morning
    reader = Reader(office)
    for name in ("policies", "items"):
        assert (await reader.get(name))[0] == 200
        tag, modified = reader.headers["ETag"], reader.headers["Last-Modified"]
        assert reader.headers["Access-Control-Allow-Origin"] == "*"
        assert reader.headers["Cache-Control"].startswith("public")
        assert (await reader.get(name, **{"If-None-Match": f'"x", W/{tag}'}))[0] == 304
        assert (await reader.get(name, **{"If-None-Match": '"x"'}))[0] == 200
        assert (await reader.get(name, **{"If-Modified-Since": modified}))[0] == 304
        old = "Mon, 01 Jan 2024 00:00:00 GMT"
        assert (await reader.get(name, **{"If-Modified-Since": old}))[0] == 200
        far = f"Mon, 01 Jan {9 * 10**30} 00:00:00 GMT"
        assert (await reader.get(name, **{"If-Modified-Since": far}))[0] == 200
        tomorrow = beijing(now()).date() + timedelta(days=1)
        assert (await reader.get(f"{name}?updated_since={tomorrow}"))[1]["items"] == []
        assert (await reader.get(f"{name}?updated_since=2024-01-01"))[1]["items"] != []


@together
async def test_the_figures_of_whole_days_are_counted_from_entries(
    morning: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _ = morning
    reader = Reader(office)
    assert await reader.all("figures") == (
        [],
        (await reader.all("figures"))[1],
    )  # today is not over
    today = beijing(now()).date()
    later = now() + timedelta(days=2)
    monkeypatch.setattr("console.public.open_figures.now", lambda: later)
    days, _ = await reader.all("figures")
    assert [one["day"] for one in days] == [str(today), str(today + timedelta(days=1))]
    assert (days[0]["published"], days[1]["published"]) == (1, 0)
    assert days[0]["tickets"] >= 1


@together
async def test_every_answer_keeps_to_the_schema_of_openapi(morning: Morning) -> None:
    office, _ = morning
    reader = Reader(office)
    for name, model in (("policies", PolicyFeed), ("items", ItemFeed), ("figures", FiguresData)):
        _, body = await reader.get(name)
        model.model_validate(body)
    whole = await (await office.client().get("/api/v1/openapi.json")).json()
    said = whole["paths"]["/api/v1/open/items"]["get"]["responses"]["2XX"]
    assert "items" in said["content"]["application/json"]["schema"]["properties"]


@together
async def test_a_reader_follows_policies_page_by_page_and_hears_of_an_end(morning: Morning) -> None:
    office, ids = morning
    reader = Reader(office)
    found, cursor = await reader.all("policies")
    assert len(found) == len({one["id"] for one in found}) > 1
    mine = next(one for one in found if one["id"] == ids["policy"])
    assert mine["_policy"]["state"] == "open"
    assert mine["_policy"]["clauses"][1]["text"].startswith("第二条")
    assert mine["_policy"]["doc_number"] == "青政办发〔2025〕18号"
    assert await reader.all("policies", cursor) == ([], cursor)
    library = PolicyLibrary(office.deps.governance.proposals)
    today = beijing(now()).date()
    ended = await library.propose_repeal(Repeal(ids["policy"], today), office.people["editor"])
    assert await reader.all("policies", cursor) == ([], cursor)  # one person alone ends nothing
    await library.approve(ended.change_id, office.people["admin1"])
    (told,), later = await reader.all("policies", cursor)
    assert (told["id"], told["_policy"]["state"]) == (ids["policy"], "ended")
    assert told["_policy"]["repealed_on"] == str(today)
    assert told["_policy"]["clauses"] == []
    assert "求职补贴" not in told["content_text"]
    assert await reader.all("policies", later) == ([], later)


@together
async def test_a_recalled_item_stays_as_a_tombstone(morning: Morning) -> None:
    office, ids = morning
    reader = Reader(office)
    (item,), cursor = await reader.all("items")
    assert (item["id"], item["title"]) == (ids["published"], "冬季取暖补助申请指南")
    assert item["content_text"] == "一句平常的话，说明办理时间。"
    assert item["_item"]["state"] == "open"
    (out,) = item["_item"]["publications"]
    assert out["verify"].endswith(f"/verify/{ids['publication']}")
    assert (
        await office.client().get(out["verify"][out["verify"].index("/verify") :])
    ).status == 200
    # What is only planned, asked or unknown is told to nobody.
    assert ids["unknown"] not in json.dumps(item)
    await recall(office, ids["published"])
    (gone,), _ = await reader.all("items", cursor)
    assert (gone["id"], gone["_item"]["state"]) == (ids["published"], "recalled")
    assert gone["_item"]["recalled_at"]
    assert "取暖" not in json.dumps(gone, ensure_ascii=False)
    assert gone["_item"]["digest"] == item["_item"]["digest"]


async def recall(office: Office, item_id: str) -> None:
    queue: Queue = office.deps.queue
    await recalling.recall(queue, item_id, office.people["reviewer3"], "内容有误，撤回", "error")


@together
async def test_what_was_changed_past_the_program_is_given_as_nothing_true(morning: Morning) -> None:
    office, ids = morning
    async with office.deps.db.session() as session:
        await session.execute(
            update(Policy).where(Policy.id == ids["policy"]).values(text="每人15000元。")
        )
        row = update(Publication).where(Publication.id == ids["publication"])
        await session.execute(row.values(url="https://x.example/"))
    reader = Reader(office)
    policies, _ = await reader.all("policies")
    mine = next(one for one in policies if one["id"] == ids["policy"])
    assert mine["_policy"]["state"] == "unproved"
    assert "15000" not in json.dumps(policies)
    (item,), _ = await reader.all("items")
    assert item["_item"]["state"] == "unproved"
    assert item["_item"]["publications"] == []
    assert "x.example" not in json.dumps(item)


async def test_a_wrong_place_or_number_is_refused_in_words(office: Office) -> None:
    await open_up(office)
    reader = Reader(office)
    for query in ("cursor=x", "cursor=aXRlbXM6MQ", "limit=0", "limit=1e3", "updated_since=gestern"):
        status, body = await reader.get(f"policies?{query}")
        assert (status, body["error"]) == (422, "invalid"), query
    assert (await reader.get("items?cursor=aXRlbXM6MQ"))[0] == 200


async def test_one_address_has_a_number_a_minute(office: Office) -> None:
    await open_up(office, per_minute=3)
    reader = Reader(office)
    assert [(await reader.get("policies"))[0] for _ in range(4)] == [200, 200, 200, 429]
    assert reader.headers["Retry-After"] == "60"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ({"open": "ja", "gives": [], "per_minute": 1}, "open"),
        ({"open": True, "gives": ["staff"], "per_minute": 1}, "gives"),
        ({"open": True, "gives": [], "per_minute": 0}, "per_minute"),
    ],
)
def test_a_setting_that_is_wrong_names_its_field(text: Mapping[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        parse_open_data(text)


def test_an_office_begins_closed() -> None:
    text = (Path(__file__).parents[2] / "config/open_data.yaml").read_text(encoding="utf-8")
    assert parse_open_data(yaml.safe_load(text)).gives == frozenset()
