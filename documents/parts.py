"""What a file says, place by place, and how files of unknown origin are opened without harm."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from xml.etree.ElementTree import Element  # only made here; strangers' XML goes through defusedxml

from defusedxml.common import DefusedXmlException

from documents import markup

Severity = Literal["block", "warn", "hint"]

LARGEST = 20_000_000  # bytes of one file
MOST_TEXT = 200_000  # characters read from one file
_MOST_ENTRIES = 3_000
_MOST_RELATED = 8_000_000  # bytes of relationships: a sheet of 60,000 links has 6,000,000
_LARGEST_ENTRY = 60_000_000  # a list of 5,000 persons in Word has 42,000,000
_LARGEST_WHOLE = 120_000_000
_RATIO = 400  # unpacked to packed, counted from a megabyte up; long lists have 50 to 200
# Tags and attributes. A list of 3,000 persons in Word has 1,100,000; a tree takes 200 bytes each.
_MOST_MARKS = 1_300_000
_MOST_TREES = 1_600_000  # of one file
_MOST_STREAMED = 4_000_000  # of one file, in what is read without a tree
_MOST_LINKS = 400_000  # 60,000 links have 300,000
_FEW = 10_000  # no work, however often


class Spot(NamedTuple):
    """Where words of a picture stand: from `start` to `end` of the text, and their box."""

    start: int
    end: int
    box: tuple[float, float, float, float]  # left, top, right, bottom: parts of its width


@dataclass(frozen=True)
class Part:
    """One stretch of text and where it stands; cells of one `column` are reported together.

    `spots` are there when it was read in a picture.
    """

    place: str
    text: str
    column: str = ""
    row: int = 0
    spots: tuple[Spot, ...] = ()


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file whatever its words say.

    `part` is the index of the part it stands in, or -1; `place` overrides that part's place.
    """

    rule: str
    severity: Severity
    reason: str
    part: int = -1
    text: str = ""
    place: str = ""


@dataclass(frozen=True)
class Reading:
    """All that was read from one file."""

    parts: tuple[Part, ...]
    faults: tuple[Fault, ...]


Wrong = tuple[str, Severity, str]
"""A kind of fault: rule, severity, and what is wrong and what to do."""

HIDDEN: Wrong = ("hidden", "warn", "有看不见的文字，读者能找出来，发布前请删除")
COMMENT: Wrong = ("comment", "block", "批注没有删除，发布前请删除全部批注")
AUTHOR: Wrong = ("properties", "warn", "带有个人姓名，发布前请清除文档属性")


class Unreadable(Exception):
    """A file that cannot be read; `fault` says why and what to do."""

    def __init__(self, rule: str, severity: Severity, reason: str) -> None:
        """Keep it as a fault."""
        super().__init__(reason)
        self.fault = Fault(f"secrecy.attachment-{rule}", severity, reason)


@dataclass
class Notes:
    """Collects parts and faults while a file is read; `opened` reads a file inside of it."""

    parts: list[Part] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    size: int = 0
    opened: Callable[[str, bytes], Reading] | None = None

    def add(self, place: str, text: str, column: str = "", row: int = 0) -> int:
        """Keep a text with its place; its index. Unreadable once there is too much."""
        room = MOST_TEXT - self.size
        # One more each: parts are joined by line ends when they are checked.
        self.size += len(text) + 1
        if room > 0:
            self.parts.append(Part(place, text[:room], column, row))
        if len(text) > room:
            reason = f"文字超过 {MOST_TEXT // 10_000} 万字，{place}以后的没有检查，请把文件拆成几个"
            raise Unreadable("too-long", "block", reason)
        return len(self.parts) - 1

    def found(self, place: str, text: str) -> None:
        """Keep a number that stands where nothing is read; few, and whatever was read before."""
        self.parts.append(Part(place, text, place))

    @property
    def full(self) -> bool:
        """Whether there was more than is read."""
        return self.size > MOST_TEXT

    def fault(self, rule: str, severity: Severity, reason: str) -> None:
        """Keep what is wrong with the file as a whole."""
        self.faults.append(Fault(f"secrecy.attachment-{rule}", severity, reason))

    def mark(self, part: int, wrong: Wrong, text: str = "", place: str = "") -> None:
        """Keep what is wrong at one place of the file."""
        rule, severity, reason = wrong
        self.faults.append(Fault(f"secrecy.attachment-{rule}", severity, reason, part, text, place))

    def inside(self, name: str, content: bytes) -> bool:
        """Keep what a file within this one says and hides; False when a person has to open it."""
        if self.opened is None:
            return False
        found = self.opened(name, content)
        first = len(self.parts)
        for part in found.parts:
            self.add(f"嵌入的 {name} 的{part.place}", part.text, part.column, part.row)
        for fault in found.faults:
            at = fault.part + first if fault.part >= 0 else -1
            place = f"嵌入的 {name} 的{fault.place or ''}" if at >= 0 else ""
            reason = fault.reason if at >= 0 else f"嵌入的 {name}：{fault.reason}"
            self.faults.append(replace(fault, part=at, place=place, reason=reason))
        return not any(fault.rule.endswith("-unreadable") for fault in found.faults)

    def unsaid(self) -> bool:
        """Whether nothing was read of the file itself and nothing told of it."""
        told = any(fault.severity != "hint" for fault in self.faults)
        return not told and not any(
            part.text.strip() for part in self.parts if not part.place.startswith(_BESIDE)
        )

    def reading(self) -> Reading:
        """What has been collected."""
        return Reading(tuple(self.parts), tuple(self.faults))


