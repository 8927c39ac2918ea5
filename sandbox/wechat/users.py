"""Tags and followers."""

from typing import Any

from sandbox.state import JSON, Citizen
from sandbox.wechat.account import Call, WeChatError

PAGE = 10_000


def _tag(call: Call, given: Any) -> int:
    number = int(given or 0)
    if number not in call.account.tags:
        raise WeChatError(45159)
    return number


def _tag_name(call: Call) -> str:
    name = str((call.params.get("tag") or {}).get("name") or "")
    if len(name.encode()) > 30:
        raise WeChatError(45158)
    if not name or name in call.account.tags.values():
        raise WeChatError(45157)
    return name


def tag_create(call: Call) -> JSON:
    """tags/create: at most 100, names of 30 bytes; 0, 1 and 2 are the platform's."""
    # 100 tags an account, 20 a person, 50 people a call (W30).
    if len(call.account.tags) >= 100:
        raise WeChatError(45056)
    # From 100 on: the low numbers are the platform's own groups.
    number = max(call.account.tags, default=99) + 1
    call.account.tags[number] = _tag_name(call)
    return {"tag": {"id": number, "name": call.account.tags[number]}}


def tag_get(call: Call) -> JSON:
    """tags/get: all tags with their counts."""
    people = call.account.citizens.values()
    return {
        "tags": [
            {"id": number, "name": name, "count": sum(number in c.tags for c in people)}
            for number, name in call.account.tags.items()
        ]
    }


def tag_change(call: Call) -> JSON:
    """tags/update: a new name."""
    given = call.params.get("tag") or {}
    if given.get("id") in (0, 1, 2):
        raise WeChatError(45058)
    call.account.tags[_tag(call, given.get("id"))] = _tag_name(call)
    return {}


def tag_delete(call: Call) -> JSON:
    """tags/delete."""
    given = call.params.get("tag") or {}
    if given.get("id") in (0, 1, 2):
        raise WeChatError(45058)
    number = _tag(call, given.get("id"))
    del call.account.tags[number]
    for citizen in call.account.citizens.values():
        citizen.tags.discard(number)
    return {}


def tag_members(call: Call) -> JSON:
    """tags/members/batchtagging: at most 50 people, 20 tags each."""
    number, people = _tag(call, call.params.get("tagid")), _batch(call)
    # All or nobody: one person over the limit refuses the whole call.
    if any(len(c.tags | {number}) > 20 for c in people):
        raise WeChatError(45059)
    for citizen in people:
        citizen.tags.add(number)
    return {}


def untag_members(call: Call) -> JSON:
    """tags/members/batchuntagging."""
    number = _tag(call, call.params.get("tagid"))
    for citizen in _batch(call):
        citizen.tags.discard(number)
    return {}


def _batch(call: Call) -> list[Citizen]:
    openids = call.params.get("openid_list") or []
    if not 1 <= len(openids) <= 50:
        raise WeChatError(40032)
    people = [call.follower(openid) for openid in openids]
    # All or nobody: one who follows no more refuses the whole call.
    if not all(one.following for one in people):
        raise WeChatError(49003)
    return people


def tags_of(call: Call) -> JSON:
    """tags/getidlist: one citizen's tags."""
    return {"tagid_list": sorted(call.follower(call.params.get("openid")).tags)}


def tag_users(call: Call) -> JSON:
    """user/tag/get: who has a tag."""
    number = _tag(call, call.params.get("tagid"))
    people = [c.id for c in call.account.citizens.values() if number in c.tags]
    page = _page(people, call.params.get("next_openid"))
    answer: JSON = {"count": len(page)}
    if page:
        answer["data"] = {"openid": page}
    return answer | {"next_openid": page[-1] if page else ""}


def _page(people: list[str], after: Any) -> list[str]:
    # Pages of 10,000, each beginning after the last person of the one before (W31).
    start = people.index(after) + 1 if after in people else 0
    return people[start : start + PAGE]


def user_get(call: Call) -> JSON:
    """user/get: followers, 10,000 a page."""
    people = [c.id for c in call.account.citizens.values() if c.following]
    page = _page(people, call.query.get("next_openid"))
    answer: JSON = {"total": len(people), "count": len(page)}
    if page:
        answer["data"] = {"openid": page}
    return answer | {"next_openid": page[-1] if page else ""}


def _user(citizen: Citizen | None, openid: str) -> JSON:
    # Of who does not follow the platform tells nothing but that.
    if citizen is None or not citizen.following:
        return {"subscribe": 0, "openid": openid}
    return {
        "subscribe": 1,
        "openid": openid,
        "language": "zh_CN",
        "subscribe_time": int(citizen.since),
        "tagid_list": sorted(citizen.tags),
        "subscribe_scene": "ADD_SCENE_SEARCH",
    }


def user_info(call: Call) -> JSON:
    """user/info: one person."""
    openid = str(call.query.get("openid") or "")
    return _user(call.follower(openid), openid)


def users_info(call: Call) -> JSON:
    """user/info/batchget: at most 100 people."""
    wanted = [str(u.get("openid")) for u in call.params.get("user_list") or []]
    # 100 people a call (W31).
    if not 1 <= len(wanted) <= 100:
        raise WeChatError(40032)
    return {"user_info_list": [_user(call.account.citizens.get(o), o) for o in wanted]}
