"""What every finding of personal data says, with the mask of the profile in use."""

from documents.parts import Severity
from gates.finding import Context, Finding, Ground
from gates.redaction import PERSONAL, profile_of

_PRIVACY = "《中华人民共和国个人信息保护法》第二十五条、第二十八条；《政府信息公开条例》第十五条"


def privacy_ground(rule: str, severity: Severity, said: str) -> Ground:
    """Never waivable: who is named has a right that no reviewer can give away."""
    return Ground("secrecy", f"secrecy.{rule}", severity, said, _PRIVACY, waivable=False)


def told(
    ctx: Context, span: tuple[int, int], rule: str, severity: Severity, said: str
) -> tuple[Finding, tuple[int, int]]:
    """One finding, with the mask of the profile in use."""
    ground = privacy_ground(rule, severity, f"{said}，公开前应当去标识化")
    start, end = span
    mask = profile_of().mask(PERSONAL[f"secrecy.{rule}"], ctx.dense.text[start:end])
    return ctx.mark_dense(span, ground, [mask]), span
