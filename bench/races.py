"""Two processes that decide the same reviews at the same moment, one approving, one rejecting.

    python -m bench.races --engine postgresql --reviews 1000

Each review must have one outcome, its winner's; the loser must be told who won and how. An approved
answer must leave once, a rejected one never.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select

from bench._measure import table
from bench.fleet import DECIDERS, ENGINES, Member, homes, open_paused, prepare
from core.settings import Settings
from desk.bootstrap import Desk, open_desk, opened
from desk.models import Delivery

REPLIES: Final = {
    "ruth": {"kind": "approve"},
    "sam": {"kind": "reject", "reason": "tone", "comment": "Say it more kindly."},
}
SENT_SECONDS: Final = 60.0


@dataclass
class Result:
    """What became of the races.

    Attributes:
        won: Kind of the decision → reviews that it won.
        faults: A sentence each.
    """

    won: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def race(reviews: list[str], members: dict[str, Member], result: Result) -> dict[str, str]:
    """Have both decide each review at once; return review → person who won it."""
    winners: dict[str, str] = {}
    for review in reviews:
        for name, member in members.items():
            member.say("decide", name, review, REPLIES[name], 120)
        said = {name: member.hear() for name, member in members.items()}
        won = [name for name, (how, _) in said.items() if how == "won"]
        if len(won) != 1:
            result.faults.append(f"{review} was won by {won or 'nobody'}: {said}")
            continue
        (winner,) = won
        winners[review] = winner
        result.won[str(REPLIES[winner]["kind"])] += 1
        (loser,) = set(members) - {winner}
        how, sentence = said[loser]
        told = winner in sentence and str(REPLIES[winner]["kind"]) in sentence
        if how != "lost" or not told:
            result.faults.append(f"{review}: the loser was told {how} {sentence!r}")
    return winners


def look(desk: Desk, winners: dict[str, str], result: Result) -> None:
    """Compare what the records and the outbox hold with who won."""
    desk.start()  # what was asked for as the others ended is still to be done
    sent: set[str] = set()
    for review, winner in winners.items():
        outcome = desk.reviews.outcome(review)
        if outcome.kind != REPLIES[winner]["kind"]:
            result.faults.append(f"{review} was won by {winner}, and its outcome is {outcome.kind}")
        with desk.database.read() as session:
            rows = session.scalars(select(Delivery).where(Delivery.review_id == review))
            keys = {row.id: row.key for row in rows}
        if len(keys) != (outcome.kind == "approve"):
            result.faults.append(f"{review}: {outcome.kind}, and {len(keys)} deliveries")
        for delivery, key in keys.items():
            if desk.jobs.wait(f"deliver:{delivery}", SENT_SECONDS) != "sent":
                result.faults.append(f"{review}: delivery {delivery} did not leave")
            sent.add(key)
    letters = {path.stem for path in (desk.settings.home / "outbox").glob("*.eml")}
    if letters != sent:
        result.faults.append(f"{len(letters)} letters for {len(sent)} deliveries")
    result.faults += desk.audit_seals.verify().faults


def run(settings: Settings, count: int) -> Result:
    """Return what becomes of ``count`` races on an empty home."""
    prepare(settings)
    with opened(settings, inline=True) as desk:
        reviews = open_paused(desk, count)
    result = Result()
    members = {name: Member(settings) for name in DECIDERS}
    for member in members.values():
        member.hear()
    winners = race(reviews, members, result)
    for member in members.values():
        member.leave()
    desk = open_desk(settings, lock_seconds=60)
    try:
        look(desk, winners, result)
    finally:
        desk.close()
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--reviews", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    with homes(options.engine) as make:
        result = run(make(), options.reviews)
    figures: dict[str, Any] = {
        "engine": options.engine,
        "reviews": options.reviews,
        **{f"won by {kind}": count for kind, count in sorted(result.won.items())},
        "faults": len(result.faults),
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(figures) if options.json else table(list(figures.items())))
    for fault in result.faults[:20]:
        print(fault, file=sys.stderr)
    return 1 if result.faults or sum(result.won.values()) != options.reviews else 0


if __name__ == "__main__":
    sys.exit(main())
