"""How well contacts are classified from examples: ``python -m bench.classify ../shared/data/banking77``.

The folder holds ``train.csv`` and ``test.csv`` with the columns ``text`` and ``category``. The test
file is only ever judged. The floor is a logistic regression on the same vectors; beside it stands
the best of some simple classifiers that are told the reasons' names as well, as the product is.

- accuracy: the best reason is the right one, whether the desk would have refused the contact or not;
- unknown: with a tenth of the reasons left out of the map, the share of their contacts that were
  given none, and the accuracy on the others, where a refused contact counts as wrong; all contacts
  together, as in one run over a file, and each by itself, as on a desk that has just started;
- error of the confidence: expected calibration error in 15 bins, of the best reason.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from bench._measure import median_seconds, one_thread_for_products, table
from core.errors import BadInput
from graph.classify import ReasonClassifier
from graph.reasons import Reason, ReasonMap
from graph.values import Classification, one_message
from retrieval.embeddings import load_embedder
from retrieval.ports import Embedder, Vectors

Floats = npt.NDArray[np.float64]
_BINS = 15
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts and the reason of each."""

    texts: list[str]
    reasons: list[str]

    def only(self, rows: Sequence[int]) -> Labelled:
        """Return the texts of ``rows``."""
        return Labelled([self.texts[row] for row in rows], [self.reasons[row] for row in rows])

    def drawn(self, shots: int, seed: int) -> Labelled:
        """Return ``shots`` texts of each reason, drawn by lot."""
        draw = np.random.default_rng(seed)
        rows: list[int] = []
        for reason in sorted(set(self.reasons)):
            mine = [at for at, one in enumerate(self.reasons) if one == reason]
            rows.extend(draw.permutation(mine)[:shots].tolist())
        return self.only(sorted(rows))

    def without(self, reasons: set[str]) -> Labelled:
        """Return the texts of all other reasons."""
        return self.only([at for at, one in enumerate(self.reasons) if one not in reasons])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a classifier made of labelled texts.

    Attributes:
        accuracy: Share whose best reason is right.
        error: Expected calibration error of the best reason's confidence.
        kept: Share of contacts of known reasons that were given the right one.
        refused: Share of contacts of unknown reasons that were given none; NaN without any.
    """

    accuracy: float
    error: float
    kept: float
    refused: float


class RememberingEmbedder:
    """Embeds each text once, and keeps the vectors in a folder where one is given."""

    def __init__(self, embedder: Embedder, folder: Path | None) -> None:
        self._embedder = embedder
        self._folder = folder
        self._known: dict[str, Vectors] = {}
        self.name = embedder.name
        self.dimensions = embedder.dimensions

    def prepare(self, texts: Sequence[str]) -> float:
        """Embed ``texts``, with a word on the progress; return the texts a second, 0 if kept."""
        wanted = sorted(set(texts))
        digest = hashlib.sha256("\0".join([self.name, *wanted]).encode()).hexdigest()[:24]
        file = self._folder / f"{digest}.npy" if self._folder else None
        if file is not None and file.is_file():
            self._known.update(zip(wanted, np.load(file), strict=True))
            return 0.0
        started = time.perf_counter()
        vectors = []
        for start in range(0, len(wanted), _AT_ONCE):
            vectors.append(self._embedder.embed(wanted[start : start + _AT_ONCE]))
            done = min(start + _AT_ONCE, len(wanted))
            print(f"\rembedding {done} of {len(wanted)} texts", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        taken = time.perf_counter() - started
        both = np.concatenate(vectors)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, both)
        self._known.update(zip(wanted, both, strict=True))
        return len(wanted) / taken

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            self._known.update(zip(fresh, self._embedder.embed(fresh), strict=True))
        return np.stack([self._known[text] for text in texts])


def read(path: Path) -> Labelled:
    """Return the texts of a CSV file.

    Raises:
        BadInput: There is no such file, or it lacks a column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return Labelled([row["text"] for row in rows], [row["category"] for row in rows])
    except OSError:
        raise BadInput(f"{path}: there is no such file.") from None
    except KeyError as error:
        raise BadInput(f"{path}: the column {error} is missing.") from None


