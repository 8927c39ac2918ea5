"""What the checks for personal data share: the law they rest on, and a finding with its mask."""

from documents.parts import Severity
from gates.finding import Context, Finding, Ground
from gates.redaction import PERSONAL, profile_of

_PRIVACY = "《中华人民共和国个人信息保护法》第二十五条、第二十八条；《政府信息公开条例》第十五条"


def ground_of(rule: str, severity: Severity, said: str) -> Ground:
    return Ground("secrecy", f"secrecy.{rule}", severity, said, _PRIVACY, waivable=False)


def told_of(
    ctx: Context, span: tuple[int, int], rule: str, severity: Severity, said: str
) -> tuple[Finding, tuple[int, int]]:
    """One finding, with the mask of the profile in use."""
    ground = ground_of(rule, severity, f"{said}，公开前应当去标识化")
    start, end = span
    mask = profile_of().mask(PERSONAL[f"secrecy.{rule}"], ctx.dense.text[start:end])
    return ctx.mark_dense(span, ground, [mask]), span
