"""Talking with the assistant on a small desk: what it proposes, what it may not, what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.identifiers import text_digest
from desk.bootstrap import Desk
from desk.contacts import NewMessage
from desk.permissions import Actor
from graph.draft import draft_text
from graph.fakes import ScriptedChatModel
from graph.model_draft import ModelDrafter
from kb.models import Article, ArticleVersion, PassageRow
from tests.factories import ADMIN
from tests.integration.conftest import OpenDesk, open_contact, pending_review
from tests.integration.one_desk import one_desk

QUESTION = "Hello, how long does a refund take?"
MACRO = """---
title: Lamp returns
---
You can return a lamp within 30 days of delivery.
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, example_vectors: Path) -> Iterator[Desk]:
    yield from one_desk(tmp_path_factory.mktemp("one-desk"), example_vectors)


@pytest.fixture(scope="module")
def agent(desk: Desk) -> Actor:
    return desk.people.add(None, "Mina", "mina@example.com", "agent")


@pytest.fixture(scope="module")
def supervisor(desk: Desk) -> Actor:
    return desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")


@pytest.fixture
def contact_id(desk: Desk, agent: Actor) -> str:
    return open_contact(desk, agent, QUESTION, customer_name="Abigail Stern")


def said(desk: Desk, actor: Actor, contact_id: str, text: str) -> str:
    return draft_text(desk.assistant.ask(actor, contact_id, text).draft)  # type: ignore[arg-type]


WithModel = Callable[..., ScriptedChatModel]


@pytest.fixture
def with_model(desk: Desk) -> Iterator[WithModel]:
    """Have the desk's drafter be a scripted language model until the test ends."""
    own = desk.deps

    def build(*replies: Any) -> ScriptedChatModel:
        model = ScriptedChatModel(replies=list(replies))
        drafter = ModelDrafter("test:scripted", None, 20.0, own.drafter, model=model)
        desk.__dict__["deps"] = replace(own, drafter=drafter)
        return model

    yield build
    desk.__dict__["deps"] = own


def test_a_chat_becomes_a_reviewed_answer(
    desk: Desk, agent: Actor, supervisor: Actor, contact_id: str
) -> None:
    first = pending_review(desk, agent, contact_id)
    before = desk.reviews.get(agent, first).draft
    pieces: list[str] = []
    more = desk.assistant.ask(
        agent, contact_id, "add who can return a lamp and within how many days", pieces.append
    )
    assert more.status == "proposed"
    assert "30 days of delivery" in draft_text(more.draft)  # type: ignore[arg-type]
    assert "30 days of delivery" in "".join(pieces)
    assert more.report
    assert more.report["passed"]
    assert all(s["citations"] for s in more.draft["sentences"])  # type: ignore[index]
    assert desk.reviews.get(agent, first).draft == before  # nothing but a proposal yet

    desk.assistant.put_forward(agent, contact_id, more.id)
    second = pending_review(desk, agent, contact_id)
    view = desk.reviews.get(supervisor, second)
    assert view.draft["sentences"] == more.draft["sentences"]  # type: ignore[index]
    outcome = desk.reviews.decide(supervisor, second, {"kind": "approve"})
    assert outcome.contact_status == "scheduled"
    events = [event.event for event in desk.audit.of_contact(ADMIN, contact_id)]
    wanted = ["assistant.proposed", "review.revised", "assistant.used", "review.approve"]
    assert [event for event in events if event in wanted] == wanted


def test_what_is_looked_up_stays_out_of_the_draft_until_it_is_used(
    desk: Desk, agent: Actor, contact_id: str
) -> None:
    answer = desk.assistant.ask(agent, contact_id, "How much does standard shipping cost?")
    assert answer.status == "answer"
    assert "$4.50" in draft_text(answer.draft)  # type: ignore[arg-type]
    assert desk.assistant.proposal(agent, contact_id) is None
    used = desk.assistant.use(agent, contact_id, answer.id)
    assert used.status == "proposed"
    text = draft_text(used.draft)  # type: ignore[arg-type]
    assert "5 business days" in text
    assert "$4.50" in text


def test_requests_build_on_each_other_and_are_taken_back_one_by_one(
    desk: Desk, agent: Actor, contact_id: str
) -> None:
    desk.assistant.ask(agent, contact_id, "friendlier")
    warm = desk.assistant.proposal(agent, contact_id)
    desk.assistant.ask(agent, contact_id, "add what standard shipping costs")
    both = desk.assistant.proposal(agent, contact_id)
    assert warm
    assert both
    assert both.draft
    assert warm.draft
    assert both.draft["opening"] == warm.draft["opening"]
    desk.assistant.discard(agent, contact_id, both.id)
    standing = desk.assistant.proposal(agent, contact_id)
    assert standing
    assert standing.id == warm.id
    desk.assistant.discard(agent, contact_id, warm.id)
    assert desk.assistant.proposal(agent, contact_id) is None


