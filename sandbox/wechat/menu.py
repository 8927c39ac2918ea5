"""The menu under the chat."""

from sandbox.state import JSON
from sandbox.wechat.account import Call, WeChatError


def menu_create(call: Call) -> JSON:
    """menu/create: three entries of at most five; names of 16 and 60 bytes, keys of 128."""
    buttons = call.params.get("button")
    # Three entries of at most five (W36).
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise WeChatError(40016)
    for button in buttons:
        # Bytes: 16 are five Chinese characters, in sub-entries 60.
        _check_name(button, 16)
        subs = button.get("sub_button") or []
        if len(subs) > 5:
            raise WeChatError(40016)
        for one in subs:
            _check_name(one, 60)
        # An entry with sub-entries only opens them: it has neither key nor address.
        for one in subs or [button]:
            _check_entry(one)
    call.account.menu = {"button": buttons}
    return {}


def _check_name(button: JSON, limit: int) -> None:
    if not 1 <= len(str(button.get("name") or "").encode()) <= limit:
        raise WeChatError(40018)


def _check_entry(button: JSON) -> None:
    if button.get("type") == "click":
        if not 1 <= len(str(button.get("key") or "").encode()) <= 128:
            raise WeChatError(40019)
    elif button.get("type") == "view":
        if not str(button.get("url") or "").startswith(("http://", "https://")):
            raise WeChatError(40066)
    else:
        raise WeChatError(40017)


def menu_get(call: Call) -> JSON:
    """menu/get: the menu as created."""
    if not call.account.menu:
        raise WeChatError(46003)
    return {"menu": call.account.menu}


def menu_delete(call: Call) -> JSON:
    """menu/delete."""
    call.account.menu = {}
    return {}
