"""Groups complaints by meaning and names each group by the words its complaints share.

A complaint joins the theme it is nearest to, or begins one; a theme keeps its id whatever joins it.
What it costs grows with the complaints that are new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.database import Database
from core.identifiers import new_id
from desk.flag_missing import ALIKE, as_written
from desk.flag_rules import words_in_common
from desk.metric_models import Complaint, ComplaintTheme
from desk.metric_rollup import hold_mark
from desk.models import Handoff, Message, Review
from graph.draft import content_words
from retrieval.ports import Embedder, Vectors

AT_ONCE: Final = 200
_KEPT: Final = 12
"""Examples that a theme keeps, the newest; they name it."""
_LONGEST: Final = 300
_NO_THEME: Final = ""
"""Of a complaint whose words are not kept; it was looked at."""
_STORED: Final = "<f4"


@dataclass(slots=True)
class ThemeDraft:
    """A theme while complaints join it.

    Attributes:
        centre: Sum of the vectors of its complaints.
        examples: Contact and text of the newest few, the newest last.
    """

    id: str
    centre: Vectors
    count: int
    examples: list[tuple[str, str]]


def join(
    themes: Sequence[ThemeDraft],
    complaints: Sequence[tuple[str, str]],
    vectors: Vectors,
    name: Callable[[], str] = lambda: new_id("thm"),
) -> dict[str, ThemeDraft]:
    """Put each complaint to the nearest theme or to one of its own; return contact → its theme.

    Args:
        themes: As they stand; they are changed.
        complaints: Contact and text, the oldest first.
        vectors: Unit rows, one a complaint.
        name: Makes the id of a new theme.
    """
    all_of_them = list(themes)
    joined: dict[str, ThemeDraft] = {}
    directions = np.zeros((len(themes) + len(complaints), vectors.shape[1]), dtype=np.float32)
    for place, theme in enumerate(all_of_them):
        directions[place] = theme.centre / _length(theme.centre)
    for (contact, text), vector in zip(complaints, vectors, strict=True):
        likeness = directions[: len(all_of_them)] @ vector
        best = int(np.argmax(likeness)) if all_of_them else -1
        if best < 0 or likeness[best] < ALIKE:
            all_of_them.append(ThemeDraft(name(), np.zeros_like(vector), 0, []))
            best = len(all_of_them) - 1
        theme = all_of_them[best]
        theme.centre = theme.centre + vector
        directions[best] = theme.centre / _length(theme.centre)
        theme.count += 1
        theme.examples = [*theme.examples, (contact, text)][-_KEPT:]
        joined[contact] = theme
    return joined


def named(themes: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return for each theme, given as the texts of its examples, the words that name it. Pure."""
    words = [[content_words(text) for text in texts] for texts in themes]
    held = [Counter(word for some in of_one for word in set(some)) for of_one in words]
    everywhere = sum(held, Counter[str]())
    found = []
    for texts, of_theme, own in zip(themes, words, held, strict=True):
        usual = {word: everywhere[word] - own[word] for word in own}
        written = as_written(texts)
        common = words_in_common(of_theme, usual)
        found.append([written[stem] for stem in common if stem in written])
    return found


