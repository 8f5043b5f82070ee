"""Backups taken under load, each restored into an empty home and worked off there.

    python -m bench.backups --engine postgresql --backups 10

Workers carry contacts out while callers open and decide, and `proofdesk backup` is run again and
again. Each archive is then restored by `proofdesk restore`; `proofdesk audit verify` must find its
trail whole, every review that waits in it must come to its end, and no contact may get a letter
beside the one that lies in the archive.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any, Final

from sqlalchemy import select

from bench._measure import table
from bench.fleet import ENGINES, Homes, Member, homes, prepare
from bench.kills import approve_all, work_off
from bench.outages import Calls, call
from core.database import Database
from core.settings import Settings
from desk.bootstrap import open_desk
from desk.models import Contact, Delivery, Review

UNDO_SECONDS: Final = 1
LOAD_SECONDS: Final = 4.0
WAITING: Final = 15
"""How many reviews the callers leave waiting."""
ENDED: Final = ("answered", "waiting", "escalated")


def command(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the desk's own in a process of its own."""
    environment = {
        **os.environ,
        "PROOFDESK_HOME": str(settings.home),
        "PROOFDESK_WORKSPACE": str(settings.workspace),
        "PROOFDESK_DATABASE_URL": settings.database,
    }
    return subprocess.run(
        [sys.executable, "-m", "desk.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def letters_of(archive: Path) -> set[str]:
    """Return the keys of the letters that lie in an archive."""
    with zipfile.ZipFile(archive) as held:
        names = [PurePosixPath(name) for name in held.namelist()]
    return {name.stem for name in names if name.parts[0] == "outbox" and name.suffix == ".eml"}


def recipients(settings: Settings) -> dict[str, str]:
    """Return key of each delivery → its contact."""
    database = Database(settings.database)
    with database.read() as session:
        rows = session.execute(select(Delivery.key, Delivery.contact_id))
        found = {row.key: row.contact_id for row in rows}
    database.close()
    return found


def back_up_under_load(
    settings: Settings, count: int, workers: int, callers: int, faults: list[str]
) -> tuple[list[Path], Calls, list[float]]:
    """Take backups while there is load; return them, and how long each took in seconds."""
    members = [Member(settings) for _ in range(workers)]
    calling = [Member(settings, works=False) for _ in range(callers)]
    for member in (*members, *calling):
        member.hear()
    calls, done = Calls(), threading.Event()
    threads = [
        threading.Thread(target=call, args=(member, number, calls, done, WAITING), daemon=True)
        for number, member in enumerate(calling)
    ]
    for thread in threads:
        thread.start()
    archives, lengths = [], []
    for number in range(count):
        time.sleep(LOAD_SECONDS)
        archive = settings.home.parent / f"{settings.home.name}-{number}.zip"
        began = time.monotonic()
        made = command(settings, "backup", str(archive))
        lengths.append(time.monotonic() - began)
        if made.returncode:
            faults.append(f"backup {number} failed: {made.stdout}{made.stderr}")
        else:
            archives.append(archive)
    time.sleep(LOAD_SECONDS)
    done.set()
    for thread in threads:
        thread.join(120)
    for member in (*members, *calling):
        member.leave()
    faults += calls.faults
    return archives, calls, lengths


def restore(settings: Settings, archive: Path) -> list[str]:
    """Restore an archive into an empty home; return what is wrong."""
    faults = []
    cache = settings.home / "cache"
    learned = cache.readlink()
    cache.unlink()
    for arguments in (("restore", str(archive)), ("audit", "verify")):
        done = command(settings, *arguments)
        if done.returncode:
            faults.append(f"{archive.name}: {' '.join(arguments)}: {done.stdout}{done.stderr}")
    if not cache.exists():
        cache.symlink_to(learned)
    return faults


def go_on(settings: Settings, archive: Path, sent_to: dict[str, str]) -> dict[str, Any]:
    """Work a restored desk off; return its figures, with what is wrong as sentences."""
    left = letters_of(archive)
    desk = open_desk(settings)
    faults: list[str] = []
    try:
        with desk.database.read() as session:
            waited = set(session.scalars(select(Review.id).where(Review.status == "pending")))
        desk.start()
        for _ in range(4):  # what is sent back waits again
            faults += [] if work_off(desk, 300) else ["work is left after five minutes"]
            approve_all(desk)
        faults += [] if work_off(desk, 300) else ["work is left after five minutes more"]
        faults += desk.audit_seals.verify().faults
        with desk.database.read() as session:
            contacts = list(session.scalars(select(Contact)))
            waits = set(session.scalars(select(Review.id).where(Review.status == "pending")))
            deliveries = list(session.scalars(select(Delivery)))
    finally:
        desk.close()
    faults += [f"review {review} still waits" for review in waits]
    faults += [
        f"contact {one.id} ends {one.status}: {one.failure}"
        for one in contacts
        if one.status not in ENDED
    ]
    now = {path.stem for path in (settings.home / "outbox").glob("*.eml")}
    to_whom = sent_to | {one.key: one.contact_id for one in deliveries}
    letters = Counter(to_whom[key] for key in now)
    faults += [f"contact {one} got {count} letters" for one, count in letters.items() if count > 1]
    unwritten = {one.key for one in deliveries if one.status == "sent"} - now
    faults += [f"the letter {key} is gone" for key in unwritten | (left - now)]
    known = {one.id for one in contacts}
    return {
        "contacts": len(contacts),
        "waiting": len(waited),
        "left before": sum(to_whom[key] in known for key in left),
        "left after": len(now - left),
        "faults": [f"{archive.name}: {fault}" for fault in faults],
    }


def run(make: Homes, engine: str, count: int, callers: int) -> dict[str, Any]:
    """Return the figures of backups of one desk; ``faults`` are sentences."""
    faults: list[str] = []
    settings = make().model_copy(update={"undo_seconds": UNDO_SECONDS})
    prepare(settings)
    workers = 1 if engine == "sqlite" else 2
    archives, calls, lengths = back_up_under_load(settings, count, workers, callers, faults)
    sent_to = recipients(settings)
    restored = []
    for archive in archives:
        elsewhere = make().model_copy(update={"undo_seconds": 0})
        faults += restore(elsewhere, archive)
        found = go_on(elsewhere, archive, sent_to)
        faults += found.pop("faults")
        restored.append(found)
        print(found, file=sys.stderr)
    return {
        "backups": len(archives),
        "seconds a backup": round(max(lengths), 1),
        "contacts acknowledged": len(calls.storm.opened),
        "decisions acknowledged": len(calls.storm.decided),
        "restored": restored,
        "faults": faults,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--backups", type=int, default=10)
    parser.add_argument("--callers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with homes(options.engine) as make:
        found = run(make, options.engine, options.backups, options.callers)
    faults = found["faults"]
    if options.json:
        print(json.dumps({"engine": options.engine} | found))
    else:
        restored = found.pop("restored")
        if restored:
            print(table([list(restored[0]), *(list(one.values()) for one in restored)]), end="\n\n")
        rows = [(name, value) for name, value in found.items() if name != "faults"]
        print(table([("engine", options.engine), *rows, ("faults", len(faults))]))
    for fault in faults[:20]:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
