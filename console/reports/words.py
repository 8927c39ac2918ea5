"""What a report is made of, in words."""

from supervision.annual import PARTS
from supervision.figures import VERDICTS

DONE: dict[str, str] = {}
WORDS = {"ANNUAL_PARTS": PARTS, "REPORT_VERDICTS": VERDICTS}
