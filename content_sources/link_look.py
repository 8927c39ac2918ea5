"""Where a link leads, by the safe fetcher: on the list at every hop, alive, or what else."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit

from config.clock import now
from config.texts import FieldFault
from content_sources.answers import PAGES, FetchError
from content_sources.fetch import Fetcher
from content_sources.whitelist import Judge, Refusal, SourceRule, judge
from gates.finding import LinkFact

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?")
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
_SHY = (401, 403, 405, 406, 407, 412, 418, 429)  # alive, but not for machines
_STATUS = re.compile(r"状态码 (\d{3})")
_OUTCOMES = {
    "private": "private",
    "redirects": "dead",
    "network": "dead",
    "timeout": "slow",
    "later": "slow",
    "content_type": "ok",
    "too_large": "ok",
}


@dataclass(frozen=True)
class Allowed:
    """Where links may lead besides the sources: the office's hosts, and whole name spaces."""

    own_address: str
    own_hosts: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, own_address: str, data: Any) -> Self:
        """Check the parsed YAML of the setting `links`; FieldFault names the field."""
        if not isinstance(data, Mapping):
            raise FieldFault("应写成 own_hosts 和 suffixes 两个列表")
        return cls(own_address, _names(data, "own_hosts"), _names(data, "suffixes"))

    def rules(self, url: str) -> list[SourceRule]:
        """What covers this address besides the sources; the whitelist's checks still apply."""
        hosts = [*self.own_hosts, urlsplit(self.own_address).netloc]
        try:
            host = (urlsplit(url).hostname or "").lower().removesuffix(".")
        except ValueError:
            host = ""
        if host.endswith(tuple(f".{suffix}" for suffix in self.suffixes)):
            hosts.append(host)
        return [
            SourceRule(
                id="own",
                organisation="本单位和政府网站",
                hosts=tuple(hosts),
                allow_http=True,
                valid_from=_ALWAYS,
                valid_to=None,
            )
        ]


@dataclass(frozen=True)
class LinkLook:
    """One look at a time; `sources` gives the source list's judge of now."""

    fetcher: Fetcher
    sources: Callable[[], Awaitable[Judge]]
    allowed: Allowed

    async def __call__(self, url: str) -> LinkFact:
        """What is behind an address."""
        by_list = await self.sources()
        refusals: list[Refusal] = []

        def judged(here: str) -> SourceRule | Refusal:
            verdict = judge(here, self.allowed.rules(here), now())
            if isinstance(verdict, Refusal):
                verdict = by_list(here)
            if isinstance(verdict, Refusal):
                refusals.append(verdict)
            return verdict

        if url.startswith(f"{self.allowed.own_address}/"):
            return LinkFact("ok")
        return await self._fetched(url, judged, refusals)

    async def _fetched(self, url: str, judged: Judge, refusals: list[Refusal]) -> LinkFact:
        try:
            await self.fetcher.fetch(url, judged, PAGES)
        except FetchError as error:
            if refusals:
                return LinkFact("off_list", error.message.replace("稿源白名单", "白名单"))
            return LinkFact(_outcome(error), error.message)
        return LinkFact("ok")


def _names(data: Mapping[str, Any], field: str) -> tuple[str, ...]:
    rows = data.get(field)
    if not isinstance(rows, list):
        raise FieldFault(f"{field} 应为域名的列表", field)
    for at, name in enumerate(rows):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise FieldFault("应为小写的域名，不带 https://", field, at)
    return tuple(rows)


def _outcome(error: FetchError) -> str:
    if error.code == "status":
        status = _STATUS.search(error.message)
        return "unsure" if status and int(status[1]) in _SHY else "dead"
    return _OUTCOMES.get(error.code, "unsure")
