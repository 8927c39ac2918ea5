"""What a report is made of, in words."""

from supervision.annual import PARTS
from supervision.figures import VERDICTS

DONE = {"numbers_given": "已填报并签名，年报按新的数算。"}
WORDS = {"ANNUAL_PARTS": PARTS, "REPORT_VERDICTS": VERDICTS}
