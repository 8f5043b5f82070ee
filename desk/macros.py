"""Judges macros against the articles in force: a macro is a source too, and may be out of date.

A macro is written in a person's own words and sews several articles together, so it is not held to
their wording as a draft is. What counts is what a customer could act on: a figure, a name, a
permission or a denial that no article in force bears out. Placeholders and courtesies state nothing,
and what a macro says of one customer's case ("your order has left") stands in no article: of such
sentences only the figures are judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.clock import Clock
from core.database import Database
from desk.audit import DESK, write_audit
from desk.models import AuditEvent
from desk.outdated import Outdated, outdated
from graph.draft import cite_whole
from graph.ports import Changes, Checker, Citer, Past
from graph.promises import is_courtesy, is_instruction
from graph.statements import PLACEHOLDER, readable
from graph.values import Draft, Finding, FindingRule, Sentence
from kb.amendments import NOT_JUDGED, change_in_place
from kb.content import Passage
from kb.facts import VALUE_KINDS, Fact, extract_facts
from kb.library import Library
from kb.models import Article, ArticleChange, ArticleVersion, SyncRun
from kb.sentences import split_sentences
from kb.words import opposite
from retrieval.embedding_store import EmbeddingStore
from retrieval.ports import Search
from retrieval.ranking import sentence_texts

FIGURE_RULES: Final[frozenset[FindingRule]] = frozenset(
    ("number", "amount", "date", "duration", "percentage")
)
SAYING_RULES: Final[frozenset[FindingRule]] = frozenset(("negation", "permission", "name"))
CANDIDATES: Final = 6
"""Article passages that a sentence is judged against."""
LEFT_OUT: Final = "(left out)"
NEAR: Final = 0.5
"""Cosine of a macro's and an article's sentence from which a change of one bears on the other."""

_CASE: Final = re.compile(
    r"\b(?:we|i)(?:['’]ve| have|['’]re| are| just| already)\b"
    r"(?! (?:a|an|no|to|the right|several|two|three)\b)"
    r"|\b(?:has|have) (?:already |now |just )?been\b|\b(?:is|was|are|were) (?:already|now)\b"
    r"|\bwe (?:sent|issued|refunded|cancell?ed|processed|received|checked)\b",
    re.IGNORECASE,
)
_NAME_HOLE: Final = re.compile(r"name|agent|signature|greeting|salutation", re.IGNORECASE)
_SEAM: Final = re.compile(r"[;:]\s+|,\s+(?:and|or|but|then|so)\s+|,\s+|\s+(?:and|but|then)\s+")
_NEXT_NUMBER: Final = re.compile(r"(?<=[.:;!?])\s+\(?\d{1,2}[.)]$")
_SIGNATURE_WORDS: Final = 5
_LONGEST_QUOTE: Final = 160
_JUDGED: Final = "macros.judged"
_LONGEST_SYNC: Final = timedelta(hours=6)
_IN_USE: Final = ("archived", "gone_at", "superseded_by")
_BLOCK: Final = 2_000  # columns of one matrix product
_ACTED_ON: Final = frozenset((*VALUE_KINDS, "email", "phone", "url"))
_TURNS: Final = re.compile(
    r"\b(?:not|no|non|none|never|nothing|neither|nor|cannot|without|only|unless|except|must|may|can|"
    r"could|should|need|needs|required|optional|allowed|forbidden|prohibited)\b|n['’]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of a macro that may state a fact.

    Attributes:
        text: Its words without placeholders.
        of_the_case: It is about one customer's case; only its figures can stand in an article.
    """

    text: str
    of_the_case: bool = False


@dataclass(frozen=True, slots=True)
class MacroVerdict:
    """What is to become of one macro.

    Attributes:
        article_id: The macro.
        withheld: Whether it must not be used.
        sentence: Why, in one plain sentence; empty when it may be used.
        findings: What is held against its sentences; ``sentence`` counts those of :func:`said`.
        contradicts: The article that says otherwise; None when no article speaks of it.
        rests_on: Articles that bear its sentences out.
    """

    article_id: str
    withheld: bool
    sentence: str = ""
    findings: tuple[Finding, ...] = ()
    contradicts: str | None = None
    rests_on: tuple[str, ...] = ()


