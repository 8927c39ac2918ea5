"""Whether an item may be republished: judged from signed ledger entries, never from the table.

The table only says which sources to look at; who adds a host or a day to it with SQL gains nothing.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import rfc8785
from sqlalchemy import String, bindparam, cast, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from blocks.document import ListBlock, Table
from blocks.text import project
from bot.picture_message import KIND as PICTURES
from config.clock import now
from content_sources.list_models import PictureRight
from content_sources.models import Article, Source
from content_sources.provenance import Original, Right, plain_text, repost_findings
from content_sources.source_fields import SIGNED, signed_body
from content_sources.whitelist import Refusal, SourceRule, host_of, judge, source_rules
from documents.pages.document import document_of, words_of
from facets.taxonomy import Taxonomy
from gates.finding import Finding
from gates.results import Results
from gates.work import Work
from ledger.append import Ledger
from ledger.verify import Broken, Entry
from review_queue.canonical import Draft, canonical
from staff.standing import roles_at

_MEDIA = re.compile(r"sha256:[0-9a-f]{64}")
SIGNERS = ("reviewer_3", "supervisor")
EXCUSABLE = frozenset({"host", "subdomain", "port", "expired", "not_yet", "scope"})
"""Refusals that an exception may lift; a revoked source and a disguised address never."""
_PAST = frozenset({"revoked", "expired"})
"""What was republished from a source that has ended may still be corrected."""
_MAY_REPOST = ("更正", PICTURES)
"""Kinds that are judged as a repost is where they name an original."""
_BASIS = "政务新媒体要点：原则上只转载党委和政府网站以及有关主管部门确定的稿源单位发布的信息"


def rule_of(source_id: str, entries: Sequence[Entry]) -> SourceRule | None:
    """What the signed entries say of one source; None when nobody determined it.

    An approval counts when its digest holds and somebody else proposed exactly this.
    """
    found: SourceRule | None = None
    proposed: dict[str, str] = {}
    for entry in entries:
        if entry.kind == "source.proposed":
            proposed[str(entry.body.get("digest"))] = entry.actor
        # A revoked source stays known: the refusal can say that it was revoked, not that it never
        # was.
        elif entry.kind == "source.revoked" and found is not None:
            found = replace(found, revoked=True)
        elif entry.kind == "source.approved" and _holds(entry, proposed):
            body = entry.body
            found = SourceRule(
                id=source_id,
                organisation=body["organisation"],
                hosts=tuple(body["hosts"]),
                allow_http=body["allow_http"],
                valid_from=datetime.fromisoformat(body["valid_from"]),
                valid_to=datetime.fromisoformat(body["valid_to"]) if body["valid_to"] else None,
                paths=tuple(body["paths"]),
                topics=tuple(body["topics"]),
                picture_licence=body["picture_licence"],
            )
    return found


def _holds(entry: Entry, proposed: Mapping[str, str]) -> bool:
    # An entry of an older form leaves fields open; what is not signed is not determined.
    if any(name not in entry.body for name in SIGNED):
        return False
    digest = entry.body.get("digest")
    if signed_body(entry.body)["digest"] != digest:
        return False
    # Two people: the proposer stands in the entry, or, until sources became proposals, in an entry
    # of their own with exactly this digest. The setup file is proved by the genesis.
    by = entry.body.get("proposed_by") or proposed.get(str(digest), entry.actor)
    return entry.actor == "init" or by != entry.actor


def content_key(draft: Draft) -> str:
    """Names a draft by all its content but the renderings, which follow from it."""
    whole = {"draft": canonical(replace(draft, accounts=()), {}), "to": sorted(draft.accounts)}
    return hashlib.sha256(rfc8785.dumps(whole)).hexdigest()


class Reposts:
    """Judges reposts at submission, at every level and at the moment of sending."""

    def __init__(
        self, ledger: Ledger, results: Results | None = None, taxonomy: Taxonomy | None = None
    ) -> None:
        """Reads the ledger's facts; opens nothing. `taxonomy` knows topics that were renamed."""
        self.ledger = ledger
        self._taxonomy = taxonomy
        self._results = results or Results()
        self._db = ledger.db

    async def judge(self, url: str) -> SourceRule | Refusal:
        """The source that covers an address now, or why none does. No request is made."""
        place = host_of(url)
        near = await self._claiming(place[1]) if place is not None else []
        # Nothing signed mentions the host: no need to read any source's entries.
        if not near:
            return await self._unlisted(url)
        try:
            facts = await self.ledger.facts_of([f"source:{key}" for key in near])
        except Broken as broken:
            return Refusal("signed", f"稿源名单的台账不完整，不能转载：{broken}")
        rules = [rule_of(name.removeprefix("source:"), found) for name, found in facts.items()]
        return judge(url, [rule for rule in rules if rule is not None], now())

    async def _claiming(self, host: str) -> list[str]:
        """Sources whose row mentions the host: the ones whose signed entries are read."""
        mentions = cast(Source.hosts, String).contains(f'"{host}', autoescape=True)
        async with self._db.session() as session:
            return list((await session.scalars(select(Source.id).where(mentions))).all())

    async def _unlisted(self, url: str) -> Refusal:
        """Nobody claims the host; the table only serves to say the most telling reason."""
        async with self._db.session() as session:
            judged = judge(url, await source_rules(session), now())
        if isinstance(judged, Refusal):
            return judged
        return Refusal("host", "网址不在稿源白名单内：请先由管理员登记并批准该稿源")

    async def faults(self, draft: Draft) -> list[Refusal]:
        """Why this draft's source does not allow it now; empty when it does, or is excepted."""
        url = draft.attribution.get("url", "")
        if draft.kind != "转载" and not (draft.kind in _MAY_REPOST and url):
            return []
        judged = await self.judge(url)
        # An error that is out must be mended although its source has ended since.
        if draft.kind == "更正" and isinstance(judged, Refusal) and judged.rule in _PAST:
            return []
        if isinstance(judged, SourceRule):
            return topic_faults(draft, judged, self._taxonomy)
        # Exceptions are asked last: they are rare and cost a read of the ledger.
        if judged.rule in EXCUSABLE and await self._excepted(draft):
            return []
        return [judged]

    async def _excepted(self, draft: Draft) -> bool:
        """Whether a signed exception names exactly this content, by somebody who may give it."""
        try:
            entries = await self.ledger.facts(f"exception:{content_key(draft)}")
            for entry in entries:
                if entry.kind == "source.exception" and await self._may_sign(entry):
                    return True
        # A ledger that does not hold allows nothing.
        except Broken:
            return False
        return False

    async def _may_sign(self, entry: Entry) -> bool:
        item, person = f"item:{entry.body['item']}", f"staff:{entry.actor}"
        facts = await self.ledger.facts_of([item, person])
        writers = {row.actor for row in facts[item] if row.kind == "revision.created"}
        held = roles_at(facts[person], entry.seq)
        # The role of that day, and nobody who wrote any revision: an exception is a second person's
        # word.
        return not held.isdisjoint(SIGNERS) and entry.actor not in writers

    async def findings(self, draft: Draft) -> list[Finding]:
        """For the queue's check: source, attribution, and what was changed against the original."""
        if draft.kind not in ("转载", *_MAY_REPOST) or _names_no_original(draft):
            return await self._db.read(lambda session: _undeclared(session, draft))
        compared: list[Finding] = []
        if draft.kind == "转载":
            async with self._db.session() as session:
                original, rights = await _original(session, draft), await _rights(session, draft)
            compared = await self._compared(draft, original, rights)
        found = [
            Finding(
                gate="policy",
                rule=f"source.{fault.rule}",
                severity="block",
                field="text",
                start=0,
                end=0,
                text=draft.attribution.get("url", ""),
                reason=fault.message,
                basis=_BASIS,
                waivable=False,
            )
            for fault in await self.faults(draft)
        ]
        return found + compared

    async def _compared(
        self, draft: Draft, original: Original | None, rights: Mapping[str, Right]
    ) -> list[Finding]:
        """Both texts side by side: an hour of work when they were written for it."""

        async def prepare() -> Work:
            return Work(repost_findings, (draft, original, rights))

        asked = repr((canonical(replace(draft, accounts=()), {}), original, sorted(rights.items())))
        key = ("repost", hashlib.sha256(asked.encode()).digest())
        return await self._results.of(key, prepare)


