"""The help centers that the stale suite replays: which articles change in which round, and a desk.

Edits of one help center are replayed together, by date. In a round every article stands first as
it was before its edit and then as it was after; a further edit of the same article begins the next
round. So a hundred edits cost some dozen syncs, and each is asked among the other articles of its
help center, as in life.
"""

from __future__ import annotations

import functools
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

from rapidfuzz import fuzz

from core.clock import SystemClock
from core.database import Base, Database
from core.identifiers import text_digest
from core.settings import Settings
from desk.bootstrap import Desk, opened
from desk.permissions import Actor
from evals.runs import Progress
from evals.stale_cases import Case
from evals.stale_judges import plain_passage
from evals.stale_scores import folded
from kb.changes import ChangeJudge
from kb.content import Passage
from kb.sync import Sync
from kb.workspace import DEFAULT_SOURCE
from retrieval.ports import Embedder
from retrieval.search import SearchService
from retrieval.vector_index import ExactIndex

_SUFFIXES: Final = {".md", ".mdx", ".markdown", ".html", ".htm", ".txt"}
_NEAR: Final = 60  # percent of common words below which a passage is not the one that was edited
_PHRASE: Final = 4  # words
_SAME_NAME: Final = 0.3
"""Share of the shorter one's phrases from which an article of the same title or address under
another path is the same one; others of one help center share .15 at most."""
_SAME_TEXT: Final = 0.8
"""Share of the longer one's phrases from which it is, whatever the title."""
_BLOCK_MARK: Final = re.compile(r"^(?:(?:#{1,6}|[-*+>]|\d+[.)])\s+)+")
_SHORT: Final = 12  # characters of a passage that may stand anywhere


@dataclass(frozen=True, slots=True)
class Kit:
    """What the probes of one run work with.

    Attributes:
        embedder: Remembers texts: the same articles return in every round.
        cache: Folder with what the rules learn from their examples; handed from desk to desk.
        judge: The judge of changes that the product ships with.
        judge_of: Corpus → the judge that may be asked about it; None for the shipped one.
        on: Told how far the run is.
    """

    embedder: Embedder
    cache: Path
    judge: ChangeJudge
    judge_of: Callable[[str], ChangeJudge | None]
    on: Progress = lambda *_: None


@dataclass(frozen=True, slots=True)
class Edit:
    """An article before and after, and the edits of passages that it holds."""

    path: str
    old: str
    new: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class HelpCenter:
    """The rounds of one corpus."""

    name: str
    rounds: tuple[tuple[Edit, ...], ...]


def with_articles(cases: Sequence[Case]) -> list[HelpCenter]:
    """Return the help centers of the cases that name their articles, oldest edits first.

    A round ends where an article would be edited a second time, so no article is ever ahead of the
    others: what stands in force beside an edit stood there on its day. An article that moved goes on
    under its first path, or else its last text before the move would stay in force for ever.
    """
    corpora: dict[str, list[dict[str, _Round]]] = {}
    by_date = sorted(cases, key=lambda one: one.date)
    homes = _first_paths(by_date)
    for case in by_date:
        if case.old_article is None or case.new_article is None:
            continue
        rounds = corpora.setdefault(case.corpus, [{}])
        article = homes[case.corpus, case.article]
        path = article_path(article, case.new_article.suffix)
        edit = (case.old_article, case.new_article)
        if path in rounds[-1] and rounds[-1][path][0] != edit:
            rounds.append({})
        rounds[-1].setdefault(path, (edit, []))[1].append(case)
    return [HelpCenter(name, tuple(map(_edits, corpora[name]))) for name in sorted(corpora)]


def _first_paths(by_date: Sequence[Case]) -> dict[tuple[str, str], str]:
    """Return (corpus, path) → the path under which the same article stood first.

    An article has moved when its older version reads like what another path last held, and that
    path is not edited any more. It goes on under one path, the one most like it.
    """
    spans: dict[tuple[str, str], tuple[Case, Case]] = {}
    for case in by_date:
        if case.old_article is not None:
            key = (case.corpus, case.article)
            spans[key] = (spans[key][0] if key in spans else case, case)
    phrases = functools.cache(_phrases)
    moves = sorted(
        (
            (likeness, old, new)
            for new, (begins, _) in spans.items()
            for old, (_, ends) in spans.items()
            if old[0] == new[0] and ends.date < begins.date
            if (likeness := _likeness(ends, begins, phrases))
        ),
        key=lambda move: -move[0],
    )
    came_from: dict[tuple[str, str], tuple[str, str]] = {}
    for _, old, new in moves:
        if new not in came_from and old not in came_from.values():
            came_from[new] = old
    return {key: _origin(key, came_from)[1] for key in spans}


