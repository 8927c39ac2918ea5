"""`shenfa account codes`: a code looked up without an office."""

import json

from typer.testing import CliRunner

import cli
from bot.channels import CHANNELS


def told(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.shenfa, ["account", "codes", *arguments])
    return done.exit_code, done.stdout


def test_a_code_says_what_happened_why_and_what_to_do() -> None:
    code, text = told("45015")
    assert code == 0
    assert "微信 45015  等对方来信：不在平台允许的时限内" in text
    assert "48 小时" in text
    code, text = told("--json")
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == sum(len(channel.codes) for channel in CHANNELS.values())


def test_a_code_nobody_listed_is_for_a_person() -> None:
    code, text = told("90001", "429")
    assert code == 1
    assert "没有列出：90001" in text
    assert "先歇一歇" in text
