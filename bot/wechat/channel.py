"""WeChat: wechatpy's API objects over our own aiohttp transport, one token holder, one error table.

Preparing calls (uploads, drafts) may be made again; submitting and sending may not: without an
answer they are UNKNOWN. A mass send carries `clientmsgid`, so the platform refuses a second one.
"""

import asyncio
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

from bot.contract import (
    AccountView,
    Call,
    Content,
    Heard,
    Inbound,
    LoadMedia,
    Outcome,
    Reply,
    State,
)
from bot.http import open_session
from bot.render import MARKER, fill_reason
from bot.wechat import inbound
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, TokenService, WeChatRefused
from bot.wechat.errors import outcome_of
from bot.wechat.inbound import SUCCESS
from bot.wechat.rendering import (
    DEFAULT_COVER,
    problems_wechat,
    render_wechat,
    reply_text,
    split_bytes,
)
from storage.cache import Cache

IMAGE_BYTES = 1024 * 1024  # uploadimg takes jpg and png below 1 MB (W37)
_COVER_FILE = Path(__file__).with_name("default_cover.png")
_DAY = 86_400.0


PUBLISH_STATUS = {
    2: "原创声明未通过",
    3: "发布失败",
    4: "平台审核不通过",
    5: "发布后已被全部删除",
    6: "发布后被平台封禁",
}


@dataclass(frozen=True)
class _Upload:
    """One picture on its way: where to, and the field of the answer that names it there."""

    endpoint: str
    answered: str
    marker: str


