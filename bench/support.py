"""How well the check tells a stale short answer from a true one, and the fit of what it weighs.

    python -m bench.support ../shared/data/policy-changes                  measure, by folds
    python -m bench.support ../shared/data/policy-changes --fit graph/support.json

Every pair of ``pairs.jsonl`` gives up to four cases: either answer, held against either version of
its article; and one that is only measured: what answers another question, of another article of the
same help center where it can, and so is made up here. Figures come from folds: what judges a help
center was fitted on the others.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import numpy as np

from core.identifiers import text_digest
from evals import stale_judges
from evals.corruptions import Rate
from evals.stale_cases import read_data
from graph.answers import read_answer
from graph.check import EvidenceChecker
from graph.citer import EmbeddingCiter
from graph.evidence import cited_passage_ids
from graph.ports import Changes
from graph.support import (
    MOST_LINES,
    AnswerJudge,
    Forest,
    compare_versions,
    lay,
    lines_of,
    nearest_lines,
    read,
    signs_now,
    signs_of_silence,
    signs_then,
    weighed,
)
from graph.values import CheckReport
from kb.content import Passage
from kb.markup import split_front_matter
from kb.passages import cut
from retrieval.embeddings import MiniLmEmbedder
from retrieval.lexical import TantivyIndex
from retrieval.ports import Embedder, Vectors
from retrieval.ranking import fused_score, sentence_texts, whole_text

CANDIDATES: Final = 6
MADE_UP: Final = "made_up"
MOST_ALARMS: Final[dict[What, float]] = {"now": 0.07, "then": 0.07}
"""Share of true answers that the forests may flag; the threshold follows from it.

The rest of the check flags a hundredth besides."""
TREES: Final = 120
LEAVES: Final = 40
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)

Side = Literal["old", "new"]
What = Literal["now", "then"]
Judges = Callable[[str], Changes]
_TITLE: Final[dict[What, str]] = {
    "now": "only the version in force is known",
    "then": "the version before is known, too",
}


@dataclass(frozen=True)
class Case:
    """An answer held against one version of its article, with the other one as its past or future.

    ``wrong`` is None where the data does not say.
    """

    id: str
    corpus: str
    kind: str
    probe: str
    pair: Mapping[str, Any]
    silent: bool
    wrong: bool | None
    now: dict[str, float]
    then: dict[str, float]


class Kept:
    """An embedder that embeds no text twice, over runs too.

    Args:
        inner: What embeds.
        file: Where vectors are kept; None keeps them in memory.
    """

    def __init__(self, inner: Embedder, file: Path | None) -> None:
        self.name, self._inner, self._file = inner.name, inner, file
        self.dimensions = inner.dimensions
        self._known: dict[str, Vectors] = {}
        if file is not None and file.is_file():
            with np.load(file, allow_pickle=False) as kept:
                self._known = dict(zip(map(str, kept["texts"]), kept["vectors"], strict=True))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            self._known.update(zip(fresh, self._inner.embed(fresh), strict=True))
        return np.stack([self._known[text] for text in texts])

    def save(self) -> None:
        """Write the vectors to the file."""
        if self._file is not None:
            np.savez(
                self._file,
                texts=np.array(list(self._known)),
                vectors=np.stack(list(self._known.values())),
            )


class Shelf:
    """The passages of one version of an article, and the product's ranking over them."""

    def __init__(self, path: Path, article_id: str, embedder: Embedder) -> None:
        self.passages = passages_of(path, article_id)
        self._embedder = embedder
        self._lexical = TantivyIndex()
        self._lexical.replace([], self.passages)
        self._whole = embedder.embed([whole_text(passage) for passage in self.passages])
        self._sentences = [embedder.embed(sentence_texts(passage)) for passage in self.passages]

    def search(self, text: str, count: int) -> list[Passage]:
        """Return the best passages for ``text``, each text once."""
        vector = self._embedder.embed([text])[0]
        lexical = dict(self._lexical.best(text, 40))
        scores = [
            fused_score(
                passage,
                float(whole @ vector),
                float((sentences @ vector).max()),
                lexical.get(passage.id, 0.0),
            )
            for passage, whole, sentences in zip(
                self.passages, self._whole, self._sentences, strict=True
            )
        ]
        found: dict[str, Passage] = {}
        for index in np.argsort([-score for score in scores], kind="stable"):
            found.setdefault(self.passages[index].content_hash, self.passages[index])
            if len(found) == count:
                break
        return list(found.values())


