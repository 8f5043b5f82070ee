"""What rests on a source: drafts that wait, answers that left, macros that say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.radius import Basis, RestingLine, basis_of
from tests.factories import ADMIN
from tests.integration.conftest import open_contact, pending_review

REFUNDS = "help-center/refunds.md"
QUESTION = "How long does a refund take?"


@pytest.fixture
def workspace(workspace: Path) -> Path:
    (workspace / "macros").mkdir()
    (workspace / "macros" / "refund.md").write_text(
        "---\ntitle: Refund time\n---\nA refund takes 5 business days to reach your card.\n"
    )
    return workspace


@pytest.fixture
def answered(desk: Desk, supervisor: Actor) -> str:
    """Id of a contact that was told how long a refund takes."""
    contact_id = open_contact(desk, supervisor, QUESTION, subject="Money", customer_name="Ada")
    review = pending_review(desk, supervisor, contact_id)
    desk.reviews.decide(supervisor, review, {"kind": "approve"})
    desk.jobs.run_all()  # type: ignore[union-attr]
    return contact_id


def contradict(desk: Desk) -> str:
    """Bring a second opinion in; return the id of the flag that says so."""
    text = "A refund takes 14 business days to reach your card."
    path = desk.settings.workspace_folder / "articles" / "billing.md"
    path.write_text(f"---\ntitle: Billing\nowner: Tomas\n---\n## How long it takes\n\n{text}\n")
    desk.sync()
    (flag,) = [
        flag
        for flag in desk.flags.page(ADMIN, kind="conflict")
        if {flag.article_id, flag.other_article_id} == {REFUNDS, "help-center/billing.md"}
    ]
    return flag.id


def test_a_conflict_tells_which_drafts_and_answers_rest_on_it(
    desk: Desk, supervisor: Actor, answered: str
) -> None:
    waiting = open_contact(desk, supervisor, QUESTION)
    basis = basis_of(desk.flags.get(ADMIN, contradict(desk)))
    assert set(basis.articles) == {"help-center/billing.md", REFUNDS}
    counts = desk.radius.counts(ADMIN, basis)
    assert (counts.drafts, counts.answers) == (1, 1)
    draft, answer = desk.radius.page(ADMIN, basis)
    assert (draft.contact_id, draft.state, draft.delivery_id) == (waiting, "waits", None)
    assert (answer.contact_id, answer.state, answer.customer_name) == (answered, "sent", "Ada")
    assert any("5 business days" in sentence for sentence in answer.told)


def test_a_list_of_flags_says_of_an_opened_one_what_rests_on_it_now(
    desk: Desk, supervisor: Actor, answered: str
) -> None:
    flag = contradict(desk)
    assert desk.flags.get(ADMIN, flag).line.uses == 1
    waiting = open_contact(desk, supervisor, QUESTION)
    assert desk.flags.count_anew(ADMIN, flag)
    (listed,) = [one for one in desk.flags.page(ADMIN, kind="conflict") if one.id == flag]
    counts = desk.radius.counts(ADMIN, basis_of(desk.flags.get(ADMIN, flag)))
    assert listed.uses == counts.drafts + counts.answers == 2, waiting
    assert not desk.flags.count_anew(ADMIN, flag)


def test_each_line_is_paged_once(desk: Desk, supervisor: Actor, answered: str) -> None:
    contacts = {answered, *(open_contact(desk, supervisor, QUESTION) for _ in range(2))}
    basis = desk.radius.of_article(REFUNDS)
    seen: list[RestingLine] = []
    while more := desk.radius.page(ADMIN, basis, limit=1, after=seen[-1] if seen else None):
        seen += more
    assert [line.state for line in seen] == ["waits", "waits", "sent"]
    assert {line.contact_id for line in seen} == contacts


def test_an_answer_whose_fact_changed_says_so(desk: Desk, answered: str) -> None:
    path = desk.settings.workspace_folder / "articles" / "refunds.md"
    path.write_text(path.read_text().replace("5 business days", "9 business days"))
    desk.sync()
    (line,) = desk.radius.page(ADMIN, desk.radius.of_article(REFUNDS))
    assert (line.contact_id, line.stale) == (answered, True)


def test_a_macro_that_says_the_same_is_named(desk: Desk) -> None:
    (macro,) = desk.radius.macros(ADMIN, desk.radius.of_article(REFUNDS))
    assert (macro.article_id, macro.title) == ("macros/refund.md", "Refund time")
    assert macro.withheld == ""
    assert desk.radius.macros(ADMIN, desk.radius.of_article("help-center/shipping.md")) == []


def test_what_nothing_rests_on_has_no_radius(desk: Desk) -> None:
    assert desk.radius.page(ADMIN, desk.radius.of_article("help-center/shipping.md")) == []
    assert desk.radius.page(ADMIN, Basis(())) == []
    assert desk.radius.counts(ADMIN, Basis(())).answers == 0
