"""Search stays true to what is in force, whatever happens around it."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.retrieval import evaluate
from core.clock import FixedClock
from core.database import Base, Database
from core.errors import BadInput, IndexUnavailable
from kb.library import Library
from kb.models import Article
from kb.sync import Sync
from kb.workspace import Workspace
from retrieval.at_hand import VersionsAtHand
from retrieval.embeddings import HashEmbedder
from retrieval.ports import VectorIndex, Vectors
from retrieval.remembering import RememberingEmbedder
from retrieval.search import SearchService
from retrieval.vector_index import ChromaIndex, ExactIndex

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

BACKUPS = "# Backups\n\nWe keep backups for 30 days after you cancel.\n"
REFUNDS = "# Refunds\n\nRefunds are paid within 14 days.\n\nAnnual plans are refunded in full.\n"


class HelpCenter:
    """A folder of articles, its database, and the processes that search it."""

    def __init__(self, folder: Path) -> None:
        self.articles = folder / "articles"
        self.articles.mkdir()
        self.clock = FixedClock(NOON)
        self.database = Database(f"sqlite:///{folder / 'test.sqlite'}")
        Base.metadata.create_all(self.database.engine)
        self.library = Library(self.database, self.clock)
        self.embedder = HashEmbedder()
        self.chroma = folder / "chroma"

    def write(self, name: str, text: str) -> None:
        (self.articles / name).write_text(text)

    def sync(self) -> None:
        self.clock.advance(timedelta(minutes=1))
        Sync(self.database, self.clock).run(Workspace.load(self.articles.parent))

    def process(
        self,
        vectors: VectorIndex | None = None,
        embedder: HashEmbedder | None = None,
        reader: RememberingEmbedder | None = None,
    ) -> SearchService:
        embedder = embedder or self.embedder
        return SearchService(
            database=self.database,
            library=self.library,
            embedder=embedder,
            vectors=vectors or ExactIndex(embedder.dimensions),
            clock=self.clock,
            reader=reader,
        )


@pytest.fixture
def center(tmp_path) -> Iterator[HelpCenter]:
    help_center = HelpCenter(tmp_path)
    help_center.write("backups.md", BACKUPS)
    help_center.write("refunds.md", REFUNDS)
    help_center.sync()
    yield help_center
    help_center.database.close()


def texts(search: SearchService, question: str, count: int = 10) -> list[str]:
    return [hit.passage.plain for hit in search.search(question, count)]


def test_the_passage_that_answers_comes_first(center: HelpCenter) -> None:
    hits = center.process().search("How long do you keep backups after I cancel?", 3)
    assert hits[0].passage.plain == "We keep backups for 30 days after you cancel."
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert all(0 <= hit.score <= 1 for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].lexical > 0
    assert hits[0].cosine > hits[-1].cosine


def test_a_refresh_embeds_only_what_was_never_embedded(center: HelpCenter) -> None:
    search = center.process()
    assert search.refresh().embedded == len(center.embedder.embedded) > 0
    assert search.refresh().embedded == 0
    already = len(center.embedder.embedded)
    center.write("refunds.md", REFUNDS.replace("14", "30"))
    center.sync()
    search.refresh()
    assert all("30" in text for text in center.embedder.embedded[already:])
    assert center.process().refresh().embedded == 0


def test_whoever_reads_what_was_found_embeds_none_of_it_again(center: HelpCenter) -> None:
    reader = RememberingEmbedder(center.embedder)
    search = center.process(reader=reader)
    reader.embed(["When are refunds paid?"])
    search.refresh()
    already = len(center.embedder.embedded)
    found = search.search("When are refunds paid?")
    reader.embed(["When are refunds paid?", *(hit.passage.plain for hit in found)])
    assert center.embedder.embedded[already:] == []


def test_the_passages_beside_a_hit_are_those_of_its_version(center: HelpCenter) -> None:
    search = center.process()
    search.refresh()
    before = search.search("When are refunds paid?")[0].passage.version_id
    assert search.passages_of_version(before) == center.library.passages_of_version(before)
    center.write("refunds.md", REFUNDS.replace("14 days", "30 days"))
    center.sync()
    now = search.search("When are refunds paid?")[0].passage.version_id
    assert search.passages_of_version(now) == center.library.passages_of_version(now)
    assert "Refunds are paid within 30 days." in [
        one.plain for one in search.passages_of_version(now)
    ]
    assert search.passages_of_version(before) == []  # no longer in force
    at_hand = VersionsAtHand(search.passages_of_version, center.library.passages_of_version)
    assert at_hand.passages_of_version(before) == center.library.passages_of_version(before)


def test_a_refresh_reports_its_progress(center: HelpCenter) -> None:
    seen: list[tuple[int, int]] = []
    center.process().refresh(lambda done, total: seen.append((done, total)))
    total = len(center.embedder.embedded)
    assert seen[-1] == (total, total)


def test_a_refresh_without_a_change_touches_nothing(center: HelpCenter) -> None:
    search = center.process()
    first = search.refresh()
    again = search.refresh()
    assert (again.added, again.removed, again.generation) == (0, 0, first.generation)


def test_a_superseded_version_is_no_longer_found(center: HelpCenter) -> None:
    search = center.process()
    assert "Refunds are paid within 14 days." in texts(search, "When are refunds paid?")
    center.write("refunds.md", REFUNDS.replace("14 days", "30 days"))
    center.sync()
    found = texts(search, "When are refunds paid?")
    assert "Refunds are paid within 30 days." in found
    assert "Refunds are paid within 14 days." not in found


def test_an_article_that_is_gone_is_no_longer_found(center: HelpCenter) -> None:
    search = center.process()
    assert texts(search, "backups")
    (center.articles / "backups.md").unlink()
    center.sync()
    assert not any("backups" in text for text in texts(search, "backups"))


def test_what_comes_into_force_later_is_found_then_and_not_before(center: HelpCenter) -> None:
    starts = NOON + timedelta(days=2)
    center.write(
        "refunds.md",
        f"---\neffective_from: {starts.isoformat()}\n---\n" + REFUNDS.replace("14", "60"),
    )
    center.sync()
    search = center.process()
    assert "Refunds are paid within 14 days." in texts(search, "When are refunds paid?")
    center.clock.advance(timedelta(days=3))
    found = texts(search, "When are refunds paid?")
    assert "Refunds are paid within 60 days." in found
    assert "Refunds are paid within 14 days." not in found


def test_another_process_notices_a_change_that_was_refreshed_elsewhere(center: HelpCenter) -> None:
    reader, writer = center.process(), center.process()
    assert texts(reader, "refunds")
    writer.refresh()
    center.write("chat.md", "# Chat\n\nChat is open on Saturdays.\n")
    center.sync()
    writer.refresh()
    assert "Chat is open on Saturdays." in texts(reader, "Is the chat open on Saturdays?")


def test_whoever_looked_before_another_one_announced_looks_again(
    center: HelpCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = center.process(), center.process()
    assert texts(slow, "backups") == texts(quick, "backups")
    look = center.library.in_force_passage_ids

    def look_as_it_changes() -> set[str]:
        found = look()
        monkeypatch.undo()
        with center.database.write() as session:
            session.get_one(Article, "help-center/backups.md").archived = True
        quick.refresh()
        return found

    monkeypatch.setattr(center.library, "in_force_passage_ids", look_as_it_changes)
    slow.refresh()
    for search in (slow, quick, slow):
        assert "We keep backups for 30 days after you cancel." not in texts(search, "backups")


def test_identical_texts_come_once_and_the_newest_stands_for_them(center: HelpCenter) -> None:
    center.write("copy.md", REFUNDS)
    center.sync()
    hits = center.process().search("When are refunds paid?", 10)
    same = [hit for hit in hits if hit.passage.plain == "Refunds are paid within 14 days."]
    assert [hit.passage.article_id for hit in same] == ["help-center/copy.md"]


def test_the_other_copy_stands_in_when_the_newest_goes(center: HelpCenter) -> None:
    center.write("copy.md", REFUNDS)
    center.sync()
    search = center.process()
    assert texts(search, "refunds")
    (center.articles / "copy.md").unlink()
    center.sync()
    hits = search.search("When are refunds paid?", 10)
    assert hits[0].passage.article_id == "help-center/refunds.md"


def _delete(folder: Path) -> None:
    shutil.rmtree(folder)


def _spoil(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_bytes(b"spoiled" * 500)


def _fill_with_other_vectors(folder: Path) -> None:
    index = ChromaIndex(folder)
    known = sorted(index.ids())
    rows = HashEmbedder().embed([f"something else {number}" for number in range(len(known))])
    index.add(known, rows)
    index.close()


def _empty(folder: Path) -> None:
    index = ChromaIndex(folder)
    index.remove(sorted(index.ids())[:1])
    index.close()


@pytest.mark.parametrize("damage", [_delete, _spoil, _fill_with_other_vectors, _empty])
def test_a_broken_vector_index_is_rebuilt_from_sql(
    center: HelpCenter, damage: Callable[[Path], None]
) -> None:
    vectors = ChromaIndex(center.chroma)
    before = texts(center.process(vectors), "How long are backups kept?")
    vectors.close()
    damage(center.chroma)
    embedded = len(center.embedder.embedded)
    repaired = ChromaIndex(center.chroma)
    assert texts(center.process(repaired), "How long are backups kept?") == before
    assert len(center.embedder.embedded) == embedded + 1  # the question, no passage
    assert len(repaired.ids()) == 3
    repaired.close()


def test_another_embedder_replaces_the_vectors(center: HelpCenter) -> None:
    vectors = ChromaIndex(center.chroma)
    before = texts(center.process(vectors), "backups")
    other = center.process(vectors, HashEmbedder(64))
    assert texts(other, "backups") == before
    assert len(vectors.ids()) == 3
    vectors.close()


@pytest.mark.parametrize(
    "question",
    [
        'refunds AND (NOT "cancel" OR title:x^9) [a TO b] ~2 * ?',
        "refunds +must -mustnot {!lucene} \\ / : \" '",
        "refunds 🙂🙂 ‮ \x00 \ud800",
        "refunds " + "very " * 20_000 + "long",
        "SELECT * FROM passage; DROP TABLE passage; refunds",
        "REFUNDS",
        "réfunds",
    ],
)
def test_any_text_is_a_question(center: HelpCenter, question: str) -> None:
    assert any("efunds" in text for text in texts(center.process(), question, 3))


@pytest.mark.parametrize("question", ["", "   \n", "???", "🙂", "\x00"])
def test_a_question_without_a_word_finds_nothing(center: HelpCenter, question: str) -> None:
    assert center.process().search(question) == []


@pytest.mark.parametrize("count", [0, -1])
def test_a_count_below_one_is_refused(center: HelpCenter, count: int) -> None:
    with pytest.raises(BadInput, match="count"):
        center.process().search("refunds", count)


def test_an_empty_help_center_answers_nothing(tmp_path) -> None:
    empty = HelpCenter(tmp_path)
    assert empty.process().search("refunds") == []
    empty.database.close()


def test_never_more_than_asked_for(center: HelpCenter) -> None:
    assert len(center.process().search("refunds", 1)) == 1


class _Slow(HashEmbedder):
    """Waits with what has the word "slow" in it until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.Event()
        self.go_on = threading.Event()

    def embed(self, texts: Sequence[str]) -> Vectors:
        if any("slow" in text for text in texts):
            self.waiting.set()
            assert self.go_on.wait(60)
        return super().embed(texts)


