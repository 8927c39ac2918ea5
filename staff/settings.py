"""Settings of the office as signed texts: what two people approved, whatever any file says.

A `Part` is one text: opening hours, trigger words, synonyms. The newest signed `setting.approved`
says which version is in force; the table keeps its text and is compared with the signed digest.
The files of the program are starting values: an office reads them once, when it is made.
"""

import asyncio
import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from config.clock import now
from config.texts import FieldFault, TextFault, read_text
from ledger.append import Ledger, Transaction
from ledger.changed import row_changed
from ledger.following import Following
from ledger.verify import Broken, Entry
from staff.models import Setting
from staff.proposals import Approval
from staff.proposed import seal
from staff.refusal import Reason, Refused

SUBJECT = "settings"
APPROVED = "setting.approved"
MAX_TEXT = 200_000
MOST_LINES = 2000  # a difference of lines that repeat takes the square of their number
MAX_LINES = 300  # of a difference that a page shows
MOST_SAID = 20  # faults that one refusal names


def _follows(before: Any, after: Any) -> Iterable[FieldFault]:
    return ()


def _silent(before: Any, after: Any) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Part:
    """One setting. `read` makes its value of the parsed YAML; FieldFault says what is wrong.

    `stops` says in words what the office does not do while this setting cannot be proved. With the
    value in force and the one proposed, `follows` gives why that one cannot follow it, and `tells`
    what the change does to what already stands, for who approves it.
    """

    name: str
    label: str
    read: Callable[[Any], Any]
    stops: str
    follows: Callable[[Any, Any], Iterable[FieldFault]] = _follows
    tells: Callable[[Any, Any], Sequence[str]] = _silent

    @property
    def file(self) -> str:
        """The name of the file a new office starts with."""
        return f"{self.name}.yaml"

    def value(self, text: str) -> Any:
        """The value of a text; TextFault names file, line and field."""
        return read_text(text, self.file, self.read)


@dataclass(frozen=True)
class Held:
    """What is in force: `seq` is the signed entry that says so."""

    version: int
    seq: int
    text: str
    value: Any


def digest_of(name: str, version: int, text: str) -> str:
    """What a signed entry keeps of a setting; it names one version only."""
    return seal({"name": name, "version": version, "text": text})[1]


async def store_setting(
    tx: Transaction, name: str, version: int, text: str, approval: Approval
) -> None:
    """Keep a version and sign it: from the commit on it is the one in force."""
    digest = digest_of(name, version, text)
    tx.session.add(
        Setting(
            name=name,
            version=version,
            text=text,
            digest=digest,
            proposal_id=approval.proposal_id,
            proposed_by=approval.proposed_by,
            approved_by=approval.approved_by,
            approved_seq=approval.seq,
            approved_at=now(),
        )
    )
    await tx.append(
        APPROVED,
        subject=SUBJECT,
        actor=approval.approved_by,
        body={
            "setting": name,
            "version": version,
            "digest": digest,
            "proposal": approval.proposal_id,
        },
    )


class SignedSettings:
    """The settings of one office. Several processes agree: the ledger is asked at each look.

    A row that is not what was signed is never used: the last proved version stays in memory, and
    an office that starts has none of that part (`held` refuses) until the row is right again.
    """

    def __init__(self, ledger: Ledger, parts: Iterable[Part]) -> None:
        """Nothing is read before the first `refresh`."""
        self.ledger = ledger
        self.parts = {part.name: part for part in parts}
        self._held: dict[str, Held] = {}
        self._following = Following(ledger, SUBJECT, self._load)

    def held(self, name: str) -> Any:
        """The value in force, as `refresh` read it last; Refused 409 when none is proved."""
        if name not in self._held:
            part = self.parts[name]
            words = f"设置“{part.label}”与签名的台账不符或尚未核对，{part.stops}"
            raise Refused(409, [Reason("setting", f"{words}：请看事件页，由两人重新批准一版")])
        return self._held[name].value

    def in_force(self, name: str) -> Any:
        """Stands for the value wherever it is kept for good: each look at it is at the one of now.

        Typed `Any`, because it behaves as whatever the part's `read` makes.
        """
        return _InForce(self, name)

    async def refresh(self, age: float = 0.0) -> None:
        """Read what was approved since; with `age` (seconds) unless it was just looked at."""
        await self._following.refresh(age)

    async def compare(self) -> None:
        """Look at every row once more, although nothing new was approved: a job does so."""
        await self._following.compare()

    def look_again(self) -> None:
        """What this process is just approving counts at the next look."""
        self._following.look_again()

    async def newest(self) -> Mapping[str, Entry]:
        """The signed entry in force of each part; Refused 409 when the ledger does not hold."""
        try:
            entries = await self.ledger.facts(SUBJECT)
        except Broken as broken:
            words = f"台账核验不通过，设置无法确认：{broken}"
            raise Refused(409, [Reason("ledger", words)]) from broken
        return _newest_of(entries)

    async def history(self, name: str) -> Sequence[Setting]:
        """Every version of a part, newest first; for lists."""
        query = select(Setting).where(Setting.name == name).order_by(Setting.version.desc())
        async with self.ledger.db.session() as session:
            return (await session.scalars(query)).all()

    def proved(self, name: str) -> Held | None:
        """What is in force with its version and text; None while it cannot be proved."""
        return self._held.get(name)

    async def _load(self, entries: Sequence[Entry], again: bool) -> bool:  # noqa: FBT001  see Load
        newest, whole = _newest_of(entries), True
        for name, part in self.parts.items():
            entry, held = newest.get(name), self._held.get(name)
            if entry is None or (held is not None and held.seq == entry.seq and not again):
                continue
            if (read := await self._read(part, entry)) is None:
                whole = False
            else:
                self._held[name] = read
        return whole

    async def _read(self, part: Part, entry: Entry) -> Held | None:
        version = entry.body["version"]
        async with self.ledger.db.session() as session:
            row = await session.get(Setting, (part.name, version))
        text = row.text if row else ""
        if row is None or digest_of(part.name, version, text) != entry.body["digest"]:
            await row_changed(self.ledger, "setting", f"{part.name}:{version}")
            return None
        try:
            # Reading a taxonomy takes a tenth of a second: not on the event loop.
            value = await asyncio.to_thread(part.value, text)
        except TextFault as fault:
            # Approved with an earlier program that read more than this one does.
            await self.ledger.open_incident(
                "setting_unusable",
                subject=f"setting:{part.name}",
                message=f"设置“{part.label}”第 {version} 版不能使用，{part.stops}：{fault}",
                detail={"setting": part.name, "version": version},
            )
            return None
        return Held(version, entry.seq, text, value)


