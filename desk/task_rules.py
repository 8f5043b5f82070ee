"""What becomes a task, whose it is, and what closes it. Pure.

A task's evidence is JSON made of ids and figures, never of a customer's words:

=================  ==============================================================================
``seen``           ids of what it rests on (reviews, corrections, flags); a task that was done is
                   raised again only for one that it did not have
``last_at``        when the newest of them was
``count``          how many there are; ``of`` how many there could be
``why``            what was seen: a reject reason, ``corrected``, ``escalated_by_hand``,
                   ``rewritten``, ``withheld``, ``unanswered``, ``qa_failed`` or ``seeded_missed``
``article``        the article or macro; ``instead`` what was cited in its place afterwards
``reason``         the contact reason; ``was`` the one the desk took it for
``rule``           the rule that fired, with ``rule_digest``: the text of the rule at that time
``flag``           the source flag that stands for it
``person``         whose words were rejected
=================  ==============================================================================
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from rapidfuzz import fuzz, process

from core.identifiers import json_digest
from core.vocabulary import RejectReason
from desk.flag_rules import listed
from desk.rhythm_settings import RhythmSettings

TaskKind = Literal["routing_fix", "macro_update", "training_note", "article_change", "coaching"]
TaskState = Literal["open", "in_progress", "done", "dismissed"]
TASK_KINDS: Final[tuple[TaskKind, ...]] = get_args(TaskKind)
TASK_STATES: Final[tuple[TaskState, ...]] = get_args(TaskState)

CONTENT_OWNER: Final = "content_owner"
SUPERVISOR: Final = "supervisor"
ADMIN: Final = "admin"
_MOST_SEEN: Final = 50  # ids that a task's evidence keeps
_AT_ONCE: Final[frozenset[str]] = frozenset(("wrong_source", "out_of_date", "wrong_tier", "tone"))
_LEAST_UNANSWERED: Final = 0.3
_LEAST_DECIDED: Final = 3
_LEAST_LAPSES: Final = 2
_VERSION: Final = re.compile(r"(\[\d+\])?(@[0-9a-f]+)?$")
_SAID: Final[Mapping[str, str]] = {
    "wrong_source": "the wrong source",
    "out_of_date": "out of date",
    "incomplete": "incomplete",
    "wrong_answer": "the wrong answer",
    "wrong_tier": "in the wrong tier",
    "tone": "wrong in tone",
    "other": "not fit to be sent",
}


@dataclass(frozen=True, slots=True)
class Source:
    """An article or macro that a draft rests on."""

    id: str
    title: str
    owner: str | None
    is_macro: bool = False


@dataclass(frozen=True, slots=True)
class SeenReject:
    """A draft that a reviewer rejected.

    Attributes:
        why: The reject reason.
        reason: Contact reason of the draft; None for none known.
        drafter: ``extractive``, ``model:<name>`` or ``person:<id>``.
        sources: What it cites, the most cited first.
        instead: What the draft cites that was approved afterwards; empty when none was yet.
        rule: The severest rule that had fired, as a firing names it; "" for none.
    """

    review: str
    at: datetime
    why: RejectReason
    reason: str | None
    drafter: str
    sources: tuple[Source, ...] = ()
    instead: tuple[str, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class SeenCorrection:
    """A contact that a person said is about something else."""

    id: str
    at: datetime
    was: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class SeenEscalation:
    """A draft that a reviewer handed to a person instead: triage had let it through."""

    review: str
    at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class SeenFlag:
    """A source flag that stands open.

    Attributes:
        kind: ``often_rewritten`` or ``missing``.
        source: The article it is about; None for what no article says.
        seen: Ids of the reviews it rests on.
        words: What names a group of questions.
    """

    id: str
    kind: str
    at: datetime
    owner: str | None
    source: Source | None
    seen: tuple[str, ...]
    count: int
    of: int
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenMacro:
    """A macro that the desk keeps out of use, and why.

    Attributes:
        at: When that was found; None where it was never in use.
    """

    source: Source
    at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class SeenSilence:
    """How many contacts of one reason no source answered, and of how many that were drafted for."""

    reason: str
    at: datetime
    seen: tuple[str, ...]
    of: int
    policy: str | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class SeenLapse:
    """Something that a person let out and that was found wrong on purpose or by a second look.

    Attributes:
        id: Of its review, or of what was read where there was none.
        what: ``qa_failed`` or ``seeded_missed``.
        person: Who decided it; "" for nobody.
        reason: Contact reason.
        items: What of the scorecard failed, or the fault that was missed.
    """

    id: str
    what: Literal["qa_failed", "seeded_missed"]
    at: datetime
    person: str
    reason: str | None
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """How things are called, and whose they are.

    Attributes:
        reasons: Contact reason → its name.
        owners: Contact reason → the team that owns it.
        people: Id → name.
        digests: Rule (a contact reason as ``reasons.yaml:<id>``, a trigger as ``tiers.yaml:<id>``)
            → digest of its text now.
    """

    reasons: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str | None] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    def reason(self, reason: str | None) -> str:
        """Return the name of a contact reason in quotes."""
        return f"“{self.reasons.get(reason, reason)}”" if reason else "none of the map's reasons"

    def owner(self, reason: str | None, otherwise: str = SUPERVISOR) -> str:
        """Return who answers for a contact reason."""
        return (self.owners.get(reason) if reason else None) or otherwise


@dataclass(frozen=True, slots=True)
class Proposal:
    """A task that a rule asks for."""

    key: str
    kind: TaskKind
    title: str
    owner: str
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """All that the rules look at."""

    rejects: Sequence[SeenReject] = ()
    corrections: Sequence[SeenCorrection] = ()
    escalations: Sequence[SeenEscalation] = ()
    flags: Sequence[SeenFlag] = ()
    macros: Sequence[SeenMacro] = ()
    silences: Sequence[SeenSilence] = ()
    lapses: Sequence[SeenLapse] = ()
    looked_at: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(What, person) → how many of theirs were looked at, for the denominators of lapses."""


