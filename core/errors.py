"""Every error Proofdesk raises on purpose.

::

    ProofdeskError
    ├── BadInput                 exit 2, HTTP 422: a file, line or field is not what it must be
    ├── NotFound                 exit 2, HTTP 404: no such contact, review, article …
    ├── NotAllowed               exit 2, HTTP 403: this person's role may not do this
    ├── Conflict                 exit 1, HTTP 409: somebody else was first
    │   ├── AlreadyDecided       the review has been decided; says by whom and what
    │   ├── ClaimedByOther       another reviewer holds the review
    │   └── Outdated             the record changed since it was read
    ├── Refused                  exit 1, HTTP 409: the desk will not carry this decision out
    │   └── DecisionRefused      the reply does not fit the paused run
    └── Unavailable              exit 1, HTTP 503: a part (model, index, database) does not answer
        ├── ModelUnavailable
        ├── IndexUnavailable
        └── DatabaseUnavailable

A message says what is wrong and what to do next. It never carries a secret or a customer's text.
"""

from __future__ import annotations


class ProofdeskError(Exception):
    """Proofdesk could not do what was asked."""

    exit_code = 1
    http_status = 500

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def message(self) -> str:
        """One plain sentence for the person who asked."""
        return str(self.args[0])


class BadInput(ProofdeskError):
    """The input is not what it must be."""

    exit_code = 2
    http_status = 422


class NotFound(ProofdeskError):
    """There is no such record."""

    exit_code = 2
    http_status = 404


class NotAllowed(ProofdeskError):
    """Your role may not do this."""

    exit_code = 2
    http_status = 403


class Conflict(ProofdeskError):
    """Somebody else was first."""

    http_status = 409


class AlreadyDecided(Conflict):
    """The review has already been decided."""


class ClaimedByOther(Conflict):
    """Another reviewer is working on this review."""


class Outdated(Conflict):
    """The record changed since you read it; load it again."""


class Refused(ProofdeskError):
    """The desk will not carry this out."""

    http_status = 409


class DecisionRefused(Refused):
    """The decision does not fit the paused run."""


class Unavailable(ProofdeskError):
    """A part of the desk does not answer."""

    http_status = 503


class ModelUnavailable(Unavailable):
    """The language model does not answer."""


class IndexUnavailable(Unavailable):
    """The search index does not answer."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer; try again in a moment."""
