"""Seals: a row that can make something leave, or lets somebody in, proves who wrote it.

A seal is HMAC-SHA-256, with a key outside the database, over the table's name and every field of
the row that matters. Whoever writes to the database alone can change or copy rows and cannot seal
them.
What is old and was once true can be put back; where that matters, the signed ledger decides
(staff/standing.py, review_queue/release.py).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import String, event, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

INFO = "seals"
"""Where a session's `info` carries its office's Seals."""

HOLE = object()
"""Stands in a shape for what differs from row to row; see Seals.many."""

# Made once: json.dumps with these options would make one for every row.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quote = json.encoder.encode_basestring
"""What `_encode` says of a text, without asking each time whether it is one."""


class Seals:
    """Makes and checks seals with one key."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes derived from the data key (storage.crypt.DataKey.seal_key)."""
        if len(key) != 32:
            raise ValueError("a seal key has 32 bytes")
        # HMAC-SHA-256 with its two beginnings kept (RFC 2104): a push seals a hundred thousand rows
        # a second, and hmac.digest begins anew for each.
        self._inner, self._outer = (
            hashlib.sha256(bytes(byte ^ pad for byte in key.ljust(64, b"\0")))
            for pad in (0x36, 0x5C)
        )

    def _over(self, said: str) -> str:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(said.encode(errors="surrogatepass"))
        outer.update(inner.digest())
        return outer.hexdigest()

    def of(self, table: str, values: Sequence[Any]) -> str:
        """The seal over a row's fields, hex; the order of `values` is the table's own."""
        return self._over(_encode([table, *map(_plain, values)]))

    def many(
        self, table: str, shape: Sequence[Any], rows: Iterable[Sequence[str]]
    ) -> Iterable[str]:
        """The seals of rows that differ only in texts: those of each row fill the HOLEs in order.

        Each is what `of` says of the same fields.
        """
        said = _encode([table, *("\0" if one is HOLE else _plain(one) for one in shape)])
        # Every hole was written as the one text that JSON spells in this way and no other.
        form = said.replace("%", "%%").replace('"\\u0000"', "%s")
        # As `_over` has it, written out: a call for each row would be a fifth of the time.
        begin, end = self._inner.copy, self._outer.copy
        for row in rows:
            inner, outer = begin(), end()
            inner.update((form % tuple(map(_quote, row))).encode(errors="surrogatepass"))
            outer.update(inner.digest())
            yield outer.hexdigest()

    def hold(self, seal: object, table: str, values: Sequence[Any]) -> bool:
        """Whether `seal` is over exactly these fields; never over what no field can hold."""
        # SQLite keeps bytes and numbers in any column: they stop no other row.
        if not isinstance(seal, str):
            return False
        try:
            right = self.of(table, values)
        except (TypeError, ValueError, OverflowError, RecursionError):
            return False
        return hmac.compare_digest(seal.encode(errors="replace"), right.encode())


def _plain(value: Any) -> Any:
    """Moments as UTC text: SQLite and PostgreSQL give the same moment back in different zones."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value


class Sealed:
    """A table whose rows carry a seal over the columns named in SEALED.

    Rows written through the ORM are sealed as they are flushed. A row whose seal was wrong when it
    was read keeps its wrong seal: a later harmless change must not launder what somebody wrote in
    between. `whole` says whether the row may be believed.
    """

    SEALED: ClassVar[tuple[str, ...]] = ()
    seal: Mapped[str] = mapped_column(String(64), default="", server_default="")

    @property
    def whole(self) -> bool:
        """Whether the seal was right when the row was read, or this process wrote it itself."""
        return bool(self.__dict__.get("_whole", False))

    def accept(self) -> None:
        """Seal the row as it stands, whoever wrote it: for the one upgrade that brings seals."""
        self.seal = seals_of(object_session(self)).of(_table(self), self.values())
        self.__dict__["_whole"] = True

    def values(self) -> list[Any]:
        """The sealed fields, in their order."""
        return [getattr(self, name) for name in self.SEALED]


def sealed_tables() -> list[str]:
    """The names of all tables whose rows carry a seal."""
    return sorted(str(one.__dict__["__tablename__"]) for one in Sealed.__subclasses__())


def _table(row: Sealed) -> str:
    return str(row.__class__.__dict__["__tablename__"])


def seals_of(session: Session | AsyncSession | None) -> Seals:
    """The seals of the office a session belongs to."""
    seals = session.info.get(INFO) if session is not None else None
    if not isinstance(seals, Seals):
        raise RuntimeError("a sealed row was read or written without the office's seal key")
    return seals


@event.listens_for(Sealed, "load", propagate=True)
def _loaded(row: Sealed, _context: object) -> None:
    seals = seals_of(object_session(row))
    row.__dict__["_whole"] = seals.hold(row.seal, _table(row), row.values())


@event.listens_for(Sealed, "refresh", propagate=True)
def _refreshed(row: Sealed, context: object, _names: object) -> None:
    _loaded(row, context)


def _writing(_mapper: object, _connection: object, row: Sealed) -> None:
    if row.__dict__.get("_whole") is False:
        return
    for attribute in inspect(row.__class__).column_attrs:
        default = attribute.columns[0].default
        missing = attribute.key in row.SEALED and getattr(row, attribute.key) is None
        if missing and default is not None and default.is_scalar:
            setattr(row, attribute.key, default.arg)  # what the flush would fill in after us
    row.seal = seals_of(object_session(row)).of(_table(row), row.values())
    row.__dict__["_whole"] = True


event.listen(Sealed, "before_insert", _writing, propagate=True)
event.listen(Sealed, "before_update", _writing, propagate=True)
