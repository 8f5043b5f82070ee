from dataclasses import replace

import numpy as np
import pytest

from graph.reason_model import (
    MOST_TEXTS,
    NOBODYS,
    Calibration,
    Judged,
    Lessons,
    ReasonModel,
    Wording,
    _absent,
    _manageable,
    _weights,
    tokens_of,
)
from retrieval.embeddings import HashEmbedder

TOPICS = (
    ("parcel", "courier", "delivery", "tracking"),
    ("password", "login", "account", "locked"),
    ("invoice", "charge", "card", "paid"),
    ("battery", "charger", "cable", "empty"),
)
WAYS = ("where is my {} and {}", "a {} {} problem", "{} {} please", "tell me about {} and {}")


def written(count: int, topics=TOPICS, seed: int = 0) -> tuple[list[str], list[int]]:
    draw = np.random.default_rng(seed)
    texts, owners = [], []
    for at in range(count):
        owner = at % len(topics)
        words = draw.permutation(topics[owner])
        texts.append(WAYS[draw.integers(len(WAYS))].format(*words))
        owners.append(owner)
    return texts, owners


def lessons(texts, owners) -> Lessons:
    return Lessons(
        HashEmbedder().embed(texts),
        tuple(tokens_of(text) for text in texts),
        np.array(owners),
        np.ones(len(texts), dtype=np.bool_),
    )


def learned(texts, owners, reasons=4) -> ReasonModel:
    return ReasonModel.fit(lessons(texts, owners), reasons, lambda make: make())


def judged(model, *texts) -> Judged:
    found: Judged = model.judge(HashEmbedder().embed(texts), [tokens_of(text) for text in texts])
    return found


def test_texts_like_the_examples_find_their_reason():
    model = learned(*written(60))
    texts, owners = written(40, seed=1)
    found = judged(model, *texts)
    assert (found.probability.argmax(axis=1) == owners).mean() > 0.9
    assert found.probability.sum(axis=1) == pytest.approx(1)


def test_a_text_like_nothing_is_refused_and_one_like_the_examples_is_not():
    model = learned(*written(60))
    far, near = judged(
        model, "zebras graze beyond northern hills", "parcel tracking please"
    ).familiar
    assert far < model.calibration.refused_below <= near


def test_contacts_of_a_reason_that_nobody_thought_of_are_refused():
    model = learned(*written(90, TOPICS[:3]), reasons=3)
    texts, owners = written(120, seed=1)
    refused = judged(model, *texts).familiar < model.calibration.refused_below
    unknown = np.array(owners) == 3
    assert refused[unknown].mean() >= 0.9
    assert refused[~unknown].mean() <= 0.25


@pytest.mark.parametrize("sharpness", [1.5, 4])
def test_left_out_judgements_equal_those_of_what_was_learned_without_the_text(sharpness):
    texts, owners = written(24)
    whole, reasons = lessons(texts, owners), len(TOPICS)
    weights, inverse = _weights(whole, reasons, sharpness, len(whole))
    counts = np.bincount(owners)
    left_out = _absent(whole, weights.astype(np.float64), inverse, reasons, counts)
    rest = whole.only(np.arange(1, 24))
    without, _ = _weights(rest, reasons, sharpness, len(rest))
    kernel = np.exp(sharpness * (rest.vectors @ whole.vectors[0] - 1))
    assert left_out.one[0] == pytest.approx(kernel @ without + 1 / (reasons + 1), abs=1e-4)


def test_the_fewer_examples_the_farther_an_example_reaches_and_the_less_words_count():
    few, many = learned(*written(12)), learned(*written(200))
    assert few.sharpness < many.sharpness
    assert few.calibration.wording < many.calibration.wording


def test_a_name_says_more_of_its_reason_than_one_example():
    texts, owners = written(24)
    named = lessons(["gizmo thing", *texts], [0, *owners])
    as_example = ReasonModel.fit(named, 4, lambda make: make())
    spoken = named.spoken.copy()
    spoken[0] = False
    as_name = ReasonModel.fit(replace(named, spoken=spoken), 4, lambda make: make())
    query = HashEmbedder().embed(["the gizmo"])
    assert as_name._opinions(query)[0][0, 0] > as_example._opinions(query)[0][0, 0]


