"""A host is asked gently: pauses, few at once, rest after failures."""

import asyncio

import pytest

from content_sources.manners import Manners, Resting, Turns, back_off


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def moment() -> Time:
    return Time()


def turns(moment: Time, delay: float = 1.0, per_host: int = 2) -> Turns:
    made = Manners(delay, per_host)
    return Turns(made, frozenset({"127.0.0.1:8480"}), moment.clock, moment.sleep)


async def take(one: Turns, host: str, times: int) -> None:
    for _ in range(times):
        async with one.turn(host):
            pass


async def test_two_requests_to_one_host_are_a_second_apart(moment: Time) -> None:
    one = turns(moment)
    await take(one, "a.example", 3)
    assert moment.slept == [1.0, 1.0]


async def test_another_host_does_not_wait(moment: Time) -> None:
    one = turns(moment)
    for host in ("a.example", "b.example", "c.example"):
        await take(one, host, 1)
    assert moment.slept == []


async def test_a_longer_crawl_delay_is_kept_up_to_a_limit(moment: Time) -> None:
    one = turns(moment)
    one.crawl_delay("a.example", 7)
    one.crawl_delay("b.example", 86400)
    await take(one, "a.example", 2)
    await take(one, "b.example", 2)
    assert moment.slept == [7.0, 30.0]


async def test_a_crawl_delay_shorter_than_ours_changes_nothing(moment: Time) -> None:
    one = turns(moment)
    one.crawl_delay("a.example", -5)
    await take(one, "a.example", 2)
    assert moment.slept == [1.0]


async def test_the_development_host_is_not_paced(moment: Time) -> None:
    await take(turns(moment), "127.0.0.1:8480", 50)
    assert moment.slept == []


async def test_only_so_many_are_at_one_host_at_once(moment: Time) -> None:
    one, inside, most, leave = turns(moment, delay=0.0), 0, 0, asyncio.Event()

    async def visit() -> None:
        nonlocal inside, most
        async with one.turn("a.example"):
            inside += 1
            most = max(most, inside)
            await leave.wait()
            inside -= 1

    visits = [asyncio.create_task(visit()) for _ in range(6)]
    await asyncio.sleep(0)
    leave.set()
    await asyncio.gather(*visits)
    assert most == 2


async def test_a_host_that_fails_again_and_again_rests_longer_each_time(moment: Time) -> None:
    one = turns(moment)
    for _ in range(2):
        one.failed("a.example")
    await take(one, "a.example", 1)
    one.failed("a.example")
    with pytest.raises(Resting) as first:
        await take(one, "a.example", 1)
    assert 24 <= first.value.seconds <= 36
    moment.now += 40
    one.failed("a.example")
    with pytest.raises(Resting) as second:
        await take(one, "a.example", 1)
    assert 48 <= second.value.seconds <= 72


async def test_an_answer_restores_patience(moment: Time) -> None:
    one = turns(moment)
    one.failed("a.example")
    one.failed("a.example")
    one.worked("a.example")
    one.failed("a.example")
    await take(one, "a.example", 1)
    assert moment.slept == []


async def test_retry_after_counts_at_once_and_no_longer_than_a_day(moment: Time) -> None:
    one = turns(moment)
    one.failed("a.example", 600)
    with pytest.raises(Resting) as resting:
        await take(one, "a.example", 1)
    assert resting.value.seconds == 600
    one.failed("b.example", 10_000_000)
    with pytest.raises(Resting) as longest:
        await take(one, "b.example", 1)
    assert longest.value.seconds == 86400


async def test_who_waited_for_a_host_that_then_failed_does_not_ask_it(moment: Time) -> None:
    one, entered = turns(moment, per_host=1), asyncio.Event()

    async def fail() -> None:
        async with one.turn("a.example"):
            entered.set()
            await asyncio.sleep(0)
            one.failed("a.example", 60)

    failing = asyncio.create_task(fail())
    await entered.wait()
    with pytest.raises(Resting):
        await take(one, "a.example", 1)
    await failing


async def test_idle_hosts_are_forgotten_and_resting_ones_are_not(
    moment: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("content_sources.manners.MOST_HOSTS", 10)
    one = turns(moment)
    one.failed("resting.example", 600)
    for number in range(40):
        await take(one, f"h{number}.example", 1)
        moment.now += 5
    assert len(one._hosts) <= 11
    with pytest.raises(Resting):
        await take(one, "resting.example", 1)


def test_back_off_doubles_with_jitter_and_ends() -> None:
    for failures in range(40):
        pause = back_off(failures, 30.0, 3600.0)
        whole = min(30.0 * 2**failures, 3600.0)
        assert 0.8 * whole <= pause <= 1.2 * whole
    assert len({back_off(3, 30.0, 3600.0) for _ in range(20)}) > 1