def _origin(
    key: tuple[str, str], came_from: Mapping[tuple[str, str], tuple[str, str]]
) -> tuple[str, str]:
    while key in came_from:
        key = came_from[key]
    return key


def _likeness(
    before: Case, after: Case, phrases: Callable[[Path], frozenset[tuple[str, ...]]]
) -> float:
    """Return how alike two articles are if one may be the other one, moved; else 0."""
    if before.new_article is None or after.old_article is None:
        return 0.0
    left, right = phrases(before.new_article), phrases(after.old_article)
    shared = len(left & right)
    of_longer = shared / max(1, len(left), len(right))
    # Under its old title or address an article may have been rewritten in part while it moved.
    same_title = _named(before.title) == _named(after.title) != ""
    same_name = same_title or _address(before) == _address(after)
    enough = same_name and shared >= _SAME_NAME * max(1, min(len(left), len(right)))
    return of_longer if enough or of_longer >= _SAME_TEXT else 0.0


def _named(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.casefold()))


def _address(case: Case) -> PurePosixPath:
    """Return the path as a web address: ``refunds.md`` and ``refunds/index.md`` are one."""
    path = PurePosixPath(case.article).with_suffix("")
    return path.parent if path.name == "index" else path


def _phrases(article: Path) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", _text(article).casefold())
    return frozenset(zip(*(words[at:] for at in range(_PHRASE)), strict=False))


_Round = tuple[tuple[Path, Path], list[Case]]
"""The two versions of an article, and what was edited in it."""


def _edits(articles: Mapping[str, _Round]) -> tuple[Edit, ...]:
    return tuple(
        Edit(path, _text(old), _text(new), tuple(cases))
        for path, ((old, new), cases) in articles.items()
    )


def of_passages(cases: Sequence[Case]) -> list[HelpCenter]:
    """Return one round a corpus in which each case is an article of its own: heading and passage."""
    corpora: dict[str, list[Edit]] = {}
    for case in cases:
        head = f"# {case.title or 'Help'}\n\n"
        section = case.section.lstrip("# ").strip()
        head += f"## {section}\n\n" if section else ""
        path = f"passages/{text_digest(case.id)[:16]}.md"
        old, new = _paragraph(case.old_passage), _paragraph(case.new_passage)
        edit = Edit(path, f"{head}{old}\n", f"{head}{new}\n", (case,))
        corpora.setdefault(case.corpus, []).append(edit)
    return [HelpCenter(name, (tuple(corpora[name]),)) for name in sorted(corpora)]


def _paragraph(passage: str) -> str:
    """Return a passage as a paragraph that can stand by itself.

    The data joins the lines of a passage; a heading that began one would swallow the rest.
    """
    plain = " ".join(plain_passage(passage).split())
    return _BLOCK_MARK.sub("", plain) or " ".join(passage.split())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace")


def article_path(name: str, suffix: str) -> str:
    """Return where an article lies in a workspace: visible folders, a suffix that a sync reads."""
    parts = [re.sub(r"[^\w.-]+", "-", part).lstrip(".-") for part in PurePosixPath(name).parts]
    path = PurePosixPath(*([part for part in parts if part] or ["article"]))
    suffix = suffix.lower() if suffix.lower() in _SUFFIXES else ".md"
    return str(path if path.suffix.lower() == suffix else path.with_name(path.name + suffix))


def passages_of(markdown: str, passages: Sequence[Passage]) -> list[Passage]:
    """Return the stored passages that a passage of the data is, is part of, or consists of.

    A passage of the data may hold several of ours (a list) or less than one. Where the words are
    not found the nearest passage is taken; none when nothing is near.
    """
    wanted = folded(markdown)
    if not wanted:
        return []
    words = {passage.id: folded(passage.text) for passage in passages}
    for test in (lambda has: has == wanted, lambda has: wanted in has):
        for passage in passages:
            if test(words[passage.id]):
                return [passage]
    parts = [p for p in passages if len(words[p.id]) >= _SHORT and words[p.id] in wanted]
    if sum(len(words[p.id]) for p in parts) >= 0.6 * len(wanted):
        return parts
    near = max(passages, key=lambda p: fuzz.ratio(words[p.id], wanted), default=None)
    if near is not None and fuzz.ratio(words[near.id], wanted) >= _NEAR:
        return [near]
    return parts


