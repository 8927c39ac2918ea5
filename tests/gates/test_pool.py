"""Checks in processes of their own: a limit that holds, a killed process, the end of the office."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from gates.attachments import StoredFile, stored_findings
from gates.engine import GateText, NoFacts, RuleSet, spelt_findings, text_findings
from gates.finding import Finding
from gates.pool import Pool
from gates.results import Results, of_facts, of_rules, of_speller
from gates.work import NotDone, Work
from tests.gates.office_files import packed_docx
from tests.gates.pool_work import dies, environment, fails, never_ends, who
from tests.waiting import until

RULES, FACTS = RuleSet.load(), NoFacts()
DAY = date(2026, 11, 24)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    """With a limit that no check of these meets, however busy the machine is."""
    pool = Pool(seconds=60.0)
    yield pool
    await pool.close()


@pytest.fixture
async def hasty() -> AsyncIterator[Pool]:
    pool = Pool(seconds=1.0)
    yield pool
    await pool.close()


def _checked(text: str) -> Work:
    return Work(
        text_findings, (GateText("", text, "原创", DAY),), (of_rules(RULES), of_facts(FACTS))
    )


async def test_the_same_is_found_as_here(pool: Pool) -> None:
    text = "联系人手机13800138000，县委布署工作。"
    here = text_findings(RULES, FACTS, GateText("", text, "原创", DAY))
    assert await pool.run(_checked(text)) == here
    assert len(here) == 2


async def test_the_spelling_model_is_made_over_there(pool: Pool) -> None:
    draft = GateText("", "请各单位认真贯彻落实，按时保送材料，不得延误。", "原创", DAY)
    held = (of_rules(RULES), of_facts(FACTS), of_speller(["青禾县"]))
    found = await pool.run(Work(spelt_findings, (draft,), held))
    assert [one.rule for one in found if one.rule.startswith("wording.spelling")] == [
        one.rule
        for one in spelt_findings(RULES, FACTS, held[2].make(held[2].data), draft)
        if one.rule.startswith("wording.spelling")
    ]


async def test_what_reads_strangers_files_was_given_no_secret(pool: Pool) -> None:
    assert "PYTEST_CURRENT_TEST" in os.environ  # as SHENFA_DATABASE_URL would be
    for names in await pool.run(Work(environment, ())):
        assert [one for one in names if one.startswith(("SHENFA", "PYTEST", "TEST_"))] == []
    assert "PYTEST_CURRENT_TEST" in os.environ


async def test_what_takes_too_long_is_given_up_while_the_loop_goes_on(hasty: Pool) -> None:
    await hasty.run(Work(who, ()))
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.001)
            beats += 1

    beating = asyncio.create_task(beat())
    begun = time.monotonic()
    with pytest.raises(NotDone, match="检查超时：没有在 1 秒内查完") as refused:
        await hasty.run(Work(never_ends, ("a" * 60,)))
    beating.cancel()
    assert refused.value.rule == "check-timeout"
    assert time.monotonic() - begun < 60  # without an end it takes years
    assert beats > 30
    assert await hasty.run(Work(who, ())) != os.getpid()


async def test_a_killed_process_is_replaced_at_its_next_use(pool: Pool) -> None:
    first = await pool.run(Work(who, ()))
    os.kill(first, signal.SIGKILL)
    second = await pool.run(Work(who, ()))
    assert second not in (first, os.getpid())
    assert [one.rule for one in await pool.run(_checked("手机13800138000"))] == ["secrecy.mobile"]


async def test_work_that_ends_its_process_is_refused_and_the_next_is_done(pool: Pool) -> None:
    with pytest.raises(NotDone, match="异常退出"):
        await pool.run(Work(dies, (1,)))
    assert await pool.run(Work(who, ())) != os.getpid()


async def test_a_folder_for_temporary_files_that_is_too_long_is_named(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("x" * 76)))
    with pytest.raises(NotDone, match="TMPDIR"):
        await pool.run(_checked("公告"))
    monkeypatch.undo()
    assert await pool.run(_checked("公告")) == []


async def test_an_error_is_told_without_the_words_it_was_about(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NotDone, match="检查程序出错") as refused:
        await pool.run(Work(fails, ()))
    assert refused.value.rule == "check-failed"
    assert "ValueError" in caplog.text
    assert "张三" not in caplog.text + str(refused.value)


async def test_a_docx_of_two_thousand_bytes_takes_no_longer_than_any_check(hasty: Pool) -> None:
    bomb = packed_docx()
    assert len(bomb) < 4_000
    file = StoredFile("通知.docx", bomb, "原创", DAY)

    async def prepare() -> Work:
        return Work(stored_findings, (file,), (of_rules(RULES), of_facts(FACTS)))

    await hasty.run(_checked("好"))
    begun = time.monotonic()
    found = await Results(hasty).of("bomb", prepare)
    assert time.monotonic() - begun < 60
    # Given up, and then it cannot go out; or read to its end, as it is here.
    given_up = [(one.rule, one.severity) for one in found] == [("secrecy.check-timeout", "block")]
    assert given_up or found == stored_findings(RULES, FACTS, file)


async def test_processes_end_with_the_pool(pool: Pool) -> None:
    process = await pool.run(Work(who, ()))
    busy = asyncio.create_task(pool.run(Work(never_ends, ("a" * 60,))))

    async def has_it() -> bool:
        return pool._free.qsize() < len(pool._slots)

    await until(has_it)
    await pool.close()
    with pytest.raises(NotDone):
        await busy
    await _gone(process)
    with pytest.raises(NotDone, match="已停止"):
        await pool.run(Work(who, ()))


async def _gone(process: int) -> None:
    for _ in range(3000):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the process is still there")


_OFFICE = """
import asyncio
from gates.pool import Pool
from gates.work import Work
from tests.gates.pool_work import who

