"""What somebody deletes by hand in WeChat's back office, past every call."""

from sandbox.state import State
from sandbox.wechat.account import Official


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
