"""The same text by another route: found among all articles, explained, linked.

Threshold: two texts are alike from 70 % common 3-character groups (Jaccard). On Chinese notices of
600 characters 2 % of edits leave 89 %, 5 % leave 76 %, and unrelated texts stay below 20 %; the
distance of simhash overlaps there. 125 minhash values in 25 bands of 5 find a pair of 70 % with
99 % probability; what the bands find is then compared exactly, so no explanation is an estimate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from content_sources.models import Article, Band, Sketch
from gates.alike import ALIKE, agreement, other_numbers, share

SAME = 0.98  # what is left are marks of edition
BANDS, ROWS = 25, 5
_CANDIDATES = 5


@dataclass(frozen=True)
class Likeness:
    """One earlier article that is like a text. `share` is the part of common groups, 0 to 1."""

    article_id: str
    title: str
    source_id: str
    source_name: str
    share: float
    numbers: tuple[str, ...]  # in one text and not in the other, at most six

    @property
    def explanation(self) -> str:
        """One Chinese line for the editor."""
        said = f"与《{self.title}》（{self.source_name}）相似 {self.share * 100:.0f} %"
        return f"{said}，但数字不同：{'、'.join(self.numbers)}" if self.numbers else said


async def remember(session: AsyncSession, article_id: str, signature: bytes) -> None:
    """Let later texts be compared with this article. An empty sketch is not kept."""
    if not signature:
        return
    row = Sketch(article_id=article_id, signature=signature)
    session.add(row)
    await session.flush()
    session.add_all([Band(key=key, number=row.number) for key in bands_of(signature)])


async def find(session: AsyncSession, text: str, signature: bytes) -> list[Likeness]:
    """Earlier articles that are like this text, the most like first."""
    if not signature:
        return []
    found = []
    for article in await _candidates(session, signature):
        part = share(text, article.text)
        if part >= ALIKE:
            numbers = other_numbers(text, article.text)
            found.append(
                Likeness(
                    article.id,
                    article.title,
                    article.source_id,
                    article.source_name,
                    part,
                    numbers,
                )
            )
    return sorted(found, key=lambda one: -one.share)


async def _candidates(session: AsyncSession, signature: bytes) -> Sequence[Article]:
    """The articles that share a band, the best few by their sketches."""
    hits = func.count().label("hits")
    numbers = (
        select(Band.number)
        .where(Band.key.in_(list(bands_of(signature))))
        .group_by(Band.number)
        .order_by(hits.desc(), Band.number)
        .limit(_CANDIDATES * 4)
        .subquery()
    )
    query = select(Sketch).join(numbers, numbers.c.number == Sketch.number)
    rows = (await session.scalars(query)).all()
    rows = sorted(rows, key=lambda row: -agreement(signature, row.signature))[:_CANDIDATES]
    ids = [row.article_id for row in rows if agreement(signature, row.signature) >= ALIKE - 0.15]
    if not ids:
        return []
    return (await session.scalars(select(Article).where(Article.id.in_(ids)))).all()


def bands_of(signature: bytes) -> set[int]:
    """One 64-bit key a band."""
    size = 4 * ROWS
    return {
        int.from_bytes(
            blake2b(bytes([at]) + signature[at * size : (at + 1) * size], digest_size=8).digest(),
            "little",
            signed=True,
        )
        for at in range(BANDS)
    }
