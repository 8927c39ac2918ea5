"""`shenfa bench callback`: encrypted texts in and answers out."""

import asyncio
import time
from typing import Any

import aiohttp
import xmltodict
from aiohttp import web
from sqlalchemy import func, select
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TextReply

from app import build_site
from bench.figures import SENTENCES, Measured, Row, figure, percentile
from bench.office import new_office
from bot.models import InboundMessage
from config.clock import now
from config.setup import AccountSetup

_CLIENTS = 8
_WECHAT = {
    "appid": "wxbench",
    "secret": "bench",
    "token": "bench",
    "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
}


def _crypto() -> Any:
    return WeChatCrypto(_WECHAT["token"], _WECHAT["aes_key"], _WECHAT["appid"])


def _encrypted(number: int) -> tuple[Row, str]:
    """Query and body of one encrypted text, as WeChat posts it, each by another citizen."""
    stamp, nonce = str(int(now().timestamp())), f"n{number}"
    plain = (
        f"<xml><ToUserName>gh_bench</ToUserName><FromUserName>o{number}</FromUserName>"
        f"<CreateTime>{stamp}</CreateTime><MsgType>text</MsgType><Content>帮助</Content>"
        f"<MsgId>{number + 1}</MsgId></xml>"
    )
    body = _crypto().encrypt_message(plain, nonce, stamp)
    signature = xmltodict.parse(body)["xml"]["MsgSignature"]
    query = {"timestamp": stamp, "nonce": nonce, "msg_signature": signature, "encrypt_type": "aes"}
    return query, body


async def _bare_callback(request: web.Request) -> web.Response:
    """Decrypt, parse, encrypt: nothing proved twice, nothing stored."""
    query, crypto = request.query, _crypto()
    plain = crypto.decrypt_message(
        await request.text(), query["msg_signature"], query["timestamp"], query["nonce"]
    )
    answer = TextReply(message=parse_message(plain), content=SENTENCES[0]).render()
    return web.Response(text=crypto.encrypt_message(answer, query["nonce"], query["timestamp"]))


async def _load(app: web.Application, path: str, n: int) -> tuple[float, list[float]]:
    """Seconds for `n` posts by a few clients in this process, and the milliseconds of each."""
    texts = iter([_encrypted(number) for number in range(n)])
    taken: list[float] = []
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
    async with aiohttp.ClientSession(raise_for_status=True) as http:

        async def client() -> None:
            for query, body in texts:
                begun = time.perf_counter()
                async with http.post(url, params=query, data=body) as answer:
                    # Each answer is looked at: a refusal costs less than an answer.
                    if "<Encrypt>" not in await answer.text():
                        raise RuntimeError("a message was not answered")
                taken.append((time.perf_counter() - begun) * 1000)

        begun = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(_CLIENTS)))
        whole = time.perf_counter() - begun
    await runner.cleanup()
    return whole, taken


async def callback(n: int = 600) -> list[Row]:
    """`n` encrypted WeChat texts in, stored once, answered by template, encrypted out."""
    account = AccountSetup(
        slug="bench",
        platform="wechat",
        name="青禾发布",
        api_base="https://api.weixin.qq.com",
        secrets=_WECHAT,
    )
    async with new_office(account) as shenfa:
        ours, taken = await _load(build_site(shenfa), "/wechat/bench", n)
        async with shenfa.db.session() as session:
            stored = await session.scalar(select(func.count()).select_from(InboundMessage))
    app = web.Application()
    app.router.add_post("/bare", _bare_callback)
    bare, short = await _load(app, "/bare", n)
    speed = figure(
        "callback", "encrypted texts answered", "requests/s", Measured(n / ours, n / bare, 1e3), n
    )
    speed["detail"] = {"stored": stored, "clients": _CLIENTS, "load": "same process"}
    times = Measured(percentile(taken, 99), percentile(short, 99), 250.0)
    return [speed, figure("callback", "p99 of one answer", "ms", times, n)]
