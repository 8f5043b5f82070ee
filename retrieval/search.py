"""Search over what is in force: keeps the indexes true to SQL and answers questions from them."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import select

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, IndexUnavailable
from core.identifiers import json_digest, text_digest
from core.tracing import span
from kb.content import Passage
from kb.models import SyncRun
from retrieval.embedding_store import EmbeddingStore
from retrieval.lexical import TantivyIndex
from retrieval.ports import Embedder, Hit, LexicalIndex, VectorIndex, Vectors
from retrieval.ranking import (
    REPEAT_PENALTY,
    fused_score,
    repeats,
    sentence_texts,
    whole_text,
)
from retrieval.remembering import RememberingEmbedder
from retrieval.tables import IndexState
from retrieval.vector_index import ExactIndex

_log = logging.getLogger(__name__)

_CANDIDATES: Final = 60  # of each index; more changed no hit on real help centers
_REPAIRS: Final = 3
_PROBES: Final = 3
_REMEMBERED: Final = 5_000  # passages whose vectors stay in memory: about 20 MB


class PassageSource(Protocol):
    """What search reads of the help center; ``kb.library.Library`` is one."""

    def in_force_passage_ids(self) -> set[str]:
        """Return the ids of the passages in force now."""
        ...

    def passages_in_force(self) -> Iterable[Passage]:
        """Give the passages in force now."""
        ...

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return the passages of ``ids``; unknown ids are absent."""
        ...

    def next_boundary(self, now: datetime) -> datetime | None:
        """Return when time alone next changes what is in force."""
        ...


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: numbers of passages, and of texts that had to be embedded."""

    in_force: int
    added: int
    removed: int
    embedded: int
    generation: int


@dataclass(frozen=True)
class _Marker:
    """What another process changes when it changes what is searchable."""

    generation: int
    last_sync: str


class SearchService:
    """The one way to search; implements :class:`retrieval.ports.Search`. Safe for many threads.

    SQL is the truth. The indexes are brought to exactly the passages in force by :meth:`refresh`,
    which :meth:`search` calls by itself when time alone has changed what is in force, or when
    another process has changed the help center.

    Args:
        database: Keeps embeddings and the generation of the index.
        library: The help center.
        embedder: Turns texts into vectors.
        vectors: Vector index, filled or empty; it is checked before it is used.
        clock: Tells when something comes into force.
        lexical: Lexical index, empty. Default: BM25 in memory.
        reader: Embeds questions. It is told the vectors of what was found, which whoever reads it
            compares with the question next. Default: the embedder, which is told nothing.
    """

    def __init__(
        self,
        database: Database,
        library: PassageSource,
        embedder: Embedder,
        vectors: VectorIndex,
        clock: Clock,
        lexical: LexicalIndex | None = None,
        reader: RememberingEmbedder | None = None,
    ) -> None:
        self._database = database
        self._library = library
        self._embedder = embedder
        self._reader = reader
        self._store = EmbeddingStore(database, embedder)
        self._vectors = vectors
        self._clock = clock
        self._lexical: LexicalIndex = lexical if lexical is not None else TantivyIndex()
        self._refreshing = threading.Lock()
        self._purged = threading.Event()
        self._in_force: dict[str, Passage] = {}
        self._versions: dict[str, list[Passage]] = {}
        self._indexed: dict[str, Passage] = {}
        self._recent: OrderedDict[str, Vectors] = OrderedDict()
        self._remembering = threading.Lock()
        self._checked = False
        self._stand_in: VectorIndex | None = None
        self._trouble = ""
        self._rebuilds = 0
        self._marker: _Marker | None = None
        self._boundary: datetime | None = None

    def refresh(self, on_progress: Callable[[int, int], None] | None = None) -> Refreshed:
        """Bring both indexes to exactly what is in force.

        Costs one reading of ids when nothing changed. What is no longer in force leaves the
        indexes first, before anything is embedded.

        Args:
            on_progress: Called with the number of texts embedded and to be embedded.

        Raises:
            ModelUnavailable: The embedder does not answer.
        """
        with self._refreshing:
            self._purged.clear()
            try:
                return self._refresh(on_progress)
            finally:
                self._purged.set()

    def search(self, question: str, count: int = 10) -> list[Hit]:
        """Return the best passages in force for ``question``, best first, each text once.

        Any text is a question; one without a word finds nothing.

        Args:
            question: What is asked.
            count: At most so many.

        Raises:
            BadInput: ``count`` is below 1.
        """
        if count < 1:
            raise BadInput(f"count must be at least 1, not {count}")
        self._keep_fresh()
        if not any(char.isalnum() for char in question):
            return []
        with span("search") as noting:
            hits = self._search_in_whole_index(question, count)
            noting.note(hits=len(hits))
            return hits

    @property
    def built(self) -> bool:
        """Whether there is an index to search; a refresh of one that is there leaves it so."""
        return self._marker is not None and (self._checked or self._stand_in is not None)

    @property
    def trouble(self) -> str:
        """Why searches are answered from memory and not by the vector index; empty when they are not."""
        return self._trouble

    def passages_of_version(self, version_id: str) -> list[Passage]:
        """Return the passages of a version in force in reading order, from memory; else none.

        Their words cannot change; their owner and address may be older than what a search returns.
        """
        return list(self._versions.get(version_id, ()))

    # Keeping the indexes true

    def _keep_fresh(self) -> None:
        now = self._clock.now()
        due = self._boundary is not None and now >= self._boundary
        if not due and self._marker is not None and self._marker == self._read_marker():
            return
        if self._marker is None or not self._refreshing.locked():
            self.refresh()
        else:
            # Somebody else refreshes: go on as soon as nothing out of force can be found.
            self._purged.wait()

    def _refresh(self, on_progress: Callable[[int, int], None] | None) -> Refreshed:
        # Marker and boundary are read before the ids: a change in between is seen next time.
        marker = self._read_marker()
        boundary = self._library.next_boundary(self._clock.now())
        wanted = self._library.in_force_passage_ids()
        gone = self._in_force.keys() - wanted
        arrived = wanted - self._in_force.keys()
        if self._checked and not gone and not arrived:
            return self._settle(marker, boundary, wanted, Refreshed(len(wanted), 0, 0, 0, 0))
        new = self._load(arrived)
        held = {key: value for key, value in self._in_force.items() if key in wanted} | new
        shown = newest_of_each_text(held.values())
        surplus = self._indexed.keys() - shown.keys()
        self._indexed = {key: shown[key] for key in self._indexed.keys() - surplus}
        self._in_force = held
        self._versions = by_version(held.values())
        self._lexical.replace(surplus, ())
        self._purged.set()

        unknown = [shown[key] for key in shown.keys() - self._indexed.keys()]
        texts = [text for passage in unknown for text in embedded_texts(passage)]
        embedded = self._store.ensure(texts, on_progress)
        self._bring_vectors_to(shown)
        self._lexical.replace((), unknown)
        self._indexed = shown
        done = Refreshed(len(held), len(new), len(gone), embedded, 0)
        return self._settle(marker, boundary, wanted, done)

    def _settle(
        self, marker: _Marker, boundary: datetime | None, wanted: set[str], done: Refreshed
    ) -> Refreshed:
        generation = self._announce(wanted, marker.generation)
        self._marker = _Marker(generation, marker.last_sync)
        self._boundary = boundary
        return replace(done, generation=generation)

    def _load(self, ids: set[str]) -> dict[str, Passage]:
        if not self._in_force and ids:
            found = {passage.id: passage for passage in self._library.passages_in_force()}
        else:
            found = self._library.passages(sorted(ids))
        return {key: found[key] for key in sorted(ids) if key in found}

    def _bring_vectors_to(self, held: dict[str, Passage]) -> None:
        try:
            self._difference_to(held)
            if not self._checked and not self._is_sound(held):
                raise IndexUnavailable
        except IndexUnavailable:
            self._rebuild(held)
        else:
            self._use_vectors()

    def _rebuild(self, held: dict[str, Passage]) -> None:
        """Empty the vector index and fill it; who searches meanwhile is answered from memory.

        Where it cannot be filled they are answered so until a later refresh fills it.
        """
        units = {self._unit(passage): whole_text(passage) for passage in held.values()}
        texts = list(units.values())
        self._store.ensure(texts)
        stand_in = ExactIndex(self._embedder.dimensions)
        if texts:
            stand_in.add(list(units), self._store.vectors(texts))
        self._stand_in = stand_in
        self._rebuilds += 1
        try:
            self._fill_anew(held)
        except IndexUnavailable as error:
            self._checked = False
            self._trouble = error.message
            _log.warning("searches are answered from memory: %s", error.message)
        else:
            self._use_vectors()

    def _use_vectors(self) -> None:
        self._stand_in = None
        self._trouble = ""
        self._checked = True

    def _fill_anew(self, held: dict[str, Passage]) -> None:
        # More than once: what took the index away may not be through with it.
        for left in reversed(range(_REPAIRS)):
            try:
                self._vectors.clear()
                self._difference_to(held)
                return
            except IndexUnavailable:
                if not left:
                    raise

    def _difference_to(self, held: dict[str, Passage]) -> None:
        texts = {self._unit(passage): whole_text(passage) for passage in held.values()}
        present = self._vectors.ids()
        surplus = present - texts.keys()
        if surplus:
            self._vectors.remove(sorted(surplus))
        if self._vectors.worn:
            raise IndexUnavailable("the search index is worn out")
        missing = sorted(texts.keys() - present)
        if missing:
            wanted = [texts[unit] for unit in missing]
            self._store.ensure(wanted)
            self._vectors.add(missing, self._store.vectors(wanted))

    def _is_sound(self, held: dict[str, Passage]) -> bool:
        """Whether the vector index finds some passages under their own vectors."""
        some = sorted(held)[:: max(1, len(held) // _PROBES)][:_PROBES]
        texts = [whole_text(held[key]) for key in some]
        if not texts:
            return True
        self._store.ensure(texts)
        return all(
            (found := self._vectors.nearest(vector, 1)) and found[0][1] > 0.999
            for vector in self._store.vectors(texts)
        )

    def _unit(self, passage: Passage) -> str:
        """Return the id of a passage's vector; another text or embedder makes another id."""
        key = text_digest(f"{self._embedder.name}\0{whole_text(passage)}")
        return f"{passage.id}~{key[:16]}"

    def _read_marker(self) -> _Marker:
        with self._database.read() as session:
            generation = session.scalar(select(IndexState.generation).where(IndexState.id == 1))
            newest = select(SyncRun.id, SyncRun.finished).order_by(SyncRun.started.desc()).limit(1)
            run = session.execute(newest).first()
        return _Marker(generation or 0, "" if run is None else f"{run.id} {run.finished}")

    def _announce(self, ids: set[str], seen: int) -> int:
        """Let other processes know what is searchable now; return the generation.

        Where another process announced something else since ``seen``, it may have looked later than
        this one: nothing is announced then, and ``seen``, which is out of date, has this one look again.
        """
        digest = json_digest([self._embedder.name, sorted(ids)])
        with self._database.read() as session:
            state = session.get(IndexState, 1)
            if state is not None and state.digest == digest and state.generation == seen:
                return seen
        with self._database.write() as session:
            state = session.get(IndexState, 1, with_for_update=True)
            if state is None:
                state = IndexState(id=1, generation=0, digest="", updated=self._clock.now())
                session.add(state)
            if state.digest != digest:
                if state.generation != seen:
                    return seen
                state.generation += 1
                state.digest = digest
                state.updated = self._clock.now()
            return state.generation

    # Answering

    def _search_in_whole_index(self, question: str, count: int) -> list[Hit]:
        for _ in range(_REPAIRS):
            try:
                return self._search(question, count)
            except IndexUnavailable:
                self._checked = False
                self.refresh()
        return self._search(question, count)

    def _search(self, question: str, count: int) -> list[Hit]:
        vector = (self._reader or self._embedder).embed([question])[0]
        pool = max(_CANDIDATES, count)
        nearest = [unit.rpartition("~")[0] for unit, _ in self._nearest(vector, pool)]
        worded = [key for key, _ in self._lexical.best(question, pool)]
        indexed = self._indexed
        found = [indexed[key] for key in dict.fromkeys([*nearest, *worded]) if key in indexed]
        lexical = self._lexical.scores(question, [passage.id for passage in found])
        judged = sorted(self._judge(found, vector, lexical), key=_best_first)
        best = sorted(_repeats_set_back(judged), key=_best_first)[:count]
        # Owner and address of an article may change without a new version: SQL has them.
        current = self._library.passages([hit.passage.id for hit in best])
        self._tell_reader([hit.passage for hit in best])
        return [
            replace(hit, rank=rank, passage=current.get(hit.passage.id, hit.passage))
            for rank, hit in enumerate(best, 1)
        ]

    def _nearest(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        while True:
            stand_in, rebuilds = self._stand_in, self._rebuilds
            found = (stand_in or self._vectors).nearest(vector, count)
            if stand_in or rebuilds == self._rebuilds:
                return found
            # It was emptied meanwhile: what was found may be what had been filled in so far.

    def _tell_reader(self, passages: Sequence[Passage]) -> None:
        if self._reader is not None:
            for passage, rows in zip(passages, self._vectors_of(passages), strict=True):
                self._reader.remember(embedded_texts(passage), rows)

    def _judge(
        self, passages: Sequence[Passage], vector: Vectors, lexical: Mapping[str, float]
    ) -> list[Hit]:
        """Return every passage with its score; rank 0."""
        hits: list[Hit] = []
        for passage, rows in zip(passages, self._vectors_of(passages), strict=True):
            whole, *sentences = (rows @ vector).tolist()
            shared = lexical.get(passage.id, 0.0)
            score = fused_score(passage, whole, max(sentences), shared)
            hits.append(Hit(0, score, passage, cosine=whole, lexical=shared))
        return hits

    def _vectors_of(self, passages: Sequence[Passage]) -> list[Vectors]:
        """Return for every passage the rows of ``embedded_texts``, from memory or from SQL."""
        with self._remembering:
            rows = {one.id: self._recent[one.id] for one in passages if one.id in self._recent}
        missing = {one.id: embedded_texts(one) for one in passages if one.id not in rows}
        if missing:
            texts = [text for some in missing.values() for text in some]
            read = self._store.vectors_of(texts)
            start = 0
            for key, some in missing.items():
                rows[key] = read[start : start + len(some)]
                start += len(some)
        with self._remembering:
            for key, some_rows in rows.items():
                self._recent[key] = some_rows
                self._recent.move_to_end(key)
            while len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)
        return [rows[passage.id] for passage in passages]


