"""How texts are judged by examples."""

import numpy as np
import pytest

from graph.meaning import ExampleRules, ExampleVectors, Judged
from retrieval.embeddings import HashEmbedder

SMOKE = ["smoke comes out of the socket", "the plug is burning", "the charger smells burnt"]
SMOKE_HARMLESS = ["where is the smoke detector on the plan", "is the candle burning for long"]
MONEY = ["i want my money back", "please refund what i paid"]


def rules(cache=None, **changes: object) -> ExampleRules:
    values: dict[str, object] = {
        "positive": [SMOKE, MONEY, []],
        "harmless": [SMOKE_HARMLESS, [], []],
        "ordinary": ["what time do you open", "do you ship to norway"],
        "groups": ["severe", "mild", "mild"],
        "vectors": ExampleVectors(HashEmbedder(), cache),
    }
    return ExampleRules(**{**values, **changes})  # type: ignore[arg-type]


def judge(of: ExampleRules, *texts: str) -> Judged:
    return of.judge(texts, HashEmbedder().embed(texts))


def test_an_example_fires_its_own_rule_and_its_look_alike_does_not():
    judged = judge(rules(), "smoke comes out of my socket", "where is the smoke detector")
    assert judged.probability[0, 0] > 0.4 > 0.2 > judged.probability[1, 0]
    assert judged.probability[0, 1] < 0.2
    assert judged.nearest[0, 0] == 0


def test_what_is_like_nothing_known_is_improbable_but_not_impossible():
    probability = judge(rules(), "qqq zzz").probability[0, 0]
    assert 0.02 < probability < 0.2


def test_a_rule_without_examples_never_fires():
    assert judge(rules(), *SMOKE).probability[:, 2].tolist() == [0.0, 0.0, 0.0]


def test_the_wording_alone_puts_the_alarming_text_first():
    alarm = rules().by_wording(["do you ship to sweden", "a burning smell and smoke"])
    assert alarm[1, 0] > alarm[0, 0]


def test_no_examples_at_all_fire_nothing():
    empty = rules(positive=[[]], harmless=[[]], ordinary=[], groups=["severe"])
    assert judge(empty, "smoke").probability.tolist() == [[0.0]]
    assert empty.by_wording(["smoke"]).tolist() == [[0.0]]


def test_a_text_of_two_rules_is_an_example_of_both():
    both = "the plug is burning and i want my money back"
    judged = judge(rules(positive=[[*SMOKE, both], [*MONEY, both], []]), both)
    assert judged.probability[0, :2].min() > 0.4


def test_what_the_team_hears_daily_quietens_only_its_group():
    often = "please refund the smoke socket"
    before = judge(rules(), often).probability[0]
    after = judge(rules(familiar={"severe": [often]}), often).probability[0]
    assert after[0] < before[0]
    assert after[1] > 0.9 * before[1] - 0.1


@pytest.mark.parametrize("changed", ["ordinary", "harmless"])
def test_what_was_learned_is_kept_until_an_example_changes(tmp_path, changed):
    first = judge(rules(tmp_path), "smoke").probability
    files = set(tmp_path.iterdir())
    assert np.array_equal(judge(rules(tmp_path), "smoke").probability, first)
    assert set(tmp_path.iterdir()) == files
    value: object = ["smoke"] if changed == "ordinary" else [["smoke"], [], []]
    assert judge(rules(tmp_path, **{changed: value}), "smoke").probability[0, 0] < first[0, 0]
