"""One contact to its pause, against plain LangChain retrieval with the same drafter.

    python -m bench.contact ../shared/data/helpcenter-letsencrypt --questions 40

The floor embeds the question, asks LangChain's Chroma store for the same number of passages and has
the same drafter write, with the embedding model as it is. Ours classifies, triages, searches both
ways, drafts, checks every sentence, checkpoints every node and writes contact, review and audit
trail. It does so twice: first with articles that no customer has asked about since the desk
started, then with the same questions again, when the vectors of what it read are in memory.

Below the times stand the parts they are made of, as means a contact, and what a busy machine does
not change: texts and words embedded, statements sent to the database, and how often the disk is
waited for.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

from sqlalchemy import event

from bench._measure import AsLangChain, resident_megabytes, seconds, table
from core.settings import Settings
from desk.bootstrap import Desk, opened
from desk.contacts import NewContact, NewMessage
from desk.sample import ensure_people
from graph.checkpoints import ThreadFile
from graph.extractive import ExtractiveDrafter
from graph.values import one_message
from retrieval.embeddings import MiniLmEmbedder
from retrieval.ports import Hit, Vectors

STEPS: Final = ("classify", "triage", "search", "draft", "check")
COUNTS: Final = ("texts", "words", "statements", "waits for the disk")


class Counting(MiniLmEmbedder):
    """The built-in embedder; counts what it embeds, and everybody else counts here, too."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.busy: dict[str, float] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), 384)`` of unit rows."""
        self._count(texts)
        return super().embed(texts)

    def embed_deep(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), 768)``."""
        self._count(texts)
        return super().embed_deep(texts)

    def _count(self, texts: Sequence[str]) -> None:
        self.counts.update(texts=len(texts), words=sum(len(text.split()) for text in texts))

    def timed(self, step: str, call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Return what ``call`` returns; its seconds are added to ``step``."""
        outcome: list[Any] = []
        taken = seconds(lambda: outcome.append(call(*given, **named)))
        self.busy[step] = self.busy.get(step, 0.0) + taken
        return outcome[0]


class Clocked:
    """A part of the desk whose methods are timed as a step."""

    def __init__(self, part: object, step: str, counting: Counting) -> None:
        self._part = part
        self._step = step
        self._counting = counting

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the part."""
        found = getattr(self._part, name)
        return partial(self._counting.timed, self._step, found) if callable(found) else found


class Spent:
    """What some contacts took: seconds each, milliseconds a step, counts of everything."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting
        self._each: list[float] = []
        self._busy: dict[str, float] = {}
        self._counts: Counter[str] = Counter()

    def add(self, one: Callable[[], object]) -> None:
        """Carry one more contact."""
        self._counting.counts.clear()
        self._counting.busy.clear()
        self._each.append(seconds(one))
        self._counts.update(self._counting.counts)
        for step, taken in self._counting.busy.items():
            self._busy[step] = self._busy.get(step, 0.0) + taken

    @property
    def means(self) -> dict[str, float]:
        """Milliseconds a contact of each step, and of what is none."""
        steps = {step: taken / len(self._each) * 1000 for step, taken in self._busy.items()}
        return steps | {"the rest": sum(self._each) / len(self._each) * 1000 - sum(steps.values())}

    @property
    def counts(self) -> dict[str, float]:
        """How much of each of ``COUNTS`` a contact took."""
        return {what: self._counts[what] / len(self._each) for what in COUNTS}

    def median_ms(self, of: Sequence[int]) -> float:
        """Return the median of some of the contacts, in milliseconds."""
        return statistics.median(self._each[number] for number in of) * 1000


