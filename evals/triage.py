"""The triage suite: contacts through the classifier and the rules of a workspace, nothing drafted.

The fields of data, verdicts and gates are documented in ``evals/README.md``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from core.settings import Settings
from desk.bootstrap import opened
from desk.sample import SAMPLE as SAMPLE_WORKSPACE
from desk.triage_file import triage_contacts
from evals import runs
from evals.gate import Gate
from evals.report import CurveWords, Report, Words
from evals.runs import Judging, Progress, Run, finished, word_for_word
from evals.triage_cases import TriageCase
from evals.triage_scores import (
    MEASURES,
    Verdict,
    bases,
    better,
    read_verdicts,
    score,
    told,
    verdict_of,
)
from graph.ports import Classifier, TriageRules
from graph.reasons import ReasonMap
from graph.tiers import TierRules
from graph.values import Conversation
from retrieval.embeddings import load_embedder
from retrieval.ports import Embedder
from retrieval.remembering import RememberingEmbedder

SUITE: Final = "triage"
SAMPLE: Final = Path(__file__).parent / "sample" / "triage.jsonl"
_AT_ONCE: Final = 64  # contacts between two words on the progress
_REMEMBERED: Final = 200_000  # texts: rules and chances read the same ones

WORDS: Final = Words(
    suite=SUITE,
    title="Triage suite",
    cases="contacts",
    titles={
        "message": "message: the tier by message, conversation and the customer's fields",
        "triggers": "triggers: what gave cause for it",
        "chance": "chance: how sure it is that a contact must be escalated",
        "desk": "desk: the tier with what this workspace's reason map and confidence add",
        "words": "Baseline: phrases and fields alone, no meaning",
    },
    measures=MEASURES,
    headlines=(
        "escalated", "leaked", "kept", "needless", "same_tier", "macro_f1", "auroc", "ece",
    ),
    curve=CurveWords(
        lead="Let the contacts with the lowest chance pass without a look:",
        coverage="share that passes without a look",
        risk="share of those that had to be escalated",
        head=("pass", "chance up to", "to be escalated among them"),
    ),
    kinds={"triggers": "trigger"},
)  # fmt: skip
Found = Run[Verdict]


@runtime_checkable
class _TellsChances(Protocol):
    def chances(self, conversations: Sequence[Conversation]) -> list[dict[str, float]]: ...


@dataclass(frozen=True)
class _Parts:
    """What triages, wired as a desk wires it."""

    classifier: Classifier
    rules: TriageRules
    tiers: TierRules
    reasons: ReasonMap
    embedder: Embedder
    whose: str


def run(
    cases: Sequence[TriageCase],
    *,
    workspace: Path | None = None,
    beside: bool = True,
    embedder: Embedder | None = None,
    cache: Path | None = None,
    on_progress: Progress = lambda *_: None,
) -> Found:
    """Triage the contacts of ``cases``. Labels are not read.

    Args:
        cases: The contacts.
        workspace: Folder with the rules and the reason map; None for the rules that the product
            ships with and no reason map.
        beside: Whether the baseline is run for the report.
        embedder: Default: the one that the settings name.
        cache: Folder for what the rules learn from their examples; default one for this run.
        on_progress: Called with what is under way, how many are done, and how many there are.

    Raises:
        BadInput: The workspace is none, or its rules are no rules.
    """
    began = time.perf_counter()
    verdicts: list[Verdict] = []
    with _wired(workspace, embedder, cache) as parts:
        severe = {rule.id for rule in parts.tiers.rules if rule.tier == "escalate_first"}
        for start in range(0, len(cases), _AT_ONCE):
            contacts = [case.contact for case in cases[start : start + _AT_ONCE]]
            chances: Sequence[dict[str, float] | None] = [None] * len(contacts)
            if isinstance(parts.rules, _TellsChances):
                chances = parts.rules.chances([one.conversation() for one in contacts])
            lines = triage_contacts(parts.classifier, parts.rules, contacts)
            verdicts += [
                verdict_of(line, chances=chance, severe=severe, at_desk=workspace is not None)
                for line, chance in zip(lines, chances, strict=True)
            ]
            on_progress("contacts", start + len(contacts), len(cases))
        if beside:
            every = [case.contact for case in cases]
            lines = triage_contacts(parts.classifier, _words_alone(parts), every)
            verdicts += [verdict_of(line, probe="words", at_desk=False) for line in lines]
        by_heart = _by_heart(cases, parts.tiers)
        about = {
            "contacts": f"{len(cases)}, {sum(case.label is not None for case in cases)} labelled",
            "workspace": parts.whose,
            "contacts that are an example of a rule, word for word": str(by_heart),
            "embeddings": parts.embedder.name,
            **finished(time.perf_counter() - began),
        }
    return Run(verdicts, about)


@contextmanager
def _wired(
    workspace: Path | None, embedder: Embedder | None, cache: Path | None
) -> Iterator[_Parts]:
    """Yield classifier and rules of a desk that holds nothing else."""
    with tempfile.TemporaryDirectory(prefix="proofdesk-eval-") as folder:
        bare = Path(folder) / "workspace"
        (bare / "articles").mkdir(parents=True)
        home = Path(folder) / "home"
        home.mkdir()
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)
            (home / "cache").symlink_to(cache.absolute())
        settings = Settings(
            home=home,
            workspace=workspace or bare,
            # Never the records of a desk at work, wherever the environment says they are.
            database_url=None,
            _env_file=None,
        )
        with opened(settings, inline=True) as desk:
            desk.embedder = embedder or load_embedder(settings.embeddings)
            desk.reader = RememberingEmbedder(desk.embedder, _REMEMBERED)
            if workspace is None:
                whose = "none: the rules that the product ships with"
            elif workspace == SAMPLE_WORKSPACE:
                whose = "the sample"
            else:
                whose = str(workspace)
            deps = desk.deps
            yield _Parts(deps.classifier, deps.rules, desk.tiers, desk.reasons, desk.reader, whose)


def _words_alone(parts: _Parts) -> TriageRules:
    from graph.triage import TriageService

    rules = [rule.model_copy(update={"examples": (), "harmless": ()}) for rule in parts.tiers.rules]
    return TriageService(TierRules(rules), parts.reasons, parts.embedder)


def _by_heart(cases: Sequence[TriageCase], tiers: TierRules) -> int:
    """Count the contacts that the rules were told how to take."""
    examples = [text for rule in tiers.rules for text in (*rule.examples, *rule.harmless)]
    said = ([one.text for one in case.contact.messages] for case in cases)
    return word_for_word(said, [*tiers.ordinary, *examples])


def report_of(
    found: Found,
    cases: Sequence[TriageCase],
    *,
    gate: Gate | None = None,
    baseline: Path | None = None,
) -> Report:
    """Score a run and lay it beside an earlier one and its gate.

    Args:
        found: The run.
        cases: The contacts with what they expect.
        gate: What the figures must keep to.
        baseline: Folder or verdict file of an earlier run; output of `proofdesk triage --json`.

    Raises:
        BadInput: The earlier run cannot be read or shares no contact with this one.
    """
    labels = {case.id: case.label for case in cases if case.label is not None}
    judging = Judging(
        score=partial(score, cases) if labels else None,
        read=read_verdicts,
        told=told,
        better=lambda was, now: better(was, now, labels),
        bases=bases(labels),
    )
    return runs.report_of(WORDS, found, judging, gate=gate, baseline=baseline)
