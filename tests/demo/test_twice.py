"""The demo in one folder again and again: stopped in its push, gone on with, at other ports."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.cast import EXAMPLES, TELEGRAM_ID, WECHAT

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.servers, pytest.mark.timeout(1200)]


class Demo:
    """One run of `shenfa demo` in a process group of its own, and what it says."""

    def __init__(self, home: Path) -> None:
        self.home, self.log = home, home.with_suffix(".log")
        self.said_before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli", "demo", "--home", str(home)],
                cwd=ROOT,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PYTHONWARNINGS": "ignore"},
            )

    @property
    def said(self) -> str:
        return self.log.read_bytes()[self.said_before :].decode()

    @property
    def memo(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "demo.json").read_text()))

    def wait_for(self, what: str, check: Callable[[], object], seconds: float = 400) -> None:
        deadline = time.monotonic() + seconds
        while not check():
            assert self.process.poll() is None, f"ended before: {what}\n{self.said}"
            assert time.monotonic() < deadline, f"waited too long: {what}\n{self.said}"
            time.sleep(0.05)

    def ready(self) -> "Demo":
        self.wait_for("ready", lambda: "按 Ctrl+C 停止" in self.said)
        return self

    def signal_group(self, name: signal.Signals) -> int:
        """What a service manager or Ctrl-C does: the whole group hears it. The exit code."""
        os.killpg(self.process.pid, name)
        return self.process.wait(200)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)

    def control(self, name: str, content: dict[str, Any] | None = None) -> Any:
        data = json.dumps(content).encode() if content is not None else None
        with urllib.request.urlopen(f"{self.memo['sandbox']}/_control/{name}", data) as answer:  # noqa: S310  loopback
            return json.load(answer)

    def received(self) -> dict[str, list[dict[str, Any]]]:
        """Every citizen's messages, on both platforms."""
        whole: dict[str, list[dict[str, Any]]] = {}
        for account in (TELEGRAM_ID, WECHAT["appid"]):
            whole |= self.control(f"messages?account={account}")["messages"]
        return whole

    def pushed(self) -> list[int]:
        """How often each person has the pushed article."""
        return [
            sum("为什么收到：" in json.dumps(one, ensure_ascii=False) for one in got)
            for citizen, got in self.received().items()
            if not citizen.startswith("-")
        ]

    def answered(self, account: str, citizen: str, question: str, words: str) -> None:
        """The citizen asks, and hears `words`."""
        self.control("say", {"account": account, "citizen": citizen, "text": question})

        def heard() -> bool:
            got = self.control(f"messages?account={account}&citizen={citizen}")["messages"]
            return any(words in str(one.get("text", "")) for one in got[-3:])

        self.wait_for(f"{question}：{words}", heard)


def states_of(home: Path) -> dict[str, int]:
    """How many messages of the push are in which state."""
    query = "SELECT state, count(*) FROM delivery WHERE publication_id IS NOT NULL GROUP BY state"
    with contextlib.closing(sqlite3.connect(home / "shenfa.db", timeout=30)) as db:
        return dict(db.execute(query).fetchall())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture
def demo(home: Path) -> Iterator[Demo]:
    """The next run in the same folder."""
    running = Demo(home)
    yield running
    running.end()


def quietly(count: Callable[[], int]) -> int:
    """0 while the sandbox is not up or has no such account yet."""
    try:
        return count()
    except (OSError, KeyError, ValueError):
        return 0


def test_told_to_stop_in_the_push_it_settles_what_is_on_its_way(demo: Demo) -> None:
    demo.wait_for("twenty received", lambda: quietly(lambda: sum(demo.pushed())) >= 20)
    assert demo.signal_group(signal.SIGTERM) == 0
    states = states_of(demo.home)
    assert "unknown" not in states
    assert "sending" not in states
    assert states["created"] > 0, "the push was over before the signal: nothing was shown"
    kept = json.loads((demo.home / "sandbox.json").read_text().split("\n")[1])
    kept_pushes = json.dumps(kept, ensure_ascii=False).count("为什么收到：")
    assert kept_pushes == states["published"], "the sandbox heard every message before it ended"


def test_a_serving_office_told_to_stop_in_a_push_does_the_same(home: Path) -> None:
    noted = json.loads((home / "demo.json").read_text())
    before = states_of(home)
    sandbox = subprocess.Popen(
        [
            sys.executable, "-m", "sandbox",
            "--port", str(noted["sandbox_port"]), "--memory", str(home / "sandbox.json"),
        ],
        cwd=ROOT, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert sandbox.stdout is not None
    assert sandbox.stdout.readline()
    serving = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--home", str(home)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | {
            "SHENFA_DEV": "1", "SHENFA_DEV_ALLOW": noted["sandbox"].removeprefix("http://"),
            "SHENFA_PORT": str(noted["port"]), "PYTHONWARNINGS": "ignore",
        },
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 400
        while states_of(home)["published"] < before["published"] + 10:
            assert serving.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(200) == 0
    finally:
        serving.kill()
        sandbox.terminate()
        assert sandbox.wait(60) == 0
    after = states_of(home)
    assert set(after) <= {"published", "created"}, "nothing unknown, nothing left on its way"
    assert after["published"] > before["published"]


