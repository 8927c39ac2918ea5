"""Fixed words and menus: 帮助, 为什么, 忘记我, 转人工, 官方账号, and the three menus.

`Commands(CommandWiring(...))` is a Handler. `command_key(text)` turns plain words into keys, which
are the same keys menus and buttons send. `MENU` is the menu to register with the platforms.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select

from bot.channels import CHANNELS
from bot.contacts import Contacts
from bot.contract import InboundKind, Outcome, ReplyBasis
from bot.models import Account, Delivery
from bot.replies import Parts
from bot.sealing import COLUMNS, whole
from config.clock import beijing, now
from escalations import opinions, tickets
from escalations.merging import added_to
from escalations.models import Ticket
from escalations.tickets import Question, TicketWiring
from handlers.conversation import forget
from handlers.leaving import Act, leaving, only_leaves, plain_of
from handlers.offers import candidates
from handlers.own_words import own_key
from handlers.promising import must_write, promise, taken_until
from handlers.templates import Texts
from handlers.turn import Choice, Said, Turn, fill
from knowledge import told
from knowledge.answering import Answer
from knowledge.entries import ReviewedEntries
from knowledge.followed import PolicyNames
from knowledge.leaning import On
from knowledge.speech import Speech, starting_speech
from review_queue.told import account_named, accounts_in_use, latest_on
from storage.database import Database
from storage.seals import seals_of
from subscriptions.departures import note
from subscriptions.subscribers import Subscribers

_READ = (
    *(("最新发布", "latest"), ("浏览政策", "browse")),
    *(("官方账号", "accounts"), ("为什么收到", "why")),
)
MENU: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("发布解读", _READ),
    (
        "政民互动",
        (("我要提问", "ask"), ("意见征集", "opinion"), ("转人工", "person"), ("帮助", "help")),
    ),
    (
        "办事服务",
        (
            ("订阅政策", "sub"),
            ("我的订阅", "mine"),
            ("全部退订", "leave:all"),
            ("关闭精准推送", "tags"),
            ("我的数据", "data"),
        ),
    ),
)
"""Labels and keys, three by at most five (W36)."""

COMMANDS = (
    ("menu", "菜单"),
    ("list", "我的订阅"),
    ("help", "怎么用"),
    ("stop", "全部退订"),
)
"""What stands in the list of commands where a platform has one (T13)."""

OPINION_WORDS = ("意见征集", "征求意见", "提意见", "我要提意见", "我想提意见", "提建议")

FORGET_WORDS = (
    *("忘记我", "注销", "我要注销", "注销账号", "注销我的账号"),
    *("删除我的信息", "删除我的个人信息", "删除个人信息", "删除我的数据", "删除我的资料"),
)

STOP_WORDS = (
    *("stop sending", "please stop", "stop pls", "stop sending me messages", "no more messages"),
    *("opt out", "optout", "remove me", "cancel subscription", "quit", "cancel all"),
)

MENU_KEYS = {"发布解读": "menu_read", "政民互动": "menu_talk", "办事服务": "menu_serve"}
WORDS = {
    "start": "start", "help": "help", "帮助": "help", "怎么用": "help",
    "menu": "menu", "菜单": "menu",
    "最新发布": "latest", "浏览政策": "browse", "浏览": "browse", "官方账号": "accounts",
    "为什么": "why", "为什么收到": "why", "为什么收到这条": "why", "为什么给我发": "why",
    "转人工": "person", "人工": "person", "人工客服": "person", "人工服务": "person",
    "找人工": "person",
    "我要提问": "ask", "提问": "ask",
    **dict.fromkeys(OPINION_WORDS, "opinion"),
    "订阅": "sub", "我要订阅": "sub", "订阅政策": "sub", "subscribe": "sub",
    "我的订阅": "mine", "查看订阅": "mine", "订阅列表": "mine", "list": "mine",
    "我的数据": "data",
    "继续推送": "resume", "恢复推送": "resume", "恢复订阅": "resume", "取消暂停": "resume",
    "stop": "leave:all", "td": "leave:all", "t": "leave:all", "unsubscribe": "leave:all",
    **dict.fromkeys(STOP_WORDS, "leave:all"),
    **dict.fromkeys(FORGET_WORDS, "forget"),
    **MENU_KEYS,
}  # fmt: skip
ALWAYS = frozenset({"leave:all", "pause", "person", "forget", "forget:yes", "tags", "untag"})
"""Keys that work while answers are stopped, and when somebody writes too fast."""
LEAVING = ALWAYS - {"person"}
"""Keys that are acted on without a look at what was offered before."""

NOT_SAID = "（请求人工服务）"
"""The question of somebody who asked for a person and said nothing yet."""

_ALSO = re.compile(
    "(?<!退)订(?!阅|了|的|过|吧|购|制|[，,。]|$)|另外|顺便|再问"
    "|(?:删|注销).{0,6}(?:资料|数据|信息|账号)|(?:资料|数据|信息|账号).{0,4}(?:删|注销)"
)
"""What may be a second wish, read by who knows what somebody has."""
SURE = (Choice("确定删除", "forget:yes"), Choice("不删除", "keep"))
_MEANT = {Act.ALL: "leave:all", Act.PAUSE: "pause", Act.LOOK: "mine"}


def command_key(text: str) -> str:
    """The key plain words mean, or an empty text. `/帮助` and `帮助。` mean the same."""
    words = text.strip().strip("。.,，!！?？~ ").lower()
    words = words.removeprefix("/").split("@")[0].strip()
    if key := WORDS.get(words) or own_key(words):
        return key
    # Any way of saying it works: leaving must not need the right word.
    meant = leaving(text, beijing(now()).date())
    if meant is not None and not (meant.act is Act.ALL and _ALSO.search(plain_of(text))):
        return _MEANT.get(meant.act, "")
    return "start" if words.startswith("start ") else ""


def fixed_words(text: str) -> bool:
    """Whether a message is a command or a withdrawal and nothing else: no danger sounds like it."""
    words = text.strip().strip("。.,，!！?？~ ").lower().removeprefix("/")
    if words in WORDS or own_key(words):
        return True
    return only_leaves(text, beijing(now()).date())


async def _as_it_is() -> None:
    """For who keeps its templates and settings as they were handed in."""


AskOn = Callable[[On, str, date], Awaitable[Answer | None]]
"""What is asked on, all of it in one question, and today."""


@dataclass(frozen=True)
class CommandWiring:
    """What the commands are given by the root.

    `say_now` (Sender.reply_now) sends a last word before a contact is erased; without it only
    channels that answer within the callback can still say it. `fresh` is awaited before each turn:
    templates and settings may have been approved in another process. `policies`: those that can be
    followed and browsed; without them none can. `entries`: reviewed answers, said at once.
    `ask_on` (KnowledgeService.ask_on): what the policy that was quoted says further. `speech`: the
    words of the office that hold now.
    """

    db: Database
    templates: Texts
    contacts: Contacts
    subscribers: Subscribers
    tickets: TicketWiring
    mask: Callable[[str], str]
    say_now: Callable[[Parts, str], Awaitable[Outcome]] | None = None
    fresh: Callable[[], Awaitable[None]] = _as_it_is
    policies: PolicyNames | None = None
    entries: ReviewedEntries | None = None
    ask_on: AskOn | None = None
    speech: Callable[[], Speech] = starting_speech


class Commands:
    """Answers keys; passes on everything else."""

    def __init__(self, wiring: CommandWiring) -> None:
        """Keys are a closed list."""
        self._w = wiring
        self._say = fill
        self._by_key: dict[str, Callable[[Turn], Awaitable[Said]]] = {
            "start": self._welcome,
            "help": self._help,
            "menu": self._menu,
            "ask": self._ask_hint,
            "latest": self._latest,
            "accounts": self._accounts,
            "why": self._why,
            "person": self._person,
            "forget": self._forget,
            "forget:yes": self._forget_now,
            "keep": self._cancelled,
            **dict.fromkeys(MENU_KEYS.values(), self._submenu),
        }

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        if turn.inbound.kind is InboundKind.FOLLOW:
            return await self._welcome(turn)
        act = self._by_key.get(turn.key)
        return await act(turn) if act else None

    async def _welcome(self, turn: Turn) -> Said:
        name = await account_name(self._w, turn)
        return Said(self._say("welcome", account=name), _menu_choices())

    async def _help(self, turn: Turn) -> Said:
        return Said(self._say("help"), _menu_choices())

    async def _menu(self, turn: Turn) -> Said:
        return Said(self._say("menu"), _menu_choices())

    async def _submenu(self, turn: Turn) -> Said:
        entries = next(rows for label, rows in MENU if MENU_KEYS[label] == turn.key)
        return Said(self._say(turn.key), tuple(Choice(*entry) for entry in entries))

    async def _ask_hint(self, turn: Turn) -> Said:
        return Said(self._say("ask_hint"))

    async def _cancelled(self, turn: Turn) -> Said:
        return Said(self._say("cancelled"))

    async def _latest(self, turn: Turn) -> Said:
        rows = await latest_on(self._w.tickets.ledger, turn.contact.account_id)
        if not rows:
            return Said(self._say("latest_none"))
        lines = [f"· {one.title}" + (f"\n  {one.url}" if one.url else "") for one in rows]
        return Said(self._say("latest", list="\n".join(lines)))

    async def _accounts(self, turn: Turn) -> Said:
        words = {platform: channel.account_word for platform, channel in CHANNELS.items()}
        # Whoever lists an account by SQL, or renames one, puts no words into our mouth.
        lines = [
            f"· {_with(one.name, words.get(one.platform, one.platform))}"
            for one in await accounts_in_use(self._w.tickets.ledger)
        ]
        return Said(self._say("accounts", list="\n".join(lines)))

    async def _why(self, turn: Turn) -> Said:
        query = (
            select(*COLUMNS)
            .where(Delivery.contact_id == turn.contact.id, Delivery.reason != "")
            .order_by(Delivery.created_at.desc(), Delivery.id.desc())
            .limit(1)
        )
        async with self._w.db.session() as session:
            row = (await session.execute(query)).first()
            told = row is not None and whole(seals_of(session), row._asdict())
        return Said(self._say("why", reason=row.reason) if row and told else self._say("why_none"))

    async def _person(self, turn: Turn) -> Said:
        asked = self._w.mask(str(turn.data.get("question") or NOT_SAID))
        found = candidates(turn.data)
        return await hand_over(self._w, turn, Question(asked, "asked_for_person", candidates=found))

    async def _forget(self, turn: Turn) -> Said:
        return Said(self._say("forget_confirm"), SURE)

    async def _forget_now(self, turn: Turn) -> Said:
        contact_id, words = turn.contact.id, self._say("forgotten")
        late = self._w.say_now is not None and not CHANNELS[turn.inbound.platform].passive_seconds
        if late and self._w.say_now is not None:
            last = Parts(turn.contact.account_id, contact_id, ReplyBasis.TEMPLATE, words)
            last = replace(last, thread=turn.inbound.thread)
            await self._w.say_now(last, f"forgotten:{turn.inbound.dedupe}")
        await erase_person(self._w, contact_id)
        return Said(() if late else words)


async def account_name(wiring: CommandWiring, turn: Turn) -> str:
    """What the account is called, as it was signed last."""
    async with wiring.db.session() as session:
        account = await session.get(Account, turn.contact.account_id)
    return (await account_named(wiring.tickets.ledger, account)).name


async def erase_person(wiring: CommandWiring, contact_id: str) -> None:
    """Nothing of this person stays, whether they asked us or the platform."""
    async with wiring.tickets.ledger.transaction() as tx:
        rows = await wiring.subscribers.list(tx.session, contact_id)
        await note(tx.session, rows, "forgotten")
        await wiring.subscribers.erase(tx, contact_id)
        await forget(tx.session, contact_id)
        await told.forget(tx.session, contact_id)
        await tickets.erase(tx, contact_id)
        await opinions.erase(tx, contact_id)
        await wiring.contacts.erase(tx.session, contact_id)


async def hand_over(wiring: CommandWiring, turn: Turn, question: Question) -> Said:
    """Give the question to a person and tell when an answer is due.

    While they hold an earlier one of the same citizen it is added to that one.
    """
    async with wiring.db.session() as session:
        held = await tickets.active(session, turn.contact.id)
        said = await added_to(session, held) if held is not None else []
    if held is not None and question.text not in (NOT_SAID, held.question, *said):
        return await add_to(wiring, turn, held, question.text)
    question = replace(question, within=taken_until(wiring.tickets, turn))
    ticket = await tickets.open_ticket(wiring.tickets, turn.contact, question)
    opened = await promise(wiring.tickets, wiring.templates, turn, ticket, "person_opened")
    late = must_write(wiring.tickets, turn)
    return Said((*opened, *fill("person_write")) if late else opened)


async def add_to(wiring: CommandWiring, turn: Turn, ticket: Ticket, words: str) -> Said:
    """Add what a citizen said (masked here) to the question a person holds, with a receipt."""
    receipt = await promise(wiring.tickets, wiring.templates, turn, ticket, "person_waiting")
    await tickets.add_message(wiring.tickets, ticket.id, wiring.mask(words))
    return Said(receipt)


def _with(name: str, platform: str) -> str:
    """An account's name and where it is, unless its name says so."""
    return name if name.endswith("）") else f"{name}（{platform}）"


def _menu_choices() -> tuple[Choice, ...]:
    return tuple(Choice(label, MENU_KEYS[label]) for label, _ in MENU)
