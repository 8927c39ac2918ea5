"""Write docs/codes.md from the tables of codes: `python scripts/codes_page.py > docs/codes.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bot.channels import CHANNELS
from bot.codes import At, follows
from bot.meaning import Meaning

_HEAD = """# 平台代码表

Made by `python scripts/codes_page.py`; a test keeps it equal to the tables
(`bot/wechat/codes.py`, `bot/telegram/codes.py`). What follows from a meaning is one pure function,
`follows` of `bot/codes.py`; why it is so: [0063](decisions/0063-one-table-of-codes.md).

平台拒绝一条消息或一次发布时，会返回一个代码。每个代码只有一个含义，系统照含义办；这里是全部代码。
命令行里查：`shenfa account codes 45015`；控制台里查：“发布”页的“代码表”。
"""
_RULE = """
## 表里没有的代码

- 已经向平台发出的（消息、发布、平台告诉的结果）：记为“未确认”，系统不会再发，由人到平台核对。
- 还没有向读者发出的（上传、建草稿、查询）：暂缓，由人决定再发还是不发。
- 每个账号的每个代码只记一个事件（平台返回没有列出的代码），不是每条消息一个。
"""
_STATES = {
    "retrying": "重试中", "held": "暂缓", "ended": "已停止", "failed": "失败", "unknown": "未确认",
}  # fmt: skip


def _state(meaning: Meaning, at: At) -> str:
    return _STATES[follows(meaning, at).state.value]


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "## 含义\n"
    yield "| 含义 | 系统怎样做 | 发给个人 | 发布 | 准备（上传、草稿、查询） | 平台告诉的结果 |"
    yield "|---|---|---|---|---|---|"
    for one in Meaning:
        states = " | ".join(
            _state(one, at) for at in (At.READER, At.TIMELINE, At.PREPARING, At.END)
        )
        yield f"| {one.label} | {one.then} | {states} |"
    yield _RULE
    for channel in CHANNELS.values():
        yield f"## {channel.label}\n"
        yield "| 代码 | 含义 | 发生了什么 | 为什么 | 怎么办 |"
        yield "|---|---|---|---|---|"
        for code, row in channel.codes.items():
            wait = f"（{int(row.wait)} 秒后）" if row.wait else ""
            yield f"| {code} | {row.meaning.label}{wait} | {row.what} | {row.why} | {row.do} |"
        yield ""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines())


if __name__ == "__main__":
    sys.stdout.write(page())