_BESIDE = ("文档属性", "文件内部")
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, KeyError, OSError, EOFError, NotImplementedError),
    *(RuntimeError, ValueError),
)


_Bytes = bytes  # within the class that is what it holds


class Archive:
    """A zip of XML files, opened with caps on entries, sizes and ratio; no DTD, no entities."""

    def __init__(
        self, content: bytes, *, read_on: Literal["never", "past-damage"] = "never"
    ) -> None:
        """Unreadable when it is no zip, a bomb, or encrypted.

        Past damage, an entry that cannot be read is empty, and is kept in `damaged`.
        """
        self._reads_on = read_on == "past-damage"
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except _DAMAGED as error:
            raise Unreadable("broken", "block", "文件不完整或已损坏，打不开，请重新上传") from error
        entries = self._zip.infolist()
        whole = sum(entry.file_size for entry in entries)
        if len(entries) > _MOST_ENTRIES or any(map(_bloated, entries)):
            raise Unreadable("bomb", "block", "文件解压后异常地大，已拒绝读取，请不要使用这个文件")
        largest = max((entry.file_size for entry in entries), default=0)
        if whole > _LARGEST_WHOLE or largest > _LARGEST_ENTRY:
            limit = (_LARGEST_ENTRY if largest > _LARGEST_ENTRY else _LARGEST_WHOLE) // 1_000_000
            reason = f"文件解压后超过 {limit} MB，无法检查，请拆成几个文件"
            raise Unreadable("too-large", "block", reason)
        if any(entry.flag_bits & 1 for entry in entries):
            raise Unreadable("encrypted", "block", "文件已加密，无法检查，请上传没有密码的文件")
        named = (entry.filename for entry in entries)
        # What a Mac packs beside is no part; one that leads there leads to what is missing.
        self.names = [name for name in named if not name.startswith("__MACOSX/")]
        self._folded = {name.lower(): name for name in self.names}
        self.comment = self._zip.comment
        self.read: set[str] = set()
        self.damaged: set[str] = set()
        self.swollen: set[str] = set()  # not read: there is more in it than in any document
        self._related = self._planted_marks = self._streamed = 0
        self.roots: dict[str, str] = {}  # entry -> what its outermost element is called

    def actual(self, name: str) -> str:
        """The name of the entry that is meant: in a package names have no case."""
        return name if name in self.names else self._folded.get(name.lower(), name)

    def matching(self, pattern: str) -> list[str]:
        """Names of entries, in the order of their numbers; whatever the case of their letters."""
        found = [name for name in self.names if re.fullmatch(pattern, name, re.IGNORECASE)]
        return sorted(found, key=lambda name: (len(name), name))

    def bytes(self, name: str) -> bytes:
        """One entry, never more than it claims to hold; Unreadable when it is damaged."""
        self.read.add(name)
        try:
            with self._zip.open(name) as entry:
                content = entry.read(_LARGEST_ENTRY + 1)
        except _DAMAGED as error:
            if self._reads_on:
                self.damaged.add(name)
                return b""
            raise Unreadable("broken", "block", "文件不完整或已损坏，打不开，请重新上传") from error
        if len(content) > _LARGEST_ENTRY:
            raise Unreadable("bomb", "block", "文件解压后异常地大，已拒绝读取，请不要使用这个文件")
        return content

    def xml(self, name: str) -> Any:
        """One entry as an element tree; None when there is no such entry."""
        name = self.actual(name)
        if name not in self.names:
            return None
        content = self.bytes(name)
        if name.endswith(".rels"):  # looked at more than once, each time as a whole
            self._related += len(content)
            many = markup.marks(content) > _MOST_LINKS or len(content) > _MOST_RELATED
            if many or self._related > 3 * _MOST_RELATED:
                return self._unparsed(name, ValueError("more relationships than a document has"))
        else:
            if markup.marks(content) > _MOST_MARKS:
                content = markup.plainer(content)
            if not self._may_plant(name, content):
                return Element("swollen")
        return self._tree(name, content)

    def passing(self, name: str) -> Any:
        """The same for one of many, a page or a slide, that is let go before the next is asked."""
        name = self.actual(name)
        if name not in self.names:
            return None
        content = self.bytes(name)
        if markup.marks(content) > _MOST_MARKS or not self._may_stream(name, content):
            self._refused(name)
            return Element("swollen")
        return self._tree(name, content)

    def _tree(self, name: str, content: _Bytes) -> Any:
        try:
            tree = markup.tree(content)
        except markup.MALFORMED as error:
            return self._unparsed(name, error)
        self.roots[name] = local(tree)
        return tree

    def _may_plant(self, name: str, content: _Bytes) -> bool:
        cost = markup.marks(content)
        self._planted_marks += cost
        fits = cost <= _MOST_MARKS and self._planted_marks <= _MOST_TREES
        return fits or cost < _FEW or self._refused(name)

    def _may_stream(self, name: str, content: _Bytes) -> bool:
        self._streamed += markup.marks(content)
        return self._streamed <= _MOST_STREAMED or self._refused(name)

    def _refused(self, name: str) -> Literal[False]:
        if not self._reads_on:
            raise _swollen(name)
        self.swollen.add(name)
        return False

    def walk(self, name: str) -> Iterator[Any]:
        """The elements of one large entry as they end, so that they can be let go."""
        content = self.bytes(name)
        self.roots[name], outermost = "", None  # unknown while nobody has come to its end
        if not self._may_stream(name, content):
            return
        try:
            for outermost in markup.ended(content):
                yield outermost
            self.roots[name] = local(outermost)
        except markup.MALFORMED as error:
            self._unparsed(name, error)

    def look(self, name: str) -> None:
        """See that one entry is whole and what its outermost element is, without keeping it."""
        try:
            self.roots[name] = markup.root(self.bytes(name))
        except markup.MALFORMED as error:
            self._unparsed(name, error)

    def words(self, name: str) -> str:
        """All that one entry says, in its text and in its attributes."""
        content = self.bytes(name)
        if not self._may_stream(name, content):
            return ""
        try:
            return markup.words(content, MOST_TEXT)
        except markup.MALFORMED as error:
            self._unparsed(name, error)
            return ""

    def started(self, name: str, take: markup.Started) -> None:
        """Call `take` for every element of one entry as it starts."""
        content = self.bytes(name)
        if not self._may_stream(name, content):
            return
        try:
            markup.each_start(content, take)
        except markup.MALFORMED as error:
            self._unparsed(name, error)

    def _unparsed(self, name: str, error: Exception) -> Any:
        """An empty element past damage; else, and for what is made to harm, Unreadable."""
        if self._reads_on and not isinstance(error, DefusedXmlException):
            self.damaged.add(name)
            return Element("damaged")
        raise _malformed(name) from error


