"""The process that checks: takes work off its pipe, keeps what checks share, ends with its office.

What it imports here is loaded once, in the server process that workers are forked from.
"""

import signal
from multiprocessing.connection import Connection
from typing import Any

from documents.normalise_picture import brought_in
from documents.reader import read_attachment
from gates.attachments import stored_findings
from gates.engine import run_gates
from gates.spelling import Speller
from gates.trials import differences
from gates.work import Asked, Held, done

LOADED = (brought_in, read_attachment, run_gates, stored_findings, Speller, differences)
"""Loaded before the first check, so that no check waits for it."""
READY = "ready"
_OVER = 5.0  # seconds after its limit at which a worker that nobody ended ends itself


def serve(pipe: Connection, seconds: float, loading: float) -> None:
    """Work until the other end of the pipe is closed; the limits of a check and of making ready."""
    # Ctrl-C reaches the whole group; the office ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The alarm kills outright, inside a regular expression too: an office that was killed leaves no
    # worker behind that counts on.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    kept: dict[str, Any] = {}
    pipe.send(READY)
    while True:
        try:
            asked = pipe.recv()
            limit = loading if isinstance(asked, Held) else seconds
            signal.setitimer(signal.ITIMER_REAL, limit + _OVER)
            pipe.send(_answer(asked, kept))
        except (EOFError, OSError):
            return
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(asked: Asked | Held, kept: dict[str, Any]) -> tuple[bool, Any]:
    """Whether it went well, and the result or what went wrong."""
    try:
        if isinstance(asked, Held):
            kept[asked.kind] = asked.make(asked.data)
            return True, None
        return True, done(asked.work, [kept[kind] for kind in asked.kinds])
    # Whatever it is, the worker goes on, and the office says that nothing was checked.
    except Exception as error:  # noqa: BLE001
        return False, f"{type(error).__name__}: {error}"[:500]
