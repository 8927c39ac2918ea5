"""Reply templates in force: what passed the review queue, proved by signed entries.

The newest signed word about a template decides: `templates.started` (what the office began with),
`template.released` (an item of kind 回复模板 that passed) or `template.withdrawn`. The table keeps
the text. A template that was withdrawn, has expired or cannot be proved is not used, and neither
is an earlier version of it: `unavailable` is said in its place, and when that is gone too, nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from config.clock import now
from handlers.templates import FIELDS, LABELS, PIECES, TemplateError, check_template, filled
from ledger.append import Ledger, Transaction
from ledger.changed import row_changed
from ledger.following import Following
from ledger.verify import Broken, Entry
from review_queue.canonical import Draft
from review_queue.shelf import ShelfEntry, Shelved, Withdrawing
from staff.proposed import seal
from staff.refusal import Reason, refuse
from storage.database import Base

SUBJECT = "templates"
STARTED, RELEASED, WITHDRAWN = "templates.started", "template.released", "template.withdrawn"
FALLBACK = "unavailable"
LOOKING, LOOKING_MUTE = "looking", "looking_mute"
KIND = "回复模板"


class ReplyTemplate(Base):
    """One released version of a template; the signed entry carries the digest of its text."""

    __tablename__ = "reply_template"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    item_id: Mapped[str | None] = mapped_column(String(26), index=True)
    not_after: Mapped[datetime | None]
    at: Mapped[datetime]


@dataclass(frozen=True)
class Standing:
    """What the signed entries say of one template. `item` is "" for a starting text."""

    name: str
    version: int
    digest: str
    seq: int
    item: str = ""
    not_after: datetime | None = None
    withdrawn: bool = False

    @property
    def expired(self) -> bool:
        """Whether its last day has passed."""
        return self.not_after is not None and now() > self.not_after


def digest_of(name: str, version: int, text: str) -> str:
    """What a signed entry keeps of a template; it names one version only."""
    return seal({"template": name, "version": version, "text": text})[1]


def standings(entries: Sequence[Entry]) -> dict[str, Standing]:
    """The last signed word about each template."""
    found: dict[str, Standing] = {}
    for entry in entries:
        body = entry.body
        if entry.kind == STARTED:
            for name, digest in body["templates"].items():
                found[name] = Standing(name, 1, digest, entry.seq)
        elif entry.kind == RELEASED:
            name, until = body["template"], datetime.fromisoformat(body["not_after"])
            found[name] = Standing(
                name, body["version"], body["digest"], entry.seq, body["item"], until
            )
        elif entry.kind == WITHDRAWN and body["template"] in found:
            old = found[body["template"]]
            found[old.name] = Standing(
                old.name, old.version, old.digest, entry.seq, old.item, withdrawn=True
            )
    return found


async def seed_templates(tx: Transaction, texts: Mapping[str, str]) -> None:
    """The first signed version of these templates: what an office starts with."""
    for name, text in texts.items():
        check_template(name, text)
        tx.session.add(
            ReplyTemplate(
                name=name,
                version=1,
                text=text,
                digest=digest_of(name, 1, text),
                item_id=None,
                not_after=None,
                at=now(),
            )
        )
    body = {"templates": {name: digest_of(name, 1, text) for name, text in texts.items()}}
    await tx.append(STARTED, subject=SUBJECT, actor="init", body=body)


class ReleasedTemplates:
    """The templates of one office; `refresh` before use keeps several processes together."""

    def __init__(self, ledger: Ledger) -> None:
        """Nothing is read before the first `refresh`."""
        self.ledger = ledger
        self._standing: dict[str, Standing] = {}
        self._texts: dict[str, tuple[Standing, str]] = {}
        self._following = Following(ledger, SUBJECT, self._load)

    async def refresh(self, age: float = 0.0) -> None:
        """Read what was released or withdrawn since; with `age` unless it was just looked at."""
        await self._following.refresh(age)

    async def compare(self) -> None:
        """Look at every row once more: a job does so."""
        await self._following.compare()

    def look_again(self) -> None:
        """What this process is just releasing counts at the next look."""
        self._following.look_again()

    def standing(self, name: str) -> Standing | None:
        """The last signed word about a template, for lists; None when there is none."""
        return self._standing.get(name)

    def source(self, name: str) -> tuple[int, str] | None:
        """Version and unfilled text of a template that may be used now, or None."""
        standing, text = self._texts.get(name, (None, ""))
        return None if standing is None or standing.expired else (standing.version, text)

    def drop_all(self) -> Mapping[str, Standing]:
        """Use no template any more in this process; what was last known of each."""
        self._texts = {}
        return self._standing

    def usable(self, *names: str) -> bool:
        """Whether every one of these templates may be used now."""
        return all(self.source(name) is not None for name in names)

    def text(self, name: str, **fields: str) -> str:
        """The filled text; what `unavailable` says for a template that may not be used now.

        TemplateError for a part of a quotation that may not be used, for an unknown template, and
        for a missing, extra or unknown field.
        """
        if name not in FIELDS:
            raise TemplateError(f"不认识的回复模板 {name}")
        found = self.source(name)
        if found is None and name in PIECES:
            raise TemplateError(f"回复模板“{LABELS[name]}”已停用或不能确认，不能引用政策答复")
        if found is None:
            found, name, fields = self.source(FALLBACK), FALLBACK, {}
        return filled(name, found[1], fields) if found else ""

    async def _load(self, entries: Sequence[Entry], again: bool) -> bool:  # noqa: FBT001  see Load
        self._standing = standings(entries)
        rows = await self._rows()
        texts: dict[str, tuple[Standing, str]] = {}
        changed: list[Standing] = []
        for name, standing in self._standing.items():
            if standing.withdrawn or name not in FIELDS:
                continue
            text, held = rows.get((name, standing.version)), self._texts.get(name)
            if text is not None and digest_of(name, standing.version, text) == standing.digest:
                texts[name] = (standing, text)
                continue
            changed.append(standing)
            # The last proved text of this same release is still what was reviewed.
            if held is not None and held[0] == standing:
                texts[name] = held
        self._texts = texts
        for one in changed:
            await row_changed(self.ledger, "reply_template", f"{one.name}:{one.version}")
        return not changed

    async def _rows(self) -> dict[tuple[str, int], str]:
        query = select(ReplyTemplate.name, ReplyTemplate.version, ReplyTemplate.text)
        async with self.ledger.db.session() as session:
            rows = (await session.execute(query)).all()
        return {(name, version): text for name, version, text in rows}


def looking(templates: ReleasedTemplates, name: str = LOOKING) -> str:
    """The template that says an answer follows; "" where it may not be used now."""
    return name if templates.usable(name) else ""


class TemplateShelf(Withdrawing[Standing]):
    """Where items of kind 回复模板 end (review_queue/shelf.py); `entry` names the template."""

    def __init__(self, templates: ReleasedTemplates) -> None:
        """The templates that what is put here changes."""
        self._templates = templates

    async def faults(self, draft: Draft) -> list[Reason]:
        """A text that the program could not fill is refused before anybody reads it."""
        try:
            check_template(draft.entry, draft.body)
        except TemplateError as error:
            return [Reason("template", str(error))]
        return []

    async def put(self, tx: Transaction, one: Shelved) -> None:
        """The next version of the template, in use from the commit on."""
        refuse(await self.faults(one.draft))
        entries = await self._templates.ledger.facts(SUBJECT)
        # A row set back by SQL must not bring an old text into use once more.
        if any(one.release_id == entry.body.get("release") for entry in entries):
            return
        name, text = one.draft.entry, one.draft.body
        old = standings(entries).get(name)
        version = old.version + 1 if old else 1
        row = ReplyTemplate(
            name=name,
            version=version,
            text=text,
            digest=digest_of(name, version, text),
            item_id=one.item_id,
            not_after=one.draft.not_after,
            at=now(),
        )
        tx.session.add(row)
        body: dict[str, Any] = {
            "template": name,
            "version": version,
            "digest": row.digest,
            "item": one.item_id,
            "release": one.release_id,
            "revision": one.digest,
            "not_after": one.draft.not_after.isoformat(),
        }
        await tx.append(RELEASED, subject=SUBJECT, actor="system", body=body)
        self._templates.look_again()

    async def entries(self) -> list[ShelfEntry]:
        """Every template, in the order of the list."""
        await self._templates.refresh()
        return [self._entry(name) for name in FIELDS]

    def _entry(self, name: str) -> ShelfEntry:
        standing, source = self._templates.standing(name), self._templates.source(name)
        if standing is None:
            return ShelfEntry(name, LABELS[name], "changed", fields=tuple(sorted(FIELDS[name])))
        state = "in_use" if source else "changed"
        if standing.withdrawn:
            state = "withdrawn"
        elif standing.expired:
            state = "expired"
        return ShelfEntry(
            key=name,
            label=LABELS[name],
            state=state,
            version=standing.version,
            text=source[1] if source else "",
            fields=tuple(sorted(FIELDS[name])),
            item_id=standing.item,
            not_after=standing.not_after,
        )

    async def _standings(self) -> Mapping[str, Standing]:
        """Of the ledger; of a broken one as it was read last: taking back must always work."""
        try:
            return standings(await self._templates.ledger.facts(SUBJECT))
        except Broken:
            return self._templates.drop_all()

    async def _withdraw(self, tx: Transaction, one: Standing, by: str) -> None:
        body = {"template": one.name, "version": one.version, "item": one.item}
        await tx.append(WITHDRAWN, subject=SUBJECT, actor=by, body=body)
        self._templates.look_again()