def test_what_was_said_is_there_on_return_and_names_who_said_it(
    desk: Desk, agent: Actor, contact_id: str
) -> None:
    desk.assistant.ask(agent, contact_id, "in French")
    told, reply = desk.assistant.history(agent, contact_id)
    assert (told.by, told.text) == (agent.id, "in French")
    assert reply.by is None
    assert "PROOFDESK_MODEL" in reply.text
    assert reply.draft is None


def test_a_missing_detail_is_asked_for_in_the_reason_maps_words(desk: Desk, agent: Actor) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    reply = desk.assistant.ask(agent, contact_id, "ask for the order number")
    assert reply.draft
    assert reply.report
    assert reply.draft["sentences"][-1]["text"] == "Could you send us your order number?"
    assert reply.report["passed"]


def test_the_checklist_says_what_is_found_and_what_is_missing(desk: Desk, agent: Actor) -> None:
    missing = open_contact(desk, agent, "Where is my order? It has not arrived yet.")
    (field,) = desk.assistant.fields(agent, missing)
    assert (field.name, field.found) == ("Order number", False)
    found = open_contact(desk, agent, "Where is my order LB-123456? It has not arrived yet.")
    assert [field.found for field in desk.assistant.fields(agent, found)] == [True]


def test_only_macros_that_the_articles_bear_out_are_offered(open_synced: OpenDesk) -> None:
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    contact_id = open_contact(desk, agent, QUESTION)
    folder = desk.settings.workspace_folder / "macros"
    folder.mkdir(exist_ok=True)
    (folder / "lamps.md").write_text(MACRO)
    (folder / "wrong.md").write_text(MACRO.replace("30 days", "90 days").replace("Lamp", "Old"))
    desk.sync()
    (offered,) = desk.assistant.macros(agent, contact_id)
    assert offered.title == "Lamp returns"
    reply = desk.assistant.insert_macro(agent, contact_id, offered.id)
    assert reply.draft
    assert reply.draft["sentences"][-1]["text"].startswith("You can return a lamp")
    withheld = offered.id.replace("lamps", "wrong")
    with pytest.raises(BadInput, match="may not be used now"):
        desk.assistant.insert_macro(agent, contact_id, withheld)


def add_macros(desk: Desk, count: int) -> None:
    """Put macros into the records that say something else each, the last one about refunds."""
    now = desk.clock.now()
    with desk.database.write() as session:
        for number in range(count):
            name, version = f"macros/m{number:04}.md", f"ver_m{number:04}"
            text = f"Parcel shelf {number} is in hall {number % 7}."
            if number == count - 1:
                text = "A refund takes 5 business days to reach your card."
            common: dict[str, Any] = {"article_id": name}
            session.add(
                Article(id=name, source="macros", path=name, kind="macro", title=f"M {number}")
            )
            session.flush()
            session.add(
                ArticleVersion(
                    id=version,
                    number=1,
                    title=f"M {number}",
                    body=text,
                    format="text",
                    body_hash="",
                    meta_hash="",
                    effective_from=now,
                    supersedes=[],
                    synced_at=now,
                    **common,
                )
            )
            session.flush()
            session.add(
                PassageRow(
                    id=f"{version}#0",
                    version_id=version,
                    kind="macro",
                    ordinal=0,
                    anchor="",
                    heading_path=[],
                    start=0,
                    end=len(text),
                    text=text,
                    plain=text,
                    content_hash=text_digest(text),
                    **common,
                )
            )


def test_the_nearest_macro_is_found_among_many_and_drawing_again_reads_none_of_them(
    open_synced: OpenDesk,
) -> None:
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    contact_id = open_contact(desk, agent, QUESTION)
    add_macros(desk, 230)
    offered = desk.assistant.macros(agent, contact_id, 3)
    assert [offered[0].id, len(offered)] == ["macros/m0229.md", 3]
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(desk.database.engine, "before_cursor_execute", note)
    try:
        assert desk.assistant.macros(agent, contact_id, 3) == offered
    finally:
        event.remove(desk.database.engine, "before_cursor_execute", note)
    assert len(statements) < 10
    assert not [one for one in statements if "FROM passage" in one or "FROM embedding" in one]
    with desk.database.write() as session:
        session.get_one(Article, "macros/m0229.md").archived = True
    assert "macros/m0229.md" not in [one.id for one in desk.assistant.macros(agent, contact_id)]