def passages_of(path: Path, article_id: str) -> list[Passage]:
    """Return the passages of an article file."""
    front, body = split_front_matter(path.read_text(encoding="utf-8", errors="replace"))
    named = re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", front, re.M)
    title = named.group(1) if named else path.stem.replace("-", " ").capitalize()
    version = text_digest(body)[:16]
    return [
        Passage(
            id=f"{version}#{number}", kind="article", article_id=article_id, version_id=version,
            version=1, title=title, anchor=piece.anchor, heading_path=piece.heading_path,
            start=piece.start, end=piece.end, text=piece.text, plain=piece.plain,
            content_hash=text_digest(piece.plain), effective_from=_LONG_AGO,
        )
        for number, piece in enumerate(cut(body, title=title))
    ]  # fmt: skip


def judges_of(folder: Path) -> Judges:
    """Return for each corpus a judge of changes that has not seen it."""
    files = [file for name in ("pairs", "more") if (file := folder / f"{name}.jsonl").is_file()]
    unlabelled = folder.parent / "unlabelled-changes"
    words = unlabelled if unlabelled.is_dir() else None
    shipped, of_corpus, _ = stale_judges.judges(read_data(files), "corpus", words)
    return lambda corpus: of_corpus(corpus) or shipped


def read_cases(
    folder: Path, shelves: dict[str, Shelf], embedder: Embedder, judges: Judges
) -> list[Case]:
    """Return the cases of ``folder / "pairs.jsonl"``; fills ``shelves`` by the path of an article."""
    cases: list[Case] = []
    lines = (folder / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    pairs: list[dict[str, Any]] = [json.loads(line) for line in lines]
    for pair in pairs:
        for side in ("old", "new"):
            path = pair[f"{side}_article"]
            if path not in shelves:
                shelves[path] = Shelf(folder / path, pair["article"], embedder)
        for told in ("old", "new") if pair["changed"] else ("new",):
            for held in ("new", "old"):
                cases.append(_case(pair, told, held, shelves, embedder, judges))
    for place, pair in enumerate(pairs):
        made_up = {**pair, "old_answer": _foreign_answer(pairs, place)}
        case = _case(made_up, "old", "new", shelves, embedder, judges)
        cases.append(replace(case, kind=MADE_UP, probe=MADE_UP, wrong=None))
    return cases


def _foreign_answer(pairs: Sequence[Mapping[str, Any]], place: int) -> str:
    """Return what answers the next question of another article, the same help center's if possible."""
    pair = pairs[place]
    others = [
        other
        for other in (*pairs[place + 1 :], *pairs[:place])
        if other["article"] != pair["article"]
        and not read_answer(other["new_answer"]).silent
        and not read_answer(other["new_answer"]).stance
    ]
    near = [other for other in others if other["corpus"] == pair["corpus"]]
    return str((near or others)[0]["new_answer"])


def _case(
    pair: dict[str, Any],
    told: Side,
    held: Side,
    shelves: dict[str, Shelf],
    embedder: Embedder,
    judges: Judges,
) -> Case:
    other: Side = "old" if held == "new" else "new"
    shelf, former = shelves[pair[f"{held}_article"]], shelves[pair[f"{other}_article"]]
    question, text = pair["question"], pair[f"{told}_answer"]
    candidates = shelf.search(f"{question} {text}", CANDIDATES)
    draft = EmbeddingCiter(embedder).cite(text, candidates, "outside", question=question)
    ids = cited_passage_ids(draft)
    cited = [passage for passage in candidates if passage.id in ids]
    answer = read_answer(text)
    editions = (former.passages, shelf.passages)
    now, then = signs(question, text, cited, editions, embedder, judges(pair["corpus"]))
    wrong: bool | None = bool(pair["changed"]) and told != held
    if wrong and pair["kind"] == ("added" if held == "new" else "removed") and not answer.silent:
        wrong = None
    probe = f"draft_{told}" if held == "new" else ""
    return Case(
        pair["id"], pair["corpus"], pair["kind"], probe, pair, answer.silent, wrong, now, then
    )


def signs(
    question: str,
    text: str,
    cited: Sequence[Passage],
    editions: tuple[Sequence[Passage], Sequence[Passage]],
    embedder: Embedder,
    changes: Changes,
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the signs without and with the former version; the latter may be empty.

    ``editions`` are the passages of the former version and of the one in force.
    """
    answer = read_answer(text)
    reading = read(question, answer, embedder.embed)
    lines = nearest_lines(reading, lines_of(cited), MOST_LINES, embedder.embed)
    laid = lay(reading, lines, embedder.embed)
    if not laid:
        return {}, {}
    former = compare_versions(reading, lines, *editions, embedder.embed)
    if answer.silent:
        return signs_of_silence(laid, None), signs_of_silence(laid, former)
    present = signs_now(reading, laid, embedder.embed)
    past = signs_then(reading, former, embedder.embed, changes) if former and former.went else {}
    return present, {**present, **past} if past else {}


# -- fitting ------------------------------------------------------------------------------------


def fit(cases: Sequence[Case], what: What, threshold: float = 0.5) -> Forest:
    """Fit the forest that judges answers, ``now`` without or ``then`` with the former version."""
    from sklearn.ensemble import ExtraTreesClassifier

    known = [
        case for case in cases if case.wrong is not None and not case.silent and getattr(case, what)
    ]
    names = tuple(sorted(getattr(known[0], what)))
    rows = np.array([[getattr(case, what)[name] for name in names] for case in known])
    model = ExtraTreesClassifier(
        TREES,
        min_samples_leaf=2,
        max_leaf_nodes=LEAVES,
        max_features=0.3,
        class_weight="balanced",
        random_state=0,
        n_jobs=2,
    )
    model.fit(np.round(rows, 4), [case.wrong for case in known])
    trees = [_plain(estimator.tree_) for estimator in model.estimators_]
    return Forest.from_json({"names": names, "trees": trees, "threshold": threshold})


def write_forests(forests: Mapping[What, Forest], file: Path) -> None:
    """Write what ``graph.support.AnswerJudge`` reads."""
    plain = {what: _plain_forest(forest) for what, forest in forests.items()}
    file.write_text(json.dumps(plain, separators=(",", ":")) + "\n", encoding="utf-8")


def _plain_forest(forest: Forest) -> dict[str, Any]:
    trees = [
        [
            [int(c), round(float(t), 4), int(a), int(b), round(float(s), 3)]
            for c, t, a, b, s in zip(*tree, strict=True)
        ]
        for tree in forest.trees
    ]
    return {"names": list(forest.names), "threshold": round(forest.threshold, 4), "trees": trees}


def _plain(tree: Any) -> list[list[float]]:
    shares = tree.value[:, 0, :]
    return [
        [
            int(column) if left >= 0 else -1,
            round(float(cut_at), 4) if left >= 0 else 0,
            max(0, int(left)),
            max(0, int(right)),
            round(float(share[1] / share.sum()), 3),
        ]
        for column, cut_at, left, right, share in zip(
            tree.feature,
            tree.threshold,
            tree.children_left,
            tree.children_right,
            shares,
            strict=True,
        )
    ]


def by_folds(cases: Sequence[Case], what: What) -> dict[int, float]:
    """Return for each case (by its place) the share of votes of a forest fitted on the others."""
    scores: dict[int, float] = {}
    for corpus in sorted({case.corpus for case in cases}):
        forest = fit([case for case in cases if case.corpus != corpus], what)
        for place, case in enumerate(cases):
            found = case.now if what == "now" else case.then
            if case.corpus == corpus:
                votes = 0.0 if case.silent or not found else forest.share(found)
                scores[place] = weighed(votes, found) if votes and what == "then" else votes
    return scores


# -- the probes ---------------------------------------------------------------------------------


class _Editions:
    """The other version of an article as its former one."""

    def __init__(self, editions: list[list[Passage]]) -> None:
        self._editions = editions

    def editions(self, version_id: str, former: int = 2) -> list[list[Passage]]:
        return self._editions[: former + 1]


def flagged_by_folds(
    cases: Sequence[Case],
    what: What,
    scores: Mapping[What, Mapping[int, float]],
    shelves: Mapping[str, Shelf],
    embedder: Embedder,
    judges: Judges,
) -> dict[int, CheckReport]:
    """Return what the whole check holds against the probes.

    Forests and thresholds are those of the other help centers; ``scores`` are by folds.
    """
    found: dict[int, CheckReport] = {}
    for corpus in sorted({case.corpus for case in cases}):
        others = [case for case in cases if case.corpus != corpus]
        elsewhere = [place for place, case in enumerate(cases) if case.corpus != corpus]
        forests = {
            name: fit(
                others, name, threshold_for(cases, scores[name], MOST_ALARMS[name], elsewhere)
            )
            for name in scores
        }
        with TemporaryDirectory() as folder:
            file = Path(folder) / "support.json"
            write_forests(forests, file)
            for place, case in enumerate(cases):
                if case.corpus == corpus and case.probe:
                    judge = AnswerJudge(embedder, file, judges(corpus))
                    found[place] = _check(case, what, judge, shelves, embedder)
    return found


def _check(
    case: Case,
    what: What,
    judge: AnswerJudge,
    shelves: Mapping[str, Shelf],
    embedder: Embedder,
) -> CheckReport:
    pair = case.pair
    shelf, former = shelves[pair["new_article"]], shelves[pair["old_article"]]
    text = pair["new_answer" if case.probe == "draft_new" else "old_answer"]
    question = pair["question"]
    candidates = shelf.search(f"{question} {text}", CANDIDATES)
    draft = EmbeddingCiter(embedder).cite(text, candidates, "outside", question=question)
    past = _Editions([shelf.passages, former.passages]) if what == "then" else None
    checker = EvidenceChecker(embedder, past=past, answers=judge)
    known = {passage.id: passage for passage in candidates}
    return checker.check(draft, known, {shelf.passages[0].version_id}, question)


def report(cases: Sequence[Case], found: Mapping[int, CheckReport], show: int) -> None:
    """Print the probes by kind, and some of what went wrong."""
    left_out_of = {"draft_old": {"added", "reword"}, "draft_new": set[str](), MADE_UP: set[str]()}
    for probe, left_out in left_out_of.items():
        chosen = [i for i in found if cases[i].probe == probe and cases[i].kind not in left_out]
        for kind in ("all", *sorted({cases[i].kind for i in chosen})):
            of_kind = [i for i in chosen if kind in {"all", cases[i].kind}]
            rate = Rate(sum(not found[i]["passed"] for i in of_kind), len(of_kind))
            low, high = rate.interval
            print(f"  {probe:9} flagged  {kind:10}{rate.hits:5} / {rate.total:<5}{rate.share:6.3f}"
                  f"  [{low:.3f}, {high:.3f}]")  # fmt: skip
        wrong = [i for i in chosen if found[i]["passed"] == (probe != "draft_new")]
        for i in wrong[:show]:
            pair, answer = cases[i].pair, "new_answer" if probe == "draft_new" else "old_answer"
            said = [finding["message"] for finding in found[i]["findings"]]
            print(f"    {pair['kind']}: {pair['question']} — {pair[answer]}\n      {said}")


def threshold_for(
    cases: Sequence[Case],
    scores: Mapping[int, float],
    alarms: float,
    places: Iterable[int] | None = None,
) -> float:
    """Return the share of votes that true answers reach in at most ``alarms`` of all.

    ``places`` are those of the cases that count; default all.
    """
    true = sorted(
        (
            scores[place]
            for place in (range(len(cases)) if places is None else places)
            if cases[place].probe == "draft_new"
        ),
        reverse=True,
    )
    return true[int(alarms * len(true))] + 1e-6


def main() -> int:
    """Measure, and fit where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fit", type=Path)
    parser.add_argument("--keep", type=Path, help="a file that keeps vectors between runs")
    parser.add_argument("--show", type=int, default=0, help="misses and alarms to print")
    args = parser.parse_args()
    if not (args.folder / "pairs.jsonl").is_file():
        print(f"{args.folder} holds no pairs.jsonl: name the folder it is in.", file=sys.stderr)
        return 2
    embedder = Kept(MiniLmEmbedder(), args.keep)
    shelves: dict[str, Shelf] = {}
    judges = judges_of(args.folder)
    cases = read_cases(args.folder, shelves, embedder, judges)
    whats: tuple[What, ...] = ("now", "then")
    scores = {what: by_folds(cases, what) for what in whats}
    thresholds = {what: threshold_for(cases, scores[what], MOST_ALARMS[what]) for what in whats}
    for what in whats:
        print(f"{_TITLE[what]} (shipped: flagged from {thresholds[what]:.3f} of the votes)")
        found = flagged_by_folds(cases, what, scores, shelves, embedder, judges)
        report(cases, found, args.show)
    embedder.save()
    if args.fit is not None:
        write_forests({what: fit(cases, what, at) for what, at in thresholds.items()}, args.fit)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
