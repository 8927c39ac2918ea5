"""Secrets taken out of what is logged, whoever put them there: an address in an error, a header."""

import logging
import re

_NAMES = (
    "access_token|refresh_token|id_token|client_secret|code_verifier|app_?secret|secret|"
    "encoding_aes_key|password|passwd|token|api_key|authorization|cookie"
)
_RULES = (
    # user:password@ of a database, a cache, a proxy
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@\"'\\]*):[^\s/@\"'\\]+@", re.I), r"\1:***@"),
    (re.compile(r"\b(bot)?\d{6,}:[A-Za-z0-9_-]{30,}"), r"\1***"),  # of a Telegram bot
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.I), r"\1 ***"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "***"),  # a signed token
    (re.compile(r"\b(sf|ss)_[\w-]{30,}"), r"\1_***"),  # a token of ours
    (re.compile(rf"\b((?:{_NAMES})=)[^\s&\"'\\]+", re.I), r"\1***"),
    (re.compile(r"([?&]code=)(?!-?\d{1,6}\b)[^\s&\"'\\]+"), r"\1***"),  # and no error's number
    (re.compile(rf"(\\?[\"'](?:{_NAMES})\\?[\"']\s*:\s*\\?[\"'])[^\"'\\]+", re.I), r"\1***"),
)


def scrubbed(text: str) -> str:
    """The text without what looks like a secret; what is left tells where it stood."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def scrub_line(_logger: object, _method: str, line: str) -> str:
    """The last step of a structured log: the line as it would be written."""
    return scrubbed(line)


class Scrubbing(logging.Formatter):
    """For lines of libraries, with their traces."""

    def format(self, record: logging.LogRecord) -> str:
        """As it is written, without secrets."""
        return scrubbed(super().format(record))
