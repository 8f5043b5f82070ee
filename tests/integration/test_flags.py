"""What content owners must look at: found, ranked, ended, remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update

import desk.flags as flags_module
from core.clock import FixedClock
from core.database import Database
from core.errors import AlreadyDecided, BadInput, NotAllowed, NotFound, Outdated, Refused
from core.identifiers import new_id
from core.migrate import upgrade
from core.vocabulary import SourceFlagKind
from desk.bootstrap import Desk
from desk.disputes import OpenConflicts
from desk.flag_grounds import BrokenLink, WithheldMacro
from desk.flag_rules import FlagAction, Uses
from desk.flags import FlagLine, FlagParts, SourceFlags
from desk.models import (
    AuditEvent,
    Contact,
    Review,
    SourceFlagRow,
    SourceRewrite,
    SourceUse,
)
from desk.permissions import Actor
from desk.render_flags import evidence_lines
from desk.views import Shelf
from kb.amendments import amend
from kb.content import Passage
from kb.library import Library
from kb.models import Article, PassageChange
from kb.sync import Sync
from kb.workspace import Workspace
from tests.factories import ADMIN
from tests.integration.conftest import OpenDesk, open_contact, pending_review
from tests.integration.postgres import PostgresServer
from tests.integration.test_migrations import fill_as_at_first

REFUNDS, SHIPPING = "help-center/refunds.md", "help-center/shipping.md"
BILLING = "title: Billing\nowner: Tomas\neffective_from: 2026-01-01"
BILLING_TEXT = "## How long a refund takes\n\nA refund takes 14 business days to reach your card."
DAY = timedelta(days=1)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def desk(open_synced: OpenDesk, clock: FixedClock) -> Desk:
    return open_synced(clock)


@pytest.fixture
def owner(desk: Desk) -> Actor:
    return desk.people.add(None, "Priya", "priya@example.com", "content_owner")


def lines(desk: Desk, kind: SourceFlagKind | None = None, **more: object) -> list[FlagLine]:
    return desk.flags.page(ADMIN, kind=kind, folded=True, **more)  # type: ignore[arg-type]


def only(desk: Desk, kind: SourceFlagKind) -> FlagLine:
    (line,) = lines(desk, kind)
    return line


def kinds(desk: Desk) -> list[str]:
    return sorted(line.kind for line in lines(desk))


def write(desk: Desk, name: str, text: str, front: str = "") -> None:
    path = desk.settings.workspace_folder / "articles" / name
    path.write_text(f"---\n{front}\n---\n{text}\n")


def edit(desk: Desk, name: str, old: str, new: str) -> None:
    path = desk.settings.workspace_folder / "articles" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def passage_of(desk: Desk, article: str, words: str) -> Passage:
    version = desk.library.versions_in_force([article])[article]
    (found,) = [p for p in desk.library.passages_of_version(version) if words in p.plain]
    return found


def rests_on(
    desk: Desk, passage: Passage, *, status: str = "answered", tier: str = "allowed", times: int = 1
) -> list[str]:
    """Have contacts rest on a passage; return the ids of their reviews."""
    reviews = []
    for _ in range(times):
        contact, review = new_id("con"), new_id("rev")
        now = desk.clock.now()
        with desk.database.write() as session:
            session.add(
                Contact(
                    id=contact,
                    channel="email",
                    status="answered",
                    tier=tier,
                    created_at=now,
                    updated_at=now,
                )
            )
            session.flush()
            session.add(
                Review(
                    id=review,
                    contact_id=contact,
                    thread=f"{contact}:1",
                    interrupt_id="i",
                    kind="answer",
                    status="decided",
                    tier=tier,
                    state={},
                    allowed=[],
                    opened_at=now,
                    due_at=now,
                )
            )
            session.add(
                SourceUse(
                    holder=review,
                    contact_id=contact,
                    article_id=passage.article_id,
                    version_id=passage.version_id,
                    passage_id=passage.id,
                    content_hash=passage.content_hash,
                    status=status,
                    at=now,
                )
            )
        reviews.append(review)
    return reviews


def audited(desk: Desk) -> list[str]:
    query = select(AuditEvent.event).where(AuditEvent.event.startswith("flag."))
    with desk.database.read() as session:
        return list(session.scalars(query.order_by(AuditEvent.id)))


# What is found


def test_an_article_without_an_owner_is_flagged_until_somebody_owns_it(
    desk: Desk, owner: Actor
) -> None:
    flag = only(desk, "unowned")
    assert flag.article_id == SHIPPING
    detail = desk.flags.resolve(owner, flag.id, "assign", owner="priya@example.com")
    assert detail.line.status == "resolved"
    assert detail.ended.startswith("Priya named an owner on 2026-06-01")
    edit(desk, "shipping.md", "$4.50", "$4.75")
    desk.sync()
    assert desk.library.article(SHIPPING).owner == "Priya"
    assert "unowned" not in kinds(desk)
    assert audited(desk) == ["flag.assign"]


def test_an_overdue_article_that_is_verified_is_due_again_after_its_interval(
    desk: Desk, owner: Actor, clock: FixedClock
) -> None:
    front = "title: Returns\nowner: Priya\nreview_every_days: 90\neffective_from: 2026-01-01"
    write(desk, "returns.md", "Return it within 30 days.", front)
    desk.sync()
    flag = only(desk, "overdue")
    assert flag.title == "“Returns” was due for review on 1 April 2026."
    desk.flags.resolve(owner, flag.id, "verify")
    edit(desk, "returns.md", "title: Returns", "title: Returns\nurl: https://example.com/r")
    desk.sync()
    assert lines(desk, "overdue") == []
    clock.advance(91 * DAY)
    desk.flags.sweep()
    assert only(desk, "overdue").id != flag.id


def test_an_article_that_runs_out_is_told_ahead_and_cannot_be_verified_away(
    desk: Desk, owner: Actor, clock: FixedClock
) -> None:
    write(desk, "offer.md", "Trade in.", "title: Offer\nowner: Priya\neffective_to: 2026-06-20")
    desk.sync()
    assert lines(desk, "overdue") == []
    clock.advance(8 * DAY)
    desk.flags.sweep()
    flag = only(desk, "overdue")
    assert "runs out on 20 June 2026" in flag.title
    with pytest.raises(BadInput, match="takes edit, supersede, archive"):
        desk.flags.resolve(owner, flag.id, "verify")
    edit(desk, "offer.md", "2026-06-20", "2027-06-20")
    ended = desk.flags.resolve(owner, flag.id, "edit")
    assert (ended.line.status, ended.line.action) == ("resolved", "edit")


def test_a_replaced_article_is_flagged_until_it_is_taken_down(desk: Desk, owner: Actor) -> None:
    write(desk, "new.md", "Refunds take 3 days.", "title: New\nowner: x\nsupersedes: [refunds.md]")
    desk.sync()
    flag = only(desk, "superseded")
    assert (flag.article_id, flag.other_article_id) == (REFUNDS, "help-center/new.md")
    (desk.settings.workspace_folder / "articles" / "refunds.md").unlink()
    desk.sync()
    detail = desk.flags.get(owner, flag.id)
    assert (detail.line.status, detail.line.action) == ("resolved", "gone")
    assert detail.ended.startswith("It ended by itself")


def change(desk: Desk, old: Passage, new: Passage) -> None:
    with desk.database.write() as session:
        session.execute(update(PassageChange).values(outcome="same"))
        session.add(
            PassageChange(
                id=new_id("pch"),
                article_id=old.article_id,
                old_version_id=old.version_id,
                new_version_id=new.version_id,
                old_passage_id=old.id,
                new_passage_id=new.id,
                outcome="changed",
                score=0.98,
                facts=[{"kind": "duration", "old": "5 business days", "new": "9 business days"}],
                at=desk.clock.now(),
            )
        )


def changed_refunds(desk: Desk, **uses: object) -> tuple[Passage, Passage]:
    """Have answers rest on a passage, then change it; return it before and after."""
    old = passage_of(desk, REFUNDS, "5 business days")
    rests_on(desk, old, **uses)  # type: ignore[arg-type]
    edit(desk, "refunds.md", "5 business days", "9 business days")
    edit(desk, "refunds.md", "2026-01-01", "2026-02-01")
    desk.sync()
    new = passage_of(desk, REFUNDS, "9 business days")
    change(desk, old, new)
    desk.flags.refresh([REFUNDS])
    return old, new


def test_a_changed_fact_is_flagged_where_answers_rest_on_it(
    desk: Desk, owner: Actor, clock: FixedClock
) -> None:
    changed_refunds(desk, times=2)
    flag = only(desk, "changed")
    assert flag.title == "“Refunds” now says “9 business days” where it said “5 business days”."
    assert flag.uses == 2
    (shown,) = desk.flags.get(owner, flag.id).evidence["passages"]
    assert "5 business days" in shown["old"]["text"]
    assert "9 business days" in shown["new"]["text"]
    clock.advance(DAY)
    desk.flags.resolve(owner, flag.id, "verify")
    desk.flags.refresh()
    assert lines(desk, "changed") == []


def test_a_changed_fact_that_nothing_rests_on_needs_no_look(desk: Desk) -> None:
    changed_refunds(desk, times=1, status="over")
    assert lines(desk, "changed") == []


def test_a_change_that_is_taken_back_ends_its_flag(desk: Desk) -> None:
    changed_refunds(desk)
    edit(desk, "refunds.md", "9 business days", "5 business days")
    desk.sync()
    assert lines(desk, "changed") == []


def test_sentences_that_people_keep_changing_are_shown_with_what_they_became(
    desk: Desk, owner: Actor
) -> None:
    passage = passage_of(desk, REFUNDS, "5 business days")
    reviews = rests_on(desk, passage, times=4)
    with desk.database.write() as session:
        for review in reviews[:3]:
            session.add(
                SourceRewrite(
                    review_id=review,
                    article_id=REFUNDS,
                    passage_id=passage.id,
                    before=passage.plain,
                    after="It takes about a week.",
                    at=desk.clock.now(),
                )
            )
    desk.flags.sweep()
    flag = only(desk, "often_rewritten")
    assert flag.title == "People changed what was drawn from “Refunds” in 3 of 4 drafts."
    evidence = desk.flags.get(owner, flag.id).evidence
    assert evidence["sentences"][0]["after"] == "It takes about a week."
    edit(desk, "refunds.md", "A refund takes 5 business days to", "A week is what it takes to")
    assert desk.flags.resolve(owner, flag.id, "edit").line.action == "edit"


def test_an_edit_that_is_carried_out_is_remembered_as_a_rewriting(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, "Hello, how long does a refund take to reach my card?")
    review = pending_review(desk, agent, contact)
    text = "Your refund will be back on your card in 5 business days."
    desk.reviews.decide(supervisor, review, {"kind": "edit", "text": text})
    for pending in desk.reviews.of_contact(supervisor, contact):
        if pending.status == "pending":  # the check sent the edit back: approve it with a reason
            reply = {"kind": "approve", "comment": "Says the same."}
            desk.reviews.decide(supervisor, pending.id, reply)
    with desk.database.read() as session:
        rewrites = list(session.scalars(select(SourceRewrite)))
    assert "5 business days" in rewrites[0].before
    assert rewrites[0].after == text
    assert rewrites[0].article_id == REFUNDS


def test_questions_that_no_source_answers_are_grouped_by_what_they_ask(
    desk: Desk, agent: Actor, owner: Actor
) -> None:
    asked = [
        "Is there a smartwatch app for the lamp?",
        "Does the lamp have an app for my smartwatch?",
        "Can my horse wear the lamp?",
    ]
    for text in asked:
        open_contact(desk, agent, text)
    desk.flags.sweep()
    found = {line.uses: line for line in lines(desk, "missing")}
    assert sorted(found) == [1, 2]
    assert "smartwatch" in found[2].title
    evidence = desk.flags.get(owner, found[2].id).evidence
    assert [one["text"] for one in evidence["questions"]] == asked[:2]
    assert found[2].damage > found[1].damage

    open_contact(desk, agent, "Do you make a smartwatch app for this lamp?")
    desk.flags.sweep()
    assert sorted(line.uses for line in lines(desk, "missing")) == [1, 3]


def test_a_gap_that_was_dismissed_stays_so_however_often_it_is_asked(
    desk: Desk, agent: Actor, owner: Actor
) -> None:
    open_contact(desk, agent, "Is there a smartwatch app for the lamp?")
    desk.flags.sweep()
    desk.flags.resolve(owner, only(desk, "missing").id, "dismiss", reason="We make no apps.")
    open_contact(desk, agent, "Does the lamp have an app for my smartwatch?")
    desk.flags.sweep()
    assert lines(desk, "missing") == []
    (dismissed,) = lines(desk, "missing", status="dismissed")
    assert dismissed.uses == 2


def test_an_article_that_answers_a_gap_closes_it(desk: Desk, agent: Actor, owner: Actor) -> None:
    open_contact(desk, agent, "Is there a smartwatch app for the lamp?")
    desk.flags.sweep()
    flag = only(desk, "missing")
    with pytest.raises(Refused, match="still do not answer"):
        desk.flags.resolve(owner, flag.id, "edit")
    text = "There is no smartwatch app for the lamp. You can use the app on your phone."
    write(desk, "apps.md", f"## Is there a smartwatch app for the lamp?\n\n{text}", "owner: x")
    desk.sync()
    assert lines(desk, "missing") == []
    assert "The sources answer it now" in desk.flags.get(owner, flag.id).line.note


class FoundConflict:
    """What two passages say differently."""

    def __init__(self, left: Passage, right: Passage, *, twins: bool = False) -> None:
        self.left, self.right = left, right
        self.twins = twins
        self.facts: list[object] = []
        self.score = 0.9
        self.sentence = f"“{left.title}” and “{right.title}” disagree."


def test_two_articles_that_disagree_are_one_flag_until_one_is_replaced(
    desk: Desk, owner: Actor
) -> None:
    def find(_ids: object) -> list[FoundConflict]:
        passages = {p.article_id: p for p in desk.library.passages_in_force()}
        if not {REFUNDS, SHIPPING} <= passages.keys():
            return []
        return [FoundConflict(passages[SHIPPING], passages[REFUNDS])]

    flags = SourceFlags(
        desk.database,
        desk.library,
        desk.clock,
        FlagParts(conflicts=find),  # type: ignore[arg-type]
    )
    flags.refresh()
    flags.refresh([SHIPPING])
    (flag,) = flags.page(owner, kind="conflict")
    assert (flag.article_id, flag.other_article_id) == (REFUNDS, SHIPPING)
    by_id = {line.id: line.flags for line in Shelf(desk.database, desk.library).lines()}
    assert by_id == {REFUNDS: ["conflict"], SHIPPING: ["conflict", "unowned"]}
    flags.resolve(owner, flag.id, "supersede", by=REFUNDS)
    assert list(desk.library.versions_in_force([REFUNDS, SHIPPING])) == [REFUNDS]
    edit(desk, "shipping.md", "$4.50", "$4.75")
    desk.sync()
    assert list(desk.library.versions_in_force([REFUNDS, SHIPPING])) == [REFUNDS]
    flags.resolve(owner, flag.id, "reopen")
    assert len(desk.library.versions_in_force([REFUNDS, SHIPPING])) == 2


def test_two_versions_of_one_text_are_one_flag_that_holds_every_place(
    desk: Desk, owner: Actor
) -> None:
    by_article: dict[str, list[Passage]] = {REFUNDS: [], SHIPPING: []}
    for one in desk.library.passages_in_force():
        by_article[one.article_id].append(one)
    pairs = list(zip(by_article[REFUNDS], by_article[SHIPPING], strict=False))
    found = [FoundConflict(*pair, twins=True) for pair in pairs]
    parts = FlagParts(conflicts=lambda _ids: found)  # type: ignore[arg-type]
    flags = SourceFlags(desk.database, desk.library, desk.clock, parts)
    flags.refresh()
    (flag,) = flags.page(owner, kind="conflict")
    assert f"They differ in {len(pairs) - 1} more places." in flag.title
    disputes = OpenConflicts(desk.database).of(by_article[REFUNDS])
    assert {one["passage_id"] for one in disputes} == {left.id for left, _ in pairs}


def test_two_articles_of_one_title_are_told_apart_wherever_a_conflict_is_shown(
    desk: Desk, owner: Actor
) -> None:
    passages = {one.article_id: one for one in desk.library.passages_in_force()}
    pair = [replace(passages[article], title="Help") for article in (REFUNDS, SHIPPING)]
    parts = FlagParts(conflicts=lambda _ids: [FoundConflict(*pair)])  # type: ignore[arg-type]
    flags = SourceFlags(desk.database, desk.library, desk.clock, parts)
    flags.refresh()
    (flag,) = flags.page(owner, kind="conflict")
    lines = evidence_lines(flags.get(owner, flag.id).evidence)
    assert any(line.startswith(f"Help ({REFUNDS}) v1") for line in lines)
    (dispute,) = OpenConflicts(desk.database).of([passages[REFUNDS]])
    assert dispute["title"] == f"Help ({SHIPPING})"


def test_a_broken_link_and_a_withheld_macro_are_flagged_while_they_are_so(
    desk: Desk, owner: Actor
) -> None:
    links = [BrokenLink(SHIPPING, "gone.md", "see here", "There is no such article.")]
    macros = [WithheldMacro(REFUNDS, "It says 60 days.", SHIPPING), WithheldMacro(SHIPPING, "?")]
    parts = FlagParts(links=lambda ids: (ids, links), withheld=lambda _ids: macros)
    flags = SourceFlags(desk.database, desk.library, desk.clock, parts)
    flags.refresh()
    flags.sweep()
    found = {line.kind: line.title for line in flags.page(owner) if line.kind != "unowned"}
    assert "gone.md" in found["broken_link"]
    assert "It says 60 days" in found["conflict"]
    assert found.keys() == {"broken_link", "conflict", "missing"}
    links.clear()
    macros.clear()
    assert flags.refresh([REFUNDS, SHIPPING]).ended == 3
    assert [line.kind for line in flags.page(owner)] == ["unowned"]


# Ranking and lists


def test_what_answers_rest_on_comes_first_and_a_strange_help_center_folds_into_one_line(
    desk: Desk, owner: Actor
) -> None:
    for number in range(30):
        write(desk, f"old-{number:02}.md", f"Note {number}.", f"title: Note {number}")
    desk.sync()
    rests_on(desk, passage_of(desk, "help-center/old-07.md", "Note 7"), times=3)
    rests_on(desk, passage_of(desk, "help-center/old-09.md", "Note 9"), status="pending", times=2)
    desk.flags.sweep()
    first = desk.flags.page(owner)
    assert [line.article_id for line in first] == ["help-center/old-09.md", "help-center/old-07.md"]
    (folded,) = desk.flags.folded(owner)
    assert folded.sentence == "29 articles without an owner, none used in an answer yet."
    (group,) = desk.flags.grouped(owner)
    assert (group.kind, group.owner, group.count, group.used) == ("unowned", None, 31, 2)
    assert len(lines(desk)) == 31


def test_pages_follow_each_other_without_a_gap(desk: Desk) -> None:
    for number in range(7):
        write(desk, f"old-{number}.md", f"Note {number}.", f"title: Note {number}")
    desk.sync()
    rests_on(desk, passage_of(desk, "help-center/old-3.md", "Note 3"))
    desk.flags.sweep()
    whole = [line.id for line in lines(desk)]
    paged: list[str] = []
    after: FlagLine | None = None
    while page := desk.flags.page(ADMIN, folded=True, limit=3, after=after):
        paged += [line.id for line in page]
        after = page[-1]
    assert paged == whole
    assert len(paged) == 8


def test_a_list_can_be_narrowed_to_an_owner_and_a_kind(desk: Desk, owner: Actor) -> None:
    write(
        desk,
        "a.md",
        "Old.",
        "title: A\nowner: Mina\nreview_every_days: 1\neffective_from: 2026-01-01",
    )
    desk.sync()
    assert [line.kind for line in lines(desk, owner="Mina")] == ["overdue"]
    assert [line.kind for line in lines(desk, owner="")] == ["unowned"]
    with pytest.raises(BadInput, match="kind"):
        desk.flags.page(owner, kind="stale")  # type: ignore[arg-type]


def test_a_flag_that_stands_long_rises(desk: Desk, clock: FixedClock) -> None:
    before = only(desk, "unowned").damage
    clock.advance(30 * DAY)
    desk.flags.sweep()
    assert only(desk, "unowned").damage == pytest.approx(2 * before)


def test_refreshing_again_changes_nothing(desk: Desk) -> None:
    changed_refunds(desk)
    before = lines(desk)
    assert desk.flags.refresh() == desk.flags.refresh([REFUNDS, SHIPPING])
    assert lines(desk) == before


# Ending


def test_a_dismissed_finding_is_never_opened_again_and_another_one_is(
    desk: Desk, owner: Actor
) -> None:
    flag = only(desk, "unowned")
    with pytest.raises(BadInput, match="say why"):
        desk.flags.resolve(owner, flag.id, "dismiss", reason="  ")
    detail = desk.flags.resolve(owner, flag.id, "dismiss", reason="The whole team owns it.")
    assert "Priya dismissed it" in detail.ended
    assert "The whole team owns it." in detail.ended
    edit(desk, "shipping.md", "$4.50", "$4.75")
    desk.sync()
    desk.flags.refresh()
    assert kinds(desk) == []
    edit(desk, "shipping.md", "title: Shipping", "title: Shipping\nreview_every_days: 1")
    desk.sync()
    assert kinds(desk) == ["overdue"]


def test_a_dismissal_can_be_taken_back(desk: Desk, owner: Actor) -> None:
    flag = only(desk, "unowned")
    desk.flags.resolve(owner, flag.id, "dismiss", reason="Not needed.")
    assert [c.action for c in desk.flags.get(owner, flag.id).choices] == ["reopen"]
    assert desk.flags.resolve(owner, flag.id, "reopen").line.status == "open"
    assert audited(desk) == ["flag.dismiss", "flag.reopen"]
    with pytest.raises(BadInput, match="is open"):
        desk.flags.resolve(owner, flag.id, "reopen")


def test_an_archived_article_is_out_through_every_sync_until_it_is_taken_back(
    desk: Desk, owner: Actor
) -> None:
    flag = only(desk, "unowned")
    desk.flags.resolve(owner, flag.id, "archive")
    edit(desk, "shipping.md", "$4.50", "$4.75")
    desk.sync()
    assert all(hit.passage.article_id != SHIPPING for hit in desk.search.search("shipping cost"))
    desk.flags.resolve(owner, flag.id, "reopen")
    assert any(hit.passage.article_id == SHIPPING for hit in desk.search.search("shipping cost"))


def test_an_edit_that_was_not_made_does_not_end_a_flag(desk: Desk, owner: Actor) -> None:
    flag = only(desk, "unowned")
    path = desk.settings.workspace_folder / "articles" / "shipping.md"
    assert desk.flags.get(owner, flag.id).file == str(path)
    with pytest.raises(Refused, match=r"still stands in .*shipping\.md"):
        desk.flags.resolve(owner, flag.id, "edit")
    edit(desk, "shipping.md", "title: Shipping", "title: Shipping\nowner: Mina")
    detail = desk.flags.resolve(owner, flag.id, "edit", reason="Mina takes it.")
    assert (detail.line.action, detail.line.ended_by) == ("edit", owner.id)


def test_only_owners_of_sources_end_flags(desk: Desk, agent: Actor, supervisor: Actor) -> None:
    flag = only(desk, "unowned")
    for actor in (agent, supervisor):
        assert desk.flags.get(actor, flag.id).choices == []
        with pytest.raises(NotAllowed, match="may not own sources"):
            desk.flags.resolve(actor, flag.id, "dismiss", reason="No.")
    assert only(desk, "unowned").status == "open"


def test_the_second_of_two_owners_is_told_who_was_faster(desk: Desk, owner: Actor) -> None:
    other = desk.people.add(None, "Sam", "sam@example.com", "content_owner")
    flag = only(desk, "unowned")
    desk.flags.resolve(owner, flag.id, "assign", owner="Priya", version=flag.version)
    with pytest.raises(AlreadyDecided, match="Priya named an owner"):
        desk.flags.resolve(other, flag.id, "dismiss", reason="No.", version=flag.version)
    assert desk.library.article(SHIPPING).owner == "Priya"


def test_of_two_people_who_end_a_flag_at_once_one_does(desk: Desk, owner: Actor) -> None:
    other = desk.people.add(None, "Sam", "sam@example.com", "content_owner")
    flag = only(desk, "unowned")
    together = threading.Barrier(2)

    def end(actor: Actor) -> str:
        together.wait(60)
        try:
            desk.flags.resolve(actor, flag.id, "dismiss", reason=actor.name, version=flag.version)
        except (AlreadyDecided, Outdated) as late:
            return late.message
        return "done"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(end, (owner, other)))
    assert said.count("done") == 1
    assert any("dismissed it" in one for one in said)
    assert audited(desk) == ["flag.dismiss"]


def test_a_flag_that_changed_since_it_was_read_is_read_again_first(
    desk: Desk, owner: Actor
) -> None:
    flag = only(desk, "unowned")
    with desk.database.write() as session:
        session.get_one(SourceFlagRow, flag.id).title = "Nobody owns it any more."
    with pytest.raises(Outdated):
        desk.flags.resolve(owner, flag.id, "dismiss", reason="No.", version=flag.version)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"action": "assign"}, "owner: say who"),
        ({"action": "supersede"}, "by: name the article"),
        ({"action": "supersede", "by": SHIPPING}, "cannot replace itself"),
        ({"action": "supersede", "by": "help-center/none.md"}, "no article"),
        ({"action": "archive", "article": REFUNDS}, "the flag is about"),
        ({"action": "verify"}, "takes assign"),
        ({"action": "burn"}, "is none of"),
    ],
)
def test_what_does_not_fit_is_refused_in_words_and_changes_nothing(
    desk: Desk, owner: Actor, arguments: dict[str, str], said: str
) -> None:
    flag = only(desk, "unowned")
    with pytest.raises(BadInput, match=said):
        desk.flags.resolve(owner, flag.id, **arguments)  # type: ignore[arg-type]
    assert lines(desk) == [flag]
    assert audited(desk) == []


def test_an_unknown_flag_is_named(desk: Desk, owner: Actor) -> None:
    with pytest.raises(NotFound, match="flg_none"):
        desk.flags.resolve(owner, "flg_none", "archive")


def contradicting(desk: Desk, front: str = "owner: Tomas\n") -> FlagLine:
    """Have another article contradict the one on refunds; return the flag."""
    write(desk, "billing.md", BILLING_TEXT, BILLING.replace("owner: Tomas\n", front))
    desk.sync()
    return only(desk, "conflict")


def test_what_one_flag_took_out_of_use_another_does_not_take_back(desk: Desk, owner: Actor) -> None:
    conflict = contradicting(desk, "")
    (unowned,) = [f for f in lines(desk, "unowned") if f.article_id == "help-center/billing.md"]
    desk.flags.resolve(owner, conflict.id, "archive", article=REFUNDS)
    desk.flags.resolve(owner, unowned.id, "archive")
    desk.flags.resolve(owner, conflict.id, "reopen")
    assert not desk.library.article(REFUNDS).archived
    assert desk.library.article("help-center/billing.md").archived


def test_what_was_out_of_use_before_stays_so_when_a_flag_is_reopened(
    desk: Desk, owner: Actor
) -> None:
    conflict = contradicting(desk)
    with desk.database.write() as session:
        amend(session, session.get_one(Article, REFUNDS), "archived", True, desk.clock.now())
    desk.flags.resolve(owner, conflict.id, "archive", article=REFUNDS)
    desk.flags.resolve(owner, conflict.id, "reopen")
    assert desk.library.article(REFUNDS).archived


@pytest.mark.parametrize(
    ("action", "by"), [("archive", ""), ("supersede", SHIPPING), ("archive", REFUNDS)]
)
def test_of_two_sides_the_one_that_is_meant_must_be_said(
    desk: Desk, owner: Actor, action: FlagAction, by: str
) -> None:
    conflict = contradicting(desk)
    with pytest.raises(BadInput, match=r"^article: say which .*billing.md or .*refunds.md"):
        desk.flags.resolve(owner, conflict.id, action, by=by)
    assert lines(desk, "conflict") == [conflict]
    said = {"by": by} if action == "supersede" else {}
    desk.flags.resolve(owner, conflict.id, action, article=REFUNDS, **said)  # type: ignore[arg-type]
    assert desk.library.versions_in_force([REFUNDS]) == {}
    assert desk.library.versions_in_force(["help-center/billing.md"])


@pytest.mark.parametrize("by", [REFUNDS, "help-center/billing.md"])
def test_of_two_sides_the_one_that_does_not_replace_is_replaced(
    desk: Desk, owner: Actor, by: str
) -> None:
    conflict = contradicting(desk)
    desk.flags.resolve(owner, conflict.id, "supersede", by=by)
    assert list(desk.library.versions_in_force([REFUNDS, "help-center/billing.md"])) == [by]


@pytest.mark.postgres
def test_two_who_find_the_same_at_once_open_one_flag(
    postgres: PostgresServer,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = Database(postgres.new_database("flags"))
    upgrade(database)
    clock = FixedClock(NOW)
    Sync(database, clock).run(Workspace.load(workspace))
    library = Library(database, clock)
    together = threading.Barrier(2)
    counted = flags_module._uses

    def uses(*given: Any) -> dict[str, Uses]:
        if given[1]:
            together.wait(60)
        return counted(*given)

    monkeypatch.setattr(flags_module, "_uses", uses)

    def look(_number: int) -> int:
        return SourceFlags(database, library, clock).refresh([REFUNDS, SHIPPING]).opened

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(look, range(2))) == [0, 1]
    assert SourceFlags(database, library, clock).open_count() == 1
    database.close()


# What is due to be looked at


def cut_short(desk: Desk, monkeypatch: pytest.MonkeyPatch, service: object, step: str) -> None:
    """Kill a sync at one of its steps."""

    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(service, step, die)
        with pytest.raises(KeyboardInterrupt):
            desk.sync()


@pytest.mark.parametrize("retry", ["sync", "sweep"])
@pytest.mark.parametrize("step", ["redraft_stale", "find"])
def test_what_a_sync_that_was_killed_did_not_look_at_is_looked_at_by_the_next(
    desk: Desk, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, retry: str, step: str
) -> None:
    write(desk, "billing.md", f"{BILLING_TEXT} See [here](nowhere.md).", BILLING)
    cut_short(desk, monkeypatch, desk.impact if step == "redraft_stale" else desk.conflicts, step)
    clock.advance(timedelta(minutes=5))
    getattr(desk, retry)()
    assert only(desk, "conflict").other_article_id == REFUNDS
    assert only(desk, "broken_link").article_id == "help-center/billing.md"


def test_a_contradiction_that_time_brings_in_and_takes_out_is_seen_by_the_sweep(
    desk: Desk, clock: FixedClock
) -> None:
    front = BILLING.replace("2026-01-01", "2026-07-01\neffective_to: 2026-08-01")
    write(desk, "billing.md", BILLING_TEXT, front)
    desk.sync()
    assert lines(desk, "conflict") == []
    clock.advance(40 * DAY)
    desk.sweep()
    assert only(desk, "conflict").article_id == "help-center/billing.md"
    clock.advance(40 * DAY)
    desk.sweep()
    assert lines(desk, "conflict") == []


def test_a_contradiction_of_what_is_no_longer_replaced_is_seen(desk: Desk, owner: Actor) -> None:
    replacing = f"{BILLING}\nsupersedes: [refunds.md]"
    write(desk, "billing.md", "Ask us.", replacing)
    write(desk, "policy.md", BILLING_TEXT, BILLING.replace("Billing", "Payment policy"))
    desk.sync()
    assert lines(desk, "conflict") == []
    desk.flags.resolve(owner, only(desk, "superseded").id, "dismiss", reason="Links lead to it.")
    (desk.settings.workspace_folder / "articles" / "billing.md").unlink()
    desk.sync()
    assert {only(desk, "conflict").article_id, only(desk, "conflict").other_article_id} == {
        "help-center/policy.md",
        REFUNDS,
    }


def test_a_macro_that_time_takes_out_of_use_is_flagged_until_it_may_be_used_again(
    desk: Desk, clock: FixedClock
) -> None:
    folder = desk.settings.workspace_folder / "macros"
    folder.mkdir()
    text = "Thanks. A refund takes 5 business days to reach your card."
    (folder / "refund.md").write_text(f"---\ntitle: How long a refund takes\n---\n\n{text}")
    edit(desk, "refunds.md", "owner: Priya", "owner: Priya\neffective_to: 2026-07-01")
    desk.sync()
    macro = "macros/refund.md"
    assert desk.library.article(macro).withheld is None
    clock.advance(40 * DAY)
    desk.sweep()
    about = [line for line in lines(desk) if line.article_id == macro and line.kind == "missing"]
    assert [line.title for line in about] == [
        f"The macro “How long a refund takes” is not used: {desk.library.article(macro).withheld}"
    ]
    write(desk, "billing.md", BILLING_TEXT.replace("14", "5"), BILLING)
    desk.sync()
    assert not [line for line in lines(desk, "missing") if line.article_id == macro]


def test_what_changes_while_flags_are_looked_for_stays_due(
    desk: Desk, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = clock.now()
    clock.advance(timedelta(minutes=1))
    looked = desk.flags._ask_again

    def meanwhile(changed: object) -> object:
        monkeypatch.undo()
        write(desk, "billing.md", BILLING_TEXT, BILLING)
        workspace = Workspace.load(desk.settings.workspace_folder)
        Sync(desk.database, FixedClock(began)).run(workspace)
        return looked(changed)  # type: ignore[arg-type]

    write(desk, "billing.md", "Ask us.", BILLING)
    monkeypatch.setattr(desk.flags, "_ask_again", meanwhile)
    desk.sync()
    assert lines(desk, "conflict") == []
    desk.sweep()
    assert only(desk, "conflict").article_id == "help-center/billing.md"


def flags_on(desk: Desk, passage: Passage, count: int) -> None:
    """Have flags stand that each rest on a passage, as a check of links or of conflicts left them."""
    now = desk.clock.now()
    with desk.database.write() as session:
        for at in range(count):
            conflict = at % 2 == 0
            session.add(
                SourceFlagRow(
                    id=new_id("flg"),
                    key=new_id("key"),
                    kind="conflict" if conflict else "broken_link",
                    article_id=passage.article_id,
                    other_article_id=SHIPPING if conflict else None,
                    title="It is wrong.",
                    evidence={"content_hashes": [passage.content_hash]} if conflict else {},
                    status="open",
                    opened_at=now - DAY,
                    updated_at=now,
                )
            )


def asked_of(desk: Desk, act: Callable[[], object]) -> int:
    """Return how many statements the database is sent meanwhile; many rows at once are one."""
    sent: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(desk.database.engine, "before_cursor_execute", count)
    try:
        act()
    finally:
        event.remove(desk.database.engine, "before_cursor_execute", count)
    return len(sent)


def test_ranking_asks_the_database_as_often_for_many_flags_as_for_few(desk: Desk) -> None:
    passage = passage_of(desk, REFUNDS, "5 business days")
    rests_on(desk, passage, times=2)
    flags_on(desk, passage, 4)
    few = asked_of(desk, desk.flags.sweep)
    flags_on(desk, passage, 200)
    assert asked_of(desk, desk.flags.sweep) == few
    ranked = [line for line in lines(desk, limit=300) if line.title == "It is wrong."]
    assert len(ranked) == 204
    assert {line.uses for line in ranked} == {2}
    assert min(line.damage for line in ranked) > 0


def test_the_first_look_of_a_desk_ranks_flags_and_leaves_drafts_to_the_hourly_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def redrafted() -> None:
        raise AssertionError("Nobody has seen that its source changed.")

    monkeypatch.setattr(desk.impact, "redraft_stale", redrafted)
    flags_on(desk, passage_of(desk, REFUNDS, "5 business days"), 1)
    desk.handlers.carry_out["sweep"]("flags")
    assert min(line.damage for line in lines(desk)) > 0


def test_who_rests_on_several_passages_of_one_flag_counts_once(desk: Desk) -> None:
    passage = passage_of(desk, REFUNDS, "5 business days")
    (other,) = [
        one
        for one in desk.library.passages_of_version(passage.version_id)
        if one.content_hash != passage.content_hash
    ]
    (review,) = rests_on(desk, passage)
    flags_on(desk, passage, 1)
    with desk.database.write() as session:
        use = session.scalars(select(SourceUse)).one()
        flag = session.scalars(
            select(SourceFlagRow).where(SourceFlagRow.title == "It is wrong.")
        ).one()
        flag.evidence = {"content_hashes": [passage.content_hash, other.content_hash]}
        session.add(
            SourceUse(
                holder=review,
                contact_id=use.contact_id,
                article_id=use.article_id,
                version_id=use.version_id,
                passage_id=other.id,
                content_hash=other.content_hash,
                status="answered",
                at=use.at,
            )
        )
    desk.flags.sweep()
    assert {line.uses for line in lines(desk, "conflict")} == {1}


def test_a_rank_changes_nothing_for_who_has_the_flag_open(desk: Desk, owner: Actor) -> None:
    flag = only(desk, "unowned")
    desk.clock.advance(DAY)  # type: ignore[attr-defined]
    desk.flags.sweep()
    assert only(desk, "unowned").damage > flag.damage
    desk.flags.resolve(owner, flag.id, "dismiss", reason="It goes.", version=flag.version)
    assert lines(desk, "unowned") == []


def test_a_home_of_an_earlier_release_is_looked_at_once(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'older.sqlite'}")
    fill_as_at_first(database)
    upgrade(database)
    clock = FixedClock(NOW)
    looked_at: list[object] = []

    def links(articles: object) -> tuple[object, list[BrokenLink]]:
        looked_at.append(articles)
        return articles, []

    parts = FlagParts(links=links)  # type: ignore[arg-type]
    flags = SourceFlags(database, Library(database, clock), clock, parts)
    flags.refresh_due()
    flags.refresh_due()
    assert len(looked_at) == 1
    database.close()
