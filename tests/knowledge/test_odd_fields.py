"""Fields of a policy at their limits: what is refused, and what is understood."""

from dataclasses import replace
from datetime import date

import pytest

from knowledge.forms import END
from staff.refusal import Refused
from tests.knowledge.test_alterations import edit, put_in


@pytest.mark.parametrize("day", [date(9999, 12, 31), date(1899, 12, 31), date(2201, 1, 1)])
async def test_a_day_in_no_year_of_ours_is_refused(office, grant, day) -> None:
    with pytest.raises(Refused, match="1900 至 2200"):
        await office.library.propose_import([replace(grant, effective_to=day)], "editor")
    key = await put_in(office, grant)
    with pytest.raises(Refused, match="1900 至 2200"):
        await edit(office, key, effective_to=str(day))
    payload = {"policy_id": key, "on": str(day)}
    with pytest.raises(Refused, match="1900 至 2200"):
        await office.library.propose(END, payload, "editor", "按新发的文件")
