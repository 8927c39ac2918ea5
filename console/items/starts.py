"""What a new draft may begin with: the outline of a kind of text, or an older item. Pure."""

from dataclasses import replace
from typing import Any

from blocks.document import Document, read_document
from blocks.text import from_plain, project
from bot.picture_message import KIND as PICTURES
from review_queue.canonical import KINDS, LIBRARY_KINDS, Draft

_ALONE = LIBRARY_KINDS | {"更正"}
"""Kinds that are begun elsewhere: from the library's place, from the published item."""


def _heading(text: str) -> dict[str, Any]:
    return {"kind": "heading", "level": 1, "runs": [{"text": text}]}


def _said(*lines: str) -> list[dict[str, Any]]:
    return [{"kind": "paragraph", "runs": [{"text": line}]} for line in lines]


def _points(*lines: str) -> dict[str, Any]:
    return {"kind": "list", "ordered": True, "items": [{"runs": [{"text": one}]} for one in lines]}


def _table(*rows: tuple[str, ...]) -> dict[str, Any]:
    lines = [
        {"cells": [{"runs": [{"text": cell}], "head": number == 0} for cell in row]}
        for number, row in enumerate(rows)
    ]
    return {"kind": "table", "rows": lines}


_OUTLINES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "通知": (
        "原创",
        [
            *_said("各有关单位："),
            *_said("根据……（文件全称和文号），现就……有关事项通知如下。"),
            _heading("一、适用范围"),
            *_said("……"),
            _heading("二、办理要求"),
            _points("……", "……"),
            _heading("三、时间安排"),
            *_said("自……起至……止，逾期……。"),
            *_said("咨询电话：……", "……（单位全称）", "……年……月……日"),
        ],
    ),
    "解读": (
        "解读",
        [
            _heading("一、为什么出台"),
            *_said("……"),
            _heading("二、谁能享受"),
            *_said("……"),
            _heading("三、标准是多少"),
            _table(("对象", "标准", "期限"), ("……", "……", "……")),
            _heading("四、怎么办理"),
            _points("……", "……"),
            *_said("解读单位：……", "政策原文：……（文件全称和文号）"),
        ],
    ),
    PICTURES: (PICTURES, _said("……（这些图片讲什么，看图的人要做什么）")),
    "招聘": (
        "原创",
        [
            *_said("……（单位全称）因工作需要，公开招聘……名，公告如下。"),
            _heading("一、岗位"),
            _table(("岗位", "人数", "条件"), ("……", "……", "……")),
            _heading("二、报名"),
            *_said("时间：……", "地点或网址：……", "材料：……"),
            _heading("三、考试与录用"),
            *_said("……"),
            *_said("咨询电话：……", "监督电话：……"),
        ],
    ),
    "活动": (
        "原创",
        [
            *_said("……（单位全称）将举办……，欢迎参加。"),
            _table(("时间", "地点", "内容"), ("……", "……", "……")),
            _heading("怎样参加"),
            _points("……", "……"),
            *_said("雨天顺延的，另行通知。", "咨询电话：……"),
        ],
    ),
}
OUTLINES = tuple(_OUTLINES)


def from_outline(empty: Draft, name: str) -> Draft:
    """The empty draft with an outline of this name in it; unchanged for a name nobody knows."""
    if name not in _OUTLINES:
        return empty
    kind, data = _OUTLINES[name]
    return _with(replace(empty, kind=kind), read_document(data))


def like(empty: Draft, older: Draft) -> Draft:
    """The empty draft with what an older item says; its window, class and proofs are its own."""
    attribution = dict(older.attribution) | {"editor": empty.attribution.get("editor", "")}
    draft = replace(
        empty,
        kind=older.kind if older.kind not in _ALONE else KINDS[0],
        title=older.title,
        cover=older.cover,
        crops=dict(older.crops),
        summary=older.summary,
        author=older.author,
        made=older.made,
        comments=older.comments,
        attribution=attribution,
        audience=older.audience,
    )
    return _with(draft, older.blocks if older.blocks is not None else from_plain(older.body))


def _with(draft: Draft, document: Document) -> Draft:
    return replace(draft, blocks=document, body=project(document).text)
