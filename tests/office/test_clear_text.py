"""What stands in the clear while an office is packed does not outlive who packed it."""

import os
import subprocess
import sys
from pathlib import Path

from config.settings import Settings
from office.clear_text import clear_folder, sweep, sweep_all

ROOT = Path(__file__).parents[2]
_KILLED = """
import os, signal, sys
from pathlib import Path
from office.clear_text import clear_folder
with clear_folder(Path(sys.argv[1])) as folder:
    (folder / "shenfa.db").write_text("citizens")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(place: Path) -> list[str]:
    return sorted(one.name for one in place.iterdir())


def test_a_folder_left_by_a_killed_process_goes_and_one_in_use_stays(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False, cwd=ROOT)
    (left,) = tmp_path.iterdir()
    assert (left / "shenfa.db").read_text("utf-8") == "citizens"
    with clear_folder(tmp_path) as folder:
        assert (not left.exists(), folder.stat().st_mode & 0o777) == (True, 0o700)
        assert (sweep(tmp_path), folder.exists()) == (0, True)
    assert names(tmp_path) == []


def test_folders_of_earlier_versions_go_after_a_day_and_nobodys_own(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="", redis_url="")
    made = {
        "backup-a1b2c3d4": ["anchors.jsonl", "shenfa.db"],
        "restore-a1b2c3d4": ["message.copy"],
        "backup-20260101": ["anchors.jsonl", "notes.txt"],  # somebody's own
        "backup-zzzzzzzz": ["anchors.jsonl"],  # perhaps still being made
        "backups": [],
        ".clear-abcdefgh": [],
    }
    for name, files in made.items():
        (tmp_path / name).mkdir(mode=0o700)
        for file in files:
            (tmp_path / name / file).write_text("x")
        if name != "backup-zzzzzzzz":
            os.utime(tmp_path / name, (0, 0))
    sweep_all(settings)
    assert names(tmp_path) == ["backup-20260101", "backup-zzzzzzzz", "backups"]