class WeChatChannel:
    """See bot.contract.Channel. One route an account: settings["push"] == "mass" sends to all."""

    platform = "wechat"
    window_seconds = 48 * 3600.0  # customer messages after the contact's last message (W7)
    window_count = 5
    nothing = SUCCESS
    passive_seconds = 4.0  # WeChat hangs up after five, and asks three times in all (W1)
    asks_for_proof = True

    def __init__(self, cache: Cache, allowed_private: frozenset[str] = frozenset()) -> None:
        """`cache` shares tokens and uploads; `allowed_private` is for development."""
        self._allowed = allowed_private
        self._cache = cache
        self._http: aiohttp.ClientSession | None = None
        self.tokens = TokenService(cache, self._session)

    def client(self, account: AccountView) -> AioWeChatClient:
        """wechatpy's client for one account; its API objects return awaitables."""
        return AioWeChatClient(account, self._session, self.tokens)

    def render(self, content: Content) -> dict[str, Any]:
        """See bot.render."""
        return render_wechat(content)

    def problems(self, rendering: Mapping[str, Any]) -> list[str]:
        """See bot.render."""
        return problems_wechat(rendering)

    def resumable(self, account: AccountView) -> bool:
        """A mass send is: its clientmsgid makes the platform refuse a second one for a day."""
        return bool(account.settings.get("push") == "mass")

    async def publish(
        self, account: AccountView, rendering: Mapping[str, Any], media: LoadMedia
    ) -> Outcome:
        """Upload, draft, submit. SUBMITTED with ref `publish:<id>` or `mass:<id>`."""
        client = self.client(account)
        try:
            draft = await self._draft(client, account, rendering["article"], media)
        except LookupError:
            return Outcome(State.FAILED, reason="配图文件缺失，无法发布", code="media")
        except (OSError, ValueError) as error:
            return Outcome(State.FAILED, reason=f"配图无法处理：{error}", code="media")
        except (WeChatRefused, NotSent, NoAnswer) as error:
            return outcome_of(error, irreversible=False)
        if account.settings.get("push") == "mass":
            return await self._mass(client, account, rendering, draft)
        try:
            answer = await client.post("freepublish/submit", data={"media_id": draft})
        except (WeChatRefused, NotSent, NoAnswer) as error:
            return outcome_of(error, irreversible=True)
        return Outcome(State.SUBMITTED, ref=f"publish:{answer['publish_id']}")

    async def _draft(
        self,
        client: AioWeChatClient,
        account: AccountView,
        article: Mapping[str, str],
        media: LoadMedia,
    ) -> str:
        content = article["content"]
        for marker in sorted(set(MARKER.findall(content))):
            inside = _Upload("media/uploadimg", "url", marker)
            url = await self._upload(client, account, inside, media)
            content = content.replace(marker, url)
        cover = _Upload("material/add_material", "media_id", article["thumb"])
        thumb = await self._upload(client, account, cover, media)
        fields = {name: article[name] for name in ("title", "author", "digest")}
        answer = await client.post(
            "draft/add",
            data={
                "articles": [
                    {
                        **fields,
                        "content": content,
                        "content_source_url": article["content_source_url"],
                        "thumb_media_id": thumb,
                        "need_open_comment": 0,
                    }
                ]
            },
        )
        return str(answer["media_id"])

    async def _upload(
        self,
        client: AioWeChatClient,
        account: AccountView,
        wanted: _Upload,
        media: LoadMedia,
    ) -> str:
        """Upload one marker's bytes, once a day; returns the platform's name for it."""
        key = f"wechat:media:{account.id}:{wanted.answered}:{wanted.marker}"
        known = await self._cache.get(key)
        if known:
            return known
        if wanted.marker == DEFAULT_COVER:
            raw = await asyncio.to_thread(_COVER_FILE.read_bytes)
        else:
            raw, _ = await media(wanted.marker)
        content, mime = await asyncio.to_thread(_as_picture, raw)
        name = "picture." + mime.removeprefix("image/").replace("jpeg", "jpg")
        answer = await client.post(
            wanted.endpoint, params={"type": "image"}, files={"media": (name, content, mime)}
        )
        await self._cache.set(key, str(answer[wanted.answered]), _DAY)
        return str(answer[wanted.answered])

    async def _mass(
        self,
        client: AioWeChatClient,
        account: AccountView,
        rendering: Mapping[str, Any],
        draft: str,
    ) -> Outcome:
        form = json.dumps([account.id, rendering], sort_keys=True, ensure_ascii=False)
        data = {
            "filter": {"is_to_all": True},
            "mpnews": {"media_id": draft},
            "msgtype": "mpnews",
            "send_ignore_reprint": 0,
            "clientmsgid": hashlib.sha256(form.encode()).hexdigest(),
        }
        try:
            answer = await client.post("message/mass/sendall", data=data)
        except WeChatRefused as refused:
            if refused.code == 45065 and refused.body.get("msg_id"):
                return Outcome(State.SUBMITTED, ref=f"mass:{refused.body['msg_id']}")
            return outcome_of(refused, irreversible=True)
        except (NotSent, NoAnswer) as error:
            return outcome_of(error, irreversible=True)
        return Outcome(State.SUBMITTED, ref=f"mass:{answer['msg_id']}")

    async def settle(self, account: AccountView, ref: str) -> Outcome:
        """Ask what became of a submitted publication; SUBMITTED while it still runs."""
        route, _, number = ref.partition(":")
        client = self.client(account)
        try:
            if route == "mass":
                answer = await client.post("message/mass/get", data={"msg_id": number})
                return _mass_outcome(ref, str(answer.get("msg_status", "")))
            answer = await client.post("freepublish/get", data={"publish_id": number})
        except (WeChatRefused, NotSent, NoAnswer) as error:
            return outcome_of(error, irreversible=False)
        return _publish_outcome(ref, answer)

    def result(self, inbound: Inbound) -> tuple[str, Outcome] | None:
        """PUBLISHJOBFINISH and MASSSENDJOBFINISH name the publication they finish (W16, W21)."""
        raw = inbound.raw
        if inbound.key == "publishjobfinish":
            info = raw.get("PublishEventInfo") or {}
            ref = f"publish:{info.get('publish_id', '')}"
            return ref, _publish_outcome(ref, info)
        if inbound.key == "masssendjobfinish":
            ref = f"mass:{raw.get('MsgID', raw.get('MsgId', ''))}"
            return ref, _mass_outcome(ref, str(raw.get("Status", "")), _mass_url(raw))
        return None

    async def push(
        self, account: AccountView, address: str, rendering: Mapping[str, Any], reason: str
    ) -> Outcome:
        """A customer message; outside its window HELD."""
        text = fill_reason(rendering["push"]["text"], reason)
        return await self._custom(account, address, [text])

    async def reply(self, account: AccountView, address: str, reply: Reply) -> Outcome:
        """A reply as customer messages of at most 2,048 bytes each."""
        return await self._custom(account, address, split_bytes(reply_text(reply)))

    async def _custom(self, account: AccountView, address: str, texts: list[str]) -> Outcome:
        client = self.client(account)
        for number, text in enumerate(texts):
            try:
                await client.message.send_text(address, text)
            except (WeChatRefused, NotSent, NoAnswer) as error:
                outcome = outcome_of(error, irreversible=True)
                if number == 0:
                    return outcome
                reason = f"已发出前 {number} 条，其余没有发出（{outcome.reason}），请人工核对"
                return Outcome(State.UNKNOWN, reason=reason, code=outcome.code)
        return Outcome(State.PUBLISHED)

    async def prove(self, account: AccountView, call: Call) -> str:
        """See bot.wechat.inbound."""
        return await inbound.prove(account, call, self._cache)

    async def hear(self, account: AccountView, call: Call) -> Heard:
        """See bot.wechat.inbound."""
        return await inbound.hear(account, call, self._cache)

    def passive(self, reply: Reply) -> str | None:
        """One text of at most 2,048 bytes (W4); what is longer follows as customer messages."""
        text = reply_text(reply)
        return text if len(split_bytes(text)) == 1 else None

    async def acknowledge(self, account: AccountView, callback_id: str) -> None:
        """WeChat has no buttons that wait."""

    async def create_menu(self, account: AccountView, buttons: list[dict[str, Any]]) -> None:
        """Set the account's menu; raises WeChatRefused, NotSent or NoAnswer."""
        await self.client(account).post("menu/create", data={"button": buttons})

    async def close(self) -> None:
        """Give connections back."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = open_session(self._allowed)
        return self._http


def _publish_outcome(ref: str, info: Mapping[str, Any]) -> Outcome:
    try:
        status = int(info.get("publish_status", 1))
    except (TypeError, ValueError):
        status = 1
    if status == 0:
        items = (info.get("article_detail") or {}).get("item") or []
        first = items[0] if isinstance(items, list) and items else items
        url = str(first.get("article_url", "")) if isinstance(first, Mapping) else ""
        return Outcome(State.PUBLISHED, ref=ref, detail={"url": url})
    if status == 1:
        return Outcome(State.SUBMITTED, ref=ref)
    reason = PUBLISH_STATUS.get(status, f"平台返回未知状态 {status}，请人工核对")
    return Outcome(State.FAILED, ref=ref, reason=reason, code=f"publish_status_{status}")


def _mass_outcome(ref: str, status: str, url: str = "") -> Outcome:
    words = status.lower().replace("_", " ")
    if words == "send success":
        return Outcome(State.PUBLISHED, ref=ref, detail={"url": url})
    if words in ("sending", ""):
        return Outcome(State.SUBMITTED, ref=ref)
    return Outcome(State.FAILED, ref=ref, reason=f"群发失败：{status}", code=status[:40])


def _mass_url(raw: Mapping[str, Any]) -> str:
    results = (raw.get("ArticleUrlResult") or {}).get("ResultList") or {}
    items = results.get("item") or [] if isinstance(results, Mapping) else []
    first = items[0] if isinstance(items, list) and items else items
    return str(first.get("ArticleUrl", "")) if isinstance(first, Mapping) else ""


def _as_picture(raw: bytes) -> tuple[bytes, str]:
    """The bytes as jpg or png below 1 MB; OSError or ValueError when they are no picture."""
    picture = Image.open(io.BytesIO(raw))
    if picture.format in ("JPEG", "PNG") and len(raw) < IMAGE_BYTES:
        return raw, "image/jpeg" if picture.format == "JPEG" else "image/png"
    plain = picture.convert("RGB")
    for width in (1600, 1080, 720, 480):
        small = plain.copy()
        small.thumbnail((width, width * 4))
        out = io.BytesIO()
        small.save(out, "JPEG", quality=85)
        if out.tell() < IMAGE_BYTES:
            return out.getvalue(), "image/jpeg"
    raise ValueError("图片太大")
