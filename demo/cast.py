"""Who and what the demo begins with: people, accounts, one source, policies, examples, drafts.

The county, its people, its numbers and its rules are invented.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from config.setup import EXAMPLE
from knowledge.documents import PolicyDraft

HERE = Path(__file__).parent
CITIZENS = 150  # on each platform
CAST = (
    ("editor", "陈编辑", ["editor"]),
    ("reviewer1", "李初审", ["reviewer_1"]),
    ("reviewer2", "王复审", ["reviewer_2"]),
    ("reviewer3", "赵终审", ["reviewer_3", "secrecy"]),
    ("admin1", "周管理", ["admin"]),
    ("admin2", "吴管理", ["admin"]),
    ("duty1", "郑值班", ["duty"]),
)
TELEGRAM_ID = "700700"
BOT_TOKEN = f"{TELEGRAM_ID}:demo-bot-token-of-the-sandbox"  # only the sandbox knows it
WEBHOOK_SECRET = "sandbox-webhook-secret"  # noqa: S105  as above
CHANNEL = "qinghe_channel"
DUTY_CHAT = "-1001000000777"  # a group of the people on duty, where the bot may write
WECHAT = {
    "appid": "wx5eed000000000001",
    "secret": "sandbox-app-secret",
    "token": "sandboxtoken",
    "aes_key": "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR",
}
REPEALED, REPEALED_ON, SUCCESSOR = "青人社发〔2019〕3号", date(2026, 3, 1), "青人社发〔2026〕5号"


@dataclass(frozen=True)
class Example:
    """A question the phones propose; its answer quotes `words` from the policy `number`."""

    question: str
    number: str
    words: str


@dataclass(frozen=True)
class Waiting:
    """A finished draft that lies before the first reviewer when a visitor arrives."""

    title: str
    klass: str
    body: str


def _rows(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load((HERE / name).read_text(encoding="utf-8")))


POLICIES = tuple(PolicyDraft(**row) for row in _rows("library.yaml"))
EXAMPLES = tuple(Example(**row) for row in _rows("examples.yaml"))
WAITING = tuple(Waiting(**row) for row in _rows("waiting.yaml"))


def filled(sandbox: str) -> str:
    """The example setup file with the sandbox's values; `sandbox` is the platforms' address."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for blank, value in {
        '"请填写单位全称"': "青禾县人民政府",
        '"请填写值班群的编号"': f'"{DUTY_CHAT}"',
        "https://api.weixin.qq.com": f"{sandbox}/wechat",
        "https://api.telegram.org": f"{sandbox}/telegram",
        '"请填写 AppID"': WECHAT["appid"],
        '"请填写 AppSecret"': WECHAT["secret"],
        '"请填写 Token"': WECHAT["token"],
        '"请填写 EncodingAESKey"': WECHAT["aes_key"],
        '"请填写机器人的 token"': f'"{BOT_TOKEN}"',
        '"请填写 webhook 暗号"': WEBHOOK_SECRET,
        '"请填写频道，例如 @qinghe_channel"': f'"@{CHANNEL}"',
        '"请填写评估编号"': "DEMO",
        "https://www.example.gov.cn/xwzx": f"{sandbox}/site/news",
        "hosts: [www.example.gov.cn]\n": f'hosts: ["{sandbox.removeprefix("http://")}"]\n',
        "allow_http: false": "allow_http: true",
    }.items():
        if text.count(blank) != 1:
            raise ValueError(f"{EXAMPLE.name}: {blank} stands {text.count(blank)} times")
        text = text.replace(blank, value)
    return text


def setup(sandbox: str) -> dict[str, Any]:
    """The setup of the demo's office: the example, as `filled` fills it in; played at any hour."""
    return {**yaml.safe_load(filled(sandbox)), "quiet_hours": False}
