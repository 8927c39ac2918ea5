"""What happened to a publication."""

from review_queue.canonical import EDITION

WORDS = {"EDITION_KIND": EDITION}
DONE = {
    "settled": "已记录您的确认。",
}
