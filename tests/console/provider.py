"""A small OpenID provider on 127.0.0.1, and everything a false one could say."""

import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "shenfa & co", "s3cret:with/signs"
KEYS = [RSAKey.generate_key(2048, {"kid": f"key{one}", "use": "sig"}) for one in range(2)]
Claims = dict[str, Any]


def same(claims: Claims) -> Claims:
    return claims


@dataclass
class FakeProvider:
    """`subject` is who is signed in there; `forge` changes claims, `signed` how they are signed."""

    subject: str = "u-1001"
    forge: Callable[[Claims], Claims] = same
    key: int = 0
    shown: tuple[int, ...] = (0,)
    sign: Callable[["FakeProvider", Claims], str] | None = None
    said: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def app(self) -> web.Application:
        """Its four addresses."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._about)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        return app

    async def _about(self, _request: web.Request) -> web.Response:
        self.asked.append("about")
        about = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }
        return web.json_response(about | self.said)

    async def _keys(self, _request: web.Request) -> web.Response:
        self.asked.append("keys")
        shown = [KEYS[one].as_dict(private=False) for one in self.shown]
        # What no office can use stands there as well.
        odd = [
            {"kty": "odd", "kid": "x"},
            {"kty": []},
            {"kty": "EC", "crv": "SM2", "kid": "sm2", "x": "AA", "y": "AA"},
            OctKey.generate_key(256).as_dict(private=True),
        ]
        return web.json_response({"keys": [*odd, *shown]})

    async def _authorize(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.url}
        raise web.HTTPFound(f"{query['redirect_uri']}?{urlencode(back)}")

    async def _token(self, request: web.Request) -> web.Response:
        sent = await request.post()
        scheme, _, both = request.headers.get("Authorization", "").partition(" ")
        client, _, secret = base64.b64decode(both).decode().partition(":")
        asked = self.codes.pop(str(sent["code"]), None)
        digest = hashlib.sha256(str(sent.get("code_verifier", "")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        same = asked is not None and asked["redirect_uri"] == sent["redirect_uri"]
        known = (scheme, unquote(client), unquote(secret)) == ("Basic", CLIENT, SECRET)
        if asked is None or not (known and same) or asked["code_challenge"] != challenge:
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = self.forge(
            {
                "iss": self.url, "sub": self.subject, "aud": CLIENT, "nonce": asked["nonce"],
                "iat": int(time.time()), "exp": int(time.time()) + 300, "roles": ["admin"],
            }
        )  # fmt: skip
        token = self.sign(self, claims) if self.sign else self.signed(claims)
        return web.json_response({"id_token": token, "access_token": "x", "token_type": "Bearer"})

    def signed(self, claims: Claims) -> str:
        """As it should be."""
        key = KEYS[self.key]
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


def unsigned(_: FakeProvider, claims: Claims) -> str:
    """`alg: none`."""
    parts = jwt.encode({"alg": "HS256"}, claims, OctKey.generate_key(256)).split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"key0"}').rstrip(b"=").decode()
    return f"{head}.{parts[1]}."


def by_public_key(_: FakeProvider, claims: Claims) -> str:
    """HS256 with the public key for a secret: what everybody has signs it."""
    secret = OctKey.import_key(KEYS[0].as_pem(private=False).replace(b"-----", b"====="))
    return jwt.encode({"alg": "HS256", "kid": "key0"}, claims, secret)


def by_another_key(_: FakeProvider, claims: Claims) -> str:
    """A key of somebody else under the name of the provider's."""
    key = RSAKey.generate_key(2048, {"kid": "key0"})
    return jwt.encode({"alg": "RS256", "kid": "key0"}, claims, key)


def by_key_inside(_: FakeProvider, claims: Claims) -> str:
    """A key that the token brings itself."""
    key = ECKey.generate_key("P-256", {"kid": "mine"})
    head = {"alg": "ES256", "kid": "mine", "jwk": key.as_dict(private=False)}
    return jwt.encode(head, claims, key)


async def serve(fake: FakeProvider) -> TestServer:
    """Start it; `fake.url` is then its issuer."""
    server = TestServer(fake.app(), host="127.0.0.1")
    await server.start_server()
    fake.url = str(server.make_url("")).rstrip("/")
    return server
