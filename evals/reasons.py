"""The reasons suite: texts through the classifier, learned from the examples of a reason map.

The fields of data, verdicts and gates are documented in ``evals/README.md``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from core.errors import BadInput
from core.settings import Settings
from evals import runs
from evals.gate import Gate
from evals.reason_cases import Asked, Texts, by_lot, drawn, groups_of, own_examples, without
from evals.reason_scores import (
    MEASURES,
    Verdict,
    better,
    read_verdicts,
    score,
    told,
    verdict_of,
    wrong,
)
from evals.report import CurveWords, Report, Words
from evals.runs import Judging, Progress, Run, finished, of_probe, word_for_word
from graph.classify import ReasonClassifier
from graph.reasons import ReasonMap
from graph.values import ReasonGuess, one_message
from retrieval.embeddings import load_embedder
from retrieval.ports import Embedder
from retrieval.remembering import RememberingEmbedder

SUITE: Final = "reasons"
SAMPLE: Final = Path(__file__).parent / "sample" / "reasons.csv"
OWN_FOLDS: Final = 5
_CORRECTIONS: Final = 5
_AT_ONCE: Final = 256  # texts between two words on the progress
_AT_A_TIME: Final = 128  # contacts that are judged together, as `proofdesk triage` does
_REMEMBERED: Final = 200_000  # texts: every round reads the same ones

WORDS: Final = Words(
    suite=SUITE,
    title="Reasons suite",
    cases="texts",
    titles={
        "known": "known: texts about a reason of the map",
        "outside": "outside: texts about none of the map's reasons",
        "unknown": "unknown: some reasons taken out of the map",
        "correction": "correction: told once what it is about",
        "floor": "Baseline: logistic regression on the same vectors",
    },
    measures=MEASURES,
    headlines=(
        "accuracy", "top3", "kept", "refused", "macro_f1", "ece", "auroc", "taken", "seconds",
    ),
    curve=CurveWords(
        lead="Let the texts with the surest guess pass without a look:",
        coverage="share that passes without a look",
        risk="share of those with a wrong guess",
        head=("pass", "confidence from", "wrong among them"),
        of_confidence=True,
    ),
    kinds={"known": "reason"},
)  # fmt: skip
Found = Run[Verdict]


@dataclass(frozen=True)
class Round:
    """A reason map, and the texts that come in, each for a probe.

    A contact is judged beside those that came in before it. So all texts come in, also in a round
    that is about some of them: the others have no probe.
    """

    reasons: ReasonMap
    asked: Sequence[tuple[str | None, Asked]]


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        texts: What is judged, and what of it is known.
        rounds: What there is to learn from, and which texts are then judged for which probe.
        about: Label → words, for the head of the report.
    """

    texts: Texts
    rounds: Sequence[Round]
    about: dict[str, str]


def plan(
    texts: Texts,
    reasons: ReasonMap,
    *,
    shots: int | None = None,
    draws: int = 1,
    seed: int = 0,
    unknown: float = 0.1,
    folds: int | None = None,
) -> Plan:
    """Return what is measured of ``texts`` with a map.

    A text whose reason the map does not have is about none of its reasons. For the unknown, the
    reasons are dealt into groups; with each group taken out, its texts are judged, and those of the
    next group, which are known still.

    Args:
        texts: What is judged.
        reasons: The map with its examples.
        shots: Learn from so many examples of each reason, drawn by lot; None for all.
        draws: How often lots are drawn; every draw judges all texts.
        seed: Of the lots.
        unknown: Share of the reasons in a group; 0 measures nothing of it.
        folds: Take out so many of the groups; None for all.

    Raises:
        BadInput: The map has fewer than two reasons.
    """
    _tells_apart(reasons)
    ids = {reason.id for reason in reasons}
    strangers = sorted({one for one in texts.reasons.values() if one is not None} - ids)
    truth = {name: one if one in ids else None for name, one in texts.reasons.items()}
    asked: list[Asked] = []
    known: dict[str, str | None] = {}
    rounds: list[Round] = []
    maps = [drawn(reasons, shots, seed + at) if shots else reasons for at in range(draws)]
    for at, examples in enumerate(maps, start=1):
        mine = [Asked(f"{one.id}@{at}", one.text) if draws > 1 else one for one in texts.asked]
        asked += mine
        order = by_lot(mine, seed + at)
        for one, given in zip(texts.asked, mine, strict=True):
            if one.id in truth:
                known[given.id] = truth[one.id]
        rounds.append(Round(examples, [(_probe(one, known), one) for one in order]))
        if unknown:
            groups = groups_of(sorted(ids), unknown, seed + at)
            rounds += _held_back(examples, groups, folds, order, known)
    about = {
        "texts": f"{len(texts.asked)}, {len(texts.reasons)} of them labelled",
        "reasons": f"{len(reasons)}, with {sum(len(one.examples) for one in maps[0])} examples",
        "texts that are an example, word for word": str(
            word_for_word(
                ([one.text] for one in texts.asked),
                [text for one in reasons for text in one.examples],
            )
        ),
    }
    if shots:
        about["examples a reason"] = f"{shots}, drawn {draws} times from seed {seed}"
    if strangers:
        about["labels that are no reason of the map"] = ", ".join(strangers)
    if unknown:
        about["held back"] = f"{unknown:.0%} of the reasons at a time, dealt from seed {seed}"
    return Plan(Texts(tuple(asked), known), rounds, about)


