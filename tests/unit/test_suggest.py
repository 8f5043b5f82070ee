from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest

from core.errors import BadInput
from desk.contacts import NewContact, NewMessage
from desk.suggest import (
    PastContact,
    Suggestion,
    as_json,
    as_yaml,
    cluster,
    masked,
    past_contact,
    required_fields,
    suggest,
)
from graph.reasons import ReasonMap
from retrieval.embeddings import HashEmbedder

PARCEL = (
    ("where is my parcel now", "where is the parcel", "is my parcel on its way"),
    ("since monday", "after a week", "from the warehouse", "order LB-{}", "to Ohio", "for my son"),
)
PASSWORD = (
    ("how to reset a password", "please reset the password", "reset a forgotten password"),
    ("on the phone", "for the app", "again", "on my laptop", "since the update", "at the login"),
)
REFUND = (
    ("they promised me a refund", "i was promised some refund", "still no refund as promised"),
    ("on my card", "from march", "by friday", "to the old account", "at last", "in dollars"),
)


def pile(*kinds: tuple[tuple[str, ...], tuple[str, ...]], times: int = 1) -> list[PastContact]:
    texts = [
        f"{one} {two}".format(200_000 + number)
        for number in range(times)
        for kind in kinds
        for one, two in product(*kind)
    ]
    return [PastContact(text, text) for text in texts]


@pytest.fixture(scope="module")
def found() -> Suggestion:
    return suggest(pile(PARCEL, PASSWORD, REFUND), HashEmbedder(), groups=3)


def test_contacts_about_one_thing_come_into_one_group(found: Suggestion) -> None:
    kinds = np.repeat([0, 1, 2], 18)
    for kind in range(3):
        mine = [found.grouped[at] for at in np.flatnonzero(kinds == kind) if found.grouped[at] >= 0]
        assert len(mine) >= 15
        assert mine.count(max(set(mine), key=mine.count)) / len(mine) > 0.9


def test_a_group_is_named_by_its_telling_words_and_has_an_id_of_its_own(found: Suggestion) -> None:
    names = " ".join(reason.name.casefold() for reason in found.reasons)
    assert all(word in names for word in ("parcel", "password", "refund"))
    ids = [reason.id for reason in found.reasons]
    assert len(set(ids)) == len(ids) == 3
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", one) for one in ids)


def test_sizes_and_shares_add_up_with_what_is_left_over(found: Suggestion) -> None:
    assert sum(reason.size for reason in found.reasons) + found.ungrouped == found.contacts == 54
    for reason in found.reasons:
        assert reason.share == pytest.approx(reason.size / 54)
        assert 5 <= len(reason.examples) <= 10
        assert len(set(reason.examples)) == len(reason.examples)


def test_the_order_of_the_file_does_not_matter(found: Suggestion) -> None:
    backwards = suggest(pile(PARCEL, PASSWORD, REFUND)[::-1], HashEmbedder(), groups=3)
    assert backwards.reasons == found.reasons


def test_the_number_of_groups_is_found_where_they_stand_apart() -> None:
    assert 3 <= len(suggest(pile(PARCEL, PASSWORD, REFUND), HashEmbedder()).reasons) <= 6


def test_repeated_questions_are_counted_and_embedded_once() -> None:
    class Counting(HashEmbedder):
        seen = 0

        def embed(self, texts):
            self.seen += len(texts)
            return super().embed(texts)

    embedder = Counting()
    twice = pile(PARCEL, PASSWORD, REFUND) * 2
    doubled = suggest(twice, embedder, groups=3)
    assert embedder.seen == 54
    assert doubled.contacts == 108
    assert doubled.grouped[:54] == doubled.grouped[54:]


def test_texts_beyond_what_the_tree_reads_join_the_nearest_group(monkeypatch) -> None:
    monkeypatch.setattr("desk.suggest.MOST_READ", 30)
    corners = np.eye(3, 8, dtype=np.float32)[np.arange(60) % 3]
    noise = np.random.default_rng(0).normal(0, 0.05, corners.shape).astype(np.float32)
    vectors = corners + noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = cluster(vectors, 3)
    assert len(labels) == 60
    for kind in range(3):
        assert len(set(labels[kind::3])) == 1


