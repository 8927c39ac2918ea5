"""Wording gate, how a text is set out: length of titles, marks of lists, repeated words."""

import re
from collections.abc import Iterator

from gates.annexes import find_annexes
from gates.counts import find_counts
from gates.figures import find_figures
from gates.finding import Context, Finding, Ground
from gates.numbering import find_numbering
from gates.periods import find_periods
from gates.plans import find_plans
from gates.shares import find_shares
from gates.words import kind_of, on_word_ends

LONGEST_TITLE = 32
_LONG = Ground(
    "wording", "wording.title-length", "warn",
    f"标题超过{LONGEST_TITLE}个字，公众号草稿会被拒收，请压缩",
    "微信公众平台接口文档：草稿标题不超过32个字",
)  # fmt: skip
_HAN_DIGITS = "一二三四五六七八九十"
_AFTER_BRACKET = re.compile(
    rf"^[ \t\u3000]*([（(](?:[{_HAN_DIGITS}]{{1,3}}|\d{{1,2}})[）)])[、，,.．]", re.MULTILINE
)
_BRACKETED = Ground(
    "wording", "wording.list-mark", "hint", "带括号的序号后面不再加标点",
    "《标点符号用法》（GB/T 15834-2011）附录B",
)  # fmt: skip

_REPEATED = re.compile(
    r"([\u4e00-\u9fff]{3,8})\1"
    r"|(进行|对于|关于|通过|根据|按照|以及|并且|应当|可以|我们|他们|如果|因为|由于|为了|已经|其中|同时|要求|加强|推进"
    r"|落实|开展|提高|完善|促进|实施|组织|建立|确保|全面|不断|群众(?!演)|继续|有关|切实|认真|积极|项目(?!化)|部门(?!间)|任务|责任|各级"
    r"|相关|必须|严格|按时|依法|主动|持续|深入|扎实|大力|进一步|充分|广泛|逐步|尽快|坚决|全力|负责|符合|具有|提供|依据)\2"
    r"|(?<![\u4e00-\u9fff])(在|和|与|于|将|被|把|对|由(?!由[集大世国燕])|向|从(?!从容)|为|以|按|至|及|或|但|而|因)\3(?=[\u4e00-\u9fff])"
)
# 及时及时, 要要: a word put twice by mistake; jieba says whether it is a word there at all.
_DOUBLED = re.compile(
    r"([\u4e00-\u9fff]{2})\1|([要应须会能也就还已未再又才该不可先均])\2(?=[\u4e00-\u9fff])"
)
# 之前前报送: the second is no part of 前往, 后续, 上述 and the like.
_LAST_TWICE = re.compile(
    r"(?:之|以)(?:前(?=前(?![往来期后台端提述沿门三两列任面者]))|后(?=后(?![续来期勤台面者人代天门]))|上(?=上(?![述级报市缴交年半线调升]))"
    r"|下(?=下(?![列级达发降放属调])))(.)|(?:期间|之间)(?=间(?![隔断接距])|期)(.)|以内(?=内(?![部容外资蒙河]))(.)"
)
_GOES_ON = frozenset("的由要将在是对和与应须可已按为以及，")
# Verbs of talking and trying are doubled in speech: 大家研究研究.
_MILD = "研究 讨论 考虑 商量 了解 打听 休息 锻炼 学习 交流 观察 体验 尝试 整理 打扫 收拾 非常"
_TWICE = Ground(
    "wording", "wording.repeated-word", "warn", "词语重复", "《国家通用语言文字法》第九条"
)


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Findings about how one field is set out."""
    if ctx.field == "title" and len(text.strip()) > LONGEST_TITLE:
        yield ctx.mark((0, len(text)), _LONG)
    yield from find_numbering(ctx, text)
    yield from find_annexes(ctx, text)
    for match in _AFTER_BRACKET.finditer(text):
        yield ctx.mark((match.start(1), match.end()), _BRACKETED, [match[1]])
    for match in _REPEATED.finditer(ctx.dense.text):
        once = match[1] or match[2] or match[3]
        if len(once) > 1 and not _said_twice(ctx, once, match.span()):
            continue
        left, right = ctx.dense.original(*match.span())
        if right - left == match.end() - match.start():
            yield ctx.mark((left, right), _TWICE, [once])
    for match in _DOUBLED.finditer(ctx.dense.text):
        if _put_twice(ctx, match):
            yield ctx.mark_dense(match.span(), _TWICE, [match[1] or match[2]])
    for match in _LAST_TWICE.finditer(ctx.dense.text):
        yield ctx.mark_dense((match.end() - 2, match.end()), _TWICE, [match[0][-1]])
    yield from find_figures(ctx)
    yield from find_shares(ctx)
    yield from find_plans(ctx)
    yield from find_counts(ctx)
    yield from find_periods(ctx)


def _put_twice(ctx: Context, match: re.Match[str]) -> bool:
    once, (start, end) = match[1] or match[2], match.span()
    middle = start + len(once)
    left, right = ctx.dense.original(start, end)
    if right - left != end - start or once[0] == once[-1] * 2 or once[:1] in "一每":
        return False
    if match[1]:
        kind = kind_of(once)
        goes_on = re.match(r"[\u4e00-\u9fff]", ctx.dense.text[end : end + 1])
        plain = kind in ("v", "n") or (kind and kind[0] in "dcpab")
        if once[0] == once[1] or not plain:
            return False
        if once in _MILD or (kind == "v" and not goes_on):
            return False
        # 光驱光驱类型 is a table without its lines: a noun twice is one where the sentence goes on.
        if kind == "n" and ctx.dense.text[end : end + 1] not in _GOES_ON:
            return False
    return all(on_word_ends(ctx, half) for half in ((start, middle), (middle, end)))


def _said_twice(ctx: Context, once: str, span: tuple[int, int]) -> bool:
    """Not one character drawn out, not 一棵树一棵树, and both times a whole word or words."""
    # Four times and more is a column of a table whose cells ran together.
    half = len(once) // 2
    if len(set(once)) == 1 or once[0] in "一的每" or once[:half] == once[half:]:
        return False
    middle = span[0] + len(once)
    return all(on_word_ends(ctx, half) for half in ((span[0], middle), (middle, span[1])))