def _names_no_original(draft: Draft) -> bool:
    """A picture message of our own, as far as it says."""
    return draft.kind == PICTURES and not draft.attribution.get("url", "")


def topic_faults(draft: Draft, source: SourceRule, taxonomy: Taxonomy | None) -> list[Refusal]:
    """A source determined for some topics is no source for pushing others."""
    outside = set((draft.audience or {}).get("topics", ())) - set(source.topics)
    if source.topics and outside and taxonomy is not None:
        # Both were kept by the keys of their time.
        allowed = set(taxonomy.keys_now("topics", source.topics))
        outside = {
            key for key in outside if not allowed.issuperset(taxonomy.keys_now("topics", [key]))
        }
    if source.topics and outside:
        told = "、".join(sorted(outside))
        message = f"稿源“{source.organisation}”的授权范围不含推送主题：{told}"
        return [Refusal("scope", message)]
    return []


async def article_of(session: AsyncSession, draft: Draft) -> Article | None:
    """The fetched page a repost names as its original."""
    url = draft.attribution.get("url", "")[:500]
    if not url:
        return None
    query = select(Article).where(
        (Article.url == url) | (Article.final_url == url), Article.state.in_(("item", "duplicate"))
    )
    return (await session.scalars(query.order_by(Article.id).limit(1))).first()


