"""Measures search on real questions to real articles, beside what simpler search would find.

::

    python -m bench.retrieval ../shared/data/policy-changes [--json] [--home DIR]

The folder holds ``pairs.jsonl`` (``question``, ``new_passage``, ``new_article``, ``corpus``,
``changed``) and the articles that it names. All distinct new articles are synced together as one
help center, many of them versions of one document, and every question is asked. A result is a hit
when its words are those of ``new_passage``, contain them, or are at least 90 % the same; *exact*
leaves out the last kind, so that another version of the right paragraph is a miss. ``--home`` keeps
the database, and with it the embeddings, for the next run.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from rapidfuzz import fuzz

from core.clock import SystemClock
from core.database import Base, Database
from kb.content import Passage
from kb.library import Library
from kb.markup import plain_text
from kb.sync import Sync
from kb.workspace import Workspace
from retrieval.embedding_store import EmbeddingStore
from retrieval.embeddings import load_embedder
from retrieval.lexical import TantivyIndex
from retrieval.search import SearchService, newest_of_each_text
from retrieval.vector_index import ExactIndex

DEPTH: Final = 20  # ranks looked at
RRF_K: Final = 10
ALIKE: Final = 90  # percent

Ranking = Callable[[str], list[Passage]]


@dataclass(frozen=True)
class Case:
    """A question, the passage that answers it, and where the question comes from."""

    question: str
    passage: str
    corpus: str
    changed: bool


@dataclass(frozen=True)
class Score:
    """Shares of questions, 0..1, and the mean reciprocal rank within 20 results."""

    questions: int
    hit_at_1: float
    hit_at_5: float
    mrr: float
    exact_at_1: float
    exact_at_5: float


@dataclass(frozen=True)
class Measured:
    """One way to search: its scores in all and by group, and the median time of a question."""

    overall: Score
    groups: dict[str, Score]
    milliseconds: float


def folded(text: str) -> str:
    """Return the letters and digits of ``text``, lower case, single spaces."""
    return re.sub(r"[\W_]+", " ", text).casefold().strip()


def is_exact(found: Passage, wanted: str) -> bool:
    """Whether ``found`` is the passage ``wanted`` (Markdown) or holds it.

    A wanted passage may begin with its heading, which a stored passage has beside its words.
    """
    plain, marked = folded(plain_text(wanted)), folded(wanted)
    if folded(found.text) == marked:
        return True
    words = folded(found.plain)
    if plain and plain in words:
        return True
    return bool(words) and plain.endswith(words) and len(words) >= 0.6 * len(plain)


def is_hit(found: Passage, wanted: str) -> bool:
    """Whether ``found`` is ``wanted``, holds it, or is nearly the same."""
    alike = fuzz.ratio(folded(found.plain), folded(plain_text(wanted)))
    return alike >= ALIKE or is_exact(found, wanted)


def score(ranks: Sequence[tuple[int | None, int | None]]) -> Score:
    """Return the score of ``(rank of the first hit, rank of the first exact one)`` per question."""

    def share(which: int, depth: int) -> float:
        within = [rank for pair in ranks if (rank := pair[which]) is not None and rank <= depth]
        return len(within) / max(1, len(ranks))

    reciprocal = sum(1 / rank for rank, _ in ranks if rank is not None)
    return Score(
        len(ranks),
        share(0, 1),
        share(0, 5),
        reciprocal / max(1, len(ranks)),
        share(1, 1),
        share(1, 5),
    )


def measure(cases: Sequence[Case], search: Ranking) -> Measured:
    """Ask every question once, after one that does not count."""
    search(cases[0].question)
    ranks: list[tuple[int | None, int | None]] = []
    times: list[float] = []
    for case in cases:
        began = time.perf_counter()
        found = search(case.question)[:DEPTH]
        times.append((time.perf_counter() - began) * 1000)
        ranks.append(
            (
                _first(found, case.passage, is_hit),
                _first(found, case.passage, is_exact),
            )
        )
    groups = {
        corpus: score(
            [rank for rank, case in zip(ranks, cases, strict=True) if case.corpus == corpus]
        )
        for corpus in sorted({case.corpus for case in cases})
    }
    groups["changed"] = score(
        [rank for rank, case in zip(ranks, cases, strict=True) if case.changed]
    )
    return Measured(score(ranks), groups, median(times))


def _first(
    found: Sequence[Passage], wanted: str, test: Callable[[Passage, str], bool]
) -> int | None:
    return next((rank for rank, one in enumerate(found, 1) if test(one, wanted)), None)


def evaluate(
    data: Path, home: Path, on_progress: Callable[[int, int], None] | None = None
) -> dict[str, Measured]:
    """Return what search and three simpler ways find, by name.

    Args:
        data: Folder with ``pairs.jsonl`` and its articles.
        home: Folder for the database; kept embeddings are used again.
        on_progress: Called with the number of texts embedded and to be embedded.
    """
    cases, articles = read_cases(data)
    with help_center(articles, home) as (database, library):
        embedder = load_embedder()
        service = SearchService(
            database, library, embedder, ExactIndex(embedder.dimensions), SystemClock()
        )
        service.refresh(on_progress)
        passages = newest_of_each_text(library.passages_in_force())
        lexical, dense = bare_indexes(database, passages)

        def bm25(question: str) -> list[Passage]:
            return [passages[key] for key, _ in lexical.best(question, DEPTH)]

        def minilm(question: str) -> list[Passage]:
            vector = embedder.embed([question])[0]
            return [passages[key] for key, _ in dense.nearest(vector, DEPTH)]

        def fused(question: str) -> list[Passage]:
            lists = [
                [key for key, _ in lexical.best(question, 100)],
                [key for key, _ in dense.nearest(embedder.embed([question])[0], 100)],
            ]
            return [passages[key] for key in reciprocal_rank_fusion(lists)]

        def ours(question: str) -> list[Passage]:
            return [hit.passage for hit in service.search(question, DEPTH)]

        ways = {"bm25": bm25, "minilm": minilm, "rrf": fused, "proofdesk": ours}
        return {name: measure(cases, search) for name, search in ways.items()}


def read_cases(data: Path) -> tuple[list[Case], list[Path]]:
    """Return the cases of ``data`` and the distinct articles that answer them."""
    rows = [json.loads(line) for line in (data / "pairs.jsonl").read_text().splitlines() if line]
    cases = [
        Case(row["question"], row["new_passage"], row["corpus"], row["changed"]) for row in rows
    ]
    return cases, [data / name for name in sorted({row["new_article"] for row in rows})]


@contextmanager
def help_center(articles: Sequence[Path], home: Path) -> Iterator[tuple[Database, Library]]:
    """Sync copies of ``articles`` as one help center into ``home``."""
    folder = home / "workspace" / "articles"
    folder.mkdir(parents=True, exist_ok=True)
    for article in articles:
        shutil.copy(article, folder / article.name)
    database = Database(f"sqlite:///{home / 'bench.sqlite'}")
    Base.metadata.create_all(database.engine)
    clock = SystemClock()
    Sync(database, clock).run(Workspace.load(home / "workspace"))
    yield database, Library(database, clock)
    database.close()


def bare_indexes(
    database: Database, passages: dict[str, Passage]
) -> tuple[TantivyIndex, ExactIndex]:
    """Return BM25 and vectors of the passages' own words, without title, headings or sentences."""
    embedder = load_embedder()
    texts = [passage.plain for passage in passages.values()]
    store = EmbeddingStore(database, embedder)
    store.ensure(texts)
    dense = ExactIndex(embedder.dimensions)
    dense.add(list(passages), store.vectors(texts))
    lexical = TantivyIndex()
    lexical.replace((), passages.values())
    return lexical, dense


