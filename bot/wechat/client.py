"""WeChat's wire: wechatpy's API objects over our own aiohttp session, and the one token holder."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from wechatpy import WeChatClient

from bot.calling import begin, made
from bot.contract import AccountView, Still
from bot.http import Blocked
from bot.wechat.codes import STALE, hinted
from documents.normalise_picture import MOST_BYTES
from storage.cache import Cache, lock

HOSTS = frozenset({"api.weixin.qq.com", "mp.weixin.qq.com", "file.api.weixin.qq.com"})

PICTURE_HOSTS = frozenset({"mmbiz.qpic.cn", "mmbiz.qlogo.cn", "mmecoa.qpic.cn"})

_MOST_READ = 4 * 1024 * 1024  # bytes of an article's page
_FOUND = 200
Answer = dict[str, Any]
"""What the platform answered, whatever the call: JSON as it came."""


class WeChatRefused(Exception):
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


async def _exchange(http: aiohttp.ClientSession, method: str, url: str, **kwargs: Any) -> Answer:
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
    # An error page of a proxy is no answer of WeChat's: the call may have been taken.
    if not isinstance(answer, dict) or (status != 200 and not answer.get("errcode")):
        raise NoAnswer(f"微信接口应答无法识别（{status}）")
    if answer.get("errcode"):
        raise WeChatRefused(int(answer["errcode"]), answer)
    return answer


async def opened(http: aiohttp.ClientSession, api_base: str, url: str) -> str:
    """An article's page as a reader gets it; empty when it does not open or is no page of WeChat.

    No token goes along.
    """
    known = urlsplit(url).netloc in HOSTS | {urlsplit(api_base).netloc}
    return (await _read(http, url, _MOST_READ)).decode("utf-8", "replace") if known else ""


async def picture(http: aiohttp.ClientSession, api_base: str, url: str) -> bytes:
    """A picture of an article as a reader gets it; empty when it does not open or lies elsewhere.

    No token goes along. The platform writes its addresses with http or without a scheme.
    """
    parts = urlsplit(url)
    if parts.netloc in PICTURE_HOSTS:
        return await _read(http, parts._replace(scheme="https").geturl(), MOST_BYTES)
    own = parts.netloc == urlsplit(api_base).netloc
    return await _read(http, url, MOST_BYTES) if own and parts.scheme else b""


async def _read(http: aiohttp.ClientSession, url: str, most: int) -> bytes:
    """What stands under an address, whole; empty when it is more than `most` or does not open."""
    try:
        async with http.get(url, allow_redirects=False) as response:
            parts, held = [], 0
            # It comes in pieces: from half of a page or picture nothing may be concluded.
            async for part in response.content.iter_any():
                parts.append(part)
                held += len(part)
                if held > most:
                    return b""
            return b"".join(parts) if response.status == _FOUND else b""
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return b""


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
            # Asked again inside: whoever waited for the lock finds what the first one fetched.
            token = await self._cache.get(key)
            if token and token != stale:
                return token
            answer = await self._fetch(account, force=False)
            # Forcing is rationed to 20 a day (W33): only when the platform repeats a dead token.
            if answer["access_token"] == stale:
                answer = await self._fetch(account, force=True)
            # Given up 300 s early: both tokens hold for that long, so nobody is cut off (W32).
            life = max(60.0, float(answer.get("expires_in", 7200)) - 300)
            await self._cache.set(key, str(answer["access_token"]), life)
            return str(answer["access_token"])

    async def ask(self, account: AccountView) -> None:
        """Ask the platform for the token whatever is remembered: the secret is tried anew."""
        await self._fetch(account, force=False)

    def _key(self, account: AccountView) -> str:
        name = f"{account.api_base}:{account.secrets['appid']}"
        return "wechat:token:" + hashlib.sha256(name.encode()).hexdigest()[:24]

    async def _fetch(self, account: AccountView, *, force: bool) -> Answer:
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


class AioWeChatClient(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """wechatpy's client whose calls are awaitable and go nowhere but to the account's api_base."""

    def __init__(
        self,
        account: AccountView,
        http: Callable[[], aiohttp.ClientSession],
        tokens: TokenService,
        still: Still | None = None,
    ) -> None:
        """`tokens` is the only place a token comes from; `still` is asked before each call.

        Without `still` for calls that nobody sees the effect of.
        """
        super().__init__(account.secrets["appid"], account.secrets["secret"], auto_retry=False)
        self._account = account
        self._aio = http
        self._tokens = tokens
        self._still = still

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
        except WeChatRefused as refused:
            if hinted(refused.code) != STALE:
                raise
            token = await self._tokens.get(self._account, stale=token)
            answer = await self._once(method, url, token, kwargs)
        process = kwargs.get("result_processor")
        return process(answer) if process else answer

    async def _once(self, method: str, url: str, token: str, kwargs: Mapping[str, Any]) -> Answer:
        if self._still is not None:
            await self._still()  # after the token: fetching one may have taken its time
            begin()
        made(url.removeprefix(f"{self._account.api_base}/cgi-bin/"))
        params = {**(kwargs.get("params") or {}), "access_token": token}
        data: Any = kwargs.get("data")
        headers = {}
        if kwargs.get("files"):
            form = aiohttp.FormData()
            for name, (filename, content, mime) in kwargs["files"].items():
                form.add_field(name, content, filename=filename, content_type=mime)
            data = form
        elif isinstance(data, dict):
            # Chinese as it is: the platform would show its \u forms to readers.
            data = json.dumps(data, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        return await _exchange(
            self._aio(), method.upper(), url, params=params, data=data, headers=headers
        )
