"""The probes of the stale suite: each asks the product one question about an edit.

A probe sees a :class:`~evals.stale_cases.Case`, never its label. It goes the product's own way: the
judge of changes, the check, the review queue, the graph up to its pause.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.errors import Conflict, NotAllowed, Refused
from desk.bootstrap import Desk
from desk.checking import Written, check_all
from desk.contacts import NewContact, NewMessage
from desk.reviews import ReviewView
from evals.stale_baselines import PlainRag
from evals.stale_cases import Case
from evals.stale_judges import plain_passage
from evals.stale_scores import folded, only_in_old, rests_on, states
from evals.stale_verdicts import Verdict
from evals.stale_world import (
    Edit,
    HelpCenter,
    Kit,
    Replay,
    article_path,
    of_passages,
    passages_of,
    replay,
    searching,
    with_articles,
)
from graph.draft import cite_whole, draft_text
from graph.evidence import cited_articles, cited_passage_ids, evidence_of, look_again
from graph.values import Draft
from kb.changes import Change
from kb.content import Passage
from kb.counterparts import counterpart
from kb.markup import plain_text
from retrieval.ports import Embedder, Search

OUTSIDE: Final = "outside"
SearchIn = Callable[[Sequence[Passage]], Search]
"""Passages → a search over nothing else."""
_HISTORY: Final = "_with_history"
_NEUTRAL: Final = "Could you tell me what applies here?"
_CURRENT: Final = frozenset({"approve", "ask", "draft_old_with_history", "draft_new_with_history"})
_WHY_APPROVED: Final = "Approved by the suite as it was drafted."


class Stopwatch:
    """Seconds since it was made or last read."""

    def __init__(self) -> None:
        self._from = time.perf_counter()

    def lap(self) -> float:
        """Return the seconds since the last lap."""
        now = time.perf_counter()
        spent, self._from = now - self._from, now
        return spent


def diff(cases: Sequence[Case], kit: Kit) -> list[Verdict]:
    """Ask the judge of changes whether the newer passage tells a reader something else."""
    found: list[Verdict] = []
    for done, case in enumerate(cases, start=1):
        watch = Stopwatch()
        judge = kit.judge_of(case.corpus) or kit.judge
        change = judge.judge(plain_passage(case.old_passage), plain_passage(case.new_passage))
        found.append(
            Verdict(case.id, "diff", change.stops, change.score, _told(change), watch.lap())
        )
        kit.on("diff", done, len(cases))
    return found


def _told(change: Change) -> str:
    for fact in change.facts:
        if fact.old and fact.new:
            return f"{change.outcome}: {fact.kind} “{fact.old}” became “{fact.new}”"
        if fact.old or fact.new:
            return f"{change.outcome}: {fact.kind} “{fact.old or fact.new}”"
    return change.outcome


# Drafts written elsewhere, checked against the new article


def drafts(cases: Sequence[Case], wanted: frozenset[str] | set[str], kit: Kit) -> list[Verdict]:
    """Check the old and the new answer against a help center that holds the new articles only."""
    answered = [case for case in cases if case.new_article and case.old_answer and case.new_answer]
    found: list[Verdict] = []
    files: dict[Path, str] = {}
    for case in answered:
        if case.new_article:
            # Several versions of one article stand side by side, each under its own name.
            path = article_path(case.article, case.new_article.suffix)
            files.setdefault(case.new_article, f"{len(files):04}/{path}")
    if not files:
        return []
    kit.on("drafts", 0, len(answered))
    with replay(kit) as home, searching(kit) as search_in:
        home.store({name: _read(file) for file, name in files.items()})
        for file, name in files.items():
            search = search_in(home.passages(name))
            for case in answered:
                if case.new_article == file:
                    found += _both_answers(home.desk, case, "", wanted, search)
                    kit.on("drafts", len({verdict.id for verdict in found}), len(answered))
    return found


def _both_answers(
    desk: Desk, case: Case, regime: str, wanted: Collection[str], search: Search
) -> list[Verdict]:
    answers = ((f"draft_old{regime}", case.old_answer), (f"draft_new{regime}", case.new_answer))
    return [
        checked(desk, case, probe, answer, search) for probe, answer in answers if probe in wanted
    ]


def checked(desk: Desk, case: Case, probe: str, answer: str, search: Search) -> Verdict:
    """Check ``answer`` as `proofdesk check` does a text from outside, among what ``search`` finds."""
    watch = Stopwatch()
    written = Written(case.id, json.dumps({"text": answer, "question": case.question}), "json")
    (result,) = check_all(replace(desk.deps, search=search), [written])
    flagged = not result["passed"]
    said = [finding["message"] for finding in result["findings"]]
    said += [f"forbidden: {trigger['evidence']}" for trigger in result["triggers"]]
    why = said[0] if said else "passed"
    return Verdict(case.id, probe, flagged, float(flagged), why, watch.lap())


# Help centers that change under the desk


def replayed(cases: Sequence[Case], wanted: frozenset[str] | set[str], kit: Kit) -> list[Verdict]:
    """Run the probes that need both versions in order: approve, ask, and drafts with history."""
    if not wanted & _CURRENT and "plain_rag" not in wanted:
        return []
    bare = [case for case in cases if case.old_article is None]
    centers: list[tuple[HelpCenter, Collection[str]]] = [
        (center, wanted) for center in with_articles(cases)
    ]
    if "approve" in wanted:
        centers += [(center, {"approve"}) for center in of_passages(bare)]
    total = sum(len(edit.cases) for center, _ in centers for r in center.rounds for edit in r)
    found: list[Verdict] = []
    done = 0
    kit.on("help centers", done, total)
    for center, probes in centers:
        with replay(kit, center.name) as home, searching(kit) as search_in:
            for edits in center.rounds:
                found += _round(home, edits, probes, search_in)
                done += sum(len(edit.cases) for edit in edits)
                kit.on("help centers", done, total)
    return found


def _round(
    home: Replay, edits: Sequence[Edit], probes: Collection[str], search_in: SearchIn
) -> Iterator[Verdict]:
    home.put({edit.path: edit.old for edit in edits})
    before = list(home.desk.library.passages_in_force()) if "plain_rag" in probes else []
    pending: list[tuple[Case, Pending | str, float]] = []
    if "approve" in probes:
        for edit in edits:
            for case in edit.cases:
                watch = Stopwatch()
                pending.append((case, put_before_review(home, case, edit), watch.lap()))
    home.put({edit.path: edit.new for edit in edits})
    for case, waiting, spent in pending:
        yield approved(home, case, waiting, spent)
    for edit in edits:
        yield from _with_history(home, edit, probes, search_in)
    if "ask" in probes:
        for edit in edits:
            for case in edit.cases:
                if case.question:
                    yield asked(home, case)
    if "plain_rag" in probes:
        after = list(home.desk.library.passages_in_force())
        yield from _plain_rag(home.desk.embedder, edits, before, after)
    _let_go(home)


def _with_history(
    home: Replay, edit: Edit, probes: Collection[str], search_in: SearchIn
) -> Iterator[Verdict]:
    answered = [case for case in edit.cases if case.old_answer and case.new_answer]
    if answered and any(probe.endswith(_HISTORY) for probe in probes):
        search = search_in(home.passages(edit.path))
        for case in answered:
            yield from _both_answers(home.desk, case, _HISTORY, probes, search)


class Pending:
    """A draft from the older version that waits for its review.

    Attributes:
        review_id: Its review; None where no review admits Approve.
        draft: The draft.
    """

    def __init__(self, review_id: str | None, draft: Draft) -> None:
        self.review_id = review_id
        self.draft = draft


def put_before_review(home: Replay, case: Case, edit: Edit) -> Pending | str:
    """Open a contact with a draft that rests on the older passage; return why not, where it fails.

    The draft says the old answer, or the passage's own words where the data has no answer, and
    cites the whole passage. A question that goes straight to a person gets no review, and an answer
    with forbidden words no Approve: then a neutral question, and the passage's own words, are tried.
    """
    sources = passages_of(case.old_passage, home.passages(edit.path))
    if not sources:
        return "the older passage was not found in its article"
    quoted = " ".join(passage.plain for passage in sources)
    attempts = ((case.question, case.old_answer), (_NEUTRAL, case.old_answer), (_NEUTRAL, quoted))
    for question, said in attempts:
        draft: Draft = {
            "kind": "answer",
            "opening": "",
            "sentences": [
                {"text": said or quoted, "citations": [cite_whole(one) for one in sources]}
            ],
            "closing": "",
            "drafter": OUTSIDE,
            "note": "",
        }
        waiting = _waiting(home, _open(home, question or _NEUTRAL, draft))
        if waiting and "approve" in waiting.open_decisions:
            return Pending(waiting.summary.id, draft)
    return Pending(None, draft)


def approved(home: Replay, case: Case, waiting: Pending | str, spent: float) -> Verdict:
    """Approve the draft now that the newer version is in; flagged when that was stopped."""
    watch = Stopwatch()
    if isinstance(waiting, str):
        return Verdict(case.id, "approve", True, 1.0, waiting, spent)
    score = _judged(home, waiting.draft)
    stopped, why = _approve(home, waiting)
    if stopped and score is None:
        score = 1.0
    return Verdict(case.id, "approve", stopped, score or 0.0, why, spent + watch.lap())


def _approve(home: Replay, waiting: Pending) -> tuple[bool, str]:
    if waiting.review_id is None:
        # Forbidden words in passage and answer: nobody could approve it; the rule itself is asked.
        deps = home.desk.deps
        found = look_again(
            evidence_of(waiting.draft, ""), waiting.draft, "", deps.sources, deps.changes
        )
        sentences = [change["sentence"] for change in (*found.stops, *found.notes)]
        return bool(found.stops), sentences[0] if sentences else "approved"
    try:
        outcome = home.desk.reviews.decide(
            home.actor, waiting.review_id, {"kind": "approve", "comment": _WHY_APPROVED}
        )
    except (Conflict, Refused, NotAllowed) as refusal:
        return True, f"the sync took it out of the queue: {refusal.message}"
    if not outcome.stopped:
        return False, "approved"
    said = [change["sentence"] for change in outcome.changes]
    return True, said[0] if said else "sent back"


def _judged(home: Replay, draft: Draft) -> float | None:
    """Return the highest score of a cited passage against what took its place.

    None when no passage took the place of one: the product needs no score to stop that.
    """
    deps = home.desk.deps
    cited = deps.sources.passages(cited_passage_ids(draft))
    in_force = deps.sources.versions_in_force(cited_articles(draft))
    highest = 0.0
    for old in cited.values():
        version = in_force.get(old.article_id)
        newer = deps.sources.passages_of_version(version) if version else []
        if any(passage.content_hash == old.content_hash for passage in newer):
            continue
        new = counterpart(old, newer)
        if new is None:
            return None
        highest = max(highest, home.desk.changes.judge(old.plain, new.plain).score)
    return highest


def asked(home: Replay, case: Case) -> Verdict:
    """Ask the question through the whole graph; flagged when the draft is stale."""
    watch = Stopwatch()
    contact_id = _open(home, case.question, None)
    waiting = _waiting(home, contact_id)
    if waiting is None or waiting.draft["kind"] != "answer":
        contact = home.desk.contacts.get(home.actor, contact_id)
        triggers = ", ".join(trigger["id"] for trigger in contact.triggers)
        what = "asks back or abstains" if waiting else "goes to a person"
        why = f"no draft: the desk {what} ({triggers or 'no trigger'})"
        return Verdict(case.id, "ask", False, 0.0, why, watch.lap(), "", (), ())
    draft = waiting.draft
    cited = home.desk.deps.sources.passages(cited_passage_ids(draft))
    in_force = home.desk.library.versions_in_force([p.article_id for p in cited.values()])
    outdated = [p for p in cited.values() if in_force.get(p.article_id) != p.version_id]
    texts = tuple(" ".join(passage.text.split()) for passage in cited.values())
    text = draft_text(draft)
    stale, why = (
        (True, "cites a version that is not in force") if outdated else is_stale(case, text, texts)
    )
    held = tuple(finding["message"] for finding in waiting.check["findings"])
    return Verdict(case.id, "ask", stale, float(stale), why, watch.lap(), text, texts, held)


def is_stale(case: Case, draft: str, cited: Sequence[str]) -> tuple[bool, str]:
    """Say whether a draft rests on the older passage or states a value that only that one has.

    What moved within the article, and stands in its newer version too, is not stale.
    """
    newer = folded(_read(case.new_article)) if case.new_article else folded(case.new_passage)
    current = [text for text in cited if folded(text) in newer]
    told_now = (case.new_passage, *current)
    values = only_in_old(plain_text(case.old_passage), *map(plain_text, told_now))
    value = states(draft, values)
    if value is not None:
        return True, f"states “{value.text}”, which only the older version says"
    for text in cited:
        if (
            text not in current
            and rests_on(case.old_passage, [text])
            and not rests_on(case.new_passage, [text])
        ):
            return True, "cites the older passage"
    if rests_on(case.new_passage, cited):
        return False, "rests on the newer passage"
    return False, "rests on other passages"


def _plain_rag(
    embedder: Embedder, edits: Sequence[Edit], before: Iterable[Passage], after: Iterable[Passage]
) -> Iterator[Verdict]:
    rag = PlainRag(embedder, [*before, *after])
    for edit in edits:
        for case in edit.cases:
            if case.question:
                watch = Stopwatch()
                draft, cited = rag.answer(case.question)
                stale, why = is_stale(case, draft, cited)
                yield Verdict(
                    case.id, "plain_rag", stale, float(stale), why, watch.lap(), draft, cited
                )


def _open(home: Replay, question: str, draft: Draft | None) -> str:
    new = NewContact(channel="email", messages=[NewMessage("customer", question)])
    contact_id = home.desk.contacts.open(home.actor, new, draft)
    home.desk.contacts.wait_for_draft(contact_id)
    return contact_id


def _waiting(home: Replay, contact_id: str) -> ReviewView | None:
    reviews = home.desk.reviews.of_contact(home.actor, contact_id)
    pending = [review for review in reviews if review.status == "pending"]
    return home.desk.reviews.get(home.actor, pending[-1].id) if pending else None


def _let_go(home: Replay) -> None:
    """Take what still waits out of the queue: the next round's syncs are not about it."""
    reviews = home.desk.reviews
    while pending := reviews.queue(home.actor, limit=200):
        for review in pending:
            reply = {"kind": "escalate", "tier": "escalate_first", "comment": "The round is over."}
            reviews.decide(home.actor, review.id, reply)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace")
