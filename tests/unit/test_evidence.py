from __future__ import annotations

from graph.evidence import changes_since, counterpart, evidence_of
from tests.factories import draft_from, passage

OLD = passage("Refunds take 5 days.")
NEW = passage("Refunds take 9 days.", id="ver_2#0", version_id="ver_2", version=2)
DRAFT = draft_from(OLD)
EVIDENCE = evidence_of(DRAFT, "msg_1")


def test_nothing_changed_means_the_approval_goes_through() -> None:
    in_force = {"help/refunds.md": "ver_1"}
    assert changes_since(EVIDENCE, DRAFT, "msg_1", in_force, {OLD.id: OLD}, {}) == []


def test_a_newer_version_stops_it_and_shows_old_beside_new() -> None:
    (change,) = changes_since(
        EVIDENCE,
        DRAFT,
        "msg_1",
        {"help/refunds.md": "ver_2"},
        {OLD.id: OLD},
        {"help/refunds.md": [NEW]},
    )
    assert change["what"] == "source"
    assert (change["old"], change["new"]) == ("Refunds take 5 days.", "Refunds take 9 days.")
    assert "reads differently" in change["sentence"]


def test_an_article_that_is_gone_stops_it() -> None:
    (change,) = changes_since(EVIDENCE, DRAFT, "msg_1", {}, {OLD.id: OLD}, {})
    assert change["sentence"] == "“Refunds” is no longer in force."


def test_a_passage_that_was_tampered_with_stops_it() -> None:
    tampered = passage("Refunds take 1 day.")
    in_force = {"help/refunds.md": "ver_1"}
    (change,) = changes_since(EVIDENCE, DRAFT, "msg_1", in_force, {OLD.id: tampered}, {})
    assert "is not what was reviewed" in change["sentence"]


def test_a_new_message_stops_it() -> None:
    in_force = {"help/refunds.md": "ver_1"}
    (change,) = changes_since(EVIDENCE, DRAFT, "msg_2", in_force, {OLD.id: OLD}, {})
    assert change["what"] == "message"


def test_an_edited_draft_stops_it() -> None:
    edited = draft_from(OLD, opening="Dear Ada,")
    in_force = {"help/refunds.md": "ver_1"}
    (change,) = changes_since(EVIDENCE, edited, "msg_1", in_force, {OLD.id: OLD}, {})
    assert change["what"] == "draft"


def test_the_counterpart_is_the_nearest_wording_not_the_nearest_place() -> None:
    unrelated = passage("Call us on weekdays.", id="ver_2#0")
    moved = passage("Refunds usually take 9 days.", id="ver_2#7", anchor="elsewhere")
    assert counterpart(OLD, [unrelated, moved]) == moved
    assert counterpart(OLD, [unrelated]) is None
