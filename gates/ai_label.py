"""A picture whose own metadata says that it was made by AI, and that nobody has declared. Pure."""

from documents.ai_marks import ai_marks
from gates.finding import Finding

GENERATED, CREDENTIALS = "law.ai-label", "law.content-credentials"
_BASIS = "《人工智能生成合成内容标识办法》第四条、第六条、第十条；GB 45438—2025"
_REMEDY = "请在图片处写明是 AI 辅助还是 AI 生成"


def ai_findings(name: str, content: bytes) -> list[Finding]:
    """What the bytes of a picture say of themselves; whoever knows the declaration weighs it."""
    marks = ai_marks(content)
    if not marks:
        return []
    # Credentials alone are a history, which cameras write too: a person says what it was.
    alone = all(mark.startswith("C2PA") for mark in marks)
    remedy = f"{_REMEDY}，不是的写明人拍、人画" if alone else _REMEDY
    return [
        Finding(
            gate="law",
            rule=CREDENTIALS if alone else GENERATED,
            severity="block",
            field=f"attachment:{name}",
            start=0,
            end=0,
            text="",
            reason=f"图片自带的标识写明：{'；'.join(marks)}。{remedy}",
            basis=_BASIS,
        )
    ]


def declared(rule: str, made: str) -> bool:
    """Whether this declaration (blocks.document.Made) settles the finding."""
    return made in ("assisted", "generated") or (rule == CREDENTIALS and made == "human")
