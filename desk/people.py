"""People, their roles, and the links that sign them in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, NotAllowed, NotFound, Outdated, Refused
from core.identifiers import new_id, text_digest
from core.vocabulary import ROLES, Role
from desk.audit import DESK, write_audit
from desk.models import BrowserSession, Contact, Person, SignInLink
from desk.permissions import Actor, require

LINK_LIFETIME = timedelta(days=7)
SESSION_LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person as an admin sees them.

    Attributes:
        active: Whether they still work here.
        signed_in_at: When they last signed in with a browser that is still signed in.
        version: Hand it back with a change, so that two admins do not overwrite each other.
    """

    id: str
    name: str
    email: str
    role: Role
    active: bool
    since: datetime
    signed_in_at: datetime | None
    version: int


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

    def everybody(self, actor: Actor) -> list[PersonLine]:
        """Return everybody who ever worked here, those who do first, by role and name."""
        require(actor, "manage_people")
        now = self._clock.now()
        opened = (
            select(BrowserSession.person_id, func.max(BrowserSession.created_at).label("at"))
            .where(BrowserSession.expires_at > now)
            .group_by(BrowserSession.person_id)
            .subquery()
        )
        query = (
            select(Person, opened.c.at)
            .outerjoin(opened, opened.c.person_id == Person.id)
            .order_by(Person.active.desc(), Person.role, Person.name, Person.id)
        )
        with self._database.read() as session:
            return [
                PersonLine(
                    row.id,
                    row.name,
                    row.email,
                    row.role,
                    row.active,
                    row.created_at,
                    signed_in_at,
                    row.version,
                )
                for row, signed_in_at in session.execute(query).tuples()
            ]

    def change_role(
        self, actor: Actor, person_id: str, role: Role, version: int | None = None
    ) -> Actor:
        """Give somebody another role; it counts from their next click on.

        Args:
            actor: Who does.
            person_id: Whom.
            role: The new one.
            version: Of the person as they were read; None to act on whatever they are now.

        Raises:
            NotFound: There is no such person at the desk.
            Outdated: Somebody else changed them since ``version``.
            BadInput: There is no such role.
            Refused: They are the last admin.
        """
        require(actor, "manage_people")
        if role not in ROLES:
            raise BadInput(f"role: {role!r} is no role; use one of {', '.join(ROLES)}.")
        with self._database.write() as session:
            person = _active(session, person_id, version)
            was = person.role
            if was != role:
                _keep_an_admin(session, person)
                person.role = role
                data = {"person": person.id, "was": was, "role": role}
                write_audit(session, self._clock.now(), actor.id, "person.role_changed", data=data)
            return Actor(person.id, person.name, person.role)

    def leave(self, actor: Actor, person_id: str, version: int | None = None) -> None:
        """Let somebody in no more: their browsers are signed out, their links are void.

        What they did stays under their name; contacts that were theirs are nobody's again.
        ``version`` is as for :meth:`change_role`.

        Raises:
            NotFound: There is no such person at the desk.
            Outdated: Somebody else changed them since ``version``.
            Refused: They are the last admin.
        """
        require(actor, "manage_people")
        with self._database.write() as session:
            person = _active(session, person_id, version)
            _keep_an_admin(session, person)
            person.active = False
            session.execute(delete(BrowserSession).where(BrowserSession.person_id == person.id))
            session.execute(delete(SignInLink).where(SignInLink.person_id == person.id))
            free = update(Contact).where(Contact.assigned_to == person.id)
            session.execute(
                free.values(assigned_to=None).execution_options(synchronize_session=False)
            )
            write_audit(
                session, self._clock.now(), actor.id, "person.left", data={"person": person.id}
            )

    def come_back(self, actor: Actor, person_id: str) -> Actor:
        """Let somebody who left work here again, in the role they had; they need a new link.

        Raises:
            NotFound: There never was such a person.
        """
        require(actor, "manage_people")
        with self._database.write() as session:
            person = session.get(Person, person_id, with_for_update=True)
            if person is None:
                raise NotFound(f"There is no person {person_id!r} at this desk.")
            if not person.active:
                person.active = True
                write_audit(
                    session, self._clock.now(), actor.id, "person.back", data={"person": person.id}
                )
            return Actor(person.id, person.name, person.role)

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

        The secret is good for a week or until :meth:`close_session`; only its digest is kept. The
        audit trail says who signed in and when.

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
            write_audit(session, now, actor.id, "person.signed_in", data={"person": actor.id})
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
        """Sign the browser that keeps ``token`` out, in all its tabs; the audit trail says so."""
        with self._database.write() as session:
            kept = session.get(BrowserSession, text_digest(token))
            if kept is None:
                return
            session.delete(kept)
            write_audit(
                session,
                self._clock.now(),
                kept.person_id,
                "person.signed_out",
                data={"person": kept.person_id},
            )


def _active(session: Session, person_id: str, version: int | None) -> Person:
    # All admins are held, in one order: two who let each other go at once must not both succeed.
    admins = select(Person).where(Person.role == "admin").order_by(Person.id).with_for_update()
    session.scalars(admins).all()
    person = session.get(Person, person_id, with_for_update=True, populate_existing=True)
    if person is None or not person.active:
        raise NotFound(f"There is no person {person_id!r} at this desk.")
    if version is not None and person.version != version:
        raise Outdated
    return person


def _keep_an_admin(session: Session, person: Person) -> None:
    others = select(Person.id).where(Person.role == "admin", Person.active, Person.id != person.id)
    if person.role == "admin" and session.scalar(others.limit(1)) is None:
        raise Refused(f"{person.name} is the last admin: make somebody else one first.")
