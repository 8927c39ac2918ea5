"""归档包 and 证据包: texts, pictures, reviews, receipts and their part of the ledger, in one zip.

Plain formats (档案法 art. 37, M4): canonical JSON of each text, the media under their digests, the
signed entries about each item, and a manifest with the digest of every file. What is in it is
checked elsewhere with the public key alone (supervision/bundle.py).
"""

import asyncio
import hashlib
import json
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.models import Account, Attempt, Publication
from config.clock import now
from ledger.append import Ledger
from ledger.models import LedgerEntry
from review_queue.models import Decision, Item, Revision
from review_queue.release import decision_words
from staff.people import names
from staff.refusal import Reason, Refused, missing
from storage.media import load
from supervision.bundle import ABOUT, MANIFEST, PIECE, SEAL, SEALED
from supervision.figures import Span, as_json
from supervision.report import counted

_MEDIA = re.compile(r"sha256:([0-9a-f]{64})")
_SUFFIX = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "application/pdf": "pdf"}
_PAGE = 2000
_BROUGHT = {name: path for one in CHANNELS.values() for name, path in one.brings.items()}
_HOW = """怎样核验（不用联网，不用信任出包的服务器）

1. 在自己的电脑上装好审发的命令，拿到这个单位以前公布的公钥 key.hex（不要用包里的那一份）。
2. 运行：shenfa report check 这个包.zip --public-key key.hex
   核对清单的签名、每个文件的摘要、台账区间的前后相连和签名、每份内容与批准的是不是同一份、谁批准的、平台回执。
   退出码 0 是全部相符，1 是有不符，逐条写出。
3. 要确认这一段确实在整本台账里：请单位导出台账，运行
   shenfa ledger verify --export ledger.jsonl --public-key key.hex --anchor 别处保存的锚定文件
   见证人会签过的，再运行 shenfa witness check。

不用审发也能看：items/ 里是每一稿的内容（文件名就是它的 SHA-256）、review.jsonl 是签名记录、
receipt-*.json 是平台回执；media/ 是图片和附件；ledger/range.jsonl 是台账区间，
每行的 hash 是 preimage 的 SHA-256，signature 是对 hash 文字的 Ed25519 签名。
"""


