"""What ended and what follows it: a clause beside its policy, and a chain of policies."""

from dataclasses import replace
from datetime import date

from knowledge.forms import END
from knowledge.library import Repeal, repeal_payload
from tests.knowledge.test_alterations import QUESTION, SINCE, TODAY, amend, change, put_in


async def test_of_one_clause_that_ended_the_policy_still_stands(office, grant) -> None:
    key = await put_in(office, grant)
    await change(office, END, repeal_payload(Repeal(key, SINCE, clause_number=2)))
    gone = (await office.service.ask(QUESTION, TODAY)).ended
    assert (gone.label, gone.validity, gone.policy_stands) == ("第二条", "repealed", True)
    await change(office, END, repeal_payload(Repeal(key, date(2026, 9, 1))))
    gone = (await office.service.ask(QUESTION, TODAY)).ended
    assert not gone.policy_stands


async def test_what_follows_is_named_while_it_is_in_force_itself(office, grant, voucher) -> None:
    first = await put_in(office, grant)
    second = await put_in(office, replace(voucher, title="青禾县消费券办法"))
    third = await put_in(office, replace(voucher, title="青禾县新消费券办法"))
    await change(office, END, repeal_payload(Repeal(first, SINCE, successor_id=second)))

    async def follows(day: date) -> str:
        return str((await office.service.ask(QUESTION, day)).ended.successor)

    assert await follows(TODAY) == "青禾县消费券办法"
    await change(office, END, repeal_payload(Repeal(second, date(2026, 9, 1), successor_id=third)))
    assert await follows(date(2026, 8, 31)) == "青禾县消费券办法"
    assert await follows(TODAY) == "青禾县新消费券办法"
    await change(office, END, repeal_payload(Repeal(third, date(2026, 10, 1), successor_id=first)))
    assert await follows(TODAY) == ""


async def test_gates_know_the_last_day_for_applying_of_the_words_of_the_day(office, grant) -> None:
    old = "第五条 申请截止到2027年3月31日。"
    key = await put_in(office, replace(grant, text=f"{grant.text}{old}\n"))

    async def known(day: date) -> tuple[str, ...]:
        return tuple((await office.service.facts_now()).policy(grant.doc_number, day).apply_by)

    assert await known(TODAY) == ("2027年3月31日",)
    await amend(office, key, SINCE, (5, old.replace("3月31日", "6月30日")))
    assert await known(date(2026, 5, 31)) == ("2027年3月31日",)
    assert await known(TODAY) == ("2027年6月30日",)
    await change(office, END, repeal_payload(Repeal(key, date(2026, 9, 1), clause_number=6)))
    assert await known(TODAY) == ()
    assert await known(date(2026, 8, 31)) == ("2027年6月30日",)
