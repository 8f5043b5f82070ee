"""Asks a real small model real questions and counts the inventions that pass the check unnoticed.

Every sentence of every reply is judged, also of replies the drafter refused. A sentence counts as
an invention when a number, date, amount or name in it is nowhere in the passages it cites: a rule
of this bench's own, which the check knows nothing of. That finds no invention made of the sources' own
words, so every sentence that passed is printed at the end beside the words it was held against: read
them. Needs ``tests/model/requirements.txt`` and the shared help centers::

    python -m bench.model_inventions --questions 50 --seed 7
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.utils.json import parse_partial_json
from rapidfuzz.fuzz import ratio, token_set_ratio

from core.clock import SystemClock
from core.identifiers import text_digest
from graph.check import EvidenceChecker
from graph.draft import cite_whole
from graph.extractive import ExtractiveDrafter
from graph.model_draft import ModelDrafter, load_model
from graph.values import Draft, Sentence, one_message
from kb.content import Passage
from kb.passages import cut
from kb.sentences import split_sentences
from retrieval.embeddings import MiniLmEmbedder
from retrieval.ports import Hit
from tests.model.local_server import local_model, missing_packages

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "policy-changes"
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
    )
}
_FACT = re.compile(r"[$€£]?\d[\d.,:/-]*\d%?|[$€£]?\d%?|[^\W\d_][\w’'-]*")
_PLAIN_CAPITALS = frozenset(("i", "i'm", "yes", "no", "ok"))


def facts_in(text: str) -> list[str]:
    """Return the numbers, dates, amounts and names of ``text``, folded."""
    found: list[str] = []
    starts = True
    for match in _FACT.finditer(text):
        word = match.group()
        folded = word.casefold().strip(".,:/-").removesuffix("'s").removesuffix("’s")
        if folded in _NUMBER_WORDS and folded not in ("one", "zero"):
            found.append(_NUMBER_WORDS[folded])
        elif any(c.isdigit() for c in word) or (
            word[0].isupper() and not starts and folded not in _PLAIN_CAPITALS
        ):
            found.append(folded)
        starts = text[match.end() : match.end() + 2].strip()[:1] in {".", "!", "?", ":"}
    return found


def unsupported(text: str, passages: Iterable[Passage]) -> list[str]:
    """Return the facts of ``text`` that none of ``passages`` has, title and headings included."""
    source = " ".join(f"{p.context} {p.plain} {p.text}" for p in passages).casefold()
    known = set(re.findall(r"[$€£]?\w[\w.,:/%’'-]*", source))
    known |= {word.strip(".,:/-").removesuffix("'s").removesuffix("’s") for word in known}
    known |= {word.lstrip("$€£") for word in known} | {word.rstrip("%") for word in known}
    known |= set(re.findall(r"\w+", source)) | {_NUMBER_WORDS.get(word, word) for word in known}
    known |= {re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", word) for word in known}
    return [fact for fact in facts_in(text) if fact not in known]


class _Recording(ModelDrafter):
    """Keeps every reply, used or not."""

    replies: list[Mapping[str, Any]]

    def _ask(self, messages: Any, on_text: Any) -> Any:
        reply = super()._ask(messages, on_text)
        try:
            data = parse_partial_json(reply.raw)  # a reply that was cut off has sentences too
        except ValueError:
            data = None
        self.replies.append(data if isinstance(data, dict) else reply.data)
        return reply


def _passages(row: Mapping[str, Any]) -> list[Passage]:
    body = (DATA / row["new_article"]).read_text(encoding="utf-8")
    now = SystemClock().now()
    return [
        Passage(
            id=f"{row['id']}#{ordinal}",
            kind="article",
            article_id=row["article"],
            version_id=row["id"],
            version=1,
            title=row["title"],
            anchor=piece.anchor,
            heading_path=piece.heading_path,
            start=piece.start,
            end=piece.end,
            text=piece.text,
            plain=piece.plain,
            content_hash=text_digest(piece.plain),
            effective_from=now,
        )
        for ordinal, piece in enumerate(cut(body, title=row["title"]))
    ]


def _nearest(
    question: str, passages: Sequence[Passage], embedder: MiniLmEmbedder, count: int
) -> list[Hit]:
    vectors = embedder.embed([question, *(f"{p.context}\n{p.plain}" for p in passages)])
    cosines = [float(x) for x in vectors[1:] @ vectors[0]]
    order = sorted(range(len(passages)), key=lambda i: -cosines[i])[:count]
    return [Hit(rank, 0.5, passages[i], cosines[i], 1.0) for rank, i in enumerate(order, start=1)]


def _sentences(replies: Iterable[Mapping[str, Any]], hits: Sequence[Hit]) -> list[Sentence]:
    """Return every sentence of every reply, cited as the model cited it.

    One without a valid citation is taken to cite all passages, so that the check has to judge it.
    """
    said: dict[str, Sentence] = {}
    for reply in replies:
        items = reply.get("sentences")
        for item in items if isinstance(items, list) else []:
            text = item.get("text") if isinstance(item, dict) else None
            if not isinstance(text, str) or not text.strip():
                continue
            named = item.get("passages")
            numbers = [n for n in named if isinstance(n, int)] if isinstance(named, list) else []
            valid = [n for n in numbers if 1 <= n <= len(hits)] or list(range(1, len(hits) + 1))
            citations = [cite_whole(hits[n - 1].passage) for n in valid]
            for start, end in split_sentences(text):
                sentence: Sentence = {"text": text[start:end], "citations": citations}
                said.setdefault(json.dumps([text[start:end], valid]), sentence)
    return list(said.values())


def _beside(row: Mapping[str, Any], text: str, cited: Sequence[Passage]) -> str:
    """Return a sentence and the sentences of its sources around the one that shares most with it."""
    best, around = -1.0, ""
    for passage in cited:
        said = [passage.plain[start:end] for start, end in split_sentences(passage.plain)]
        for place, other in enumerate(said):
            alike = token_set_ratio(text.casefold(), other.casefold()) + 0.1 * ratio(text, other)
            if alike > best:
                near = " ".join(said[max(0, place - 1) : place + 2])
                best, around = alike, f"{passage.context} | {near}"
    return f"\n{row['id']}  {row['question']}\n  says:   {text}\n  source: {around}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run; exit code 1 when an invention passed the check."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--questions", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--passages", type=int, default=3)
    options = arguments.parse_args(argv)
    if missing_packages() or not DATA.is_dir():
        print("needs tests/model/requirements.txt and ../shared/data", file=sys.stderr)
        return 2
    lines = (DATA / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    rows = random.Random(options.seed).sample(
        [json.loads(line) for line in lines], options.questions
    )
    embedder = MiniLmEmbedder()
    checker = EvidenceChecker(embedder)
    total = flagged = invented = missed = usable = abstained = 0
    passed: list[str] = []
    with local_model(repeat_penalty=1.15) as url:
        model = load_model("openai:local", url, 90.0, longest_reply=160)
        for row in rows:
            hits = _nearest(row["question"], _passages(row), embedder, options.passages)
            drafter = _Recording("openai:local", url, 90.0, ExtractiveDrafter(embedder), model)
            drafter.replies = []
            draft, problem = drafter.attempt(one_message(row["question"]), row["question"], hits)
            usable += draft is not None
            abstained += draft is not None and draft["kind"] == "abstain"
            sentences = _sentences(drafter.replies, hits)
            whole: Draft = {
                "kind": "answer", "opening": "", "sentences": sentences, "closing": "",
                "drafter": "model:local", "note": "",
            }  # fmt: skip
            known = {hit.passage.id: hit.passage for hit in hits}
            report = checker.check(whole, known, {row["id"]})
            marks = {finding["sentence"]: finding for finding in report["findings"]}
            print(
                f"\n{row['id']}  {row['question']}" + (f"  [refused: {problem}]" if problem else "")
            )
            for index, sentence in enumerate(sentences):
                cited = [known[c["passage_id"]] for c in sentence["citations"]]
                wrong = unsupported(sentence["text"], cited)
                total += 1
                flagged += index in marks
                invented += bool(wrong)
                missed += bool(wrong) and index not in marks
                state = f"flagged {marks[index]['rule']}" if index in marks else "PASSED"
                if wrong:
                    state += f" INVENTED {wrong}"
                print(f"  [{state}] {sentence['text']}")
                if index in marks:
                    print(f"      {marks[index]['message']}")
                else:
                    passed.append(_beside(row, sentence["text"], cited))
    print(f"\nThe {len(passed)} sentences that passed, each beside its source:")
    print("\n".join(passed))
    print(
        f"\n{len(rows)} questions, {usable} usable replies ({abstained} abstentions), {total} sentences, "
        f"{flagged} flagged, {total - flagged} passed; {invented} sentences with invented facts, "
        f"{missed} of them passed"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