def questions_of(desk: Desk, count: int) -> list[str]:
    """Return questions made of headings of the help center, taken evenly over all of it.

    Of one page they would be alike, and so would be what they find.
    """
    passages = desk.library.passages_in_force()
    headings = {passage.heading_path[-1]: None for passage in passages if passage.heading_path}
    apart = max(len(headings) // count, 1)
    return [f"Can you tell me about {heading}?" for heading in list(headings)[::apart][:count]]


def count_in(desk: Desk) -> Counting:
    """Have a desk that has done nothing yet count what it does."""
    counting = Counting()
    desk.embedder = counting
    desk.deps = replace(
        desk.deps,
        classifier=Clocked(desk.deps.classifier, "classify", counting),
        rules=Clocked(desk.deps.rules, "triage", counting),
        search=Clocked(desk.deps.search, "search", counting),
        drafter=Clocked(desk.deps.drafter, "draft", counting),
        checker=Clocked(desk.deps.checker, "check", counting),
    )

    def sent(*_: object) -> None:
        counting.counts["statements"] += 1

    def committed(*_: object) -> None:
        counting.counts["waits for the disk"] += 1

    def of_the_graph(statement: str) -> None:
        if statement == "PRAGMA synchronous=FULL":
            committed()

    event.listen(desk.database.engine, "before_cursor_execute", sent)
    event.listen(desk.database.engine, "commit", committed)
    threads = desk.runs._graph.checkpointer
    if isinstance(threads, ThreadFile):
        threads.conn.set_trace_callback(of_the_graph)
    return counting


def plain_way(desk: Desk, counting: Counting, count: int) -> Callable[[str], object]:
    """Return what answers a question by plain retrieval and drafting."""
    from langchain_chroma import Chroma

    passages = {passage.id: passage for passage in desk.library.passages_in_force()}
    store = Chroma(collection_name="floor", embedding_function=AsLangChain(desk.embedder))
    ids = list(passages)
    for start in range(0, len(ids), 1000):
        some = ids[start : start + 1000]
        store.add_texts([passages[i].plain for i in some], ids=some)
    drafter = ExtractiveDrafter(desk.embedder, desk.library)

    def find(question: str) -> list[Hit]:
        found = [  # the cosine of two unit vectors, from their squared distance
            (passages[str(document.id)], 1 - distance / 2)
            for document, distance in store.similarity_search_with_score(question, k=count)
        ]
        return [Hit(at, near, passage, near, 0.0) for at, (passage, near) in enumerate(found, 1)]

    def one(question: str) -> None:
        hits = counting.timed("search", find, question)
        counting.timed("draft", drafter.draft, one_message(question), question, hits)

    return one


def our_way(desk: Desk) -> tuple[Callable[[str], object], list[str]]:
    """Return what carries a question to its pause, and the contacts that it opened."""
    opened: list[str] = []
    actor = ensure_people(desk)["admin"]

    def one(question: str) -> None:
        new = NewContact("email", [NewMessage("customer", question)])
        opened.append(desk.contacts.open(actor, new))
        desk.contacts.wait_for_draft(opened[-1])

    return one, opened


def measured(
    desk: Desk, counting: Counting, questions: list[str], count: int
) -> tuple[dict[str, Spent], list[int]]:
    """Return what the questions take each way, and which of them paused with a draft.

    Floor and ours take turns, question by question: what else the machine does slows both.
    """
    plain, (our, opened) = plain_way(desk, counting, count), our_way(desk)
    for one in (plain, our):
        one("Hello, is anybody there?")  # loads the models
    opened.clear()
    spent = {name: Spent(counting) for name in ("floor", "first", "again")}
    for question in questions:
        spent["floor"].add(partial(plain, question))
        spent["first"].add(partial(our, question))
    for question in questions:
        spent["again"].add(partial(our, question))
    actor = ensure_people(desk)["admin"]
    states = [desk.contacts.get(actor, one).summary.status for one in opened[: len(questions)]]
    return spent, [at for at, state in enumerate(states) if state == "in_review"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), workspace=options.workspace, _env_file=None)
        with opened(settings, inline=True) as desk:
            counting = count_in(desk)
            desk.sync()
            questions = questions_of(desk, options.questions)
            spent, paused = measured(desk, counting, questions, settings.passages_per_draft)
    # One that goes to a person at once is no measure: it is never drafted.
    plain_ms, first_ms, again_ms = (one.median_ms(paused) for one in spent.values())
    result = {
        "questions": len(questions),
        "paused": len(paused),
        "floor_ms": round(plain_ms, 1),
        "ours_first_ms": round(first_ms, 1),
        "ours_again_ms": round(again_ms, 1),
        "ratio_first": round(first_ms / plain_ms, 2),
        "ratio_again": round(again_ms / plain_ms, 2),
        "memory_mb": round(resident_megabytes()),
    }
    if options.json:
        parts = {name: one.means | one.counts for name, one in spent.items()}
        print(json.dumps(result | {"mean_a_contact": parts}))
        return
    print(table(list(result.items())), end="\n\n")
    rows: list[tuple[str, ...]] = [("mean a contact", *spent)]
    for step in (*STEPS, "the rest"):
        means = (one.means.get(step, 0.0) for one in spent.values())
        rows.append((f"{step} (ms)", *(f"{mean:.1f}" for mean in means)))
    for what in COUNTS:
        rows.append((what, *(f"{one.counts[what]:.1f}" for one in spent.values())))
    print(table(rows))


if __name__ == "__main__":
    main()
