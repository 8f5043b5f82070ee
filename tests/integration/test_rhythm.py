"""The days of the week on a small desk, and the daily queue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import AnyHttpUrl
from sqlalchemy import delete, update
from typer.testing import CliRunner, Result

from core.clock import FixedClock
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.settings import Settings
from desk import cli
from desk.autonomy_models import ReasonAutonomy
from desk.bootstrap import Desk, open_desk
from desk.models import Contact, SourceFlagRow
from desk.permissions import Actor
from desk.rhythm import DayItem
from desk.rhythm_render import as_html, as_markdown, day_document, today_document
from desk.rhythm_rules import DAYS, ReasonWeek
from tests.integration.conftest import REFUNDS, open_contact, pending_review
from tests.integration.own_desk import own_desk

MONDAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
TELESCOPE = "Do you sell warranty extensions for telescopes?"
LEGAL = "My lawyer will sue you over the lamp that burned me."
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(MONDAY)


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, example_vectors: Path, clock: FixedClock
) -> Iterator[Desk]:
    base = tmp_path_factory.mktemp("rhythm")
    with own_desk(base, example_vectors, clock, "rhythm:\n  ageing_days: 2\n") as desk:
        yield desk


@pytest.fixture(scope="module")
def lead(desk: Desk) -> Actor:
    return desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")


@pytest.fixture
def new_month(clock: FixedClock) -> datetime:
    """Move to a Monday after which nothing of an earlier test counts."""
    clock.advance(timedelta(weeks=6))
    return clock.now()


def items(desk: Desk, lead: Actor, day: str) -> tuple[DayItem, ...]:
    return desk.rhythm.report(lead, day).items  # type: ignore[arg-type]


@pytest.mark.usefixtures("new_month")
def test_monday_tells_its_share_and_an_answered_gap_ends_by_itself(
    desk: Desk, lead: Actor, clock: FixedClock
) -> None:
    first = open_contact(desk, lead, TELESCOPE)
    open_contact(desk, lead, "How long does a refund take?")
    desk.flags.sweep()
    report = desk.rhythm.report(lead, "monday")
    assert report.told[0].startswith("1 of 2 contacts had no source to answer from")
    (item,) = report.items
    assert TELESCOPE in item.title
    assert item.detail.startswith("1 contact asked, 1 waits since 13 Jul; nearest article: “")
    assert desk.rhythm.progress(lead)["monday"] == (0, 1)
    assert item.flag_id is not None
    desk.flags.resolve(lead_owner(desk), item.flag_id, "dismiss", reason="We sell none.")
    ended = desk.rhythm.report(lead, "monday")
    assert [(one.done_by, one.cause) for one in ended.items] == [
        ("desk", "The flag was ended (dismiss).")
    ]
    clock.advance(7 * DAY)
    assert desk.rhythm.report(lead, "monday").last_week == (1, 1)
    desk.contacts.get(lead, first)


def lead_owner(desk: Desk) -> Actor:
    return next((one for one in desk.people.all() if one.role == "admin"), None) or desk.people.add(
        None, "Ingrid", "ingrid@example.com", "admin"
    )


@pytest.mark.usefixtures("new_month")
def test_checks_of_reviewers_are_counted_nowhere_but_in_what_waits(desk: Desk, lead: Actor) -> None:
    def figures() -> dict[str, str]:
        return {one.name: one.value for one in desk.rhythm.report(lead, "wednesday").figures}

    before = figures()
    contact = open_contact(desk, lead, TELESCOPE)
    with desk.database.write() as session:
        session.execute(update(Contact).where(Contact.id == contact).values(origin="seeded"))
    assert desk.rhythm.report(lead, "monday").told[0] == (
        "Nothing was drafted for in these seven days."
    )
    # Left out of the list of what waits, a check would be known by its absence.
    waits = "Not sure and waiting, of any week"
    assert figures() == {**before, waits: str(int(before[waits]) + 1)}
    assert desk.daily.themes(lead) == []


@pytest.mark.usefixtures("new_month")
def test_tuesday_tells_what_came_in_and_who_was_told_the_old(
    desk: Desk, lead: Actor, clock: FixedClock
) -> None:
    review = pending_review(desk, lead, open_contact(desk, lead, "How long does a refund take?"))
    desk.reviews.decide(lead, review, {"kind": "approve"})
    desk.jobs.run_all()  # type: ignore[union-attr]
    clock.advance(DAY)
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(REFUNDS.replace("5 business days", "12 business days"))
    desk.sync()
    report = desk.rhythm.report(lead, "tuesday")
    article.write_text(REFUNDS)
    figures = {one.name: one.value for one in report.figures}
    assert (figures["New versions"], figures["Contacts told the old thing"]) == ("1", "1")
    assert "Changed: “Refunds”." in report.told
    (old,) = [one for one in report.items if one.why == "Was told what has changed since"]
    assert old.contact_id is not None
    desk.contacts.assign(lead, old.contact_id, lead.id)
    (old,) = [one for one in items(desk, lead, "tuesday") if one.contact_id == old.contact_id]
    assert (old.done_by, old.cause) == ("desk", "Somebody took it up.")
    changed = [one for one in report.items if one.why == "It changed what answers rest on"]
    assert [one.detail.partition(";")[0] for one in changed] == ["Priya"]


@pytest.mark.usefixtures("new_month")
def test_wednesday_lists_what_the_desk_was_sure_of_and_wrong(desk: Desk, lead: Actor) -> None:
    review = pending_review(desk, lead, open_contact(desk, lead, "How long does a refund take?"))
    reply = {"kind": "reject", "reason": "wrong_answer", "comment": "No."}
    desk.reviews.decide(lead, review, reply)
    found = [one for one in items(desk, lead, "wednesday") if one.why == "The desk was sure"]
    assert [(one.review_id, one.detail) for one in found] == [(review, "rejected: wrong answer")]
    desk.rhythm.tick(lead, found[0].id, done=True)
    assert desk.rhythm.progress(lead)["wednesday"][0] == 1
    desk.rhythm.tick(lead, found[0].id, done=False)
    assert desk.rhythm.progress(lead)["wednesday"][0] == 0


def test_thursday_lists_who_waits_untouched_until_somebody_takes_them(
    desk: Desk, lead: Actor, clock: FixedClock, new_month: datetime
) -> None:
    contact = open_contact(desk, lead, LEGAL, subject="the lamp")
    assert desk.contacts.get(lead, contact).summary.status == "escalated"
    clock.advance(8 * DAY)
    report = desk.rhythm.report(lead, "thursday")
    assert any("1 contact handed over earlier still waits" in one for one in report.told)
    (item,) = [one for one in report.items if one.contact_id == contact]
    assert "the lamp" in item.title
    assert item.detail.endswith(f", since {new_month:%d %b}")
    clock.advance(DAY / 24)
    desk.contacts.assign(lead, contact, lead.id)
    (item,) = [one for one in items(desk, lead, "thursday") if one.contact_id == contact]
    assert (item.done_by, item.cause) == ("desk", "Somebody took it up.")
    clock.moment = new_month + 6 * DAY
    told = desk.rhythm.report(lead, "thursday").told
    assert any("first action" in one for one in told)
    desk.escalations.judge(lead, contact, right=False)
    assert "0 of 1 that were judged needed a person." in desk.rhythm.report(lead, "thursday").told


@pytest.mark.usefixtures("new_month")
def test_friday_tells_where_reasons_stand_and_what_they_cost(desk: Desk, lead: Actor) -> None:
    review = pending_review(desk, lead, open_contact(desk, lead, "How long does a refund take?"))
    reply = {"kind": "reject", "reason": "wrong_answer", "comment": "No."}
    desk.reviews.decide(lead, review, reply)
    report = desk.rhythm.report(lead, "friday")
    assert report.told[0] == "Where contact reasons stand: 3 review."
    assert [(one.subject_id, one.title, one.detail) for one in report.items] == [
        ("refund_question", "Refund question", "0 of 1 left as drafted, 1 rejected")
    ]


@pytest.mark.usefixtures("new_month")
def test_the_daily_queue_names_what_fails_again_by_its_words(
    desk: Desk, lead: Actor, clock: FixedClock
) -> None:
    for text in (TELESCOPE, "Do you offer warranty extensions for telescopes?", LEGAL):
        open_contact(desk, lead, text)
    today = desk.daily.today(lead)
    counts = {section.id: section.count for section in today.sections}
    assert counts["high_risk"] >= 1
    assert today.sections[1].id == "ageing"
    fresh = counts["ageing"]
    (theme,) = today.themes
    assert (theme.count, theme.what) == (2, {"unanswered": 2})
    assert "telescopes" in theme.words
    assert TELESCOPE in {one.text for one in theme.examples}
    clock.advance(3 * DAY)
    assert {one.id: one.count for one in desk.daily.sections(lead)}["ageing"] > fresh


@pytest.mark.usefixtures("new_month")
def test_a_reason_that_was_signed_is_no_longer_to_be_signed(
    desk: Desk, lead: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    earned = ReasonWeek("refund_question", "Refund question", "eligible", approved=70)
    monkeypatch.setattr("desk.rhythm.reasons", lambda *_: [earned])
    now = desk.clock.now()

    def stands(state: str) -> None:
        with desk.database.write() as session:
            row = session.get(ReasonAutonomy, earned.id) or ReasonAutonomy(
                reason=earned.id, since=now, round_since=now, by="desk"
            )
            row.state = state  # type: ignore[assignment]
            session.add(row)

    stands("eligible")
    (item,) = items(desk, lead, "friday")
    assert (item.why, item.done_at) == ("Has earned less review: to be signed or not", None)
    stands("autopilot")
    (item,) = items(desk, lead, "friday")
    assert (item.done_by, item.cause) == ("desk", "It was signed.")
    stands("review")


@pytest.mark.usefixtures("new_month")
def test_a_reason_that_left_the_map_is_nothing_to_work_through(
    desk: Desk, lead: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = ReasonWeek("fax_question", "Fax question", "review", approved=1, rejected=9)
    names = {"fax_question": gone.name}
    monkeypatch.setattr("desk.rhythm.reasons", lambda *_: [gone])
    with monkeypatch.context() as patched:
        patched.setattr(desk.rhythm, "_names", lambda: names)
        (item,) = items(desk, lead, "friday")
        assert (item.title, item.done_at) == ("Fax question", None)
    (item,) = items(desk, lead, "friday")
    assert (item.done_by, item.cause) == ("desk", "The reason map has it no longer.")


@pytest.mark.usefixtures("new_month")
def test_an_offer_that_runs_out_is_not_told_as_a_late_review_and_the_rest_is_counted(
    desk: Desk, lead: Actor
) -> None:
    now = desk.clock.now()
    with desk.database.write() as session:
        for number in range(25):
            session.add(
                SourceFlagRow(
                    id=f"flg_ends{number:02}",
                    key=f"ends {number}",
                    kind="overdue",
                    title=f"“Offer {number}” runs out.",
                    evidence={"because": "ends"},
                    status="open",
                    opened_at=now,
                    updated_at=now,
                )
            )
    report = desk.rhythm.report(lead, "tuesday")
    assert {one.why for one in report.items if one.flag_id and "Offer" in one.title} == {
        "Runs out, and nothing takes its place"
    }
    assert len(report.items) == 20
    assert report.unlisted >= 5
    assert f"{report.unlisted} more, less urgent, are not listed." in as_markdown(
        day_document(report)
    )
    with desk.database.write() as session:
        session.execute(delete(SourceFlagRow).where(SourceFlagRow.id.like("flg_ends%")))


@pytest.mark.usefixtures("new_month")
def test_the_daily_queue_shows_a_contact_once_and_what_is_overdue(
    desk: Desk, lead: Actor, clock: FixedClock
) -> None:
    open_contact(desk, lead, LEGAL)
    review = pending_review(desk, lead, open_contact(desk, lead, "How much is shipping?"))
    desk.reviews.decide(lead, review, {"kind": "reject", "reason": "out_of_date", "comment": "No."})
    desk.tasks.sweep()
    assert desk.daily.today(lead).overdue == ()
    clock.advance(15 * DAY)
    today = desk.daily.today(lead)
    shown = [line.contact_id for section in today.sections for line in section.lines]
    assert len(shown) == len(set(shown))
    assert LEGAL in [line.subject for line in today.sections[0].lines]  # for want of a subject
    assert today.overdue_count == len(today.overdue) >= 1
    page = as_markdown(today_document(today, {}))
    assert "## Overdue tasks" in page
    assert "rejected as out of date" in page


def test_days_and_weeks_are_those_of_where_the_team_works(
    desk: Desk, lead: Actor, clock: FixedClock
) -> None:
    clock.advance(timedelta(days=7 - clock.now().weekday()))
    clock.advance(timedelta(hours=-10))  # Sunday evening in UTC
    path = desk.workspace.folder / "operations.yaml"
    before = path.read_text()
    sunday, first = clock.now().date(), desk.rhythm.report(lead, "friday")
    path.write_text(f"time_zone: Pacific/Auckland\n{before}")
    try:
        report = desk.rhythm.report(lead, "monday")
        assert sunday.weekday() == 6
        assert report.week == sunday + DAY == first.week + 7 * DAY
        assert desk.rhythm.progress(lead)["monday"][1] == len(report.items)
        assert desk.tasks.today() == desk.metrics.today() == sunday + DAY
        document, _ = desk.todays_report(lead)
        assert document.title.startswith("Monday")
        assert f"Monday, {sunday + DAY:%d %b %Y}" in document.subtitle
        assert document.subtitle.endswith(("11:00 NZST.", "12:00 NZDT.", "12:00 NZST."))
        assert Path(desk.handlers.carry_out["rhythm"]("now")).stem.endswith("-1-monday")
    finally:
        path.write_text(before)
        clock.advance(timedelta(hours=34))  # another day: this one has its report


def test_with_the_address_of_the_ui_what_a_report_lists_is_linked(
    desk: Desk, lead: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = open_contact(desk, lead, LEGAL)
    told, _ = desk.todays_report(lead)
    assert contact in as_html(told)
    settings = desk.settings.model_copy(update={"url": AnyHttpUrl("https://desk.example.com/")})
    monkeypatch.setattr(desk, "settings", settings)
    told, _ = desk.todays_report(lead)
    assert f"](<https://desk.example.com/?contact={contact}>)" in as_markdown(told)
    lines = [line for part in told.parts for line in part.lines if line.done is None and line.link]
    assert lines


def test_the_report_of_a_day_is_written_once(desk: Desk) -> None:
    page = Path(desk.handlers.carry_out["rhythm"]("now"))
    assert page.parent == desk.settings.home / "reports"
    assert page.read_text().startswith("<!doctype html>")
    assert page.with_suffix(".md").read_text().startswith("# ")
    assert desk.handlers.carry_out["rhythm"]("now") == ""


def test_every_day_can_be_told_of_as_json(desk: Desk, lead: Actor) -> None:
    for day in DAYS:
        assert json.loads(json.dumps(desk.rhythm.report(lead, day).as_json()))["day"] == day


def test_the_week_is_no_matter_of_agents_and_unknown_days_are_refused(
    desk: Desk, lead: Actor
) -> None:
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    for ask in (
        lambda: desk.rhythm.report(agent, "monday"),
        lambda: desk.daily.sections(agent),
        lambda: desk.daily.themes(agent),
    ):
        with pytest.raises(NotAllowed):
            ask()
    with pytest.raises(BadInput, match="none of"):
        desk.rhythm.report(lead, "sunday")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        desk.rhythm.tick(lead, 10**6, done=True)


@pytest.fixture
def run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on the desk of the module."""
    monkeypatch.setattr("desk.cli_rhythm.opened_desk", lambda: nullcontext(desk))

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli.app, list(words))

    return run


