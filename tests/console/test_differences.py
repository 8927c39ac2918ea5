"""Differences by characters: nothing lost, moved paragraphs moved, every decided field compared."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from blocks.document import Made, read_document
from console.items.differences import Words, compare, differences
from review_queue.canonical import Draft

MOMENT = datetime(2026, 11, 24, 1, tzinfo=UTC)
DRAFT = Draft(
    kind="转载",
    klass="重要",
    title="求职补贴开始申请",
    body="第一段说对象。\n第二段说标准。",
    accounts=("a1", "a2"),
    not_before=MOMENT,
    not_after=MOMENT + timedelta(days=30),
    cover="sha256:" + "1" * 64,
    attribution={"source": "县人社局"},
    attachments=({"name": "表.docx", "media": "sha256:" + "2" * 64},),
    audience={"topics": ["employment"]},
)
WORDS = Words(lambda key: f"账号{key}", lambda rule: str(rule), lambda moment: f"{moment:%m-%d %H}")
PARAGRAPHS = st.lists(st.text("甲乙丙丁12，", min_size=1, max_size=12), max_size=7).map("\n".join)


def shown(old: str, new: str) -> list[tuple[str, str]]:
    """Kinds of the lines with their marked text: -removed- and +added+."""
    signs = {"same": "", "removed": "-", "added": "+"}
    return [
        (
            line.kind,
            "".join(signs[one.kind] + one.text + signs[one.kind] for one in line.changes),
        )
        for line in compare(old, new)
    ]


def test_only_the_changed_characters_are_named() -> None:
    assert shown("甲乙丙\n同一行", "甲丁丙\n同一行") == [
        ("changed", "甲-乙-+丁+丙"),
        ("same", "同一行"),
    ]


def test_a_changed_number_is_shown_whole() -> None:
    assert shown("标准为每人1500元。", "标准为每人1800元。") == [
        ("changed", "标准为每人-1500-+1800+元。")
    ]


def test_a_moved_paragraph_is_neither_deleted_nor_added() -> None:
    old = "开头写明申请对象。\n标准为每人一千五百元。\n截止到十二月底。\n结尾"
    new = "开头写明申请对象。\n截止到十二月底。\n结尾\n标准为每人一千五百元。"
    lines = compare(old, new)
    assert [line.kind for line in lines] == ["same", "same", "same", "moved"]
    assert (lines[3].number, lines[3].was) == (4, 2)
    assert {change.kind for line in lines for change in line.changes} == {"same"}


def test_a_paragraph_moved_and_changed_shows_only_the_change() -> None:
    old = "标准为每人1500元，一次发放到本人账户。\n对象为毕业学年高校毕业生。\n咨询县人社局。"
    new = "对象为毕业学年高校毕业生。\n咨询县人社局。\n标准为每人1800元，一次发放到本人账户。"
    assert shown(old, new)[-1] == (
        "moved",
        "标准为每人-1500-+1800+元，一次发放到本人账户。",
    )


def test_a_replaced_paragraph_is_removed_and_added() -> None:
    assert shown("县图书馆冬季开放时间调整。", "家电以旧换新怎样领取补贴") == [
        ("added", "+家电以旧换新怎样领取补贴+"),
        ("removed", "-县图书馆冬季开放时间调整。-"),
    ]


def test_a_swapped_picture_with_the_same_words_is_a_change() -> None:
    old, new = (f"![会场](sha256:{digit * 64})" for digit in "ab")
    [line] = compare(old, new)
    assert line.kind == "changed"
    assert {change.text for change in line.changes if change.kind != "same"} >= {"a" * 12, "b" * 12}


@given(PARAGRAPHS, PARAGRAPHS)
def test_both_texts_can_be_read_back_from_every_comparison(old: str, new: str) -> None:
    lines = compare(old, new)
    after = [
        "".join(one.text for one in line.changes if one.kind != "removed")
        for line in lines
        if line.kind != "removed"
    ]
    before = [
        "".join(one.text for one in line.changes if one.kind != "added")
        for line in lines
        if line.kind != "added"
    ]
    assert after == [line for line in new.split("\n") if line]
    assert sorted(before) == sorted(line for line in old.split("\n") if line)


@given(PARAGRAPHS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert all(line.kind == "same" for line in compare(text, text))


def test_every_decided_field_beside_the_text_is_compared() -> None:
    changed = replace(
        DRAFT,
        kind="原创",
        klass="日常",
        title="求职补贴开始受理",
        accounts=("a1",),
        not_before=MOMENT + timedelta(hours=3),
        not_after=MOMENT + timedelta(days=31),
        cover="sha256:" + "3" * 64,
        attribution={"source": "县人社局", "original_author": "记者"},
        attachments=({"name": "表.docx", "media": "sha256:" + "4" * 64},),
        audience=None,
    )
    found = differences(DRAFT, changed, WORDS)
    assert [fact.label for fact in found.facts] == [
        "种类",
        "类别",
        "原作者",
        "发布账号",
        "推送对象",
        "最早发布",
        "最晚发布",
        "封面",
        "附件 表.docx",
    ]
    assert [(one.kind, one.text) for one in found.title] == [
        ("same", "求职补贴开始"),
        ("removed", "申请"),
        ("added", "受理"),
    ]
    assert found.count == 10


def test_equal_drafts_differ_in_nothing() -> None:
    assert differences(DRAFT, DRAFT, WORDS).count == 0


def test_summary_author_declaration_and_crops_are_compared() -> None:
    changed = replace(
        DRAFT,
        summary="一句话",
        author="办公室",
        made=Made.ASSISTED,
        crops={"wide": (0, 0, 10**6, 425_532)},
    )
    found = differences(DRAFT, changed, WORDS)
    assert [(fact.label, fact.after) for fact in found.facts] == [
        ("摘要", "一句话"),
        ("作者", "办公室"),
        ("文字由谁写", "AI 辅助"),
        ("封面裁切", "宽 0%、0%、100%、43%"),
    ]


def test_a_paragraph_that_only_looks_otherwise_differs() -> None:
    def draft(**look: object) -> Draft:
        run = {"text": "电话 12345", **{name: look[name] for name in look if name != "kind"}}
        block = {"kind": look.get("kind", "paragraph"), "runs": [run]}
        return DRAFT.changed({"blocks": read_document([block])})

    plain = draft()
    assert differences(plain, plain, WORDS).count == 0
    for other, said in (
        (draft(bold=True), "正文，加粗 电话 12345"),
        (draft(kind="heading"), "大标题"),
        (draft(link="tel:12345"), "正文；电话 12345 → tel:12345"),
    ):
        (fact,) = differences(plain, other, WORDS).facts
        assert (fact.label, fact.before, fact.after) == ("样式 “电话 12345”", "正文", said)


def test_a_picture_described_otherwise_differs() -> None:
    def draft(**fields: str) -> Draft:
        picture = {"kind": "picture", "media": "sha256:" + "5" * 64, **fields}
        return DRAFT.changed({"blocks": read_document([picture])})

    (fact,) = differences(draft(), draft(origin="县融媒体中心", licence="已获授权"), WORDS).facts
    assert fact.before == "图片，来源 没有，授权 没有，制作 没有声明"
    assert fact.after == "图片，来源 县融媒体中心，授权 已获授权，制作 没有声明"
