"""What an office gives to everybody as data: the setting `open_data`, changed by two people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.texts import FieldFault

GIVES = ("policies", "items", "figures")
MOST_A_MINUTE = 600


@dataclass(frozen=True)
class OpenData:
    """Which collections are open, and how many requests one address has a minute."""

    gives: frozenset[str] = frozenset()
    per_minute: int = 60


def parse_open_data(data: Any) -> OpenData:
    """Check the parsed YAML of the setting; FieldFault names the field."""
    if not isinstance(data, Mapping) or not isinstance(data.get("open"), bool):
        raise FieldFault("open 应写成 true 或 false", "open")
    gives = data.get("gives")
    if not isinstance(gives, list) or any(one not in GIVES for one in gives):
        raise FieldFault(f"gives 应写成列表，每项是 {'、'.join(GIVES)} 之一", "gives")
    number = data.get("per_minute")
    if type(number) is not int or not 1 <= number <= MOST_A_MINUTE:
        raise FieldFault(f"per_minute 应是 1 至 {MOST_A_MINUTE} 的整数", "per_minute")
    return OpenData(frozenset(gives) if data["open"] else frozenset(), number)
