"""The stale suite: runs the probes, scores them, keeps the run so that it can be opened again.

The fields of data, verdicts and gates are documented in ``evals/README.md``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from core.settings import Settings
from evals import runs, stale_probes
from evals.files import write_rows
from evals.gate import Gate
from evals.report import CurveWords, Report, Words
from evals.runs import Judging, Progress, Run, finished, of_probe
from evals.stale_baselines import text_differs, token_rule
from evals.stale_cases import Data, Label
from evals.stale_judges import Folds, judges
from evals.stale_scores import DETECTORS, MEASURES, probes_for, score
from evals.stale_twins import twins
from evals.stale_verdicts import EXTRA_PROBES, PROBES, Probe, Verdict, only_probes, read_verdicts
from evals.stale_world import Kit
from retrieval.embeddings import load_embedder
from retrieval.ports import Embedder
from retrieval.remembering import RememberingEmbedder

SUITE: Final = "stale"
_REMEMBERED: Final = 200_000  # texts: no article of a suite is embedded twice


WORDS: Final = Words(
    suite=SUITE,
    title="Stale suite",
    cases="edits",
    titles={
        "diff": "diff: did a fact change between the two passages?",
        "draft_old": "draft_old: the outdated answer, checked against the new article",
        "draft_new": "draft_new: the right answer, checked against the new article",
        "draft_old_with_history": "draft_old, where the desk has seen the older version",
        "draft_new_with_history": "draft_new, where the desk has seen the older version",
        "approve": "approve: a draft from the older version, approved after the sync",
        "twins": "twins: both versions in force as two sources",
        "ask": "ask: the question through the whole graph, both versions synced in order",
        "plain_rag": "Baseline: plain LangChain RAG with both versions indexed",
        "text_differs": "Baseline: the text differs",
        "token_rule": "Baseline: a number, negation or date token differs",
    },
    measures=MEASURES,
    headlines=(
        "auroc", "recall", "false_alarms", "old_value", "old_value_unnoticed", "stale", "rests_on_new", "drafted",
    ),
    curve=CurveWords(
        lead="Let the edits with the lowest scores pass without a look:",
        coverage="share that passes without a look",
        risk="share of those that changed",
        head=("pass", "score up to", "changed among them"),
    ),
    opening="Stale answers, beside the usual way",
)  # fmt: skip
Found = Run[Verdict]


def run(
    data: Data,
    probes: Sequence[Probe] = PROBES,
    *,
    folds: Folds = "none",
    words: Path | None = None,
    beside: bool = True,
    embedder: Embedder | None = None,
    cache: Path | None = None,
    on_progress: Progress = lambda *_: None,
) -> Found:
    """Run ``probes`` on the edits of ``data``. Labels are not read, except to fit judges on folds.

    Args:
        data: The edits.
        probes: Which probes to run.
        folds: ``corpus``: the judge that is asked about a help center was fitted without it.
            ``none``: the judge that the product ships with.
        words: With folds: folder of unlabelled edits in which words are counted.
        beside: Whether baselines and the other regime are run for the report.
        embedder: Default: the one that the settings name.
        cache: Folder for what the rules learn from their examples; default one for this run.
        on_progress: Called with what is under way, how many are done, and how many there are.

    Raises:
        BadInput: Folds are wanted of data that has no labels or only one help center.
    """
    began = time.perf_counter()
    embedder = RememberingEmbedder(embedder or load_embedder(Settings().embeddings), _REMEMBERED)
    own, judge_of, judge_words = judges(data, folds, words)
    wanted: set[str] = set(probes)
    if beside:
        wanted |= set(EXTRA_PROBES)
        wanted -= set() if "ask" in probes else {"plain_rag"}
        for probe in ("draft_old", "draft_new"):
            if probe not in probes:
                wanted.discard(f"{probe}_with_history")
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="proofdesk-eval-") as folder:
        kit = Kit(embedder, cache or Path(folder), own, judge_of, on_progress)
        if "diff" in wanted:
            verdicts += stale_probes.diff(data.cases, kit)
        if wanted & {"draft_old", "draft_new"}:
            verdicts += stale_probes.drafts(data.cases, wanted, kit)
        if "twins" in wanted:
            verdicts += twins(data.cases, kit)
        verdicts += stale_probes.replayed(data.cases, wanted, kit)
    if "text_differs" in wanted:
        verdicts += [text_differs(case) for case in data.cases]
        verdicts += [token_rule(case) for case in data.cases]
    order = {name: at for at, name in enumerate((*PROBES, *EXTRA_PROBES))}
    place = {case.id: at for at, case in enumerate(data.cases)}
    verdicts.sort(key=lambda verdict: (order[verdict.probe], place[verdict.id]))
    about = {
        "edits": f"{len(data.cases)}, {len(data.labels)} of them labelled",
        "judge of changes": judge_words,
        "judge of short answers": "the shipped one",
        "embeddings": embedder.name,
        **finished(time.perf_counter() - began),
    }
    return Run(verdicts, about)


def report_of(
    found: Found, data: Data, *, gate: Gate | None = None, baseline: Path | None = None
) -> Report:
    """Score a run and lay it beside an earlier one and its gate.

    Args:
        found: The run.
        data: The edits with their labels.
        gate: What the figures must keep to.
        baseline: Folder or verdict file of an earlier run.

    Raises:
        BadInput: The earlier run cannot be read or shares no edit with this one.
    """
    asked_of = {case.id: probes_for(case) for case in data.cases if case.id in data.labels}
    judging = Judging(
        score=partial(score, data.cases, data.labels) if data.labels else None,
        read=read_verdicts,
        told=lambda verdict: "flagged" if verdict.flagged else "passed",
        better=lambda was, now: _good(now, data.labels.get(now.id)),
        bases={
            probe: of_probe(probe, (name for name, probes in asked_of.items() if probe in probes))
            for probe in (*PROBES, *EXTRA_PROBES)
        },
    )
    return runs.report_of(WORDS, found, judging, gate=gate, baseline=baseline)


def _good(verdict: Verdict, label: Label | None) -> bool | None:
    if label is None:
        return None
    if verdict.probe in DETECTORS:
        return verdict.flagged == label.changed
    if verdict.probe.startswith("draft_old"):
        return verdict.flagged if label.changed else not verdict.flagged
    return not verdict.flagged


def write_outcome(path: Path, found: Found) -> None:
    """Write the verdicts of the six probes, one a line."""
    write_rows(path, (verdict.as_json() for verdict in only_probes(found.verdicts)))
