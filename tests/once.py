"""What every test would do anew and comes out the same: done once a process."""

import copy
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jinja2
import pytest
import rfc8785
import yaml
from argon2 import PasswordHasher

from config import texts
from staff import people

# The product's own takes a tenth of a second a password on purpose; test_people holds that.
LONG = 500  # characters of a text that is kept; tests write a thousand short wrong ones
MANY = 100  # rows of a set of rules whose canonical text is kept; every office seals the first
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@contextmanager
def once() -> Iterator[None]:
    """Templates compiled once, texts parsed and rules sealed once, passwords hashed quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", _compiled(jinja2.Environment.compile))
        patch.setattr(texts, "parse_text", _parsed(texts.parse_text))
        patch.setattr(yaml, "safe_load", _loaded(yaml.safe_load))
        patch.setattr(rfc8785, "dumps", _dumped(rfc8785.dumps))
        patch.setattr(people, "_HASHER", QUICK)
        yield


def _compiled(compile_: Any) -> Any:
    made: dict[Any, Any] = {}

    def compiled(self: Any, source: Any, *of: Any, **more: Any) -> Any:
        options = (self.autoescape, self.trim_blocks, self.lstrip_blocks, self.is_async)
        key = (source, of, *sorted(more.items()), *map(str, options))
        if key not in made:
            made[key] = compile_(self, source, *of, **more)
        return made[key]

    return compiled


def _loaded(load: Any) -> Any:
    made: dict[str, Any] = {}

    def loaded(stream: Any) -> Any:
        if not isinstance(stream, str) or len(stream) < LONG:
            return load(stream)
        if stream not in made:
            made[stream] = load(stream)
        return copy.deepcopy(made[stream])

    return loaded


def _parsed(parse: Any) -> Any:
    made: dict[tuple[str, str], texts.Parsed] = {}

    def parsed(text: str, file: str) -> texts.Parsed:
        known = made.get((text, file)) or parse(text, file)
        if len(text) >= LONG:
            made[text, file] = known
        return texts.Parsed(copy.deepcopy(known.data), known._node)

    return parsed


def _dumped(dump: Any) -> Any:
    made: dict[bytes, bytes] = {}

    def dumped(value: Any) -> Any:
        rows = value.get("rows") if isinstance(value, dict) else None
        if not isinstance(rows, list) or len(rows) < MANY:
            return dump(value)
        key = hashlib.sha256(repr(value).encode(errors="surrogatepass")).digest()
        if key not in made:
            made[key] = dump(value)
        return made[key]

    return dumped