def test_the_next_start_ends_the_push_and_keeps_people_and_passwords(demo: Demo) -> None:
    before = demo.memo
    demo.ready()
    assert states_of(demo.home) == {"published": 300}
    pushed = demo.pushed()
    assert (len(pushed), set(pushed)) == (300, {1}), "everybody once"
    assert demo.memo["port"] == before["port"]
    assert demo.memo["passwords"] == before["passwords"]
    assert before["passwords"]["reviewer1"] in demo.said
    assert signed_in(demo, "reviewer1", before["passwords"]["reviewer1"])
    assert demo.signal_group(signal.SIGINT) == 0


def test_a_played_folder_comes_up_soon_with_its_chats_and_one_item_waiting(demo: Demo) -> None:
    demo.ready()
    assert set(demo.pushed()) == {1}
    for account in (TELEGRAM_ID, WECHAT["appid"]):
        everything_proposed_is_answered(demo, account)
    with contextlib.closing(sqlite3.connect(demo.home / "shenfa.db", timeout=30)) as db:
        waiting = db.execute("SELECT title FROM item WHERE state='review' AND level=0").fetchall()
    assert len(waiting) == 1, "one waits for the first reviewer, however often it is started"
    second = subprocess.run(
        [sys.executable, "-m", "cli", "demo", "--home", str(demo.home)],
        cwd=ROOT, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert second.returncode == 1
    assert "还在运行" in second.stderr
    os.kill(demo.process.pid, signal.SIGKILL)  # the sandbox saves and ends by itself
    demo.process.wait(60)


def test_taken_ports_are_given_up_and_everything_follows(home: Path) -> None:
    noted = json.loads((home / "demo.json").read_text())
    sandbox_gone(noted["sandbox_port"])
    with contextlib.ExitStack() as stack:
        for name in ("port", "sandbox_port"):
            taken = stack.enter_context(socket.socket())
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", noted[name]))
            taken.listen()
        demo = Demo(home)
        stack.callback(demo.end)
        demo.ready()
        assert demo.memo["port"] != noted["port"]
        assert demo.memo["sandbox_port"] != noted["sandbox_port"]
        assert set(demo.pushed()) == {1}
        wechat = next(one for one in people(demo, WECHAT["appid"]))
        example = EXAMPLES[2]
        demo.answered(WECHAT["appid"], wechat["citizen"], example.question, example.words)
        article = demo.control("accounts")["accounts"][1]["articles"][0]["url"]
        with urllib.request.urlopen(article) as page:  # noqa: S310  loopback
            assert "就业补贴" in page.read().decode()
        assert demo.signal_group(signal.SIGHUP) == 0


def everything_proposed_is_answered(demo: Demo, account: str) -> None:
    """Each example, command and menu entry the phone shows, by the citizen it opens."""
    phone = next(one for one in people(demo, account) if one["kind"] == "private")["citizen"]
    shown = demo.control(f"phone?account={account}&citizen={phone}")["account"]
    assert shown["examples"] == [one.question for one in EXAMPLES]
    for example in EXAMPLES:
        demo.answered(account, phone, example.question, example.words)
    commands = [f"/{one['command']}" for one in shown.get("commands", [])]
    keys = [
        one["key"] for top in shown.get("menu", {}).get("button", []) for one in top["sub_button"]
    ]
    assert commands or keys
    asking = {"account": account, "citizen": phone}
    for command in commands:
        counted(demo, "say", asking | {"text": command})
    for key in keys:
        if key != "person":  # that one is a conversation of its own
            counted(demo, "tap", asking | {"key": key})


def counted(demo: Demo, call: str, content: dict[str, Any]) -> None:
    """One act, and at least one message more on the phone."""
    place = f"messages?account={content['account']}&citizen={content['citizen']}"
    before = len(demo.control(place)["messages"])
    demo.control(call, content)
    demo.wait_for(f"an answer to {content}", lambda: len(demo.control(place)["messages"]) > before)


def people(demo: Demo, account: str = TELEGRAM_ID) -> list[dict[str, Any]]:
    return list(demo.control(f"citizens?account={account}")["citizens"])


def sandbox_gone(port: int) -> None:
    """Wait until the sandbox of a killed demo has let go of its port."""
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    raise AssertionError("the sandbox of a killed demo goes on")


def signed_in(demo: Demo, login: str, password: str) -> bool:
    """Whether the console takes this password."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    base = f"http://127.0.0.1:{demo.memo['port']}/console/"
    with opener.open(base) as page:
        form = page.read().decode()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    data = urllib.parse.urlencode(fields | {"login": login, "password": password}).encode()
    action = re.search(r'<form[^>]*action="([^"]*)"', form)
    assert action is not None
    request = urllib.request.Request(urllib.parse.urljoin(page.url, action[1]), data)  # noqa: S310
    request.add_header("Origin", f"http://127.0.0.1:{demo.memo['port']}")
    with opener.open(request) as page:
        return "李初审" in page.read().decode()