def proposals(
    seen: Seen, settings: RhythmSettings, names: Names, done: Mapping[str, datetime]
) -> list[Proposal]:
    """Return every task that the rules ask for now.

    Args:
        seen: What reviewers and agents said and did.
        settings: The workspace's thresholds.
        names: How things are called.
        done: Key → when the task of this key was last done: what was seen before counts no more.
    """
    window = timedelta(days=settings.window_days)
    found = [
        *_of_rejects(seen.rejects, names, done),
        *_of_repeats(seen.rejects, settings.repeats, window, names, done),
        *_of_corrections(seen.corrections, settings.corrections, names, done),
        *_of_escalations(seen.escalations, settings.repeats, window, names, done),
        *(_of_flag(one, settings) for one in seen.flags),
        *map(_of_macro, seen.macros),
        *(_of_silence(one, settings, names) for one in seen.silences),
        *_of_lapses(seen, settings.repeats, names, done),
    ]
    return [one for one in found if one is not None]


def _of_rejects(
    rejects: Sequence[SeenReject], names: Names, done: Mapping[str, datetime]
) -> Iterable[Proposal]:
    """Return what a single reject is enough for: its reason says who must act."""
    groups: dict[str, list[SeenReject]] = defaultdict(list)
    for one in rejects:
        if one.why in _AT_ONCE:
            groups[_key_of(one)].append(one)
    for key, some in groups.items():
        if fresh := _since(some, done.get(key)):
            yield _routed(key, fresh, names)


def _key_of(reject: SeenReject) -> str:
    if reject.why == "wrong_tier":
        return f"wrong_tier:{rule_of(reject.rule) or f'none:{reject.reason}'}"
    if reject.why == "tone" and reject.drafter != "extractive":
        return f"tone:{reject.drafter}"
    source = culprit(reject)
    return f"{reject.why}:{source.id if source else f'reason:{reject.reason}'}"


def culprit(reject: SeenReject) -> Source | None:
    """Return the source that a reject is about: cited then, and not in what was approved after."""
    left_out = [one for one in reject.sources if one.id not in reject.instead]
    return next(iter(left_out if reject.instead else reject.sources), None) or next(
        iter(reject.sources), None
    )


