"""Access tokens: given out, ended, and whom they speak for."""

import secrets
import string

from sandbox.state import JSON, State
from sandbox.wechat.account import Official, Token, WeChatError, day

LIFETIME, OVERLAP = 7200, 300
FORCED_A_DAY, FORCED_APART = 20, 30

ALPHABET = string.ascii_letters + string.digits + "-_"


def _new_token(account: Official, at: float) -> Token:
    value = "".join(secrets.choice(ALPHABET) for _ in range(136))
    token = Token(value, at + LIFETIME, at + LIFETIME)
    account.tokens[value] = token
    return token


def count_use(account: Official, at: float, method: str) -> int:
    key = (day(at), method)
    account.used[key] = account.used.get(key, 0) + 1
    return account.used[key]


def plain_token(state: State, account: Official) -> JSON:
    """/token: always a new one; the one before ends after five minutes."""
    at = state.clock.now()
    before = account.tokens.get(account.latest)
    if before:
        # Both hold for about five minutes, so that calls on their way do not fail (W32).
        before.ends = min(before.ends, at + OVERLAP)
    token = _new_token(account, at)
    account.latest = token.value
    account.issued["token"] = account.issued.get("token", 0) + 1
    return {"access_token": token.value, "expires_in": LIFETIME}


def stable_token(state: State, account: Official, *, force: bool) -> JSON:
    """/stable_token: the same until five minutes before its end, unless forced."""
    at = state.clock.now()
    current = account.tokens.get(account.stable)
    if force:
        # Forced renewals: 30 s apart, 20 a day (W33).
        if at - account.forced_at < FORCED_APART:
            raise WeChatError(45011)
        if count_use(account, at, "force_refresh") > FORCED_A_DAY:
            raise WeChatError(45009)
        account.forced_at = at
        if current:
            # Forcing ends the old token at once, without the overlap of a plain renewal.
            current.ends = at
    # Renewed only in its last five minutes; until then everybody is given the same one (W33).
    if force or current is None or current.expires - at <= OVERLAP:
        current = _new_token(account, at)
        account.stable = current.value
        account.issued["stable_token"] = account.issued.get("stable_token", 0) + 1
    return {"access_token": current.value, "expires_in": int(current.expires - at)}


def invalidate(account: Official) -> None:
    """End all tokens of an account at once, as the platform may."""
    # Remembered as ended: the platform tells a dead token (40001) from one that never was (40014).
    account.ended.update(account.tokens)
    account.tokens.clear()
    account.latest = account.stable = ""


def credentials(state: State, given: JSON) -> Official:
    if given.get("grant_type") != "client_credential":
        raise WeChatError(40002, "invalid grant_type")
    account = state.accounts.get(str(given.get("appid") or ""))
    if not isinstance(account, Official):
        raise WeChatError(40013)
    # An own code for a wrong secret, after the appid: staff are told which of the two to mend.
    if given.get("secret") != account.secret:
        raise WeChatError(40125)
    return account


def holder(state: State, value: str) -> Official:
    """Return the account a token speaks for; 40001, 40014, 41001 or 42001 otherwise."""
    if not value:
        raise WeChatError(41001)
    at = state.clock.now()
    for account in state.accounts.values():
        if not isinstance(account, Official):
            continue
        token = account.tokens.get(value)
        # 42001 for a lifetime over, 40001 for one killed earlier: both mean "renew once" (W40).
        if token and at >= token.expires:
            raise WeChatError(42001)
        if token and at < token.ends:
            return account
        if token or value in account.ended:
            raise WeChatError(40001)
    raise WeChatError(40014)
