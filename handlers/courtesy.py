"""What is no question of policy: greetings, thanks, who this is, when somebody is there, refusals.

Each is a message and nothing else: 你好，失业金怎么领 is a question. What is said are reviewed
templates; one that may not be used leaves the message to the next handler. `refusal(text)` names
the template that says why a question is not answered here, by what it asks for.
"""

import re
from collections.abc import Awaitable, Callable

from bot.contract import InboundKind
from config.clock import now
from escalations.calendar import WEEKDAYS, OfficeHours, in_words
from handlers.commands import CommandWiring, account_name
from handlers.turn import Choice, Said, Turn, fill

_PERSON = Choice("转人工", "person")


def _one(*words: str) -> str:
    """Any of these words, which stand between blanks."""
    return f"(?:{'|'.join(' '.join(words).split())})"


_END = r"[啊呀呢哦哈吧嘛了的啦，。！？!?~～.,、 ]*"
_CALLED = f"{_one('小编 客服 机器人 各位 老师 工作人员 同志 亲')}?"
_ASKED = f"{_one('请问 问一下 想问下 那')}?"
_HELLO = _one(
    "您好 你好 嗨 哈喽 hello hi 在吗 在不在 在么 有人吗 有人在吗",
    "早上好 上午好 中午好 下午好 晚上好 早安 晚安 早",
)
_SEEN = _one("好的 好 知道 明白 清楚 收到")
_THANKS = f"(?:{_one('非常 十分 太 多')}?{_one('感谢 谢谢 多谢 谢 辛苦')}{_one('您 你们 你')}?)"
_WHAT = _one(
    "谁 什么人 哪里 哪个单位 哪个部门 什么账号 什么名字 什么",
    "机器人 真人 人工 ai",
)
_STAFF = f"{_one('你们 人工 客服 值班人员 工作人员 单位')}?的?"
_WHEN = _one("几点 什么时候 啥时候 何时 多久 什么")
_THERE = _one("上班 下班 有人值班 有人 值班")
_OFF = _one("周末 周六 周日 星期六 星期天 节假日 中午")
_KINDS = {
    "greeting": f"(?:{_CALLED}{_END}{_HELLO}{_CALLED}{_END})+",
    "thanks": f"(?:{_SEEN}?{_END}{_THANKS}{_CALLED}{_END})+|{_SEEN}{_END}"
    f"|{_one('再见 拜拜')}{_END}",
    "who_are_you": f"{_ASKED}{_one('你们 你 您 这里 这')}(?:到底)?[是叫]{_WHAT}"
    f"(?:还是{_one('真人 人工 机器人')})?[吗么]?{_END}",
    "hours": f"{_ASKED}{_STAFF}{_WHEN}才?{_THERE}{_END}(?:几点下班{_END})?"
    f"|{_ASKED}{_STAFF}{_one('上班 办公 工作 值班 服务')}时间是?{_WHEN}?(?:到几点)?{_END}"
    f"|{_STAFF}{_OFF}还?{_THERE}[吗么不]?{_END}",
}
_MEANT = {name: re.compile(words, re.IGNORECASE) for name, words in _KINDS.items()}
OFFERED = ("choices", "labels")
_LONGEST = 30
_LATER = _one("明年 后年 今后 以后 下半年 下个月 将来 未来")
_MINE = _one(
    "交 缴 余额 进度 记录 档案 名字 成绩 工资 养老金 公积金 社保",
)
_REFUSALS = {
    # 系统提示信息不一致 is what a citizen reads on a screen: what is asked to show it is an order.
    "refuse_orders": _one("忽略以上 忽略之前 忽略前面 忽略所有 提示词 扮演 越狱 prompt")
    + f"|{_one('输出 打印 复述 说出')}.{{0,6}}系统提示|你们?的系统提示",
    "refuse_own": f"[查看].{{0,4}}{_one('我 本人 他 她')}.{{0,10}}{_MINE}"
    f"|我.{{0,12}}{_one('余额 办到哪 批下来 批了 到账 审核通过 进度')}",
    "refuse_future": f"{_LATER}.{{0,14}}{_one('会不会 能不能 还有没有 涨 降 取消 出台 延续')}"
    f"|会不会{_one('涨 降 取消 出台')}|什么时候出台",
    "refuse_verdict": _one(
        "合不合法 违法吗 犯法 判几年 能判 起诉 打官司 能不能赢",
        "谁的责任 谁对谁错 该不该",
    ),
    "refuse_chat": f"写.{{0,2}}{_one('诗 歌 作文 小说')}|唱.{{0,2}}歌|"
    + _one(
        "笑话 天气 股票 彩票 星座 算命 红烧 菜谱 聊天 陪我 翻译",
        "谁会赢 世界杯 明星",
    ),
}
_WHY = {name: re.compile(words, re.IGNORECASE) for name, words in _REFUSALS.items()}
ORDERS, CHAT = "refuse_orders", "refuse_chat"
_MATTER = re.compile(
    r"补贴|津贴|补助|办理|怎么办|去哪|申请|报销|停工|停课|所得|税|认证|公证|诈骗|被骗"
)


def courtesy(text: str) -> str:
    """The template that answers a message which is a courtesy and nothing else, or ""."""
    words = text.strip()
    if _WHY[ORDERS].search(words):  # said at once: no clause is looked for under it
        return ORDERS
    if not 0 < len(words) <= _LONGEST:
        return ""
    return next((name for name, one in _MEANT.items() if one.fullmatch(words)), "")


def refusal(text: str) -> str:
    """The template that says why this is not answered here; "" where nothing says so.

    高温天气补贴 names the weather and is no chat.
    """
    meant = [name for name, one in _WHY.items() if one.search(text)]
    return next((one for one in meant if one != CHAT or not _MATTER.search(text)), "")


class Courtesy:
    """Answers courtesies; passes on everything else."""

    def __init__(self, wiring: CommandWiring) -> None:
        """`wiring.tickets.hours` says when somebody is there."""
        self._w = wiring
        self._by_name: dict[str, Callable[[Turn], Awaitable[Said]]] = {
            "who_are_you": self._who,
            "hours": self._hours,
        }

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        if turn.key or turn.inbound.kind is not InboundKind.TEXT:
            return None
        name = courtesy(turn.text)
        if not name or not self._w.templates.usable(name):
            return None
        special = self._by_name.get(name)
        said = await special(turn) if special else Said(fill(name))
        # What the next message may go on with stays: 谢谢 ends no conversation.
        return Said(said.pieces, said.choices, step=turn.step, data=kept_of(turn))

    async def _who(self, turn: Turn) -> Said:
        return Said(fill("who_are_you", account=await account_name(self._w, turn)), (_PERSON,))

    async def _hours(self, turn: Turn) -> Said:
        hours = self._w.tickets.hours
        due = in_words(hours.next_working(now()))
        words = fill("hours", list=hours_line(hours), due=due, phone=hours.hotline)
        return Said(words, (_PERSON,))


def kept_of(turn: Turn) -> dict[str, object]:
    """What the conversation stood at, without the buttons of its last message."""
    return {name: value for name, value in turn.data.items() if name not in OFFERED}


def hours_line(hours: OfficeHours) -> str:
    """The days and times of a week, as a line of a list."""
    days = sorted(hours.weekdays)
    runs = days == list(range(days[0], days[-1] + 1)) if days else False
    names = [f"周{WEEKDAYS[day]}" for day in days]
    said = f"{names[0]}至{names[-1]}" if runs and len(days) > 2 else "、".join(names)
    times = "、".join(f"{start:%H:%M}—{end:%H:%M}" for start, end in hours.periods)
    return f"· {said} {times}"
