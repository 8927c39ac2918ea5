"""The body's own sign-in (OpenID Connect): where to send a browser, and who came back.

Authorization code with PKCE (S256), state and nonce; tokens are judged by joserfc, never here. Only
the subject is taken from them: names, mail and roles of a provider mean nothing in this office.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from config.clock import now
from config.settings import Settings
from staff.refusal import Reason, Refused

BACK = "/console/signin/provider/back"
"""Where the provider sends a browser back to: it has to be registered there."""
_ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
"""With a public key only: `none` and shared secrets prove nothing."""
_LEEWAY = 60  # seconds that two clocks may differ
_SECONDS = 10.0  # for one question to the provider
_LARGEST = 256 * 1024  # bytes of an answer
_KEPT = 600.0  # seconds for which what a provider says of itself, and its keys, are believed
_AGAIN = 10.0  # seconds at least between two readings of its keys for one that is not known
_LONGEST = 255  # characters of a subject, by the standard
_WELL_KNOWN = "/.well-known/openid-configuration"
_log = structlog.get_logger("staff.provider")


@dataclass(frozen=True)
class Client:
    """What the provider knows this office by; `plain` lets a development provider speak http."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    redirect_uri: str
    name: str
    plain: bool = False


@dataclass(frozen=True)
class Asked:
    """What a browser was sent away with: it must come back with the same, once and soon."""

    state: str
    nonce: str
    verifier: str = field(repr=False)


def client_of(settings: Settings) -> Client | None:
    """The office as its provider knows it; None where it signs in by itself alone."""
    if not settings.oidc_issuer:
        return None
    return Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=settings.oidc_client_secret.get_secret_value(),
        redirect_uri=settings.public_url.rstrip("/") + BACK,
        name=settings.oidc_name.strip(),
        plain=settings.oidc_issuer.startswith("http:"),
    )


def new_question() -> Asked:
    """Fresh random values; the verifier is the secret half of PKCE."""
    state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    return Asked(state, nonce, secrets.token_urlsafe(48))


class _Odd(Exception):
    """The provider said what it must not; the text is a word for the log."""


@dataclass
class _Read:
    """What was read of the provider, and when."""

    said: dict[str, Any]
    keys: KeySet
    at: float


