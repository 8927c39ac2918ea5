"""What a process of ours that reads strangers' files is given of the environment: no secret.

Everything of the office (addresses with passwords, key files, tokens) stands in variables; whoever
takes such a process over would only have to look.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_NEEDED = frozenset(
    {
        *("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LANGUAGE"),
        *("LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONUTF8", "PYTHONWARNINGS"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED"),
    }
)
_FAMILIES = ("LC_", "OMP_", "OPENBLAS_", "MKL_")
_ONE = Lock()


def child_environment() -> dict[str, str]:
    """Only what a Python process needs to run: a list of what passes, never of what does not."""
    kept = {name: value for name, value in os.environ.items() if _passes(name)}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _passes(name: str) -> bool:
    return name in _NEEDED or name.startswith(_FAMILIES)


@contextmanager
def only_needed() -> Iterator[None]:
    """This process's own environment cut down for a moment, for a child that inherits it whole.

    Of one thread at a time; what others would read meanwhile was read when the office started.
    """
    with _ONE:
        put_away = {name: os.environ.pop(name) for name in list(os.environ) if not _passes(name)}
        try:
            yield
        finally:
            os.environ.update(put_away)
