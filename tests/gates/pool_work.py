"""What a check may do that it should not; found by name in the process that does it."""

import os
import re
import signal


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
