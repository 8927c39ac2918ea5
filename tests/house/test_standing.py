"""Who may do what is read from signed entries; the columns of the table serve lists alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLUMNS = {"roles", "active"}
LISTS = {
    "commands/levels.py": "which classes the staff listed now could fill, before anything is set",
    "console/items/facts.py": "names and roles beside what people did",
    "console/items/limiting.py": "whom a form offers; limiting an item asks anew",
    "console/items/listing.py": "by whom the list may be narrowed",
    "console/me/absence.py": "whom a form offers; setting an absence asks anew",
    "console/settings/api.py": "prints who is listed",
    "console/settings/leaving.py": "whom a form offers; handing over asks anew",
    "console/settings/staff.py": "the page of people",
    "console/tasks/pages.py": "whom a form offers as assignee",
    "console/workplan/pages.py": "whom a form offers as owner",
    "content_sources/tasks.py": "finds the assignee of a task by name; settling it asks anew",
    "office/setup.py": "the setup file's own people, before there is an office",
    "review_queue/governance/levels.py": "which classes the staff listed now could fill",
    "review_queue/governance/staff_changes.py": "what a change looks like before and after",
    "review_queue/rounds.py": "who is told that something waits; deciding asks anew",
    "review_queue/scope.py": "whether the people of a circle could fill the levels",
    "staff/absence.py": "the list of who sits in for whom; deciding asks anew",
    "staff/models.py": "the table itself",
    "staff/people.py": "writes the row beside the signed entry",
}
"""Files that read these columns of the table of people, each with why that decides nothing."""
SIGNED = {
    "escalations/leaving.py": "a Standing",
    "review_queue/claims.py": "the roles of a Member",
    "review_queue/governance/handovers.py": "a Standing",
    "staff/door.py": "a Standing",
    "staff/identities.py": "the roles of a Member",
    "staff/passkeys.py": "the roles of a Member",
    "staff/sessions.py": "a Standing",
}
"""Files that know the table for its other columns and read these words of something signed."""


def sources() -> Iterator[Path]:
    skipped = {"tests", "migrations", "sandbox", "scripts"}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        if parts[0] not in skipped and not parts[0].startswith("."):
            yield path


def reads(text: str) -> list[str]:
    """Reads of `roles` or `active` in a file that knows the table of people by name."""
    tree = ast.parse(text)
    known = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "staff.models"
        and any(alias.name == "Staff" for alias in node.names)
        for node in ast.walk(tree)
    )
    return [
        f"{ast.unparse(node)} in line {node.lineno}"
        for node in ast.walk(tree)
        if known and isinstance(node, ast.Attribute) and node.attr in COLUMNS
    ]


def test_no_act_decides_by_the_columns_of_the_table_of_people() -> None:
    found = {}
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        if name not in LISTS | SIGNED and (seen := reads(path.read_text(encoding="utf-8"))):
            found[name] = seen
    assert found == {}, "ask staff.people.read_person, person_with or staff.rights.entitled"


def test_the_list_of_lists_names_no_file_in_vain() -> None:
    for name in LISTS | SIGNED:
        assert (ROOT / name).exists(), name
        assert reads((ROOT / name).read_text(encoding="utf-8")) or name == "staff/models.py", name


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("from staff.models import Staff\nif person.roles: pass", True),
        ("from staff.models import Staff\nselect(Staff).where(Staff.active)", True),
        ("from staff.people import Member\nif person.roles: pass", False),
    ],
)
def test_the_look_finds_what_it_is_for(text: str, *, wrong: bool) -> None:
    assert bool(reads(text)) is wrong
