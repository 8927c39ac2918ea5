"""Subscriptions and consent."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base
from storage.seals import Sealed


class Subscription(Sealed, Base):
    """One wish of one contact: all of the listed facets (one value per dimension, or none).

    It stands while its seal holds and `after_end` is the newest signed end of its contact
    (subscriptions/proof.py): an older copy, put back, was sealed before that end.
    """

    __tablename__ = "subscription"
    SEALED = (
        *("id", "contact_id", "account_id", "topic", "group", "region", "frequency", "state"),
        *("consent_version", "after_end"),
    )
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
    after_end: Mapped[int] = mapped_column(default=0, server_default="0")  # number of its entry
    created_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
