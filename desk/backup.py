"""Backup and restore of a desk, and an export of everything in open formats.

A backup holds the records and the paused runs as they stood at one moment, like a machine whose plug
was pulled then: what was under way is taken up when the restored desk starts. What went out while the
backup was made lies in its outbox; the restored desk writes it down and does not send it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError
from sqlalchemy import Engine, Table, make_url, select

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, Refused, Unavailable
from core.settings import Settings
from desk.every_table import EVERY_TABLE

FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_RECORDS: Final = "proofdesk.sqlite"
_THREADS: Final = "graph.sqlite"
_DUMP: Final = "records.dump"
_WAIT_SECONDS: Final = 30.0
_CHUNK: Final = 1 << 20

_KEPT_BACK: Final = frozenset(
    {
        "sign_in_link",
        "browser_session",
        "embedding",
        "index_state",
        "metric_sum",
        "metric_lengths",
        "metric_mark",
        "complaint",
        "complaint_theme",
    }
)
"""Tables that an export leaves out: secrets of people who are signed in, and what is computed anew."""


class Manifest(BaseModel):
    """What a backup says of itself.

    Attributes:
        format: Of the archive.
        made_at: When.
        engine: Of the records; a backup goes back to the engine it came from.
        audit_digest: Newest seal of the audit trail.
        files: Path in the archive → SHA-256.
    """

    format: Literal[1]
    made_at: datetime
    engine: Literal["sqlite", "postgresql"]
    audit_digest: str
    files: dict[str, str]


def back_up(
    settings: Settings, database: Database, clock: Clock, audit_digest: str, target: Path
) -> Manifest:
    """Write a backup of a desk, which may go on working meanwhile.

    Args:
        settings: Where everything is.
        database: The records.
        clock: The time.
        audit_digest: Newest seal of the audit trail.
        target: The archive; appears only when it is complete.

    Raises:
        BadInput: ``target`` exists, or its folder does not.
        Unavailable: The database is busy all the time, or ``pg_dump`` is missing or fails.
    """
    if target.exists():
        raise BadInput(f"{target}: this file exists; choose another name.")
    if not target.parent.is_dir():
        raise BadInput(f"{target}: there is no folder {target.parent}.")
    sqlite = database.engine.dialect.name == "sqlite"
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as name:
        folder = Path(name)
        if sqlite:
            _copy_sqlite(settings, folder)
        else:
            _pg("pg_dump", database.engine, ["--format=custom", f"--file={folder / _DUMP}"])
        # After the records: a letter that left meanwhile must not leave again.
        _copy_folder(settings.home / "outbox", folder / "outbox")
        _copy_folder(settings.workspace_folder, folder / "workspace")
        files = {
            path.relative_to(folder).as_posix(): _digest(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        manifest = Manifest(
            format=FORMAT,
            made_at=clock.now(),
            engine="sqlite" if sqlite else "postgresql",
            audit_digest=audit_digest,
            files=files,
        )
        (folder / _MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
        packed = folder / "packed.zip"
        packing = zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False)
        with packing as archive:
            for path in [_MANIFEST, *files]:
                archive.write(folder / path, path)
        packed.replace(target)
    return manifest


def restore(settings: Settings, source: Path) -> Manifest:
    """Make the desk that a backup holds, in a home that is still empty.

    The index is not in a backup; it is built from the records on first use.

    What left while the backup was made, the records do not know, and what was on its way out then
    may have left since: before the desk goes to work,
    :meth:`desk.delivery.Deliveries.write_down_what_left` must tell the contacts of the former, and
    :meth:`~desk.delivery.Deliveries.hold_back` send the latter back to review.

    Raises:
        BadInput: ``source`` is no backup, is damaged, or came from another engine.
        Refused: There is a desk already where it is to go.
        Unavailable: ``pg_restore`` is missing or fails.
    """
    home, url = settings.home, make_url(settings.database)
    new = not home.exists()
    if not new and any(home.iterdir()):
        raise Refused(f"{home} is not empty: a backup is restored into an empty home.")
    home.mkdir(parents=True, exist_ok=True)
    try:
        # Within the home, which may be a volume of its own: nothing is moved between file systems.
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=home) as name:
            folder = Path(name)
            manifest = _unpack(source, folder)
            if url.get_backend_name() != manifest.engine:
                raise BadInput(
                    f"{source}: this backup came from {manifest.engine}, and PROOFDESK_DATABASE_URL "
                    f"is on {url.get_backend_name()}; set it to the same engine."
                )
            if manifest.engine == "postgresql":
                _into_postgresql(settings.database, folder / _DUMP)
            else:
                _into_sqlite(Path(url.database or ""), folder / _RECORDS)
            for path in folder.iterdir():
                path.rename(home / path.name)
    except BaseException:
        if new:
            home.rmdir()
        raise
    return manifest


def export(database: Database, folder: Path) -> dict[str, int]:
    """Write every record as JSON lines, a file a table; return how many each holds.

    Left out are secrets of people who are signed in, and vectors, which are computed anew.

    Raises:
        BadInput: ``folder`` is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder}: this folder is not empty; choose another one.")
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    with database.read() as session:
        if database.engine.dialect.name == "postgresql":  # all tables as they are at one moment
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        for table in EVERY_TABLE.sorted_tables:
            if table.name in _KEPT_BACK:
                continue
            rows = session.execute(_whole(table), execution_options={"yield_per": 1000})
            counts[table.name] = _write_lines(
                folder / f"{table.name}.jsonl", (dict(row) for row in rows.mappings())
            )
    return counts


