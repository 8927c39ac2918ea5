"""What a link or a QR code of a counter or poster says: which topic whoever opens it came for.

A scene is `at-<topic>` in every channel: a Telegram start parameter takes letters, digits, _ and -
up to 64 (T16), and a WeChat scene takes as many signs of any kind (W43).
"""

import re

_BEGINS = "at-"
_SCENE = re.compile(r"at-([A-Za-z0-9_]{1,60})")


def scene_of(topic: str) -> str:
    """The scene of a topic, or an empty text for a key that no link can carry."""
    scene = f"{_BEGINS}{topic}"
    return scene if _SCENE.fullmatch(scene) else ""


def topic_in(scene: str) -> str:
    """The topic of a scene of ours, or an empty text; any link may carry anything."""
    found = _SCENE.fullmatch(scene)
    return found[1] if found else ""
