"""The QA sample and the seeded checks, used as supervisors and admins do."""

from __future__ import annotations

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.qa_models import SeededLook
from tests.integration.conftest import open_contact, pending_review
from tests.ui.conftest import OpenPage, button_of, seen

ITEMS = ("accurate", "complete", "in_force", "tone", "next_step")
EVIL = "<img src=x onerror=alert(1)> [a](javascript:alert(1))"


def answered(
    desk: Desk,
    agent: Actor,
    by: Actor,
    text: str = "How long does a refund take?",
    **changes: object,
) -> None:
    """Have a contact answered by a person's approval."""
    asked = open_contact(desk, agent, text, **changes)
    outcome = desk.reviews.decide(by, pending_review(desk, agent, asked), {"kind": "approve"})
    assert desk.jobs.wait(f"deliver:{outcome.delivery_id}", 60) == "sent"


def test_a_sample_is_drawn_read_blind_and_told(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor, admin: Actor
) -> None:
    answered(desk, agent, supervisor, subject=EVIL)
    page = open_page("quality", admin)
    page.pills(key="quality.shown").set_value("QA sample").run()
    assert "No sample was drawn yet" in seen(page)
    page.button(key="qa.draw_button").click().run()
    page.button(key="qa.drawing.send").click().run()
    assert "1 of 1 contacts are drawn." in seen(page)
    shown = seen(page)
    assert "5 business days" in shown
    assert supervisor.name not in shown
    assert "<img" not in shown

    theirs = open_page("quality", supervisor)  # who decided all of it
    theirs.pills(key="quality.shown").set_value("QA sample").run()
    assert "The rest is for others to read" in seen(theirs)

    (drawn,) = desk.qa.draws(admin)
    (line,) = desk.qa.to_read(admin, drawn.id)
    for item in ITEMS:
        page.radio(key=f"qa.mark.{line.pick_id}.{item}").set_value("pass")
    page.radio(key=f"qa.mark.{line.pick_id}.accurate").set_value("fail")
    page.button(key="qa.score").click().run()
    assert "accurate: a fail needs a sentence" in seen(page)
    page.text_input(key=f"qa.note.{line.pick_id}.accurate").set_value(EVIL)
    page.button(key="qa.score").click().run()
    assert "It fails." in seen(page)
    assert "Everything of this sample is read" in seen(page)

    page.segmented_control(key="qa.which").set_value("Results").run()
    assert "an estimated 100.0% fail" in seen(page)
    assert "No contact has been read by two people yet." in seen(page)
    assert "<img" not in seen(page)


def test_a_reviewer_is_told_of_a_seeded_check_once_it_is_decided(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    (desk.workspace.folder / "operations.yaml").write_text(
        "seeded: {rate: 0.2, kinds: [other_answer]}\n"
    )
    answered(desk, agent, supervisor)
    answered(desk, agent, supervisor, "How much is shipping?")
    with desk.database.write() as session:
        session.add(SeededLook(id=1, at=desk.clock.now(), owed=1.0))
    assert desk.seeded.place() == 1
    page = open_page("reviews", supervisor)
    assert "seeded" not in seen(page).casefold()
    button_of(page, "decide.approve.").click().run()
    assert "This was a seeded check, and its fault was missed. Nothing was sent." in seen(page)

    page = open_page("quality", supervisor)
    page.pills(key="quality.shown").set_value("Seeded checks").run()
    assert "0 of 1 seeded faults were caught" in seen(page)
    assert "Missed" in seen(page)