def plan_of_own(reasons: ReasonMap, *, seed: int = 0, unknown: float = 0.1) -> Plan:
    """Return what is measured of a map by itself: every example by a map that lacks it.

    Raises:
        BadInput: The map has fewer than two reasons, or none with three examples.
    """
    _tells_apart(reasons)
    parts = own_examples(reasons, OWN_FOLDS, seed)
    if not parts:
        raise BadInput("No reason of the map has three examples; there is nothing to judge it by.")
    texts = Texts(
        tuple(one for _, part in parts for one in part.asked),
        {name: one for _, part in parts for name, one in part.reasons.items()},
    )
    rounds = [
        Round(left, [("known", one) for one in by_lot(part.asked, seed)]) for left, part in parts
    ]
    if unknown:
        groups = groups_of([reason.id for reason in reasons], unknown, seed)
        for left, part in parts:
            rounds += _held_back(left, groups, None, by_lot(part.asked, seed), texts.reasons)
    about = {
        "texts": f"{len(texts.asked)}, the map's own examples in {len(parts)} folds",
        "reasons": str(len(reasons)),
    }
    if unknown:
        about["held back"] = f"{unknown:.0%} of the reasons at a time, dealt from seed {seed}"
    return Plan(texts, rounds, about)


def _tells_apart(reasons: ReasonMap) -> None:
    if len(reasons) < 2:
        raise BadInput(
            "The reason map holds fewer than two reasons; there is nothing to tell apart."
        )


def _probe(one: Asked, known: Mapping[str, str | None]) -> str:
    return "outside" if known.get(one.id, "") is None else "known"


def _held_back(
    reasons: ReasonMap,
    groups: Sequence[Sequence[str]],
    folds: int | None,
    asked: Sequence[Asked],
    known: Mapping[str, str | None],
) -> Iterator[Round]:
    """Yield a round for each group of reasons that is taken out."""
    for at, held in enumerate(groups[:folds]):
        still_there = groups[(at + 1) % len(groups)]
        judged: list[tuple[str | None, Asked]] = []
        for one in asked:
            about = known.get(one.id)
            probe = "unknown" if about in held else "rest" if about in still_there else None
            judged.append((probe, one))
        if any(probe for probe, _ in judged):
            yield Round(without(reasons, held), judged)


def run(
    planned: Plan,
    *,
    beside: bool = True,
    embedder: Embedder | None = None,
    on_progress: Progress = lambda *_: None,
) -> Found:
    """Judge the texts of a plan. What they are about is not read, except to correct some of them.

    Args:
        planned: What is measured.
        beside: Whether the baseline is run for the report.
        embedder: Default: the one that the settings name.
        on_progress: Called with what is under way, how many are done, and how many there are.
    """
    began = time.perf_counter()
    embedder = RememberingEmbedder(embedder or load_embedder(Settings().embeddings), _REMEMBERED)
    _read_ahead(planned, embedder, on_progress)
    verdicts: list[Verdict] = []
    for at, one in enumerate(planned.rounds):
        classifier = ReasonClassifier(one.reasons, embedder, sentiment=_no_tone)
        mine = list(_come_in(classifier, one.asked))
        verdicts += mine
        if at == 0:
            verdicts += _corrected(classifier, planned.texts, mine)
            verdicts += _floor(one, embedder) if beside else []
        on_progress("rounds", at + 1, len(planned.rounds))
    about = {
        **planned.about,
        "embeddings": embedder.name,
        **finished(time.perf_counter() - began),
    }
    return Run(verdicts, about)