def test_a_source_that_changes_between_chat_and_approval_stops_it(
    open_synced: OpenDesk,
) -> None:
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    supervisor = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    contact_id = open_contact(desk, agent, QUESTION)
    proposal = desk.assistant.ask(agent, contact_id, "friendlier")
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(article.read_text().replace("5 business days", "12 business days"))
    desk.sync()
    desk.assistant.put_forward(agent, contact_id, proposal.id)
    view = desk.reviews.get(supervisor, pending_review(desk, agent, contact_id))
    assert "out_of_force" in {finding["rule"] for finding in view.check["findings"]}
    assert "approve" not in view.open_decisions
    assert desk.deliveries.latest(ADMIN) == []

    anew = desk.assistant.ask(agent, contact_id, "start over")
    assert "Drafted anew" in anew.text
    assert "12 business days" in draft_text(anew.draft)  # type: ignore[arg-type]
    assert anew.report
    assert anew.report["passed"]


def test_an_approved_proposal_goes_the_way_of_every_edit(
    desk: Desk, agent: Actor, supervisor: Actor, contact_id: str
) -> None:
    proposal = desk.assistant.ask(supervisor, contact_id, "friendlier")
    outcome = desk.assistant.approve(supervisor, contact_id, proposal.id)
    assert outcome.kind == "edit"
    assert outcome.delivery_id
    with pytest.raises(Conflict, match="used already"):
        desk.assistant.put_forward(agent, contact_id, proposal.id)
    with pytest.raises(Conflict, match="used already"):
        desk.assistant.discard(agent, contact_id, proposal.id)


def test_a_proposal_on_a_draft_that_waits_no_more_is_refused(
    desk: Desk, agent: Actor, supervisor: Actor, contact_id: str
) -> None:
    proposal = desk.assistant.ask(agent, contact_id, "friendlier")
    review_id = pending_review(desk, agent, contact_id)
    desk.reviews.decide(supervisor, review_id, {"kind": "approve"})
    with pytest.raises(Conflict, match="waits no more"):
        desk.assistant.put_forward(agent, contact_id, proposal.id)


def test_a_lying_model_is_caught_on_the_sentence(
    desk: Desk, agent: Actor, contact_id: str, with_model: WithModel
) -> None:
    lie = "A refund takes 2 business days to reach your card."
    with_model({"answered": True, "sentences": [{"text": lie, "passages": [1]}]})
    reply = desk.assistant.ask(agent, contact_id, "make it shorter")
    assert reply.draft
    assert reply.report
    assert reply.draft["drafter"] == "model:test:scripted"
    assert [finding["sentence"] for finding in reply.report["findings"]] == [0]
    desk.assistant.put_forward(agent, contact_id, reply.id)
    view = desk.reviews.get(agent, pending_review(desk, agent, contact_id))
    assert view.check["findings"]
    assert view.draft["drafter"] == "model:test:scripted"  # still checked as a model's
    assert "approve" not in view.open_decisions


def test_an_edit_that_changes_nothing_leaves_a_models_sentence_a_models(
    desk: Desk, agent: Actor, supervisor: Actor, contact_id: str, with_model: WithModel
) -> None:
    short = "You can return a lamp within 30 days."  # of delivery, says the source
    with_model({"answered": True, "sentences": [{"text": short, "passages": [1]}]})
    reply = desk.assistant.ask(agent, contact_id, "make it shorter")
    assert reply.draft
    edited = desk.assistant.edit(agent, contact_id, draft_text(reply.draft))
    assert edited.report
    assert "A model wrote" in edited.report["findings"][0]["message"]
    outcome = desk.assistant.approve(supervisor, contact_id, edited.id)
    assert outcome.stopped
    assert outcome.next_review_id
    view = desk.reviews.get(supervisor, outcome.next_review_id)
    again = {"kind": "edit", "text": draft_text(view.draft)}
    assert desk.reviews.decide(supervisor, outcome.next_review_id, again).stopped
    own = {"kind": "edit", "text": "Within 30 days of delivery you can return a lamp to us."}
    third = pending_review(desk, agent, contact_id)
    assert not desk.reviews.decide(supervisor, third, own).stopped


