"""What an office may say: the words its ledger stands for, read before anybody touched a table."""

import ast
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from config.settings import CONFIG
from demo.cast import DUTY_CHAT
from tests.proof.world import Sent, World, plain

ROOT = CONFIG.parent
_FIELD = re.compile(r"\{\w+\}")
_CHINESE = re.compile("[\u4e00-\u9fff]{2,}")
_QUOTED = "—— 《"
_WEEK = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


@dataclass(frozen=True)
class Known:
    """What was said when nothing was touched, and of what answers and calls to staff are made."""

    usual: Sent
    pieces: tuple[str, ...]
    calls: tuple[str, ...]
    quotes: frozenset[tuple[str, str]]
    asks: frozenset[str]

    def leaks(self, sent: Sent) -> list[str]:
        """What was told to anybody and should not have been."""
        more = sent - self.usual
        return sorted(f"{whom}: {text}" for whom, text in more if not self._may(whom, text))

    def _may(self, whom: str, text: str) -> bool:
        """Whoever writes may get another answer than usual: of known words, from a policy's own."""
        if whom.endswith(f" {DUTY_CHAT}"):  # in working hours people on duty hear of a new ticket
            return not _CHINESE.search(_without(text, self.calls))
        if whom.removeprefix("call ") not in self.asks:
            return False  # somebody who did not ask
        if (whom, text) in self.usual:
            # The same once more; but a platform that waited too long calls again, and is answered.
            return whom.startswith("call ")
        if _QUOTED in text and not any(
            clause in text and number in text for clause, number in self.quotes
        ):
            return False
        return not _CHINESE.search(_without(text, self.pieces))


def _without(text: str, pieces: Iterable[str]) -> str:
    for piece in pieces:
        text = text.replace(piece, " ")
    return text


def _longest_first(pieces: Iterable[str]) -> tuple[str, ...]:
    plain_ones = {plain(one) for one in pieces}
    return tuple(sorted((one for one in plain_ones if len(one) > 1), key=len, reverse=True))


def known(world: World, usual: Sent) -> Known:
    """Read from the untouched office."""
    connection = sqlite3.connect(f"file:{world.home / 'shenfa.db'}?mode=ro", uri=True)
    quotes = connection.execute(
        "SELECT clause.text, policy.doc_number FROM clause JOIN policy ON policy.id = policy_id"
    ).fetchall()
    pieces = _longest_first((*_written(), *_stored(connection)))
    connection.close()
    return Known(
        usual=usual,
        pieces=pieces,
        calls=_longest_first((*_constants(ROOT / "escalations" / "ladder.py"), *_WEEK)),
        quotes=frozenset((plain(text), plain(number)) for text, number in quotes),
        asks=frozenset(f"{one} {who}" for one in world.citizens for who in world.asking(one)),
    )


def _written() -> Iterator[str]:
    """Texts that come with the program."""
    replies = yaml.safe_load((CONFIG / "replies.yaml").read_text(encoding="utf-8"))
    for text in replies["templates"].values():
        yield from (part.strip() for part in _FIELD.split(text))
    yield from _strings(yaml.safe_load((CONFIG / "taxonomy.yaml").read_text(encoding="utf-8")))
    speaking = ("knowledge/validity.py", "subscriptions/subscribers.py")
    channels = ("bot/wechat/channel.py", "bot/telegram/channel.py")
    files = [ROOT / name for name in (*speaking, *channels)]
    for path in (*(ROOT / "handlers").glob("*.py"), *files):
        yield from _constants(path)
    yield from _WEEK
    yield "该公众号提供的服务出现故障，请稍后再试"  # the platform's own, when we do not answer


def _constants(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from (str(one.value) for one in ast.walk(tree) if isinstance(one, ast.Constant))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def _stored(connection: sqlite3.Connection) -> Iterator[str]:
    """Texts the office had when it was left: policies, released items, names of accounts."""
    for (text,) in connection.execute("SELECT text FROM clause"):
        yield from str(text).split("\n")
    for (label,) in connection.execute("SELECT label FROM clause"):
        yield str(label)
    for row in connection.execute("SELECT title, doc_number, issuer FROM policy"):
        yield from map(str, row)
    for (text,) in connection.execute("SELECT canonical FROM revision"):
        yield json.loads(text)["title"]
    for (name,) in connection.execute("SELECT name FROM account"):
        yield str(name)