def _bloated(entry: zipfile.ZipInfo) -> bool:
    big = entry.file_size > 1_000_000
    return big and entry.file_size > _RATIO * max(entry.compress_size, 1)


def _malformed(name: str) -> Unreadable:
    return Unreadable(
        "malformed", "block", f"内部结构 {name} 不合规，可能是恶意文件，已拒绝读取，请不要使用"
    )


def _swollen(name: str) -> Unreadable:
    reason = f"内部部件 {name} 异常地大，机器没有读，请用原来的软件打开核对，拆分或另存后重新上传"
    return Unreadable("too-long", "block", reason)


def local(node: Any) -> str:
    """The name of an element without its namespace."""
    return _local(node.tag)


@lru_cache(maxsize=4096)
def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(node: Any, name: str) -> str:
    """An attribute whatever its namespace; empty when absent."""
    if name in node.attrib:
        return str(node.attrib[name])
    for key, value in node.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return ""


def named(node: Any, *names: str) -> Iterator[Any]:
    """The descendants with one of these names, whatever their namespace."""
    wanted: dict[object, bool] = {}  # asked of each kind of element once: trees are large
    for each in node.iter():
        is_one = wanted.get(each.tag)
        if is_one is None:
            is_one = wanted[each.tag] = local(each) in names
        if is_one:
            yield each


def rows_of(rows: Sequence[int]) -> str:
    """第 2 行; 第 2 至 51 行; 第 2、5、9 等 7 行."""
    ordered = sorted(set(rows))
    if len(ordered) == 1:
        return f"第 {ordered[0]} 行"
    if ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"第 {ordered[0]} 至 {ordered[-1]} 行"
    shown = "、".join(str(row) for row in ordered[:5])
    return f"第 {shown} 行" if len(ordered) <= 5 else f"第 {shown} 等 {len(ordered)} 行"
