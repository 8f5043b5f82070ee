"""A help center over time: what a sync says and what is in force after it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.clock import FixedClock
from core.database import Base, Database
from core.errors import BadInput, NotFound
from kb.library import Library
from kb.models import Article, ArticleChange, ArticleVersion, PassageRow, SyncRun
from kb.sync import Sync, SyncReport
from kb.workspace import Workspace

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class HelpCenter:
    """A workspace on disk and its database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "articles").mkdir(parents=True)
        self.clock = FixedClock(NOW)
        self.database = Database(f"sqlite:///{folder / 'desk.sqlite'}")
        Base.metadata.create_all(self.database.engine)
        self.library = Library(self.database, self.clock)

    def write(self, path: str, text: str | bytes, *, front: str = "") -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode()
        file.write_bytes((f"---\n{front}\n---\n".encode() if front else b"") + data)
        os.utime(file, (NOW.timestamp() - 86_400, NOW.timestamp() - 86_400))

    def sync(self, **more: object) -> SyncReport:
        workspace = Workspace.load(self.folder)
        return Sync(self.database, self.clock).run(workspace, **more)  # type: ignore[arg-type]

    def in_force(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for passage in self.library.passages_in_force():
            found.setdefault(passage.article_id.partition("/")[2], []).append(passage.plain)
        return found

    def count(self, model: type[Base]) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[HelpCenter]:
    center = HelpCenter(tmp_path / "workspace")
    yield center
    center.database.close()


def test_a_first_sync_brings_everything_in(desk: HelpCenter):
    desk.write(
        "articles/billing/fees.md", "# Fees\n\nLate fees are $5.\n\n- one\n", front="owner: Ada"
    )
    desk.write("articles/refunds.html", "<h1>Refunds</h1><p>Within 30 days.</p>")
    report = desk.sync()
    assert sorted(report.new) == ["help-center/billing/fees.md", "help-center/refunds.html"]
    assert desk.in_force() == {
        "billing/fees.md": ["Late fees are $5.", "one"],
        "refunds.html": ["Within 30 days."],
    }
    version = desk.library.versions("help-center/billing/fees.md")[0]
    passage = desk.library.passages_of_version(version.id)[0]
    assert passage.id == f"{version.id}#0"
    assert desk.library.body(version.id)[passage.start : passage.end] == passage.text
    assert (passage.title, passage.owner, passage.version) == ("Fees", "Ada", 1)
    assert passage.effective_from == NOW - DAY


def test_a_second_sync_changes_nothing(desk: HelpCenter):
    desk.write("articles/a.md", "A.")
    desk.write("macros/m.md", "M.", front="title: M\nreason: refund")
    desk.sync()
    before = [desk.count(model) for model in (Article, ArticleVersion, PassageRow, ArticleChange)]
    again = desk.sync()
    assert (again.unchanged, again.new, again.changed, again.gone) == (2, [], [], [])
    assert before == [
        desk.count(model) for model in (Article, ArticleVersion, PassageRow, ArticleChange)
    ]


def test_a_touched_file_with_the_same_bytes_is_unchanged(desk: HelpCenter):
    desk.write("articles/a.md", "A.")
    desk.sync()
    os.utime(desk.folder / "articles/a.md", (1, 1))
    report = desk.sync()
    assert (report.unchanged, report.changed, report.updated) == (1, [], [])


def test_an_edit_that_keeps_size_and_second_is_still_seen(desk: HelpCenter):
    file = desk.folder / "articles/a.md"
    file.write_text("30 days.")
    desk.sync()
    stat = file.stat()
    file.write_text("60 days.")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    desk.sync()
    assert desk.in_force() == {"a.md": ["60 days."]}


def test_a_new_text_makes_a_new_version_and_keeps_the_old_one(desk: HelpCenter):
    desk.write("articles/a.md", "Within 30 days.")
    desk.sync()
    old = desk.library.versions("help-center/a.md")[0]
    old_passage = desk.library.passages_of_version(old.id)[0]
    desk.clock.advance(DAY)
    desk.write("articles/a.md", "Within 60 days now.")
    (change,) = desk.sync().changed
    assert (change.article_id, change.old_version, change.new_version) == ("help-center/a.md", 1, 2)
    assert change.old_version_id == old.id
    assert desk.in_force() == {"a.md": ["Within 60 days now."]}
    assert desk.library.passages([old_passage.id, "ver_x#0"]) == {old_passage.id: old_passage}
    assert desk.library.versions_in_force(["help-center/a.md", "x"]) == {
        "help-center/a.md": change.new_version_id
    }


def test_what_an_article_said_before_can_be_read(desk: HelpCenter):
    for text in ("Within a week.", "Within 60 days.", "Within three months.", "Never."):
        desk.write("articles/fees.md", text)
        desk.sync()
        desk.clock.advance(DAY)
    versions = desk.library.versions("help-center/fees.md")
    said = [[p.plain for p in one] for one in desk.library.editions(versions[0].id)]
    assert said == [["Never."], ["Within three months."], ["Within 60 days."]]
    earlier = [[p.plain for p in one] for one in desk.library.editions(versions[2].id)]
    assert earlier == [["Within 60 days."], ["Within a week."]]
    assert desk.library.editions("ver_unknown") == []


def test_a_new_owner_makes_no_version_and_leaves_a_trace(desk: HelpCenter):
    desk.write("articles/a.md", "A.", front="owner: Ada")
    desk.sync()
    desk.write("articles/a.md", "A.", front="owner: Grace")
    report = desk.sync()
    assert (report.updated, report.changed) == (["help-center/a.md"], [])
    assert next(desk.library.passages_in_force()).owner == "Grace"
    with desk.database.read() as session:
        change = session.scalars(select(ArticleChange)).one()
    assert (change.field, change.old, change.new) == ("owner", "Ada", "Grace")


def test_new_effective_dates_make_a_new_version(desk: HelpCenter):
    desk.write("articles/a.md", "A.")
    desk.sync()
    desk.write("articles/a.md", "A.", front="effective_to: 2026-06-02")
    (change,) = desk.sync().changed
    assert change.new_version == 2
    assert desk.library.next_boundary() == datetime(2026, 6, 2, tzinfo=UTC)
    desk.clock.advance(DAY)
    assert desk.in_force() == {}


def test_a_version_waits_for_its_day(desk: HelpCenter):
    desk.write("articles/a.md", "Now $5.")
    desk.sync()
    desk.write("articles/a.md", "From July $9.", front="effective_from: 2026-07-01")
    desk.sync()
    assert desk.in_force() == {"a.md": ["Now $5."]}
    boundary = desk.library.next_boundary()
    assert boundary == datetime(2026, 7, 1, tzinfo=UTC)
    desk.clock.moment = boundary
    assert desk.in_force() == {"a.md": ["From July $9."]}
    assert desk.library.next_boundary() is None


def test_a_page_that_its_site_does_not_show_yet_is_not_in_force(desk: HelpCenter):
    desk.write("articles/new.md", "Fees rise in July.", front="publishDate: 2026-07-01")
    desk.write("articles/old.md", "Fees are $5.", front="publishDate: 2020-01-01")
    desk.sync()
    assert desk.in_force() == {"old.md": ["Fees are $5."]}
    boundary = desk.library.next_boundary()
    assert boundary == datetime(2026, 7, 1, tzinfo=UTC)
    desk.clock.moment = boundary
    assert desk.in_force() == {"new.md": ["Fees rise in July."], "old.md": ["Fees are $5."]}
    assert not desk.sync().changed


def test_what_an_author_states_goes_before_what_the_site_is_told(desk: HelpCenter):
    front = "effective_from: 2026-01-01\npublishDate: 2026-07-01"
    desk.write("articles/a.md", "A.", front=front)
    desk.write("articles/b.md", "B.", front="publishDate: soon")
    desk.sync()
    assert desk.in_force() == {"a.md": ["A."], "b.md": ["B."]}


def test_a_date_in_the_future_counts_only_when_the_author_states_it(desk: HelpCenter):
    desk.write("articles/a.md", "A.")
    os.utime(desk.folder / "articles/a.md", ((NOW + DAY).timestamp(),) * 2)
    desk.sync()
    assert desk.library.versions("help-center/a.md")[0].effective_from == NOW


def test_an_index_dates_the_articles(desk: HelpCenter):
    desk.write("articles/docs/a.md", "A.")
    entry = {"path": "docs/a.md", "last_modified": "2021-03-04", "owner": "Ada"}
    desk.write("articles/index.jsonl", json.dumps(entry))
    desk.sync()
    assert desk.library.versions("help-center/docs/a.md")[0].effective_from == datetime(
        2021, 3, 4, tzinfo=UTC
    )
    desk.write("articles/index.jsonl", json.dumps({**entry, "owner": "Grace"}))
    assert desk.sync().updated == ["help-center/docs/a.md"]


def test_a_file_that_vanished_is_gone_and_goes_on_when_it_returns(desk: HelpCenter):
    desk.write("articles/a.md", "A.")
    desk.write("articles/b.md", "B.")
    desk.sync()
    (desk.folder / "articles/a.md").unlink()
    assert desk.sync().gone == ["help-center/a.md"]
    assert desk.in_force() == {"b.md": ["B."]}
    assert desk.sync().gone == []
    desk.write("articles/a.md", "A again.")
    report = desk.sync()
    assert report.returned == ["help-center/a.md"]
    assert desk.in_force()["a.md"] == ["A again."]
    assert [version.number for version in desk.library.versions("help-center/a.md")] == [2, 1]


def test_a_file_that_returns_as_it_was_gets_no_new_version(desk: HelpCenter):
    for name in ("a.md", "b.md"):
        desk.write(f"articles/{name}", "Same.")
    desk.sync()
    (desk.folder / "articles/a.md").rename(desk.folder / "kept.md")
    desk.sync()
    (desk.folder / "kept.md").rename(desk.folder / "articles/a.md")
    report = desk.sync()
    assert (report.returned, report.changed) == (["help-center/a.md"], [])
    assert set(desk.in_force()) == {"a.md", "b.md"}


def test_archived_and_superseded_articles_are_not_in_force(desk: HelpCenter):
    desk.write("articles/returns/old.md", "14 days.")
    desk.write("articles/returns/new.md", "30 days.", front="supersedes: ../returns/old.md")
    desk.write("articles/away.md", "Away.", front="archived: true")
    desk.sync()
    assert desk.in_force() == {"returns/new.md": ["30 days."]}
    assert desk.library.superseded_by() == {
        "help-center/returns/old.md": "help-center/returns/new.md"
    }


def test_a_few_articles_are_told_the_same_as_all_of_them(desk: HelpCenter):
    desk.write("articles/first.md", "7 days.")
    desk.write("articles/second.md", "14 days.", front="supersedes: first.md")
    desk.write("articles/third.md", "30 days.", front="supersedes: second.md")
    desk.write("articles/other.md", "Other.", front="effective_to: 2026-06-03")
    desk.sync()
    names = ["first.md", "second.md", "third.md", "other.md"]
    for _ in range(2):
        known = {key: set(desk.library.versions_in_force([f"help-center/{key}"])) for key in names}
        assert {key for key, found in known.items() if found} == set(desk.in_force())
        desk.clock.advance(3 * DAY)
    assert set(desk.in_force()) == {"third.md"}


@pytest.mark.parametrize("first", ["new.md", "old.md"])
def test_the_order_in_which_articles_come_makes_no_difference(desk: HelpCenter, first: str):
    texts = {"old.md": ("14 days.", ""), "new.md": ("30 days.", "supersedes: help-center/old.md")}
    for name in sorted(texts, key=lambda name: name != first):
        desk.write(f"articles/{name}", texts[name][0], front=texts[name][1])
        desk.sync()
    assert desk.in_force() == {"new.md": ["30 days."]}


def test_bad_files_are_named_and_stop_nothing(desk: HelpCenter):
    desk.write("articles/a.md", "A.")
    desk.write("articles/binary.md", b"PK\0\0")
    desk.write("articles/empty.md", "\n")
    desk.write("articles/latin.md", b"caf\xe9 costs \x80 5")
    desk.write("articles/broken.md", "B.", front="title: 'x")
    report = desk.sync()
    assert {problem.path: problem.reason for problem in report.failed} == {
        "help-center/binary.md": "binary: it holds NUL bytes",
        "help-center/empty.md": "empty",
    }
    assert {problem.path for problem in report.notes} == {
        "help-center/latin.md",
        "help-center/broken.md",
    }
    assert desk.in_force()["latin.md"] == ["café costs € 5"]


def test_an_article_that_turns_unreadable_keeps_its_version_and_an_emptied_one_goes(
    desk: HelpCenter,
):
    for name in ("a.md", "b.md"):
        desk.write(f"articles/{name}", "Text.")
    desk.sync()
    desk.write("articles/a.md", b"\0\0")
    desk.write("articles/b.md", "---\ntitle: B\n---\n")
    report = desk.sync()
    assert {problem.path for problem in report.failed} == {"help-center/a.md", "help-center/b.md"}
    assert report.gone == ["help-center/b.md"]
    assert desk.in_force() == {"a.md": ["Text."]}


def test_a_missing_or_emptied_source_folder_stops_the_sync_before_anything_changes(
    desk: HelpCenter,
):
    desk.write("sources.yaml", "sources:\n  - {name: one, path: one}\n  - {name: two, path: two}\n")
    desk.write("one/a.md", "A.")
    desk.write("two/b.md", "B.")
    desk.sync()
    desk.write("one/c.md", "C.")
    (desk.folder / "two/b.md").unlink()
    with pytest.raises(BadInput, match=r"source two: .* holds no documents"):
        desk.sync()
    (desk.folder / "two").rmdir()
    with pytest.raises(BadInput, match="source two: there is no folder"):
        desk.sync()
    assert desk.in_force() == {"a.md": ["A."], "b.md": ["B."]}


def test_one_source_can_be_synced_alone(desk: HelpCenter):
    desk.write("sources.yaml", "sources:\n  - {name: one, path: one}\n  - {name: two, path: two}\n")
    desk.write("one/a.md", "A.")
    desk.write("two/b.md", "B.")
    assert desk.sync(source="two").new == ["two/b.md"]
    with pytest.raises(BadInput, match="no source 'three'; the workspace has one, two"):
        desk.sync(source="three")


def test_a_source_taken_out_of_the_workspace_is_gone(desk: HelpCenter):
    desk.write("sources.yaml", "sources:\n  - {name: one, path: one}\n  - {name: two, path: two}\n")
    desk.write("one/a.md", "A.")
    desk.write("two/b.md", "B.")
    desk.sync()
    desk.write("sources.yaml", "sources:\n  - {name: one, path: one}\n")
    assert desk.sync().gone == ["two/b.md"]
    assert desk.in_force() == {"a.md": ["A."]}


def test_macros_are_articles_of_their_own_kind(desk: HelpCenter):
    desk.write("articles/a.md", "A.")
    desk.write("macros/refund.md", "Hi {{name}}, it takes 5 days.", front="reason: refund")
    desk.sync()
    macro = desk.library.article("macros/refund.md")
    assert (macro.kind, macro.reason, macro.title) == ("macro", "refund", "Refund")
    (version,) = desk.library.versions("macros/refund.md")
    assert {passage.kind for passage in desk.library.passages_of_version(version.id)} == {"macro"}
    assert desk.in_force() == {"a.md": ["A."]}, "a macro is not used before it is judged"


def test_a_sync_that_is_killed_leaves_whole_articles_and_can_go_on(desk: HelpCenter):
    for number in range(60):
        desk.write(f"articles/{number:02}.md", f"One {number}.\n\nTwo {number}.")

    class Killed(BaseException):
        pass

    def kill(_source: str, done: int, _total: int) -> None:
        if done >= 30:
            raise Killed

    with pytest.raises(Killed):
        desk.sync(on_progress=kill)
    partly = desk.in_force()
    assert 0 < len(partly) < 60
    assert all(len(passages) == 2 for passages in partly.values())
    report = desk.sync()
    assert len(report.new) + report.unchanged == 60
    assert len(desk.in_force()) == 60
    assert desk.count(ArticleVersion) == 60


def test_progress_counts_up_to_the_number_of_documents(desk: HelpCenter):
    for number in range(30):
        desk.write(f"articles/{number}.md", "A.")
    seen: list[tuple[str, int, int]] = []
    desk.sync(on_progress=lambda *step: seen.append(step))
    assert seen == [("help-center", 25, 30), ("help-center", 30, 30), ("help-center", 30, 30)]


def test_the_run_is_on_record_with_its_report(desk: HelpCenter):
    desk.write("articles/a.md", "A.")
    desk.write("articles/b.md", b"\0")
    report = desk.sync()
    with desk.database.read() as session:
        run = session.scalars(select(SyncRun)).one()
    assert (run.started, run.finished, run.new, run.failed) == (NOW, NOW, 1, 1)
    assert run.report == json.loads(json.dumps(report.as_json()))


def test_articles_are_listed_page_by_page(desk: HelpCenter):
    for name in "abc":
        desk.write(f"articles/{name}.md", "Text.")
    desk.sync()
    first = desk.library.articles(limit=2)
    rest = desk.library.articles(limit=2, after=first[-1].id)
    assert [article.path for article in (*first, *rest)] == ["a.md", "b.md", "c.md"]


def test_ids_and_passages_in_force_agree(desk: HelpCenter):
    desk.write("articles/a.md", "One.\n\nTwo.")
    desk.sync()
    passages = list(desk.library.passages_in_force())
    assert desk.library.in_force_passage_ids() == {passage.id for passage in passages}
    assert desk.library.in_force_versions() == {passage.version_id for passage in passages}


def test_what_does_not_exist_is_said_by_name(desk: HelpCenter):
    with pytest.raises(NotFound, match=r"'help-center/x\.md'"):
        desk.library.article("help-center/x.md")
    with pytest.raises(NotFound, match="'ver_x'"):
        desk.library.body("ver_x")
