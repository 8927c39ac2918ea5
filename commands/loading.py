"""A tree of commands whose files are imported when they are asked for, and no sooner.

`shenfa --help` shows each command from the one line that `cli.py` keeps of it; the file behind the
line, and every library that file needs, is loaded once the command itself is called.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from typer import Typer
from typer._click.exceptions import NoSuchOption  # Typer shows its own click nowhere else
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from commands.lines import BadInput

_NEAR = 0.6  # how alike two words are before one is named for the other


@dataclass(frozen=True)
class Entry:
    """One line of `shenfa --help`: `commands/{file}.py` holds a Typer called `group`.

    Where that group has a command called `name`, the command is meant, else the group.
    """

    name: str
    file: str
    help: str


def later(module: str, name: str) -> Callable[..., Any]:
    """A function that is imported when it is first called: for a need that not every call has."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(_imported(module), name)(*args, **kwargs)

    return call


_WHEN_LOADED: list[Callable[[], None]] = []


def when_loaded(act: Callable[[], None]) -> None:
    """Have `act` called each time a file was loaded, before anything in it runs."""
    _WHEN_LOADED.append(act)


def _imported(module: str) -> Any:
    loaded = import_module(module)
    for act in _WHEN_LOADED:
        act()
    return loaded


class Later(TyperCommand):
    """What stands in the tree for an entry until somebody calls it."""

    def __init__(self, entry: Entry) -> None:
        """Only name and help are known."""
        super().__init__(entry.name, help=entry.help, rich_markup_mode="rich")
        self.entry = entry

    def load(self) -> Any:
        """The command or group itself."""
        group: Typer = _imported(f"commands.{self.entry.file}").group
        tree = get_group(group)
        tree.name = self.entry.name
        return tree.commands.get(self.entry.name, tree)

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Called when the command is: from here on the loaded one takes over."""
        return self.load().make_context(*args, **kwargs)


class Tree(TyperGroup):
    """A group that answers an unknown command or option with the nearest one there is."""

    entries: Sequence[Entry] = ()

    def __init__(self, **options: Any) -> None:
        """`entries` become commands, in their order."""
        super().__init__(**options)
        self.commands = {entry.name: Later(entry) for entry in self.entries} | {**self.commands}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """BadInput for a word that is no command."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            raise _unknown(ctx, f"没有“{args[0]}”这条命令", nearest(args[0], self.commands))
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """BadInput for an unknown option of the group itself."""
        try:
            return super().make_context(*args, **kwargs)
        except NoSuchOption as error:
            raise _no_option(error) from error

    def invoke(self, ctx: Any) -> Any:
        """BadInput for an unknown option of whatever is called below."""
        try:
            return super().invoke(ctx)
        except NoSuchOption as error:
            raise _no_option(error) from error


def new_group(words: str) -> Typer:
    """A group for one file of commands; `words` are its line in `shenfa --help`."""
    return Typer(cls=Tree, no_args_is_help=True, help=words)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like `word`, "" when none is."""
    return next(iter(get_close_matches(word, list(known), 1, _NEAR)), "")


def _no_option(error: NoSuchOption) -> BadInput:
    ctx, word = error.ctx, error.option_name
    params = ctx.command.params if ctx else []
    names = [name for one in params for name in (*one.opts, *one.secondary_opts) if name[0] == "-"]
    return _unknown(ctx, f"没有“{word}”这个选项", nearest(word, [*names, "--help"]))


def _unknown(ctx: Any, words: str, near: str) -> BadInput:
    path = ctx.command_path if ctx else "shenfa"
    near = f"，最接近的是 {near}" if near else ""
    return BadInput(f"{path} {words}{near}：请用 {path} --help 查看")