def _best_first(hit: Hit) -> tuple[float, float]:
    return -hit.score, -hit.passage.effective_from.timestamp()


def _repeats_set_back(hits: Sequence[Hit]) -> list[Hit]:
    """Return ``hits``, best first, with a lower score for those that repeat a better one."""
    repeated = repeats([hit.passage for hit in hits])
    return [
        replace(hit, score=max(0.0, hit.score - REPEAT_PENALTY)) if again else hit
        for hit, again in zip(hits, repeated, strict=True)
    ]


def embedded_texts(passage: Passage) -> list[str]:
    """Return what of a passage is embedded: the whole with its context, then its sentences."""
    return [whole_text(passage), *sentence_texts(passage)]


def by_version(passages: Iterable[Passage]) -> dict[str, list[Passage]]:
    """Return version id → its passages in reading order."""
    versions: dict[str, list[Passage]] = {}
    for passage in sorted(passages, key=lambda one: one.start):
        versions.setdefault(passage.version_id, []).append(passage)
    return versions


def newest_of_each_text(passages: Iterable[Passage]) -> dict[str, Passage]:
    """Return one passage for each distinct text, by id: the one that came into force last.

    An article goes before a macro of the same words: it is what the macro rests on.
    """
    newest: dict[str, Passage] = {}
    for passage in passages:
        other = newest.get(passage.content_hash)
        if other is None or _age(passage) > _age(other):
            newest[passage.content_hash] = passage
    return {passage.id: passage for passage in newest.values()}


def _age(passage: Passage) -> tuple[bool, datetime, str]:
    return passage.kind == "article", passage.effective_from, passage.id
