"""Personal data in what citizens type, hidden before it is stored.

The secrecy gate's recognisers are used too, for what has no plain shape here (plates, homes).
Storing wants no false alarm as little as a miss, but a masked number costs nothing and a kept one
does, so every long run of digits goes, valid check digit or not.
"""

import re
import unicodedata

from config.clock import beijing, now
from gates import secrecy
from gates.finding import Context, NoFacts
from gates.normalise import normalise

_HALVED = "＠．－＋\u3000"  # width changed too; Chinese punctuation stays
_SEP = r"[\s\-—·.]?"
_RULES = (
    (re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII), "［邮箱］"),
    (re.compile(rf"(?<!\d)(?:\d{_SEP}){{17}}[\dXx](?![\dA-Za-z])"), "［证件号］"),
    (re.compile(rf"(?<!\d)(?:\+?86{_SEP})?1{_SEP}[3-9](?:{_SEP}\d){{9}}(?!\d)"), "［手机号］"),
    (re.compile(r"(?<!\d)0\d{2,3}[-—\s]?\d{7,8}(?!\d)"), "［电话］"),
    (re.compile(rf"(?<!\d)\d(?:{_SEP}\d){{12,18}}(?!\d)"), "［卡号］"),
    (re.compile(r"(?<!\d)\d{7,}(?!\d)"), "［号码］"),
    (re.compile(r"(?<![A-Za-z])[EGPDSHM][A-Z]?\d{7,8}(?!\d)"), "［证件号］"),
    (
        re.compile(
            r"[\u4e00-\u9fff]{2,12}(?:路|街|巷|小区|嘎查|村|苑|花园)"
            r"\d{1,5}(?:号楼|号院|号|栋|幢|弄)(?:\d{1,3}单元)?(?:\d{1,5}[室号户])?"
        ),
        "［住址］",
    ),
    (re.compile(r"(我叫|姓名[是：:]?|本人叫)\s*[\u4e00-\u9fff]{2,4}"), r"\1［姓名］"),
)


def normal(text: str) -> str:
    """Letters and digits in half width, no control or zero-width signs, no outer blanks."""
    plain = "".join(
        unicodedata.normalize("NFKC", sign) if sign.isalnum() or sign in _HALVED else sign
        for sign in text
    )
    kept = (c for c in plain if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf"))
    return "".join(kept).strip()


def mask(text: str) -> str:
    """The text with numbers, addresses and stated names replaced by what they were."""
    masked = normal(text)
    for pattern, instead in _RULES:
        masked = pattern.sub(instead, masked)
    context = Context(masked, normalise(masked), "text", beijing(now()).date(), NoFacts())
    for finding in sorted(secrecy.find(masked, context), key=lambda one: -one.start):
        masked = masked[: finding.start] + "［个人信息］" + masked[finding.end :]
    return masked
