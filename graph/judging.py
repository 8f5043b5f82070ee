"""What is held against a draft: by the check, and by other sources that contradict its own."""

from __future__ import annotations

from graph.evidence import cited_articles, cited_passage_ids, dispute_findings, disputes_of
from graph.ports import Deps
from graph.values import CheckReport, Dispute, Draft


def judge_draft(draft: Draft, question: str, deps: Deps) -> tuple[CheckReport, list[Dispute]]:
    """Return the check's report with the contradictions among it, and the contradictions.

    Args:
        draft: What to judge, whoever wrote it.
        question: What the customer asks; "" where it is not known.
        deps: What is in force, what checks, and what knows of contradictions.
    """
    passages = deps.sources.passages(cited_passage_ids(draft))
    in_force = deps.sources.versions_in_force(cited_articles(draft))
    report = deps.checker.check(draft, passages, set(in_force.values()), question)
    disputes = disputes_of(draft, list(passages.values()), deps.disputes)
    findings = [*report["findings"], *dispute_findings(draft, disputes)]
    passed = report["passed"] and not findings
    return {**report, "passed": passed, "findings": findings}, disputes