class _Package:
    """A zip that remembers the digest of what it holds; a file of the same name is kept once."""

    def __init__(self, out: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
        self.digests: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        if name not in self.digests:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            self._zip.writestr(info, content, zipfile.ZIP_DEFLATED)
            self.digests[name] = hashlib.sha256(content).hexdigest()

    def add_json(self, name: str, data: object) -> None:
        text = json.dumps(data, ensure_ascii=False, indent=1, default=str)
        self.add(name, text.encode())

    def close(self, ledger: Ledger, seq: int) -> None:
        """The manifest, and the office's signature over it: names and receipts are in no entry."""
        self.add_json(MANIFEST, {"sha256": dict(sorted(self.digests.items()))})
        self.add_json(SEALED, ledger.mark(SEAL, seq, self.digests[MANIFEST]))
        self._zip.close()


@dataclass(frozen=True)
class Wanted:
    """What goes in: these items whole, and these publications; `ends` are of the ledger's piece."""

    title: str
    items: Collection[str]
    publications: Sequence[Publication]
    ends: tuple[int, int]


async def write_archive(ledger: Ledger, period: str, span: Span, out: BinaryIO) -> int:
    """Everything published in these days; how many publications. Raises Broken."""
    counting = await counted(ledger, span)
    async with ledger.db.session() as session:
        rows = await published_in(session, span)
        ends = await _ends(session, _days(span))
    more = {"report.json": as_json(period, counting)}
    await _write(ledger, Wanted(f"归档 {period}", (), rows, ends), more, out)
    return len(rows)


async def write_evidence(ledger: Ledger, item_id: str, out: BinaryIO) -> None:
    """One item with every version and decision. Refused 404; raises Broken."""
    await ledger.refresh()
    async with ledger.db.session() as session:
        if await session.get(Item, item_id) is None:
            raise missing("篇稿件")
        query = select(Publication).where(
            Publication.item_id == item_id, Publication.published_at.is_not(None)
        )
        rows = (await session.scalars(query.order_by(Publication.published_at))).all()
        ends = await _ends(session, LedgerEntry.subject == f"item:{item_id}")
    await _write(ledger, Wanted(f"稿件 {item_id}", (item_id,), rows, ends), {}, out)


async def write_days(ledger: Ledger, span: Span, out: BinaryIO) -> int:
    """What was published in these days, each item whole; how many publications. Raises Broken."""
    await ledger.refresh()
    async with ledger.db.session() as session:
        rows = await published_in(session, span)
        items = {row.item_id for row in rows}
        ends = await _ends(session, _days(span))
    title = f"{span.first} 至 {span.end}（不含）"
    await _write(ledger, Wanted(title, items, rows, ends), {}, out)
    return len(rows)


async def published_in(session: AsyncSession, span: Span) -> Sequence[Publication]:
    """What went out in these days, in its order, as far as the reader may know of it."""
    begin, end = span.moments
    query = (
        select(Publication)
        .where(Publication.published_at >= begin, Publication.published_at < end)
        .order_by(Publication.published_at, Publication.id)
    )
    return (await session.scalars(query)).all()


def _days(span: Span) -> Any:
    begin, end = span.moments
    return (LedgerEntry.at >= begin) & (LedgerEntry.at < end)


async def _ends(session: AsyncSession, where: Any) -> tuple[int, int]:
    """The first and last number; Refused (404) where there is none."""
    query = select(func.min(LedgerEntry.seq), func.max(LedgerEntry.seq)).where(where)
    first, last = (await session.execute(query)).one()
    if first is None:
        raise Refused(404, [Reason("empty", "这段时间台账里没有条目")])
    return first, last


async def _write(ledger: Ledger, wanted: Wanted, more: Mapping[str, object], out: BinaryIO) -> None:
    package = _Package(out)
    async with ledger.db.session() as session:
        accounts = {one.id: one for one in (await session.scalars(select(Account))).all()}
        for row in wanted.publications:
            await _publication(session, package, row, accounts.get(row.account_id))
        for item_id in sorted({*wanted.items, *(row.item_id for row in wanted.publications)}):
            await _item(session, package, item_id, whole=item_id in wanted.items)
        package.add(PIECE, b"".join([line async for line in _piece(ledger, session, wanted)]))
        package.add_json("people.json", await _names(session, package))
    about = {
        "what": wanted.title,
        "made_at": now().isoformat(),
        "ledger": dict(zip(("first", "last"), wanted.ends, strict=True)),
        "public_key": ledger.public_hex,
    }
    package.add_json(ABOUT, about)
    package.add("怎样核验.txt", _HOW.encode())
    for name, data in more.items():
        package.add_json(name, data)
    package.close(ledger, wanted.ends[1])


async def _publication(
    session: AsyncSession, package: _Package, row: Publication, account: Account | None
) -> None:
    await _text(session, package, row.item_id, row.digest)
    attempts = await session.scalars(
        select(Attempt).where(Attempt.publication_id == row.id).order_by(Attempt.started_at)
    )
    receipt = {
        "publication": row.id,
        "account": account.name if account else row.account_id,
        "platform": account.platform if account else "",
        "digest": row.digest,
        "ref": row.ref,
        "url": row.url,
        "published_at": row.published_at,
        "attempts": [list(_attempt(one)) for one in attempts.all()],
    }
    package.add_json(f"items/{row.item_id}/receipt-{row.id}.json", receipt)


def _attempt(one: Attempt) -> Iterator[object]:
    yield from (one.started_at, one.finished_at, one.state, one.code)


async def _item(session: AsyncSession, package: _Package, item_id: str, *, whole: bool) -> None:
    """The signed entries about an item, the words of its decisions; `whole`: every version."""
    folder = f"items/{item_id}"
    query = _stored().where(LedgerEntry.subject == f"item:{item_id}").order_by(LedgerEntry.seq)
    rows = (await session.execute(query)).all()
    package.add(f"{folder}/review.jsonl", b"".join(_line(*row[1:]) for row in rows))
    decided = select(Decision).where(Decision.item_id == item_id).order_by(Decision.ledger_seq)
    said = [
        {
            "entry": one.ledger_seq,
            "staff": one.staff_id,
            "level": one.level_name,
            "verdict": one.verdict,
            "digest": one.digest,
            "at": one.at,
            "words": decision_words(one),
            "salt": one.id,
        }
        for one in (await session.scalars(decided)).all()
    ]
    package.add_json(f"{folder}/decisions.json", said)
    if whole:
        made = select(Revision.digest).where(Revision.item_id == item_id).order_by(Revision.number)
        for digest in dict.fromkeys((await session.scalars(made)).all()):
            await _text(session, package, item_id, digest)


async def _text(session: AsyncSession, package: _Package, item_id: str, digest: str) -> None:
    """A version under its digest, with its pictures; what is there no more stays away and shows."""
    query = select(Revision.canonical).where(Revision.item_id == item_id, Revision.digest == digest)
    text = (await session.scalars(query.limit(1))).first()
    if text is None:
        return
    package.add(f"items/{item_id}/{digest}.json", text.encode())
    for one in _unique(_MEDIA.findall(text)):
        if (brought := _BROUGHT.get(f"sha256:{one}")) is not None:
            package.add(f"media/{one}{brought.suffix}", await asyncio.to_thread(brought.read_bytes))
            continue
        try:
            stored = await load(session, f"sha256:{one}")
        except ValueError:  # changed in the table: it is missing, and the check says so
            continue
        if stored is not None:
            package.add(f"media/{one}.{_SUFFIX.get(stored[1], 'bin')}", stored[0])


def _unique(found: Iterable[str]) -> list[str]:
    return sorted(set(found))


def _stored() -> Any:
    return select(LedgerEntry.seq, LedgerEntry.preimage, LedgerEntry.hash, LedgerEntry.signature)


def _line(preimage: str, digest: str, signature: str | None) -> bytes:
    line = {"preimage": preimage, "hash": digest, "signature": signature}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


async def _piece(ledger: Ledger, session: AsyncSession, wanted: Wanted) -> Any:
    """The entries between both ends, the anchors among them, and the signed end."""
    first, last = wanted.ends
    seq, digest, held = first - 1, "", dict[int, str]()
    while seq < last:
        query = _stored().where(LedgerEntry.seq > seq, LedgerEntry.seq <= last)
        rows = (await session.execute(query.order_by(LedgerEntry.seq).limit(_PAGE))).all()
        if not rows:
            break
        for row in rows:
            seq, digest = row[0], row[2]
            held[seq] = digest
            yield _line(*row[1:])
    for mark in ledger.files.marks(ledger.files.sizes()):
        if held.pop(int(mark["seq"]), "") == mark["hash"]:
            yield json.dumps({"anchor": mark}).encode() + b"\n"
    yield json.dumps({"range": ledger.mark("range", seq, digest)}).encode() + b"\n"


async def _names(session: AsyncSession, package: _Package) -> Mapping[str, str]:
    """Names by staff id, of whoever is in it."""
    folders = {name.split("/")[1] for name in package.digests if name.startswith("items/")}
    query = select(LedgerEntry.actor).where(
        LedgerEntry.subject.in_([f"item:{one}" for one in folders])
    )
    return await names(session, set((await session.scalars(query)).all()))
