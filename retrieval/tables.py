"""The tables of retrieval: vectors that were computed once, and what the indexes should hold."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class Embedding(Base):
    """The vector of one text by one embedder. The truth from which any index can be rebuilt."""

    __tablename__ = "embedding"

    text_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the embedded text."""
    embedder: Mapped[str] = mapped_column(String(200), primary_key=True)
    """Name and revision of the embedder."""
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """The unit vector: little-endian float32."""


class IndexState(Base):
    """What the search indexes of every process should hold; a single row with id 1."""

    __tablename__ = "index_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Always 1."""
    generation: Mapped[int] = mapped_column(default=0)
    """Counts the changes of what is searchable; a process that has another number refreshes."""
    digest: Mapped[str] = mapped_column(String(64), default="")
    """Digest of the passage ids that were in force and of the embedder's name."""
    updated: Mapped[datetime]
    """When the generation last grew."""
