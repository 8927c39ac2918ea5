"""WeChat: wechatpy's API objects over our own aiohttp transport, one token holder, one error table.

Preparing calls (uploads, drafts) may be made again; submitting and sending may not: without an
answer they are UNKNOWN. A mass send carries `clientmsgid`, so the platform refuses a second one.
"""

import asyncio
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from PIL import Image
from wechatpy import WeChatClient

from bot.contract import AccountView, Content, Inbound, LoadMedia, Outcome, Reply, State
from bot.http import Blocked, open_session
from bot.render import (
    DEFAULT_COVER,
    MARKER,
    WECHAT_TEXT_BYTES,
    fill_reason,
    problems_wechat,
    render_wechat,
)
from storage.cache import Cache, lock

HOSTS = frozenset({"api.weixin.qq.com", "mp.weixin.qq.com", "file.api.weixin.qq.com"})
STALE_TOKEN = frozenset({40001, 40014, 42001})
IMAGE_BYTES = 1024 * 1024  # uploadimg takes jpg and png below 1 MB (W37)
_COVER_FILE = Path(__file__).with_name("default_cover.png")
_DAY = 86_400.0


class Refused(Exception):
    """The platform's own refusal: an errcode and the whole answer."""

    def __init__(self, code: int, body: Mapping[str, Any]) -> None:
        """Keep the whole answer: 45065 carries the first message's id."""
        super().__init__(f"{code} {body.get('errmsg', '')}")
        self.code = code
        self.body = body


class NotSent(Exception):
    """No connection was made: surely not accepted."""


class NoAnswer(Exception):
    """The request may have arrived; nobody can tell."""


# --- transport and tokens -------------------------------------------------------------------


async def _exchange(
    http: aiohttp.ClientSession, method: str, url: str, **kwargs: Any
) -> dict[str, Any]:
    try:
        async with http.request(method, url, allow_redirects=False, **kwargs) as response:
            status, body = response.status, await response.read()
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, Blocked) as error:
        raise NotSent("没有连上微信接口") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise NoAnswer("微信接口没有应答") from error
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise NoAnswer(f"微信接口应答无法识别（{status}）") from error
    if not isinstance(answer, dict) or (status != 200 and not answer.get("errcode")):
        raise NoAnswer(f"微信接口应答无法识别（{status}）")
    if answer.get("errcode"):
        raise Refused(int(answer["errcode"]), answer)
    return answer


class TokenService:
    """The one holder of access tokens: stable_token, shared through the cache, one refresh."""

    def __init__(self, cache: Cache, http: Callable[[], aiohttp.ClientSession]) -> None:
        """`cache` is shared by every process; `http` gives the guarded session."""
        self._cache = cache
        self._http = http

    async def get(self, account: AccountView, stale: str = "") -> str:
        """A token; with `stale` (one the platform refused), a newer one than that.

        However many ask at once, one asks the platform.
        """
        key = self._key(account)
        token = await self._cache.get(key)
        if token and token != stale:
            return token
        async with lock(self._cache, key):
            token = await self._cache.get(key)
            if token and token != stale:
                return token
            answer = await self._fetch(account, force=False)
            if answer["access_token"] == stale:
                answer = await self._fetch(account, force=True)
            life = max(60.0, float(answer.get("expires_in", 7200)) - 300)
            await self._cache.set(key, str(answer["access_token"]), life)
            return str(answer["access_token"])

    def _key(self, account: AccountView) -> str:
        name = f"{account.api_base}:{account.secrets['appid']}"
        return "wechat:token:" + hashlib.sha256(name.encode()).hexdigest()[:24]

    async def _fetch(self, account: AccountView, *, force: bool) -> dict[str, Any]:
        return await _exchange(
            self._http(),
            "POST",
            f"{account.api_base}/cgi-bin/stable_token",
            json={
                "grant_type": "client_credential",
                "appid": account.secrets["appid"],
                "secret": account.secrets["secret"],
                "force_refresh": force,
            },
        )