def said(paragraphs: Iterable[str]) -> list[Said]:
    """Return the sentences of a macro that may state something. Pure.

    Args:
        paragraphs: Its paragraphs and list items as they are written, in order.
    """
    found: list[Said] = []
    for paragraph in _unsigned(list(paragraphs)):
        for start, end in split_sentences(paragraph):
            raw = paragraph[start:end]
            words = readable(PLACEHOLDER.sub(" ", raw))
            text = re.sub(r"\s+([,.;:!?])", r"\1", words)
            text = _NEXT_NUMBER.sub("", text)  # "… right away. 2." before the next of a list
            if not re.search(r"\w", text) or is_courtesy(text):
                continue
            if not _actionable(text) and (text.endswith("?") or is_instruction(text)):
                continue
            open_holes = [m for m in PLACEHOLDER.finditer(raw) if not _NAME_HOLE.search(m.group())]
            found.append(Said(text, bool(open_holes) or bool(_CASE.search(text))))
    return found


def figures(text: str) -> list[Fact]:
    """Return the figures of ``text`` that are stated outright."""
    return [fact for fact in extract_facts(text) if fact.kind in VALUE_KINDS and not fact.vague]


def _actionable(text: str) -> bool:
    return any(fact.kind in _ACTED_ON and not fact.vague for fact in extract_facts(text))


def _unsigned(paragraphs: list[str]) -> list[str]:
    """Take names and teams off the end: short lines that are no sentences and hold no figure."""
    lines = [line for text in paragraphs for line in (*text.split("\n"), "")]
    while lines:
        words = PLACEHOLDER.sub(" ", lines[-1]).split()
        if len(words) > _SIGNATURE_WORDS or figures(lines[-1]):
            break
        if words and words[-1][-1] in ".!?:":
            break
        lines.pop()
    return "\n".join(lines).split("\n\n")


