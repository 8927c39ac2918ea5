"""How an item and its findings are said in words, and what happened to it."""

from collections.abc import Callable, Sequence

from bot.picture_message import KIND as PICTURE_MESSAGE
from bot.picture_message import MOST_PICTURES
from console.items.marks import Marked
from console.web.reaching import NOBODY
from console.web.words import SEVERITIES
from gates.finding import Finding
from gates.redaction import PERSONAL, profiles
from review_queue.canonical import MOST_AUTHOR, MOST_CHANGES, MOST_SUMMARY, QA, TOLD_NOTICE
from review_queue.models import Item
from review_queue.states import STATES, is_stopped, state_name

GATE_LETTERS = {"politics": "政", "law": "法", "policy": "策", "secrecy": "密", "wording": "文"}

MADE = {"": "请选择", "human": "人写", "assisted": "AI 辅助", "generated": "AI 生成"}
"""谁写的, as 《人工智能生成合成内容标识办法》 has it declared."""

PICTURE_MADE = {"human": "人拍摄或制作", "assisted": "AI 辅助", "generated": "AI 生成"}

VERDICTS = {"approve": "批准", "return": "退回", "refer": "无法判断，转请有关部门"}

ITEM_TONES = {
    "draft": "plain",
    "review": "busy",
    "referred": "warn",
    "approved": "good",
    "scheduled": "busy",
    "published": "good",
    "shelved": "good",
    "recalled": "stop",
    "quarantined": "stop",
}


def state_words(item: Item) -> str:
    """Where an item stands, with the level that waits: 等待复审（张三正在看）is said elsewhere."""
    if item.state == "review" and item.workflow:
        levels = item.workflow["levels"]
        if item.level < len(levels):
            done = f"已通过{levels[item.level - 1]['name']}，" if item.level else ""
            return f"{done}等待{levels[item.level]['name']}"
    if item.state == "draft" and item.return_reason:
        return "已退回，等待修改"
    return state_name(item) if item.state in STATES else item.state


def state_tone(item: Item) -> str:
    """In which colour that is shown."""
    if is_stopped(item):
        return "stop"
    back = item.state == "draft" and item.return_reason
    return "warn" if back else ITEM_TONES[item.state]


_FIELDS: dict[str, Callable[[Item], object]] = {
    "words": state_words,
    "due_at": lambda row: row.level_due_at,
    "release": lambda row: row.release_id,
}
_ROW = ("id", "kind", "klass", "state", "words", "title", "revision", "version", "level")
_PLAN = ("due_at", "scheduled_at", "retrospective", "release", "updated_at")
_HELD = ("revision", "version", "level", "due_at", "claimed_by", "claimed_until")
WHOLE = (*_ROW, *_PLAN)
IN_REVIEW = ("id", "klass", "kind", "state", "retrospective", *_HELD)
BRIEF = ("id", "state", "revision", "version")


def item_json(row: Item, names: Sequence[str] = WHOLE) -> dict[str, object]:
    """An item as the API tells it: whole, in review, or only whether and what it became."""
    return {name: _FIELDS[name](row) if name in _FIELDS else getattr(row, name) for name in names}


WRITTEN = ("title", "text", "summary", "author")
"""Fields of an item in which a suggestion can be accepted or a datum masked."""


def worst(indexes: Sequence[int], findings: Sequence[Marked]) -> str:
    """The gravest severity among the findings with these indexes."""
    held = {findings[index].severity for index in indexes}
    return next((one for one in ("returned", *SEVERITIES) if one in held), "hint")


def personal(findings: Sequence[Finding]) -> str:
    """How many personal data in title and text a mask would settle; empty for none."""
    rows = [row for row in findings if row.field in WRITTEN]
    count = sum(row.rule in PERSONAL and row.severity != "hint" for row in rows)
    return str(count or "")


_LOOKED_AT = {
    "": "稿件页",
    "/scope": "知悉范围",
    "/form": "审核表",
    "/edit": "修改页",
    "/edition": "组版",
    "/schedule": "发布安排",
    "/experts": "部门核对",
    "/changes": "比较",
    "/timeline": "经过",
    "/previews": "预览",
    "/export": "导出",
}


def looked_at(what: str) -> str:
    """What of a confined item somebody looked at, from the end of its address."""
    return _LOOKED_AT.get(what, what.removeprefix("/"))


DONE = {
    "saved": "已保存。修改过的稿件要重新审核。",
    "picture_brought": "已保存。图片已整理成发布时的样子，打开看到的就是将要发出的。",
    "filed": "附件已改好，稿件成为新的一稿。没有保存的文字都在下面，请接着写，写好后保存。",
    "met": "已保存，还没有提交：请先看与其他稿件、排期的冲突。要提交，就再点一次“保存并提交审核”。",
    "same": "没有改动，原来的审核结论仍然有效。",
    "created": "已建立新稿。检查提示后提交审核。",
    "edition_made": "已建立组版，检查以后提交审核。",
    "arranged": "已保存新的次序。改过的组版要重新审核。",
    "correcting": "已起草更正，内容先与原稿相同。改好以后提交审核，原稿保持不变。",
    "submitted": "已提交审核，等待第一级审核。",
    "claimed": "已领取，20 分钟内其他人不能审核这一稿。",
    "taken_over": "已由您接手，原来的领取作废，理由已写入经过。",
    "waived": "已放行这条提示，理由已记入台账，后面各级都会看到。",
    "referred": "已转请有关部门，收到答复后记在这里，原来这一级接着审。",
    "referral_answered": "已记下有关部门的答复，这一级重新等待审核。",
    "emergency": "已应急提交，两级审核同时开始。",
    "class_lowered": "类别已改，理由已记入台账。",
    "noted": "备注已写入经过，同事打开这篇稿件就能看到。",
    "unclaimed": "已放开，其他人可以审核。",
    "approved": "已记录您的批准。",
    "final": "已通过全部审核，可以安排发布。",
    "returned": "已退回编辑，理由已记录。",
    "scheduled": "已安排发布，到时间自动发出。",
    "recalled": "已撤回。尚未发出的全部停止，已经发出的正在各平台撤下，结果见“发布情况”。",
    "taken_down": "已记下：这一处由人处理好了。",
    "confined": "已限定知悉范围，别人从现在起看不到这篇稿件。",
    "scope_asked": "已提出，等知悉范围内的另一个人同意。",
    "scope_added": "已同意，这个人现在可以看到这篇稿件。",
    "scope_refused": "已记下不同意。",
}
WORDS: dict[str, object] = {
    "GATE_LETTERS": GATE_LETTERS,
    "NOBODY": NOBODY,
    "MOST_AUTHOR": MOST_AUTHOR,
    "MOST_CHANGES": MOST_CHANGES,
    "MOST_SUMMARY": MOST_SUMMARY,
    "MOST_PICTURES": MOST_PICTURES,
    "PICTURE_MADE": PICTURE_MADE,
    "PICTURE_MESSAGE": PICTURE_MESSAGE,
    "QA": QA,
    "TOLD_NOTICE": TOLD_NOTICE,
    "REDACTION": profiles(),
    "VERDICTS": VERDICTS,
    "WRITTEN": WRITTEN,
}
FILTERS: dict[str, Callable[..., object]] = {
    "state_words": state_words,
    "state_tone": state_tone,
    "is_stopped": is_stopped,
    "worst": worst,
    "personal": personal,
    "looked_at": looked_at,
}
