"""Whether an item may be republished: judged from signed ledger entries, never from the table.

The table only says which sources to look at; who adds a host or a day to it with SQL gains nothing.
"""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import rfc8785
from sqlalchemy import String, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from content_sources.list_models import PictureRight, SourceException
from content_sources.models import Article, Source
from content_sources.provenance import Original, Right, plain_text, repost_findings
from content_sources.source_fields import SIGNED, signed_body
from content_sources.whitelist import Refusal, SourceRule, host_of, judge, source_rules
from gates.finding import Finding
from ledger.append import Ledger
from ledger.verify import Broken, Entry
from review_queue.canonical import Draft, canonical
from review_queue.models import Item, Revision
from review_queue.quarantine import lift
from review_queue.states import ItemState
from staff.people import Member, read_person
from staff.proposals import words_digest
from staff.refusal import Reason, Refused
from staff.rights import entitled
from staff.standing import WAITING, facts_or_refuse, roles_at
from storage.database import new_id

_MEDIA = re.compile(r"sha256:[0-9a-f]{64}")
SIGNERS = ("reviewer_3", "supervisor")
EXCUSABLE = frozenset({"host", "subdomain", "port", "expired", "not_yet", "scope"})
"""Refusals that an exception may lift; a revoked source and a disguised address never."""
_PAST = frozenset({"revoked", "expired"})
"""What was republished from a source that has ended may still be corrected."""
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
    # Somebody else proposed exactly this digest; the setup file is the one exception, proved by the
    # genesis.
    return entry.actor == "init" or proposed.get(str(digest), entry.actor) != entry.actor


def content_key(draft: Draft) -> str:
    """Names a draft by all its content but the renderings, which follow from it."""
    whole = {"draft": canonical(replace(draft, accounts=()), {}), "to": sorted(draft.accounts)}
    return hashlib.sha256(rfc8785.dumps(whole)).hexdigest()


class Reposts:
    """Judges reposts at submission, at every level and at the moment of sending."""

    def __init__(self, ledger: Ledger) -> None:
        """Reads the ledger's facts; opens nothing."""
        self._ledger = ledger
        self._db = ledger.db

    async def judge(self, url: str) -> SourceRule | Refusal:
        """The source that covers an address now, or why none does. No request is made."""
        place = host_of(url)
        near = await self._claiming(place[1]) if place is not None else []
        # Nothing signed mentions the host: no need to read any source's entries.
        if not near:
            return await self._unlisted(url)
        try:
            facts = await self._ledger.facts_of([f"source:{key}" for key in near])
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
        if draft.kind != "转载" and not (draft.kind == "更正" and url):
            return []
        judged = await self.judge(url)
        # An error that is out must be mended although its source has ended since.
        if draft.kind == "更正" and isinstance(judged, Refusal) and judged.rule in _PAST:
            return []
        if isinstance(judged, SourceRule):
            return _topic_faults(draft, judged)
        # Exceptions are asked last: they are rare and cost a read of the ledger.
        if judged.rule in EXCUSABLE and await self._excepted(draft):
            return []
        return [judged]

    async def _excepted(self, draft: Draft) -> bool:
        """Whether a signed exception names exactly this content, by somebody who may give it."""
        try:
            entries = await self._ledger.facts(f"exception:{content_key(draft)}")
            for entry in entries:
                if entry.kind == "source.exception" and await self._may_sign(entry):
                    return True
        # A ledger that does not hold allows nothing.
        except Broken:
            return False
        return False

    async def _may_sign(self, entry: Entry) -> bool:
        item, person = f"item:{entry.body['item']}", f"staff:{entry.actor}"
        facts = await self._ledger.facts_of([item, person])
        writers = {row.actor for row in facts[item] if row.kind == "revision.created"}
        held = roles_at(facts[person], entry.seq)
        # The role of that day, and nobody who wrote any revision: an exception is a second person's
        # word.
        return not held.isdisjoint(SIGNERS) and entry.actor not in writers

    async def findings(self, draft: Draft) -> list[Finding]:
        """For the queue's check: source, attribution, and what was changed against the original."""
        if draft.kind not in ("转载", "更正"):
            async with self._db.session() as session:
                return await _undeclared(session, draft)
        compared: list[Finding] = []
        if draft.kind == "转载":
            async with self._db.session() as session:
                original, rights = await _original(session, draft), await _rights(session, draft)
            compared = await asyncio.to_thread(repost_findings, draft, original, rights)
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

    # --- exceptions -------------------------------------------------------------------------

    async def ask_exception(self, item_id: str, staff_id: str, reason: str) -> SourceException:
        """Ask that one item may be republished although its source is not determined."""
        async with self._db.session() as session:
            await entitled(session, staff_id, "exceptions.ask")
            _, draft, digest = await _latest(session, item_id)
        judged = await self.judge(draft.attribution.get("url", ""))
        reasons = _ask_faults(draft, judged, reason)
        place = host_of(draft.attribution.get("url", ""))
        if reasons or place is None:
            raise Refused(422, reasons or [Reason("url", "原文链接无法识别")])
        async with self._ledger.transaction() as tx:
            await entitled(tx.session, staff_id, "exceptions.ask")  # again, where it is signed
            row = SourceException(
                id=new_id(),
                item_id=item_id,
                digest=digest,
                content=content_key(draft),
                url=draft.attribution["url"][:500],
                host=place[1],
                reason=reason.strip(),
                salt=secrets.token_hex(16),
                state="asked",
                asked_by=staff_id,
                asked_at=now(),
            )
            tx.session.add(row)
            await tx.append(
                "source.exception_asked",
                subject=f"item:{item_id}",
                actor=staff_id,
                body={"digest": digest, "host": row.host, "reason": _commitment(row)},
            )
        return row

    async def decide_exception(
        self, exception_id: str, staff_id: str, verdict: str, note: str
    ) -> SourceException:
        """The extra sign-off: grant or refuse, by a final reviewer or supervisor, with a reason."""
        async with self._ledger.transaction() as tx:
            row = await tx.session.get(SourceException, exception_id)
            if row is None:
                raise Refused(404, [Reason("missing", "没有这项例外申请")])
            item, _, digest = await _latest(tx.session, row.item_id)
            person = await read_person(tx.session, staff_id)
            told = await facts_or_refuse(tx.session, f"item:{row.item_id}")
            writers = {one.actor for one in told if one.kind == "revision.created"}
            # Every writer of any revision, not only the last: an exception covers the whole text.
            reasons = _sign_faults(row, person, writers)
            if not note.strip():
                reasons.append(Reason("note", "请写明同意或不同意的理由"))
            # The exception was asked for one content; an edit since may have changed what it is
            # about.
            if digest != row.digest:
                reasons.append(Reason("stale", "稿件在申请之后有修改，请重新申请例外"))
            if reasons:
                status = (
                    403
                    if {"role", "two_people", "unconfirmed"} & {one.rule for one in reasons}
                    else 409
                )
                raise Refused(status, reasons)
            row.state = "granted" if verdict == "grant" else "refused"
            row.decided_by, row.decided_at, row.note = staff_id, now(), note.strip()
            if row.state == "granted":
                body = {
                    "item": row.item_id,
                    "digest": row.digest,
                    "host": row.host,
                    "reason": _commitment(row),
                }
                await tx.append(
                    "source.exception",
                    subject=f"exception:{row.content}",
                    actor=staff_id,
                    body=body,
                )
                # Lifted back to draft only: it is reviewed from the beginning all the same.
                if item.state == ItemState.QUARANTINED:
                    await lift(tx, item, "已批准例外转载，请核对后提交审核")
        return row