class MacroJudge:
    """Judges the sentences of macros.

    Args:
        search: Finds what is in force.
        citer: Ties a sentence to the statements it is nearest to.
        checker: Holds a sentence against its sources.
        past: Knows what articles said before; None when that is not asked.
        changes: Judges whether they say something else now.
    """

    def __init__(
        self,
        search: Search,
        citer: Citer,
        checker: Checker,
        past: Past | None = None,
        changes: Changes | None = None,
    ) -> None:
        self._search = search
        self._citer = citer
        self._checker = checker
        self._past = past
        self._changes = changes
        self._editions: dict[str, list[list[Passage]]] = {}

    def judge(self, article_id: str, question: str, paragraphs: Sequence[str]) -> MacroVerdict:
        """Return the verdict on one macro.

        Args:
            article_id: The macro.
            question: What it answers: its title, or its contact reason.
            paragraphs: Its paragraphs and list items as they are written, in order.
        """
        findings: list[Finding] = []
        rests_on: dict[str, None] = {}
        contradicts: str | None = None
        sentence = ""
        for index, one in enumerate(said(paragraphs)):
            held = self._held_against(one, question)
            rests_on.update(dict.fromkeys(held.rests_on))
            findings += [Finding(**{**finding, "sentence": index}) for finding in held.findings]
            if held.findings and not sentence:
                sentence = _why(one.text, held)
            contradicts = contradicts or held.contradicts
        return MacroVerdict(
            article_id, bool(findings), sentence, tuple(findings), contradicts, tuple(rests_on)
        )

    def _held_against(self, one: Said, question: str) -> _Held:
        near = self._near(one.text)
        whole = self._judge(one, question, near)
        if not whole.findings:
            return self._outdated(one, near) or whole
        clauses = [part for part in _SEAM.split(one.text) if figures(part)]
        if len(clauses) < 2 or any(f["rule"] in SAYING_RULES for f in whole.findings):
            return whole
        # A macro runs several list items together; each part then has a place of its own.
        parts = {
            part: self._judge(Said(part, one.of_the_case), question, [*self._near(part), *near])
            for part in clauses
        }
        wrong = {part: held for part, held in parts.items() if held.findings}
        if not wrong:
            return next(iter(parts.values()))
        # The whole sentence finds its source more surely than a part of it does.
        named = [
            finding
            for finding in whole.findings
            if finding["words"] and any(finding["words"] in part for part in wrong)
        ]
        return _held(named, near) if named else next(iter(wrong.values()))

    def _outdated(self, one: Said, near: Sequence[Passage]) -> _Held | None:
        """Return what is held against a sentence that an article had and no longer has."""
        if self._past is None or self._changes is None or one.of_the_case:
            return None
        for version in dict.fromkeys(passage.version_id for passage in near):
            if version not in self._editions:
                self._editions[version] = self._past.editions(version)
            found = outdated(one.text, self._editions[version], self._changes, near)
            if found is not None:
                return _Held((_repeats(one.text, found),), (), found.article_id)
        return None

    def _near(self, text: str) -> list[Passage]:
        """Return the article passages in force that are nearest to ``text``."""
        count = 4 * CANDIDATES
        while True:
            hits = self._search.search(text, count)
            found = [hit.passage for hit in hits if hit.passage.kind == "article"]
            if len(found) >= CANDIDATES or len(hits) < count:
                return found[:CANDIDATES]
            count *= 4  # macros on the same matter stand before the articles

    def _judge(self, one: Said, question: str, near: Sequence[Passage]) -> _Held:
        passages = {passage.id: passage for passage in near}
        in_force = {passage.version_id for passage in near}

        def check(sentences: list[Sentence]) -> list[Finding]:
            draft: Draft = {
                "kind": "answer",
                "opening": "",
                "sentences": sentences,
                "closing": "",
                "drafter": "macro",
                "note": "",
            }
            return self._checker.check(draft, passages, in_force, question)["findings"]

        cited = [
            citation
            for sentence in self._citer.cite(one.text, near, "macro")["sentences"]
            for citation in sentence["citations"]
        ]
        rests_on = tuple(dict.fromkeys(citation["article_id"] for citation in cited))
        if not cited:
            nearest: list[Finding] = [_unsupported(one.text)] if figures(one.text) else []
        else:
            found = check([{"text": one.text, "citations": cited}])
            nearest = [
                finding
                for finding in found
                if _counts(finding, one) and not _names_its_own(finding, near)
            ]
        if not nearest:
            return _Held((), rests_on)
        for passage in near:
            found = check([{"text": one.text, "citations": [cite_whole(passage)]}])
            if all(finding["rule"] == "link" for finding in found):
                return _Held((), (passage.article_id,))
        return _held(nearest, near)


@dataclass(frozen=True, slots=True)
class _Held:
    """What is held against one sentence, or what bears it out."""

    findings: tuple[Finding, ...] = ()
    rests_on: tuple[str, ...] = ()
    contradicts: str | None = None
    source: Passage | None = None


def _held(findings: Iterable[Finding], near: Sequence[Passage]) -> _Held:
    # What stands in no passage near is surely wrong; the rest may only stand elsewhere.
    ordered = sorted(findings, key=lambda one: any(one["words"] in p.plain for p in near))
    other = next((one for one in ordered if one["source_words"] and one["passage_id"]), None)
    source = next((p for p in near if other and p.id == other["passage_id"]), None)
    return _Held(tuple(ordered), (), source.article_id if source else None, source)


def _unsupported(text: str) -> Finding:
    return {
        "sentence": 0,
        "rule": "no_citation",
        "message": f"No article in force says “{text}”.",
        "words": text,
        "source_words": "",
        "passage_id": None,
    }


def _counts(finding: Finding, one: Said) -> bool:
    """Whether a finding is about something a customer could act on."""
    if finding["rule"] in FIGURE_RULES or finding["rule"] == "no_citation":
        return True
    words, source_words = finding["words"], finding["source_words"]
    if one.of_the_case or words in {"", LEFT_OUT} or not source_words:
        return False
    if finding["rule"] == "negation":
        return bool(_TURNS.search(f"{words} {source_words}")) or _opposed(words, source_words)
    return finding["rule"] in SAYING_RULES