class AioWeChatClient(WeChatClient):  # type: ignore[misc]
    """wechatpy's client whose calls are awaitable and go nowhere but to the account's api_base."""

    def __init__(
        self,
        account: AccountView,
        http: Callable[[], aiohttp.ClientSession],
        tokens: TokenService,
    ) -> None:
        """`tokens` is the only place a token comes from."""
        super().__init__(account.secrets["appid"], account.secrets["secret"], auto_retry=False)
        self._account = account
        self._aio = http
        self._tokens = tokens

    @property
    def access_token(self) -> str:
        """Never: wechatpy would fetch one by itself, without lock or timeout."""
        raise AttributeError("tokens come from TokenService")

    def address(self, url_or_endpoint: str) -> str:
        """The same call on the account's api_base; ValueError for any other host."""
        if not url_or_endpoint.startswith(("http://", "https://")):
            return f"{self._account.api_base}/cgi-bin/{url_or_endpoint.lstrip('/')}"
        parts = urlsplit(url_or_endpoint)
        if parts.hostname not in HOSTS:
            raise ValueError("拒绝访问账号接口地址以外的主机")
        query = f"?{parts.query}" if parts.query else ""
        return f"{self._account.api_base}{parts.path}{query}"

    async def _request(self, method: str, url_or_endpoint: str, **kwargs: Any) -> Any:
        """One call; a stale token is renewed once."""
        url = self.address(url_or_endpoint)
        token = await self._tokens.get(self._account)
        try:
            answer = await self._once(method, url, token, kwargs)
        except Refused as refused:
            if refused.code not in STALE_TOKEN:
                raise
            token = await self._tokens.get(self._account, stale=token)
            answer = await self._once(method, url, token, kwargs)
        process = kwargs.get("result_processor")
        return process(answer) if process else answer

    async def _once(
        self, method: str, url: str, token: str, kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        params = {**(kwargs.get("params") or {}), "access_token": token}
        data: Any = kwargs.get("data")
        headers = {}
        if kwargs.get("files"):
            form = aiohttp.FormData()
            for name, (filename, content, mime) in kwargs["files"].items():
                form.add_field(name, content, filename=filename, content_type=mime)
            data = form
        elif isinstance(data, dict):
            data = json.dumps(data, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        return await _exchange(
            self._aio(), method.upper(), url, params=params, data=data, headers=headers
        )


# --- what refusals mean ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Meaning:
    state: State
    reason: str
    hold: str = ""
    retry_after: float = 0.0


_CREDENTIAL = _Meaning(State.HELD, "账号凭证失效：请管理员核对 AppID 和密钥", "account")
_UNAUTHORISED = _Meaning(State.HELD, "账号没有这个接口的权限：请管理员在公众平台核对", "account")
_LIMITED = _Meaning(State.HELD, "账号功能被平台限制：请管理员登录公众平台处理", "account")
_WINDOW = _Meaning(State.HELD, "不在平台允许的时限或条数内，等对方下次来信", "window")
ERRORS: dict[int, _Meaning] = {  # W40, plus what the calls we make can meet
    -1: _Meaning(State.RETRYING, "微信系统繁忙"),
    40001: _CREDENTIAL,
    40014: _CREDENTIAL,
    42001: _CREDENTIAL,
    40013: _CREDENTIAL,
    40125: _CREDENTIAL,
    40164: _Meaning(State.HELD, "服务器地址不在白名单：请管理员在公众平台添加", "account"),
    40003: _Meaning(State.ENDED, "找不到对方，无法送达"),
    43004: _Meaning(State.ENDED, "对方没有关注本账号"),
    43101: _Meaning(State.ENDED, "对方拒绝接收"),
    48002: _Meaning(State.ENDED, "对方关闭了接收消息"),
    45009: _Meaning(State.RETRYING, "当日接口次数已用完", retry_after=3600.0),
    45011: _Meaning(State.RETRYING, "接口调用太频繁", retry_after=60.0),
    45066: _Meaning(State.RETRYING, "群发重试太快", retry_after=60.0),
    45015: _WINDOW,
    45047: _WINDOW,
    45028: _Meaning(State.HELD, "群发次数已用完：请改期或由管理员调整", "quota"),
    48001: _UNAUTHORISED,
    48003: _UNAUTHORISED,
    48004: _LIMITED,
    50002: _LIMITED,
    53500: _LIMITED,
    53501: _LIMITED,
    87014: _Meaning(State.FAILED, "平台认为内容有风险：请退回重新审核"),
}
PUBLISH_STATUS = {
    2: "原创声明未通过",
    3: "发布失败",
    4: "平台审核不通过",
    5: "发布后已被全部删除",
    6: "发布后被平台封禁",
}


def outcome_of(error: Exception, *, irreversible: bool) -> Outcome:
    """What a failed call means. `irreversible`: the call itself publishes or sends."""
    if isinstance(error, Refused):
        found = ERRORS.get(error.code)
        if found is None:
            words = str(error.body.get("errmsg", ""))[:120]
            return Outcome(
                State.FAILED, reason=f"平台拒收（{error.code}）：{words}", code=str(error.code)
            )
        detail: dict[str, Any] = {"errcode": error.code}
        if found.hold == "account":
            detail["scope"] = "account"
        code = found.hold or str(error.code)
        return Outcome(found.state, "", found.reason, code, found.retry_after, detail)
    if isinstance(error, NoAnswer) and irreversible:
        return Outcome(State.UNKNOWN, reason="平台没有应答，不能确定是否成功", code="no_answer")
    return Outcome(State.RETRYING, reason=str(error) or "没有连上微信接口", code="not_sent")


# --- the channel ----------------------------------------------------------------------------


class WeChatChannel:
    """See bot.contract.Channel. One route an account: settings["push"] == "mass" sends to all."""

    platform = "wechat"
    window_seconds = 48 * 3600.0  # customer messages after the contact's last message (W7)
    window_count = 5

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
        except (Refused, NotSent, NoAnswer) as error:
            return outcome_of(error, irreversible=False)
        if account.settings.get("push") == "mass":
            return await self._mass(client, account, rendering, draft)
        try:
            answer = await client.post("freepublish/submit", data={"media_id": draft})
        except (Refused, NotSent, NoAnswer) as error:
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
            url = await self._upload(client, account, ("media/uploadimg", "url", marker), media)
            content = content.replace(marker, url)
        call = ("material/add_material", "media_id", article["thumb"])
        thumb = await self._upload(client, account, call, media)
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
        call: tuple[str, str, str],
        media: LoadMedia,
    ) -> str:
        """Upload one marker's bytes, once a day; returns the platform's name for it."""
        endpoint, answered, marker = call
        key = f"wechat:media:{account.id}:{answered}:{marker}"
        known = await self._cache.get(key)
        if known:
            return known
        if marker == DEFAULT_COVER:
            raw = await asyncio.to_thread(_COVER_FILE.read_bytes)
        else:
            raw, _ = await media(marker)
        content, mime = await asyncio.to_thread(_as_picture, raw)
        name = "picture." + mime.removeprefix("image/").replace("jpeg", "jpg")
        answer = await client.post(
            endpoint, params={"type": "image"}, files={"media": (name, content, mime)}
        )
        await self._cache.set(key, str(answer[answered]), _DAY)
        return str(answer[answered])

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
        except Refused as refused:
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
        except (Refused, NotSent, NoAnswer) as error:
            return outcome_of(error, irreversible=False)
        return _publish_outcome(ref, answer)

    def result(self, inbound: Inbound) -> tuple[str, Outcome] | None:
        """PUBLISHJOBFINISH and MASSSENDJOBFINISH name the publication they finish."""
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
            except (Refused, NotSent, NoAnswer) as error:
                outcome = outcome_of(error, irreversible=True)
                if number == 0:
                    return outcome
                reason = f"已发出前 {number} 条，其余没有发出（{outcome.reason}），请人工核对"
                return Outcome(State.UNKNOWN, reason=reason, code=outcome.code)
        return Outcome(State.PUBLISHED)

    async def create_menu(self, account: AccountView, buttons: list[dict[str, Any]]) -> None:
        """Set the account's menu; raises Refused, NotSent or NoAnswer."""
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


def guard_cdata(text: str) -> str:
    """Keep `]]>` from ending the CDATA section wechatpy writes a reply into."""
    return text.replace("]]>", "]]]]><![CDATA[>")


def reply_text(reply: Reply) -> str:
    """A reply as plain text: WeChat has no inline buttons, so their words can be typed."""
    labels = [button.label for row in reply.buttons for button in row]
    return f"{reply.text}\n\n可回复：{'、'.join(labels)}" if labels else reply.text


def split_bytes(text: str, limit: int = WECHAT_TEXT_BYTES) -> list[str]:
    """Parts of at most `limit` UTF-8 bytes, cut between lines where possible."""
    parts: list[str] = []
    rest = text
    while len(rest.encode()) > limit:
        fit = len(rest.encode()[:limit].decode(errors="ignore"))
        cut = rest.rfind("\n", 0, fit + 1)
        if cut < fit // 3:
            cut = fit
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest or not parts else parts
