"""The states of a question and why it came to a person, and what happened to it."""

from escalations.asked import How
from escalations.kinds import LABELS
from escalations.routes import KINDS

TICKET_STATES = {
    "open": ("等待接手", "warn"),
    "claimed": ("正在处理", "busy"),
    "replied": ("答复待送达", "warn"),
    "answered": ("已答复", "good"),
    "closed": ("已结束", "plain"),
}

REPLY_STATES = {
    "sending": ("正在发送", "busy"),
    "planned": ("定时发出", "busy"),
    "held": ("等待送达", "warn"),
    "sent": ("已送达", "good"),
    "failed": ("没有送达", "stop"),
    "unknown": ("不能确定是否送达", "warn"),
}

TICKET_REASONS = {
    **LABELS,
    "unsure": "机器人没有把握",
    "out_of_scope": "超出政策库范围",
    "several": "有几种可能的答案",
    "clarify": "问题不够明确",
    "repealed": "只找到已废止的政策",
    "emergency": "有人遇险",
    "abuse": "不当言论",
    "error": "查询时出错",
    "asked_for_person": "群众要求转人工",
}

HOW_WORDS = {
    How.ANSWERED: ("引用原文答复", "good"),
    How.ASKED_BACK: ("反问", "busy"),
    How.ESCALATED: ("转人工", "warn"),
    How.NOTHING: ("没有答案", "stop"),
}

ACT_WORDS = {
    "follow": "（关注了账号）",
    "return": "（重新关注了账号）",
    "media": "（发来无法读取的内容，没有保存）",
}

MEDIA_WORDS = {
    "picture": "（发来图片或视频，没有保存）",
    "voice": "（发来语音，没有保存）",
    "place": "（发来位置，没有保存）",
    "card": "（发来名片，没有保存）",
    "file": "（发来文件，没有保存）",
}

TOLD_WORDS = "（微信通知：有答复，来信即可看）"

PURGED = "（已按本人要求删除）"

DONE = {
    "ticket_passed": "已转交，对方收到通知；没有接手的，照常通知下一位。",
    "ticket_noted": "已记下。",
    "ticket_reopened": "已重开，由您办理，答复时限从现在重新算。",
    "ticket_merged": "已合并，由您办理，按较早的时限一次答复两个编号；重开被合并的即拆开。",
    "ticket_handed": "已转 12345 并结束，对方会收到告知。",
    "ticket_claimed": "已接手，请在时限内答复。",
    "ticket_closed": "已结束这个问题。",
    "ticket_promoted": "已存为问答草稿，由编辑修改后提交审核；通过后进入问答库，不发布到账号。",
    "ticket_sent": "答复已送达。",
    "ticket_sending": "答复正在发送，结果会显示在本页。",
    "ticket_planned": "答复已保存，到时自动发出；发出前可以提前发或收回。",
    "ticket_held": "答复已保存，还没有送达：原因见对话，条件具备时自动发出。",
    "ticket_failed": "答复没有送达：原因见对话，请换一种方式答复。",
    "ticket_unknown": "不能确定答复是否送达：请核对后再决定是否重发。",
    "ticket_dropped": "已放弃这条答复，可以另写一条。",
    "ticket_stopped": "答复有必须改的问题，需要第二人确认后才能发出。",
}

WORDS = {
    "TICKET_STATES": TICKET_STATES,
    "REPLY_STATES": REPLY_STATES,
    "TICKET_REASONS": TICKET_REASONS,
    "ALARM_KINDS": KINDS,
}