def test_too_few_contacts_are_refused_in_words() -> None:
    with pytest.raises(BadInput, match="needs at least 50"):
        suggest(pile(PARCEL), HashEmbedder())


def test_the_map_is_valid_and_leaves_owner_and_tier_to_a_person(tmp_path, found) -> None:
    file = tmp_path / "reasons.yaml"
    text = as_yaml(found, "past.jsonl")
    file.write_text(text)
    reasons = list(ReasonMap.load(file))
    assert [one.id for one in reasons] == [one.id for one in found.reasons]
    assert {one.tier for one in reasons} == {"review_required"}
    assert {one.owner for one in reasons} == {None}
    assert [one.examples for one in reasons] == [one.examples for one in found.reasons]
    assert f"{found.reasons[0].size:,} contacts" in text
    assert "fit no group" in text
    assert as_json(found)["reasons"][0]["id"] == reasons[0].id


@pytest.mark.parametrize(
    "odd",
    ['she said: "no" # really', "- {a: b}", "🔥 \x00 \x7f &x *y", "line\u2028two", "'", "yes"],
)
def test_whatever_customers_write_the_map_stays_valid(tmp_path, odd) -> None:
    contacts = pile(PARCEL, PASSWORD, REFUND)
    contacts += [PastContact(f"{odd} {at} gadget", odd) for at in range(12)]
    file = tmp_path / "reasons.yaml"
    file.write_text(as_yaml(suggest(contacts, HashEmbedder(), groups=4), f"{odd}.csv"))
    assert len(ReasonMap.load(file)) >= 3


@pytest.mark.parametrize(
    ("texts", "holds", "lacks"),
    [
        (
            [f"where is order LB-{200000 + at}?" for at in range(9)],
            ["LB-204518", "lb 204518", "LB204518"],
            ["LB-20", "204518"],
        ),
        (
            [f"my order number is #{10000 + at} since 2026" for at in range(9)],
            ["#12345", "12345"],
            ["2026", "123456"],
        ),
        (
            [f"invoice INV-2026{1000 + at} is wrong, it says $4500" for at in range(9)],
            ["INV-20261234"],
            ["$4500"],
        ),
    ],
)
def test_an_identifier_that_most_messages_hold_becomes_a_required_field(texts, holds, lacks):
    (field,) = required_fields(texts)
    assert field.share == 1
    assert field.id in {"order_number", "invoice_number"}
    assert all(re.search(field.pattern, one, re.IGNORECASE) for one in holds)
    assert not any(re.search(field.pattern, one, re.IGNORECASE) for one in lacks)


@pytest.mark.parametrize(
    "texts",
    [
        ["I have waited since 2024"] * 9,
        ["it cost $1200.50, or 1,200 euros"] * 9,
        ["order LB-200001"] * 4 + ["where is it"] * 6,
        ["call me at 9 am on 2026-05-04"] * 9,
        ["where is it"] * 9,
    ],
)
def test_what_is_no_identifier_or_seldom_given_is_not_required(texts):
    assert required_fields(texts) == ()


def test_examples_do_not_tell_who_wrote_them():
    said = masked("I am ada@example.org, order LB-204518, call +1 415 555 0134, in 2 days")
    assert "ada@" not in said
    assert "204518" not in said
    assert "LB-000000" in said
    assert "555 0134" not in said
    assert "in 2 days" in said


def test_a_past_contact_is_about_what_the_customer_came_with():
    def told(*messages: tuple[str, str]) -> PastContact:
        return past_contact(
            NewContact("chat", [NewMessage(who, text) for who, text in messages])  # type: ignore[arg-type]
        )

    contact = told(
        ("customer", "hi"),
        ("agent", "Hello, how can I help?"),
        ("customer", "How do I reset the password of my account?"),
        ("agent", "Like this."),
        ("customer", "thanks, that worked! bye"),
    )
    assert contact.asked == "How do I reset the password of my account?"
    assert "that worked" in contact.said
