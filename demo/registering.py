"""Both accounts of the example office as the sandbox platforms know them."""

from demo.cast import (
    BOT_TOKEN,
    CHANNEL,
    DUTY_CHAT,
    EXAMPLES,
    TELEGRAM_ID,
    WEBHOOK_SECRET,
    WECHAT,
)
from demo.platforms import Sandbox


async def register(sandbox: Sandbox, base: str) -> None:
    """Tell the sandbox of an office reached at `base`; citizens that it knows stay."""
    examples = [example.question for example in EXAMPLES]
    await sandbox.post(
        "accounts",
        platform="telegram",
        token=BOT_TOKEN,
        name="青禾发布",
        username="qinghe_bot",
        callback_url=f"{base}/telegram/qinghe-tg",
        secret=WEBHOOK_SECRET,
        examples=examples,
    )
    await sandbox.post(
        "accounts",
        platform="wechat",
        name="青禾发布",
        kind="service",
        verified=True,
        callback_url=f"{base}/wechat/qinghe-wx",
        examples=examples,
        **WECHAT,
    )
    known = (await sandbox.get("citizens", account=TELEGRAM_ID))["citizens"]
    if not any(one["kind"] == "channel" for one in known):
        await sandbox.post(
            "citizens", account=TELEGRAM_ID, count=1, name="青禾发布频道", kind="channel",
            username=CHANNEL, follow=True,
        )  # fmt: skip
    if not any(one["citizen"] == DUTY_CHAT for one in known):
        await sandbox.post(
            "citizens", account=TELEGRAM_ID, count=1, name="青禾值班群", kind="group",
            id=DUTY_CHAT, follow=True,
        )  # fmt: skip
