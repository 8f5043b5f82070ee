"""People, their roles, and the links that sign them in."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import delete, select

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, NotAllowed, NotFound
from core.identifiers import new_id, text_digest
from core.vocabulary import ROLES, Role
from desk.audit import DESK, write_audit
from desk.models import BrowserSession, Person, SignInLink
from desk.permissions import Actor, require

LINK_LIFETIME = timedelta(days=7)
SESSION_LIFETIME = timedelta(days=7)


class People:
    """Adds people, signs them in, tells who they are."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, actor: Actor | None, name: str, email: str, role: Role, id: str = "") -> Actor:
        """Add a person.

        Args:
            actor: Who adds; None only for the desk itself when it sets up the first people.
            name: Display name.
            email: Unique address.
            role: One of the four roles.
            id: Wanted id; a new one by default.

        Raises:
            BadInput: Unknown role, empty name, or an address that is taken.
        """
        if actor:
            require(actor, "manage_people")
        if role not in ROLES:
            raise BadInput(f"role: {role!r} is no role; use one of {', '.join(ROLES)}.")
        if not name.strip() or "@" not in email:
            raise BadInput("name, email: a person needs a name and an e-mail address.")
        person = Person(
            id=id or new_id("per"),
            name=name.strip(),
            email=email.strip().lower(),
            role=role,
            created_at=self._clock.now(),
        )
        with self._database.write() as session:
            if session.scalar(select(Person.id).where(Person.email == person.email)):
                raise BadInput(f"email: {person.email} is taken.")
            session.add(person)
            write_audit(
                session,
                self._clock.now(),
                actor.id if actor else DESK,
                "person.added",
                data={"person": person.id, "role": role},
            )
        return Actor(person.id, person.name, role)

    def all(self) -> list[Actor]:
        """Return everybody who is active, by role and name."""
        query = select(Person).where(Person.active).order_by(Person.role, Person.name)
        with self._database.read() as session:
            return [Actor(row.id, row.name, row.role) for row in session.scalars(query)]

    def get(self, person_id: str) -> Actor:
        """Return one active person by id or e-mail address. Raises NotFound."""
        query = select(Person).where(
            (Person.id == person_id) | (Person.email == person_id.lower()), Person.active
        )
        with self._database.read() as session:
            row = session.scalar(query)
        if row is None:
            raise NotFound(f"There is no person {person_id!r} at this desk.")
        return Actor(row.id, row.name, row.role)

    def new_link_token(self, actor: Actor | None, person_id: str) -> str:
        """Return a fresh secret that signs ``person_id`` in for a week; only its digest is kept.

        Args:
            actor: Who makes it; None for whoever runs the desk's command line.
            person_id: Whom it signs in.
        """
        if actor:
            require(actor, "manage_people")
        token = secrets.token_urlsafe(24)
        now = self._clock.now()
        with self._database.write() as session:
            session.add(
                SignInLink(
                    token_digest=text_digest(token),
                    person_id=person_id,
                    created_at=now,
                    expires_at=now + LINK_LIFETIME,
                )
            )
            made_by = actor.id if actor else DESK
            write_audit(session, now, made_by, "person.link_made", data={"person": person_id})
        return token

    def sign_in(self, token: str) -> Actor:
        """Return whom ``token`` signs in. Raises NotAllowed when it is unknown or too old."""
        query = (
            select(Person)
            .join(SignInLink, SignInLink.person_id == Person.id)
            .where(
                SignInLink.token_digest == text_digest(token),
                SignInLink.expires_at > self._clock.now(),
                Person.active,
            )
        )
        with self._database.read() as session:
            row = session.scalar(query)
        if row is None:
            raise NotAllowed(
                "This sign-in link is not valid (any more). Run `proofdesk users link` for a new one."
            )
        return Actor(row.id, row.name, row.role)

    def open_session(self, link_token: str) -> str:
        """Sign whoever ``link_token`` belongs to in; return the secret their browser keeps.

        The secret is good for a week or until :meth:`close_session`; only its digest is kept.

        Raises:
            NotAllowed: The link is unknown or too old.
        """
        actor = self.sign_in(link_token)
        token, now = secrets.token_urlsafe(32), self._clock.now()
        with self._database.write() as session:
            session.execute(delete(BrowserSession).where(BrowserSession.expires_at < now))
            session.add(
                BrowserSession(
                    token_digest=text_digest(token),
                    person_id=actor.id,
                    created_at=now,
                    expires_at=now + SESSION_LIFETIME,
                )
            )
        return token

    def of_session(self, token: str) -> Actor | None:
        """Return who is signed in with ``token``; None when nobody is (any more)."""
        query = (
            select(Person)
            .join(BrowserSession, BrowserSession.person_id == Person.id)
            .where(
                BrowserSession.token_digest == text_digest(token),
                BrowserSession.expires_at > self._clock.now(),
                Person.active,
            )
        )
        with self._database.read() as session:
            row = session.scalar(query)
        return Actor(row.id, row.name, row.role) if row else None

    def close_session(self, token: str) -> None:
        """Sign the browser that keeps ``token`` out, in all its tabs."""
        digest = text_digest(token)
        with self._database.write() as session:
            session.execute(delete(BrowserSession).where(BrowserSession.token_digest == digest))
