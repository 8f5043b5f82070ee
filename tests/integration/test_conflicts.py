"""Conflicts among what is in force, from real files, database and vectors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import update

from core.clock import FixedClock
from core.database import Base, Database
from desk.conflicts import ConflictFound, Conflicts, find_conflicts
from kb.changes import ChangeJudge
from kb.content import Passage
from kb.library import Library
from kb.models import Article
from kb.sync import Sync
from kb.workspace import Workspace
from retrieval.embedding_store import EmbeddingStore
from retrieval.embeddings import HashEmbedder
from retrieval.neighbours import Neighbourhood, shared_text

SAMPLE = Path(__file__).resolve().parents[2] / "kb" / "sample"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAUSE = "# Pause your plan\n\nYou can pause a plan for up to 3 months in a year.\n"
CHARGES = "# Charges while paused\n\nYou can pause a plan for up to {} months in a year.\n"
HOURS = "# Opening hours\n\nThe shop is open on every working day.\n"
TERMS = """# Terms

The service is run by Lampworks of Leeds. It is meant for people and for companies.

Your account is yours alone. Do not tell anybody your password, and sign out when you leave.

We delete your files {} days after you close your account.

We may change these terms. We write to you before we do, and you may leave at any time.
"""


class HelpCenter:
    """A folder of articles and macros, its database, and what looks for conflicts in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("articles", "macros"):
            (folder / name).mkdir()
        self.clock = FixedClock(NOON)
        self.database = Database(f"sqlite:///{folder / 'test.sqlite'}")
        Base.metadata.create_all(self.database.engine)
        self.library = Library(self.database, self.clock)
        self.embedder = HashEmbedder()
        self.store = EmbeddingStore(self.database, self.embedder)
        self.conflicts = Conflicts(self.library, self.store, ChangeJudge())

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def sync(self, workspace: Path | None = None) -> None:
        self.clock.advance(timedelta(minutes=1))
        Sync(self.database, self.clock).run(Workspace.load(workspace or self.folder))

    def release_macros(self) -> None:
        """Let every macro be used, as if it had been judged."""
        with self.database.write() as session:
            session.execute(update(Article).values(withheld=None))

    def passages(self) -> list[Passage]:
        return list(self.library.passages_in_force())


@pytest.fixture
def center(tmp_path: Path) -> Iterator[HelpCenter]:
    help_center = HelpCenter(tmp_path)
    help_center.write("articles/pause.md", PAUSE)
    help_center.write("articles/charges.md", CHARGES.format(6))
    help_center.write("articles/hours.md", HOURS)
    help_center.sync()
    yield help_center
    help_center.database.close()


def articles(found: list[ConflictFound]) -> list[tuple[str, str]]:
    return [(one.left.article_id, one.right.article_id) for one in found]


PAIR = ("help-center/charges.md", "help-center/pause.md")


def test_two_articles_in_force_that_contradict_each_other_are_found(center: HelpCenter) -> None:
    (found,) = center.conflicts.find()
    assert (found.left.article_id, found.right.article_id) == PAIR
    assert (found.facts[0].old, found.facts[0].new) == ("6 months", "3 months")
    assert not found.twins


@pytest.mark.parametrize("changed", PAIR)
def test_a_look_at_either_article_finds_what_a_look_at_all_finds(
    center: HelpCenter, changed: str
) -> None:
    assert center.conflicts.find([changed]) == center.conflicts.find()
    assert center.conflicts.find(["help-center/hours.md"]) == []
    assert center.conflicts.find([]) == []


def test_a_conflict_ends_when_one_side_is_put_right(center: HelpCenter) -> None:
    assert center.conflicts.find()
    center.write("articles/charges.md", CHARGES.format(3))
    center.sync()
    assert center.conflicts.find(["help-center/charges.md"]) == []
    assert center.conflicts.find() == []


def test_a_conflict_keeps_its_key_through_a_version_that_leaves_its_words(
    center: HelpCenter,
) -> None:
    (before,) = center.conflicts.find()
    center.write("articles/charges.md", CHARGES.format(6) + "\nNothing else changes.\n")
    center.sync()
    (after,) = center.conflicts.find()
    assert after.left.version_id != before.left.version_id
    assert after.key == before.key
    center.write("articles/charges.md", CHARGES.format(9))
    center.sync()
    (other,) = center.conflicts.find()
    assert other.key != before.key


def test_what_is_out_of_force_conflicts_with_nothing(center: HelpCenter) -> None:
    center.write("articles/charges.md", "---\narchived: true\n---\n" + CHARGES.format(6))
    center.sync()
    assert center.conflicts.find() == []


