"""What somebody does by hand in WeChat's back office, past every call."""

import base64

from sandbox.state import JSON, State
from sandbox.wechat.account import Official
from sandbox.wechat.live_pictures import exchange


def act(state: State, account: Official, content: JSON) -> JSON:
    """Delete the articles of a `title`, or without one every picture.

    With `find` and `put` words of those articles are changed instead; with `picture`, a place from
    1, and `data` in base64, that picture of theirs is exchanged.
    """
    title = str(content.get("title") or "")
    if title and "picture" in content:
        data = base64.b64decode(str(content["data"]))
        return {"altered": exchange(state, account, title, int(content["picture"]), data)}
    if title and "find" in content:
        words = str(content["find"]), str(content.get("put") or "")
        return {"altered": alter_articles(account, title, *words)}
    if title:
        return {"deleted": delete_articles(account, title)}
    return {"deleted": delete_pictures(state, account)}


def delete_articles(account: Official, title: str) -> int:
    """Delete every published or sent article with this title; the cards stay; how many."""
    found = [
        item
        for kept in account.articles.values()
        for item in kept["items"]
        if item["title"] == title and not item.get("deleted")
    ]
    for item in found:
        item["deleted"] = True
    return len(found)


def delete_pictures(state: State, account: Official) -> int:
    """Empty the account's material: its media ids are unknown and its addresses dead; how many."""
    gone = len(account.materials)
    for kept in account.materials.values():
        state.media.pop(str(kept["url"]).rpartition("/")[2], None)
    account.materials.clear()
    return gone


def alter_articles(account: Official, title: str, find: str, put: str) -> int:
    """Change words in every article with this title; how many were changed."""
    found = [
        item
        for kept in account.articles.values()
        for item in kept["items"]
        if item["title"] == title and find in item["content"]
    ]
    for item in found:
        item["content"] = item["content"].replace(find, put)
    return len(found)
