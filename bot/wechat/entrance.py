"""A QR code of an account that says which topic its reader came for (W43)."""

from bot.channel import NotEquipped
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused


async def entrance(client: AioWeChatClient, scene: str) -> str:
    """The address that such a code holds, for ever; NotEquipped with the platform's words."""
    asked = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": scene}}}
    try:
        answer = await client.post("qrcode/create", data=asked)
    except (WeChatRefused, NotSent, NoAnswer) as error:
        raise NotEquipped(str(error)) from error
    return str(answer["url"])
