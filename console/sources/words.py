"""The states of a source, and what happened to sources, columns, lists and exceptions."""

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

WORDS = {"SOURCE_STATES": SOURCE_STATES}