def _whole(table: Table) -> Any:
    return select(table).order_by(*table.primary_key.columns)


def _write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=_plain))
            file.write("\n")
            count += 1
    return count


def _plain(value: object) -> str:
    if isinstance(value, date):  # datetimes among them
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in an export")


def _copy_sqlite(settings: Settings, folder: Path) -> None:
    """Copy records and threads as they stand at one moment.

    They cannot be written for that moment alone: what began to read then sees no later write (both
    files keep a write-ahead log), however long the copy takes.
    """
    url = make_url(settings.database)
    places = {_RECORDS: Path(url.database or ""), _THREADS: settings.home / _THREADS}
    there = {name: place for name, place in places.items() if place.is_file()}
    with contextlib.ExitStack() as readers:
        given = {}
        with contextlib.ExitStack() as writers:
            for place in there.values():
                _hold_still(writers, place)
            for name, place in there.items():
                given[name] = sqlite3.connect(place, isolation_level=None)
                readers.callback(given[name].close)
                given[name].execute("BEGIN")
                given[name].execute("SELECT count(*) FROM sqlite_master").fetchone()
        for name, reader in given.items():
            with contextlib.closing(sqlite3.connect(folder / name)) as taken:
                reader.backup(taken)


def _hold_still(stack: contextlib.ExitStack, place: Path) -> None:
    connection = sqlite3.connect(place, timeout=_WAIT_SECONDS, isolation_level=None)
    stack.callback(connection.close)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        raise Unavailable(f"{place} is busy ({error}); try again in a moment.") from None


def _copy_folder(source: Path, target: Path) -> None:
    if source.is_dir():
        # What is being written has another name until it is whole.
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.part", ".git"))


def _unpack(source: Path, folder: Path) -> Manifest:
    if not source.is_file():
        raise BadInput(f"{source}: there is no such file.")
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = Manifest.model_validate_json(archive.read(_MANIFEST))
            for path in manifest.files:
                parts = PurePosixPath(path).parts
                if ".." in parts or PurePosixPath(path).is_absolute():
                    raise BadInput(f"{source}: it names a file outside of itself: {path!r}.")
                archive.extract(path, folder)
    except (zipfile.BadZipFile, KeyError, ValidationError) as error:
        raise BadInput(f"{source}: this is no backup of a desk ({type(error).__name__}).") from None
    for path, digest in manifest.files.items():
        if _digest(folder / path) != digest:
            raise BadInput(f"{source}: {path} in it is damaged.")
    return manifest


def _into_sqlite(place: Path, records: Path) -> None:
    if place.exists():
        raise Refused(
            f"{place} exists: a backup is restored into a database that is not there yet."
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(records, place)


def _into_postgresql(url: str, dump: Path) -> None:
    from sqlalchemy import create_engine, inspect

    engine = create_engine(url)
    try:
        if inspect(engine).get_table_names():
            raise Refused("The database is not empty: a backup is restored into an empty one.")
        name = make_url(url).database or ""
        arguments = ["--exit-on-error", "--no-owner", "--single-transaction", f"--dbname={name}"]
        _pg("pg_restore", engine, [*arguments, str(dump)])
    finally:
        engine.dispose()


def _pg(program: str, engine: Engine, arguments: Sequence[str]) -> None:
    """Run a program of PostgreSQL on the database of ``engine``."""
    url = engine.url
    environment = dict(os.environ)
    host = url.host or url.query.get("host")
    given = {
        "PGHOST": host,
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    environment |= {name: str(value) for name, value in given.items() if value}
    if shutil.which(program) is None:
        raise Unavailable(f"{program} is not installed; it comes with PostgreSQL's client.")
    done = subprocess.run(
        [program, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it gives no reason"]
        raise Unavailable(f"{program} failed: {last[0]}")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
