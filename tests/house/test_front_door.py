"""The set-up scripts on machines that lack something: made of stand-ins on a PATH of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ["awk", "basename", "bash", "cat", "df", "dirname", "env", "grep", "sed", "sh", "tail"]
# An interpreter that says it is another version, with or without what venv needs.
INTERPRETER = """#!/bin/sh
if [ "$1" = -c ]; then
    exec {real} -c "import platform, sys, venv
sys.version_info = ({numbers}, 'final', 0)
platform.python_version = lambda: '{version}'
sys.modules['ensurepip'] = {module}
$2"
fi
exec {real} "$@"
"""
APT = """#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >> {log}
[ "$1" = update ] || for each in chromium fc-list; do cp {stand_in} {folder}/$each; done
exit {code}
"""

PYTEST = "-m pytest -q -n 3 --dist loadfile --no-loadscope-reorder"


class Machine:
    """A folder of programs, and what running a script of ours with only them gives."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.log = folder / "log"
        self.environment = {"VENV": str(self.programs / "venv")}
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found
            (self.programs / tool).symlink_to(found)
        self.program("id", "echo 1000")

    def program(self, name: str, script: str) -> Path:
        """Put a shell script of this name on the machine's PATH."""
        path = self.programs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n", "utf-8")
        path.chmod(0o755)
        return path

    def python(self, name: str, version: str, *, whole: bool = True) -> Path:
        """An interpreter of this name and version; Debian's bare one when not whole."""
        numbers, module = version.replace(".", ", "), "sys" if whole else "None"
        script = INTERPRETER.format(
            real=sys.executable, numbers=numbers, version=version, module=module
        )
        return self.program(name, script)

    def browser(self) -> None:
        """What the browser tests need of the system."""
        self.program("chromium", "true")
        self.program("fc-list", "echo Noto Sans CJK")

    def apt(self, code: int = 0) -> None:
        """An apt-get that writes down how it was called and, unless it fails, installs."""
        stand_in = self.program("../stand-in", "echo Noto Sans CJK")
        folder = self.programs if code == 0 else self.programs / "nowhere"
        script = APT.format(log=self.log, stand_in=stand_in, folder=folder, code=code)
        self.program("apt-get", script)

    def run(self, script: str, *words: str) -> subprocess.CompletedProcess[str]:
        """The script in the repository, with the machine's programs and nothing else."""
        return subprocess.run(
            [str(ROOT / script), *words],
            env={"PATH": str(self.programs), "LANG": "C.UTF-8"} | self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def called(self) -> list[str]:
        """What was written down."""
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


# --- the interpreter ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3.11.2", "3.12.1", "3.13.5", "3.14.0", "3.20.1"])
def test_the_system_s_python3_is_taken_when_it_is_new_enough(
    machine: Machine, version: str
) -> None:
    python = machine.python("python3", version)
    ran = machine.run("scripts/preflight.sh")
    assert (ran.returncode, ran.stdout.strip()) == (0, str(python))
    assert f"Python {version}" in ran.stderr


def test_a_newer_one_beside_an_old_python3_is_found(machine: Machine) -> None:
    machine.python("python3", "3.9.2")
    python = machine.python("python3.12", "3.12.1")
    assert machine.run("scripts/preflight.sh").stdout.strip() == str(python)


def test_one_that_cannot_make_an_environment_is_passed_over(machine: Machine) -> None:
    machine.python("python3", "3.13.5", whole=False)
    python = machine.python("python3.14", "3.14.0")
    assert machine.run("scripts/preflight.sh").stdout.strip() == str(python)


def test_too_old_a_python_is_refused_with_what_was_found_and_the_remedy(machine: Machine) -> None:
    machine.python("python3", "3.10.12")
    ran = machine.run("scripts/preflight.sh")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Python 3.11 或更新版本" in ran.stderr
    assert "python3（3.10.12）" in ran.stderr
    assert "apt install python3 python3-venv" in ran.stderr


def test_no_python_at_all_is_told_in_one_line(machine: Machine) -> None:
    ran = machine.run("scripts/preflight.sh")
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert "apt install python3 python3-venv" in ran.stderr


@pytest.mark.parametrize("name", ["python3", "python3.13"])
def test_the_package_that_brings_venv_is_named_as_debian_names_it(
    machine: Machine, name: str
) -> None:
    machine.python(name, "3.13.5", whole=False)
    ran = machine.run("scripts/preflight.sh")
    assert ran.returncode == 1
    assert f"apt install {name}-venv）" in ran.stderr


def test_a_python_that_was_asked_for_is_taken_or_refused_never_replaced(machine: Machine) -> None:
    machine.python("python3", "3.13.5")
    asked = machine.python("mine", "3.12.1")
    machine.environment["PYTHON"] = str(asked)
    assert machine.run("scripts/preflight.sh").stdout.strip() == str(asked)
    machine.python("mine", "3.10.1")
    ran = machine.run("scripts/preflight.sh")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "3.10.1" in ran.stderr


# --- what the browser tests need ----------------------------------------------------------------


def test_where_nothing_lacks_nothing_is_said_or_installed(machine: Machine) -> None:
    machine.browser()
    machine.apt()
    machine.program("id", "echo 0")
    ran = machine.run("scripts/needs.sh")
    assert (ran.returncode, ran.stdout, ran.stderr, machine.called()) == (0, "", "", [])


def test_a_user_is_told_the_command_and_nothing_is_installed(machine: Machine) -> None:
    machine.apt()
    ran = machine.run("scripts/needs.sh")
    assert ran.returncode == 1
    assert ran.stdout.endswith("apt-get install chromium fontconfig fonts-noto-cjk\n")
    assert machine.called() == []


def test_only_what_lacks_is_named(machine: Machine) -> None:
    machine.browser()
    machine.program("fc-list", "true")
    ran = machine.run("scripts/needs.sh")
    assert ran.stdout.endswith("apt-get install fonts-noto-cjk\n")


@pytest.mark.parametrize(
    ("answer", "lacking"),
    [
        ("echo v24.1.0", ""),
        (
            "echo 'node: error while loading shared libraries: libatomic.so.1' >&2; exit 127",
            "libatomic1",
        ),
    ],
)
def test_the_library_that_the_driver_of_the_browser_misses_is_named(
    machine: Machine, answer: str, lacking: str
) -> None:
    machine.browser()
    machine.program("venv/lib/python3.13/site-packages/playwright/driver/node", answer)
    ran = machine.run("scripts/needs.sh")
    assert (ran.returncode, bool(ran.stdout)) == (bool(lacking), bool(lacking))
    assert ran.stdout.removesuffix("\n").endswith(lacking)


def test_root_gets_it_installed_without_a_question(machine: Machine) -> None:
    machine.apt()
    machine.program("id", "echo 0")
    machine.program("cp", f'exec {shutil.which("cp")} "$@"')
    ran = machine.run("scripts/needs.sh")
    assert (ran.returncode, ran.stdout) == (0, "")
    update, install = machine.called()
    assert update.startswith("noninteractive update")
    assert install.startswith("noninteractive install -y")
    assert install.endswith("chromium fontconfig fonts-noto-cjk")


def test_root_without_a_mirror_is_told_the_command(machine: Machine) -> None:
    machine.apt(code=100)
    machine.program("id", "echo 0")
    ran = machine.run("scripts/needs.sh")
    assert ran.returncode == 1
    assert "apt-get install chromium" in ran.stdout


# --- the whole suite ----------------------------------------------------------------------------


@pytest.fixture
def suite(machine: Machine) -> Machine:
    """A machine whose pytest only writes down how it was called."""
    machine.program("venv/bin/python", f'echo "$*" >> {machine.log}')
    return machine


def test_with_everything_there_all_of_it_runs(suite: Machine) -> None:
    suite.browser()
    ran = suite.run("scripts/test.sh")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert suite.called() == [f"{PYTEST} tests"]


def test_what_was_not_run_is_said_at_the_end_and_passes(suite: Machine) -> None:
    ran = suite.run("scripts/test.sh")
    assert ran.returncode == 0
    assert suite.called() == [f"{PYTEST} -m not browser tests"]
    last = ran.stderr.splitlines()[-1]
    assert "没有运行：浏览器测试" in last
    assert "apt-get install chromium" in last


def test_in_ci_a_part_that_was_not_run_is_a_failure(suite: Machine) -> None:
    suite.environment["CI"] = "true"
    ran = suite.run("scripts/test.sh")
    assert ran.returncode == 1
    assert len(suite.called()) == 1


def test_a_failure_stays_one_and_what_was_not_run_is_said_all_the_same(suite: Machine) -> None:
    suite.program("venv/bin/python", "exit 3")
    ran = suite.run("scripts/test.sh")
    assert ran.returncode == 3
    assert "没有运行：浏览器测试" in ran.stderr.splitlines()[-1]


# --- a machine that has nothing -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "extra", "said"),
    [
        (["bookworm"], {}, "用法"),
        (["../elsewhere", "make", "demo"], {}, "用法"),
        (["bookworm", "make", "demo"], {"CI": "true"}, "CI"),
        (["bookworm", "make", "demo"], {}, "root"),
        (["bookworm", "make", "demo"], {"FRESH_FOLDER": "x"}, "FRESH_FOLDER"),
    ],
)
def test_a_fresh_system_is_made_only_where_it_may_be(
    machine: Machine, words: list[str], extra: dict[str, str], said: str
) -> None:
    machine.environment |= extra
    ran = machine.run("scripts/fresh.sh", *words)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert not os.path.exists("x")