def rule_of(firing: str) -> str:
    """Return the rule that a firing names, without example and version: ``tiers.yaml:fraud``."""
    return _VERSION.sub("", firing).partition("/")[0]


def _routed(key: str, rejects: Sequence[SeenReject], names: Names) -> Proposal:
    newest = max(rejects, key=lambda one: one.at)
    drafts = _count(len(rejects), "draft")
    evidence = _evidence(newest.why, rejects)
    if newest.why == "wrong_tier":
        rule = rule_of(newest.rule)
        about = names.reason(newest.reason)
        evidence |= {"rule": rule or f"reasons.yaml:{newest.reason}", "reason": newest.reason}
        evidence["rule_digest"] = names.digests.get(evidence["rule"])
        file, _, rest = rule.partition(":")
        owner = names.owner(rest, ADMIN) if file == "reasons.yaml" else ADMIN
        owner = owner if rule else names.owner(newest.reason, ADMIN)
        said = f"where the rule {rule} fired" if rule else f"about {about}, where no rule fired"
        return Proposal(key, "routing_fix", f"Wrong tier in {drafts} {said}.", owner, evidence)
    if newest.why == "tone" and newest.drafter != "extractive":
        _, _, person = newest.drafter.partition(":")
        if newest.drafter.startswith("person:"):
            evidence["person"] = person
            title = f"Coach {names.people.get(person, person)}: the tone of {drafts} was rejected."
            return Proposal(key, "coaching", title, SUPERVISOR, evidence)
        title = f"The tone of {drafts} by the model {person} was rejected."
        return Proposal(key, "coaching", title, ADMIN, evidence)
    source = culprit(newest)
    if source is None:
        evidence["reason"] = newest.reason
        title = f"{drafts} about {names.reason(newest.reason)} rejected as {_SAID[newest.why]}."
        return Proposal(key, "training_note", title, names.owner(newest.reason), evidence)
    evidence |= {"article": source.id, "instead": _instead(rejects, source)}
    return Proposal(
        key,
        "macro_update" if source.is_macro else "article_change",
        f"“{source.title}”: {drafts} rejected as {_SAID[newest.why]}.",
        source.owner or CONTENT_OWNER,
        evidence,
    )


def _instead(rejects: Sequence[SeenReject], source: Source) -> list[str]:
    counted = Counter(one for reject in rejects for one in reject.instead if one != source.id)
    return [one for one, _ in counted.most_common(3)]


def _of_repeats(
    rejects: Sequence[SeenReject],
    repeats: int,
    window: timedelta,
    names: Names,
    done: Mapping[str, datetime],
) -> Iterable[Proposal]:
    """Return what only repetition makes a task: first by article, what is left by contact reason."""
    by_article: dict[tuple[str, str], list[SeenReject]] = defaultdict(list)
    for one in rejects:
        source = culprit(one)
        if source and one.why not in _AT_ONCE:
            by_article[one.why, source.id].append(one)
    told: set[str] = set()
    for (why, article), some in by_article.items():
        key = f"repeated:{why}:{article}"
        fresh = _since(some, done.get(key))
        if not crowded([one.at for one in fresh], repeats, window):
            continue
        told |= {one.review for one in fresh}
        source = culprit(fresh[-1])
        drafts = _count(len(fresh), "draft")
        yield Proposal(
            key,
            "macro_update" if source and source.is_macro else "article_change",
            f"“{source.title if source else article}”: {drafts} rejected as {_SAID[why]}.",
            (source.owner if source else None) or CONTENT_OWNER,
            _evidence(why, fresh) | {"article": article},
        )
    by_reason: dict[tuple[str, str | None], list[SeenReject]] = defaultdict(list)
    for one in rejects:
        if one.review not in told:
            by_reason[one.why, one.reason].append(one)
    for (why, reason), some in by_reason.items():
        key = f"repeated:{why}:reason:{reason}"
        fresh = _since(some, done.get(key))
        if crowded([one.at for one in fresh], repeats, window):
            drafts = _count(len(fresh), "draft")
            yield Proposal(
                key,
                "training_note",
                f"{drafts} about {names.reason(reason)} rejected as {_SAID[why]}.",
                names.owner(reason),
                _evidence(why, fresh) | {"reason": reason},
            )