def _newest_of(entries: Iterable[Entry]) -> dict[str, Entry]:
    return {one.body["setting"]: one for one in entries if one.kind == APPROVED}


class _InForce:
    """Passes every look on to the value that is in force at that moment."""

    def __init__(self, settings: SignedSettings, name: str) -> None:
        self._settings, self._name = settings, name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._settings.held(self._name), attribute)


class SettingKind:
    """{name, text}: the whole text of one setting."""

    label = "设置变更"
    proposers = frozenset({"admin"})

    def __init__(self, settings: SignedSettings) -> None:
        """The settings that a proposal changes."""
        self._settings = settings

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The setting."""
        return f"setting:{payload['name']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The next version, read by the very loader that will read it in force."""
        name, text = str(payload.get("name", "")), payload.get("text")
        part = self._settings.parts.get(name)
        if part is None:
            known = "、".join(self._settings.parts)
            raise Refused(422, [Reason("name", f"没有“{name}”这项设置，只能是：{known}")])
        if not isinstance(text, str) or not 0 < len(text) <= MAX_TEXT:
            raise Refused(422, [Reason("text", f"text 应为 1 至 {MAX_TEXT} 字的文本")])
        text = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n") + "\n"
        if text.count("\n") > MOST_LINES:
            words = f"一项设置最多 {MOST_LINES} 行：请把词写在一行的方括号里"
            raise Refused(422, [Reason("text", words)])
        await self._settings.refresh()
        signed = (await self._settings.newest()).get(name)
        version = signed.body["version"] + 1 if signed else 1
        if payload.get("version", version) != version:
            words = f"设置“{part.label}”在提出之后又有变化：请收回后按新的文本重新提出"
            raise Refused(409, [Reason("overtaken", words)])
        held = self._settings.proved(name)
        try:
            value = await asyncio.to_thread(part.value, text)
        except TextFault as fault:
            raise Refused(422, [Reason("text", str(fault))]) from fault
        if held is not None and held.text == text:
            raise Refused(422, [Reason("text", f"设置“{part.label}”没有变化")])
        if held is not None and (wrong := [*part.follows(held.value, value)]):
            raise Refused(422, [Reason("text", f"{part.file}：{one}") for one in wrong[:MOST_SAID]])
        return {"name": name, "version": version, "text": text}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Which lines go and which come."""
        part, held = self._settings.parts[payload["name"]], self._settings.proved(payload["name"])
        before = held.text if held else ""
        lines = await asyncio.to_thread(_lines, before, payload["text"])
        head = {"sign": "~", "text": f"设置“{part.label}”改为第 {payload['version']} 版"}
        more = len(lines) - MAX_LINES
        told = [*part.tells(held.value, part.value(payload["text"]))] if held else []
        if more > 0:
            told.append(f"另有 {more} 行有变化，没有列出：请对照全文")
        return {
            "changes": [head, *lines[:MAX_LINES]],
            "warnings": told,
            "note": "批准后马上生效，不用重新启动；程序文件夹里的文件不会再被读取。",
        }

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """In force from the commit on, in every process."""
        name, version = payload["name"], payload["version"]
        if await tx.session.get(Setting, (name, version)) is not None:
            raise Refused(409, [Reason("overtaken", "这项设置刚刚有变化，请重新提出")])
        await store_setting(tx, name, version, payload["text"], approval)
        self._settings.look_again()
        return {"setting": name, "version": version}


def _lines(before: str, after: str) -> list[dict[str, str]]:
    """The lines that differ, in the order of the text."""
    rows = [*difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")]
    # The first two lines name files, and @@ says where a run of changed lines stands.
    told = (row for row in rows[2:] if not row.startswith("@@") and row[1:].strip())
    return [{"sign": row[0], "text": row[1:]} for row in told]
