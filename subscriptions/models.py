"""Subscriptions and consent."""

from datetime import datetime
from typing import Any

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
    MORE = ("industry", "kind", "paused_until")
    """Sealed too, once any of them says something: rows of an earlier office keep their seals."""
    __table_args__ = (Index("ix_subscription_match", "topic", "state"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    contact_id: Mapped[str] = mapped_column(String(26), index=True)
    account_id: Mapped[str] = mapped_column(String(26))
    topic: Mapped[str] = mapped_column(String(40))  # facet key of 主题, empty: any
    group: Mapped[str] = mapped_column("grp", String(40), default="")  # 人群, empty: any
    region: Mapped[str] = mapped_column(String(40), default="")  # 地区, empty: any; see BELOW
    industry: Mapped[str] = mapped_column(String(40), default="", server_default="")  # 行业
    kind: Mapped[str] = mapped_column(String(40), default="", server_default="")  # 文种
    frequency: Mapped[str] = mapped_column(String(10), default="immediate")
    state: Mapped[str] = mapped_column(String(10), default="active")  # active | left
    consent_version: Mapped[str] = mapped_column(String(20))
    after_end: Mapped[int] = mapped_column(default=0, server_default="0")  # number of its entry
    created_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    # The first day on which it is served again, as 2026-12-05; empty: it is not paused.
    paused_until: Mapped[str] = mapped_column(String(10), default="", server_default="")

    def values(self) -> list[Any]:
        """The sealed fields, in their order."""
        more = [getattr(self, name) or "" for name in self.MORE]
        return [*super().values(), *(more if any(more) else ())]


class LeaveCount(Base):
    """How often a topic was left on one Beijing day, how it was said and after which push.

    Of nobody in particular: it serves the page of topics and decides nothing.
    """

    __tablename__ = "leave_count"
    day: Mapped[str] = mapped_column(String(10), primary_key=True)  # 2026-11-29
    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    topic: Mapped[str] = mapped_column(String(40), primary_key=True)  # empty: any
    how: Mapped[str] = mapped_column(String(12), primary_key=True)  # see departures.py
    item_id: Mapped[str] = mapped_column(String(26), primary_key=True)  # of the push; empty: none
    count: Mapped[int] = mapped_column(default=0)