def reciprocal_rank_fusion(lists: Sequence[Sequence[str]]) -> list[str]:
    """Return every key, best first, by the sum of ``1 / (10 + rank)`` over ``lists``."""
    total: dict[str, float] = {}
    for keys in lists:
        for rank, key in enumerate(keys, 1):
            total[key] = total.get(key, 0.0) + 1 / (RRF_K + rank)
    return sorted(total, key=lambda key: -total[key])


def as_text(found: dict[str, Measured]) -> str:
    """Return the figures as a table, one line a way and group."""
    lines = [
        f"{'':32}{'n':>5}{'hit@1':>8}{'hit@5':>8}{'MRR':>8}{'exact@1':>9}{'exact@5':>9}{'ms':>8}"
    ]
    for name, measured in found.items():
        for group, one in {"": measured.overall, **measured.groups}.items():
            label = f"  {group}" if group else name
            spent = "" if group else f"{measured.milliseconds:8.1f}"
            lines.append(
                f"{label:32}{one.questions:5}{one.hit_at_1:8.3f}{one.hit_at_5:8.3f}{one.mrr:8.3f}"
                f"{one.exact_at_1:9.3f}{one.exact_at_5:9.3f}{spent}"
            )
    lines.append(f"time of proofdesk / (bm25 + minilm): {latency_ratio(found):.2f}")
    return "\n".join(lines)


def latency_ratio(found: dict[str, Measured]) -> float:
    """Return the median time of a question over that of bare BM25 and bare vectors together."""
    bare = found["bm25"].milliseconds + found["minilm"].milliseconds
    return found["proofdesk"].milliseconds / bare


def main(arguments: Sequence[str]) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Measure search on questions with known answers.")
    parser.add_argument("data", type=Path, help="folder with pairs.jsonl and articles")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--home", type=Path, help="keep database and embeddings here")
    options = parser.parse_args(arguments)
    if not (options.data / "pairs.jsonl").is_file():
        print(f"{options.data}: there is no pairs.jsonl in it", file=sys.stderr)
        return 2

    def report(done: int, total: int) -> None:
        print(f"\rembedding {done}/{total}", end="", file=sys.stderr)

    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary)
        home.mkdir(parents=True, exist_ok=True)
        found = evaluate(options.data, home, report)
    print(file=sys.stderr)
    if options.json:
        figures: dict[str, Any] = {name: asdict(measured) for name, measured in found.items()}
        print(json.dumps({**figures, "latency_ratio": latency_ratio(found)}, indent=1))
    else:
        print(as_text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