def crowded(moments: Iterable[datetime], count: int, window: timedelta) -> bool:
    """Tell whether some ``count`` of ``moments`` lie within one ``window``."""
    ordered = sorted(moments)
    return any(
        ordered[at + count - 1] - ordered[at] <= window for at in range(len(ordered) - count + 1)
    )


def _of_corrections(
    corrections: Sequence[SeenCorrection],
    enough: int,
    names: Names,
    done: Mapping[str, datetime],
) -> Iterable[Proposal]:
    groups: dict[tuple[str | None, str | None], list[SeenCorrection]] = defaultdict(list)
    for one in corrections:
        groups[one.was, one.reason].append(one)
    for (was, reason), some in groups.items():
        key = f"corrected:{was}:{reason}"
        fresh = _since(some, done.get(key))
        if len(fresh) < enough:
            continue
        wrong_way = [one for one in groups.get((reason, was), ()) if one.reason]
        rule = f"reasons.yaml:{reason or was}"
        yield Proposal(
            key,
            "routing_fix",
            f"{_count(len(fresh), 'contact')} about {names.reason(reason)} "
            f"{'was' if len(fresh) == 1 else 'were'} taken for {names.reason(was)}.",
            names.owner(reason or was, ADMIN),
            {
                "why": "corrected",
                "was": was,
                "reason": reason,
                "other_way": len(wrong_way),
                "rule": rule,
                "rule_digest": names.digests.get(rule),
                "count": len(fresh),
                "seen": [one.id for one in fresh][-_MOST_SEEN:],
                "last_at": max(one.at for one in fresh).isoformat(),
            },
        )


def _of_escalations(
    escalations: Sequence[SeenEscalation],
    repeats: int,
    window: timedelta,
    names: Names,
    done: Mapping[str, datetime],
) -> Iterable[Proposal]:
    groups: dict[str | None, list[SeenEscalation]] = defaultdict(list)
    for one in escalations:
        groups[one.reason].append(one)
    for reason, some in groups.items():
        key = f"escalated_by_hand:{reason}"
        fresh = _since(some, done.get(key))
        if not crowded([one.at for one in fresh], repeats, window):
            continue
        rule = f"reasons.yaml:{reason}"
        yield Proposal(
            key,
            "routing_fix",
            f"Reviewers escalated {_count(len(fresh), 'draft')} about {names.reason(reason)} "
            "by hand: triage let them through.",
            names.owner(reason, ADMIN),
            _evidence("escalated_by_hand", fresh)
            | {"reason": reason, "rule": rule, "rule_digest": names.digests.get(rule)},
        )


def _of_flag(flag: SeenFlag, settings: RhythmSettings) -> Proposal | None:
    evidence = {
        "why": "rewritten" if flag.kind == "often_rewritten" else "unanswered",
        "flag": flag.id,
        "count": flag.count,
        "of": flag.of,
        "seen": list(flag.seen)[-_MOST_SEEN:],
        "last_at": flag.at.isoformat(),
    }
    key = f"flag:{flag.id}"
    if flag.kind == "often_rewritten" and flag.source:
        return Proposal(
            key,
            "macro_update" if flag.source.is_macro else "article_change",
            f"“{flag.source.title}”: reviewers reworded what it says in {flag.count} of "
            f"{_count(flag.of, 'draft')}.",
            flag.source.owner or flag.owner or CONTENT_OWNER,
            evidence | {"article": flag.source.id},
        )
    if flag.kind == "missing" and flag.count >= settings.gap_contacts:
        about = f" about {listed(flag.words)}" if flag.words else ""
        return Proposal(
            key,
            "article_change",
            f"Write an article{about}: {flag.count} customers asked and no source answers.",
            flag.owner or CONTENT_OWNER,
            evidence,
        )
    return None


