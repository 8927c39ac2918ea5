"""Who and what the demo begins with: people, accounts, one source, policies, examples, drafts.

The county, its people, its numbers and its rules are invented.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

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


def setup(sandbox: str) -> dict[str, object]:
    """The setup file of the demo's office; `sandbox` is the platforms' address."""
    return {
        "organisation": "青禾县人民政府",
        "quiet_hours": False,  # played at any hour
        "staff": [
            {"login": login, "name": name, "roles": roles}
            | ({"alarm": [{"telegram": DUTY_CHAT}]} if "duty" in roles else {})
            for login, name, roles in CAST
        ],
        "accounts": [
            {
                "slug": "qinghe-wx",
                "platform": "wechat",
                "name": "青禾发布（微信）",
                "api_base": f"{sandbox}/wechat",
                "secrets": WECHAT,
                "settings": {"kind": "service"},
                "owner": "陈编辑",
            },
            {
                "slug": "qinghe-tg",
                "platform": "telegram",
                "name": "青禾发布（Telegram）",
                "api_base": f"{sandbox}/telegram",
                "secrets": {
                    "token": BOT_TOKEN,
                    "webhook_secret": WEBHOOK_SECRET,
                    "chat": f"@{CHANNEL}",
                },
                "assessment_ref": "DEMO",
                "owner": "陈编辑",
            },
        ],
        "sources": [
            {
                "organisation": "青禾县人民政府门户网站",
                "hosts": [sandbox.removeprefix("http://")],
                "allow_http": True,
                "basis": "青政办发〔2026〕1号 青禾县政务新媒体转载稿源名单",
                "owner": "陈编辑",
                "picture_licence": "授权随文转载图片",
                "valid_from": "2026-01-01",
                "columns": [
                    {"name": "要闻", "url": f"{sandbox}/site/news/rss.xml", "kind": "feed"}
                ],
            }
        ],
        "roster": [{"login": "duty1"}],
    }
