"""What ended and what follows it: a clause beside its policy, and a chain of policies."""

from datetime import date

from knowledge.forms import END
from knowledge.library import Repeal, repeal_payload
from tests.knowledge.test_alterations import QUESTION, SINCE, TODAY, change, put_in


async def test_of_one_clause_that_ended_the_policy_still_stands(office, grant) -> None:
    key = await put_in(office, grant)
    await change(office, END, repeal_payload(Repeal(key, SINCE, clause_number=2)))
    gone = (await office.service.ask(QUESTION, TODAY)).ended
    assert (gone.label, gone.validity, gone.policy_stands) == ("第二条", "repealed", True)
    await change(office, END, repeal_payload(Repeal(key, date(2026, 9, 1))))
    gone = (await office.service.ask(QUESTION, TODAY)).ended
    assert not gone.policy_stands
