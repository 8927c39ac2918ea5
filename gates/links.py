"""Links of a draft: alive, on the list, no way off it. Pure; what was seen comes in as facts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from gates.finding import Finding, LinkFact

LINK = re.compile(r"https?://[^\s<>\"'（）()，。；、！？《》【】“”\u3000]+")
_BASIS = (
    "《互联网新闻信息服务管理规定》第十五条；政府网站与政务新媒体检查指标（外链有效）；"
    "发布前逐条检查外链"
)  # fmt: skip
# outcome -> gate, rule, severity, what to do
_OUTCOMES = {
    "off_list": ("law", "law.link-off-list", "block", "请换成白名单内的网址，或先登记这家稿源"),
    "private": ("secrecy", "secrecy.link-private", "block", "内部网址不得公开，请删除"),
    "dead": ("wording", "wording.link-dead", "block", "请换成能打开的网址，或删去链接"),
    "slow": ("wording", "wording.link-slow", "block", "请稍后再试，或换成能打开的网址"),
    "unsure": ("wording", "wording.link-unsure", "warn", "请人工点开核对"),
}


def links_in(text: str) -> Iterator[tuple[int, int, str]]:
    """The addresses of a text with their spans."""
    for match in LINK.finditer(text):
        url = match[0].rstrip(".,;:!?…")
        yield match.start(), match.start() + len(url), url


@dataclass(frozen=True)
class Words:
    """Characters of a text that lead to `url`, and what they say."""

    url: str
    start: int
    end: int
    said: str


def disguised(words: Sequence[Words]) -> Iterator[Finding]:
    """Words that are the address of one site and lead to another."""
    for one in words:
        shown = [url for _, _, url in links_in(one.said)]
        if shown and any(_host(url) != _host(one.url) for url in shown):
            yield Finding(
                gate="law",
                rule="law.link-disguised",
                severity="block",
                field="text",
                start=one.start,
                end=one.end,
                text=one.said,
                reason=f"写的是一个网址，点开却是 {one.url}。请把文字和链接改成一致",
                basis=_BASIS,
            )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def behind_findings(words: Sequence[Words], seen: Mapping[str, LinkFact]) -> Iterator[Finding]:
    """The same as `link_findings` of words whose address is not written out."""
    for one in words:
        for found in link_findings("text", one.url, seen):
            yield replace(found, start=one.start, end=one.end, text=one.said)


def link_findings(field: str, text: str, seen: Mapping[str, LinkFact]) -> Iterator[Finding]:
    """One finding for each link of a field that may not go out as it is."""
    for start, end, url in links_in(text):
        fact = seen.get(url)
        if fact is None or fact.outcome == "ok":
            continue
        gate, rule, severity, remedy = _OUTCOMES[fact.outcome]
        yield Finding(
            # The table above holds only names of Gate and Severity; mypy reads plain text there.
            gate=gate,  # type: ignore[arg-type]
            rule=rule,
            severity=severity,  # type: ignore[arg-type]
            field=field,
            start=start,
            end=end,
            text=url,
            reason=f"{fact.message}。{remedy}",
            basis=_BASIS,
            waivable=fact.outcome != "private",
        )
