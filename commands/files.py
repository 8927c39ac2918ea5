"""Files that commands write for a person."""

import os
from pathlib import Path

from commands.lines import BadInput


def write_private(path: Path, text: str) -> None:
    """A new file that only its owner reads; BadInput when there is one already."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BadInput(f"{path} 已经有了，没有改动：请换一个文件名，或先移走它") from error
    except OSError as error:
        raise BadInput(f"{path} 写不进（{error.strerror}）：请换一个地方") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
