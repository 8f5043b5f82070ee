"""Scores verdicts of the stale suite against labels. Pure: from values to values.

What is scored, and how a draft is found to state an old value, is documented in ``evals/README.md``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Final

from evals.report import in_a_line
from evals.scores import CurvePoint, Figure, Miss, Scores, Table, auroc, f1, risk_coverage, share
from evals.stale_cases import VALUE_KINDS, Case, Label
from evals.stale_verdicts import PROBES, Verdict
from kb.facts import VALUE_KINDS as VALUE_FACTS
from kb.facts import Fact, extract_facts, same_value
from kb.markup import plain_text

DETECTORS: Final = ("diff", "approve", "twins", "text_differs", "token_rule")
"""Probes that must flag what changed and leave the rest alone."""
ASKERS: Final = ("ask", "plain_rag")
"""Probes that write an answer."""
MEASURES: Final[Mapping[str, str]] = {
    "auroc": "AUROC of the score",
    "recall": "recall on changed",
    "false_alarms": "false alarms",
    "precision": "precision",
    "f1": "F1",
    "drafted": "questions that got a draft",
    "stale": "stale drafts",
    "rests_on_new": "drafts that cite the newer passage",
    "old_value": "drafts that state an old value",
    "old_value_unnoticed": "drafts that state one, with nothing held against them",
    "new_value": "drafts that state the new value",
    "seconds": "seconds an edit (median)",
}
"""Measure → what a report calls it."""


# What a draft states


def _values(text: str) -> list[Fact]:
    facts = extract_facts(text, polarity=False, names=False)
    return [fact for fact in facts if fact.kind in VALUE_FACTS and not fact.vague]


def _held(fact: Fact, by: Iterable[Fact]) -> bool:
    return any(same_value(fact, other) or same_value(other, fact) for other in by)


def only_in_old(old: str, *newer: str) -> list[Fact]:
    """Return the values that ``old`` states and none of ``newer`` does."""
    known = [fact for text in newer for fact in _values(text)]
    return [fact for fact in _values(old) if not _held(fact, known)]


def old_values_of(case: Case) -> list[Fact]:
    """Return the values of the old answer that are wrong now: neither new answer nor passage has them."""
    return only_in_old(case.old_answer, case.new_answer, plain_text(case.new_passage))


def new_values_of(case: Case) -> list[Fact]:
    """Return the values of the new answer that the old one lacks."""
    return only_in_old(case.new_answer, case.old_answer)


def states(draft: str, values: Iterable[Fact]) -> Fact | None:
    """Return the first of ``values`` that ``draft`` states; None when it states none."""
    said = _values(draft)
    return next((value for value in values if _held(value, said)), None)


def folded(text: str) -> str:
    """Return the letters and digits of Markdown as read, lower case, single spaces."""
    return re.sub(r"[\W_]+", " ", plain_text(text)).casefold().strip()


def rests_on(passage: str, cited: Iterable[str]) -> bool:
    """Say whether one of ``cited`` is ``passage``, a part of it of some length, or holds it."""
    wanted = folded(passage)
    for text in cited:
        found = folded(text)
        if not found or not wanted:
            continue
        if found == wanted or wanted in found:
            return True
        if found in wanted and len(found) >= min(20, len(wanted)):
            return True
    return False


# Scores


def probes_for(case: Case) -> frozenset[str]:
    """Return the probes, and what is run beside them, that have something to ask about an edit."""
    found = {"diff", "approve", "text_differs", "token_rule"}
    if case.new_article:
        found.add("twins")
        if case.question:
            found |= {*ASKERS}
        if case.old_answer and case.new_answer:
            found |= {"draft_old", "draft_new"}
            found |= {"draft_old_with_history", "draft_new_with_history"}
    return frozenset(found)


def score(
    cases: Sequence[Case], labels: Mapping[str, Label], verdicts: Sequence[Verdict]
) -> Scores:
    """Return how the verdicts compare with the labels.

    Edits without a label, and verdicts on edits that are not among ``cases``, do not count.
    """
    known = {case.id: case for case in cases if case.id in labels}
    by_probe: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.id in known:
            by_probe.setdefault(verdict.probe, []).append(verdict)
    figures: dict[str, Figure] = {}
    curves: dict[str, list[CurvePoint]] = {}
    misses: list[Miss] = []
    for probe in sorted(by_probe, key=_order):
        found = by_probe[probe]
        if probe in DETECTORS:
            _score_detector(probe, found, labels, figures)
            points = risk_coverage([(v.score, labels[v.id].changed) for v in found])
            if len(points) > 2:
                curves[probe] = points
        elif probe in ASKERS:
            _score_asker(probe, found, known, labels, figures)
        else:
            _score_drafts(probe, found, labels, figures)
        figures[f"{probe}.seconds"] = Figure(median(v.seconds for v in found), len(found))
        if probe in PROBES or probe.endswith("_with_history"):
            misses += _misses(probe, found, known, labels)
    beside = _beside_the_usual_way(figures)
    return Scores(figures, curves, misses, tables={"": [beside]} if beside.rows else {})


def _order(probe: str) -> tuple[int, str]:
    return (PROBES.index(probe) if probe in PROBES else len(PROBES), probe)


def _shares_by_kind(
    name: str,
    verdicts: Sequence[Verdict],
    labels: Mapping[str, Label],
    figures: dict[str, Figure],
    counts: Callable[[Verdict], bool] = lambda verdict: verdict.flagged,
) -> None:
    """Put the share of flagged verdicts into ``figures``, in all and by kind of change."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(labels[verdict.id].kind, []).append(verdict)
    for kind in sorted(groups):
        hits = sum(counts(verdict) for verdict in groups[kind])
        figures[f"{name}.{kind}"] = share(hits, len(groups[kind]))


