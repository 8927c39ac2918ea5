"""One way for each person and item, by data alone; and what agreements come to."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.delivery.choosing import NOTICES, Facts, Via, choose
from bot.delivery.routes import Route, Way
from bot.notice_settings import notices_fit, read_notices
from bot.noticing import ENDS, MESSAGE_CALL, NOTICE_CALL, Did, Event, Template, balance

LONG = Template("long", long_term=True, fields={"thing1": "title"})
ONCE = Template("once", long_term=False, fields={"thing1": "title"})
OPEN = Route(Way.OPEN, counts="window_used")
SHUT = Route(Way.WAITING)
BEGIN = datetime(2026, 11, 29, tzinfo=UTC)

many = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
windows = st.sampled_from([OPEN, SHUT, Route(Way.ENDED)])
templates = st.permutations([LONG, ONCE, Template("other", long_term=False, fields={})])
consents = st.dictionaries(st.sampled_from(["long", "once", "other", "gone"]), st.integers(0, 3))
spent = st.sets(st.sampled_from([MESSAGE_CALL, NOTICE_CALL]))
facts = st.builds(
    Facts, windows, templates, consents, mass=st.booleans(), several=st.booleans(), spent=spent
)


def way(window: Route, left: Mapping[str, int], **more: Any) -> Via:
    return choose(Facts(window, (LONG, ONCE), left, **more)).via


def test_a_standing_notice_comes_first_then_a_message_then_a_one_time_notice() -> None:
    both = {"long": 1, "once": 2}
    assert way(OPEN, both) is Via.LONG_NOTICE
    assert way(OPEN, {"once": 2}) is Via.MESSAGE
    assert way(SHUT, {"once": 2}) is Via.ONE_NOTICE
    assert way(SHUT, {}) is Via.HOLD


def test_several_items_go_as_one_message_where_there_is_a_window() -> None:
    assert way(OPEN, {"long": 1}, several=True) is Via.MESSAGE
    assert way(SHUT, {"long": 1}, several=True) is Via.LONG_NOTICE


def test_a_day_that_is_used_up_leads_to_the_next_way_and_waits_where_there_is_none() -> None:
    assert way(OPEN, {"long": 1}, spent={NOTICE_CALL}) is Via.MESSAGE
    assert way(OPEN, {"once": 1}, spent={MESSAGE_CALL}) is Via.ONE_NOTICE
    shut = choose(Facts(OPEN, (LONG,), {"long": 1}, spent={NOTICE_CALL, MESSAGE_CALL}))
    assert (shut.via, shut.for_quota) == (Via.HOLD, True)
    assert not choose(Facts(SHUT, (LONG,), {})).for_quota


@many
@given(facts)
def test_what_went_by_mass_goes_by_no_other_way(one: Facts) -> None:
    assert (choose(one).via is Via.MASS) == one.mass


@many
@given(facts)
def test_the_way_chosen_is_open_and_its_day_has_room(one: Facts) -> None:
    chosen = choose(one)
    assert choose(one) == chosen
    assert (chosen.template is not None) == (chosen.via in NOTICES)
    if chosen.via in NOTICES:
        assert chosen.template is not None
        assert chosen.template in one.templates
        assert one.consents[chosen.template.id] > 0
        assert chosen.template.long_term == (chosen.via is Via.LONG_NOTICE)
        assert NOTICE_CALL not in one.spent
        assert one.window.kind is not Way.ENDED
    if chosen.via is Via.MESSAGE:
        assert one.window.open
        assert MESSAGE_CALL not in one.spent
        assert chosen.counts == one.window.counts
    else:
        assert not chosen.counts


@many
@given(facts)
def test_nobody_waits_who_could_be_reached(one: Facts) -> None:
    agreed = {t.id for t in one.templates} & {k for k, left in one.consents.items() if left}
    reachable = one.window.open or (agreed and one.window.kind is not Way.ENDED)
    if choose(one).via is Via.HOLD:
        assert not reachable or one.spent


# --- agreements --------------------------------------------------------------------------------

events = st.lists(
    st.builds(
        lambda did, second, key: Event(did, BEGIN + timedelta(seconds=second), key),
        st.sampled_from(list(Did)),
        st.integers(0, 20),
        st.uuids().map(str),
    ),
    max_size=12,
)


def told(*what: Did) -> Sequence[Event]:
    return [Event(did, BEGIN + timedelta(seconds=n)) for n, did in enumerate(what)]


def test_each_agreement_is_one_use_and_an_end_takes_them_all() -> None:
    assert balance(told(Did.ACCEPTED, Did.ACCEPTED, Did.USED)).left == 1
    ended = balance(told(Did.ACCEPTED, Did.ACCEPTED, Did.REFUSED))
    assert (ended.left, ended.why) == (0, Did.REFUSED)
    assert ended.ended_at is not None
    again = balance(told(Did.ACCEPTED, Did.REJECTED, Did.ACCEPTED))
    assert (again.left, again.ended_at, again.why) == (1, None, "")


@many
@given(events, st.randoms())
def test_the_order_of_arrival_changes_nothing(these: list[Event], random: Any) -> None:
    mixed = list(these)
    random.shuffle(mixed)
    assert balance(mixed) == balance(these)


@many
@given(events)
def test_nothing_is_left_that_was_not_agreed_to(these: list[Event]) -> None:
    came = balance(these)
    assert 0 <= came.left <= sum(one.did is Did.ACCEPTED for one in these)
    newest = max(these, key=lambda one: (one.at, one.key), default=None)
    if newest is not None and newest.did in ENDS:
        assert came.left == 0
        assert came.why == newest.did
    if newest is not None and newest.did is Did.ACCEPTED:
        assert came.left > 0
        assert came.ended_at is None


@many
@given(events)
def test_what_was_given_back_was_never_used(these: list[Event]) -> None:
    without = [one for one in these if one.did is not Did.BACK]
    assert balance(without) == balance(these)


def test_templates_of_an_account_are_read_whole_or_not_at_all() -> None:
    row = {"template": "T1", "long_term": True, "fields": {"thing1": "title"}}
    assert read_notices({"notices": [row]})[0].long_term
    for wrong in (
        "T1", [row, row], [row | {"fields": {}}], [row | {"fields": {"thing1": "phone"}}],
        [row | {"fields": {"car_number1": "title"}}], [row | {"long_term": "yes"}],
        [row | {"fields": {"thing1": []}}], [row | {"template": "a b"}], [{**row, "more": 1}],
    ):  # fmt: skip
        assert not notices_fit(wrong), wrong
        assert read_notices({"notices": wrong}) == ()
