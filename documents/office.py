"""Word, Excel and PowerPoint files as addressed texts, what they hide included."""

from documents.beside import read_beside, read_descriptions
from documents.parts import AUTHOR, Archive, Notes, attribute, local, named
from documents.persons import is_person

_PROPERTIES = {
    "creator": "作者",
    "lastModifiedBy": "最后修改者",
    "title": "标题",
    "subject": "主题",
    "description": "备注",
    "keywords": "标记",
    "category": "类别",
    "Company": "单位",
    "Manager": "经理",
}
_PEOPLE = ("creator", "lastModifiedBy", "Manager")


def read_properties(archive: Archive, notes: Notes) -> None:
    """Document properties: who wrote and changed it, the office, custom fields."""
    for name in ("docProps/core.xml", "docProps/app.xml"):
        root = archive.xml(name)
        for node in root if root is not None else ():
            kind, text = local(node), (node.text or "").strip()
            if kind in _PROPERTIES and text:
                index = notes.add(f"文档属性“{_PROPERTIES[kind]}”", text)
                if kind in _PEOPLE and is_person(text):
                    notes.mark(index, AUTHOR, text)
    custom = archive.xml("docProps/custom.xml")
    for node in custom if custom is not None else ():
        text = "".join(node.itertext()).strip()
        # WPS writes its own version numbers there; they say nothing of the document.
        if text and not attribute(node, "name").startswith("KSO"):
            notes.add(f"文档属性“{attribute(node, 'name')}”", text)


def read_common(archive: Archive, notes: Notes) -> None:
    """What every office file may carry: macros, embedded files, pictures, properties."""
    if any(name.lower().endswith(("vbaproject.bin", "vbadata.xml")) for name in archive.names):
        notes.fault("macro", "block", "带有宏程序，不得发布，请另存为不带宏的文件")
    embedded = archive.matching(
        r"(?:word|xl|ppt)/(?:(?:embeddings|activeX|ctrlProps)/[^/]+\.\w+|[^/]+\.(?:mht|html?|rtf))"
    )
    # Parts that only describe an object are no object.
    if objects := [name for name in embedded if not name.endswith((".xml", ".rels"))]:
        reason = f"嵌有 {len(objects)} 个文件或对象，机器没有检查，请由人打开查看，或改为单独的附件"
        notes.fault("embedded", "warn", reason)
    if pictures := archive.matching(r"(?:word|xl|ppt)/media/[^/]+"):
        reason = f"含 {len(pictures)} 张图片，机器读不出图中文字，需要人工看"
        notes.fault("look", "warn", reason)
    read_beside(archive, notes)
    read_properties(archive, notes)


def link_targets(archive: Archive, notes: Notes, name: str) -> None:
    """Where the links of a file lead: a mail address there is as public as one in the text."""
    root = archive.xml(name)
    for node in root if root is not None else ():
        target = attribute(node, "Target")
        if attribute(node, "TargetMode") == "External" and target.startswith("mailto:"):
            notes.add("超链接", target)


def read_slides(archive: Archive, notes: Notes) -> None:
    """A .pptx: slides, notes and comments."""
    kinds = ((r"ppt/slides/slide\d+\.xml", "第 {} 张幻灯片"),
             (r"ppt/notesSlides/notesSlide\d+\.xml", "第 {} 张的备注"),
             (r"ppt/comments/[^/]+\.xml", "第 {} 组批注"))  # fmt: skip
    for pattern, place in kinds:
        for number, name in enumerate(archive.matching(pattern), 1):
            root = archive.xml(name)
            if attribute(root, "show") == "0":
                notes.fault("hidden", "warn", f"{place.format(number)}是隐藏的，发布前请删除")
            for paragraph in named(root, "p", "text"):
                text = "".join(each.text or "" for each in named(paragraph, "t"))
                text = text or (paragraph.text or "")
                if text.strip():
                    notes.add(place.format(number), text)
            read_descriptions([root], notes)
    read_common(archive, notes)