def _commitment(row: SourceException) -> str:
    return words_digest(row.salt, row.reason)


def _ask_faults(draft: Draft, judged: SourceRule | Refusal, reason: str) -> list[Reason]:
    faults = []
    if draft.kind != "转载":
        faults.append(Reason("kind", "只有转载的稿件需要申请例外"))
    if isinstance(judged, SourceRule):
        faults.append(Reason("state", "这个网址已在稿源名单内，不需要例外"))
    elif judged.rule not in EXCUSABLE:
        faults.append(Reason(judged.rule, f"{judged.message}（这种情况不能申请例外）"))
    if len(reason.strip()) < 6:
        faults.append(Reason("reason", "请写明为什么要例外转载，至少 6 个字"))
    return faults


def _sign_faults(row: SourceException, person: Member, writers: set[str]) -> list[Reason]:
    faults = []
    if row.state != "asked":
        faults.append(Reason("state", "这项例外申请已经有结论"))
    if person.roles.isdisjoint(SIGNERS):
        words = "例外要由终审或监督角色的人签字"
        faults.append(WAITING if person.waiting else Reason("role", words))
    elif person.id == row.asked_by or person.id in writers:
        faults.append(Reason("two_people", "申请人、作者和编辑不能给自己的稿件签字例外"))
    return faults


async def _latest(session: AsyncSession, item_id: str) -> tuple[Item, Draft, str]:
    item = await session.get(Item, item_id)
    query = select(Revision).where(Revision.item_id == item_id)
    revision = (await session.scalars(query.order_by(Revision.number.desc()).limit(1))).first()
    if item is None or revision is None:
        raise Refused(404, [Reason("item", "没有这篇稿件")])
    return item, Draft.from_canonical(revision.canonical), revision.digest


def _topic_faults(draft: Draft, source: SourceRule) -> list[Refusal]:
    wanted = set((draft.audience or {}).get("topics", ()))
    # A source determined for some topics is no source for pushing others.
    if source.topics and (outside := wanted - set(source.topics)):
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
        text=article.text,
        author=article.author,
        source=article.source_name,
        pictures={
            one["media"]: Right(one.get("origin") or one["url"], one.get("licence") or licence)
            for one in article.images
            if one.get("media")
        },
    )


async def _rights(session: AsyncSession, draft: Draft) -> dict[str, Right]:
    """Origin and licence that somebody recorded for the pictures of this draft."""
    media = set(_MEDIA.findall(f"{draft.body}\n{draft.cover}"))
    if not media:
        return {}
    query = select(PictureRight).where(PictureRight.media.in_(media))
    return {
        row.media: Right(row.origin, row.licence) for row in (await session.scalars(query)).all()
    }


async def _undeclared(session: AsyncSession, draft: Draft) -> list[Finding]:
    """A fetched text that calls itself something else than a repost."""
    if draft.kind not in ("原创", "解读") or not draft.body.strip():
        return []
    words = "".join(plain_text(draft.body).split())
    digest = hashlib.sha256(words.encode()).hexdigest()
    query = select(Article.url).where(Article.text_hash == digest, Article.state == "item")
    url = (await session.scalars(query.limit(1))).first()
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
            reason=f"正文与抓取的原文一字不差，应标为转载并注明来源：{url}",
            basis=_BASIS,
            waivable=False,
        )
    ]
