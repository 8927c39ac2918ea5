"""The digest: every field matters, no order does, and approval is bound to exactly these bytes."""

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from review_queue.canonical import ATTRIBUTION, KINDS, Draft, canonical, digest

WORDS = st.text(st.characters(codec="utf-8"), max_size=30)
KEYS = st.text("abcdefgh", min_size=1, max_size=6)
MARKERS = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)
DRAFTS = st.builds(
    Draft,
    kind=st.sampled_from(KINDS),
    klass=st.sampled_from(("日常", "重要", "敏感", "应急")),
    title=WORDS,
    body=WORDS,
    accounts=st.lists(KEYS, unique=True, min_size=1, max_size=4).map(tuple),
    not_before=MOMENTS,
    not_after=MOMENTS,
    cover=st.one_of(st.just(""), MARKERS),
    attribution=st.dictionaries(st.sampled_from(ATTRIBUTION), WORDS),
    attachments=st.lists(st.fixed_dictionaries({"name": WORDS, "media": MARKERS}), max_size=3).map(
        tuple
    ),
    audience=st.none() | st.dictionaries(KEYS, st.lists(KEYS, unique=True), max_size=3),
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def renderings(draft: Draft) -> dict[str, dict[str, Any]]:
    return {account: {"text": draft.body, "parts": [draft.title]} for account in draft.accounts}


def sealed(draft: Draft) -> str:
    return digest(canonical(draft, renderings(draft)))


@quick
@given(DRAFTS, DRAFTS, st.sampled_from([field.name for field in fields(Draft)]))
def test_every_field_matters(draft: Draft, other: Draft, name: str) -> None:
    changed = draft.changed({name: getattr(other, name)})
    same = json.loads(canonical(draft, renderings(draft))) == json.loads(
        canonical(changed, renderings(changed))
    )
    assume(not same)
    assert sealed(draft) != sealed(changed)
    before, after = getattr(draft, name), getattr(changed, name)
    if name in ("kind", "klass", "title", "body", "cover", "not_before", "not_after"):
        assert (before == after) == same


@quick
@given(DRAFTS)
def test_one_changed_byte_of_a_rendering_matters(draft: Draft) -> None:
    made = renderings(draft)
    made[draft.accounts[0]]["text"] += "。"
    assert digest(canonical(draft, made)) != sealed(draft)


@quick
@given(DRAFTS, st.randoms(use_true_random=False))
def test_order_does_not_matter(draft: Draft, random: Any) -> None:
    accounts = list(draft.accounts)
    random.shuffle(accounts)
    audience = None
    if draft.audience is not None:
        pairs = [(name, random.sample(keys, len(keys))) for name, keys in draft.audience.items()]
        random.shuffle(pairs)
        audience = dict(pairs)
    attribution = dict(random.sample(list(draft.attribution.items()), len(draft.attribution)))
    attachments = tuple(dict(reversed(list(part.items()))) for part in draft.attachments)
    shuffled = draft.changed(
        {
            "accounts": tuple(accounts),
            "audience": audience,
            "attribution": attribution,
            "attachments": attachments,
        }
    )
    assert sealed(shuffled) == sealed(draft)


@quick
@given(DRAFTS)
def test_a_draft_survives_the_way_through_its_canonical_text(draft: Draft) -> None:
    text = canonical(draft, renderings(draft))
    back = Draft.from_canonical(text)
    assert canonical(back, renderings(back)) == text


@quick
@given(DRAFTS, MARKERS)
def test_another_picture_under_the_same_name_is_another_digest(draft: Draft, media: str) -> None:
    body = f"![图](sha256:{'0' * 64})"
    assume(media != f"sha256:{'0' * 64}")
    first = draft.changed({"body": body})
    second = draft.changed({"body": f"![图]({media})"})
    assert sealed(first) != sealed(second)
    assert media in json.loads(canonical(second, renderings(second)))["media"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cover", "sha256:" + "b" * 64),
        ("attachments", ({"name": "另一份", "media": "sha256:" + "c" * 64},)),
        ("audience", {"topics": ["employment"]}),
        ("audience", {}),
        ("accounts", ("wx",)),
        ("not_before", datetime(2026, 1, 1, tzinfo=UTC)),
        ("not_after", datetime(2027, 1, 1, tzinfo=UTC)),
        ("attribution", {"source": "别的来源"}),
        ("klass", "敏感"),
        ("kind", "解读"),
        ("body", "正文 https://example.com/a"),
    ],
)
def test_each_thing_the_approval_covers(name: str, value: Any) -> None:
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    draft = Draft(
        kind="原创",
        klass="日常",
        title="标题",
        body="正文",
        accounts=("wx", "tg"),
        not_before=moment,
        not_after=moment + timedelta(days=1),
    )
    assert sealed(draft.changed({name: value})) != sealed(draft)


def test_the_documentation_names_every_field() -> None:
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    draft = Draft("原创", "日常", "标题", "正文", (), moment, moment)
    text = (Path(__file__).parents[2] / "docs" / "digest.md").read_text(encoding="utf-8")
    for name in json.loads(canonical(draft, {})):
        assert f"| `{name}` |" in text