def test_while_new_articles_are_embedded_nothing_out_of_force_is_found(center: HelpCenter) -> None:
    embedder = _Slow()
    search = center.process(embedder=embedder)
    search.refresh()
    center.write("refunds.md", "# Refunds\n\nRefunds are slow: they take 60 days.\n")
    center.sync()
    refreshing = threading.Thread(target=search.refresh)
    refreshing.start()
    assert embedder.waiting.wait(60)
    found = texts(search, "When are refunds paid?")
    embedder.go_on.set()
    refreshing.join()
    assert found == ["We keep backups for 30 days after you cancel."]
    assert "Refunds are slow: they take 60 days." in texts(search, "When are refunds paid?")


@pytest.mark.data
def test_finds_answers_in_real_help_centers(shared_data: Path, tmp_path: Path) -> None:
    data = shared_data / "policy-changes"
    rows = [json.loads(line) for line in (data / "pairs.jsonl").read_text().splitlines()]
    small = tmp_path / "data"
    (small / "articles").mkdir(parents=True)
    some = [row for row in rows if row["corpus"] == "letsencrypt/website"][:25]
    for row in some:
        shutil.copy(data / row["new_article"], small / row["new_article"])
    (small / "pairs.jsonl").write_text("\n".join(map(json.dumps, some)))
    found = evaluate(small, tmp_path)
    assert found["proofdesk"].overall.hit_at_5 >= 0.8
    assert found["proofdesk"].overall.mrr > found["minilm"].overall.mrr


