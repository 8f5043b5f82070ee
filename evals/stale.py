"""The stale suite: runs the probes, scores them, keeps the run so that it can be opened again.

The fields of data, verdicts and gates are documented in ``evals/README.md``.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from core.errors import BadInput
from core.settings import Settings
from evals import stale_probes
from evals.gate import Gate, failures
from evals.report import Comparison, Flip, Report, as_json, as_markdown
from evals.report_html import as_html
from evals.stale_baselines import text_differs, token_rule
from evals.stale_cases import Data, Label
from evals.stale_judges import Folds, judges
from evals.stale_scores import DETECTORS, score
from evals.stale_twins import twins
from evals.stale_verdicts import (
    EXTRA_PROBES,
    PROBES,
    Probe,
    Verdict,
    only_probes,
    read_verdicts,
    write_verdicts,
    write_whole,
)
from evals.stale_world import Kit, Progress
from retrieval.embeddings import load_embedder
from retrieval.ports import Embedder
from retrieval.remembering import RememberingEmbedder

SUITE: Final = "stale"
_REMEMBERED: Final = 200_000  # texts: no article of a suite is embedded twice


@dataclass(frozen=True)
class Run:
    """What a run found and how it was done.

    Attributes:
        verdicts: Of the probes and of what is run beside them.
        about: Label → words, for the head of the report.
    """

    verdicts: list[Verdict]
    about: dict[str, str]


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
) -> Run:
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
        "took": f"{time.perf_counter() - began:.0f} s",
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Run(verdicts, about)


def report_of(
    found: Run, data: Data, *, gate: Gate | None = None, baseline: Path | None = None
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
    scores = score(data.cases, data.labels, found.verdicts) if data.labels else None
    comparison = _compare(baseline, data, found.verdicts) if baseline and scores else None
    said = None if gate is None else failures(gate, scores.figures if scores else {})
    return Report(found.about, scores, found.verdicts, comparison, said)


def _compare(path: Path, data: Data, now: Sequence[Verdict]) -> Comparison:
    then = {(v.id, v.probe): v for v in read_verdicts(path)}
    both = [v for v in now if (v.id, v.probe) in then]
    if not both:
        raise BadInput(f"{path}: shares no edit and probe with this run.")
    flips: list[Flip] = []
    for verdict in both:
        was = then[verdict.id, verdict.probe].flagged
        if was != verdict.flagged:
            better = _better(verdict, data.labels.get(verdict.id))
            flips.append(Flip(verdict.id, verdict.probe, was, verdict.flagged, better))
    earlier = [then[v.id, v.probe] for v in both]
    return Comparison(
        name=path.name,
        figures=score(data.cases, data.labels, earlier).figures,
        now=score(data.cases, data.labels, both).figures,
        flips=flips,
        shared=len({verdict.id for verdict in both}),
    )


def _better(verdict: Verdict, label: Label | None) -> bool | None:
    if label is None:
        return None
    if verdict.probe in DETECTORS:
        return verdict.flagged == label.changed
    if verdict.probe.startswith("draft_old"):
        return verdict.flagged if label.changed else not verdict.flagged
    return not verdict.flagged


def write_run(folder: Path, report: Report) -> None:
    """Write a run's folder: ``verdicts.jsonl``, ``run.json``, ``report.html``, ``report.md``.

    Raises:
        BadInput: The folder cannot be written.
    """
    write_verdicts(folder / "verdicts.jsonl", report.verdicts)
    text = json.dumps(as_json(report), ensure_ascii=False, indent=2)
    write_whole(folder / "run.json", f"{text}\n")
    write_whole(folder / "report.md", as_markdown(report))
    write_whole(folder / "report.html", as_html(report))


def reopened(path: Path) -> Run:
    """Return an earlier run, to be scored again.

    Args:
        path: A run's folder, or a verdict file.

    Raises:
        BadInput: It is neither.
    """
    verdicts = read_verdicts(path)
    about = {"verdicts of": str(path)}
    kept = path / "run.json"
    if path.is_dir() and kept.is_file():
        try:
            said: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
            about |= {str(k): str(v) for k, v in said["about"].items()}
        except (ValueError, KeyError, AttributeError, TypeError):
            raise BadInput(f"{kept}: is not what a run writes; delete it to go on.") from None
    return Run(verdicts, about)


def write_outcome(path: Path, found: Run) -> None:
    """Write the verdicts of the six probes, one a line."""
    write_verdicts(path, only_probes(found.verdicts))
