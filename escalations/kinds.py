"""Matters that are no question: applications for information and suggestions. Pure.

《政府信息公开条例》第三十三条: twenty working days for an application. A suggestion has
three. Whoever asks how either is done asks a question, and is answered as one.
"""

import re

APPLICATION, SUGGESTION = "open_information", "suggestion"
LABELS = {APPLICATION: "申请信息公开", SUGGESTION: "意见建议"}
WORKING_DAYS = {APPLICATION: 20, SUGGESTION: 3}
_ASKS = re.compile(
    r"怎么|怎样|如何|什么|哪里|哪儿|哪个|在哪|多久|多少|几天|能不能|可不可以|是否|吗|呢|[?？]"
)
_APPLIES = re.compile(
    r"(?:我|本人|我们|本公司|现|特|拟)?(?:要|想|希望|需要|请求|现)?(?:向.{1,12})?"
    r"(?:申请(?:依法)?(?:政府)?(?:信息)?公开|依申请公开|提(?:交|出).{0,6}信息公开申请)"
)
_SUGGESTS = re.compile(
    r"(?:提|有|反映)(?:一|几|个|点|条|些){0,2}(?:小)?(?:建议|意见)|^(?:我|本人|群众)?(?:们)?建议"
    r"|(?:我|我们)的(?:建议|意见)(?:是|：|:)"
)
_NONE = re.compile(r"(?:没有?|无|并无)(?:什么|任何|其他|别的|提|过|啥){0,3}(?:意见|建议)")
"""没有意见 says that there is none."""


_ABOUT = re.compile(r"(?:依申请|申请(?:政府)?(?:的)?信息)公开|信息公开申请|公开申请表|信息处理费")


def asks_to_apply(text: str) -> bool:
    """Whether somebody asks how an application for information is made, or what it costs."""
    return bool(_ABOUT.search(text) and _ASKS.search(text))


def kind_of(text: str) -> str:
    """The kind of ticket these words are, or "" for a question or anything else."""
    if _ASKS.search(text):
        return ""
    if _APPLIES.search(text):
        return APPLICATION
    return SUGGESTION if _SUGGESTS.search(_NONE.sub("", text)) else ""
