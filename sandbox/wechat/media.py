"""Pictures and files that an account uploads."""

import hashlib
import secrets
from typing import Any

from sandbox.state import JSON, Upload
from sandbox.wechat.account import Call, WeChatError


def _file(call: Call) -> Upload:
    upload = call.files.get("media")
    if upload is None or not upload.data:
        raise WeChatError(41005)
    return upload


def _image_type(data: bytes) -> str:
    if data.startswith(b"\x89PNG"):
        return "image/png"
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if data.startswith(b"GIF8"):
        return "image/gif"
    return ""


def upload_img(call: Call) -> JSON:
    """media/uploadimg: jpg or png under 1 MB, for use inside article bodies."""
    upload = _file(call)
    kind = _image_type(upload.data)
    # Told by the bytes: the platform does not believe the file's name either. Pictures inside
    # articles: jpg or png below 1 MB (W37).
    if kind not in ("image/png", "image/jpeg"):
        raise WeChatError(40005)
    if len(upload.data) >= 1024 * 1024:
        raise WeChatError(40009)
    return {"url": _keep(call, kind, upload.data)}


def _keep(call: Call, kind: str, data: bytes) -> str:
    # The same picture has the same address: uploading it twice keeps one copy.
    key = hashlib.sha256(data).hexdigest()[:32]
    call.state.keep_media(key, kind, data)
    return f"{call.base}/wechat/media/{key}"


def add_material(call: Call) -> JSON:
    """material/add_material: a permanent image (10 MB) or thumb (64 KB)."""
    kind, upload = call.query.get("type"), _file(call)
    if kind not in ("image", "thumb", "voice", "video"):
        raise WeChatError(40004)
    found = _image_type(upload.data)
    if kind in ("image", "thumb") and not found:
        raise WeChatError(40005)
    # A thumb holds 64 KB, any other permanent picture 10 MB (W37).
    if len(upload.data) > (64 * 1024 if kind == "thumb" else 10 * 1024 * 1024):
        raise WeChatError(45001)
    media_id = "M" + secrets.token_urlsafe(32)
    url = _keep(call, found or upload.content_type, upload.data)
    call.account.materials[media_id] = {"type": kind, "url": url, "name": upload.filename}
    return {"media_id": media_id, "url": url}


def upload_media(call: Call) -> JSON:
    """media/upload: a temporary file, gone after three days."""
    upload = _file(call)
    media_id = "T" + secrets.token_urlsafe(32)
    url = _keep(call, _image_type(upload.data) or upload.content_type, upload.data)
    # Temporary media live three days (W37).
    until = call.now + 3 * 86_400
    call.account.materials[media_id] = {"type": "temporary", "url": url, "until": until}
    return {"type": call.query.get("type", "image"), "media_id": media_id,
            "created_at": int(call.now)}  # fmt: skip


def del_material(call: Call) -> JSON:
    """material/del_material."""
    if call.account.materials.pop(call.text("media_id"), None) is None:
        raise WeChatError(40007)
    return {}


def material(call: Call, media_id: Any) -> JSON:
    found = call.account.materials.get(str(media_id or ""))
    # Permanent material has no end, so the default lies just ahead of now.
    if found is None or found.get("until", call.now + 1) <= call.now:
        raise WeChatError(40007)
    return found
