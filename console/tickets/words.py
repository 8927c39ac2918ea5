"""The states of a question and why it came to a person, and what happened to it."""

TICKET_STATES = {
    "open": ("等待接手", "warn"),
    "claimed": ("正在处理", "busy"),
    "answered": ("已答复", "good"),
    "closed": ("已结束", "plain"),
}

TICKET_REASONS = {
    "unsure": "机器人没有把握",
    "out_of_scope": "超出政策库范围",
    "several": "有几种可能的答案",
    "clarify": "问题不够明确",
    "repealed": "只找到已废止的政策",
    "emergency": "紧急情况",
    "abuse": "不当言论",
    "error": "查询时出错",
    "asked_for_person": "群众要求转人工",
}

DONE = {
    "ticket_claimed": "已接手，请在时限内答复。",
    "ticket_closed": "已结束这个问题。",
    "ticket_promoted": "已存为问答草稿，由编辑修改后提交审核。",
    "ticket_sent": "答复已交发送。",
    "ticket_stopped": "答复有必须改的问题，需要第二人确认后才能发出。",
}

WORDS = {"TICKET_STATES": TICKET_STATES, "TICKET_REASONS": TICKET_REASONS}
