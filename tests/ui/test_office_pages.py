"""Quality, settings, audit and people, used as supervisors and admins do."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.quality import new_run_folder
from tests.integration.conftest import open_contact, pending_review
from tests.ui.conftest import OpenPage, seen

QUESTION = "How long does a refund take?"
EVIL = '<img src=x onerror=alert(1)> [a](javascript:alert(1)) "quoted"'


def keep_run(desk: Desk, at: datetime, value: float, **changes: object) -> str:
    folder = new_run_folder(desk.settings.home, "stale", at)
    folder.mkdir(parents=True)
    share = {"value": value, "n": 50, "hits": int(50 * value), "low": value - 0.1, "high": 1.0}
    run = {
        "suite": "stale",
        "about": {"data": "edits.jsonl", "finished": at.isoformat()},
        "figures": {"approve.recall": share, "diff.recall": share},
        "misses": [{"id": "e7", "probe": "approve", "kind": "duration", "what": "let through"}],
        "gate": ["approve.recall: 0.7 is below 0.9."],
        **changes,
    }
    (folder / "run.json").write_text(json.dumps(run))
    verdict = {"id": "e7", "probe": "approve", "quoted": EVIL}
    (folder / "verdicts.jsonl").write_text(json.dumps(verdict) + "\n")
    return folder.name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("quality", "No draft was rejected or rewritten yet"),
        ("settings", "reasons.yaml"),
        ("audit", "Choose an event to read all of it"),
        ("people", "Choose a person"),
    ],
)
def test_a_page_with_nothing_open_says_what_to_do(
    open_page: OpenPage, admin: Actor, name: str, said: str
) -> None:
    assert said in seen(open_page(name, admin))


@pytest.mark.parametrize("name", ["quality", "settings", "audit", "people"])
def test_an_agent_who_comes_by_the_address_is_refused(
    open_page: OpenPage, agent: Actor, name: str
) -> None:
    shown = seen(open_page(name, agent))
    assert "The role agent may not" in shown


def test_runs_show_their_trend_their_gate_and_their_misses(
    open_page: OpenPage, desk: Desk, supervisor: Actor
) -> None:
    page = open_page("quality", supervisor)
    page.pills(key="quality.shown").set_value("Eval runs").run()
    assert "No eval run is kept yet" in seen(page)
    keep_run(desk, datetime(2026, 6, 1, tzinfo=UTC), 0.9)
    later = keep_run(desk, datetime(2026, 6, 2, tzinfo=UTC), 0.7)
    page.run()
    assert later in seen(page)
    assert "approve.recall: 0.7 is below 0.9." in seen(page)
    (runs,) = [one.value for one in page.dataframe if "Gate" in one.value]
    assert list(runs["Gate"]) == ["1 not kept", "1 not kept"]
    page.session_state[f"quality.misses.{later}"] = {"selection": {"rows": [0]}}
    page.run()
    assert "&lt;img src=x" in seen(page)
    assert "<img" not in seen(page)


def test_what_reviewers_reject_and_rewrite_is_told(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    first = pending_review(desk, agent, open_contact(desk, agent, QUESTION))
    reply = {"kind": "reject", "reason": "tone", "comment": f"Too stiff. {EVIL}"}
    desk.reviews.decide(supervisor, first, reply)
    second = pending_review(desk, agent, open_contact(desk, agent, QUESTION))
    text = "Hello,\n\nA refund takes 5 business days to reach your card.\n\nBye"
    desk.reviews.decide(supervisor, second, {"kind": "edit", "text": text})
    shown = seen(open_page("quality", supervisor))
    assert "Of 2 decisions in 12 weeks, 1 were rejects and 1 edits" in shown
    assert "Too stiff. &lt;img" in shown


def test_a_wrong_line_of_the_workspace_is_shown_where_it_stands(
    open_page: OpenPage, desk: Desk, admin: Actor
) -> None:
    page = open_page("settings", admin)
    assert "1 error" not in seen(page)
    path = desk.settings.workspace_folder / "reasons.yaml"
    path.write_text(path.read_text().replace("sla_minutes: 60", "sla_minutes: soon"))
    page.button(key="settings.again").click().run()
    shown = seen(page)
    assert "1 error" in shown
    assert "sla_minutes: soon" in shown


def test_settings_and_permissions_are_shown(open_page: OpenPage, admin: Actor) -> None:
    page = open_page("settings", admin)
    page.pills(key="settings.shown").set_value("Settings in force").run()
    table = page.dataframe[0].value
    row = table[table["Setting"] == "PROOFDESK_UNDO_SECONDS"].iloc[0]
    assert (row["Value"], row["Comes from"]) == ("0", "Start command")
    page.pills(key="settings.shown").set_value("Who may do what").run()
    table = page.dataframe[0].value
    row = table[table["What"] == "End source flags"].iloc[0]
    assert [row[role] for role in ("Agent", "Content owner", "Admin")] == ["", "Yes", "Yes"]


def test_the_trail_is_narrowed_by_person_and_contact_and_shown_again_whole(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    desk.reviews.decide(supervisor, pending_review(desk, agent, contact_id), {"kind": "approve"})
    page = open_page("audit", supervisor)
    page.selectbox(key="audit.person").select(supervisor.id).run()
    assert set(page.dataframe[0].value["Who"]) == {"Ruth"}
    page.button(key="audit.clear").click().run()
    page.text_input(key="audit.contact").input(contact_id).run()
    assert set(page.dataframe[0].value["Contact"]) == {contact_id}
    page.text_input(key="audit.contact").input("con_none").run()
    assert "No such event" in seen(page)


def test_one_event_is_shown_whole_with_the_way_to_its_contact(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    reply = {"kind": "reject", "reason": "tone", "comment": EVIL}
    desk.reviews.decide(supervisor, review_id, reply)
    page = open_page("audit", supervisor)
    page.selectbox(key="audit.event").select("review.reject").run()
    page.session_state["audit.table"] = {"selection": {"rows": [0]}}
    page.run()
    assert "Review rejected" in seen(page)
    assert "&lt;img src=x" in seen(page)
    page.button(key="audit.open_contact").click().run()
    assert page.query_params["contact"] == contact_id


def choose(page: object, row: int) -> None:
    page.session_state["people.table"] = {"selection": {"rows": [row]}}  # type: ignore[attr-defined]
    page.run()  # type: ignore[attr-defined]


def test_an_admin_changes_a_role_and_lets_somebody_go(
    open_page: OpenPage, desk: Desk, admin: Actor, agent: Actor
) -> None:
    page = open_page("people", admin)
    names = list(page.dataframe[0].value["Name"])
    choose(page, names.index("Mina"))
    page.selectbox(key=f"people.role.{agent.id}").select("supervisor").run()
    page.button(key="people.role.send").click().run()
    assert desk.people.get(agent.id).role == "supervisor"
    page.button(key="people.leave").click().run()
    assert "is signed out at once" in seen(page)
    page.button(key="people.leave.send").click().run()
    assert "Mina has left." in seen(page)
    assert [one.id for one in desk.people.all()] == [admin.id]


def test_the_last_admin_stays(open_page: OpenPage, desk: Desk, admin: Actor) -> None:
    page = open_page("people", admin)
    choose(page, 0)
    page.button(key="people.leave").click().run()
    page.button(key="people.leave.send").click().run()
    assert "Ingrid is the last admin" in seen(page)
    assert desk.people.get(admin.id).role == "admin"