class _OneArticle:
    """The help center as it would be with one article; a ``retrieval.search.PassageSource``."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = {passage.id: passage for passage in passages}

    def in_force_passage_ids(self) -> set[str]:
        return set(self._passages)

    def passages_in_force(self) -> Iterable[Passage]:
        return self._passages.values()

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        return {key: self._passages[key] for key in ids if key in self._passages}

    def next_boundary(self, now: datetime) -> datetime | None:
        return None


@contextmanager
def searching(kit: Kit) -> Iterator[Callable[[Sequence[Passage]], SearchService]]:
    """Yield what makes a search, the product's own, over nothing but some passages."""
    with tempfile.TemporaryDirectory(prefix="proofdesk-eval-", ignore_cleanup_errors=True) as name:
        database = Database(f"sqlite:///{Path(name) / 'search.sqlite'}")
        Base.metadata.create_all(database.engine)

        def make(passages: Sequence[Passage]) -> SearchService:
            vectors = ExactIndex(kit.embedder.dimensions)
            source = _OneArticle(passages)
            return SearchService(database, source, kit.embedder, vectors, SystemClock())

        try:
            yield make
        finally:
            database.close()


class Replay:
    """A desk of its own whose articles are put where a round needs them.

    Args:
        desk: The desk; its jobs are carried out in the caller's thread.
        actor: A supervisor of it.
        folder: Where its articles lie.
    """

    def __init__(self, desk: Desk, actor: Actor, folder: Path) -> None:
        self.desk = desk
        self.actor = actor
        self._folder = folder

    def put(self, articles: Mapping[str, str]) -> None:
        """Write articles, by path, and sync as the desk does: index, blast radius, flags."""
        self._write(articles)
        self.desk.sync()

    def store(self, articles: Mapping[str, str]) -> None:
        """Write articles, by path, and bring them in, for probes that neither search nor wait."""
        self._write(articles)
        Sync(self.desk.database, self.desk.clock).run(self.desk.workspace)

    def _write(self, articles: Mapping[str, str]) -> None:
        for path, text in articles.items():
            file = self._folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def article_id(self, path: str) -> str:
        """Return the id of the article at ``path``."""
        return f"{DEFAULT_SOURCE}/{path}"

    def passages(self, path: str) -> list[Passage]:
        """Return the passages in force of the article at ``path``; none when it has none."""
        article_id = self.article_id(path)
        version = self.desk.library.versions_in_force([article_id]).get(article_id)
        return self.desk.library.passages_of_version(version) if version else []


@contextmanager
def replay(kit: Kit, corpus: str = "") -> Iterator[Replay]:
    """Open an empty desk in a folder of its own, which is gone afterwards.

    Args:
        kit: What it is made of.
        corpus: The help center whose judge of changes it gets; the product's own by default.
    """
    with tempfile.TemporaryDirectory(prefix="proofdesk-eval-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        articles = folder / "workspace" / "articles"
        articles.mkdir(parents=True)
        cache = folder / "home" / "cache"
        shutil.copytree(kit.cache, cache)
        with _desk(folder, kit, kit.judge_of(corpus)) as desk:
            actor = desk.people.add(None, "Stale suite", "suite@example.invalid", "supervisor")
            yield Replay(desk, actor, articles)
        shutil.copytree(cache, kit.cache, dirs_exist_ok=True)


@contextmanager
def _desk(folder: Path, kit: Kit, changes: ChangeJudge | None) -> Iterator[Desk]:
    settings = Settings(
        home=folder / "home",
        workspace=folder / "workspace",
        # Never the records of a desk at work, wherever the environment says they are.
        database_url=None,
        undo_seconds=0,
        _env_file=None,
    )
    with opened(settings, inline=True) as desk:
        # Put in place of what bootstrap would build, before anything asks for it.
        desk.embedder = kit.embedder
        if changes is not None:
            desk.changes = changes
        yield desk
