"""Files and folders through the five gates, for `shenfa check`: an office's back catalogue."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from documents.parts import Unreadable
from documents.plain import CUT, decoded
from documents.reader import PICTURES, SUFFIXES, read_attachment
from documents.sight import Eyes, may_show, with_seen
from gates.attachments import FileDraft, file_findings
from gates.engine import run_gates
from gates.finding import Facts, Finding, GateText
from gates.limits import NAMES, WHOLE_FILES
from gates.rules import RuleSet
from gates.spelling import Speller

SEVERITIES = {"block": "必须改", "warn": "要核对", "hint": "供参考"}
_TEXTS = frozenset((".txt", ".md"))


@dataclass(frozen=True)
class Checker:
    """What all files of one run are checked with."""

    ruleset: RuleSet
    facts: Facts
    as_of: date
    include_hints: bool = False
    speller: Speller | None = None
    eyes: Eyes | None = None

    def check(self, path: Path) -> "Checked":
        """The findings of one file; OSError when it cannot be opened."""
        content = path.read_bytes()
        # Text files are read as texts, so that line and column can be named.
        if path.suffix.lower() in _TEXTS:
            try:
                text = decoded(content)
                if not text.endswith(CUT):
                    return self._text(path, text)
            except Unreadable:
                pass  # told as a fault of the file below
        reading = read_attachment(path.name, content)
        if may_show(path.name, PICTURES):
            seen = self.eyes.read(path.name, content) if self.eyes else None
            reading = with_seen(reading, seen)
        file = FileDraft(path.name, reading, "", self.as_of)
        found = file_findings(file, self.ruleset, self.facts, include_hints=self.include_hints)
        places = {part.place for part in reading.parts} | {fault.place for fault in reading.faults}
        placed = [_from_reason(one, places) for one in found]
        return Checked(path, tuple(placed))

    def _text(self, path: Path, text: str) -> "Checked":
        draft = GateText("", text, "", self.as_of, limits=WHOLE_FILES)
        found = run_gates(
            draft,
            self.ruleset,
            self.facts,
            include_hints=self.include_hints,
            speller=self.speller,
        )
        return Checked(
            path, tuple(Placed(_line(text, one.start), one, one.reason) for one in found)
        )


@dataclass(frozen=True)
class Placed:
    """A finding, where it is in words, and its reason without the place."""

    place: str
    finding: Finding
    reason: str


@dataclass(frozen=True)
class Checked:
    """One file and what was found in it."""

    path: Path
    found: tuple[Placed, ...]

    @property
    def blocked(self) -> bool:
        """Whether something in it has to be mended."""
        return any(one.finding.severity == "block" for one in self.found)

    def as_record(self) -> dict[str, object]:
        """The shape of the `--jsonl` answer, with the place of each finding besides."""
        return {"id": str(self.path), "findings": [_as_row(one) for one in self.found]}

    def lines(self) -> Iterator[str]:
        """A line a finding, for a person."""
        for one in self.found:
            told = one.finding
            # Control characters of a foreign file must not reach the terminal.
            text = "".join(char if char.isprintable() else " " for char in told.text)
            line = (
                f"{self.path} {one.place} [{NAMES[told.gate]} {SEVERITIES[told.severity]}] "
                f"{text[:60]}：{one.reason}（依据：{told.basis}）"
            )
            yield line + (f"建议：{'；'.join(told.suggestions)}" if told.suggestions else "")


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files named, and what can be read in the folders named; FileNotFoundError names one."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(
                each
                for each in path.rglob("*")
                if each.is_file()
                and each.suffix.lower() in SUFFIXES
                # Hidden folders, and the lock files that office programs leave beside an open
                # document.
                and not any(part.startswith((".", "~$")) for part in each.relative_to(path).parts)
            )
        elif path.exists():
            files.append(path)
        else:
            raise FileNotFoundError(str(path))
    return files


def summary(checked: Iterable[Checked]) -> str:
    """One line over all files."""
    files = list(checked)
    counts = {
        level: sum(one.finding.severity == level for file in files for one in file.found)
        for level in SEVERITIES
    }
    told = "，".join(f"{SEVERITIES[level]} {count} 处" for level, count in counts.items() if count)
    faulty = sum(bool(file.found) for file in files)
    verdict = f"{faulty} 个有问题：{told}" if told else "没有发现问题"
    return f"检查了 {len(files)} 个文件，{verdict}"


def _line(text: str, start: int) -> str:
    begin = text.rfind("\n", 0, start) + 1
    return f"第 {text.count(chr(10), 0, start) + 1} 行第 {start - begin + 1} 字"


def _from_reason(one: Finding, places: set[str]) -> Placed:
    """Findings in attachments carry their place at the head of the reason."""
    place, mark, reason = one.reason.partition("：")
    known = mark and (place in places or not one.rule.startswith("secrecy.attachment"))
    return Placed(place, one, reason) if known else Placed("", one, one.reason)


def _as_row(one: Placed) -> dict[str, object]:
    row = asdict(one.finding) | {"place": one.place, "suggestions": list(one.finding.suggestions)}
    del row["waivable"]
    if row["box"] is None:
        del row["box"]
    return row
