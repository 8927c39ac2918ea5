"""One mass send to chosen people: by a list of openids, or by a tag made for it (W12, W30).

The list is for verified service accounts and 2 to 10,000 people. Whoever may not use it, one person
alone and more than 10,000 go by a tag, which only this send has: the platform keeps no
subscriptions of ours.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from bot.wechat.client import AioWeChatClient, WeChatRefused
from bot.wechat.codes import FULL, ONE, hinted
from bot.wechat.limits import SERVICE

LEAST, MOST = 2, 10_000
"""People in a send by list."""
A_CALL = 50  # people a call of tagging
KEPT_TAGS = 10
"""Tags of earlier sends that stay: the platform may still be reading the newest of them."""
PREFIX = "审发 "


def by_list(settings: Mapping[str, Any], count: int) -> bool:
    """Whether a send to so many people goes by list."""
    return settings.get("kind") in SERVICE and LEAST <= count <= MOST


class SendTag:
    """The tag of one send, which holds exactly the people it is for."""

    def __init__(self, client: AioWeChatClient, key: str) -> None:
        """`key` names the send: tried again it finds its tag."""
        self._client = client
        self._name = PREFIX + key[:12]
        self._number = 0
        self._held: set[str] = set()

    @property
    def number(self) -> int:
        """The platform's number of the tag, once it is there."""
        return self._number

    async def hold(self, people: Sequence[str]) -> AbstractSet[str]:
        """Tag these and nobody else; those of them whom the platform lets have it."""
        if not self._number:
            await self._open()
        wanted = set(people)
        await self._change("batchuntagging", sorted(self._held - wanted))
        await self._change("batchtagging", [one for one in people if one not in self._held])
        return self._held

    async def _open(self) -> None:
        listed = (await self._client.get("tags/get")).get("tags") or []
        mine = sorted(
            (int(one["id"]), str(one["name"]))
            for one in listed
            if str(one["name"]).startswith(PREFIX)
        )
        known = [number for number, name in mine if name == self._name]
        if known:
            self._number = known[0]
            self._held = await self._members()
            return
        for number, _ in mine[: max(0, len(mine) + 1 - KEPT_TAGS)]:
            await self._drop(number)
        made = await self._client.post("tags/create", data={"tag": {"name": self._name}})
        self._number = int(made["tag"]["id"])

    async def _drop(self, number: int) -> None:
        try:
            await self._client.post("tags/delete", data={"tag": {"id": number}})
        except WeChatRefused as refused:
            if hinted(refused.code) != FULL:  # it cannot go, and is in no way
                raise

    async def _members(self) -> set[str]:
        found: set[str] = set()
        after = ""
        while True:
            data = {"tagid": self._number, "next_openid": after}
            page = await self._client.post("user/tag/get", data=data)
            people = (page.get("data") or {}).get("openid") or []
            found.update(people)
            after = str(page.get("next_openid") or "")
            if not people or not after:
                return found

    async def _change(self, what: str, people: Sequence[str]) -> None:
        for start in range(0, len(people), A_CALL):
            await self._members_call(what, people[start : start + A_CALL])

    async def _members_call(self, what: str, people: Sequence[str]) -> None:
        try:
            data = {"tagid": self._number, "openid_list": list(people)}
            await self._client.post(f"tags/members/{what}", data=data)
        except WeChatRefused as refused:
            if hinted(refused.code) != ONE:
                raise
            # One person refuses all of a call: each half by itself, down to that one.
            if len(people) > 1:
                half = len(people) // 2
                await self._members_call(what, people[:half])
                await self._members_call(what, people[half:])
            return
        if what == "batchtagging":
            self._held.update(people)
        else:
            self._held.difference_update(people)