def reason_map(examples: Labelled) -> ReasonMap:
    """Return a map of these examples; a reason is named as in the file."""
    of: dict[str, list[str]] = {}
    for text, reason in zip(examples.texts, examples.reasons, strict=True):
        of.setdefault(reason, []).append(text)
    return ReasonMap(
        [
            # Not validated: the ids are the file's own, with capitals and question marks.
            Reason.model_construct(id=reason, name=reason.replace("_", " "), examples=tuple(texts))
            for reason, texts in sorted(of.items())
        ]
    )


def calibration_error(confidence: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Return the expected calibration error, 0..1, in 15 bins of equal width."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return float(
        sum(
            abs(confidence[bins == one].mean() - right[bins == one].mean()) * (bins == one).mean()
            for one in np.unique(bins)
        )
    )


def outcome(test: Labelled, found: Sequence[Classification], known: set[str]) -> Outcome:
    """Return how good ``found`` is, where ``known`` are the reasons of the map."""
    best = np.array([one["alternatives"][0]["reason"] for one in found])
    given = np.array([one["reason"] or "" for one in found])
    sure = np.array([one["alternatives"][0]["confidence"] for one in found])
    truth = np.array(test.reasons)
    is_known = np.isin(truth, sorted(known))
    right = (best == truth)[is_known]
    unknown = ~is_known
    return Outcome(
        accuracy=float(right.mean()),
        error=calibration_error(sure[is_known], right),
        kept=float((given == truth)[is_known].mean()),
        refused=float((given[unknown] == "").mean()) if unknown.any() else float("nan"),
    )


def floor(train: Labelled, test: Labelled, embedder: Embedder) -> float:
    """Return the accuracy of a logistic regression on the vectors."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0, max_iter=300)
    model.fit(embedder.embed(train.texts), train.reasons)
    return float(model.score(embedder.embed(test.texts), test.reasons))


def without_lot(reasons: set[str], kept: int | None, seed: int) -> set[str]:
    """Return the reasons that a desk of ``kept`` reasons, drawn by lot, does not have."""
    if kept is None:
        return set()
    return set(np.random.default_rng(seed).permutation(sorted(reasons))[kept:].tolist())


def simple_ones(examples: Labelled, test: Labelled, embedder: Embedder) -> dict[str, float]:
    """Return the accuracy of each simple classifier on the vectors of examples and names."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import NearestCentroid

    names = sorted(set(examples.reasons))
    texts = [*examples.texts, *(name.replace("_", " ") for name in names)]
    vectors, reasons = embedder.embed(texts), [*examples.reasons, *names]
    asked = embedder.embed(test.texts)
    made = {
        "logistic regression, C 10": LogisticRegression(C=10.0, max_iter=300),
        "logistic regression, C 100": LogisticRegression(C=100.0, max_iter=300),
        "nearest centroid": NearestCentroid(),
    }
    return {
        name: float(model.fit(vectors, reasons).score(asked, test.reasons))
        for name, model in made.items()
    }


