"""No files of the product import each other in a circle: one can be read without the other."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def product() -> list[str]:
    """Every Python file that is not a test, by its path in the repository."""
    names = (path.relative_to(ROOT).as_posix() for path in sorted(ROOT.rglob("*.py")))
    return [
        name
        for name in names
        if not name.startswith((".", "tests/", "build/")) and "/node_modules/" not in name
    ]


def module_of(name: str) -> str:
    """a/b.py is a.b, a/__init__.py is a."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(text: str) -> Iterable[str]:
    """Every module a file may import, wherever it says so; `from a import b` may mean a.b."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
            yield node.module


def graph(files: Mapping[str, str]) -> dict[str, set[str]]:
    """Path to the paths it imports. `from a import b` is the file a/b.py where there is one."""
    paths = {module_of(name): name for name in files}
    edges: dict[str, set[str]] = {}
    for name, text in files.items():
        wanted = list(imported(text))
        parents = {one.rpartition(".")[0] for one in wanted if one in paths}
        edges[name] = {paths[one] for one in wanted if one in paths and one not in parents}
    return edges


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """One circle of files, or nothing."""
    left = {name: set(others) for name, others in edges.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    if not left:
        return []
    way = [min(left)]
    while way.count(way[-1]) == 1:
        way.append(min(left[way[-1]] & left.keys()))
    return way[way.index(way[-1]) :]


def test_no_files_import_each_other_in_a_circle() -> None:
    files = {name: (ROOT / name).read_text(encoding="utf-8") for name in product()}
    assert len(files) > 200
    assert circle(graph(files)) == []


@pytest.mark.parametrize(
    "late",
    ["import room.a", "from room import a", "def f():\n    from room.a import name"],
)
def test_a_circle_of_files_is_recognised(late: str) -> None:
    files = {
        "room/__init__.py": "",
        "room/a.py": "from room import b\nname = 1",
        "room/b.py": "from room.c import one",
        "room/c.py": f"one = 1\n{late}",
        "app.py": "import room.a",
    }
    assert set(circle(graph(files))) == {"room/a.py", "room/b.py", "room/c.py"}
    assert circle(graph(files | {"room/c.py": "one = 1"})) == []
