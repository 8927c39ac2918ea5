"""Unpack gzip and deflate bodies piece by piece, never to more than was allowed."""

import zlib

RATIO = 200  # unpacked to packed; text of real pages stays below 30
RATIO_FROM = 1024 * 1024  # bytes; small bodies may be as repetitive as they like


class PackedError(ValueError):
    """The packing is unknown or broken."""


class TooLarge(ValueError):
    """The body, packed or unpacked, is larger than allowed, or grows suspiciously."""


class Unpacker:
    """Feed packed pieces, get the whole; `encoding` is a Content-Encoding header."""

    def __init__(self, encoding: str, largest: int) -> None:
        """PackedError for a packing we did not ask for, and for packing in packing."""
        name = encoding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise PackedError(f"content encoding {name[:40]}")
        self._packed = name not in ("", "identity")
        self._deflate = name == "deflate"
        self._machine = zlib.decompressobj(47)  # gzip or zlib by their own mark
        self._largest = largest
        self._wire = 0
        self._out = bytearray()

    @property
    def so_far(self) -> bytes:
        """What was unpacked until now, at most the allowed size."""
        return bytes(self._out[: self._largest])

    def feed(self, piece: bytes) -> None:
        """Take the next piece off the wire. TooLarge, PackedError."""
        self._wire += len(piece)
        if self._wire > self._largest:
            self._out += b"" if self._packed else piece
            raise TooLarge
        if not self._packed:
            self._out += piece
            return
        try:
            self._unpack(piece)
        except zlib.error as error:
            if not (self._deflate and not self._out and self._wire == len(piece)):
                raise PackedError(str(error)) from error
            self._machine = zlib.decompressobj(-15)  # deflate without its zlib frame
            self._retry(piece)

    def finish(self) -> bytes:
        """The whole body; PackedError when the packed stream was cut off before its end."""
        if self._packed and self._wire and not self._machine.eof:
            raise PackedError("the packed body is incomplete")
        return bytes(self._out)

    def _retry(self, piece: bytes) -> None:
        try:
            self._unpack(piece)
        except zlib.error as error:
            raise PackedError(str(error)) from error

    def _unpack(self, piece: bytes) -> None:
        waiting = piece
        while waiting:
            if self._machine.eof:
                if not waiting.startswith(b"\x1f\x8b"):
                    return  # padding after the end
                self._machine = zlib.decompressobj(31)  # the next member of the same file
            room = self._largest + 1 - len(self._out)
            self._out += self._machine.decompress(waiting, room)
            size = len(self._out)
            if size > self._largest or (size > RATIO_FROM and size > RATIO * self._wire):
                raise TooLarge
            waiting = (
                self._machine.unused_data if self._machine.eof else (self._machine.unconsumed_tail)
            )