def test_a_model_writes_what_needs_other_words_and_the_agents_words_reach_it(
    desk: Desk, agent: Actor, contact_id: str, with_model: WithModel
) -> None:
    good = "A refund takes 5 business days to reach your card."
    model = with_model({"answered": True, "sentences": [{"text": good, "passages": [1]}]})
    pieces: list[str] = []
    reply = desk.assistant.ask(agent, contact_id, "say it in simpler words", pieces.append)
    assert reply.status == "proposed"
    assert "".join(pieces).strip() == good
    assert "say it in simpler words" in str(model.asked)


def test_a_model_that_fails_leaves_the_draft_and_says_so(
    desk: Desk, agent: Actor, contact_id: str, with_model: WithModel
) -> None:
    with_model("no JSON", "still none")
    reply = desk.assistant.ask(agent, contact_id, "translate it into German")
    assert reply.status == "said"
    assert "The draft is unchanged" in reply.text
    with_model("no JSON", "still none")
    done = desk.assistant.ask(agent, contact_id, "friendlier")
    assert done.status == "proposed"
    assert "Done without it" in done.text


def test_what_an_agent_writes_by_hand_is_tied_to_its_sources_and_checked(
    desk: Desk, agent: Actor, contact_id: str
) -> None:
    text = "Hello Abigail,\n\nA refund takes 9 business days to reach your card."
    reply = desk.assistant.edit(agent, contact_id, text)
    assert reply.draft
    assert reply.report
    assert reply.draft["sentences"][0]["citations"]
    assert "duration" in {finding["rule"] for finding in reply.report["findings"]}


def test_without_a_waiting_draft_only_questions_are_answered(
    desk: Desk, agent: Actor, supervisor: Actor, contact_id: str
) -> None:
    desk.reviews.decide(supervisor, pending_review(desk, agent, contact_id), {"kind": "approve"})
    assert "No draft waits" in desk.assistant.ask(agent, contact_id, "shorter").text
    assert desk.assistant.ask(agent, contact_id, "What does shipping cost?").status == "answer"


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001, "half \ud800 a character"])
def test_what_cannot_be_read_is_refused_in_words(
    desk: Desk, agent: Actor, contact_id: str, text: str
) -> None:
    with pytest.raises(BadInput, match="text:"):
        desk.assistant.ask(agent, contact_id, text)
    assert desk.assistant.history(agent, contact_id) == []


def test_who_does_not_work_contacts_may_not_ask_and_ids_of_others_find_nothing(
    desk: Desk, agent: Actor, contact_id: str
) -> None:
    owner = Actor("per_owner", "Priya", "content_owner")
    with pytest.raises(NotAllowed):
        desk.assistant.ask(owner, contact_id, "shorter")
    proposal = desk.assistant.ask(agent, contact_id, "friendlier")
    with pytest.raises(NotAllowed):
        desk.assistant.put_forward(owner, contact_id, proposal.id)
    other = open_contact(desk, agent, QUESTION)
    with pytest.raises(NotFound):
        desk.assistant.put_forward(agent, other, proposal.id)
    with pytest.raises(NotFound):
        desk.assistant.ask(agent, "con_none", "shorter")


def test_the_trail_keeps_what_came_of_it_and_never_what_was_typed(
    desk: Desk, agent: Actor, contact_id: str
) -> None:
    desk.assistant.ask(agent, contact_id, "What is the shipping cost for card 4111 1111?")
    kept = str([event.data for event in desk.audit.of_contact(ADMIN, contact_id)])
    assert "lookup" in kept
    assert "4111" not in kept


def test_a_failed_contact_is_tried_again(desk: Desk, agent: Actor) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    with pytest.raises(BadInput, match="nothing to retry"):
        desk.contacts.retry(agent, contact_id)
    desk.runs.fail(f"{contact_id}:1", "The model could not be reached.")
    assert desk.contacts.get(agent, contact_id).summary.status == "failed"
    desk.contacts.retry(agent, contact_id)
    desk.contacts.wait_for_draft(contact_id)
    view = desk.contacts.get(agent, contact_id)
    assert (view.summary.status, view.failure) == ("in_review", "")
    assert (
        len([r for r in desk.reviews.of_contact(agent, contact_id) if r.status == "pending"]) == 1
    )


def test_a_message_of_the_customer_leaves_the_old_proposal_behind(
    desk: Desk, agent: Actor, contact_id: str
) -> None:
    proposal = desk.assistant.ask(agent, contact_id, "friendlier")
    desk.contacts.add_message(agent, contact_id, NewMessage("customer", "And what is shipping?"))
    desk.contacts.wait_for_draft(contact_id)
    assert desk.assistant.proposal(agent, contact_id) is None
    with pytest.raises(Conflict):
        desk.assistant.put_forward(agent, contact_id, proposal.id)
