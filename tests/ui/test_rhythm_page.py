"""The supervisor's week, used as a supervisor and a content owner do."""

from __future__ import annotations

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.rhythm_rules import DAYS
from tests.integration.conftest import open_contact, pending_review
from tests.ui.conftest import OpenPage, seen

EVIL = '<img src=x onerror=alert(1)> [a](javascript:alert(1)) "quoted"'
WARRANTY = "Do you sell <img src=x onerror=alert(1)> warranty extensions for telescopes?"
REFUND = "How long does a refund take?"


def test_the_week_opens_on_its_day_and_items_are_ticked_off(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    open_contact(desk, agent, WARRANTY, subject=EVIL)
    desk.flags.sweep()
    page = open_page("rhythm", supervisor)
    assert page.pills(key="rhythm.shown").value in DAYS
    page.pills(key="rhythm.shown").set_value("monday").run()
    shown = seen(page)
    assert "1 of 1 contacts had no source" in shown
    assert any("Monday" in one and "0/1" in one for one in page.pills(key="rhythm.shown").options)
    assert "&lt;img src=x" in shown
    assert "<img" not in shown
    (item,) = desk.rhythm.report(supervisor, "monday").items
    page.checkbox(key=f"rhythm.tick.{item.id}").check().run()
    assert "1 of 1 are done this week" in seen(page)
    (item,) = desk.rhythm.report(supervisor, "monday").items
    assert item.done_by == supervisor.id
    page.checkbox(key=f"rhythm.tick.{item.id}").uncheck().run()
    assert "0 of 1 are done this week" in seen(page)


def test_the_daily_queue_shows_what_waits_as_words(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    open_contact(desk, agent, "I will sue you, my lawyer writes tomorrow.", subject=EVIL)
    page = open_page("rhythm", supervisor)
    page.pills(key="rhythm.shown").set_value("queue").run()
    shown = seen(page)
    assert "High risk" in shown
    assert "&lt;img src=x" in shown
    assert "<img" not in shown
    assert "Nothing failed twice in the same way." in shown


def test_a_task_is_begun_dismissed_with_a_reason_and_seen_by_its_owner(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor, owner: Actor
) -> None:
    review = pending_review(desk, agent, open_contact(desk, agent, REFUND))
    reply = {"kind": "reject", "reason": "out_of_date", "comment": f"Old. {EVIL}"}
    desk.reviews.decide(supervisor, review, reply)
    desk.tasks.sweep()
    (task,) = desk.tasks.page(supervisor, kind="article_change")
    linked = open_page("rhythm", supervisor, task=task.id)
    assert "Old. &lt;img" in seen(linked)
    linked.button(key="tasks.all").click().run()
    assert linked.pills(key="rhythm.shown").value == "tasks"
    assert linked.pills(key="tasks.state").value == "open"
    page = open_page("rhythm", owner)
    shown = seen(page)
    assert "1 draft rejected as out of date" in shown
    assert "Old. &lt;img" in shown
    assert "<img" not in shown
    page.button(key="tasks.begin").click().run()
    assert desk.tasks.counts(owner)["in_progress"] == 1
    page.pills(key="tasks.state").set_value("in_progress").run()
    page.button(key="tasks.dismiss.now").click().run()
    assert "say in a sentence why" in seen(page)
    (task,) = desk.tasks.page(owner)
    page.text_input(key=f"tasks.why.{task.id}").set_value("It is right.").run()
    page.button(key="tasks.dismiss.now").click().run()
    assert desk.tasks.page(owner, ("dismissed",))[0].cause == "It is right."
    assert "No task is in progress" in seen(page)


def test_a_lead_gives_a_task_on_and_says_by_when(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor, owner: Actor
) -> None:
    review = pending_review(desk, agent, open_contact(desk, agent, REFUND))
    reply = {"kind": "reject", "reason": "out_of_date", "comment": "Old."}
    desk.reviews.decide(supervisor, review, reply)
    desk.tasks.sweep()
    (task,) = desk.tasks.page(supervisor)
    page = open_page("rhythm", supervisor)
    page.pills(key="rhythm.shown").set_value("tasks").run()
    choice = page.selectbox(key=f"tasks.to.{task.id}")
    assert owner.name in choice.options
    assert agent.name not in choice.options
    choice.set_value(owner.id).run()
    page.button(key="tasks.give.now").click().run()
    page.button(key="tasks.give.now").click().run()  # the second click of a double click
    given_on = [one for one in desk.audit.latest(supervisor) if one.event == "task.given"]
    assert len(given_on) == 1
    today = desk.clock.now().date()
    page.date_input(key=f"tasks.due.{task.id}").set_value(today).run()
    page.button(key="tasks.due.now").click().run()
    (given,) = desk.tasks.page(owner, mine=True)
    assert (given.owner, given.due_on) == (owner.name, today)
    assert f"Owner: {owner.name}" in seen(page)
    hers = open_page("rhythm", owner)
    assert "tasks.give.now" not in {one.key for one in hers.button}


def test_an_agent_is_refused(open_page: OpenPage, agent: Actor) -> None:
    assert "may not work tasks" in seen(open_page("rhythm", agent))
