"""Settings as texts: YAML read with a place for every fault, so that a person finds the line."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml

from config.faults import Fault

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 20  # a taxonomy is seven deep
Step = str | int
Value = TypeVar("Value")


class TextFault(Fault, ValueError):
    """A settings text that cannot be used; one line that names file, line and field."""


class FieldFault(ValueError):
    """What is wrong with one field; `where` leads to it from the top of the file."""

    def __init__(self, words: str, *where: Step) -> None:
        """`words` say what is wrong and how it is mended."""
        super().__init__(words)
        self.where = where


@dataclass(frozen=True)
class Parsed:
    """A YAML text as data, and where in the text each part of it stands."""

    data: Any
    _node: Any = field(default=None, repr=False)

    def line(self, where: Sequence[Step]) -> int:
        """The line of the deepest part of `where` that is there; 0 for none."""
        line, node = 0, self._node
        for step in where:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line

    def twice(self) -> Iterator[tuple[Step, ...]]:
        """Each name that stands twice in one place: YAML keeps the last without a word."""
        yield from _twice(self._node, ())


def parse_text(text: str, file: str) -> Parsed:
    """A YAML text with its places; TextFault names file and line of what is no YAML."""
    try:
        _look_through(text, file)
        node, data = _loaded(text, file)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"第 {mark.line + 1} 行" if mark else "某处"
        raise TextFault(f"{file}：{line}不是有效的 YAML，请检查缩进和引号") from error
    return Parsed(data, node)


def read_text(text: str, file: str, read: Callable[[Any], Value]) -> Value:
    """The value `read` makes of a YAML text; TextFault names file, line and field."""
    parsed = parse_text(text, file)
    try:
        return read(parsed.data)
    except FieldFault as fault:
        raise TextFault(f"{file}{_place(parsed, fault.where)}：{fault}") from fault


def _loaded(text: str, file: str) -> tuple[Any, Any]:
    """The nodes of a text, which know their lines, and the data built of these very nodes."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    except ValueError as error:
        # A day like 2026-13-45 is refused by the loader itself; what it was building has the place.
        wrong = [*loader.recursive_objects][-1]
        words = f"第 {wrong.start_mark.line + 1} 行没有“{wrong.value}”这样的日期或数"
        raise TextFault(f"{file}：{words}，请改正") from error
    finally:
        loader.dispose()


def _look_through(text: str, file: str) -> None:
    """Refuse what must not even be loaded, event by event, before anything is built of it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        # A few lines of references to references unfold into gigabytes.
        if isinstance(event, yaml.AliasEvent):
            raise TextFault(f"{file}：不能使用引用（& 和 *），请把内容写全")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        # The loader in C goes down with the text, and would take the whole process with it.
        if depth > _DEEPEST:
            raise TextFault(f"{file}：嵌套太深，请检查缩进和括号")


def _place(parsed: Parsed, where: Sequence[Step]) -> str:
    """第 n 行 of the deepest part of `where` that is there, and the name of the field."""
    line = parsed.line(where)
    row = f" 第 {line} 行" if line else ""
    return f"{row}，字段 {'.'.join(map(str, where))}" if where else row


def _twice(node: Any, above: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    if isinstance(node, yaml.SequenceNode):
        for number, part in enumerate(node.value):
            yield from _twice(part, (*above, number))
    if isinstance(node, yaml.MappingNode):
        names = [str(key.value) for key, _ in node.value]
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                yield (*above, name)
        for key, part in node.value:
            yield from _twice(part, (*above, str(key.value)))


def _child(node: Any, step: Step) -> tuple[int, Any] | None:
    """The line and the node one step below; None when there is no such part."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        part = node.value[step]
        return part.start_mark.line + 1, part
    return None