@pytest.mark.usefixtures("new_month")
def test_a_report_is_printed_written_and_told_to_programs(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    page = tmp_path / "friday.html"
    assert run("rhythm", "friday", "--format", "html", "--out", str(page)).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")
    assert run("rhythm", "wednesday").output.startswith("# Wednesday: Low-confidence answers")
    assert set(json.loads(run("rhythm", "--json").output)) == {"today", "day"}
    for words in (["sunday"], ["--format", "pdf"], ["--out", str(tmp_path / "none" / "x.md")]):
        assert isinstance(run("rhythm", *words).exception, BadInput)


@pytest.mark.usefixtures("new_month")
def test_a_task_is_listed_shown_begun_and_closed(
    run: Callable[..., Result], desk: Desk, lead: Actor
) -> None:
    review = pending_review(desk, lead, open_contact(desk, lead, "How much is shipping?"))
    reply = {"kind": "reject", "reason": "out_of_date", "comment": "Since May it is free."}
    desk.reviews.decide(lead, review, reply)
    listed = json.loads(run("tasks", "list", "--kind", "article_change", "--json").output)
    (task,) = [one["id"] for one in listed["tasks"] if "out of date" in one["title"]]
    assert "Since May it is free." in run("tasks", "show", task).output
    assert run("tasks", "start", task).exit_code == 0
    assert run("tasks", "close", task, "--note", "Corrected.").exit_code == 0
    assert isinstance(run("tasks", "close", task).exception, Conflict)
    assert desk.tasks.page(lead, ("done",))[0].cause == "Corrected."


@pytest.mark.postgres
def test_the_week_is_read_from_postgresql_as_well(settings_on_postgresql: Settings) -> None:
    desk = open_desk(settings_on_postgresql, FixedClock(MONDAY), inline=True)
    try:
        lead = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
        desk.sync()
        review = pending_review(desk, lead, open_contact(desk, lead, "How much is shipping?"))
        reply = {"kind": "reject", "reason": "out_of_date", "comment": "No."}
        desk.reviews.decide(lead, review, reply)
        open_contact(desk, lead, LEGAL)
        assert desk.tasks.sweep().raised == 1
        told = {day: desk.rhythm.report(lead, day).told for day in DAYS}
        assert "1 contact was handed to a person" in told["thursday"][0]
        assert "1 contact reason had drafts rejected" in " ".join(told["friday"])
        counts = {one.id: one.count for one in desk.daily.today(lead).sections}
        assert counts["high_risk"] == 1
        assert desk.tasks.sweep().raised == 0
    finally:
        desk.close()
