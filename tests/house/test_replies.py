"""Words for a citizen are made in one place, from parts; nobody else constructs a Reply."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = {
    "Reply": {"bot/replies.py"},
    "said": {"handlers/answers.py"},
    "alarm": {"escalations/alarms.py"},
}
"""Who may call what makes a Reply."""


def program() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*.py")):
        inside = path.relative_to(ROOT).parts
        if inside[0] not in ("tests", "sandbox") and not inside[0].startswith("."):
            yield path


def names_of(tree: ast.AST) -> dict[str, str]:
    """The names this file gives to what makes a Reply, by any import."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("bot.contract", "bot.replies"):
            found |= {one.asname or one.name: one.name for one in node.names}
    return found


def makers(path: Path) -> Iterator[str]:
    """What of PLACES a file calls or hands on, under any name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = names_of(tree)
    if path == ROOT / "bot" / "replies.py":
        names |= {"Reply": "Reply"}
    types = {id(part) for node in ast.walk(tree) for part in annotations(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in types and names.get(node.id) in PLACES:
            yield names[node.id]
        if isinstance(node, ast.Attribute) and node.attr == "Reply":
            yield "Reply"
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "replace":
            yield from ("Reply" for one in node.keywords if one.arg == "text" and "Reply" in names)


def annotations(node: ast.AST) -> Iterator[ast.AST]:
    """Every name inside an annotation: naming the type makes none."""
    for name in ("annotation", "returns"):
        if (part := getattr(node, name, None)) is not None:
            yield from ast.walk(part)
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
        yield from ast.walk(node.value)  # an alias of a type


def test_one_place_makes_a_reply_and_one_asks_it_to() -> None:
    found: dict[str, set[str]] = {name: set() for name in PLACES}
    for path in program():
        for name in makers(path):
            found[name].add(path.relative_to(ROOT).as_posix())
    assert found == PLACES


def test_a_reply_made_elsewhere_would_be_found(tmp_path: Path) -> None:
    for words in (
        "from bot.contract import Reply as R\nR('a', 'c', 'x', None)",
        "from bot.contract import Reply\nmake = Reply\n",
        "import bot.contract\nbot.contract.Reply('a', 'c', 'x', None)",
        "from bot.replies import said\nsaid(None, 'x')",
    ):
        path = tmp_path / "elsewhere.py"
        path.write_text(words, encoding="utf-8")
        assert list(makers(path))
