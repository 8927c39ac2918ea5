"""Fields of a policy at their limits: what is refused, and what is understood."""

from dataclasses import replace
from datetime import date

import pytest

from knowledge.ask import Library
from knowledge.documents import DocumentError, read_bytes
from knowledge.forms import AMEND, END
from knowledge.proof import signed_policies
from staff.refusal import Refused
from tests.knowledge.test_alterations import QUESTION, TODAY, change, edit, put_in


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


@pytest.mark.parametrize("name", ["施行日期", "成文日期"])
async def test_a_last_day_before_the_first_does_not_come_in(office, grant, name) -> None:
    first = date(2026, 6, 1)
    slip = replace(grant, issued_on=first, effective_from=first, effective_to=date(2026, 5, 31))
    slip = replace(slip, effective_from=None) if name == "成文日期" else slip
    with pytest.raises(Refused, match=f"最后有效日 2026-05-31 在{name} 2026-06-01 之前") as refused:
        await office.library.propose_import([slip], "editor")
    assert [one.rule for one in refused.value.reasons] == ["effective_to"]


@pytest.mark.parametrize("status", ["失效", "废止"])
async def test_what_is_called_ended_keeps_no_last_day_to_come(office, grant, status) -> None:
    key = await put_in(office, replace(grant, effective_to=None))
    last = (await signed_policies(office.ledger))[key].effective_to
    assert last == "2029-02-28"
    with pytest.raises(Refused, match=f"还没有过去的 {last}：.*不知道的请清空"):
        await edit(office, key, stated=status)
    await edit(office, key, stated=status, effective_to="")
    assert (await office.service.ask(QUESTION, TODAY)).status == "repealed"


async def test_a_repeal_is_not_undone_beside_another_of_the_same_number(office, grant) -> None:
    key = await put_in(office, grant)
    payload = {"policy_id": key, "on": "2026-06-01"}
    await change(office, END, payload)
    await put_in(office, replace(grant, text=grant.text + "第五条 本办法由县政府解释。"))
    with pytest.raises(Refused, match="已有"):
        await edit(office, key, repealed_on="")
    await edit(office, key, repealed_on="2026-07-01")


def test_a_line_nested_without_end_is_named() -> None:
    line = "[" * 200_000
    with pytest.raises(DocumentError, match="第 1 行：不是完整的 JSON"):
        read_bytes("a.jsonl", line.encode())
    with pytest.raises(DocumentError, match="第 1 行：不是完整的 JSON"):
        Library.from_lines([line])


@pytest.mark.parametrize("sign", ["\x1b", "\u202e", "\u2066", "\u200f"])
async def test_signs_that_deceive_who_approves_are_refused(office, grant, sign) -> None:
    key = await put_in(office, grant)
    for fields in (
        *({"title": f"办法{sign}一"}, {"title": "办法\n一"}),
        *({"url": f"https://q.example/{sign}"}, {"url": "https://q.example/\na"}),
    ):
        with pytest.raises(Refused, match="看不见的控制字符"):
            await edit(office, key, **fields)
    clauses = [{"number": 2, "text": f"第二条 补贴{sign}八千元。"}]
    payload = {"policy_id": key, "on": "2026-06-01", "clauses": clauses}
    with pytest.raises(Refused, match="看不见的控制字符"):
        await office.library.propose(AMEND, payload, "editor", "按新发的文件")
    clauses[0]["text"] = "第二条 补贴：\n\t八千元。"
    await office.library.propose(AMEND, payload, "editor", "按新发的文件")


async def test_a_document_without_a_number_does_not_come_in_twice(office, grant) -> None:
    bare = replace(grant, doc_number="")
    key = await put_in(office, bare)
    other = replace(bare, text=f"{bare.text}第五条 由县政府解释。")
    with pytest.raises(Refused, match="已有"):
        await put_in(office, other)
    with pytest.raises(Refused, match="已有"):
        await put_in(office, replace(other, issuer=""))
    await put_in(office, replace(bare, text=f"{bare.text}白桦县", issuer="白桦县人民政府"))
    await change(office, END, {"policy_id": key, "on": "2026-06-01"})
    await put_in(office, other)


async def test_next_years_notice_may_have_the_title_of_one_that_ran_out(office, voucher) -> None:
    await put_in(office, replace(voucher, effective_to=date(2025, 12, 31)))
    text = voucher.text.replace("2025年5月", "2026年5月")
    key = await put_in(office, replace(voucher, text=text, issued_on=date(2026, 4, 20)))
    assert (await signed_policies(office.ledger))[key].title == voucher.title