def _score_detector(
    probe: str,
    verdicts: Sequence[Verdict],
    labels: Mapping[str, Label],
    figures: dict[str, Figure],
) -> None:
    changed = [v for v in verdicts if labels[v.id].changed]
    same = [v for v in verdicts if not labels[v.id].changed]
    hits, alarms = sum(v.flagged for v in changed), sum(v.flagged for v in same)
    scored = [(v.score, labels[v.id].changed) for v in verdicts]
    figures[f"{probe}.auroc"] = Figure(auroc(scored), len(scored))
    figures[f"{probe}.recall"] = share(hits, len(changed))
    figures[f"{probe}.false_alarms"] = share(alarms, len(same))
    figures[f"{probe}.precision"] = share(hits, hits + alarms)
    figures[f"{probe}.f1"] = Figure(f1(hits, len(changed), hits + alarms), len(verdicts))
    values = [v for v in changed if labels[v.id].kind in VALUE_KINDS]
    figures[f"{probe}.recall.values"] = share(sum(v.flagged for v in values), len(values))
    _shares_by_kind(f"{probe}.recall", changed, labels, figures)


def _score_drafts(
    probe: str,
    verdicts: Sequence[Verdict],
    labels: Mapping[str, Label],
    figures: dict[str, Figure],
) -> None:
    if probe.startswith("draft_old"):
        # Where nothing changed the old answer is the new one, and draft_new scores it. An old
        # answer of kind `added` says that nothing is said: there is no stale fact to catch.
        changed = [v for v in verdicts if labels[v.id].changed]
        wanted = [v for v in changed if labels[v.id].kind != "added"]
        figures[f"{probe}.recall"] = share(sum(v.flagged for v in wanted), len(wanted))
        _shares_by_kind(f"{probe}.recall", changed, labels, figures)
    else:
        alarms = sum(v.flagged for v in verdicts)
        figures[f"{probe}.false_alarms"] = share(alarms, len(verdicts))
        _shares_by_kind(f"{probe}.false_alarms", verdicts, labels, figures)


