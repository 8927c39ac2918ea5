"""The process that reads pictures: a name and bytes on its input, rows of words on its output.

It ends with its office, or after ten minutes without a picture.
"""

import json
import resource
import select
import sys

from rapidocr_onnxruntime import RapidOCR

from documents.picture_words import words_in

_IDLE = 600.0
_MOST_MEMORY = 3_000_000_000


def main() -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))
    engine = RapidOCR()
    source, answer = sys.stdin.buffer, sys.stdout
    while select.select([source], [], [], _IDLE)[0]:
        line = source.readline()
        if not line:
            return
        asked = json.loads(line)
        content = source.read(int(asked["size"]))
        answer.write(json.dumps(words_in(engine, str(asked["name"]), content)) + "\n")
        answer.flush()


if __name__ == "__main__":
    main()
