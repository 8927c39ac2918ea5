"""The form of a source: its fields with an attached document, and how a change differs."""

from aiohttp import web

from console.web.deps import DEPS
from console.web.pages import form
from content_sources.list_models import SourceChange
from content_sources.source_fields import day_text
from staff.refusal import Reason, Refused
from storage.media import keep

FIELDS = {
    "organisation": "稿源单位",
    "hosts": "网站域名",
    "paths": "栏目路径",
    "topics": "主题范围",
    "picture_licence": "图片许可",
    "basis": "依据文件",
    "basis_file": "依据文件附件",
    "list_version": "名单版本",
    "owner": "负责人",
    "valid_from": "生效",
    "valid_to": "有效期至",
    "allow_http": "允许 http",
}
_FILES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
LARGEST = 10 * 1024 * 1024


async def read_source_form(request: web.Request) -> dict[str, str]:
    """The form's texts; an attached authorising document is kept and becomes its marker."""
    fields = await form(request)
    fields["topics"] = " ".join(
        value for value in (await request.post()).getall("topics", []) if isinstance(value, str)
    )
    for name in ("valid_from", "valid_to"):
        fields[name] = day_text(fields.get(name, ""))
    upload = (await request.post()).get("basis_file")
    if isinstance(upload, web.FileField) and upload.filename:
        # One byte more than allowed tells a file that is too large without reading all of it.
        data = upload.file.read(LARGEST + 1)
        mime = next((m for end, m in _FILES.items() if upload.filename.lower().endswith(end)), "")
        if not mime or len(data) > LARGEST:
            reason = "依据文件附件只收 pdf、png、jpg、docx，不超过 10 MB"
            raise Refused(422, [Reason("basis_file", reason)])
        async with request.config_dict[DEPS].db.session() as session:
            fields["basis_file"] = await keep(session, data, mime)
    else:
        # The form came back once already: a browser does not send a chosen file again.
        kept = fields.get("kept_file", "")
        fields["basis_file"] = kept if kept.startswith("sha256:") else ""
    return fields


def difference(change: SourceChange) -> list[tuple[str, str, str]]:
    """Label, old and new text of every field a change touches."""
    return [
        (label, _said(change.before.get(name)), _said(change.fields.get(name)))
        for name, label in FIELDS.items()
        if _said(change.before.get(name)) != _said(change.fields.get(name))
    ]


def _said(value: object) -> str:
    if isinstance(value, list):
        return "、".join(str(part) for part in value)
    if isinstance(value, bool):
        return "是" if value else "否"
    text = str(value or "")
    return text[:10] if "T" in text and text[:4].isdigit() else text
