"""The index of a library: taken from disk, changed by what changed, or built from compared rows.

A change of one policy costs the clauses of that policy. Each state has a folder of its own, named
after what was signed, so that processes share it and none opens what another is writing.
"""

import asyncio
import os
import secrets
import shutil
from collections.abc import Callable, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from knowledge.models import Clause
from knowledge.proof import CLAUSE_COLUMNS, SignedPolicy, Verified, clause_hash, is_same
from knowledge.search import Doc, Index
from storage.database import Database

_FORMAT = 3  # of the index; a new number makes every stored index be built again
_LISTS = (".json", ".lock")
_PAGE = 500  # policies of one question to the database

Before = tuple[Verified, Index]


class Indexes:
    """Where indexes are kept: `directory`, or memory where it is None."""

    def __init__(self, db: Database, directory: Path | None) -> None:
        """`db` holds the clauses."""
        self._db, self._directory = db, directory

    async def of(self, library: Verified, before: Before | None) -> Index:
        """The index of this library; `before` is an older one and its index."""
        if before is not None and before[0].name == library.name:
            return before[1]
        place = self._place(library)
        if place is not None and place.exists():
            return await self._open(place, library)
        if before is None:
            made = await self.docs(library, set(library.policies))
            if place is None:
                return await asyncio.to_thread(Index.build, made)
            await asyncio.to_thread(_store, place, lambda new: Index.build(made, new))
            return await self._open(place, library)
        gone, renewed = _difference(before[0], library)
        docs = await self.docs(library, renewed)
        if place is None:
            return await asyncio.to_thread(before[1].changed, gone, docs)
        await asyncio.to_thread(_store_changed, place, self._place(before[0]), gone, docs)
        # Another process may have thrown the older folder away: then all of it is built.
        return await (self._open(place, library) if place.exists() else self.of(library, None))

    async def _open(self, place: Path, library: Verified) -> Index:
        try:
            return await asyncio.to_thread(Index.open, place)
        except ValueError:  # files of an index that are none: they are only derived
            return await self.anew(library)

    async def anew(self, library: Verified) -> Index:
        """The index from compared rows alone, in memory; what lay on disk is thrown away."""
        if (place := self._place(library)) is not None:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        docs = await self.docs(library, set(library.policies))
        return await asyncio.to_thread(Index.build, docs)

    def _place(self, library: Verified) -> Path | None:
        return self._directory and self._directory / f"{_FORMAT}-{library.name}"

    async def docs(self, library: Verified, policies: Set[str]) -> list[Doc]:
        keys, found = sorted(policies), []
        for at in range(0, len(keys), _PAGE):
            query = select(*CLAUSE_COLUMNS).where(Clause.policy_id.in_(keys[at : at + _PAGE]))
            query = query.order_by(Clause.policy_id, Clause.number)
            rows = await self._db.read(partial(_all, query=query))
            found += [
                Doc(row.id, named(library.policies[row.policy_id], row), row.text, row.policy_id)
                for row in rows
                # Compared once more: these rows were read after those that were proved.
                if library.clauses.get(row.id) == (row.policy_id, clause_hash(row))
            ]
        return found


def _all(session: Session, query: Select[Any]) -> Sequence[Any]:
    return session.execute(query).all()


def named(policy: SignedPolicy, clause: Any) -> str:
    """What is searched beside the words of a clause."""
    return " ".join(part for part in (policy.title, policy.doc_number, clause.heading) if part)


def _difference(before: Verified, now: Verified) -> tuple[list[str], set[str]]:
    """Keys of clauses that go, and the policies whose clauses come (anew)."""
    renewed = {
        key for key, one in now.policies.items() if not is_same(one, before.policies.get(key))
    }
    touched = renewed | (set(before.policies) - set(now.policies))
    return [key for key, one in before.clauses.items() if one[0] in touched], renewed


def _store_changed(
    place: Path, older: Path | None, gone: Sequence[str], docs: Sequence[Doc]
) -> None:
    def change(new: Path) -> None:
        shutil.copytree(older or new, new, copy_function=_linked)
        Index.open(new).changed(gone, docs)

    try:
        _store(place, change)
    except (OSError, ValueError):
        return


def _linked(source: str, target: str) -> None:
    """Files of an index are written once; only what lists them is replaced."""
    try:
        if source.endswith(_LISTS):
            raise OSError
        os.link(source, target)
    except OSError:  # a list, or a disk without links
        shutil.copy2(source, target)


def _store(place: Path, make: Callable[[Path], Any]) -> None:
    """Build beside and move into place, so that a half-built index is never opened."""
    building = place.with_name(f"{place.name}.{secrets.token_hex(8)}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        make(building)
    except (OSError, ValueError):
        shutil.rmtree(building, ignore_errors=True)
        raise
    try:
        building.rename(place)
    except OSError:  # another process was first with the same state
        shutil.rmtree(building, ignore_errors=True)
    for old in place.parent.iterdir():
        if old.is_dir() and "." not in old.name and old != place:
            shutil.rmtree(old, ignore_errors=True)