def _of_macro(macro: SeenMacro) -> Proposal:
    since = macro.at.isoformat() if macro.at else None
    return Proposal(
        f"withheld:{macro.source.id}",
        "macro_update",
        f"The macro “{macro.source.title}” is kept out of use. {macro.why}",
        macro.source.owner or CONTENT_OWNER,
        {
            "why": "withheld",
            "article": macro.source.id,
            # The same fault may come back after the macro was in use again.
            "seen": [json_digest([macro.source.id, macro.why, *([since] if since else [])])],
            "last_at": since,
        },
    )


def silence_key(reason: str) -> str:
    """Return the key of the task on contacts of a reason that no source answers."""
    return f"unanswered:{reason}"


def _of_silence(silence: SeenSilence, settings: RhythmSettings, names: Names) -> Proposal | None:
    count = len(silence.seen)
    if count < settings.gap_contacts or count < _LEAST_UNANSWERED * silence.of:
        return None
    evidence = {
        "why": "unanswered",
        "reason": silence.reason,
        "count": count,
        "of": silence.of,
        "seen": list(silence.seen)[-_MOST_SEEN:],
        "last_at": silence.at.isoformat(),
    }
    if silence.policy:
        evidence["article"] = silence.policy
    return Proposal(
        silence_key(silence.reason),
        "article_change",
        f"No source answered {count} of {silence.of} contacts about "
        f"{names.reason(silence.reason)}, each asking for something else.",
        silence.owner or CONTENT_OWNER,
        evidence,
    )


def lapse_key(what: str, person: str) -> str:
    """Return the key of the coaching of a person."""
    return f"{what}:{person}"


def _of_lapses(
    seen: Seen, repeats: int, names: Names, done: Mapping[str, datetime]
) -> Iterable[Proposal]:
    """Coaching from the second on: one may happen to anybody. A reason's readings are a note."""
    by_person: dict[tuple[str, str], list[SeenLapse]] = defaultdict(list)
    by_reason: dict[str, list[SeenLapse]] = defaultdict(list)
    for one in seen.lapses:
        if one.person in names.people:
            by_person[one.what, one.person].append(one)
        if one.what == "qa_failed" and one.reason:
            by_reason[one.reason].append(one)
    for (what, person), some in by_person.items():
        key = lapse_key(what, person)
        fresh = _since(some, done.get(key))
        if len(fresh) < _LEAST_LAPSES:
            continue
        of = max(seen.looked_at.get((what, person), 0), len(fresh))
        failed = listed(name.replace("_", " ") for name in _most(fresh))
        title = (
            f"Coach {names.people[person]}: {len(fresh)} of {of} answers that were read failed "
            f"({failed})."
            if what == "qa_failed"
            else f"Coach {names.people[person]}: {len(fresh)} of {of} seeded checks were approved "
            f"with their fault ({failed})."
        )
        evidence = _evidence(what, fresh) | {"person": person, "of": of}
        yield Proposal(key, "coaching", title, SUPERVISOR, evidence)
    for reason, some in by_reason.items():
        key = f"qa_failed:reason:{reason}"
        fresh = _since(some, done.get(key))
        if len(fresh) >= repeats:
            failed = listed(name.replace("_", " ") for name in _most(fresh))
            yield Proposal(
                key,
                "training_note",
                f"{_count(len(fresh), 'answer')} about {names.reason(reason)} failed when they "
                f"were read ({failed}).",
                names.owner(reason),
                _evidence("qa_failed", fresh) | {"reason": reason},
            )


def _most(lapses: Sequence[SeenLapse]) -> list[str]:
    counted = Counter(item for one in lapses for item in one.items)
    return [item for item, _ in counted.most_common(3)] or ["no item named"]


def _evidence(why: str, some: Sequence[SeenReject | SeenEscalation | SeenLapse]) -> dict[str, Any]:
    ordered = sorted(some, key=lambda one: one.at)
    return {
        "why": why,
        "count": len(ordered),
        "seen": [_id_of(one) for one in ordered][-_MOST_SEEN:],
        "last_at": ordered[-1].at.isoformat(),
    }


def _id_of(one: SeenReject | SeenEscalation | SeenLapse) -> str:
    return one.id if isinstance(one, SeenLapse) else one.review


