"""Subscriptions and consent."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class Subscription(Base):
    """One wish of one contact: all of the listed facets (one value per dimension, or none)."""

    __tablename__ = "subscription"
    __table_args__ = (Index("ix_subscription_match", "topic", "state"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    contact_id: Mapped[str] = mapped_column(String(26), index=True)
    account_id: Mapped[str] = mapped_column(String(26))
    topic: Mapped[str] = mapped_column(String(40))  # facet key of 主题, always set
    group: Mapped[str] = mapped_column("grp", String(40), default="")  # 人群, empty: any
    region: Mapped[str] = mapped_column(String(40), default="")  # 地区, empty: any
    frequency: Mapped[str] = mapped_column(String(10), default="immediate")
    state: Mapped[str] = mapped_column(String(10), default="active")  # active | left
    consent_version: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
