"""Count what docs/house.md promises of this tree: sizes, loose types, platform names, comments.

`python scripts/figures.py [FOLDER]` reads a checkout as text and prints one JSON object. Tests,
scripts and migrations are not the product and do not count.
"""

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

AROUND = {"tests", "scripts", "migrations", "build", "docs", "findings", "node_modules"}
PRAGMA = re.compile(r"#\s*(noqa|type:|fmt:|pragma|!|---)")
PLATFORM = re.compile(r"wechat|telegram|weixin", re.IGNORECASE)
CHANNELS = ("bot/wechat/", "bot/telegram/")
PEERS = ("sandbox/", "demo/", "bench/", "demo.py", "bench.py")
"""The sandbox plays both platforms; demo and bench set up accounts on them."""


def product(root: Path) -> Iterator[tuple[str, str]]:
    """(path, text) of every Python file of the product."""
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] not in AROUND and not name.startswith("."):
            yield name, path.read_text(encoding="utf-8")


def length(node: ast.stmt | ast.expr) -> int:
    """Lines from the first to the last of a definition, decorators not counted."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def comments(text: str) -> int:
    """Comments that are sentences for a reader: no pragmas and no dividers."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(
        token.type == tokenize.COMMENT and not PRAGMA.match(token.string) for token in tokens
    )


def strings_and_names(tree: ast.AST) -> Iterator[str]:
    """String constants that are no docstrings, and the names of variables and attributes."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def assigns_item_state(tree: ast.AST) -> bool:
    """Whether a file sets the state of an item, alone or in a row of targets."""
    for node in ast.walk(tree):
        for target in node.targets if isinstance(node, ast.Assign) else []:
            for one in ast.walk(target):
                if ast.unparse(one).endswith(("item.state", "Item.state")):
                    return True
    return False


def figures(root: Path) -> dict[str, object]:
    """Every figure of one checkout."""
    files = list(product(root))
    trees = {name: ast.parse(text) for name, text in files}
    classes, functions = [], []
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes.append((length(node), f"{name}:{node.name}"))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.append((length(node), f"{name}:{node.name}"))
    lines = {name: text.count("\n") for name, text in files}
    templates = [
        line
        for path in (root / "console").rglob("*.html")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    named = {
        name: count
        for name, tree in trees.items()
        if not name.startswith(CHANNELS + PEERS)
        and (count := sum(bool(PLATFORM.search(said)) for said in strings_and_names(tree)))
    }
    return {
        "files": len(files),
        "lines": sum(lines.values()),
        "largest file": max((count, name) for name, count in lines.items()),
        "largest class": max(classes),
        "largest function": max(functions),
        "files over 400 lines": sorted(name for name, count in lines.items() if count > 400),
        "functions over 60 lines": sorted(where for size, where in functions if size > 60),
        "dict[str, Any]": sum(text.count("dict[str, Any]") for _, text in files),
        "platform named in": named,
        "files that assign an item's state": sorted(
            name for name, tree in trees.items() if assigns_item_state(tree)
        ),
        "comments per 1,000 lines": round(
            1000 * sum(comments(text) for _, text in files) / sum(lines.values()), 1
        ),
        "template lines over 160": sum(len(line) > 160 for line in templates),
        "template lines over 140": sum(len(line) > 140 for line in templates),
    }


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    sys.stdout.write(json.dumps(figures(place), ensure_ascii=False, indent=1) + "\n")
