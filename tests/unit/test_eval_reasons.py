"""Files, maps, plans and scores of the reasons suite, on examples that can be counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput
from evals.gate import Gate
from evals.reason_cases import (
    Asked,
    Texts,
    drawn,
    groups_of,
    map_of,
    of_corrections,
    own_examples,
    read_map,
    read_texts,
    split_folders,
    without,
)
from evals.reason_scores import Verdict, better, read_verdicts, score, wrong
from evals.reasons import plan, plan_of_own, report_of, run
from evals.runs import Run
from evals.scores import Figure, share
from graph.reasons import Reason, ReasonMap
from retrieval.embeddings import HashEmbedder

# Files


def test_a_text_about_nothing_is_not_one_without_a_label(tmp_path: Path):
    (tmp_path / "a.csv").write_text('text,category\n"Hi, my card?",card\nwhat a day,\n')
    (tmp_path / "b.jsonl").write_text('{"text": "x"}\n{"text": "y", "label": "oos", "id": "own"}\n')
    texts = read_texts(tmp_path / "a.csv", tmp_path / "b.jsonl")
    assert [one.text for one in texts.asked] == ["Hi, my card?", "what a day", "x", "y"]
    assert texts.reasons == {"a.csv:2": "card", "a.csv:3": None, "own": None}


def test_texts_of_a_file_outside_are_about_nothing_whatever_it_says(tmp_path: Path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test.csv").write_text("text,reason\nhello,card\n")
    one, two = tmp_path / "one" / "test.csv", tmp_path / "two" / "test.csv"
    assert list(read_texts(one, outside=[two]).reasons.values()) == ["card", None]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "a.csv:1: text: the column is missing"),
        ("a.csv", "question,reason\nx,y\n", "a.csv:1: text: the column is missing"),
        ("a.csv", "text,reason\n", "holds no text"),
        ("a.csv", "text,reason\nx,y\n  ,y\n", "a.csv:3: text: is empty"),
        ("a.csv", "text,reason\nx\n", "a.csv:2: has not 2 cells"),
        ("a.csv", "text,reason\nx,y,z\n", "a.csv:2: has not 2 cells"),
        ("a.csv", 'text,reason\n"x,y\n', "not valid CSV"),
        ("a.jsonl", '{"text": "x"}\n{"words": "x"}', "a.jsonl:2: text: Field required"),
        ("a.jsonl", '{"text": "x", "reason": 3}', "a.jsonl:1: reason"),
        ("a.jsonl", '{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}', "a.jsonl:2: id: 'a'"),
    ],
)
def test_a_row_that_is_no_text_is_named(tmp_path: Path, name: str, content: str, said: str):
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(BadInput) as refusal:
        read_texts(file)
    assert said in refusal.value.message


def test_a_folder_holds_a_test_file_and_perhaps_one_to_learn_from(tmp_path: Path):
    with pytest.raises(BadInput, match="holds no test"):
        split_folders([tmp_path])
    (tmp_path / "test.csv").write_text("")
    (tmp_path / "more.csv").write_text("")
    more = tmp_path / "more.csv"
    assert split_folders([tmp_path, more]) == ([tmp_path / "test.csv", more], [])
    (tmp_path / "train.jsonl").write_text("")
    assert split_folders([tmp_path])[1] == [tmp_path / "train.jsonl"]


def test_a_file_to_learn_from_needs_labels_and_two_reasons():
    one = Texts((Asked("a", "x"), Asked("b", "y")), {"a": "card", "b": None})
    with pytest.raises(BadInput, match="holds texts of 1 reasons"):
        map_of(one, Path("train.csv"))
    with pytest.raises(BadInput, match="b: reason or category: is missing"):
        map_of(Texts(one.asked, {"a": "card"}), Path("train.csv"))


def test_a_workspace_without_a_map_is_named(tmp_path: Path):
    with pytest.raises(BadInput, match=r"reasons.yaml: there is no such file"):
        read_map(tmp_path)


def test_corrections_of_people_become_texts():
    texts = of_corrections([("where is it", "order"), ("hello", None)])
    assert texts.reasons == {"past-1": "order", "past-2": None}
    with pytest.raises(BadInput, match="nobody has said yet"):
        of_corrections([])


# Maps and plans


def reason(name: str, *examples: str) -> Reason:
    return Reason(id=name, name=name, examples=examples)


MAP = ReasonMap(
    [
        reason("card", "where is my card", "my card is late", "card not here", "no card yet"),
        reason("rate", "what is the rate", "your rate is off", "rate of today", "rate for euros"),
        reason("fees", "why a fee", "what fee is this", "fee on my bill", "fees for cash"),
    ]
)


def examples(reasons: ReasonMap) -> dict[str, tuple[str, ...]]:
    return {one.id: one.examples for one in reasons}


def test_lots_are_drawn_alike_from_the_same_seed_and_never_more_than_there_are():
    two = examples(drawn(MAP, 2, 7))
    assert {len(one) for one in two.values()} == {2}
    assert two == examples(drawn(MAP, 2, 7))
    assert any(examples(drawn(MAP, 2, seed)) != two for seed in range(5))
    assert examples(drawn(MAP, 9, 7)) == examples(MAP)


def test_every_reason_is_held_back_once():
    ids = [str(at) for at in range(77)]
    groups = groups_of(ids, 0.1, 0)
    assert len(groups) == 10
    assert sorted(one for group in groups for one in group) == sorted(ids)
    assert {len(group) for group in groups} == {7, 8}
    assert groups_of(["a", "b"], 0.5, 0) in ([["a"], ["b"]], [["b"], ["a"]])


def test_a_text_held_back_is_judged_without_its_reason_and_once_with_it():
    texts = read(("late", "card"), ("euros", "rate"), ("cash", "fees"), ("hi", None))
    planned = plan(texts, MAP, unknown=0.3)
    first, *others = planned.rounds
    assert {one.text: probe for probe, one in first.asked} == {
        "late": "known",
        "euros": "known",
        "cash": "known",
        "hi": "outside",
    }
    seen: dict[str, list[str]] = {"unknown": [], "rest": []}
    for one in others:
        left = examples(one.reasons)
        assert len(one.asked) == 4  # all come in, as at a desk
        for probe, asked in one.asked:
            if probe is None:
                continue
            seen[probe].append(asked.text)
            assert (planned.texts.reasons[asked.id] in left) is (probe == "rest")
    assert sorted(seen["unknown"]) == sorted(seen["rest"]) == ["cash", "euros", "late"]


def read(*rows: tuple[str, str | None]) -> Texts:
    return Texts(
        tuple(Asked(f"t{at}", text) for at, (text, _) in enumerate(rows)),
        {f"t{at}": label for at, (_, label) in enumerate(rows)},
    )


def test_a_label_that_the_map_lacks_is_outside_and_said():
    planned = plan(read(("late", "card"), ("x", "mortgage")), MAP, unknown=0)
    probes = {one.text: probe for probe, one in planned.rounds[0].asked}
    assert probes == {"late": "known", "x": "outside"}
    assert planned.about["labels that are no reason of the map"] == "mortgage"


def test_every_draw_judges_all_texts_under_ids_of_its_own():
    planned = plan(
        read(
            ("late", "card"),
        ),
        MAP,
        shots=2,
        draws=3,
        unknown=0,
    )
    assert [one.id for one in planned.texts.asked] == ["t0@1", "t0@2", "t0@3"]
    assert set(planned.texts.reasons.values()) == {"card"}
    assert len(planned.rounds) == 3


def test_a_map_is_judged_by_itself_with_every_example_once_by_a_map_that_lacks_it():
    parts = own_examples(MAP, 5, 0)
    asked = [one.text for _, part in parts for one in part.asked]
    assert sorted(asked) == sorted(text for one in MAP for text in one.examples)
    for left, part in parts:
        kept = {text for one in left for text in one.examples}
        assert kept.isdisjoint(one.text for one in part.asked)
    with pytest.raises(BadInput, match="three examples"):
        plan_of_own(ReasonMap([reason("a", "x"), reason("b", "y")]))


def test_one_reason_is_nothing_to_tell_apart():
    alone = without(MAP, {"rate", "fees"})
    with pytest.raises(BadInput, match="fewer than two reasons"):
        plan(read(("x", "card")), alone)
    with pytest.raises(BadInput, match="fewer than two reasons"):
        plan_of_own(alone)


def test_a_run_judges_each_text_for_each_of_its_probes_and_reads_no_label():
    texts = read(("my card is late today", "card"), ("which rate for euros", "rate"))
    found = run(plan(texts, MAP, unknown=0.3), embedder=HashEmbedder())
    for probe in ("known", "floor"):
        assert sorted(v.id for v in found.verdicts if v.probe == probe) == ["t0", "t1"]
    bare = run(plan(Texts(texts.asked, {}), MAP, unknown=0), embedder=HashEmbedder(), beside=False)
    assert bare.verdicts == [one for one in found.verdicts if one.probe == "known"]


def test_a_correction_holds_at_once():
    wronged = read(("my card is late today", "fees"))
    found = run(plan(wronged, MAP, unknown=0), embedder=HashEmbedder(), beside=False)
    (again,) = [one for one in found.verdicts if one.probe == "correction"]
    assert again.reason == "fees"
    assert again.seconds is not None


# Scores


def verdict(
    name: str, probe: str, given: str | None, sure: float, best: str | None = None, **more: Any
) -> Verdict:
    guess = {"reason": best or given or "", "confidence": sure, "evidence": ["word"]}
    return Verdict(name, probe, given, sure, (guess,), **more)  # type: ignore[arg-type]


TRUTH = {"a": "card", "b": "card", "c": "rate", "d": None}
TEXTS = {"a": "A", "b": "B", "c": "C", "d": "D"}
JUDGED = [
    verdict("a", "known", "card", 0.9),
    verdict("b", "known", None, 0.4, best="card"),
    verdict("c", "known", "card", 0.6),
    verdict("d", "outside", "rate", 0.5),
]


def test_a_right_guess_that_was_refused_is_right_but_not_kept():
    figures = score(TEXTS, TRUTH, JUDGED).figures
    assert figures["known.accuracy"] == share(2, 3)
    assert figures["known.kept"] == share(1, 3)
    assert figures["known.refused"] == share(1, 3)
    assert figures["outside.refused"] == share(0, 1)
    # card: 2 of 3 given, 2 of 2 found: F1 0.8; rate: never given: 0.
    assert figures["known.precision.card"] == share(2, 3)
    assert figures["known.recall.rate"] == share(0, 1)
    assert figures["known.macro_f1"] == Figure(pytest.approx(0.4), 2)  # type: ignore[arg-type]
    # |.9 - 1| + |.4 - 1| + |.6 - 0| over 3
    assert figures["known.ece"].value == pytest.approx(1.3 / 3)
    # d (0.5) is doubted more than a and c, less than b.
    assert figures["outside.auroc"].value == pytest.approx(2 / 3)


def test_the_surest_pass_first():
    points = score(TEXTS, TRUTH, JUDGED).curves["known"]
    assert [(one.coverage, one.risk) for one in points] == [
        (pytest.approx(1 / 3), 0.0),
        (pytest.approx(2 / 3), 0.5),
        (1.0, pytest.approx(1 / 3)),
    ]


def test_the_unknown_must_be_refused_and_the_rest_must_not():
    judged = [
        verdict("a", "unknown", None, 0.2, best="rate"),
        verdict("c", "unknown", "card", 0.7),
        verdict("b", "rest", "card", 0.8),
        verdict("c", "rest", None, 0.3, best="rate"),
    ]
    figures = score(TEXTS, TRUTH, judged).figures
    assert figures["unknown.refused"] == share(1, 2)
    assert figures["unknown.kept"] == share(1, 2)
    assert figures["unknown.auroc"].value == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("judged", "truth", "what"),
    [
        (JUDGED[0], "card", ""),
        (JUDGED[1], "card", "refused, though the best guess is right"),
        (JUDGED[1], "rate", "refused"),
        (JUDGED[2], "rate", "taken for another"),
        (JUDGED[3], None, "not refused"),
        (verdict("a", "unknown", "card", 0.5), "card", "not refused"),
        (verdict("a", "unknown", None, 0.5), "card", ""),
    ],
)
def test_what_is_wrong_is_said(judged: Verdict, truth: str | None, what: str):
    assert wrong(judged, truth) == what


def test_misses_hold_the_text_and_the_words_that_spoke_for_each_guess():
    misses = score(TEXTS, TRUTH, JUDGED).misses
    assert [(one.id, one.probe) for one in misses] == [
        ("c", "known"),
        ("b", "known"),
        ("d", "outside"),
    ]
    assert misses[0].rows == [
        ("text", "C"),
        ("is about", "rate"),
        ("taken for", "card"),
        ("guess", "card · 0.600 · word"),
    ]


def test_a_flip_is_better_only_from_wrong_to_right():
    right, wronged = JUDGED[0], verdict("a", "known", "rate", 0.9)
    assert better(wronged, right, TRUTH) is True
    assert better(right, wronged, TRUTH) is False
    assert better(wronged, verdict("a", "known", None, 0.1), TRUTH) is None
    assert better(wronged, right, {}) is None


def test_learning_is_timed_by_its_median():
    judged = [verdict("a", "correction", "card", 0.9, seconds=one) for one in (0.1, 0.3, 9.0)]
    figures = score(TEXTS, TRUTH, judged).figures
    assert figures["correction.seconds"] == Figure(0.3, 3)
    assert figures["correction.taken"] == share(3, 3)


def test_verdicts_come_back_as_they_were_written(tmp_path: Path):
    file = tmp_path / "out.jsonl"
    given = [JUDGED[1], verdict("a", "correction", "card", 0.9, seconds=0.25)]
    file.write_text("\n".join(json.dumps(one.as_json()) for one in given))
    assert read_verdicts(file) == given
    file.write_text('{"id": "a", "confidence": 2}')
    with pytest.raises(BadInput, match=r"out.jsonl:1: confidence"):
        read_verdicts(file)


def test_a_gate_does_not_hold_on_a_part_of_the_texts():
    planned = plan(read(("late", "card"), ("fee", "fees"), ("x", "mortgage")), MAP, unknown=0)
    bounds = {"known.kept": {"minimum": 0.5}, "outside.refused": {"minimum": 0.5}}
    gate = Gate.model_validate({"suite": "reasons", "figures": bounds})
    ids = [one.id for one in planned.texts.asked]
    found = [
        Verdict(ids[0], "known", "card", 0.9),
        Verdict(ids[1], "known", "fees", 0.9),
        Verdict(ids[2], "outside", None, 0.1),
    ]
    assert report_of(Run(found, {}), planned, gate=gate).gate_failures == []
    (said,) = report_of(Run(found[1:], {}), planned, gate=gate).gate_failures or [""]
    assert said.startswith("1 of 2 labelled texts has no verdict of known")
