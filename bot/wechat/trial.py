"""Trying a WeChat account: credentials, white list, callback, menu, permissions."""

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from wechatpy.exceptions import WeChatException

from bot.channel import Menu
from bot.codes import At
from bot.contract import AccountView
from bot.probing import Ability
from bot.trial import Look, fine, look_at_callback, wrong
from bot.wechat.abilities import MENU, abilities_of
from bot.wechat.client import (
    AioWeChatClient,
    NoAnswer,
    NotSent,
    TokenService,
    WeChatRefused,
)
from bot.wechat.codes import ADDRESS, KEYS, NONE, STALE, hinted, listed
from bot.wechat.errors import outcome_of
from bot.wechat.inbound import crypto_of
from config.clock import now
from storage.database import new_id

WRONG_KEYS = "AppSecret 不对：请在同一页重置 AppSecret，再用 shenfa account secrets 更换"
"""What a refused token means to whoever has just asked for one: there was no old one."""
NOBODY = "shenfa-selftest"
"""No openid looks like this."""
_FORMS = (ParseError, DefusedXmlException)
_REFUSALS = (WeChatRefused, NotSent, NoAnswer)
_ADDRESS = re.compile(r"invalid ip ([0-9a-fA-F.:]+)")


@dataclass(frozen=True)
class Road:
    """By which WeChat is asked; `mass`, `notices`: what the account does, and needs to be let."""

    client: AioWeChatClient
    tokens: TokenService
    mass: bool
    notices: bool = False


async def looks(account: AccountView, callback: str, menu: Menu, road: Road) -> AsyncIterator[Look]:
    """Each part of the account; those that need a token only when there is one."""
    client = road.client
    try:
        await road.tokens.ask(account)
    except _REFUSALS as error:
        yield _credential(error)
    else:
        yield fine("凭证", "AppID 和 AppSecret 可用")
        yield await _addresses(client)
        yield await _menu(client, menu)
        for ability in await abilities_of(client, mass=road.mass, notices=road.notices):
            if ability.needed and ability.name != MENU:  # whose menu it is, was looked at above
                yield _permission(ability)
    yield await _callback(account, callback)


def _credential(error: Exception) -> Look:
    found = listed(error.code) if isinstance(error, WeChatRefused) else None
    if found is not None and found.hint == ADDRESS and isinstance(error, WeChatRefused):
        named = _ADDRESS.search(str(error.body.get("errmsg", "")))
        where = f"服务器地址 {named[1]} " if named else "本服务器的公网地址"
        words = (
            f"{where}不在 IP 白名单：请在 微信公众平台 → 设置与开发 → 基本配置 → IP白名单 里添加"
        )
        return wrong("IP 白名单", words)
    if found is not None and found.hint in (KEYS, STALE):
        return wrong("凭证", found.brief if found.hint == KEYS else WRONG_KEYS)
    return wrong("凭证", f"{_words(error)}：稍后再试，仍不行请核对 api_base 和网络")


async def _addresses(client: AioWeChatClient) -> Look:
    try:
        found = (await client.get("getcallbackip")).get("ip_list", [])
    except _REFUSALS as error:
        return wrong("IP 白名单", f"{_words(error)}：请在公众平台核对 IP白名单")
    words = f"本服务器在白名单里；平台的回调来自 {len(found)} 个地址，防火墙要放行"
    return fine("IP 白名单", words)


async def _menu(client: AioWeChatClient, menu: Menu) -> Look:
    remedy = "请运行 shenfa account menu，重新建立菜单"
    try:
        answer = await client.get("menu/get")
    except WeChatRefused as refused:
        if hinted(refused.code) == NONE:
            return wrong("菜单", f"公众号没有菜单：{remedy}")
        return wrong("菜单", f"{_words(refused)}：{remedy}")
    except (NotSent, NoAnswer) as error:
        return wrong("菜单", f"{_words(error)}：稍后再试")
    wanted = [key for _, choices in menu.groups for _, key in choices]
    groups = answer.get("menu", {}).get("button", [])
    stands = [one.get("key") for group in groups for one in group.get("sub_button", [])]
    if stands == wanted:
        return fine("菜单", f"{len(groups)} 组 {len(stands)} 项，与本系统一致")
    return wrong("菜单", f"公众号上的菜单不是本系统的，可能有人在公众平台改过：{remedy}")


def _permission(ability: Ability) -> Look:
    name = f"权限：{ability.label}"
    if ability.able:
        return fine(name, "有权限")
    remedy = "请在 微信公众平台 → 设置与开发 → 接口权限 核对，未认证的账号没有这个权限"
    return wrong(name, ability.words if ability.able is None else f"{ability.words}：{remedy}")


async def _callback(account: AccountView, callback: str) -> Look:
    """The form by which the platform makes an address prove itself (W6), sent by ourselves."""
    stamp, nonce, echo = str(int(now().timestamp())), new_id(), new_id()
    parts = "".join(sorted([account.secrets["token"], stamp, nonce]))
    signature = hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()
    query = {"signature": signature, "timestamp": stamp, "nonce": nonce, "echostr": echo}
    return await look_at_callback("GET", callback, echo, {"params": query})


def press(account: AccountView, key: str) -> Mapping[str, Any]:
    """A click on a menu entry, signed and encrypted as the platform does it (W5, W6)."""
    stamp, nonce = str(int(now().timestamp())), new_id()
    plain = (
        f"<xml><ToUserName>{account.id}</ToUserName><FromUserName>{NOBODY}</FromUserName>"
        f"<CreateTime>{stamp}</CreateTime><MsgType>event</MsgType><Event>CLICK</Event>"
        f"<EventKey>{escape(key)}</EventKey></xml>"
    )
    body = str(crypto_of(account).encrypt_message(plain, nonce, stamp))
    query = {"timestamp": stamp, "nonce": nonce, "encrypt_type": "aes"}
    signature = fromstring(body).findtext("MsgSignature") or ""
    return {"params": query | {"msg_signature": signature}, "data": body.encode()}


def pressed(account: AccountView, answer: str) -> str:
    """The text of an encrypted passive answer; empty for anything else."""
    try:
        root = fromstring(answer)
        signed = [root.findtext(name) or "" for name in ("MsgSignature", "TimeStamp", "Nonce")]
        plain = crypto_of(account).decrypt_message({"Encrypt": root.findtext("Encrypt")}, *signed)
        return fromstring(plain).findtext("Content") or ""
    except (*_FORMS, WeChatException, ValueError, TypeError, IndexError, AssertionError):
        return ""


def _words(error: Exception) -> str:
    found = listed(error.code) if isinstance(error, WeChatRefused) else None
    return found.brief if found else outcome_of(error, At.PREPARING).reason.rstrip("。")
