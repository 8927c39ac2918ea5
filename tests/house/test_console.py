"""The console's own house: who imports whom, no signed entry, every word said is defined."""

import ast
import re
from collections.abc import Iterator

import jinja2
import jinja2.meta
import pytest

from console.app import FEATURES, HERE, merged

SHARED = {"facts", "differences", "marks"}
"""What a feature may use of `items/`; of its other siblings it uses nothing."""
STEPS = {"web": 0, "feature": 1, "upper": 2, "app": 3}
UPPER = {"openapi", "home"}


def files() -> dict[str, str]:
    """Path below console/ to text."""
    return {
        path.relative_to(HERE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(HERE.rglob("*.py"))
    }


def step(room: str) -> str:
    if room in ("web", "app"):
        return room
    return "upper" if room in UPPER else "feature"


def imports(text: str) -> Iterator[tuple[str, str]]:
    """(folder, file) of every import from the console; the file is empty for a whole folder."""
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = [*name.split("."), "", ""]
            if parts[0] == "console":
                yield parts[1], parts[2]


def faults(name: str, text: str) -> list[str]:
    """What a file of the console imports though it may not."""
    room = name.split("/")[0].removesuffix(".py")
    wrong = []
    for other, part in imports(text):
        lower = STEPS[step(other)] < STEPS[step(room)]
        shared = other == "items" and part in SHARED and step(room) == "feature"
        if other != room and not lower and not shared:
            wrong.append(f"console/{name} imports console/{other}/{part}")
    return wrong


def test_the_console_imports_downwards_only() -> None:
    read = files()
    assert len(read) > 50
    assert [fault for name, text in read.items() for fault in faults(name, text)] == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("web/deps.py", "from console.items.facts import ItemFacts"),
        ("tickets/pages.py", "from console.policies.words import validity_words"),
        ("tasks/pages.py", "from console.items.view import show_item"),
        ("items/pages.py", "from console.home import pages"),
        ("openapi.py", "import console.app"),
    ],
)
def test_an_import_of_a_sibling_is_recognised(name: str, line: str) -> None:
    assert faults(name, line)
    assert faults("tasks/pages.py", "from console.items.differences import compare") == []


# --- signed entries ---------------------------------------------------------------------------


def entries(text: str) -> list[int]:
    """Lines that write a signed entry: `append` told who acts, by whatever name it is called."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")).startswith("append")
        and (len(node.args) > 1 or {word.arg for word in node.keywords} & {"actor", "subject"})
    ]


def test_no_signed_entry_is_written_in_the_console() -> None:
    assert {name: lines for name, text in files().items() if (lines := entries(text))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "await tx.append('switch.set', subject='switch:all', actor=me, body={})",
        "await append_with_words(tx, item, Said('item.recalled', me, why))",
    ],
)
def test_a_signed_entry_is_recognised(line: str) -> None:
    assert entries(f"async def act():\n    {line}") == [2]


# --- words ------------------------------------------------------------------------------------


def texts_of(node: ast.AST, values: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Every text an expression may be; a hole of an f-string as `*`. Local names are followed."""
    if isinstance(node, ast.Constant):
        yield from ([node.value] if isinstance(node.value, str) else [])
    elif isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "*" for part in node.values]
        yield "".join(str(part) for part in parts)
    elif isinstance(node, ast.IfExp):
        yield from texts_of(node.body, values)
        yield from texts_of(node.orelse, values)
    elif isinstance(node, ast.Name):
        for value in values.get(node.id, []):
            yield from texts_of(value, values)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from texts_of(value, values)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        # TABLE.get(key, otherwise): any value of the table, or the other word
        yield from texts_of(node.func.value, values)
        for value in node.args[1:]:
            yield from texts_of(value, values)


def said(text: str) -> Iterator[str]:
    """The `done` key of every redirect after a form."""
    for outer in ast.walk(ast.parse(text)):
        if not isinstance(outer, ast.AsyncFunctionDef):
            continue
        values: dict[str, list[ast.expr]] = {}
        for node in ast.walk(outer):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                values.setdefault(node.targets[0].id, []).append(node.value)
        for node in ast.walk(outer):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in ("see", "_do"):
                place = 1 if name == "see" else 2
                for argument in node.args[place : place + 1]:
                    yield from texts_of(argument, values)
    yield from re.findall(r"\?done=(\w+)", text)


def like(key: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", r"\w+"), key) is not None


def test_every_done_line_is_said_and_every_one_said_is_defined() -> None:
    defined = set(merged("DONE"))
    used = {key for name, text in files().items() if name != "web/pages.py" for key in said(text)}
    assert {key for key in used if not any(like(one, key) for one in defined)} == set()
    assert {one for one in defined if not any(like(one, key) for key in used)} == set()


def test_a_done_line_is_followed_to_its_key() -> None:
    text = (
        "async def one(request):\n"
        "    done = {'a': 'first'}\n"
        "    name = done.get(word, 'second' if word else 'third')\n"
        "    return see('/x', name)\n"
        "async def two(request):\n"
        "    await _do(request, act, f'exception_{row.state}')\n"
        "NEXT = '/console/me?done=fourth'\n"
    )
    assert sorted(said(text)) == ["exception_*", "first", "fourth", "second", "third"]


def test_what_features_say_in_templates_is_defined_and_used() -> None:
    environment = jinja2.Environment()  # noqa: S701  parsed only, never rendered
    environment.filters.update(merged("FILTERS"))
    names, filters, templates = set(), set(), sorted(HERE.rglob("*.html"))
    for path in templates:
        tree = environment.parse(path.read_text(encoding="utf-8"))
        names |= {one for one in jinja2.meta.find_undeclared_variables(tree) if one.isupper()}
        filters |= {one.name for one in tree.find_all(jinja2.nodes.Filter)}
    assert names == set(merged("WORDS"))
    assert set(merged("FILTERS")) <= filters
    ours = set(merged("FILTERS")) | set(jinja2.Environment().filters)  # noqa: S701
    assert filters <= ours


def test_every_template_stands_beside_its_feature_and_is_used() -> None:
    known = {path.relative_to(HERE).as_posix() for path in HERE.rglob("*.html")}
    whole = "".join(
        path.read_text(encoding="utf-8")
        for end in ("py", "html")
        for path in HERE.rglob(f"*.{end}")
    )
    named = set(re.findall(r'"([a-z]+/[a-z_]+\.html)"', whole))
    assert named == known


def test_a_word_that_two_features_define_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.app.FEATURES", (FEATURES[0], FEATURES[0]))
    with pytest.raises(KeyError, match="once more in DONE"):
        merged("DONE")
