"""A file nobody reads without the data key: a header in the clear, then encrypted chunks.

Each file has a key of its own (HKDF with a salt). Chunk and place are bound together and the last
one is marked (the STREAM construction), so chunks cannot be changed, swapped or cut off unnoticed.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"SHENFA BACKUP\n"
_CHUNK, _TAG = 1 << 20, 16
_LARGEST_HEADER = 1 << 16


class Damaged(ValueError):
    """Something of the file was changed or is missing, or it is none of ours."""


class WrongKey(ValueError):
    """Another data key made the file."""


class SealedWriter:
    """Takes bytes for an open file; nothing is whole before `close`."""

    def __init__(self, file: BinaryIO, key: bytes, header: Mapping[str, Any]) -> None:
        """Write the header, which everybody may read and nobody may change."""
        salt = secrets.token_bytes(32)
        known = {**header, "salt": salt.hex(), "key": key_name(key)}
        line = json.dumps(known, ensure_ascii=True).encode() + b"\n"
        self._file, self._bound, self._box = file, line, _box(key, salt)
        self._left, self._count = bytearray(), 0
        file.write(MAGIC + line)

    def write(self, data: bytes) -> int:
        """As a file has it."""
        self._left += data
        while len(self._left) > _CHUNK:  # the last chunk is held back: it is marked
            self._put(bytes(self._left[:_CHUNK]), b"\0")
            del self._left[:_CHUNK]
        return len(data)

    def flush(self) -> None:
        """As a file has it: what is held back stays so until the end."""

    def close(self) -> None:
        """Write the last chunk."""
        self._put(bytes(self._left), b"\1")

    def _put(self, chunk: bytes, mark: bytes) -> None:
        self._file.write(self._box.encrypt(_nonce(self._count, mark), chunk, self._bound))
        self._count += 1


class SealedReader:
    """Gives the bytes of an open file back, in order; Damaged at the first that is not as made."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        """Read the header; WrongKey when another key made the file."""
        self.header, line = read_header(file)
        if self.header.get("key") != key_name(key):
            raise WrongKey("made with another data key")
        self._file, self._bound = file, line
        self._box = _box(key, bytes.fromhex(str(self.header["salt"])))
        self._left, self._count, self._ahead = b"", 0, file.read(_CHUNK + _TAG)
        self._done = False

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none at the end."""
        while len(self._left) < size and not self._done:
            self._left += self._next()
        given, self._left = self._left[:size], self._left[size:]
        return given

    def _next(self) -> bytes:
        sealed, self._ahead = self._ahead, self._file.read(_CHUNK + _TAG)
        self._done = not self._ahead
        mark = b"\1" if self._done else b"\0"
        try:
            plain = self._box.decrypt(_nonce(self._count, mark), sealed, self._bound)
        except (InvalidTag, ValueError) as error:
            raise Damaged(f"chunk {self._count + 1} is not what was written") from error
        self._count += 1
        return plain


def read_header(file: BinaryIO) -> tuple[Mapping[str, Any], bytes]:
    """What stands before the chunks, not proved yet, and its own bytes; Damaged for anything else.

    Reading the chunks proves it: it is bound to each.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise Damaged("not one of our files")
    line = file.readline(_LARGEST_HEADER)
    try:
        header = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Damaged("the header cannot be read") from error
    if not isinstance(header, dict) or not line.endswith(b"\n"):
        raise Damaged("the header is not whole")
    return header, line


def key_name(key: bytes) -> str:
    """Tells keys apart and says nothing of them."""
    return HKDF(SHA256(), 8, None, b"shenfa backup key name").derive(key).hex()


def _box(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"shenfa backup file").derive(key))


def _nonce(count: int, mark: bytes) -> bytes:
    return count.to_bytes(11, "big") + mark
