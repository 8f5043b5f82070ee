"""Every page, used as a person would, on a small desk."""

from __future__ import annotations

import re

import pytest

from desk.bootstrap import Desk
from desk.permissions import Actor
from tests.factories import ADMIN
from tests.integration.conftest import OpenDesk, open_contact, pending_review
from tests.ui.conftest import OpenPage, button_of, seen

QUESTION = "Hello,\n\nHow long does a refund take?"


@pytest.fixture
def review_id(desk: Desk, agent: Actor) -> str:
    """Id of a review that waits, of a contact that asks about refunds."""
    contact_id = open_contact(desk, agent, QUESTION, customer_name="Abigail Stern")
    return pending_review(desk, agent, contact_id)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("desk", "No contact is open"),
        ("reviews", "Nothing waits for a decision"),
        ("sources", "Nobody owns “Shipping”."),
        ("outbox", "Nothing here"),
        ("people", "Choose a person"),
    ],
)
def test_an_empty_page_says_what_to_do(
    open_page: OpenPage, admin: Actor, name: str, said: str
) -> None:
    assert said in seen(open_page(name, admin))


def test_an_answer_that_could_not_be_sent_says_why_and_is_sent_again(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, QUESTION)
    desk.reviews.decide(supervisor, pending_review(desk, agent, contact), {"kind": "approve"})
    outbox = desk.settings.home / "outbox"
    outbox.write_text("not a folder")
    desk.jobs.run_all()  # type: ignore[union-attr]
    page = open_page("outbox", supervisor)
    assert "Could not be sent" in seen(page)
    assert "Tried 11 times. The machine says: File exists." in seen(page)
    (delivery,) = desk.deliveries.of_contact(supervisor, contact)
    outbox.unlink()
    page.button(key=f"delivery.again.{delivery.id}").click().run()
    assert "It is tried again" in seen(page)
    desk.jobs.run_all()  # type: ignore[union-attr]
    assert "Sent" in seen(page.run())
    assert len(list(outbox.glob("*.eml"))) == 1