def _since(some: Sequence[Any], done: datetime | None) -> list[Any]:
    return sorted((one for one in some if done is None or one.at > done), key=lambda one: one.at)


def _count(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"


def is_new(evidence: Mapping[str, Any], former: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether evidence holds something that no former task of its key had."""
    known = {one for old in former for one in old.get("seen", ())}
    if seen := evidence.get("seen"):
        return not known.issuperset(seen)
    return json_digest(dict(evidence)) not in {json_digest(dict(old)) for old in former}


@dataclass(frozen=True, slots=True)
class Work:
    """What was done since a task was raised.

    Attributes:
        version: Number of a version of its article that came in since; None when none did.
        out_of_use: Whether its article was archived or left.
        released: Whether its macro may be used again.
        flag_ended: How its flag ended; "" while it is open.
        rule_digest: Digest of its rule's text now; None when there is no such rule any more.
        decided: Reviews of its article or contact reason that were decided after that.
    """

    version: int | None = None
    out_of_use: bool = False
    released: bool = False
    flag_ended: str = ""
    rule_digest: str | None = None
    decided: int = 0


def done_by(
    kind: TaskKind,
    evidence: Mapping[str, Any],
    work: Work,
    now: datetime,
    settings: RhythmSettings,
) -> str | None:
    """Return what closed a task by itself, in one sentence; None while it stands."""
    if work.out_of_use:
        return "Its source is no longer in use."
    if evidence.get("why") == "withheld":  # a new text of it may be as wrong as the old one
        return "The macro is in use again." if work.released else None
    if kind in ("article_change", "macro_update") and work.version:
        return f"Version {work.version} of its source came in."
    if work.flag_ended:
        return f"Its flag was ended ({work.flag_ended.replace('_', ' ')})."
    then = evidence.get("rule_digest")
    if then and work.rule_digest != then:
        return f"Its rule ({evidence.get('rule')}) was edited."
    return _quiet(evidence, work, now, settings)


def _quiet(
    evidence: Mapping[str, Any], work: Work, now: datetime, settings: RhythmSettings
) -> str | None:
    """A cause that stays away is gone only where it could have come: drafts were decided."""
    if not long_quiet(evidence, now, settings) or work.decided < _LEAST_DECIDED:
        return None
    return f"It was not seen again for {settings.quiet_weeks} weeks, in {work.decided} decided reviews."


def long_quiet(evidence: Mapping[str, Any], now: datetime, settings: RhythmSettings) -> bool:
    """Tell whether the cause of a task was not seen again for as long as the workspace says."""
    last = evidence.get("last_at")
    if not isinstance(last, str):
        return False
    return now - datetime.fromisoformat(last) >= timedelta(weeks=settings.quiet_weeks)


@dataclass(frozen=True, slots=True)
class SuggestedEdit:
    """What an article could say instead, from what people wrote in its place.

    Attributes:
        before: The sentence as it is drawn from the source.
        after: What stands nearest to all that people wrote; empty when most struck it out.
        written: How many rewrites of this sentence there are.
    """

    before: str
    after: str
    written: int


def suggested_edit(rewrites: Sequence[tuple[str, str]]) -> SuggestedEdit | None:
    """Return the edit that rewrites ``(before, after)`` come to; None without any.

    Of the sentence that was rewritten most often, the one of its rewrites that is most like all
    the others: an actual person's words, not a blend of several.
    """
    by_sentence: dict[str, list[str]] = defaultdict(list)
    for before, after in rewrites:
        by_sentence[before].append(after)
    if not by_sentence:
        return None
    before, written = max(by_sentence.items(), key=lambda item: len(item[1]))
    kept = [text for text in written if text]
    if len(kept) * 2 < len(written):
        return SuggestedEdit(before, "", len(written))
    return SuggestedEdit(before, medoid(kept), len(written))


def medoid(texts: Sequence[str]) -> str:
    """Return the text that is most like all others; of equals the first."""
    likeness = process.cdist(texts, texts, scorer=fuzz.ratio).sum(axis=1)
    return texts[int(likeness.argmax())]
