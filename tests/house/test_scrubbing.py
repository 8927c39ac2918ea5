"""No secret stands in a line of the log, whatever it came in by."""

import json
import logging
import sys

import pytest
import structlog

from cli import log_to_stderr
from config.scrubbing import Scrubbing, scrubbed

SECRETS = {
    "postgresql+asyncpg://shenfa:pa55-word@db:5432/shenfa is away": "pa55-word",
    "rediss://:pa55-word@cache:6379/0": "pa55-word",
    "GET https://api.telegram.org/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1/send": "AAHdq",
    "https://api.weixin.qq.com/cgi-bin/x?access_token=77_abcDEF&appid=wx1": "77_abcDEF",
    "appid=wx1&secret=0123456789abcdef": "0123456789abcdef",
    "headers {'Authorization': 'Basic c2hlbmZhOnMzY3JldA=='}": "c2hlbmZhOnMzY3JldA",
    "Bearer sf_0123456789012345678901234567890123456789": "sf_0123",
    "token ss_0123456789012345678901234567890123456789 was sent": "ss_0123",
    '{"client_secret": "s3cret", "grant_type": "x"}': "s3cret",
    "{'encoding_aes_key': 's3cret'}": "s3cret",
    "id_token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1LTEwMDEifQ.c2ln": "eyJzdWIi",
    "/console/signin/provider/back?code=a1b2c3d4e5&state=x": "a1b2c3d4e5",
}


@pytest.mark.parametrize("line", SECRETS)
def test_a_secret_is_taken_out_and_the_rest_stays(line: str) -> None:
    assert SECRETS[line] not in scrubbed(line)
    assert "***" in scrubbed(line)
    inside = json.loads(scrubbed(json.dumps({"error": line})))["error"]  # as a log holds it
    assert SECRETS[line] not in inside


@pytest.mark.parametrize(
    "line", ["/console/codes?code=45009", "job=push seconds=0.2", "keys/ledger.key", "10:30:00"]
)
def test_what_is_none_stays(line: str) -> None:
    assert scrubbed(line) == line


def test_every_line_goes_through_it(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    last = logging.lastResort
    assert last is not None
    old = last.formatter
    try:
        log_to_stderr()
        try:
            raise OSError("postgresql://shenfa:pa55-word@db/shenfa")
        except OSError:
            structlog.get_logger("x").exception("away", url="redis://:pa55-word@cache")
            record = logging.LogRecord("x", 40, "", 1, "%s", ("secret=pa55-word",), sys.exc_info())
        assert isinstance(last.formatter, Scrubbing)
        said = capsys.readouterr().err + last.format(record)
    finally:
        structlog.configure(**before)
        last.setFormatter(old)
    assert "pa55" not in said
    assert said.count("***") == 6
