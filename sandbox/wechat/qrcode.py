"""QR codes with a scene: what a scan tells the account."""

import hashlib
from urllib.parse import urlencode

from sandbox.state import JSON
from sandbox.wechat.account import Call, WeChatError

LONGEST, MOST_FOR_EVER, LONGEST_LIFE = 64, 100_000, 2_592_000
_BY_NUMBER = {"QR_SCENE": 2**32 - 1, "QR_LIMIT_SCENE": MOST_FOR_EVER}
_BY_WORDS = ("QR_STR_SCENE", "QR_LIMIT_STR_SCENE")


def qrcode_create(call: Call) -> JSON:
    """qrcode/create: for verified service accounts; a scene of 64 signs, 100,000 for ever (W43)."""
    account = call.account
    if account.kind != "service" or not account.verified:
        raise WeChatError(48001)
    action = call.text("action_name")
    scene = _scene(action, (call.params.get("action_info") or {}).get("scene") or {})
    for_ever = "LIMIT" in action
    if for_ever and scene not in account.scenes and len(account.scenes) >= MOST_FOR_EVER:
        raise WeChatError(45029)
    if for_ever:
        account.scenes.add(scene)
    ticket = hashlib.sha256(f"{account.id}:{action}:{scene}".encode()).hexdigest()[:40]
    answer: JSON = {"ticket": ticket, "url": f"{call.base}/q/{ticket}?{urlencode({'s': scene})}"}
    if not for_ever:
        seconds = int(call.params.get("expire_seconds") or 60)
        if not 0 < seconds <= LONGEST_LIFE:
            raise WeChatError(40035)
        answer["expire_seconds"] = seconds
    return answer


def _scene(action: str, given: JSON) -> str:
    if action in _BY_NUMBER:
        number = int(given.get("scene_id") or 0)
        if not 1 <= number <= _BY_NUMBER[action]:
            raise WeChatError(40053)
        return str(number)
    if action not in _BY_WORDS:
        raise WeChatError(40053)
    words = str(given.get("scene_str") or "")
    if not 1 <= len(words) <= LONGEST:
        raise WeChatError(40053)
    return words