async def main():
    pool = Pool(seconds=60.0, workers=1)
    print(await pool.run(Work(who, ())), flush=True)
    await asyncio.sleep(60)

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_processes_end_with_an_office_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "office.py"
    script.write_text(_OFFICE, encoding="utf-8")
    root = str(Path(__file__).parents[2])
    office = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        cwd=root,
    )
    assert office.stdout is not None
    process = int(await office.stdout.readline())
    office.kill()
    await office.wait()
    await _gone(process)


async def test_one_result_is_found_once_and_shared_by_all_who_ask() -> None:
    asked = 0

    async def prepare() -> Work:
        nonlocal asked
        asked += 1
        return _checked("手机13800138000")

    results = Results()
    answers = await asyncio.gather(*(results.of("a", prepare) for _ in range(20)))
    assert asked == 1
    assert [[one.rule for one in each] for each in answers] == [["secrecy.mobile"]] * 20
    answers[0].clear()  # what somebody does with their list is not seen by others
    assert len(await results.of("a", prepare)) == 1
    await results.of("b", prepare)
    assert asked == 2


async def test_who_goes_away_does_not_take_the_result_from_the_others() -> None:
    results, begun = Results(), asyncio.Event()

    async def prepare() -> Work:
        begun.set()
        await asyncio.sleep(0.05)
        return _checked("手机13800138000")

    first = asyncio.create_task(results.of("a", prepare))
    await begun.wait()
    second = asyncio.create_task(results.of("a", prepare))
    await asyncio.sleep(0)
    first.cancel()
    assert len(await second) == 1


async def test_a_check_that_was_given_up_blocks_and_is_not_tried_again_at_once(hasty: Pool) -> None:
    results, asked = Results(hasty), 0

    async def prepare() -> Work:
        nonlocal asked
        asked += 1
        return Work(never_ends, ("a" * 60,))

    for _ in range(3):
        (one,) = await results.of("a", prepare, "attachment:a.docx")
        told = (one.rule, one.severity, one.field, one.waivable)
        assert told == ("secrecy.check-timeout", "block", "attachment:a.docx", False)
    assert asked == 1


async def test_other_checks_go_on_while_one_never_ends(pool: Pool) -> None:
    stuck = asyncio.create_task(pool.run(Work(never_ends, ("a" * 60,))))
    found: list[Finding] = await pool.run(_checked("手机13800138000"))
    assert not stuck.done()
    assert len(found) == 1
    await pool.close()
    with pytest.raises(NotDone):
        await stuck