def test_a_macro_that_contradicts_an_article_is_found(center: HelpCenter) -> None:
    center.write("articles/charges.md", CHARGES.format(3))
    center.write("macros/pause.md", "You can pause a plan for up to 12 months in a year.\n")
    center.sync()
    assert center.conflicts.find(["macros/pause.md"]) == []
    center.release_macros()
    found = articles(center.conflicts.find(["macros/pause.md"]))
    assert found == [("help-center/charges.md", "macros/pause.md"), (PAIR[1], "macros/pause.md")]


def test_versions_of_one_text_as_two_articles_conflict_where_they_differ(
    center: HelpCenter,
) -> None:
    center.write("articles/old/terms.md", TERMS.format(30))
    center.write("articles/terms.md", TERMS.format(60))
    center.sync()
    (found,) = center.conflicts.find(["help-center/terms.md"])
    assert found.twins
    assert "30 days" in found.left.plain
    assert "60 days" in found.right.plain


def test_offices_of_two_towns_are_two_cases(center: HelpCenter) -> None:
    center.write("articles/leeds.md", "# Leeds\n\nOur office is open until 5 pm.\n")
    center.write("articles/bristol.md", "# Bristol\n\nOur office is open until 6 pm.\n")
    center.sync()
    assert ("help-center/bristol.md", "help-center/leeds.md") in articles(center.conflicts.find())
    # With enough to read, what is never written small is known for a name.
    center.write("articles/guide.md", "# Guide\n\n" + "We charge a fee to pause. " * 900)
    center.sync()
    assert articles(center.conflicts.find()) == [PAIR]


def test_a_second_look_embeds_nothing(center: HelpCenter) -> None:
    center.conflicts.find()
    count = len(center.embedder.embedded)
    center.conflicts.find()
    find_conflicts(center.library, center.store, ChangeJudge())
    assert len(center.embedder.embedded) == count


def test_pairs_of_one_article_are_a_part_of_all_pairs(center: HelpCenter) -> None:
    center.write("articles/terms.md", TERMS.format(30))
    center.sync()
    hood = Neighbourhood(center.store)
    every = hood.pairs(center.passages(), floor=0.05)
    some = hood.pairs(center.passages(), {PAIR[1]}, floor=0.05)
    assert some == [
        pair for pair in every if PAIR[1] in {pair.left.article_id, pair.right.article_id}
    ]
    assert all(pair.left.article_id < pair.right.article_id for pair in every)
    assert all(pair.left.content_hash != pair.right.content_hash for pair in every)


def test_a_passage_gets_its_nearest_neighbours_and_no_more(center: HelpCenter) -> None:
    for number in range(6):
        text = f"# Pausing {number}\n\nYou can pause a plan, says page {number}.\n"
        center.write(f"articles/page-{number}.md", text)
    center.sync()
    hood = Neighbourhood(center.store)
    every = hood.pairs(center.passages(), {PAIR[1]}, floor=0.0)
    few = hood.pairs(center.passages(), {PAIR[1]}, floor=0.0, most=2)
    best = sorted((pair.similarity for pair in every), reverse=True)[:2]
    assert sorted((pair.similarity for pair in few), reverse=True) == best


def test_how_much_two_articles_share_is_told_by_the_smaller(center: HelpCenter) -> None:
    center.write("articles/terms.md", TERMS.format(30))
    center.write("articles/long.md", TERMS.format(60) + "\n" + "Something else. " * 200 + "\n")
    center.sync()
    pairs = Neighbourhood(center.store).pairs(center.passages())
    shares = shared_text(center.passages(), pairs)
    assert shares["help-center/long.md", "help-center/terms.md"] > 0.8
    assert shares.get(PAIR, 0.0) < 1.0


def test_the_sample_help_center_has_the_conflicts_planted_in_it_and_no_other(
    tmp_path: Path,
) -> None:
    center = HelpCenter(tmp_path)
    stated = str(yaml.safe_load((SAMPLE / "sample.yaml").read_text())["reference_date"])
    center.clock.moment = datetime.fromisoformat(stated).replace(hour=12, tzinfo=UTC)
    center.sync(SAMPLE)
    center.release_macros()
    found = center.conflicts.find()
    center.database.close()
    told = {(one.left.article_id, one.right.article_id, one.facts[0].old) for one in found}
    pause = ("help-center/billing/charges-while-paused.md", "help-center/plans/pause-your-plan.md")
    macro = ("help-center/returns/return-policy.md", "macros/return-window.md")
    assert told == {(*pause, "6 months"), (*macro, "30 days"), (*macro, "10 business days")}
