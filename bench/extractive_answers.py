"""Measures the extractive drafter on real questions: does it answer, with the right facts, or abstain?

Each question of ``../shared/data/policy-changes`` is asked against the passages of its own help
center (the article as it is after the edit, the others at their latest) and against every other
help center, where it should mostly abstain. Weights and limits of ``graph.selection`` were chosen
on the first two corpora; the other two verify them::

    python -m bench.extractive_answers
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.model_inventions import facts_in
from core.identifiers import text_digest
from graph.extractive import ExtractiveDrafter
from graph.ports import Sources
from graph.values import Draft, one_message
from kb.content import Passage
from kb.passages import cut
from retrieval.embeddings import MiniLmEmbedder
from retrieval.ports import Embedder, Hit, Vectors

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "policy-changes"
TUNED = ("basecamp/policies", "travis-ci/docs-travis-ci-com")
_UNANSWERED = re.compile(
    r"not (?:stated|addressed|mentioned|covered|listed|specified)|no longer (?:stated|addressed|mentioned|"
    r"listed|covered|described|named|said|given|included)|are no longer listed|unstated|unspecified",
    re.I,
)


class _Remembering:
    """An embedder that embeds no text twice."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self._known: dict[str, Vectors] = {}
        self.name = inner.name
        self.dimensions = inner.dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._inner.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


class _Articles(Sources):
    """Cuts articles and finds their passages again."""

    def __init__(self) -> None:
        self._cut: dict[str, list[Passage]] = {}

    def of(self, row: Mapping[str, Any]) -> list[Passage]:
        blob = row["new_article"]
        if blob not in self._cut:
            body = (DATA / blob).read_text(encoding="utf-8")
            now = datetime(2026, 1, 1, tzinfo=UTC)
            self._cut[blob] = [
                Passage(
                    f"{blob}#{n}",
                    "article",
                    f"{row['corpus']}/{row['article']}",
                    blob,
                    1,
                    row["title"],
                    p.anchor,
                    p.heading_path,
                    p.start,
                    p.end,
                    p.text,
                    p.plain,
                    text_digest(p.plain),
                    now,
                )
                for n, p in enumerate(cut(body, title=row["title"]))
            ]
        return self._cut[blob]

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        return {p.id: p for passages in self._cut.values() for p in passages if p.id in ids}

    def versions_in_force(self, article_ids: Sequence[str]) -> dict[str, str]:
        return {}

    def passages_of_version(self, version_id: str) -> list[Passage]:
        return self._cut.get(version_id, [])


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


@lru_cache(maxsize=20_000)
def _counted(text: str) -> Counter[str]:
    return Counter(_tokens(text))


def search(
    question: str, passages: Sequence[Passage], embedder: Embedder, count: int = 8
) -> list[Hit]:
    """Return the nearest passages by reciprocal rank over cosine and BM25."""
    texts = [f"{p.context}\n{p.plain}" for p in passages]
    cosines = embedder.embed(texts) @ embedder.embed([question])[0]
    counts = [_counted(text) for text in texts]
    spread = Counter(word for found in counts for word in found)
    mean = sum(map(Counter.total, counts)) / len(counts)
    lexical = np.zeros(len(counts))
    for word in set(_tokens(question)):
        rarity = math.log(1 + (len(counts) - spread[word] + 0.5) / (spread[word] + 0.5))
        for row, found in enumerate(counts):
            if found[word]:
                length = 1.2 * (0.25 + 0.75 * found.total() / mean)
                lexical[row] += rarity * found[word] * 2.2 / (found[word] + length)
    ranks = 1 / (10 + np.argsort(np.argsort(-cosines))) + 1 / (
        10 + np.argsort(np.argsort(-lexical))
    )
    hits: list[Hit] = []
    seen: set[str] = set()
    for at in np.argsort(-ranks, kind="stable"):
        if passages[at].plain not in seen and len(hits) < count:
            seen.add(passages[at].plain)
            score = float(ranks[at] * 5)
            hits.append(
                Hit(len(hits) + 1, score, passages[at], float(cosines[at]), float(lexical[at]))
            )
    return hits


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


