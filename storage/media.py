"""Blobs kept once per content, addressed as `sha256:<hex>`: pictures, attachments, snapshots."""

import asyncio
import hashlib
import zlib
from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from config.clock import now
from storage.database import Base

_LARGE = 256 * 1024  # bytes that take too long to compress between two other tasks


class Blob(Base):
    """Compressed bytes under their SHA-256."""

    __tablename__ = "blob"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    mime: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    created_at: Mapped[datetime]


def marker(content: bytes) -> str:
    """`sha256:<hex>`, the name of these bytes in drafts, renderings and the digest."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


async def keep(session: AsyncSession, content: bytes, mime: str) -> str:
    """Store `content` once and return its marker."""
    name = marker(content)
    key = name.removeprefix("sha256:")
    if await session.get(Blob, key) is None:
        large = len(content) > _LARGE
        packed = await asyncio.to_thread(zlib.compress, content, 6) if large else None
        session.add(
            Blob(
                sha256=key,
                content=packed or zlib.compress(content, 6),
                mime=mime,
                size=len(content),
                created_at=now(),
            )
        )
        await session.flush()
    return name


async def load(session: AsyncSession, name: str) -> tuple[bytes, str] | None:
    """The bytes and mime type behind a marker; ValueError when the stored bytes were changed."""
    blob = await session.get(Blob, name.removeprefix("sha256:"))
    if blob is None:
        return None
    content = zlib.decompress(blob.content)
    if marker(content) != name:
        raise ValueError(f"媒体文件与其摘要不符，已拒绝使用：{name}")
    return content, blob.mime
