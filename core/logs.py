"""What the desk writes to its log: one line an event, with the ids it is about and no customer's word.

Code says what happened with the standard library's ``logging`` and, around a job or a run, what it
is about with :func:`about`. Three things keep what customers wrote out of the log: our own messages
hold ids and names only; of an exception its type and place are written, not its words, except
where they are ours (see :mod:`core.errors`); and a library's messages are withheld, unless the library
never sees a contact.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Literal

from core.errors import ProofdeskError

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

OURS: Final = ("core", "kb", "retrieval", "graph", "desk", "ui", "evals")
NEVER_SEES_A_CONTACT: Final = ("uvicorn", "alembic")
TELLS_ADDRESSES: Final = "uvicorn.access"
"""Would write a line for each file of a page, and the secret of each sign-in link."""
WITHHELD: Final = "a message of a library, withheld: it may quote a customer"

_ROOT: Final = Path(__file__).resolve().parents[1]
_about: ContextVar[Mapping[str, str]] = ContextVar("about")


@contextmanager
def about(**named: str) -> Iterator[None]:
    """Have every line that is written within the block name these ids, such as ``contact_id``."""
    token = _about.set({**_about.get({}), **named})
    try:
        yield
    finally:
        _about.reset(token)


def ids() -> Mapping[str, str]:
    """Return the ids that what happens now is about."""
    return _about.get({})


def write_log(form: LogFormat, level: LogLevel, stream: IO[str] | None = None) -> None:
    """Write the log of this process to ``stream`` (default: standard error), and nowhere else."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(discreet_formatter(form))
    handler.addFilter(lambda record: record.name != TELLS_ADDRESSES)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in ("alembic.runtime.plugins", "alembic.runtime.migration"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they tell of their parts at every start


def write_no_log() -> None:
    """Write nothing: what a short command has to say, it says itself."""
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)


def bring_in(*libraries: str) -> None:
    """Have libraries that write logs of their own write to that of this process."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in libraries:
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True


def discreet_formatter(form: LogFormat) -> logging.Formatter:
    """Return what turns a record into a line in which no customer is quoted."""
    if form == "text":
        return _Text("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    from pythonjsonlogger.json import JsonFormatter

    class Json(JsonFormatter):
        """One JSON object a line."""

        def format(self, record: logging.LogRecord) -> str:
            return super().format(_discreet(record))

        def formatException(self, ei: Any) -> str:  # noqa: N802
            return describe(ei[1])

    return Json(
        "%(time)s %(levelname)s %(name)s %(message)s",
        rename_fields={"levelname": "level", "name": "logger", "exc_info": "error"},
    )


class _Text(logging.Formatter):
    """One line for people, and more of them for an exception."""

    def format(self, record: logging.LogRecord) -> str:
        discreet = _discreet(record)
        named = " ".join(f"{name}={value}" for name, value in ids().items())
        if named:
            discreet.msg = f"{discreet.msg} ({named})"
        return super().format(discreet)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return describe(ei[1])


def describe(error: BaseException | None) -> str:
    """Return the type of an error, of what caused it, and the places it came through."""
    lines: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        words = f": {error.message}" if isinstance(error, ProofdeskError) else ""
        lines.append(f"{type(error).__name__}{words}")
        lines += [f"  {_place(frame)}" for frame in traceback.extract_tb(error.__traceback__)]
        error = error.__cause__ or error.__context__
    return "\n".join(lines)


def _place(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    name = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path
    return f"{name}:{frame.lineno} in {frame.name}"


def _discreet(record: logging.LogRecord) -> logging.LogRecord:
    """Return a record of what may be written of ``record``, with the ids it is about."""
    library = record.name.partition(".")[0]
    spoken = library in OURS or library in NEVER_SEES_A_CONTACT
    kept: dict[str, Any] = {
        "name": record.name,
        "levelno": record.levelno,
        "levelname": record.levelname,
        "pathname": record.pathname,
        "filename": record.filename,
        "lineno": record.lineno,
        "funcName": record.funcName,
        "created": record.created,
        "msecs": record.msecs,
        "exc_info": record.exc_info,
        "msg": record.getMessage() if spoken else f"{WITHHELD} ({record.module}:{record.lineno})",
    }
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return logging.makeLogRecord({**kept, "time": time, **ids()})
