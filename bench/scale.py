"""What a full desk costs against an empty one: deep pages, decisions, memory.

    python -m bench.scale --engine postgresql --contacts 300000 --reviews 100000 --worked 2000

A desk with 100 contacts is timed, filled by bulk insert, and timed again. Page 1,000 of the review
queue may take twice what page 1 takes, a decision twice what it took before. Then a worker carries
contacts to their pause and is asked for its memory: in the second half it may grow by 5 %.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from datetime import timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import insert, inspect, text

from bench._measure import seconds, table
from bench.fleet import DECIDERS, ENGINES, QUESTIONS, Member, homes, open_paused, prepare
from core.database import Base
from core.identifiers import new_id
from core.settings import Settings
from desk.bootstrap import Desk, opened
from desk.models import AuditEvent, Contact, Message, Review

PAGE: Final = 50
DEEP: Final = 1000
AT_ONCE: Final = 2000
TIMES: Final = 15
SMALL: Final = 100
MOST: Final = {"page": 2.0, "decision": 2.0, "memory": 1.05}


def fill(desk: Desk, review_id: str, contacts: int, reviews: int) -> None:
    """Add copies of one paused contact; every review beyond the first ``contacts`` has one too.

    The reviews wait, at four risks and at as many due times as there are; the contacts without
    review are answered.
    """
    with desk.database.read() as session:
        review = session.get_one(Review, review_id)
        contact = session.get_one(Contact, review.contact_id)
        originals = _values(contact), _values(contact.messages[0]), _values(review)
    now = desk.clock.now()
    for start in range(0, contacts, AT_ONCE):
        rows: dict[type[Base], list[dict[str, Any]]] = {}
        for number in range(start, min(start + AT_ONCE, contacts)):
            waits = number < reviews
            risk = number % 4
            one, message, its = (dict(values) for values in originals)
            one |= {"id": new_id("con"), "status": "in_review" if waits else "answered"}
            one |= {"risk": risk, "rank": -risk, "pruned_run": 0 if waits else 1}
            message |= {"id": new_id("msg"), "contact_id": one["id"]}
            rows.setdefault(Contact, []).append(one)
            rows.setdefault(Message, []).append(message)
            told = {"at": now, "actor": "desk", "event": "contact.opened", "data": {}}
            told |= {"contact_id": one["id"], "key": None, "review_id": None}
            rows.setdefault(AuditEvent, []).append(told)
            if waits:
                its |= {"id": new_id("rev"), "contact_id": one["id"], "risk": risk}
                its |= {"thread": f"{one['id']}:1", "due_at": now + timedelta(seconds=number)}
                rows.setdefault(Review, []).append(its)
        with desk.database.write() as session:
            for model, values in rows.items():
                session.execute(insert(model), values)
    with desk.database.write() as session:
        session.execute(text("ANALYZE"))


def _values(row: Base) -> dict[str, Any]:
    columns = inspect(type(row)).columns
    return {column.key: getattr(row, column.key) for column in columns}


def page_seconds(desk: Desk) -> tuple[float, float, int]:
    """Return what page 1 and the deepest page take, and which number that one has."""
    ruth = desk.people.get(DECIDERS[0])
    page = desk.reviews.queue(ruth, limit=PAGE)
    number, after = 1, page[-1]
    while number < DEEP and len(page) == PAGE:
        after = page[-1]
        page = desk.reviews.queue(ruth, limit=PAGE, after=after)
        number += 1

    first, deep = [], []
    for _ in range(TIMES):  # in turns: what else the machine does then weighs on both
        first.append(seconds(partial(desk.reviews.queue, ruth, limit=PAGE)))
        deep.append(seconds(partial(desk.reviews.queue, ruth, limit=PAGE, after=after)))
    return statistics.median(first), statistics.median(deep), number


def decision_seconds(desk: Desk) -> float:
    """Return the median time of a decision that is carried out up to its delivery."""
    ruth = desk.people.get(DECIDERS[0])
    reviews = open_paused(desk, TIMES)
    decide = partial(desk.reviews.decide, ruth, reply={"kind": "approve"})
    return statistics.median(seconds(partial(decide, review)) for review in reviews)


def memory_of_worker(settings: Settings, contacts: int) -> list[float]:
    """Return the megabytes of a worker at ten moments while it carries contacts to their pause."""
    worker = Member(settings)
    worker.hear()
    found = []
    for number in range(contacts):
        worker.ask("draft", QUESTIONS[number % len(QUESTIONS)].format(number))
        if (number + 1) % max(1, contacts // 10) == 0:
            found.append(worker.ask("memory"))
    worker.leave()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--contacts", type=int, default=300_000)
    parser.add_argument("--reviews", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=SMALL, help="contacts before it is filled")
    parser.add_argument("--worked", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with homes(options.engine) as make:
        settings = make()
        prepare(settings)
        with opened(settings, inline=True) as desk:
            reviews = open_paused(desk, options.small)
            small = decision_seconds(desk)
            fill(desk, reviews[0], options.contacts, options.reviews)
            first, deep, number = page_seconds(desk)
            full = decision_seconds(desk)
        memory = memory_of_worker(settings, options.worked) if options.worked else [1.0]
    ratios = {
        "page": deep / first,
        "decision": full / small,
        "memory": max(memory[len(memory) // 2 :]) / memory[(len(memory) - 1) // 2],
    }
    figures: dict[str, Any] = {
        "engine": options.engine,
        "contacts": options.contacts,
        "reviews": options.reviews,
        "page 1 (ms)": round(first * 1000, 2),
        f"page {number} (ms)": round(deep * 1000, 2),
        f"decision at {options.small} contacts (ms)": round(small * 1000, 1),
        "decision on the full desk (ms)": round(full * 1000, 1),
        "contacts of the worker": options.worked,
        "its memory (MB)": [round(one) for one in memory],
        **{f"{name}, ratio": round(ratio, 2) for name, ratio in ratios.items()},
    }
    print(json.dumps(figures) if options.json else table(list(figures.items())))
    return 1 if any(ratio > MOST[name] for name, ratio in ratios.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
