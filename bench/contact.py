"""One contact to its pause, against plain LangChain retrieval with the same drafter.

    python -m bench.contact ../shared/data/helpcenter-letsencrypt --questions 40

The floor embeds the question, asks LangChain's Chroma store for the same number of passages and has
the same drafter write, with the embedding model as it is. Ours classifies, triages, searches both ways, drafts, checks every sentence,
checkpoints every node and writes contact, review and audit trail. It does so twice: first with
articles that no customer has asked about since the desk started, then with the same questions
again, when the vectors of what it read are in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

from bench._measure import AsLangChain, median_seconds, resident_megabytes, table
from core.settings import Settings
from desk.bootstrap import Desk, opened
from desk.contacts import NewContact, NewMessage
from desk.sample import ensure_people
from graph.extractive import ExtractiveDrafter
from graph.values import Conversation
from retrieval.ports import Hit


def questions_of(desk: Desk, count: int) -> list[str]:
    """Return questions made of headings that stand in the help center."""
    seen: dict[str, None] = {}
    for passage in desk.library.passages_in_force():
        if passage.heading_path:
            seen.setdefault(f"Can you tell me about {passage.heading_path[-1]}?")
        if len(seen) >= count:
            break
    return list(seen)


def floor(desk: Desk, questions: list[str], count: int) -> float:
    """Return the median seconds of plain retrieval and drafting."""
    from langchain_chroma import Chroma

    passages = {passage.id: passage for passage in desk.library.passages_in_force()}
    store = Chroma(collection_name="floor", embedding_function=AsLangChain(desk.embedder))
    ids = list(passages)
    for start in range(0, len(ids), 1000):
        some = ids[start : start + 1000]
        store.add_texts([passages[i].plain for i in some], ids=some)
    drafter = ExtractiveDrafter(desk.embedder, desk.library)

    def one(number: int) -> None:
        question = questions[number]
        found = store.similarity_search_with_relevance_scores(question, k=count)
        hits = [
            Hit(rank, score, passages[str(document.id)], score, 0.0)
            for rank, (document, score) in enumerate(found, start=1)
        ]
        drafter.draft(_conversation(question), question, hits)

    one(0)
    return median_seconds(one, len(questions))


def ours(desk: Desk, questions: list[str]) -> tuple[float, float]:
    """Return the median seconds from an opened contact to its paused review, first and again."""
    actor = ensure_people(desk)["admin"]

    def one(number: int) -> None:
        new = NewContact("email", [NewMessage("customer", questions[number])])
        desk.contacts.wait_for_draft(desk.contacts.open(actor, new))

    new = NewContact("email", [NewMessage("customer", "Hello, is anybody there?")])
    desk.contacts.wait_for_draft(desk.contacts.open(actor, new))  # loads the models
    return median_seconds(one, len(questions)), median_seconds(one, len(questions))


def _conversation(question: str) -> Conversation:
    return {
        "contact_id": "floor",
        "channel": "email",
        "subject": "",
        "customer": {"status": "standard", "sla_due_in_minutes": None, "name": "", "fields": {}},
        "turns": [{"id": "m", "speaker": "customer", "text": question, "at": ""}],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), workspace=options.workspace, _env_file=None)
        with opened(settings, inline=True) as desk:
            desk.sync()
            questions = questions_of(desk, options.questions)
            plain = floor(desk, questions, settings.passages_per_draft)
            first, again = ours(desk, questions)
    result = {
        "questions": len(questions),
        "floor_ms": round(plain * 1000, 1),
        "ours_first_ms": round(first * 1000, 1),
        "ours_again_ms": round(again * 1000, 1),
        "ratio_first": round(first / plain, 2),
        "ratio_again": round(again / plain, 2),
        "memory_mb": round(resident_megabytes()),
    }
    print(json.dumps(result) if options.json else table(list(result.items())))


if __name__ == "__main__":
    main()
