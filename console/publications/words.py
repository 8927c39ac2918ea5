"""What happened to a publication."""

from bot.delivery.choosing import VIA_WORDS
from bot.meaning import Meaning
from review_queue.canonical import EDITION
from subscriptions.again import Choice, Ended

DONE = {
    "settled": "已记录您的确认。",
    "push_chosen": "已照您的选择处理，并记入台账。",
    "push_lacking": "正在发给没收到的人；已收到和可能收到的不会再发。",
    "push_pause": "推送已暂停，还没发出的都停住了。",
    "push_resume": "用原文继续推送。",
    "push_drop": "其余的不再发送。",
    "comment_asked": "已记录；需要另一人同意的，等对方同意后处理。",
    "comment_decided": "已照您的决定处理，并记入台账。",
    "push_send": "马上按现在符合条件的人开始推送，您的理由已记入台账。",
    "push_stop": "这次不推送，您的理由已记入台账。",
}
CHOICES = {
    Choice.AGAIN.value: "再发一次",
    Choice.RISK.value: "确认风险后再发",
    Choice.LEAVE.value: "不再发送，算已收到",
    Choice.GIVE_UP.value: "不再发送",
}
_NEXT = {
    "window": "等对方来信",
    "mend": "等改正",
    "call": "随这次群发一起发",
    "account": "每分钟自动试一条，账号恢复后都接着发",
    "changed": "查明后处理",
}
_COMES_BACK = {
    Meaning.DROP: "不会再发；对方重新关注或来信后，可用“只发给没收到的”",
    Meaning.MUTE: "不会再推送；对方来信后，可用“只发给没收到的”",
}


def next_words(ended: Ended) -> str:
    """What happens next by itself, where no moment says it."""
    if ended.state == "held":
        return _NEXT.get(ended.hold, "等人处理")
    if ended.state == "failed" and ended.meaning is Meaning.REVIEW:
        return "同一稿再发还会被拒：请起草更正"
    if ended.state == "ended" and ended.meaning is not None:
        return _COMES_BACK.get(ended.meaning, "不会再发")
    return "等人处理" if ended.choices else "不会再发"


ACTS = {
    "feature": "精选",
    "unfeature": "取消精选",
    "reply": "回复",
    "unreply": "删除回复",
    "delete": "删除留言",
    "close": "关闭留言",
    "open": "重新开放留言",
}
ACT_STATES = {
    "waiting": "等另一人同意",
    "ready": "即将处理",
    "doing": "正在处理",
    "done": "已处理",
    "failed": "没有处理成",
    "dropped": "没有同意",
}
WORDS = {
    "ACTS": ACTS,
    "ACT_STATES": ACT_STATES,
    "CHOICES": CHOICES,
    "NEXT": next_words,
    "EDITION_KIND": EDITION,
    "ROUTE_WORDS": VIA_WORDS,
}
