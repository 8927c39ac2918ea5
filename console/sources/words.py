"""The states of a source, and what happened to sources, columns, lists and exceptions."""

from datetime import timedelta

from config.clock import now
from content_sources.models import Column, Source

SOURCE_STATES = {
    "proposed": ("等待批准", "warn"),
    "active": ("可以转载", "good"),
    "revoked": ("已撤销", "stop"),
    "rejected": ("未批准", "stop"),
}

DONE = {
    "source_approved": "已批准，可以转载这家稿源。",
    "source_revoked": "已撤销，从现在起不再抓取和转载；已发布的稿件列入任务，等人决定。",
    "source_rejected": "已记录不批准，登记没有变更。",
    "column_added": "栏目已启用，到时间自动抓取；抓到的都是草稿。",
    "column_switched": "栏目设置已改变。",
    "imported": "已导入，等另一位管理员批准。",
    "import_approved": "名单已批准，从现在起生效。",
    "import_rejected": "已记录不批准，名单没有变更。",
    "exception_asked": "已申请例外，等终审或监督签字。",
    "exception_granted": "已签字，这一稿可以例外转载，照常逐级审核。",
    "exception_refused": "已记录不同意。",
    "picture_set": "已登记图片来历和许可。",
}

EXCEPTION_STATES = {
    "asked": ("等待签字", "warn"),
    "granted": ("已签字", "good"),
    "refused": ("不同意", "stop"),
    "withdrawn": ("已收回", "plain"),
    "lapsed": ("升级前申请，请重新申请", "plain"),
}

LIST_STATES = {
    "proposed": ("等待批准", "warn"),
    "approved": ("已批准", "good"),
    "rejected": ("未批准", "stop"),
    "withdrawn": ("已收回", "plain"),
    "lapsed": ("升级前导入，请重新导入", "plain"),
}

WORDS = {
    "SOURCE_STATES": SOURCE_STATES,
    "EXCEPTION_STATES": EXCEPTION_STATES,
    "LIST_STATES": LIST_STATES,
}

SOON = timedelta(days=30)


def validity_tone(row: Source) -> tuple[str, str] | None:
    """Words and tone when a source's validity needs a look."""
    if row.state != "active":
        return None
    if row.valid_from > now():
        return "尚未生效", "warn"
    if row.valid_to is None:
        return None
    if row.valid_to <= now():
        return "已过有效期", "stop"
    if row.valid_to - now() < SOON:
        return f"还有 {(row.valid_to - now()).days} 天到期", "warn"
    return None


def column_tone(column: Column) -> tuple[str, str]:
    """Words and tone for how a column does."""
    if not column.enabled:
        return "未启用", "plain"
    if column.state == "alarm":
        return "版面变了，已停读", "stop"
    if column.last_error:
        return "抓取出错", "stop"
    return ("正常", "good") if column.last_ok_at else ("还没抓取", "plain")