def _no_tone(text: str) -> float:
    return 0.0


def _read_ahead(planned: Plan, embedder: Embedder, on_progress: Progress) -> None:
    """Embed every text once, so that progress is told while it takes time."""
    texts = {one.text for one in planned.texts.asked}
    texts |= {text for one in planned.rounds for each in one.reasons for text in each.examples}
    wanted = sorted(texts, key=lambda text: (len(text), text))  # batches of like length are faster
    for start in range(0, len(wanted), _AT_ONCE):
        embedder.embed(wanted[start : start + _AT_ONCE])
        on_progress("texts", min(start + _AT_ONCE, len(wanted)), len(wanted))


def _come_in(
    classifier: ReasonClassifier, asked: Sequence[tuple[str | None, Asked]]
) -> Iterator[Verdict]:
    """Judge texts as a desk does: so many at a time, beside those that came before."""
    for start in range(0, len(asked), _AT_A_TIME):
        some = asked[start : start + _AT_A_TIME]
        judged = classifier.classify_all([one_message(one.text, "chat") for _, one in some])
        for (probe, one), found in zip(some, judged, strict=True):
            if probe is not None:
                yield verdict_of(one.id, probe, found)


def _corrected(
    classifier: ReasonClassifier, texts: Texts, judged: Sequence[Verdict]
) -> Iterator[Verdict]:
    """Correct some texts, the wrong ones first, and judge each again."""
    said = {one.id: one.text for one in texts.asked}
    known = [one for one in judged if one.probe == "known" and one.id in texts.reasons]
    known.sort(key=lambda verdict: not wrong(verdict, texts.reasons[verdict.id]))
    for verdict in known[:_CORRECTIONS]:
        text = said[verdict.id]
        began = time.perf_counter()
        classifier.learn(text, texts.reasons[verdict.id])
        found = classifier.classify(one_message(text, "chat"))
        seconds = time.perf_counter() - began
        yield replace(verdict_of(verdict.id, "correction", found), seconds=seconds)


def _floor(one: Round, embedder: Embedder) -> Iterator[Verdict]:
    """Judge the texts of known reasons by a logistic regression on the same vectors."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    learned = [(text, reason.id) for reason in one.reasons for text in reason.examples]
    asked = [each for probe, each in one.asked if probe == "known"]
    if not asked or len({reason for _, reason in learned}) < 2:
        return
    model = LogisticRegression(C=10.0, max_iter=1_000)
    model.fit(embedder.embed([text for text, _ in learned]), [reason for _, reason in learned])
    likely = model.predict_proba(embedder.embed([each.text for each in asked]))
    for each, row in zip(asked, likely, strict=True):
        guesses: list[ReasonGuess] = [
            {
                "reason": str(model.classes_[at]),
                "confidence": round(float(row[at]), 4),
                "evidence": [],
            }
            for at in np.argsort(-row, kind="stable")[:3]
        ]
        best = guesses[0]
        yield Verdict(each.id, "floor", best["reason"], best["confidence"], tuple(guesses))


def _asked_for(planned: Plan) -> dict[str, set[str]]:
    """Return probe → ids of the texts that a plan asks it about."""
    found: dict[str, set[str]] = {}
    for one in planned.rounds:
        for probe, asked in one.asked:
            if probe is not None:
                found.setdefault(probe, set()).add(asked.id)
    return found


def report_of(
    found: Found, planned: Plan, *, gate: Gate | None = None, baseline: Path | None = None
) -> Report:
    """Score a run and lay it beside an earlier one and its gate.

    Args:
        found: The run.
        planned: What was measured.
        gate: What the figures must keep to.
        baseline: Folder or verdict file of an earlier run.

    Raises:
        BadInput: The earlier run cannot be read or shares no text with this one.
    """
    texts, reasons = planned.texts, planned.texts.reasons
    judging = Judging(
        score=partial(score, {one.id: one.text for one in texts.asked}, reasons)
        if reasons
        else None,
        read=read_verdicts,
        told=told,
        better=lambda was, now: better(was, now, reasons),
        bases={
            probe: of_probe(probe, (name for name in names if name in reasons))
            for probe, names in _asked_for(planned).items()
        },
    )
    return runs.report_of(WORDS, found, judging, gate=gate, baseline=baseline)
