"""A platform is known by name in its own folder; everybody else asks its channel."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.channels import CHANNELS
from tests.house.test_layers import HEIGHT, ROOT

NAMES = re.compile("wechat|weixin|telegram", re.I)
AT_HOME = ("bot/wechat/", "bot/telegram/")
MAY_NAME = {
    "bot/channels.py": "the registry: one line a platform, so that no other file needs one",
    "cli.py": "the help line of `shenfa sandbox`, which is the peer of both platforms",
    "gates/contacts.py": "what people write before a private account of theirs",
    "documents/pages/blocks.py": "the address of a foreign page's icon, nothing we send to",
}
PLAYERS = {"bench", "demo", "migrations"}
"""Rooms that play the platforms' side or keep a landed past: they must say which one they mean."""


def _prose(tree: ast.AST) -> set[int]:
    """Strings that only people read: docstrings, and the notes that stand below a name."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    prose = _prose(tree)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in prose:
                yield line, node.value
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield line, getattr(node, "module", None) or ""
            yield from ((line, alias.name) for alias in node.names)
        else:
            for field in ("id", "attr", "arg", "name"):
                if isinstance(word := getattr(node, field, None), str):
                    yield line, word


def naming(source: str) -> list[int]:
    """Lines of a module whose code, not whose prose, names a platform."""
    return sorted({line for line, word in _words(ast.parse(source)) if NAMES.search(word)})


def product() -> Iterator[Path]:
    for room in sorted(set(HEIGHT) - PLAYERS):
        yield from ((ROOT / f"{room}.py",) if (ROOT / f"{room}.py").exists() else ())
        yield from sorted((ROOT / room).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", list(product()), ids=_name)
def test_no_platform_is_named_abroad(path: Path) -> None:
    name = _name(path)
    if name.startswith(AT_HOME) or name in MAY_NAME:
        return
    found = naming(path.read_text(encoding="utf-8"))
    assert not found, f"{name} names a platform in lines {found}: ask bot.channels.CHANNELS"


def test_no_page_asks_which_platform_it_shows() -> None:
    asked = re.compile(r"[\"'](?:wechat|telegram)[\"']", re.I)
    for path in sorted((ROOT / "console").rglob("*.html")):
        assert not asked.search(path.read_text(encoding="utf-8")), path.name


def test_every_leave_to_name_one_is_used() -> None:
    for name in MAY_NAME:
        assert naming((ROOT / name).read_text(encoding="utf-8")), f"{name} names none any more"


@pytest.mark.parametrize(
    "line",
    [
        'if platform == "wechat": pass',
        "import bot.telegram.channel",
        "from bot.wechat.rendering import split_bytes",
        "telegram = 1",
        "call(telegram=1)",
        "shenfa.wechat.close()",
    ],
)
def test_a_name_in_code_is_found(line: str) -> None:
    assert naming(f'"""WeChat in prose is fine."""\n{line}\n') == [2]


def test_each_channel_answers_for_itself() -> None:
    for platform, channel in CHANNELS.items():
        assert channel.platform == platform
        assert all((channel.label, channel.account_word, channel.secrets))
        assert channel.room("") > channel.room("字") > channel.room("字字")
        assert channel.room("字" * 10_000) < 0
        assert channel.shown({"something": "else"}) is None
