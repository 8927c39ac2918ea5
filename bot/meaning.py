"""What a platform can mean by a code: the one list, and what a table of codes says of each."""

from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """Everything that decides looks at this alone; what follows from it is in bot/codes.py."""

    RETRY = "retry"
    """Surely not taken, and nobody's fault: the same again, soon."""
    BACK_OFF = "back_off"
    """The account has called too often: all that it sends rests with it."""
    WAIT = "wait"
    """Not to this person now: their next message opens the way."""
    DROP = "drop"
    """Never again to this person, until they come back by themselves."""
    MUTE = "mute"
    """No pushes to this person; their questions are still answered."""
    STOP = "stop"
    """Nothing of this account goes through: an admin has to act at the platform."""
    REVIEW = "review"
    """It lies in the text or its pictures: back to the editor."""
    PERSON = "person"
    """Surely not out, and time alone mends nothing: a person decides."""
    UNKNOWN = "unknown"
    """Nobody knows whether it is out: a person looks, and nothing is repeated."""

    @property
    def label(self) -> str:
        """For staff."""
        return _LABELS[self]

    @property
    def then(self) -> str:
        """What the system does, for staff."""
        return _THEN[self]


_LABELS = {
    Meaning.RETRY: "再试",
    Meaning.BACK_OFF: "先歇一歇",
    Meaning.WAIT: "等对方来信",
    Meaning.DROP: "不再发给这个人",
    Meaning.MUTE: "不再推送给这个人",
    Meaning.STOP: "停下这个账号",
    Meaning.REVIEW: "退回编辑",
    Meaning.PERSON: "由人处理",
    Meaning.UNKNOWN: "由人核对",
}
_THEN = {
    Meaning.RETRY: "没有发出，系统过一会儿自动再试，最多六次",
    Meaning.BACK_OFF: "没有发出，这个账号的消息都先不发，到时自动再试，不算次数",
    Meaning.WAIT: "没有发出，留着等对方下次来信，来信后自动发",
    Meaning.DROP: "没有发出，不再发给这个人；对方重新关注或来信后恢复",
    Meaning.MUTE: "没有发出，不再给这个人推送，提问照常答复；对方下次来信后恢复",
    Meaning.STOP: "没有发出，这个账号要发的都暂缓，并记一个事件；"
    "消息每分钟试一条，通了就全部接着发，没发成的发布由人选“重新发送”",
    Meaning.REVIEW: "没有发出，稿件退回编辑，并记一个事件；同一稿不会再发",
    Meaning.PERSON: "没有发出，暂缓并记一个事件，由人决定再发还是不发",
    Meaning.UNKNOWN: "不能确定是否发出，系统不会再发，由人到平台核对",
}


@dataclass(frozen=True)
class Listed:
    """One code in a platform's table. The texts are for staff, without a mark at their end.

    `wait`: seconds until it is tried again, where the platform means a time. `whole`: whether a
    back-off is for every call of the account and not for messages alone. `hint`: a word by which
    the platform's own folder knows a code whose call it can mend by itself.
    """

    meaning: Meaning
    what: str
    why: str
    do: str
    wait: float = 0.0
    whole: bool = False
    hint: str = ""

    @property
    def brief(self) -> str:
        """What happened and what to do."""
        return f"{self.what}：{self.do}"

    @property
    def words(self) -> str:
        """What happened, why, and what to do."""
        return f"{self.what}（{self.why}）：{self.do}"