class ComplaintThemes:
    """Keeps the themes up with the complaints that were counted.

    Args:
        database: The records.
        embedder: Says what is alike; asked for only when there is something new.
    """

    def __init__(self, database: Database, embedder: Callable[[], Embedder]) -> None:
        self._database = database
        self._embedder = embedder

    def catch_up(self) -> int:
        """Put every new complaint to a theme; return how many that were."""
        done = 0
        while some := self._some():
            done += some
        if done:
            self._name()
        return done

    def _name(self) -> None:
        """Name every theme anew: a name says what the others lack, so all may change with one.

        It takes seconds where themes are many, so it is found out before anybody is kept from
        writing. Whoever is killed here leaves it to the next complaint.
        """
        with self._database.read() as session:
            rows = list(session.scalars(select(ComplaintTheme)))
        words = named([[one["text"] for one in row.examples] for row in rows])
        changed = {row.id: its for row, its in zip(rows, words, strict=True) if its != row.words}
        with self._database.write() as session:
            hold_mark(session)
            for id, its in changed.items():
                of_this = update(ComplaintTheme).where(ComplaintTheme.id == id)
                session.execute(of_this.values(words=its))

    def _some(self) -> int:
        with self._database.read() as session:
            waiting = _waiting(session)
            texts = _texts(session, waiting)
        if not waiting:
            return 0
        said = [contact for contact in waiting if texts[contact]]
        vectors = self._embedder().embed([texts[contact] for contact in said]) if said else None
        with self._database.write() as session:
            hold_mark(session)
            still = set(_waiting(session, waiting))
            silent = [contact for contact in waiting if contact in still and not texts[contact]]
            of_these = update(Complaint).where(Complaint.contact_id.in_(silent))
            session.execute(of_these.values(theme_id=_NO_THEME))
            if vectors is not None:
                places = [place for place, contact in enumerate(said) if contact in still]
                rows = {row.id: row for row in session.scalars(select(ComplaintTheme))}
                joined = join(
                    [_draft(row) for row in rows.values()],
                    [(said[place], texts[said[place]]) for place in places],
                    vectors[places],
                )
                _keep(session, rows, joined)
        return len(waiting)


def _waiting(session: Session, among: Sequence[str] | None = None) -> list[str]:
    query = select(Complaint.contact_id).where(Complaint.theme_id.is_(None))
    if among is not None:
        query = query.where(Complaint.contact_id.in_(among))
    return list(session.scalars(query.order_by(Complaint.contact_id).limit(AT_ONCE)))


def _texts(session: Session, contacts: Sequence[str]) -> dict[str, str]:
    """Return contact → what its customer asked, as the desk read it where it did."""
    texts = dict.fromkeys(contacts, "")
    first = (
        select(Message.contact_id, Message.text)
        .where(Message.contact_id.in_(contacts), Message.speaker == "customer")
        .order_by(Message.ordinal.desc())
    )
    briefs = (
        select(Handoff.contact_id, Handoff.brief["question"].as_string())
        .where(Handoff.contact_id.in_(contacts))
        .order_by(Handoff.opened_at)
    )
    read = (
        select(Review.contact_id, Review.state["classification"]["question"].as_string())
        .where(Review.contact_id.in_(contacts))
        .order_by(Review.id)
    )
    for query in (first, briefs, read):
        for contact, text in session.execute(query).tuples():
            if text and text.strip():
                texts[contact] = " ".join(text.split())[:_LONGEST]
    return texts


def _draft(row: ComplaintTheme) -> ThemeDraft:
    return ThemeDraft(
        row.id,
        np.frombuffer(row.centre, dtype=_STORED).astype(np.float32),
        row.count,
        [(one["contact"], one["text"]) for one in row.examples],
    )


def _keep(session: Session, rows: dict[str, ComplaintTheme], joined: dict[str, ThemeDraft]) -> None:
    changed = {theme.id: theme for theme in joined.values()}
    for theme in changed.values():
        examples: list[Any] = [{"contact": one, "text": text} for one, text in theme.examples]
        values = {
            "centre": theme.centre.astype(_STORED).tobytes(),
            "count": theme.count,
            "examples": examples,
        }
        if theme.id in rows:
            for name, value in values.items():
                setattr(rows[theme.id], name, value)
        else:
            rows[theme.id] = ComplaintTheme(id=theme.id, words=[], **values)
            session.add(rows[theme.id])
    for contact, theme in joined.items():
        its = update(Complaint).where(Complaint.contact_id == contact)
        session.execute(its.values(theme_id=theme.id))


def _length(vector: Vectors) -> float:
    return max(float(np.linalg.norm(vector)), 1e-9)
