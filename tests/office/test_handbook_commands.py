"""Every command of the handbook, run as it is written, page by page, each in an office of its own.

装起来 has a test of its own (test_from_the_handbook.py): its commands need processes.
"""

import asyncio
import re
import shlex
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from cli import shenfa as tree
from config.clock import now
from staff.models import Staff, Task
from storage.database import new_id
from tests.gates.office_files import document
from tests.house.test_handbook import fault
from tests.office import test_account_commands as accounts
from tests.office.test_account_commands import PASSWORD, SANDBOX, TG, announcement, opened

first_home = accounts.first_home
BOOK = Path(__file__).parents[2] / "docs" / "handbook"
ELSEWHERE = {"install"}
WAITS = re.compile(r"proposals approve ([0-9a-z]{26})")
FILES = {
    "roster.yaml": "lines:\n  - {login: duty1, tier: 0}\n  - {login: duty1, tier: 1}\n",
    "new.yaml": "secret: a-new-app-secret-0123456789abcdef\n",
}
SAYS = {
    "shenfa account test": (1, "要处理"),  # no platform listens here; with one: 装起来
    "shenfa report recompute": (2, "shenfa-2026Q3.json"),  # a report is fetched in the browser
    "shenfa account secrets qinghe-tg token": (2, "在终端里写名称"),
    "shenfa account secrets qinghe-wx secret": (2, "在终端里写名称"),
}
"""What cannot work here, and what it answers; all other commands end with 0."""


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.S)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("shenfa ")]


PAGES = [one for one in sorted(BOOK.glob("*.md")) if one.stem not in ELSEWHERE and commands(one)]


class Desk:
    """One office, a folder to work in, and whoever approves what the page proposes."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder, self.waits, self.item = home, folder, "", ""

    def prepare(self) -> None:
        """What a page takes for granted: files at hand, a task of the editor, a 停更公告."""
        for name, words in FILES.items():
            (self.folder / name).write_text(words, encoding="utf-8")
        (self.folder / "通知.docx").write_bytes(
            document(["关于图书馆开放时间的通知", "周六开放。"])
        )
        (self.folder / "backup").mkdir()
        shutil.copytree(self.home / "keys", self.folder / "srv/shenfa-new/keys")
        asyncio.run(self._rows())
        shutil.copy(self.home / "anchors.jsonl", self.folder)

    async def _rows(self) -> None:
        async with opened(self.home) as shenfa:
            told = await announcement(shenfa, TG)
            self.notice, self.item = told.id, told.item_id
            async with shenfa.db.session() as session:
                find = select(Staff.id).where(Staff.login == "editor")
                task = Task(
                    id=new_id(), kind="original", title="核对", accounts=[], detail={},
                    state="open", assignee=(await session.scalars(find)).one(), due_at=now(),
                    created_at=now(), created_by="system",
                )  # fmt: skip
                session.add(task)

    def written(self, line: str) -> tuple[list[str], str]:
        """The words to run, with what only this office knows, and where the output goes."""
        for word, here in {
            "发布编号": self.notice, "稿件编号": self.item,
            "2026-12-01 ": "2026-01-01 ", "备案编号": "青备〔2026〕4号",
            " /backup/": f" {self.folder}/backup/", " /srv/": f" {self.folder}/srv/",
            "approve 编号": f"approve {self.waits}",
        }.items():  # fmt: skip
            line = line.replace(word, here)
        line, _, out = line.partition(" > ")
        words = shlex.split(line)[1:]
        asks = "--home" not in words and not fault([*words], ["--home"])
        return [*words, *(["--home", str(self.home)] if asks else [])], out.strip()

    def run(self, line: str) -> tuple[int, str]:
        words, out = self.written(line)
        done = CliRunner().invoke(tree, words)
        if out or line == "shenfa ledger key":
            (self.folder / (out or "key.hex")).write_text(done.stdout, encoding="utf-8")
        if done.exception is None or isinstance(done.exception, SystemExit):
            return done.exit_code, done.output
        return 2, f"{done.output}{done.exception}"  # as main tells it

    def agree(self, said: str) -> str:
        """The other admin approves what was just proposed, as the book says; what went wrong."""
        found = WAITS.search(said)
        if found is None:
            return ""
        code, told = self.run(f"shenfa proposals approve {found.group(1)} --by admin2")
        return told if code else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_do_what_they_say(
    page: Path, first_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("DEV", "1"), ("DEV_ALLOW", SANDBOX), ("PASSWORD", PASSWORD)):
        monkeypatch.setenv(f"SHENFA_{name}", value)
    shutil.copytree(first_home, tmp_path / "home")
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    desk = Desk(tmp_path / "home", tmp_path / "desk")
    desk.prepare()
    for line in commands(page):
        if "approve 编号" in line:
            continue  # done after each proposal
        wanted, words = next((SAYS[one] for one in SAYS if line.startswith(one)), (0, ""))
        code, said = desk.run(line)
        assert (code, words in said) == (wanted, True), (line, said)
        if " --reason " in line and not wanted:
            assert desk.agree(said) == "", line