def _names_its_own(finding: Finding, near: Sequence[Passage]) -> bool:
    """Say whether a name that the help center uses stands where the source has a common noun.

    "Cancel Lampworks" where it says "cancel your account" tells nobody anything else.
    """
    words, source_words = finding["words"], finding["source_words"]
    return (
        finding["rule"] == "name"
        and source_words.islower()
        and len(source_words.split()) == 1
        and words.isalpha()
        and any(re.search(rf"\b{re.escape(words)}\b", f"{p.context} {p.plain}") for p in near)
    )


def _opposed(words: str, source_words: str) -> bool:
    return any(opposite(a, b) for a in words.split() for b in source_words.split())


def _repeats(text: str, found: Outdated) -> Finding:
    now = f"now it says “{_short(found.present)}”" if found.present else "it no longer does"
    return {
        "sentence": 0,
        "rule": "unsupported",
        "message": (
            f"“{_short(text)}” repeats what “{found.title}” said until "
            f"{found.until:%Y-%m-%d}; {now}."
        ),
        "words": text,
        "source_words": found.present,
        "passage_id": None,
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1].rstrip()}…"


def _why(text: str, held: _Held) -> str:
    finding = held.findings[0]
    if finding["rule"] == "unsupported":
        return finding["message"]
    if held.source is not None and finding["source_words"]:
        return (
            f"It says “{finding['words']}”; “{held.source.title}” says “{finding['source_words']}”."
        )
    return f"No article in force says “{finding['words'] or text}”."


@dataclass(frozen=True, slots=True)
class _Macro:
    """A macro as it stands, with its newest version."""

    id: str
    title: str
    withheld: str | None
    version_id: str


@dataclass(frozen=True, slots=True)
class _Touched:
    """What came, changed or went since macros were last judged: ids of articles and macros.

    Attributes:
        whole: All that they say came or went.
        edited: They have a new version; what all versions since then say is as it was.
        since: From when on versions are new; None when macros were never judged.
    """

    whole: frozenset[str]
    edited: frozenset[str]
    since: datetime | None = None

    def __contains__(self, article_id: str) -> bool:
        return article_id in self.whole or article_id in self.edited

    def __bool__(self) -> bool:
        return bool(self.whole or self.edited)


def _moved(session: Session, fresh: ColumnElement[bool]) -> set[str]:
    """Return articles that a fresh version takes out of force or brings in, text aside."""
    new, old = ArticleVersion, aliased(ArticleVersion)
    query = (
        select(new, old)
        .join(old, and_(old.article_id == new.article_id, old.number == new.number - 1))
        .where(fresh)
    )
    return {
        after.article_id
        for after, before in session.execute(query).tuples()
        if (after.effective_to, after.supersedes) != (before.effective_to, before.supersedes)
        or after.effective_from > after.synced_at
        or before.effective_from > after.synced_at
    }


def _replaced(session: Session, article_ids: Collection[str]) -> set[str]:
    """Return the articles that these replace, or replaced in the version before."""
    query = (
        select(Article.id, ArticleVersion.supersedes)
        .join(Article, Article.id == ArticleVersion.article_id)
        .where(Article.replaces, ArticleVersion.number >= Article.newest - 1)
    )
    by_desk = select(Article.superseded_by, Article.id).where(Article.superseded_by.is_not(None))
    rows = session.execute(query).tuples()
    found = {one for key, targets in rows if key in article_ids for one in targets}
    return found | {one for key, one in session.execute(by_desk).tuples() if key in article_ids}


