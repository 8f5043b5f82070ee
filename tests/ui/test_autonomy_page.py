"""The page on which reasons are signed, locked and stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from desk.bootstrap import Desk
from desk.permissions import Actor
from tests.integration.conftest import open_contact
from tests.integration.earned import (
    QUESTION,
    REASON,
    catch_seeded,
    note_answers,
    put_on_autopilot,
)
from tests.integration.one_desk import one_desk
from tests.ui.conftest import OpenPage, seen


@pytest.fixture(scope="module")
def the_desk(tmp_path_factory: pytest.TempPathFactory, example_vectors: Path) -> Iterator[Desk]:
    yield from one_desk(tmp_path_factory.mktemp("autonomy"), example_vectors)


@pytest.fixture
def desk(the_desk: Desk) -> Desk:
    return the_desk


@pytest.fixture(scope="module")
def ruth(the_desk: Desk) -> Actor:
    return the_desk.people.add(None, "<b>Ruth</b>", "ruth@example.com", "supervisor")


def test_an_answer_that_left_on_autopilot_is_marked_wrong_in_the_outbox(
    open_page: OpenPage, desk: Desk, ruth: Actor
) -> None:
    put_on_autopilot(desk.database, desk.autonomy, ruth)
    open_contact(desk, ruth, QUESTION, customer_email="ada@example.com")
    desk.jobs.run_all()  # type: ignore[union-attr]
    (sent,) = desk.deliveries.latest(ruth)
    page = open_page("outbox", ruth)
    assert "Approved by Autopilot" in seen(page)
    page.text_input(key=f"wrong.why.{sent.id}").set_value("It takes ten days.").run()
    page.button(key=f"wrong.{sent.id}").click().run()
    assert "answers nothing more without a person" in seen(page)
    assert desk.autonomy.line(ruth, REASON).state == "review"


def test_a_link_opens_the_reason_that_it_names(
    open_page: OpenPage, desk: Desk, ruth: Actor
) -> None:
    last = desk.autonomy.lines(ruth)[-1]
    page = open_page("autonomy", ruth, reason=last.reason)
    assert f'<h3 class="pd-subject">{last.name}</h3>' in seen(page)


def test_a_supervisor_signs_stops_and_takes_back_and_an_admin_unlocks(
    open_page: OpenPage, desk: Desk, ruth: Actor, admin: Actor, agent: Actor
) -> None:
    page = open_page("autonomy", ruth)
    assert "Every answer is read by a person" in seen(page)
    assert "74 more answers approved as drafted" in seen(page)
    assert not has(page, "autonomy.sign")

    catch_seeded(desk.database, ruth)
    note_answers(desk.database, ruth, 76)
    note_answers(desk.database, ruth, 1, kind="edited", loss=0.1)
    page.run()
    assert "It lacks nothing. A supervisor may sign it." in seen(page)
    page.button(key="autonomy.sign").click().run()
    assert "1 contact reason is on autopilot" in seen(page)
    assert desk.autonomy.line(ruth, REASON).state == "autopilot"
    table = next(one.value for one in page.dataframe if "State" in one.value)
    assert list(table["State"]) == ["▶ Autopilot", "○ In review", "○ In review"]

    page.button(key="autonomy.stop").click().run()
    assert "Autopilot is stopped for everything" in seen(page)
    assert "&lt;b&gt;Ruth&lt;/b&gt; stopped it" in seen(page)
    page.button(key="autonomy.resume").click().run()
    assert "say why, in a sentence" in seen(page)
    page.text_input(key="autonomy.resume.why").set_value("It was nothing.")
    page.button(key="autonomy.resume").click().run()
    assert desk.autonomy.switch().on

    page.button(key="autonomy.return").click().run()
    assert "say why, in a sentence" in seen(page)
    page.text_input(key=f"autonomy.why.{REASON}").set_value("A new plan starts.").run()
    page.button(key="autonomy.return").click().run()
    assert desk.autonomy.line(ruth, REASON).state == "review"
    changes = next(one.value for one in page.dataframe if "What" in one.value)
    assert list(changes["What"])[:5] == [
        "Returned to review",
        "Autopilot resumed",
        "Autopilot stopped",
        "Signed",
        "Proposed",
    ]
    page.text_input(key=f"autonomy.why.{REASON}").set_value("Nobody owns it.").run()
    page.button(key="autonomy.lock").click().run()
    assert "✕ Locked" in seen(page)
    assert not has(page, "autonomy.unlock")
    assert "Ask an admin to unlock it." in seen(page)

    for reason in desk.reasons:
        if reason.id != REASON:
            desk.autonomy.lock(ruth, reason.id, "Not now.")
    page = open_page("autonomy", admin)
    first = desk.autonomy.lines(admin)[0].reason
    page.text_input(key=f"autonomy.why.{first}").set_value("Now.").run()
    page.button(key="autonomy.unlock").click().run()
    assert desk.autonomy.line(admin, first).state == "review"
    assert "The role agent may not promote" in seen(open_page("autonomy", agent))


def has(page: AppTest, key: str) -> bool:
    return any(button.key == key for button in page.button)