class Lost(ExactIndex):
    """A vector index that is lost once and has a look taken at it while it is filled again."""

    look: Callable[[], object] = staticmethod(lambda: None)
    lost = False

    def nearest(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        if self.lost:
            raise IndexUnavailable("the folder is gone")
        return super().nearest(vector, count)

    def clear(self) -> None:
        super().clear()
        self.lost = False
        self.look()

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        for number in range(len(ids)):
            super().add(ids[number : number + 1], vectors[number : number + 1])
            self.look()


def test_who_searches_while_the_index_is_rebuilt_finds_what_it_will_find(
    center: HelpCenter,
) -> None:
    vectors = Lost(center.embedder.dimensions)
    search = center.process(vectors)
    question = "Unicorn?"  # no word leads to any passage
    before = [(hit.passage.id, hit.cosine) for hit in search.search(question)]
    meanwhile: list[object] = []

    def look() -> None:
        meanwhile.append([(hit.passage.id, hit.cosine) for hit in search.search(question)])

    vectors.look, vectors.lost = look, True
    assert [(hit.passage.id, hit.cosine) for hit in search.search(question)] == before
    assert len(before) == 3
    assert meanwhile == [before] * 4


def test_an_index_of_which_much_was_removed_is_built_anew(center: HelpCenter) -> None:
    lines = [f"Plan {number} costs {number + 10} dollars a month." for number in range(130)]
    center.write("plans.md", "# Plans\n\n" + "\n\n".join(lines))
    center.sync()
    vectors = ChromaIndex(center.chroma)
    search = center.process(vectors)
    search.refresh()
    vectors.remove(sorted(vectors.ids())[:60])
    vectors.close()  # what was removed is remembered by the next process
    reopened = ChromaIndex(center.chroma)
    assert not reopened.worn
    center.write("plans.md", "# Plans\n\n" + "\n\n".join(lines[:20]))
    center.sync()
    search = center.process(reopened)
    search.refresh()
    assert len(reopened.ids()) == 23
    assert reopened._removed() == 0
    assert not reopened.worn
    assert texts(search, "What does plan 7 cost?")[0] == lines[7]
    reopened.close()


def test_a_folder_that_vanishes_again_while_it_is_filled_is_filled_once_more(
    center: HelpCenter,
) -> None:
    vectors = Lost(center.embedder.dimensions)
    search = center.process(vectors)
    before = texts(search, "How long are backups kept?")
    breaks = [True, False, False, False, False]

    def look() -> None:
        if breaks.pop(0):
            raise IndexUnavailable("the folder is gone again")

    vectors.look, vectors.lost = look, True
    assert texts(search, "How long are backups kept?") == before
    assert breaks == []