def _score_asker(
    probe: str,
    verdicts: Sequence[Verdict],
    cases: Mapping[str, Case],
    labels: Mapping[str, Label],
    figures: dict[str, Figure],
) -> None:
    drafted = [v for v in verdicts if v.draft]
    figures[f"{probe}.drafted"] = share(len(drafted), len(verdicts))
    # Who cites the older wording of what only reads differently now tells nobody anything false.
    changed = [v for v in verdicts if labels[v.id].changed]
    figures[f"{probe}.stale"] = share(sum(v.flagged for v in changed), len(changed))
    on_new = sum(rests_on(cases[v.id].new_passage, v.cited or ()) for v in drafted)
    figures[f"{probe}.rests_on_new"] = share(on_new, len(drafted))
    values = [v for v in verdicts if labels[v.id].changed and labels[v.id].kind in VALUE_KINDS]
    gradable = [v for v in values if old_values_of(cases[v.id])]
    figures[f"{probe}.old_value"] = share(
        sum(_says_old(v, cases[v.id]) for v in gradable), len(gradable)
    )
    if gradable and all(v.findings is not None for v in gradable):
        # A reviewer who is shown a finding on the draft knows to look before it goes out.
        unnoticed = sum(_says_old(v, cases[v.id]) and not v.findings for v in gradable)
        figures[f"{probe}.old_value_unnoticed"] = share(unnoticed, len(gradable))
    _shares_by_kind(
        f"{probe}.old_value", gradable, labels, figures, lambda v: _says_old(v, cases[v.id])
    )
    telling = [v for v in values if new_values_of(cases[v.id])]
    told = sum(states(v.draft or "", new_values_of(cases[v.id])) is not None for v in telling)
    figures[f"{probe}.new_value"] = share(told, len(telling))


def _says_old(verdict: Verdict, case: Case) -> bool:
    return states(verdict.draft or "", old_values_of(case)) is not None


def _misses(
    probe: str,
    verdicts: Sequence[Verdict],
    cases: Mapping[str, Case],
    labels: Mapping[str, Label],
) -> list[Miss]:
    found: list[Miss] = []
    for verdict in verdicts:
        case, label = cases[verdict.id], labels[verdict.id]
        what = ""
        if probe in DETECTORS:
            if label.changed != verdict.flagged:
                what = "missed a change" if label.changed else "false alarm"
        elif probe.startswith("draft_old"):
            if label.changed and label.kind != "added" and not verdict.flagged:
                what = "let an old answer pass"
        elif probe.startswith("draft_new"):
            if verdict.flagged:
                what = "stopped a right answer"
        elif label.changed and (
            verdict.flagged or (label.kind in VALUE_KINDS and _says_old(verdict, case))
        ):
            what = "stale draft"
        if what:
            found.append(_miss(case, label, verdict, what))
    return found


def _miss(case: Case, label: Label, verdict: Verdict, what: str) -> Miss:
    return Miss(
        id=case.id,
        probe=verdict.probe,
        kind=label.kind,
        what=what,
        rows=[
            ("question", case.question),
            ("old answer", case.old_answer),
            ("new answer", case.new_answer),
            ("draft", verdict.draft or ""),
            ("cited", " ¶ ".join(verdict.cited or ())),
            ("score", f"{verdict.score:.3f}"),
            ("why", verdict.why),
        ],
        beside=[("old passage", case.old_passage), ("new passage", case.new_passage)],
    )


def _beside_the_usual_way(figures: Mapping[str, Figure]) -> Table:
    """Return the figures of ``ask`` beside those of plain RAG."""
    rows = []
    for measure in ("old_value", "stale", "new_value", "rests_on_new", "drafted"):
        ours, usual = figures.get(f"ask.{measure}"), figures.get(f"plain_rag.{measure}")
        if ours and usual:
            rows.append((MEASURES[measure], in_a_line(ours), in_a_line(usual)))
    return Table(("", "Proofdesk", "plain LangChain RAG"), rows)
