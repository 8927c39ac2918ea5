"""What was last seen behind each link."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class LinkCheck(Base):
    """One address and its last look; replaced by each new one."""

    __tablename__ = "link_check"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of the address
    url: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(12))
    message: Mapped[str] = mapped_column(Text)
    checked_at: Mapped[datetime]