class Macros:
    """Keeps macros out of use that the articles in force do not bear out.

    Args:
        database: Where articles and the audit trail are.
        clock: Gives the moment of a verdict.
        library: Reads passages.
        vectors: Has the vectors of what was indexed.
        judge: Gives what judges; called when there is something to judge.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        library: Library,
        vectors: EmbeddingStore,
        judge: Callable[[], MacroJudge],
    ) -> None:
        self._database = database
        self._clock = clock
        self._library = library
        self._vectors = vectors
        self._judge = judge

    def judge(self, article_ids: Collection[str] | None = None) -> list[MacroVerdict]:
        """Return the verdicts on these macros, by id; nothing is written.

        Args:
            article_ids: Macros; default all that are neither archived nor gone.
        """
        macros = self._macros()
        return self._verdicts(
            [one for one in macros if article_ids is None or one.id in article_ids]
        )

    def withheld(self, article_ids: Collection[str] | None = None) -> list[MacroVerdict]:
        """Return what is held against the macros that are withheld now, by id.

        Args:
            article_ids: Only of these macros; default all.
        """
        macros = {
            one.id: one
            for one in self._macros()
            if one.withheld and (article_ids is None or one.id in article_ids)
        }
        return [
            replace(verdict, withheld=True, sentence=macros[verdict.article_id].withheld or "")
            for verdict in self._verdicts(list(macros.values()))
        ]

    def near(self, texts: Sequence[str], least: float = NEAR) -> set[str]:
        """Return the macros in use that say something near to one of ``texts``.

        Args:
            texts: Passages or sentences.
            least: Cosine from which two sentences speak of the same.
        """
        sentences = sorted({one.text for one in said(texts)})
        if not sentences:
            return set()
        mine = {one.id: self._texts(one.version_id) for one in self._macros()}
        return self._near(mine, sentences, least)

    def keep_true(
        self, on_progress: Callable[[int, int], None] | None = None
    ) -> list[MacroVerdict]:
        """Judge the macros that a sync may have made false or true; withhold and release them.

        Judged are macros that are new or changed, and those that say something near to what an
        article says or said that came, changed or went since macros were last judged; time alone
        may have done that, too.

        Args:
            on_progress: Called with how many macros are judged, and how many are to be.

        Returns:
            The verdicts that changed something: the index must follow.
        """
        now = self._clock.now()
        until = self._seen_until(now)
        touched = self._touched(now)
        macros = self._macros()
        due = self._due(macros, touched)
        verdicts = self._verdicts(due, on_progress)
        before = {one.id: one for one in due}
        with self._database.write() as session:
            changed = [
                verdict
                for verdict in verdicts
                if self._record(session, before[verdict.article_id], verdict)
            ]
            if macros and (due or touched):
                data = {"judged": len(due), "until": until.isoformat()}
                write_audit(session, now, DESK, _JUDGED, data=data)
        return changed

    def _macros(self) -> list[_Macro]:
        query = (
            select(Article.id, Article.title, Article.withheld, ArticleVersion.id)
            .join(ArticleVersion, ArticleVersion.article_id == Article.id)
            .where(
                Article.kind == "macro",
                ArticleVersion.number == Article.newest,
                Article.archived.is_(False),
                Article.gone_at.is_(None),
            )
            .order_by(Article.id)
        )
        with self._database.read() as session:
            return [_Macro(*row) for row in session.execute(query).tuples()]

    def _seen_until(self, now: datetime) -> datetime:
        """Return the moment up to which nothing can come in any more.

        A sync gives all it stores the moment at which it began. One that was killed never ends;
        after a while it is no longer waited for.
        """
        running = select(func.min(SyncRun.started)).where(
            SyncRun.finished.is_(None), SyncRun.started >= now - _LONGEST_SYNC
        )
        with self._database.read() as session:
            return min(now, session.scalar(running) or now)

    def _touched(self, now: datetime) -> _Touched:
        last = select(AuditEvent.data).where(AuditEvent.event == _JUDGED)
        with self._database.read() as session:
            event = session.scalar(last.order_by(AuditEvent.id.desc()).limit(1))
            if event is None:
                return _Touched(frozenset(session.scalars(select(Article.id))), frozenset())
            since = datetime.fromisoformat(event["until"])
            fresh = ArticleVersion.synced_at >= since
            edited = select(ArticleVersion.article_id).where(fresh, ArticleVersion.number > 1)
            begun = ArticleVersion.effective_from.between(since, now)
            ended = ArticleVersion.effective_to.between(since, now)
            whole = select(ArticleVersion.article_id).where(
                or_(
                    and_(fresh, ArticleVersion.number == 1),
                    and_(ArticleVersion.synced_at < since, or_(begun, ended)),
                )
            )
            changes = select(ArticleChange.article_id).where(
                ArticleChange.at >= since, ArticleChange.field.in_(_IN_USE)
            )
            moved = _moved(session, fresh)
            in_or_out = {*session.scalars(whole), *session.scalars(changes), *moved}
            all_of_it = frozenset(in_or_out | _replaced(session, in_or_out))
            return _Touched(all_of_it, frozenset(session.scalars(edited)) - all_of_it, since)

    def _due(self, macros: Sequence[_Macro], touched: _Touched) -> list[_Macro]:
        own = {one.id for one in macros if one.id in touched or one.withheld == NOT_JUDGED}
        others = [one for one in macros if one.id not in own]
        said_by = self._said_by(touched) if others else []
        if said_by:
            texts = {one.id: self._texts(one.version_id) for one in others}
            own |= self._near(texts, said_by)
        return [one for one in macros if one.id in own]

    def _said_by(self, touched: _Touched) -> list[str]:
        """Return the sentences that these articles say now and did not, or said and no longer do."""
        fresh = aliased(ArticleVersion)
        first = (
            select(func.min(fresh.number))
            .where(fresh.article_id == Article.id, fresh.synced_at >= touched.since)
            .scalar_subquery()
            if touched.since
            else Article.newest
        )
        # A sync that was killed stored versions that nobody judged: they count like the newest.
        query = (
            select(Article.id, ArticleVersion.id)
            .join(ArticleVersion, ArticleVersion.article_id == Article.id)
            .where(
                Article.kind == "article",
                ArticleVersion.number >= func.coalesce(first, Article.newest) - 1,
            )
        )
        with self._database.read() as session:
            rows = [row for row in session.execute(query).tuples() if row[0] in touched]
        versions: dict[str, list[set[str]]] = {}
        for article_id, version_id in rows:
            versions.setdefault(article_id, []).append(set(self._texts(version_id)))
        said: set[str] = set()
        for article_id, texts in versions.items():
            alike = set() if article_id in touched.whole else set.intersection(*texts)
            said |= set.union(*texts) - alike
        return sorted(said)

    def _texts(self, version_id: str) -> list[str]:
        passages = self._library.passages_of_version(version_id)
        return [text for passage in passages for text in sentence_texts(passage)]

    def _near(
        self, macros: dict[str, list[str]], touched: Sequence[str], least: float = NEAR
    ) -> set[str]:
        owners = [(macro, text) for macro, texts in macros.items() for text in texts]
        if not owners:
            return set()
        texts = [text for _, text in owners]
        self._vectors.ensure([*texts, *touched])
        mine, theirs = self._vectors.vectors(texts), self._vectors.vectors(list(touched))
        best = np.full(len(texts), -1.0, np.float32)
        for start in range(0, len(touched), _BLOCK):
            best = np.maximum(best, (mine @ theirs[start : start + _BLOCK].T).max(axis=1))
        return {macro for (macro, _), cosine in zip(owners, best, strict=True) if cosine >= least}

    def _verdicts(
        self, macros: Sequence[_Macro], on_progress: Callable[[int, int], None] | None = None
    ) -> list[MacroVerdict]:
        if not macros:
            return []
        judge = self._judge()
        verdicts = []
        for done, macro in enumerate(macros, start=1):
            passages = self._library.passages_of_version(macro.version_id)
            verdicts.append(judge.judge(macro.id, macro.title, [one.text for one in passages]))
            if on_progress:
                on_progress(done, len(macros))
        return verdicts

    def _record(self, session: Session, before: _Macro, verdict: MacroVerdict) -> bool:
        now = self._clock.now()
        article = session.get(Article, verdict.article_id)
        wanted = verdict.sentence or None
        if article is None or article.withheld != before.withheld or article.withheld == wanted:
            return False
        newest = select(ArticleVersion.id).where(
            ArticleVersion.article_id == article.id, ArticleVersion.number == article.newest
        )
        if session.scalar(newest) != before.version_id:
            return False  # the verdict is about a text that a sync has replaced meanwhile
        was, article_id = article.withheld, article.id
        if was == NOT_JUDGED:
            article.withheld = was = None
            article.assess_at = now
        if was != wanted:
            change_in_place(session, article, "withheld", wanted, now)
            event = "macro.withheld" if wanted else "macro.released"
            data = {"article": article_id, "version": before.version_id, "why": wanted or was}
            if verdict.contradicts:
                data["contradicts"] = verdict.contradicts
            write_audit(session, now, DESK, event, data=data)
        return True
