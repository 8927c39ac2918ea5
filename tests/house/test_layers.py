"""The rooms import downwards only, and a release is made in one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = [
    {"config"},
    {"storage"},
    {"facets"},
    {"blocks"},
    {"documents"},
    {"gates"},
    {"ledger"},
    {"staff"},
    {"bot"},
    {"review_queue"},
    {"content_sources", "knowledge", "subscriptions"},
    {"escalations", "supervision"},
    {"handlers", "console"},
    {"migrations"},
    {"office"},
    {"app"},
    {"bench", "demo"},
    {"commands"},
    {"cli"},
]
PLAYERS = {"bench", "demo", "commands"}  # what plays the platforms may know the sandbox
HEIGHT = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
TOP = len(LAYERS)


def sources() -> Iterator[tuple[str, Path]]:
    for room in [*sorted(HEIGHT), "sandbox"]:
        single = ROOT / f"{room}.py"
        yield from ((room, path) for path in ([single] if single.exists() else []))
        yield from ((room, path) for path in sorted((ROOT / room).rglob("*.py")))


def imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize(
    ("room", "path"),
    list(sources()),
    ids=lambda value: value.relative_to(ROOT).as_posix() if isinstance(value, Path) else value,
)
def test_imports_go_down_only(room: str, path: Path) -> None:
    for other in imported_rooms(path):
        if other not in HEIGHT and other != "sandbox":
            continue
        if room == "sandbox":
            assert other == "sandbox", f"{path.name} imports {other}"
        elif other == "sandbox":
            assert room in PLAYERS, f"{path.name} imports the sandbox"
        else:
            lower = other == room or HEIGHT.get(other, TOP) < HEIGHT[room]
            assert lower, f"{path.name} imports {other}, which is not lower"


def test_only_the_release_room_makes_a_release() -> None:
    makers = {
        path.relative_to(ROOT).as_posix()
        for _, path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (
            getattr(node.func, "id", "") == "Release" or getattr(node.func, "attr", "") == "Release"
        )
    }
    assert makers == {"review_queue/release.py"}


def test_the_bot_does_not_know_the_sandbox() -> None:
    for path in (ROOT / "bot").rglob("*.py"):
        assert "sandbox" not in path.read_text(encoding="utf-8").lower(), path.name
