"""A macro is used only while the articles in force bear it out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core.clock import FixedClock
from desk.bootstrap import Desk
from desk.macros import MacroJudge, MacroVerdict
from desk.models import AuditEvent
from desk.permissions import Actor
from kb.amendments import NOT_JUDGED, amend
from kb.loaders import Document, parse
from kb.models import Article
from kb.sync import Sync, SyncReport
from kb.workspace import Workspace
from tests.factories import ADMIN
from tests.integration.conftest import OpenDesk, open_contact, pending_review

GOOD = """Hi {{customer_name}},

thanks for asking. A refund takes 5 business days to reach your card, and we have asked the bank
about order {{order_number}}.

{{agent_name}}
Lamp Support
"""
WRONG = GOOD.replace("5 business days", "9 business days")
QUESTION = "Hello, how long does a refund take to reach my card?"


def write_macro(workspace: Path, text: str, name: str = "refund-time") -> None:
    folder = workspace / "macros"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(f"---\ntitle: How long a refund takes\n---\n\n{text}")


def change_refunds(desk: Desk, old: str, new: str) -> SyncReport:
    path = desk.settings.workspace_folder / "articles" / "refunds.md"
    path.write_text(path.read_text().replace(old, new))
    return desk.sync()


def only_store(desk: Desk, moment: datetime | None = None) -> None:
    """Sync as one that is killed, or still runs, before it judges anything."""
    clock = FixedClock(moment) if moment else desk.clock
    Sync(desk.database, clock).run(Workspace.load(desk.settings.workspace_folder))


def searchable(desk: Desk) -> set[str]:
    return {hit.passage.article_id for hit in desk.search.search("how long does a refund take", 50)}


def trail(desk: Desk) -> list[str]:
    newest_first = [entry.event for entry in desk.audit.latest(ADMIN)]
    return [event for event in reversed(newest_first) if event.startswith("macro.")]


@pytest.fixture
def good(workspace: Path, open_synced: OpenDesk) -> Desk:
    """A desk with a macro that agrees with the articles."""
    write_macro(workspace, GOOD)
    return open_synced()


def test_a_macro_that_agrees_is_used_and_its_placeholders_state_nothing(good: Desk) -> None:
    assert good.library.article("macros/refund-time.md").withheld is None
    assert "macros/refund-time.md" in searchable(good)
    assert trail(good) == []


def test_a_macro_that_contradicts_an_article_is_withheld_from_the_start(
    workspace: Path, open_synced: OpenDesk
) -> None:
    write_macro(workspace, WRONG)
    desk = open_synced()
    why = desk.library.article("macros/refund-time.md").withheld
    assert why
    assert "9 business days" in why
    assert "5 business days" in why
    assert searchable(desk) == {"help-center/refunds.md", "help-center/shipping.md"}
    assert desk.library.versions_in_force(["macros/refund-time.md"]) == {}
    (verdict,) = desk.macros.withheld()
    assert verdict.contradicts == "help-center/refunds.md"
    assert verdict.sentence == why
    assert trail(desk) == ["macro.withheld"]


def test_a_figure_that_no_article_holds_is_withheld(workspace: Path, open_synced: OpenDesk) -> None:
    write_macro(workspace, "We engrave any lamp for $12 if you write to our workshop first.")
    (verdict,) = open_synced().macros.withheld()
    assert verdict.contradicts is None
    assert "$12" in verdict.sentence


def test_a_changed_article_takes_the_macro_out_and_the_fixed_macro_comes_back(good: Desk) -> None:
    report = change_refunds(good, "5 business days", "9 business days")
    assert [problem.path for problem in report.withheld] == ["macros/refund-time.md"]
    assert "macros/refund-time.md" not in searchable(good)
    write_macro(good.settings.workspace_folder, WRONG)
    report = good.sync()
    assert report.released == ["macros/refund-time.md"]
    assert "macros/refund-time.md" in searchable(good)
    assert trail(good) == ["macro.withheld", "macro.released"]


def test_a_rule_that_an_article_dropped_takes_the_macro_out(
    workspace: Path, open_synced: OpenDesk
) -> None:
    rule = "You can bring a lamp back to our workshop without the original box."
    articles = workspace / "articles" / "refunds.md"
    articles.write_text(f"{articles.read_text()}\n\n{rule}\n")
    write_macro(workspace, rule)
    desk = open_synced()
    assert desk.macros.withheld() == []
    report = change_refunds(desk, rule, "We open every lamp that comes back to our workshop.")
    assert [problem.path for problem in report.withheld] == ["macros/refund-time.md"]
    assert "repeats what “Refunds” said until" in report.withheld[0].reason
    (verdict,) = desk.macros.withheld()
    assert verdict.contradicts == "help-center/refunds.md"


def test_what_a_killed_sync_stored_is_judged_though_the_article_changed_again(good: Desk) -> None:
    path = good.settings.workspace_folder / "articles" / "refunds.md"
    path.write_text(path.read_text().replace("5 business days", "9 business days"))
    only_store(good)
    path.write_text(f"{path.read_text()}\n\nThe workshop is in an old mill by the river.\n")
    assert [problem.path for problem in good.sync().withheld] == ["macros/refund-time.md"]


def test_an_article_that_returns_to_what_it_said_releases_the_macro(good: Desk) -> None:
    change_refunds(good, "5 business days", "9 business days")
    assert change_refunds(good, "9 business days", "5 business days").released == [
        "macros/refund-time.md"
    ]


def test_a_rewording_leaves_the_macro_in_use(good: Desk) -> None:
    report = change_refunds(good, "A refund takes 5 business days", "Refunds take 5 business days")
    assert report.withheld == []
    assert "macros/refund-time.md" in searchable(good)


def test_the_name_of_the_house_for_a_common_noun_leaves_the_macro_in_use(
    workspace: Path, open_synced: OpenDesk
) -> None:
    rule = "You can cancel your {} in the settings of the workshop whenever you like."
    articles = workspace / "articles" / "refunds.md"
    articles.write_text(
        f"{articles.read_text()}\n\n{rule.format('account')}\n\nLampworks is our workshop's name.\n"
    )
    write_macro(workspace, rule.format("Lampworks"))
    write_macro(workspace, rule.format("Glowhouse"), "other")
    desk = open_synced()
    assert desk.library.article("macros/refund-time.md").withheld is None
    assert desk.library.article("macros/other.md").withheld


def test_only_macros_near_to_what_changed_are_judged_again(
    good: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_macro(good.settings.workspace_folder, "Standard shipping costs $4.50.", "shipping-cost")
    good.sync()
    judged: list[str] = []
    real = type(good.macros._judge()).judge

    def watched(self: object, article_id: str, *more: object) -> object:
        judged.append(article_id)
        return real(self, article_id, *more)  # type: ignore[arg-type]

    monkeypatch.setattr("desk.macros.MacroJudge.judge", watched)
    change_refunds(good, "5 business days", "9 business days")
    assert set(judged) == {"macros/refund-time.md"}


def test_what_an_edit_left_as_it_was_has_no_macro_judged_again(
    good: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []

    def watched(self: object, article_id: str, *more: object) -> MacroVerdict:
        judged.append(article_id)
        return MacroVerdict(article_id, withheld=False)

    monkeypatch.setattr("desk.macros.MacroJudge.judge", watched)
    change_refunds(good, "You can return a lamp", "Bring a lamp back")
    assert judged == []


def test_the_reason_names_what_is_wrong_and_not_what_only_stands_elsewhere(
    workspace: Path, open_synced: OpenDesk
) -> None:
    table = "| Engraving | Time | Cost |\n|---|---|---|\n"
    rows = "| By hand | 3 to 5 days | $25.95 |\n| By machine | 5 to 8 days | $12.00 |\n"
    (workspace / "articles" / "engraving.md").write_text(f"# Engraving\n\n{table}{rows}")
    write_macro(workspace, "Engraving by hand takes 3 to 5 days and costs $24.95.", "engraving")
    (verdict,) = open_synced().macros.withheld()
    assert "$24.95" in verdict.sentence
    assert "$25.95" in verdict.sentence


def test_an_article_that_runs_out_takes_the_macro_with_it(
    workspace: Path, open_synced: OpenDesk
) -> None:
    clock = FixedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))
    (workspace / "articles" / "offer.md").write_text(
        "---\ntitle: Offer\neffective_from: 2026-01-01\neffective_to: 2026-05-10\n---\n"
        "Until further notice every lamp comes with a voucher worth $15.\n"
    )
    write_macro(workspace, "Every lamp comes with a voucher worth $15.", "voucher")
    desk = open_synced(clock)
    assert desk.library.article("macros/voucher.md").withheld is None
    clock.advance(timedelta(days=10))
    desk.sweep()
    assert "$15" in (desk.library.article("macros/voucher.md").withheld or "")
    assert "macros/voucher.md" not in searchable(desk)


def test_a_withheld_macro_is_never_cited(workspace: Path, open_synced: OpenDesk) -> None:
    write_macro(workspace, WRONG)
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    contact_id = open_contact(desk, agent, QUESTION)
    view = desk.reviews.get(agent, pending_review(desk, agent, contact_id))
    cited = {c["article_id"] for s in view.draft["sentences"] for c in s["citations"]}
    assert cited == {"help-center/refunds.md"}
    assert "9 business days" not in " ".join(s["text"] for s in view.draft["sentences"])


def test_an_approval_that_rests_on_a_macro_is_stopped_once_it_is_withheld(
    workspace: Path, open_synced: OpenDesk
) -> None:
    write_macro(workspace, "A refund takes 5 business days to reach your card, as a rule.")
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    supervisor = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    review_id = _review_that_cites_the_macro(desk, agent)
    change_refunds(desk, "5 business days", "9 business days")
    outcome = desk.reviews.decide(supervisor, review_id, {"kind": "approve"})
    assert outcome.stopped
    assert list((desk.settings.home / "outbox").glob("*.eml")) == []


def _review_that_cites_the_macro(desk: Desk, agent: Actor) -> str:
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    view = desk.reviews.get(agent, review_id)
    cited = {c["article_id"] for s in view.draft["sentences"] for c in s["citations"]}
    assert "macros/refund-time.md" in cited
    return review_id


def test_a_macro_whose_sync_was_cut_short_stays_out_until_it_is_judged(good: Desk) -> None:
    write_macro(good.settings.workspace_folder, WRONG, "second")
    only_store(good)
    good.search.refresh()
    assert good.library.article("macros/second.md").withheld == NOT_JUDGED
    assert "macros/second.md" not in searchable(good)
    good.sync()
    assert "9 business days" in (good.library.article("macros/second.md").withheld or "")


def test_a_text_stored_while_the_one_before_is_judged_is_not_used_on_its_verdict(
    good: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = good.settings.workspace_folder
    write_macro(folder, GOOD.replace("thanks for asking", "thank you for asking"))
    only_store(good)
    real = MacroJudge.judge

    def judge_while_a_sync_stores(self: MacroJudge, *what: Any) -> MacroVerdict:
        verdict = real(self, *what)
        write_macro(folder, WRONG)
        only_store(good)
        return verdict

    with monkeypatch.context() as patch:
        patch.setattr("desk.macros.MacroJudge.judge", judge_while_a_sync_stores)
        assert good.macros.keep_true() == []
    assert good.library.versions_in_force(["macros/refund-time.md"]) == {}
    good.sync()
    assert "9 business days" in (good.library.article("macros/refund-time.md").withheld or "")


def test_a_macro_that_was_gone_is_not_used_before_it_is_judged(good: Desk) -> None:
    file = good.settings.workspace_folder / "macros" / "refund-time.md"
    write_macro(good.settings.workspace_folder, "Thanks for writing to us.", "thanks")
    text = file.read_text()
    file.unlink()
    good.sync()
    change_refunds(good, "5 business days", "9 business days")
    file.write_text(text)
    only_store(good)
    assert good.library.versions_in_force(["macros/refund-time.md"]) == {}
    good.sync()
    assert "9 business days" in (good.library.article("macros/refund-time.md").withheld or "")


def test_a_macro_taken_out_of_the_archive_is_used_once_it_is_judged(good: Desk) -> None:
    def archive(value: bool) -> None:
        with good.database.write() as session:
            macro = session.get_one(Article, "macros/refund-time.md")
            amend(session, macro, "archived", value, good.clock.now())

    archive(True)
    archive(False)
    assert good.library.article("macros/refund-time.md").withheld == NOT_JUDGED
    good.sweep()
    assert "macros/refund-time.md" in searchable(good)
    archive(True)
    change_refunds(good, "5 business days", "9 business days")
    archive(False)
    good.sweep()
    assert "9 business days" in (good.library.article("macros/refund-time.md").withheld or "")


@pytest.mark.parametrize(
    ("name", "line"),
    [("refunds.md", "effective_to: 2026-03-01"), ("shipping.md", "supersedes: [refunds.md]")],
)
def test_an_article_retired_without_a_new_text_takes_the_macro_with_it(
    workspace: Path, open_synced: OpenDesk, name: str, line: str
) -> None:
    write_macro(workspace, GOOD)
    clock = FixedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))
    desk = open_synced(clock)
    clock.advance(timedelta(hours=1))
    path = workspace / "articles" / name
    before = path.read_text()
    path.write_text(before.replace("effective_from:", f"{line}\neffective_from:", 1))
    report = desk.sync()
    assert [problem.path for problem in report.withheld] == ["macros/refund-time.md"]
    clock.advance(timedelta(hours=1))
    path.write_text(before)
    assert desk.sync().released == ["macros/refund-time.md"]


def test_what_a_running_sync_stores_later_is_still_looked_at(
    workspace: Path, open_synced: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_macro(workspace, GOOD)
    clock = FixedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))
    desk = open_synced(clock)
    clock.advance(timedelta(hours=1))
    with desk.database.write() as session:
        shipping = session.get_one(Article, "help-center/shipping.md")
        amend(session, shipping, "archived", True, clock.now())
    judged: list[datetime] = []

    def parse_while_macros_are_judged(*what: Any, **more: Any) -> Document:
        if not judged:
            clock.advance(timedelta(seconds=30))
            desk.macros.keep_true()
            judged.append(clock.now())
        return parse(*what, **more)

    monkeypatch.setattr("kb.sync.parse", parse_while_macros_are_judged)
    report = change_refunds(desk, "5 business days", "9 business days")
    assert judged
    assert [problem.path for problem in report.withheld] == ["macros/refund-time.md"]


def test_the_trail_names_the_macro_and_what_contradicts_it(good: Desk) -> None:
    change_refunds(good, "5 business days", "9 business days")
    with good.database.read() as session:
        event = session.scalars(
            select(AuditEvent).where(AuditEvent.event == "macro.withheld")
        ).one()
    assert event.data["article"] == "macros/refund-time.md"
    assert event.data["contradicts"] == "help-center/refunds.md"
    assert "9 business days" in event.data["why"]
