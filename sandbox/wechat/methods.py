"""Every WeChat call by its path, and the two that belong to no room."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.state import JSON
from sandbox.wechat.account import Call, WeChatError
from sandbox.wechat.comments import (
    comment_close,
    comment_delete,
    comment_elect,
    comment_list,
    comment_open,
    comment_unelect,
    reply_add,
    reply_delete,
)
from sandbox.wechat.customer import (
    custom_send,
    custom_typing,
    staff_list,
    subscribe_send,
    templates,
)
from sandbox.wechat.datacube import article_total
from sandbox.wechat.drafts import (
    draft_add,
    draft_batchget,
    draft_count,
    draft_delete,
    draft_get,
    draft_update,
)
from sandbox.wechat.mass import (
    mass_delete,
    mass_get,
    mass_preview,
    mass_send,
    mass_sendall,
    mass_speed,
    month_of,
)
from sandbox.wechat.media import (
    add_material,
    del_material,
    upload_img,
    upload_media,
)
from sandbox.wechat.menu import menu_create, menu_delete, menu_get
from sandbox.wechat.publishing import (
    publish_article,
    publish_batchget,
    publish_delete,
    publish_get,
    publish_submit,
)
from sandbox.wechat.users import (
    tag_change,
    tag_create,
    tag_delete,
    tag_get,
    tag_members,
    tag_users,
    tags_of,
    untag_members,
    user_get,
    user_info,
    users_info,
)


def clear_quota(call: Call) -> JSON:
    """clear_quota: at most ten a month."""
    key = (int(month_of(call.now).replace("-", "")), "clear_quota")
    count = call.account.used.get(key, 0) + 1
    if count > 10:
        raise WeChatError(48006)
    # Ten resets a month, and they must not reset the count of resets (W35).
    call.account.used.clear()
    call.account.used[key] = count
    return {}


def callback_ips(_call: Call) -> JSON:
    """getcallbackip: where callbacks come from."""
    return {"ip_list": ["127.0.0.1"]}


METHODS: dict[str, Callable[[Call], JSON]] = {
    "media/uploadimg": upload_img, "media/upload": upload_media,
    "material/add_material": add_material, "material/del_material": del_material,
    "draft/add": draft_add, "draft/get": draft_get, "draft/update": draft_update,
    "draft/delete": draft_delete, "draft/count": draft_count, "draft/batchget": draft_batchget,
    "freepublish/submit": publish_submit, "freepublish/get": publish_get,
    "freepublish/getarticle": publish_article, "freepublish/batchget": publish_batchget,
    "freepublish/delete": publish_delete, "message/mass/sendall": mass_sendall,
    "message/mass/send": mass_send, "message/mass/get": mass_get,
    "message/mass/delete": mass_delete, "message/mass/preview": mass_preview,
    "comment/open": comment_open, "comment/close": comment_close, "comment/list": comment_list,
    "comment/markelect": comment_elect, "comment/unmarkelect": comment_unelect,
    "comment/delete": comment_delete, "comment/reply/add": reply_add,
    "comment/reply/delete": reply_delete,
    "message/mass/speed/get": mass_speed, "customservice/getkflist": staff_list,
    "message/custom/send": custom_send, "message/custom/typing": custom_typing,
    "message/subscribe/bizsend": subscribe_send, "wxaapi/newtmpl/gettemplate": templates,
    "tags/create": tag_create, "tags/get": tag_get, "tags/update": tag_change,
    "tags/delete": tag_delete, "tags/members/batchtagging": tag_members,
    "tags/members/batchuntagging": untag_members, "tags/getidlist": tags_of,
    "user/tag/get": tag_users, "user/get": user_get, "user/info": user_info,
    "user/info/batchget": users_info, "menu/create": menu_create, "menu/get": menu_get,
    "menu/delete": menu_delete, "datacube/getarticletotal": article_total,
    "clear_quota": clear_quota, "getcallbackip": callback_ips,
}  # fmt: skip
