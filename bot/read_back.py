"""What is read back of a publication after it went out: frozen shapes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.takedown import Standing


@dataclass(frozen=True)
class Asked:
    """A publication as it was released; `digests` of its pictures as they were first read back.

    A digest stands under the place of its picture, from 1; one that was not read yet has none.
    """

    standing: Standing
    rendering: Mapping[str, Any]
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadBack:
    """What was found of one: faults in Chinese, digests read for the first time, what is unread.

    `unread` names what could not be read this time; nothing is concluded of it.
    """

    standing: Standing
    faults: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
