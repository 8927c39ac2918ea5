"""Memory that is free again, given back to the system."""

import contextlib
import ctypes


def give_back() -> None:
    """Hand back what was freed: what a big table was made of would stay with the process.

    Only the C library of most Linux systems has it (malloc_trim(3)); elsewhere nothing is done.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
