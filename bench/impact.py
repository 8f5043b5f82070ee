"""The blast radius of a sync, against the bare SQL that looks its rows up.

    python -m bench.impact

Each line is a help center with answered and waiting contacts in it, of which some articles change.
The floor asks, in the same run, for the rows of the source uses and reviews that rest on the
changed passages, by index, and writes the same marks: no judging, no comparing of drafts. What the
marks set off (new drafts) are jobs; asking for them is timed by itself.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

from sqlalchemy import insert, select, update

from bench._measure import seconds, table
from core.clock import FixedClock
from core.database import Database
from core.identifiers import text_digest
from core.migrate import upgrade
from desk.impact import Impact, ImpactReport
from desk.jobs import InlineJobs
from desk.models import Contact, Delivery, Review, SourceUse
from graph.draft import cite_whole
from graph.evidence import evidence_of
from graph.values import Draft
from kb.changes import ChangeJudge
from kb.content import Passage
from kb.library import Library
from kb.models import Article, ArticleVersion, PassageRow

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PASSAGES = 30
AT_ONCE = 1_000
RUNS = 3
USED = 250
"""Articles that contacts rest on, the same in each help center."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answered", type=int, default=10_000)
    parser.add_argument("--waiting", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    lines: list[dict[str, Any]] = []
    for articles, changed, skewed in (
        (250, 1, False),
        (1_000, 1, False),
        (250, 10, False),
        (1_000, 10, False),
        (250, 1, True),
    ):
        lines.append(_measure(articles, changed, skewed, options.answered, options.waiting))
    if options.json:
        print(json.dumps(lines))
    else:
        print(table([tuple(lines[0]), *(tuple(line.values()) for line in lines)]))


def _measure(
    articles: int, changed: int, skewed: bool, answered: int, waiting: int
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.sqlite'}")
        upgrade(database)
        clock = FixedClock(NOON)
        fill(database, articles, answered, waiting, 1 if skewed else USED)
        impact = Impact(database, Library(database, clock), clock, InlineJobs(), ChangeJudge())
        change(database, range(articles - 1, articles), 2)
        impact.sweep()  # reads the judge's model in; a desk does so once
        gc.collect()  # what the seeding left
        floors, finds, redrafts = [], [], []
        found = ImpactReport()
        for run in range(RUNS):
            these = range(changed * run, changed * (run + 1)) if not skewed else range(1)
            if skewed and run:
                break
            change(database, these, 2)
            floors.append(seconds(lambda these=these: _floor(database, these)))  # type: ignore[misc]
            found = ImpactReport()
            finds.append(seconds(lambda found=found: found.add(impact.sweep())))  # type: ignore[misc]
            redrafts.append(seconds(impact.redraft_stale))
        database.close()
    find, floor = statistics.median(finds), statistics.median(floors)
    return {
        "articles": articles,
        "changed": changed,
        "rests on": "one article" if skewed else "all alike",
        "reviews": len(found.reviews),
        "answers": found.answers,
        "facts": len(found.facts),
        "find s": round(find, 3),
        "floor s": round(floor, 3),
        "ratio": round(find / floor, 1),
        "ask for drafts s": round(statistics.median(redrafts), 3),
    }


def _text(article: int, passage: int, version: int) -> str:
    if passage % PASSAGES == 0:
        days = 5 if version == 1 else 9
        return f"An order of kind {article} reaches your door within {days} business days."
    reworded = passage == 1 and version > 1
    said = (
        "is told in a dozen plain words here" if reworded else "is told here in a dozen plain words"
    )
    return f"Topic {passage} of article {article} {said}."


def _passages(article: int, version: int) -> list[Passage]:
    found, start = [], 0
    for ordinal in range(PASSAGES):
        text = _text(article, ordinal, version)
        found.append(
            Passage(
                id=f"ver_{article}_{version}#{ordinal}",
                kind="article",
                article_id=f"help/{article}.md",
                version_id=f"ver_{article}_{version}",
                version=version,
                title=f"Article {article}",
                anchor=f"part-{ordinal // 6}",
                heading_path=(f"Part {ordinal // 6}",),
                start=start,
                end=start + len(text),
                text=text,
                plain=text,
                content_hash=text_digest(text),
                effective_from=NOON,
            )
        )
        start += len(text) + 2
    return found


def _version_rows(articles: Sequence[int], version: int) -> tuple[list[Any], list[Any]]:
    versions, passages = [], []
    for article in articles:
        cut = _passages(article, version)
        body = "\n\n".join(passage.text for passage in cut)
        versions.append(
            {
                "id": cut[0].version_id,
                "article_id": cut[0].article_id,
                "number": version,
                "title": cut[0].title,
                "body": body,
                "format": "markdown",
                "body_hash": text_digest(body),
                "meta_hash": "",
                "effective_from": NOON,
                "supersedes": [],
                "synced_at": NOON,
            }
        )
        passages += [
            {
                "id": p.id,
                "version_id": p.version_id,
                "article_id": p.article_id,
                "kind": p.kind,
                "ordinal": ordinal,
                "anchor": p.anchor,
                "heading_path": list(p.heading_path),
                "start": p.start,
                "end": p.end,
                "text": p.text,
                "plain": p.plain,
                "content_hash": p.content_hash,
            }
            for ordinal, p in enumerate(cut)
        ]
    return versions, passages


def fill(database: Database, articles: int, answered: int, waiting: int, used: int) -> None:
    """Write a help center, and contacts that rest on the first ``used`` of its articles in turn."""
    everything = range(articles)
    versions, passages = _version_rows(everything, 1)
    rows: dict[type, list[dict[str, Any]]] = {
        Article: [
            {
                "id": f"help/{n}.md",
                "source": "help",
                "path": f"{n}.md",
                "kind": "article",
                "title": f"Article {n}",
                "newest": 1,
            }
            for n in everything
        ],
        ArticleVersion: versions,
        PassageRow: passages,
        Contact: [],
        Review: [],
        Delivery: [],
        SourceUse: [],
    }
    for n in range(answered + waiting):
        _add_contact(rows, n, n % used, waits=n >= answered)
    with database.write() as session:
        for model, some in rows.items():
            for start in range(0, len(some), AT_ONCE):
                session.execute(insert(model), some[start : start + AT_ONCE])


def _add_contact(
    rows: dict[type, list[dict[str, Any]]], n: int, article: int, *, waits: bool
) -> None:
    cited = [_passages(article, 1)[ordinal] for ordinal in (0, 1)]
    draft: Draft = {
        "kind": "answer",
        "opening": "Hello,",
        "sentences": [{"text": p.plain, "citations": [cite_whole(p)]} for p in cited],
        "closing": "Kind regards",
        "drafter": "extractive",
        "note": "",
    }
    contact, holder = f"con_{n}", f"{'rev' if waits else 'del'}_{n}"
    rows[Contact].append(
        {
            "id": contact,
            "channel": "email",
            "status": "in_review" if waits else "answered",
            "created_at": NOON,
            "updated_at": NOON,
        }
    )
    if waits:
        rows[Review].append(
            {
                "id": holder,
                "contact_id": contact,
                "thread": f"{contact}:1",
                "interrupt_id": "1",
                "kind": "answer",
                "status": "pending",
                "tier": "allowed",
                "state": {
                    "draft": draft,
                    "evidence": evidence_of(draft, "msg_1"),
                    "check": {"passed": True, "findings": [], "triggers": []},
                },
                "allowed": ["approve"],
                "opened_at": NOON,
                "due_at": NOON,
            }
        )
    else:
        rows[Delivery].append(
            {
                "id": holder,
                "key": holder,
                "contact_id": contact,
                "status": "sent",
                "subject": "",
                "recipient": "",
                "text": " ".join(p.plain for p in cited),
                "draft": draft,
                "approved_by": "per_1",
                "created_at": NOON,
                "due_at": NOON,
            }
        )
    rows[SourceUse] += [
        {
            "holder": holder,
            "contact_id": contact,
            "article_id": p.article_id,
            "version_id": p.version_id,
            "passage_id": p.id,
            "content_hash": p.content_hash,
            "status": "pending" if waits else "answered",
            "at": NOON,
        }
        for p in cited
    ]


def change(database: Database, articles: Sequence[int], version: int) -> None:
    """Write the rows that a sync writes for articles with a new version."""
    versions, passages = _version_rows(articles, version)
    with database.write() as session:
        session.execute(insert(ArticleVersion), versions)
        session.execute(insert(PassageRow), passages)
        ids = [row["article_id"] for row in versions]
        due = update(Article).where(Article.id.in_(ids))
        session.execute(due.values(newest=version, assess_at=NOON))


def _floor(database: Database, articles: Sequence[int]) -> None:
    ids = [f"ver_{article}_1#0" for article in articles]
    with database.write() as session:
        uses = select(SourceUse.id, SourceUse.holder, SourceUse.status)
        found = session.execute(uses.where(SourceUse.passage_id.in_(ids))).all()
        holders = [row.holder for row in found if row.status == "pending"]
        list(session.scalars(select(Review).where(Review.id.in_(holders))))
        marks = update(SourceUse).where(SourceUse.passage_id.in_(ids)).values(stale_at=NOON)
        session.execute(marks)
        session.execute(marks.values(stale_at=None))  # put back, for what is measured after it


if __name__ == "__main__":
    main()
