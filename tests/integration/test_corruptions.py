from __future__ import annotations

from pathlib import Path

import pytest

from evals.corruptions import Rate, Sample, build_drafts, corrupt, help_center, reword, run
from graph.check import EvidenceChecker
from graph.values import CheckReport, Draft


class Blind:
    def check(
        self, draft: Draft, passages: object, in_force: set[str], question: str = ""
    ) -> CheckReport:
        return {"passed": True, "findings": [], "triggers": []}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder = tmp_path_factory.mktemp("center")
    (folder / "refunds.md").write_text(
        "---\ntitle: Refunds\n---\n# Refunds\n\n"
        "You can request a refund within 30 days of your purchase on the Pro Plan.\n\n"
        "Refunds of more than $250.00 must be approved by the Billing Team before June 5, 2024.\n\n"
        "Gift cards cannot be refunded, and a discount of 20% does not apply to them.\n\n"
        "Annual plans are refunded within 14 days, monthly plans are refunded within 3 days.\n"
    )
    return build_drafts(help_center(folder), 40, seed=3)


def test_a_blind_check_finds_nothing(samples: list[Sample]) -> None:
    scores = run(Blind(), samples, corrupt(samples, 60, seed=1))
    assert scores.recall.hits == 0
    assert len(scores.missed) == scores.recall.total > 20


def test_each_corruption_changes_one_sentence_and_keeps_its_citations(
    samples: list[Sample],
) -> None:
    variants = corrupt(samples, 60, seed=1)
    assert {v.kind for v in variants} >= {
        "duration", "amount", "date", "percentage", "negation", "name", "permission", "swap",
    }  # fmt: skip
    for variant in variants:
        assert variant.before != variant.after
        sentence = variant.sample.draft["sentences"][variant.sentence]
        assert sentence["text"] == variant.after
        assert sentence["citations"]


def test_corruptions_repeat_with_their_seed(samples: list[Sample]) -> None:
    first = [(v.kind, v.after) for v in corrupt(samples, 40, seed=5)]
    assert first == [(v.kind, v.after) for v in corrupt(samples, 40, seed=5)]
    assert first != [(v.kind, v.after) for v in corrupt(samples, 40, seed=6)]


def test_the_check_finds_every_corruption_of_a_small_article(samples: list[Sample]) -> None:
    scores = run(
        EvidenceChecker(), samples, corrupt(samples, 60, seed=1), reword(samples, 20, seed=1)
    )
    assert scores.missed == []
    assert scores.clean.hits == 0, scores.alarms
    assert scores.reworded_alarms.hits == 0, scores.alarms


def test_a_rate_knows_how_sure_it_is() -> None:
    low, high = Rate(95, 100).interval
    assert low == pytest.approx(0.888, abs=0.002)
    assert high == pytest.approx(0.978, abs=0.002)
    assert Rate(0, 0).interval == (0.0, 1.0)


@pytest.mark.data
@pytest.mark.parametrize("name", ["letsencrypt", "travis-ci"])
def test_most_corruptions_of_real_articles_are_found(shared_data: Path, name: str) -> None:
    drafts = build_drafts(help_center(shared_data / f"helpcenter-{name}"), 60, seed=11)
    scores = run(
        EvidenceChecker(), drafts, corrupt(drafts, 120, seed=12), reword(drafts, 40, seed=13)
    )
    assert scores.recall.share >= 0.95, scores.missed
    assert scores.clean.share <= 0.05, scores.alarms
    assert scores.reworded_alarms.share <= 0.15, scores.alarms
