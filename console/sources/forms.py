"""The form of a source: its fields with an attached document."""

from aiohttp import web

from console.web.deps import DEPS
from console.web.pages import form
from content_sources.source_fields import day_text
from staff.refusal import Reason, Refused
from storage.media import keep

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
