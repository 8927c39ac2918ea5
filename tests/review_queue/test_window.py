"""How long a draft may go out: hours of a setting, and never a time that is past already."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from config.clock import now
from config.texts import FieldFault
from review_queue import drafting, submitting
from review_queue.canonical import Draft
from review_queue.desk import latest
from review_queue.models import Item
from review_queue.window import WINDOW, parse_window
from staff.refusal import Refused
from tests.review_queue.conftest import Office

FILE = Path(__file__).parents[2] / "config" / "publishing.yaml"


def test_an_office_starts_with_what_holds_where_none_says_otherwise() -> None:
    assert parse_window(yaml.safe_load(FILE.read_text(encoding="utf-8"))) == WINDOW


@pytest.mark.parametrize("hours", [0, -1, 721, True, "72", None, 1.5])
def test_what_is_no_number_of_hours_is_refused_by_its_field(hours: object) -> None:
    with pytest.raises(FieldFault, match="window_hours"):
        parse_window({"window_hours": hours})


async def _draft(office: Office, item: Item) -> Draft:
    async with office.queue.db.session() as session:
        return Draft.from_canonical((await latest(session, item)).canonical)


async def test_a_new_draft_has_the_hours_of_its_office(office: Office) -> None:
    async def five() -> timedelta:
        return timedelta(hours=5)

    office.queue = replace(office.queue, window=five)
    draft = await _draft(office, await office.item())
    assert draft.not_after - draft.not_before == timedelta(hours=5)


async def test_what_could_not_go_out_any_more_is_not_submitted(office: Office) -> None:
    item, editor = await office.item(), office.people["editor"]
    past = {"not_before": now() - timedelta(hours=2), "not_after": now() - timedelta(hours=1)}
    item = await drafting.edit(office.queue, item.id, editor, item.version, past)
    with pytest.raises(Refused) as refused:
        await submitting.submit(office.queue, item.id, editor, item.version)
    assert [one.rule for one in refused.value.reasons] == ["not_after"]