def test_examples_that_share_a_word_of_all_reasons_are_told_apart_by_what_theirs_have_in_common():
    # "book" is in every text: the nearest example is near for that alone.
    texts = [
        "renew my book", "book renew longer", "renew the old book please",
        "pay fine for book", "the fine of a book", "book fine why",
        "book lost", "lost the library book", "my book is lost again",
    ]  # fmt: skip
    model = learned(texts, [0, 0, 0, 1, 1, 1, 2, 2, 2], reasons=3)
    found = judged(model, "renew book book", "fine fine my old book", "a lost library book please")
    assert found.probability.argmax(axis=1).tolist() == [0, 1, 2]


def test_one_more_lesson_is_taken_up_at_once():
    model = learned(*written(60))
    odd = "my gizmo is gone for good"
    wiser = model.and_also(lessons([odd], [1]))
    assert judged(wiser, odd).probability[0].argmax() == 1
    assert judged(wiser, odd).familiar[0] > judged(model, odd).familiar[0]


def test_one_more_lesson_weighs_as_in_a_model_made_anew():
    texts, owners = written(60)
    odd, owner = "my gizmo is gone for good", 1
    step = learned(texts, owners).and_also(lessons([odd], [owner]))
    anew = learned([*texts, odd], [*owners, owner])
    # One text more makes the kernel that tells reasons apart a hair sharper.
    assert step.which == pytest.approx(anew.which, abs=4e-3)
    assert step.whether == pytest.approx(anew.whether, abs=1e-3)
    assert step.wording.opinion(tokens_of(odd)) == pytest.approx(
        anew.wording.opinion(tokens_of(odd))
    )


def test_a_text_about_none_of_the_reasons_makes_its_like_less_familiar():
    model = learned(*written(60))
    text = "please help parcel delivery scam"
    assert (
        judged(model.and_also(lessons([text], [NOBODYS])), text).familiar[0]
        < judged(model, text).familiar[0]
    )


@pytest.mark.parametrize("owners", [[0], [0, 1], [0, 0, 0], [NOBODYS]])
def test_a_handful_of_examples_is_enough_for_a_judgement(owners):
    texts = [f"where is parcel {at}" for at in range(len(owners))]
    found = judged(learned(texts, owners, reasons=2), "where is parcel 0", "zebra")
    assert np.isfinite(found.probability).all()
    assert found.familiar[0] > found.familiar[1] or owners == [NOBODYS]


def test_a_word_of_one_reason_tells_and_a_word_of_all_does_not():
    wording = Wording.of(
        [tokens_of("where is my parcel"), tokens_of("where is my card")], np.array([0, 1]), 2
    )
    parcel, where, unheard = wording.telling(["Parcel", "where", "zebra"], 0)
    assert parcel > 1
    assert where == pytest.approx(0)
    assert unheard == 0


def test_an_opinion_by_words_leaves_the_text_itself_out():
    texts = [tokens_of(text) for text in ("red lamp", "red lamp", "blue chair")]
    wording = Wording.of(texts, np.array([0, 0, 1]), 2)
    rest = Wording.of(texts[1:], np.array([0, 1]), 2)
    assert wording.opinion(texts[0], without=0) == pytest.approx(rest.opinion(texts[0]))


def test_too_many_texts_leave_the_latest_of_each_reason():
    owner = np.array([0] * MOST_TEXTS + [1] * 3)
    rows = _manageable(owner)
    assert len(rows) == MOST_TEXTS
    assert set(rows[-3:]) == {MOST_TEXTS, MOST_TEXTS + 1, MOST_TEXTS + 2}
    assert rows[0] == 3


def test_what_is_likelier_unknown_has_less_confidence():
    low, high = Calibration().nothing(np.array([3.0, -3.0]))
    assert low < 0.01 < 0.3 < high < 1
