"""The index deleted under load, and its writer killed in the middle: SQL brings it back.

    python -m bench.index_loss ../shared/data/helpcenter-basecamp-policies --kills 100 --deletions 20

The reference is an exact search over the embeddings in SQL. First the folder of the Chroma index is
deleted again and again while threads search and syncs write into it; then processes that do nothing
but empty, fill and thin out the index are killed, half of them at a random moment and half before or
after a random call. Whoever comes next opens the same home and must find the same ten passages:
after each kill for some of the questions, at the end for all.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import shutil
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from bench import warm
from bench._measure import table
from bench.fleet import KillPoint, homes
from core.settings import Settings
from desk.bootstrap import Desk, open_desk, opened
from retrieval.search import SearchService
from retrieval.vector_index import ChromaIndex, ExactIndex

BEST: Final = 10
SOME: Final = 20
LONGEST_SECONDS: Final = 2.0
"""How long a writer works that does not come to the call at which it is to die."""
READERS: Final = 2
FILLER: Final = "filler"
PLACES: Final = (
    ("retrieval.vector_index:ChromaIndex", "add"),
    ("retrieval.vector_index:ChromaIndex", "remove"),
    ("retrieval.vector_index:ChromaIndex", "clear"),
    ("retrieval.vector_index:ChromaIndex", "ids"),
    ("retrieval.vector_index:ChromaIndex", "_collection"),
    ("shutil", "rmtree"),
)

Found = dict[str, list[str]]
"""Question → ids of the best passages."""


def ask(search: SearchService, questions: Sequence[str]) -> Found:
    """Return what each question finds, best first, without the article that syncs bring and take."""
    found = {}
    for question in questions:
        hits = search.search(question, BEST + 5)
        ids = [hit.passage.id for hit in hits if FILLER not in hit.passage.article_id]
        found[question] = ids[:BEST]
    return found


def questions_of(desk: Desk, count: int) -> list[str]:
    """Return questions made of headings and, where these are too few, of how passages begin."""
    passages = list(desk.library.passages_in_force())
    headings = dict.fromkeys(one.heading_path[-1] for one in passages if one.heading_path)
    asked = [f"Can you tell me about {heading}?" for heading in headings]
    begun = [" ".join(one.plain.split()[:9]) for one in passages]
    asked += [f"What about this: {words}?" for words in dict.fromkeys(begun)]
    some = asked if len(asked) <= count else random.Random(1).sample(asked, count)
    return some[:count]


def by_sql(desk: Desk, questions: Sequence[str]) -> Found:
    """Return what an exact search over the embeddings in SQL finds."""
    exact = SearchService(
        database=desk.database,
        library=desk.library,
        embedder=desk.embedder,
        vectors=ExactIndex(desk.embedder.dimensions),
        clock=desk.clock,
    )
    return ask(exact, questions)


def delete_under_load(desk: Desk, reference: Found, times: int, faults: list[str]) -> int:
    """Delete the index while threads search and syncs write; return how many searches there were."""
    article = desk.settings.workspace_folder / "articles" / f"{FILLER}.md"
    article.write_text("# Marsupials\n\nThe quokka eats the leaves of acacia.\n")
    desk.sync()
    # One more passage makes every word a little rarer, which may turn round what is nearly even.
    either = (reference, by_sql(desk, list(reference)))
    done = threading.Event()
    searches: Counter[str] = Counter()

    def read(seed: int) -> None:
        chance, questions = random.Random(seed), list(reference)
        while not done.is_set():
            question = chance.choice(questions)
            try:
                found = ask(desk.search, [question])[question]
            except Exception as error:
                faults.append(f"a search failed with {type(error).__name__}: {error}")
                continue
            searches["all"] += 1
            if all(found != known[question] for known in either):
                faults.append(f"{question!r} found something else under load")

    readers = [threading.Thread(target=read, args=(seed,)) for seed in range(READERS)]
    for reader in readers:
        reader.start()
    text, chance = article.read_text(), random.Random(2)
    for _ in range(times):
        if article.exists():
            article.unlink()
        else:
            article.write_text(text)
        folder = desk.settings.home / "chroma"
        deleting = threading.Timer(chance.uniform(0, 0.5), shutil.rmtree, (folder, True))
        deleting.start()
        desk.sync()
        deleting.join()
    done.set()
    for reader in readers:
        reader.join()
    article.unlink(missing_ok=True)
    desk.sync()
    return searches["all"]


def write_for_ever(desk: Desk) -> None:
    """Empty, thin out and fill the index until somebody ends this process."""
    chance = random.Random()
    search, index = desk.search, desk.search._vectors
    while True:
        if chance.random() < 0.5:
            index.clear()
        else:
            held = sorted(index.ids())
            index.remove(chance.sample(held, len(held) // 2))
        search._checked = False
        search._in_force = {}
        search.refresh()


def live(
    values: dict[str, Any], pipe: Connection, dies_at: KillPoint | None, questions: list[str]
) -> None:
    """Open the home, tell what the index finds, and write until the end."""
    warnings.simplefilter("ignore")
    desk = open_desk(Settings(**values, _env_file=None), lock_seconds=30)
    warm.share_with(desk)
    if not isinstance(desk.search._vectors, ChromaIndex):
        raise TypeError("this process does not own the index")
    pipe.send(ask(desk.search, questions))
    if dies_at:
        dies_at.arm()
    write_for_ever(desk)


def kill_writers(
    settings: Settings, reference: Found, times: int, chance: random.Random, faults: list[str]
) -> Counter[str]:
    """Kill writers one after the other; return where."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.index_loss", "bench.warm", "chromadb", "tantivy"])
    at: Counter[str] = Counter()
    for number in range(times + 1):
        last = number == times
        questions = list(reference) if last else chance.sample(list(reference), SOME)
        place = KillPoint(*chance.choice(PLACES), chance.random() < 0.5, chance.randint(1, 3))
        dies_at = None if chance.random() < 0.5 else place
        mine, its = context.Pipe()
        values = settings.model_dump()
        victim = context.Process(target=live, args=(values, its, dies_at, questions), daemon=True)
        victim.start()
        its.close()
        try:
            found = mine.recv()
        except EOFError:
            faults.append(f"after {number} kills the index could not be opened")
            found = {}
        wrong = [question for question in found if found[question] != reference[question]]
        faults += [f"after {number} kills {one!r} found something else" for one in wrong]
        if not last:
            moment = LONGEST_SECONDS if dies_at else chance.uniform(0, LONGEST_SECONDS)
            victim.join(moment)
            at[str(dies_at) if dies_at and victim.exitcode else "at a random moment"] += 1
        victim.kill()
        victim.join()
        mine.close()
    return at


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--deletions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", file=sys.stderr)
    faults: list[str] = []
    with homes("sqlite") as make:
        settings = make()
        workspace = settings.home.parent / "help-center"
        documents = options.workspace / "docs"
        documents = documents if documents.is_dir() else options.workspace
        shutil.copytree(documents, workspace / "articles")
        settings = settings.model_copy(update={"workspace": workspace})
        began = time.monotonic()
        with opened(settings, inline=True) as desk:
            desk.sync()
            questions = questions_of(desk, options.queries)
            reference = by_sql(desk, questions)
            if ask(desk.search, questions) != reference:
                faults.append("the index finds something else than SQL before anything was lost")
            passages = len(desk.library.in_force_passage_ids())
            searches = delete_under_load(desk, reference, options.deletions, faults)
            if ask(desk.search, questions) != reference:
                faults.append("the index finds something else after it was deleted")
        deleted = time.monotonic() - began
        chance = random.Random(options.seed)
        at = kill_writers(settings, reference, options.kills, chance, faults)
    figures: dict[str, Any] = {
        "passages": passages,
        "queries": len(questions),
        "deletions": options.deletions,
        "searches meanwhile": searches,
        "seconds of deletions": round(deleted),
        "kills": sum(at.values()),
        "places of kills": dict(at.most_common()),
        "seconds of kills": round(time.monotonic() - began - deleted),
        "faults": len(faults),
    }
    print(json.dumps(figures) if options.json else table(list(figures.items())))
    for fault in faults[:20]:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
