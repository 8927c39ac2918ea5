"""Tables of comments: where readers may write, what they wrote, and what was done about it."""

from datetime import datetime

from sqlalchemy import BigInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base
from storage.seals import Sealed


class CommentArea(Sealed, Base):
    """Where readers write under one article of a send, as its platform names it."""

    __tablename__ = "comment_area"
    SEALED = ("id", "publication_id", "item_id", "account_id", "place", "data")
    __table_args__ = (UniqueConstraint("publication_id", "place"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    publication_id: Mapped[str] = mapped_column(String(26))  # of the send: its edition's, if any
    item_id: Mapped[str] = mapped_column(String(26))
    account_id: Mapped[str] = mapped_column(String(26))
    place: Mapped[int]  # of the article, from 0 as the platform counts here
    data: Mapped[str] = mapped_column(String(40))
    closed: Mapped[bool] = mapped_column(default=False)
    next_at: Mapped[datetime | None]  # when it is read again; None: no more
    problem: Mapped[str] = mapped_column(Text, default="")


class Comment(Sealed, Base):
    """What a reader wrote, with personal data masked; who wrote it is nowhere."""

    __tablename__ = "comment"
    SEALED = ("id", "area_id", "number", "text")
    __table_args__ = (UniqueConstraint("area_id", "number"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    area_id: Mapped[str] = mapped_column(String(26))
    number: Mapped[int] = mapped_column(BigInteger)  # the platform's
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    featured: Mapped[bool] = mapped_column(default=False)
    reply: Mapped[str] = mapped_column(Text, default="")
    gone: Mapped[bool] = mapped_column(default=False)  # not on the platform any more


class CommentAct(Sealed, Base):
    """What staff want done about a comment, or about all of an area; signed entries let it."""

    __tablename__ = "comment_act"
    SEALED = ("id", "area_id", "number", "act", "words", "salt", "by")
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    area_id: Mapped[str] = mapped_column(String(26), index=True)
    number: Mapped[int] = mapped_column(BigInteger)  # of the comment; 0 for all of the area
    act: Mapped[str] = mapped_column(String(12))
    words: Mapped[str] = mapped_column(Text)  # of a reply; else why
    salt: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(26))
    state: Mapped[str] = mapped_column(String(12), index=True)  # waiting|ready|done|failed|dropped
    reason: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
