"""What a check may do that it should not; found by name in the process that does it."""

import os
import re
import signal
from pathlib import Path


def never_ends(text: str) -> None:
    """A search whose time doubles with every letter, and which holds every thread meanwhile."""
    re.search(r"(a+)+$", text + "!")


def dies(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def who() -> int:
    return os.getpid()


def fails() -> None:
    raise ValueError("张三 13800138000")


def environment() -> tuple[list[str], list[str]]:
    """The names this process has, and those it was started with and still shows."""
    started = Path("/proc/self/environ").read_bytes().split(b"\0")
    return sorted(os.environ), sorted(one.partition(b"=")[0].decode() for one in started if one)