async def _original(session: AsyncSession, draft: Draft) -> Original | None:
    article = await article_of(session, draft)
    if article is None:
        return None
    source = await session.get(Source, article.source_id)
    licence = source.picture_licence if source else ""
    return Original(
        title=article.title,
        text=_said(article, draft),
        author=article.author,
        source=article.source_name,
        pictures={
            one["media"]: Right(one.get("origin") or one["url"], one.get("licence") or licence)
            for one in article.images
            if one.get("media")
        },
    )


def _said(article: Article, draft: Draft) -> str:
    """The fetched text in the form of the draft's: with the marks of lists, or as plain lines.

    A draft of plain lines came in before pages kept their form, or was flattened since.
    """
    shaped = draft.blocks is not None and any(
        isinstance(one, ListBlock | Table) for one in draft.blocks.blocks
    )
    if not shaped or not article.blocks:
        return article.text
    return project(document_of(article.blocks, {})).text


async def _rights(session: AsyncSession, draft: Draft) -> dict[str, Right]:
    """Origin and licence that somebody recorded for the pictures of this draft."""
    media = set(_MEDIA.findall(f"{draft.body}\n{draft.cover}"))
    if not media:
        return {}
    query = select(PictureRight).where(PictureRight.media.in_(media))
    return {
        row.media: Right(row.origin, row.licence) for row in (await session.scalars(query)).all()
    }


_FETCHED = (
    select(Article.url)
    .where(Article.text_hash == bindparam("hash"), Article.state == "item")
    .limit(1)
)


def _undeclared(session: Session, draft: Draft) -> list[Finding]:
    """A fetched text that calls itself something else than a repost."""
    if draft.kind not in ("原创", "解读", PICTURES) or not draft.body.strip():
        return []
    said = plain_text(draft.body) if draft.blocks is None else words_of(draft.blocks)
    words = "".join(said.split())
    digest = hashlib.sha256(words.encode()).hexdigest()
    url = session.scalars(_FETCHED, {"hash": digest}).first()
    if url is None:
        return []
    return [
        Finding(
            gate="law",
            rule="repost.kind",
            severity="block",
            field="text",
            start=0,
            end=0,
            text="",
            reason=f"正文与抓取的原文一字不差，应{_remedy(draft)}：{url}",
            basis=_BASIS,
            waivable=False,
        )
    ]


def _remedy(draft: Draft) -> str:
    return "注明来源、原标题和原文链接" if draft.kind == PICTURES else "标为转载并注明来源"
