"""Files and the clipboard as drafts: read off the loop, pictures kept, one draft a file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from blocks.document import Document, Picture
from blocks.taken import Taken
from blocks.text import project
from bot.contract import Content
from documents.normalise_picture import Normalised, brought_in
from documents.parts import Fault
from documents.to_blocks import Brought, bring_html, read_file
from gates.work import NotDone, Work
from review_queue import drafting
from review_queue.desk import Queue
from review_queue.drafting import Origin
from review_queue.uploads import clean_name
from staff.people import Member, read_person
from staff.refusal import Reason, Refused, refuse
from staff.standing import WAITING
from storage.media import keep

MOST_FILES = 20


@dataclass(frozen=True)
class Imported:
    """What became of one file: its draft and what was left out, or why there is none."""

    file: str
    item: str = ""
    title: str = ""
    left_out: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def record(self) -> dict[str, object]:
        """Plain data for a line of JSON."""
        return asdict(self)


async def import_files(
    queue: Queue, staff_id: str, files: Sequence[tuple[str, bytes]]
) -> list[Imported]:
    """A draft a file, by name and bytes; a file that cannot be read stops no other.

    Refused when the person may write no drafts, or brings too many files at once.
    """
    async with queue.db.session() as session:
        person = await read_person(session, staff_id)
    faults = [WAITING] if person.waiting else []
    if "editor" not in person.roles:
        faults.append(Reason("role", "只有编辑能导入稿件"))
    if not files:
        faults.append(Reason("file", "请选择要导入的文件"))
    if len(files) > MOST_FILES:
        faults.append(Reason("file", f"一次最多导入 {MOST_FILES} 个文件，请分几次"))
    refuse(faults)
    return [await _import_one(queue, person, clean_name(name), content) for name, content in files]


async def _import_one(queue: Queue, person: Member, name: str, content: bytes) -> Imported:
    try:
        brought: Brought | str = await queue.runner.run(Work(read_file, (name, content)))
    except NotDone as failed:
        return Imported(name, refused=(str(failed),))
    if isinstance(brought, str):
        return Imported(name, refused=(brought,))
    taken = await _kept(queue, brought)
    body = project(taken.document).text
    if not body.strip():
        return Imported(name, left_out=taken.left_out, refused=("文件里没有可以带过来的正文",))
    # Who brings a text in is its editor, as of one that is written here; the form may change it.
    content_ = Content(
        kind="原创",
        title=taken.title,
        body=body,
        blocks=taken.document,
        attribution={"editor": person.name},
    )
    origin = Origin(editor_id=person.id, klass=next(iter(queue.levels)))
    try:
        row = await drafting.create_item(queue, content_, origin)
    except Refused as refused:
        said = tuple(reason.message for reason in refused.reasons)
        return Imported(name, left_out=taken.left_out, refused=said)
    return Imported(name, row.id, row.title, taken.left_out)


async def pasted(queue: Queue, html: str) -> Taken:
    """What the HTML of a clipboard says; its pictures are kept."""
    try:
        brought: Brought = await queue.runner.run(Work(bring_html, (html,)))
    except NotDone as failed:
        raise Refused(422, [Reason("html", f"粘贴的内容没有读完：{failed}")]) from failed
    return await _kept(queue, brought)


async def _kept(queue: Queue, brought: Brought) -> Taken:
    """What was taken over, its pictures kept as they will be sent; the others are named."""
    media: dict[str, str] = {}
    lost: list[str] = []
    for found, content in brought.pictures.items():
        # One at a time, each with the whole time that a picture may take.
        try:
            made: Normalised | Fault = await queue.runner.run(Work(brought_in, (content,)))
        except NotDone as failed:
            lost.append(f"1 张图片没有带过来：{failed}")
            continue
        if isinstance(made, Fault):
            lost.append(f"1 张图片没有带过来：{made.reason}")
            continue
        async with queue.db.session() as session:
            media[found] = await keep(session, made.data, made.mime)
    taken = brought.taken
    return replace(taken, document=_shown(taken.document, media), left_out=(*taken.left_out, *lost))


def _shown(document: Document, media: Mapping[str, str]) -> Document:
    """The document with the pictures as they were kept, and without those that were not."""
    blocks = (
        one.model_copy(update={"media": media.get(one.media, "")})
        if isinstance(one, Picture)
        else one
        for one in document.blocks
    )
    return Document(
        blocks=tuple(one for one in blocks if not isinstance(one, Picture) or one.media)
    )