class Provider:
    """One provider, asked over https alone; no redirect of it is followed."""

    def __init__(self, client: Client) -> None:
        """Nothing is asked before the first sign-in."""
        self.client = client
        self._read: _Read | None = None

    async def address(self, asked: Asked) -> str:
        """Where the browser goes; Refused (503) when the provider does not answer."""
        try:
            said = (await self._known()).said
            place = self._place(said, "authorization_endpoint")
        except (_Odd, ValueError, OSError, aiohttp.ClientError, TimeoutError) as error:
            raise self._away(error) from error
        challenge = hashlib.sha256(asked.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": "openid",
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(query)}"

    async def subject(self, code: str, asked: Asked) -> str:
        """Who came back with this code; Refused (401) when it is not proved, 503 without answer."""
        try:
            token = await self._token(code, asked)
            return await self._proved(token, asked)
        except (_Odd, JoseError, ValueError) as error:
            raise self._unproved(error) from error
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            raise self._away(error) from error

    async def fault(self) -> str:
        """Why nobody could sign in by it just now, in words; empty when they could."""
        try:
            await self._known()
        except (_Odd, JoseError, ValueError, OSError, aiohttp.ClientError, TimeoutError) as error:
            return str(error) if isinstance(error, _Odd) else type(error).__name__
        return ""

    # --- what it says ---------------------------------------------------------------------------

    async def _token(self, code: str, asked: Asked) -> str:
        said = (await self._known()).said
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": asked.verifier,
        }
        headers = {}
        if "client_secret_basic" in _methods(said):
            # Each half is encoded as in a form first: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
            both = f"{quote(self.client.client_id, safe='')}:{quote(self.client.secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
        else:
            sent |= {"client_id": self.client.client_id, "client_secret": self.client.secret}
        answer = await self._ask("POST", self._place(said, "token_endpoint"), sent, headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _Odd("no id_token")
        return token

    async def _proved(self, token: str, asked: Asked) -> str:
        said = await self._judged(token)
        rules = jwt.JWTClaimsRegistry(
            now=int(now().timestamp()),
            leeway=_LEEWAY,
            iss={"essential": True, "value": self.client.issuer},
            aud={"essential": True, "value": self.client.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": asked.nonce},
            sub={"essential": True},
        )
        rules.validate(said)
        # For several audiences the one it was made for is named, and must be this office.
        party = said.get("azp")
        if party is None and isinstance(said["aud"], list) and len(said["aud"]) > 1:
            raise _Odd("no azp")
        if party not in (None, self.client.client_id):
            raise _Odd("azp")
        subject = said["sub"]
        if said["nonce"] != asked.nonce or not 0 < len(subject) <= _LONGEST:
            raise _Odd("nonce or sub")
        return str(subject)

    async def _judged(self, token: str) -> dict[str, Any]:
        """The claims under a signature of one of the provider's keys, which it may have changed."""
        read = await self._known()
        try:
            return dict(jwt.decode(token, read.keys, algorithms=list(_ALGORITHMS)).claims)
        except (JoseError, ValueError):
            # A key it began to use since: read anew, and not more often than that.
            if monotonic() - read.at < _AGAIN:
                raise
        self._read = None
        keys = (await self._known()).keys
        return dict(jwt.decode(token, keys, algorithms=list(_ALGORITHMS)).claims)

    async def _known(self) -> _Read:
        held = self._read
        if held is not None and monotonic() - held.at < _KEPT:
            return held
        said = await self._ask("GET", self.client.issuer.rstrip("/") + _WELL_KNOWN)
        # Or another one could speak for it: https://openid.net/specs/openid-connect-discovery-1_0.html
        if said.get("issuer") != self.client.issuer:
            raise _Odd("the issuer in its description is another one")
        keys = _keys_in(await self._ask("GET", self._place(said, "jwks_uri")))
        self._read = _Read(said, keys, monotonic())
        return self._read

    def _place(self, said: dict[str, Any], name: str) -> str:
        place = said.get(name)
        schemes = ("https", "http") if self.client.plain else ("https",)
        if not isinstance(place, str) or not place.isprintable() or not _leads(place, schemes):
            raise _Odd(f"no https address for {name}")
        return place

    async def _ask(
        self,
        method: str,
        place: str,
        sent: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as http,
            http.request(
                method, place, data=sent, headers=headers, allow_redirects=False
            ) as answer,
        ):
            raw = bytearray()
            async for piece in answer.content.iter_chunked(16_384):
                raw += piece
                if len(raw) > _LARGEST:
                    raise _Odd("its answer is too large")
            if answer.status != 200:
                raise _Odd(f"it answered {answer.status}")
        try:
            found = json.loads(raw)
        except ValueError as error:
            raise _Odd("its answer is no JSON") from error
        if not isinstance(found, dict):
            raise _Odd("its answer is no object")
        return found

    # --- refusals: the log says which, the page what to do ----------------------------------------

    def _away(self, error: Exception) -> Refused:
        _log.warning("provider_away", error=type(error).__name__, why=_why(error))
        words = f"{self.client.name}现在连不上：请稍后再试，或用密码、通行密钥登录"
        return Refused(503, [Reason("provider", words)])

    def _unproved(self, error: Exception) -> Refused:
        _log.warning("provider_unproved", error=type(error).__name__, why=_why(error))
        words = f"{self.client.name}没有证明您是谁：请再试一次，或用密码、通行密钥登录"
        return Refused(401, [Reason("provider", words)])


def _why(error: Exception) -> str:
    """What goes into the log: words of ours, or the kind of an error of the library."""
    return str(error) if isinstance(error, _Odd) else getattr(error, "error", "")


def _leads(place: str, schemes: Sequence[str]) -> bool:
    try:
        return urlsplit(place).scheme in schemes
    except ValueError:
        return False


def _methods(said: dict[str, Any]) -> list[str]:
    found = said.get("token_endpoint_auth_methods_supported")
    return found if isinstance(found, list) else ["client_secret_basic"]


def _keys_in(said: dict[str, Any]) -> KeySet:
    """Its keys for signatures; what is of another sort is passed over, as the standard says."""
    found, keys = [], said.get("keys")
    for one in keys if isinstance(keys, list) else ():
        if not isinstance(one, dict) or one.get("use", "sig") != "sig" or one.get("kty") == "oct":
            continue
        try:
            found.append(JWKRegistry.import_key(one))
        except (JoseError, ValueError, LookupError, TypeError):  # as SM2: no curve of the library
            continue
    if not found:
        raise _Odd("it shows no key")
    return KeySet(found)
