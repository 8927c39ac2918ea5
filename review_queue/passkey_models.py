"""Passkeys of staff: a projection of signed entries, for pages only."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class Passkey(Base):
    """One credential of one person. The sender reads the signed entries, never this row."""

    __tablename__ = "passkey"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(26), index=True)
    credential: Mapped[str] = mapped_column(Text)  # base64url
    public_key: Mapped[str] = mapped_column(Text)  # COSE, base64url
    rp_id: Mapped[str] = mapped_column(String(253))
    origin: Mapped[str] = mapped_column(String(300))
    label: Mapped[str] = mapped_column(String(60))
    sign_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    confirmed_by: Mapped[str | None] = mapped_column(String(26))
    confirmed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