def _right(row: Mapping[str, Any], passages: Iterable[Passage]) -> set[str]:
    edited = _letters(row["new_passage"])
    return {
        p.id
        for p in passages
        if p.version_id == row["new_article"]
        and len(_letters(p.text)) > 15
        and (_letters(p.text) in edited or edited in _letters(p.text))
    }


def _body(draft: Draft) -> str:
    return " ".join(sentence["text"] for sentence in draft["sentences"])


def _tells(answer: str, text: str) -> bool:
    told = set(_tokens(text)) | set(facts_in(f"x {text}"))
    return all(fact in told or fact in text.casefold() for fact in facts_in(f"x {answer}"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print one line a group of corpora."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args(argv)
    if not DATA.is_dir():
        print("needs ../shared/data", file=sys.stderr)
        return 2
    lines = (DATA / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if not _UNANSWERED.search(row["new_answer"])]
    articles, embedder = _Articles(), _Remembering(MiniLmEmbedder())
    latest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda r: r["date"]):
        latest[row["corpus"], row["article"]] = row
    drafter = ExtractiveDrafter(embedder, articles)
    corpora = sorted({row["corpus"] for row in rows})

    def pool(corpus: str, row: Mapping[str, Any] | None = None) -> list[Passage]:
        found: list[Passage] = []
        for (owner, path), newest in latest.items():
            if owner == corpus:
                own = row is not None and path == row["article"]
                found += articles.of(row if row is not None and own else newest)
        return found

    elsewhere = {corpus: pool(corpus) for corpus in corpora}
    figures: dict[str, dict[str, float]] = {}
    for name, group in (
        ("tuned on", TUNED),
        ("verified on", tuple(c for c in corpora if c not in TUNED)),
    ):
        count: Counter[str] = Counter()
        for row in (row for row in rows if row["corpus"] in group):
            passages = pool(row["corpus"], row)
            hits = search(row["question"], passages, embedder)
            right = _right(row, passages)
            if right & {hit.passage.id for hit in hits}:
                draft = drafter.draft(one_message(row["question"]), row["question"], hits)
                count["right passage found"] += 1
                if draft["kind"] == "answer":
                    count["answered"] += 1
                    cited = {c["passage_id"] for s in draft["sentences"] for c in s["citations"]}
                    count["cites the right passage"] += bool(cited & right)
                    count["words"] += len(_body(draft).split())
                    if facts_in(f"x {row['new_answer']}"):
                        count["with facts"] += 1
                        count["tells the facts"] += _tells(row["new_answer"], _body(draft))
            for corpus in corpora:
                if corpus != row["corpus"]:
                    wrong = search(row["question"], elsewhere[corpus], embedder)
                    draft = drafter.draft(one_message(row["question"]), row["question"], wrong)
                    count["asked elsewhere"] += 1
                    count["abstained elsewhere"] += draft["kind"] == "abstain"
        figures[name] = {
            "questions with the right passage in the hits": count["right passage found"],
            "answered": round(count["answered"] / count["right passage found"], 3),
            "answers that cite the right passage": round(
                count["cites the right passage"] / count["answered"], 3
            ),
            "answers that tell the facts": round(count["tells the facts"] / count["with facts"], 3),
            "words an answer": round(count["words"] / count["answered"], 1),
            "abstained in another help center": round(
                count["abstained elsewhere"] / count["asked elsewhere"], 3
            ),
        }
    print(json.dumps(figures, indent=1) if options.json else _table(figures))
    return 0


def _table(figures: Mapping[str, Mapping[str, float]]) -> str:
    lines = []
    for name, group in figures.items():
        lines += [f"{name}:", *(f"  {what:<46} {value}" for what, value in group.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