def main() -> int:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, help="folder that keeps the vectors")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-floor", action="store_true", help="spare the logistic regressions")
    parser.add_argument(
        "--inside",
        action="store_true",
        help="judge a fifth of train.csv instead of test.csv, which is not even read",
    )
    parser.add_argument(
        "--shots",
        type=int,
        action="append",
        help="examples of each reason; may be given more than once (10 and 5)",
    )
    parser.add_argument(
        "--reasons", type=int, help="with --shots: draw a desk of so many reasons each time"
    )
    parser.add_argument(
        "--only", choices=("full", "shots", "unknown"), action="append", help="some of the parts"
    )
    args = parser.parse_args()
    one_thread_for_products()
    parts = set(args.only or ("full", "shots", "unknown"))
    train = read(args.folder / "train.csv")
    if args.inside:
        lot = np.random.default_rng(77).permutation(len(train.texts))
        cut = len(lot) // 5
        train, test = train.only(sorted(lot[cut:])), train.only(sorted(lot[:cut]))
    else:
        test = read(args.folder / "test.csv")
    embedder = RememberingEmbedder(load_embedder(), args.cache)
    speed = embedder.prepare([*train.texts, *test.texts])
    contacts = [one_message(text, "chat") for text in test.texts]
    rows: list[list[object]] = [
        ["examples", "accuracy", "floor", "best simple, with names", "error of confidence"]
    ]
    reasons = set(train.reasons)

    def fitted(examples: Labelled, *, together: bool = True) -> tuple[ReasonClassifier, float]:
        """Return a classifier of ``examples`` and the seconds its first contact took."""
        made = ReasonClassifier(
            reason_map(examples),
            embedder,
            sentiment=lambda text: 0.0,
            cache=args.cache,
            beside_others=together,
        )
        started = time.perf_counter()
        made.classify(contacts[0])
        return made, time.perf_counter() - started

    def say(line: str) -> None:
        print(line, flush=True)

    if "full" in parts:
        classifier, first = fitted(train)
        started = time.perf_counter()
        full = outcome(test, classifier.classify_all(contacts), reasons)
        judging = (time.perf_counter() - started) / len(contacts)
        one = median_seconds(lambda at: classifier.classify(contacts[at]), min(300, len(contacts)))
        rows.append(
            [
                f"all {len(train.texts)}",
                f"{full.accuracy:.3f}",
                "-" if args.no_floor else f"{floor(train, test, embedder):.3f}",
                "-",
                f"{full.error:.3f}",
            ]
        )
        say(f"learning all {len(train.texts)} examples, vectors at hand: {first:.1f} s")
        say(
            f"classifying one contact, vector at hand: {one * 1000:.1f} ms; in one go {judging * 1000:.1f} ms"
        )
        say(f"right and not refused, all reasons known: {full.kept:.3f}")

        def step(at: int) -> None:
            classifier.learn(f"{test.texts[at]} ({at})", test.reasons[at])
            classifier.classify(contacts[at])

        say(f"one learning step and the next contact: {median_seconds(step, 5):.2f} s")
    if "shots" in parts:
        for shots in args.shots or (10, 5):
            draws, asked = [], []
            for at in range(args.draws):
                left_out = without_lot(reasons, args.reasons, args.seed + at)
                draws.append(train.without(left_out).drawn(shots, args.seed + at))
                asked.append(test.without(left_out))
            made = [fitted(draw) for draw in draws]
            found = [
                outcome(
                    mine,
                    one.classify_all([one_message(text, "chat") for text in mine.texts]),
                    set(mine.reasons),
                )
                for (one, _), mine in zip(made, asked, strict=True)
            ]
            both = list(zip(draws, asked, strict=True))
            floors = [] if args.no_floor else [floor(*pair, embedder) for pair in both]
            others = [] if args.no_floor else [simple_ones(*pair, embedder) for pair in both]
            simple = {name: fmean(one[name] for one in others) for name in (others or [{}])[0]}
            best = max(simple, key=simple.__getitem__, default="")
            of = f" of {args.reasons} reasons" if args.reasons else ""
            rows.append(
                [
                    f"{shots} a reason{of}, {args.draws} draws",
                    f"{fmean(one.accuracy for one in found):.3f}",
                    f"{fmean(floors):.3f}" if floors else "-",
                    f"{simple[best]:.3f} ({best})" if best else "-",
                    f"{fmean(one.error for one in found):.3f}",
                ]
            )
            say(f"{shots} a reason: right and not refused {fmean(one.kept for one in found):.3f}")
            say(f"learning {shots} a reason: {fmean(first for _, first in made):.1f} s")

            def correct(
                at: int, learner: ReasonClassifier = made[0][0], mine: Labelled = asked[0]
            ) -> None:
                learner.learn(f"{mine.texts[at]} ({at})", mine.reasons[at])
                learner.classify(one_message(mine.texts[at], "chat"))

            say(f"one learning step and the next contact: {median_seconds(correct, 5):.2f} s")
    if "unknown" in parts:
        lines: list[list[object]] = [
            [
                "unknown reasons",
                "refused",
                "accuracy on the known",
                "by itself: refused",
                "accuracy",
            ]
        ]
        totals: list[list[float]] = []
        for at in range(args.draws):
            draw = np.random.default_rng(args.seed + at)
            names = sorted(reasons)
            held = set(draw.choice(names, len(names) // 10 + 1, replace=False).tolist())
            figures: list[float] = []
            for together in (True, False):
                classifier, _ = fitted(train.without(held), together=together)
                one_draw = outcome(test, classifier.classify_all(contacts), reasons - held)
                figures += [one_draw.refused, one_draw.kept]
            totals.append(figures)
            lines.append([f"draw {at + 1}", *(f"{figure:.3f}" for figure in figures)])
        means = [fmean(column) for column in zip(*totals, strict=True)]
        lines.append([f"mean of {args.draws}", *(f"{figure:.3f}" for figure in means)])
        say(table(lines))
    if len(rows) > 1:
        say(table(rows))
    if speed:
        say(f"embedding: {speed:.0f} texts/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