def test_from_a_pasted_message_to_the_outbox(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    page = open_page("desk", agent)
    page.button(key="desk.new").click().run()
    page.text_area(key="new.text").input(QUESTION)
    page.text_input(key="new.name").input("Abigail Stern")
    page.text_input(key="new.email").input("abigail@example.com")
    page.button(key="new.send").click().run()
    assert "Abigail Stern" in seen(page)
    assert "5 business days" in seen(page)
    assert "pd-cited" in seen(page)

    page = open_page("reviews", supervisor)
    assert "Held by you until" in seen(page)
    button_of(page, "decide.approve.").click().run()
    assert "Approved." in seen(page)
    desk.jobs.run_all()  # type: ignore[union-attr]

    page = open_page("outbox", supervisor)
    assert "abigail@example.com" in seen(page)
    assert ".eml" in seen(page)
    assert list((desk.settings.home / "outbox").glob("*.eml"))


def test_an_agent_may_approve_what_holds_no_risk(
    open_page: OpenPage, desk: Desk, agent: Actor, review_id: str
) -> None:
    contact_id = desk.reviews.get(agent, review_id).summary.contact_id
    page = open_page("desk", agent)
    page.button(key=f"queue.open.{contact_id}").click().run()
    button_of(page, "decide.approve.").click().run()
    assert desk.contacts.get(ADMIN, contact_id).summary.status == "scheduled"


def test_an_empty_message_is_refused_in_words(open_page: OpenPage, agent: Actor) -> None:
    page = open_page("desk", agent)
    page.button(key="desk.new").click().run()
    page.button(key="new.send").click().run()
    assert "a message cannot be empty" in seen(page)


def test_an_edit_that_fails_the_check_comes_back_with_the_words_of_the_source(
    open_page: OpenPage, desk: Desk, supervisor: Actor, review_id: str
) -> None:
    page = open_page("reviews", supervisor)
    button_of(page, "decide.edit.").click().run()
    box = page.text_area(key=f"decide.edit.text.{review_id}")
    text = box.value or ""
    assert "5 business days" in text
    box.input(text.replace("5 business days", "9 business days"))
    page.button(key="decide.edit.send").click().run()
    assert "It was not sent" in seen(page)
    assert "9 business days" in seen(page)
    assert "pd-finding" in seen(page)
    assert desk.deliveries.latest(ADMIN) == []


def test_a_reject_names_its_reason_and_brings_a_new_draft(
    open_page: OpenPage, desk: Desk, supervisor: Actor, review_id: str
) -> None:
    page = open_page("reviews", supervisor)
    button_of(page, "decide.reject.").click().run()
    page.text_input(key=f"decide.reject.comment.{review_id}").input("Say who gets one.")
    page.button(key="decide.reject.incomplete").click().run()
    assert "Rejected." in seen(page)
    decision = desk.reviews.get(supervisor, review_id).decision
    assert decision
    assert (decision["reason"], decision["comment"]) == ("incomplete", "Say who gets one.")


def test_an_escalated_contact_shows_its_brief_to_the_agent(
    open_page: OpenPage, desk: Desk, supervisor: Actor, agent: Actor, review_id: str
) -> None:
    page = open_page("reviews", supervisor)
    button_of(page, "decide.escalate.").click().run()
    page.text_input(key=f"decide.escalate.comment.{review_id}").input("She called the press.")
    page.button(key="decide.escalate.send").click().run()
    assert "Escalated." in seen(page)

    contact_id = desk.reviews.get(supervisor, review_id).summary.contact_id
    page = open_page("desk", agent)
    page.button(key=f"queue.open.{contact_id}").click().run()
    assert "Next step" in seen(page)
    assert "She called the press." in seen(page)


def test_the_second_to_decide_is_told_who_was_first(
    open_page: OpenPage, desk: Desk, supervisor: Actor, admin: Actor, review_id: str
) -> None:
    page = open_page("reviews", supervisor)
    desk.reviews.release(supervisor, review_id)
    desk.reviews.decide(admin, review_id, {"kind": "approve"})
    button_of(page, "decide.approve.").click().run()
    text = seen(page)
    assert text.count("Ingrid was faster: approved</strong> at") == 1
    assert "Your “Approve” did not count." in text
    assert text.count("pd-warning") + text.count("pd-refused") == 1


def test_a_review_that_another_holds_offers_to_take_it_over_and_nothing_else(
    open_page: OpenPage, desk: Desk, supervisor: Actor, admin: Actor, review_id: str
) -> None:
    desk.reviews.claim(admin, review_id)
    page = open_page("reviews", supervisor)
    assert "Ingrid holds this review since" in seen(page)
    assert not [b for b in page.button if str(b.key).startswith("decide.approve")]
    button_of(page, "decide.take_over.").click().run()
    assert "You took it over from Ingrid." in seen(page)
    button_of(page, "decide.approve.").click().run()
    assert "Approved." in seen(page)


def test_an_agent_waits_for_who_holds_the_review_of_the_open_contact(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor, review_id: str
) -> None:
    desk.reviews.claim(supervisor, review_id)
    page = open_page("desk", agent)
    page.session_state["queue.open"] = desk.reviews.line(agent, review_id).contact_id
    page.run()
    assert "Ruth holds this review since" in seen(page)
    assert "a supervisor can take it over" in seen(page)
    assert not [b for b in page.button if str(b.key).startswith("decide.")]


def test_what_a_recheck_stops_is_shown_old_beside_new(
    open_page: OpenPage, desk: Desk, supervisor: Actor, review_id: str
) -> None:
    page = open_page("reviews", supervisor)
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(article.read_text().replace("5 business days", "12 business days"))
    desk.sync()
    button_of(page, "decide.approve.").click().run()
    assert "It was not sent" in seen(page)
    assert "Before" in seen(page)
    assert "12" in seen(page)
    assert desk.deliveries.latest(ADMIN) == []


def test_an_answer_can_be_called_back_while_the_undo_window_is_open(
    open_page: OpenPage, open_synced: OpenDesk, supervisor: Actor
) -> None:
    desk = open_synced(undo_seconds=60)
    contact_id = open_contact(desk, supervisor, QUESTION)
    page = open_page("reviews", supervisor, desk)
    button_of(page, "decide.approve.").click().run()
    assert "The answer leaves in" in seen(page)
    page.button(key="undo.button").click().run()
    assert "Called back" in seen(page)
    assert desk.contacts.get(ADMIN, contact_id).summary.status == "in_review"


def test_a_further_message_of_the_customer_is_added(
    open_page: OpenPage, desk: Desk, agent: Actor, review_id: str
) -> None:
    contact_id = desk.reviews.get(agent, review_id).summary.contact_id
    page = open_page("desk", agent)
    page.button(key=f"queue.open.{contact_id}").click().run()
    page.text_area(key="desk.message").input("And who gets one?")
    page.button(key="desk.message.send").click().run()
    assert "And who gets one?" in seen(page)


def test_a_contact_is_taken_and_given_back(
    open_page: OpenPage, desk: Desk, agent: Actor, review_id: str
) -> None:
    contact_id = desk.reviews.get(agent, review_id).summary.contact_id
    page = open_page("desk", agent)
    page.button(key=f"queue.open.{contact_id}").click().run()
    page.button(key="desk.assign").click().run()
    assert desk.contacts.get(ADMIN, contact_id).summary.assigned_to == agent.id
    page.button(key="desk.unassign").click().run()
    assert desk.contacts.get(ADMIN, contact_id).summary.assigned_to is None


def test_a_missing_detail_is_asked_for_and_can_be_filled_in(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact_id = open_contact(desk, agent, "Where is my order? It has not arrived yet.")
    review_id = pending_review(desk, agent, contact_id)
    page = open_page("reviews", supervisor)
    button_of(page, "decide.answer.").click().run()
    page.text_input(key=f"decide.answer.order_number.{review_id}").input("LB-123456")
    page.button(key="decide.answer.send").click().run()
    assert desk.reviews.get(supervisor, review_id).summary.decision == "answer"


def test_a_reviewer_says_what_a_contact_is_really_about(
    open_page: OpenPage, desk: Desk, supervisor: Actor, review_id: str
) -> None:
    contact_id = desk.reviews.get(supervisor, review_id).summary.contact_id
    page = open_page("reviews", supervisor)
    page.selectbox(key=f"reason.choice.{contact_id}").select("shipping_question")
    page.button(key="reason.send").click().run()
    assert "Corrected: Shipping question" in seen(page)
    (waiting,) = [
        r for r in desk.reviews.of_contact(supervisor, contact_id) if r.status == "pending"
    ]
    assert waiting.id != review_id
    assert page.query_params["review"] == waiting.id
    assert desk.contacts.get(supervisor, contact_id).summary.reason == "shipping_question"


def test_an_article_is_listed_with_what_its_owner_must_look_at(
    open_page: OpenPage, owner: Actor
) -> None:
    page = open_page("sources", owner)
    page.pills(key="sources.shown").set_value("Articles").run()
    table = page.dataframe[0].value
    row = table[table["Title"] == "Shipping"].iloc[0]
    assert row["Owner"] == "Nobody"
    assert row["Look at"] == "Unowned"


def test_an_owner_is_named_for_what_nobody_owns(
    open_page: OpenPage, desk: Desk, owner: Actor
) -> None:
    page = open_page("sources", owner)
    (flag,) = desk.flags.page(owner, kind="unowned")
    page.button(key="flags.do.assign").click().run()
    page.text_input(key=f"flags.owner.{flag.id}").input("Tomas")
    page.button(key="flags.send.assign").click().run()
    assert "Assigned." in seen(page)
    assert "Nothing to look at" in seen(page)
    assert desk.library.article("help-center/shipping.md").owner == "Tomas"


def test_a_dismissal_needs_a_reason_and_can_be_taken_back(
    open_page: OpenPage, desk: Desk, owner: Actor
) -> None:
    page = open_page("sources", owner)
    (flag,) = desk.flags.page(owner, kind="unowned")
    page.button(key="flags.do.dismiss").click().run()
    page.button(key="flags.send.dismiss").click().run()
    assert "say why it is dismissed" in seen(page)
    page.text_input(key=f"flags.reason.{flag.id}").input("It is about to go.")
    page.button(key="flags.send.dismiss").click().run()
    assert "Nothing to look at" in seen(page)
    page.button(key="flags.undo").click().run()
    assert "Nobody owns “Shipping”." in seen(page)


def test_of_two_sources_that_contradict_each_other_the_owner_says_which_goes(
    open_page: OpenPage, desk: Desk, owner: Actor
) -> None:
    billing = desk.settings.workspace_folder / "articles" / "billing.md"
    text = "A refund takes 14 business days to reach your card."
    billing.write_text(f"---\ntitle: Billing\nowner: Tomas\n---\n## How long it takes\n\n{text}\n")
    desk.sync()
    (flag,) = desk.flags.page(owner, kind="conflict")
    page = open_page("sources", owner)
    page.session_state["flags.chosen"] = flag.id
    page.run()
    assert "14 business days" in seen(page)
    page.button(key="flags.do.archive").click().run()
    page.radio(key=f"flags.article.{flag.id}").set_value("help-center/billing.md")
    page.button(key="flags.send.archive").click().run()
    assert "Archived." in seen(page)
    assert desk.library.article("help-center/billing.md").archived
    assert not desk.library.article("help-center/refunds.md").archived


def test_a_supervisor_sees_flags_and_is_offered_no_action(
    open_page: OpenPage, supervisor: Actor
) -> None:
    page = open_page("sources", supervisor)
    assert "Nobody owns “Shipping”." in seen(page)
    assert not [button for button in page.button if (button.key or "").startswith("flags.do.")]


def test_a_search_marks_the_words_it_found(open_page: OpenPage, owner: Actor) -> None:
    page = open_page("sources", owner)
    page.text_input(key="sources.search").input("standard shipping").run()
    assert '<mark class="pd-found">Standard</mark>' in seen(page)


def test_a_sync_says_what_changed_and_versions_stand_side_by_side(
    open_page: OpenPage, desk: Desk, owner: Actor
) -> None:
    article = desk.settings.workspace_folder / "articles" / "shipping.md"
    article.write_text(article.read_text().replace("$4.50", "$6.10"))
    page = open_page("sources", owner)
    page.button(key="sources.sync").click().run()
    assert "1 changed" in seen(page)
    assert "1 passage tells a reader something else" in seen(page)
    page.pills(key="sources.shown").set_value("What changed").run()
    assert list(page.dataframe[0].value["Now"]) == ["$6.10"]
    assert "Nobody was told the old thing" in seen(page)
    page.pills(key="sources.shown").set_value("Articles").run()
    titles = list(page.dataframe[0].value["Title"])
    page.session_state["sources.table.0"] = {"selection": {"rows": [titles.index("Shipping")]}}
    page.run()
    page.selectbox(key="article.beside.help-center/shipping.md").select_index(0).run()
    assert '<mark class="pd-differs">$4.50.</mark>' in seen(page)
    assert '<mark class="pd-differs">$6.10.</mark>' in seen(page)


def test_the_trail_names_who_did_what(
    open_page: OpenPage, desk: Desk, supervisor: Actor, review_id: str
) -> None:
    desk.reviews.decide(supervisor, review_id, {"kind": "approve"})
    page = open_page("audit", supervisor)
    page.selectbox(key="audit.event").select("review.approve").run()
    table = page.dataframe[0].value
    assert list(table["Who"]) == ["Ruth"]


def test_an_admin_adds_a_person_and_makes_a_link_that_signs_them_in(
    open_page: OpenPage, desk: Desk, admin: Actor
) -> None:
    page = open_page("people", admin)
    page.text_input(key="people.name").input("Theo")
    page.text_input(key="people.email").input("theo@example.com")
    page.selectbox(key="people.role").select("agent")
    page.button(key="people.add.send").click().run()
    assert "Theo was added" in seen(page)
    names = list(page.dataframe[0].value["Name"])
    page.session_state["people.table"] = {"selection": {"rows": [names.index("Theo")]}}
    page.run()
    page.button(key="people.link").click().run()
    token = page.code[0].value.split("signin=")[1]
    assert desk.people.sign_in(token).name == "Theo"


@pytest.mark.parametrize("name", ["people", "audit", "desk"])
def test_a_page_of_another_role_refuses_in_plain_words(
    open_page: OpenPage, owner: Actor, name: str
) -> None:
    page = open_page(name, owner)
    assert "The role content owner may not" in seen(page)


def test_an_agent_is_offered_only_what_agents_may_decide(
    open_page: OpenPage, desk: Desk, agent: Actor
) -> None:
    contact_id = open_contact(
        desk, agent, "If I do not get my refund today I will sue you. How long does a refund take?"
    )
    view = desk.contacts.get(ADMIN, contact_id)
    page = open_page("desk", agent)
    page.button(key=f"queue.open.{contact_id}").click().run()
    assert view.summary.tier == "escalate_first"
    assert not any(str(button.key).startswith("decide.approve") for button in page.button)


HOSTILE = (
    "<img src=x onerror=alert(1)> ![p](https://evil.example/p.png) [a](javascript:alert(1)) "
    "<script>alert(1)</script> \u202ereversed"
)


def test_hostile_words_reach_no_markup(
    open_page: OpenPage, desk: Desk, agent: Actor, admin: Actor
) -> None:
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(
        article.read_text().replace("A refund takes", f"{HOSTILE}\n\nA refund takes")
    )
    desk.sync()
    contact_id = open_contact(
        desk,
        agent,
        f"How long does a refund take? {HOSTILE}",
        subject=HOSTILE,
        customer_name=HOSTILE,
        customer_email="javascript:alert(1)//@evil.example",
    )
    review_id = pending_review(desk, agent, contact_id)
    page = open_page("desk", agent)
    page.button(key=f"queue.open.{contact_id}").click().run()
    pages = [page, open_page("reviews", admin)]
    sources = open_page("sources", admin)
    sources.text_input(key="sources.search").input("evil image refund").run()
    pages.append(sources)
    view = desk.reviews.get(admin, review_id)
    reply = {"kind": "approve", "comment": HOSTILE}
    if "approve" not in view.open_decisions:
        reply = {"kind": "escalate", "tier": "escalate_first", "comment": HOSTILE}
    desk.reviews.decide(admin, review_id, reply)
    desk.jobs.run_all()  # type: ignore[union-attr]
    pages += [open_page("outbox", admin), open_page("audit", admin)]
    for shown in pages:
        # A citation is a link of ours to a place in the same page.
        markup = re.sub(r'<a class="pd-cite pd-jump" href="#[\w-]+"', "", seen(shown))
        for tag in ("<img", "<script", "<a ", "href=", "\u202e"):
            assert tag not in markup
        interpreted = [
            element.value
            for kind in ("markdown", "caption", "error", "warning", "info", "success", "title")
            for element in getattr(shown, kind)
        ] + [
            widget.label
            for kind in ("button", "expander", "toggle")
            for widget in getattr(shown, kind)
        ]
        # A label may say a customer's words where each of Markdown's characters is escaped.
        bare = [
            re.sub(r"\\.", "", text) for text in interpreted if "evil" in text or "onerr" in text
        ]
        assert not [
            text for text in bare if re.search(r"[<>\[\]()!:/]", text.removeprefix("Open "))
        ]
    assert "&lt;img" in seen(pages[0])


def test_what_the_drafter_could_not_answer_is_told_to_who_decides(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, "How long does a refund take? Do you sell kites in Peru?")
    draft = desk.reviews.get(supervisor, pending_review(desk, agent, contact)).draft
    assert draft["sentences"]
    assert "No source in force answers" in draft["note"]
    assert "No source in force answers" in seen(open_page("reviews", supervisor))
    page = open_page("desk", agent)
    page.button(key=f"queue.open.{contact}").click().run()
    assert "No source in force answers" in seen(page)
