"""What each day of the supervisor's week tells, from figures. Pure.

Every share is told with what it is a share of. That one group stands out, or that this week differs
from the last, is said only where chance seldom makes it (:mod:`desk.shares`): a desk with ten contacts
a week hears figures and no stories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, get_args

from desk.shares import LEAST_HITS, Share, differ, standing_out

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
DAYS: Final[tuple[Day, ...]] = get_args(Day)
TITLES: Final[Mapping[Day, str]] = {
    "monday": "Unanswered questions",
    "tuesday": "Source updates",
    "wednesday": "Low-confidence answers",
    "thursday": "Handoff quality",
    "friday": "Expand or return to review",
}
PURPOSES: Final[Mapping[Day, str]] = {
    "monday": "What customers asked that no source answers, and who still waits for it.",
    "tuesday": "What changed in the sources, what is wrong with them, and what comes due.",
    "wednesday": "Where the desk was not sure, whether that was right, and where it was sure and wrong.",
    "thursday": "Whether those who took a contact over found what they needed, and how soon they did.",
    "friday": "Which contact reasons have earned less review, and which go back to it.",
}
NO_REASON: Final = "none of the map's reasons"
MOST_HANDED: Final = 2_000
"""Handoffs of seven days that Thursday reads; of more it says so."""
_NAMED: Final = 4
_TOLD_LISTED: Final = 5  # of many, the source's flag shows all
Subject = Literal["flag", "review", "contact", "article", "reason"]


def beside(now: Share, before: Share) -> str:
    """Return what to say of last week's share beside this one's."""
    if not before.of:
        return "the week before there were none to compare with"
    if differ(now, before):
        way = "clearly more than" if now.value > before.value else "clearly fewer than"
        return f"{way} the week before ({before})"
    return f"the week before {before}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, as people read it, and the one of the week before."""

    name: str
    value: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a day wants looked at.

    Attributes:
        why: Code of the ground; see :data:`WHYS`.
        figures: Ids and figures that its sentence needs.
    """

    subject: Subject
    subject_id: str
    why: str
    figures: dict[str, Any] = field(default_factory=dict)


WHYS: Final[Mapping[str, str]] = {
    "unanswered": "No source answers it",
    "conflict": "Two sources contradict each other",
    "changed": "It changed what answers rest on",
    "overdue": "Its review is overdue",
    "ends": "Runs out, and nothing takes its place",
    "told_old": "Was told what has changed since",
    "superseded": "It was replaced and still stands",
    "often_rewritten": "Reviewers keep rewording it",
    "unowned": "Nobody owns it",
    "broken_link": "A link of it leads nowhere",
    "missing": "What it says is in no article",
    "due": "Comes due within a week",
    "unsure": "Waits, and the desk is not sure",
    "sure_but_wrong": "The desk was sure",
    "untouched": "Nobody has touched it",
    "incomplete": "The brief lacked something",
    "eligible": "Has earned less review: to be signed or not",
    "demoted": "Went back to review",
    "worst": "Rejected, or its customers came back",
    "withheld": "A macro is kept out of use",
}
"""Why a day lists something, in words."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a day has to say: sentences, figures, and what to work through, the most urgent first."""

    sentences: tuple[str, ...]
    figures: tuple[Figure, ...]
    found: tuple[Found, ...]


def week_of(moment: datetime) -> date:
    """Return the Monday of the week of a moment."""
    return moment.date() - timedelta(days=moment.weekday())


def day_of(moment: datetime) -> Day:
    """Return the day of a moment; at the weekend the Friday before."""
    return DAYS[min(moment.weekday(), len(DAYS) - 1)]


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def be(number: int) -> str:
    """Return the verb for so many."""
    return "was" if number == 1 else "were"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What Monday reads. Shares are of the contacts that were drafted for.

    Attributes:
        by_reason: Name of the contact reason → share without a source, of four weeks.
        by_channel: Channel → the same.
        waiting: Contacts without a source that nobody has decided yet.
        gaps: Open gaps: flag id, contacts that asked, contacts that wait.
        open: How many open gaps there are.
        ended: Gaps that were ended in the period, and in the one before.
        themes: Words that name questions asking for the same, and how many.
    """

    now: Share
    before: Share
    by_reason: Mapping[str, Share]
    by_channel: Mapping[str, Share]
    waiting: int
    gaps: Sequence[tuple[str, int, int]]
    open: int
    ended: tuple[int, int]
    themes: Sequence[tuple[str, int]]


def monday(read: Unanswered) -> Told:
    """Return what Monday tells."""
    said = [
        f"{read.now.told('contacts')} had no source to answer from; "
        f"{beside(read.now, read.before)}."
        if read.now.of
        else "Nothing was drafted for in these seven days."
    ]
    for name, share, rest in standing_out(read.by_channel)[:2]:
        said.append(f"In four weeks it stands out by {name}: {share}; all others {rest}.")
    for name, share, rest in standing_out(read.by_reason)[:2]:
        about = name if name == NO_REASON else f"“{name}”"
        said.append(f"In four weeks it stands out about {about}: {share}; all others {rest}.")
    for words, number in read.themes[:3]:
        said.append(f"{number} of the open questions ask for the same: {words}.")
    singles = sum(1 for _, asked, _ in read.gaps if asked == 1)
    if len(read.gaps) >= 5 and singles == len(read.gaps):
        others = "other open gap" if read.themes else "open gap"
        said.append(
            f"Every {others} was asked about once: an article for one of them helps one customer."
        )
    figures = (
        Figure("Without a source", str(read.now), str(read.before)),
        Figure("Of these still waiting", str(read.waiting)),
        Figure("Open gaps, of any week", str(read.open)),
        Figure("Gaps closed", *map(str, read.ended)),
        *(
            Figure(f"About {name}, four weeks", str(share))
            for name, share in _worst(read.by_reason)
            if share.hits
        ),
    )
    found = [
        Found("flag", flag, "unanswered", {"asked": asked, "waiting": waiting})
        for flag, asked, waiting in read.gaps
    ]
    return Told(tuple(said), figures, tuple(found))


def _worst(groups: Mapping[str, Share], most: int = 4) -> list[tuple[str, Share]]:
    return sorted(groups.items(), key=lambda item: (-item[1].hits, -item[1].value, item[0]))[:most]


@dataclass(frozen=True, slots=True)
class SourcesRead:
    """What Tuesday reads.

    Attributes:
        flags: Open flags but gaps: flag id, why it is listed, answers and drafts that rest on it;
            the one that does most damage first.
        open: How many such flags there are, and how many of them touch an answer or a draft.
        opened: How many came up in the period, and in the one before.
        ended: How many were ended in the period, and in the one before.
        new_articles: Articles that came in.
        new_versions: Further versions of articles.
        changed: Passages that tell a reader something else since; ``reworded`` those that do not.
        titles: Titles of the articles whose passages do, the most of them first.
        told_old: Contacts with an answer that said what has changed: contact and when it changed.
        waiting: Waiting drafts that rest on something that changed.
        withheld: Macros that are kept out of use.
        due: Articles that come due in the seven days after: article id and when.
    """

    flags: Sequence[tuple[str, str, int]]
    open: tuple[int, int]
    opened: tuple[int, int]
    ended: tuple[int, int]
    new_articles: int
    new_versions: int
    changed: int
    reworded: int
    titles: Sequence[str]
    told_old: Sequence[tuple[str, datetime]]
    waiting: int
    withheld: int
    due: Sequence[tuple[str, datetime]]


def tuesday(read: SourcesRead) -> Told:
    """Return what Tuesday tells."""
    said = [
        f"{count(read.new_articles, 'article')} and {count(read.new_versions, 'new version')} came "
        f"in; {count(read.changed, 'passage tells', 'passages tell')} a reader something else, "
        f"{count(read.reworded, 'passage')} {be(read.reworded)} only reworded."
    ]
    if read.titles:
        named = ", ".join(f"“{title}”" for title in read.titles[:_NAMED])
        more = len(read.titles) - _NAMED
        said.append(f"Changed: {named}{f' and {more} more' if more > 0 else ''}.")
    told = len(read.told_old)
    if told:
        said.append(
            f"{count(told, 'contact')} {be(told)} told what has changed since: the latest are "
            "listed below, to be set right."
        )
    if read.waiting:
        said.append(
            f"{count(read.waiting, 'waiting draft rests', 'waiting drafts rest')} on a source that "
            "changed or is contradicted."
        )
    standing, used = read.open
    if standing:
        said.append(
            f"{used} of {count(standing, 'open flag')} on sources "
            f"{'touches' if used == 1 else 'touch'} an answer or a draft; they come first below."
        )
    opened, ended = read.opened[0], read.ended[0]
    if opened or ended or standing:
        said.append(
            f"{count(opened, 'flag')} came up in these seven days and "
            f"{ended or 'none'} {be(ended or 1)} ended."
            + (" The pile grows." if opened > ended + LEAST_HITS else "")
        )
    figures = (
        Figure("New articles", str(read.new_articles)),
        Figure("New versions", str(read.new_versions)),
        Figure("Passages that tell something else", str(read.changed)),
        Figure("Contacts told the old thing", str(told)),
        Figure("Flags that came up", *map(str, read.opened)),
        Figure("Flags ended", *map(str, read.ended)),
        Figure("Macros out of use", str(read.withheld)),
        Figure("Due within a week", str(len(read.due))),
    )
    found = [
        Found("contact", one, "told_old", {"at": at.isoformat()})
        for one, at in read.told_old[:_TOLD_LISTED]
    ]
    found += [Found("flag", flag, kind, {"uses": uses}) for flag, kind, uses in read.flags]
    found += [Found("article", one, "due", {"at": at.isoformat()}) for one, at in read.due]
    return Told(tuple(said), figures, tuple(found))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of drafts that were decided.

    Attributes:
        approved: Left as they were.
        edited: Left after a person changed them.
        stopped: Rejected or escalated by a reviewer.
        waiting: Not decided yet.
    """

    approved: int = 0
    edited: int = 0
    stopped: int = 0
    waiting: int = 0

    @property
    def decided(self) -> int:
        """All that were decided."""
        return self.approved + self.edited + self.stopped

    @property
    def wrong(self) -> Share:
        """Those that did not leave as they were, of those that were decided."""
        return Share(self.edited + self.stopped, self.decided)


@dataclass(frozen=True, slots=True)
class Confidence:
    """What Wednesday reads. Drafts are those of the period that answer.

    Attributes:
        unsure: Drafts of contacts that the desk was not sure about.
        sure: The others.
        before: The share of drafts it was not sure about in the week before.
        waiting: Reviews of unsure contacts that wait, the riskiest first, each with what the desk
            took the contact for and since when it waits.
        wrong: Reviews of contacts it was sure about that were rejected, escalated or mostly
            rewritten, each with ``decided`` and either ``reason`` or ``share``, that of the words
            that changed.
        between: Pairs of contact reasons between which it was not sure, and how often.
        corrected: Corrections of contact reasons by people.
    """

    unsure: Outcomes
    sure: Outcomes
    before: Share
    waiting: Sequence[tuple[str, dict[str, Any]]]
    wrong: Sequence[tuple[str, dict[str, Any]]]
    between: Sequence[tuple[str, str, int]]
    corrected: int


def wednesday(read: Confidence) -> Told:
    """Return what Wednesday tells."""
    total = read.unsure.decided + read.unsure.waiting + read.sure.decided + read.sure.waiting
    share = Share(read.unsure.decided + read.unsure.waiting, total)
    said = [
        f"The desk was not sure what {share.told('contacts')} are about; "
        f"{beside(share, read.before)}."
        if total
        else "Nothing was drafted in these seven days."
    ]
    if read.unsure.decided and read.sure.decided:
        said.append(
            f"Where it was not sure, {read.unsure.wrong.told('decided drafts')} did not leave as "
            f"drafted; where it was sure, {read.sure.wrong}. "
            + _worth(read.unsure.wrong, read.sure.wrong)
        )
    for one, other, number in read.between[:2]:
        said.append(f"It wavered {count(number, 'time')} between “{one}” and “{other}”.")
    if read.wrong:
        said.append(
            f"{count(len(read.wrong), 'draft')} of which it was sure {be(len(read.wrong))} rejected, "
            "escalated or mostly rewritten: read these first, no threshold would have caught them."
        )
    if read.corrected:
        said.append(f"People corrected {count(read.corrected, 'contact reason')}.")
    figures = (
        Figure("Not sure", str(share), str(read.before)),
        Figure("Not sure, left as drafted", str(Share(read.unsure.approved, read.unsure.decided))),
        Figure("Sure, left as drafted", str(Share(read.sure.approved, read.sure.decided))),
        Figure("Not sure and waiting, of any week", str(len(read.waiting))),
        Figure("Corrected by people", str(read.corrected)),
    )
    found = [Found("review", one, "sure_but_wrong", figures) for one, figures in read.wrong]
    found += [Found("review", one, "unsure", figures) for one, figures in read.waiting]
    return Told(tuple(said), figures, tuple(found))


def _worth(unsure: Share, sure: Share) -> str:
    if not differ(unsure, sure):
        return "So few cannot show a difference."
    if unsure.value > sure.value:
        return "Its doubt is worth heeding."
    return "Its doubt points the wrong way: look at what it is sure of."


@dataclass(frozen=True, slots=True)
class Handed:
    """One contact that was handed to a person in the period.

    Attributes:
        team: Whom it was handed to; "" for nobody.
        by_reviewer: Whether a reviewer escalated it, not the rules.
        lacks: What its brief lacks: ``question``, ``next step``, ``sources``, or required fields.
        touched_minutes: Until a person first did something with it; None when nobody has yet.
        age_minutes: Since it was handed over.
        verdict: Whether it needed a person, as somebody judged it; None without a verdict.
        over: Whether it is closed or answered since.
        rule: The severest rule that had fired; "" for none.
        rank: Its place in the queue: the lower, the graver.
        since: When it was handed over.
    """

    contact: str
    team: str
    by_reviewer: bool
    lacks: tuple[str, ...]
    touched_minutes: float | None
    age_minutes: float
    verdict: bool | None
    over: bool
    rule: str
    rank: int = 0
    since: datetime | None = None


def thursday(read: Sequence[Handed], before: Sequence[Handed], left: Sequence[Handed] = ()) -> Told:
    """Return what Thursday tells.

    Args:
        read: What was handed over in the period.
        before: What was in the one before.
        left: What was handed over earlier still and waits untouched.
    """
    whole, whole_before = _whole(read), _whole(before)
    touched = [one.touched_minutes for one in read if one.touched_minutes is not None]
    untouched = [one for one in read if one.touched_minutes is None and not one.over]
    said = [
        f"{count(len(read), 'contact')} {be(len(read))} handed to a person, "
        f"{sum(one.by_reviewer for one in read) or 'none'} of them by a reviewer; the week before "
        f"{len(before)}."
    ]
    if len(read) >= MOST_HANDED:
        said.append(f"Only the newest {MOST_HANDED:,} are counted.")
    if read:
        said.append(
            f"{whole.told('briefs')} held all that is needed; {beside(whole, whole_before)}."
        )
        lacking = _tally(part for one in read for part in one.lacks)
        if lacking:
            parts = ", ".join(f"{name} ({number})" for name, number in lacking[:4])
            said.append(f"What was missing: {parts}.")
        said.append(_first_action(touched, untouched, len(read)))
        if repeated := [one for one in _tally(one.rule for one in read if one.rule) if one[1] > 1]:
            rules = ", ".join(f"{rule_words(name)} ({number})" for name, number in repeated[:3])
            said.append(f"Rules that handed over more than once: {rules}.")
        judged = [one.verdict for one in read if one.verdict is not None]
        if judged:
            said.append(f"{Share(sum(judged), len(judged))} that were judged needed a person.")
        else:
            said.append(
                "Nobody has judged whether they needed a person (Reviews, Escalated): without a "
                "verdict a rule that escalates too much looks like one that is right."
            )
    if left:
        oldest = _minutes(max(one.age_minutes for one in left))
        said.append(
            f"{count(len(left), 'contact')} handed over earlier still {'waits' if len(left) == 1 else 'wait'} "
            f"with nobody having touched {'it' if len(left) == 1 else 'them'}, the oldest for {oldest}."
        )
    figures = (
        Figure("Handed over", str(len(read)), str(len(before))),
        Figure("Briefs complete", str(whole), str(whole_before)),
        Figure("Median time to first action", _minutes(_median(touched))),
        Figure("Not touched yet", str(Share(len(untouched), len(read)))),
        Figure("From earlier, not touched yet", str(len(left))),
        Figure("Judged", str(Share(sum(one.verdict is not None for one in read), len(read)))),
    )
    gravest = sorted((*left, *untouched), key=lambda one: (one.rank, -one.age_minutes))
    found = [Found("contact", one.contact, "untouched", _handover(one)) for one in gravest]
    listed = {one.contact for one in gravest}
    found += [
        Found("contact", one.contact, "incomplete", _handover(one))
        for one in read
        if one.lacks and one.contact not in listed
    ]
    return Told(tuple(said), figures, tuple(found))


def _handover(handed: Handed) -> dict[str, Any]:
    by = "a reviewer" if handed.by_reviewer else rule_words(handed.rule)
    since = handed.since.isoformat() if handed.since else ""
    return {"team": handed.team, "lacks": list(handed.lacks), "by": by, "since": since}


def rule_words(rule: str) -> str:
    """Return the name of a rule such as ``tiers.yaml:account_compromise`` in words."""
    return rule.rpartition(":")[2].replace("_", " ")


def _whole(handed: Sequence[Handed]) -> Share:
    return Share(sum(not one.lacks for one in handed), len(handed))


def _first_action(touched: Sequence[float], untouched: Sequence[Handed], of: int) -> str:
    if not touched:
        return f"Nobody has done anything with {Share(len(untouched), of)} of them yet."
    slow = max(touched)
    return (
        f"Half of those that were taken up had a first action within {_minutes(_median(touched))}, "
        f"the slowest after {_minutes(slow)}; {Share(len(untouched), of)} wait untouched."
    )


def _median(values: Sequence[float]) -> float | None:
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2] if ordered else None


def _minutes(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 90:
        return f"{value:.0f} min"
    return f"{value / 60:.1f} h" if value < 48 * 60 else f"{value / 1440:.1f} days"


def _tally(names: Iterable[str]) -> list[tuple[str, int]]:
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True, slots=True)
class ReasonWeek:
    """How one contact reason did in four weeks, and where it stands.

    Attributes:
        state: ``locked``, ``review``, ``eligible`` or ``autopilot``.
        approved: Drafts that left as they were.
        edited: Drafts that a person changed first.
        rejected: Drafts that a person rejected.
        reopened: Answers about which the customer came back, or that a quality reading failed.
        counted: Answers that left and count towards autonomy.
        lately: The share of the last seven days that did not leave as drafted.
        demoted: Whether it went back to review in the period; ``cause`` says why.
        missing: What it still lacks to be proposed, in sentences.
    """

    id: str
    name: str
    state: str
    approved: int = 0
    edited: int = 0
    rejected: int = 0
    reopened: int = 0
    counted: int = 0
    lately: Share = field(default_factory=Share)
    demoted: bool = False
    cause: str = ""
    missing: tuple[str, ...] = ()

    @property
    def answers(self) -> int:
        """Drafts that people decided."""
        return self.approved + self.edited + self.rejected

    @property
    def wrong(self) -> Share:
        """Those that did not leave as drafted."""
        return Share(self.edited + self.rejected, self.answers)

    @property
    def bad(self) -> int:
        """Drafts that were rejected, and answers that did not settle it."""
        return self.rejected + self.reopened


def friday(read: Sequence[ReasonWeek]) -> Told:
    """Return what Friday tells, of every contact reason of the map."""
    states = _tally(one.state for one in read)
    standing = ", ".join(f"{number} {name}" for name, number in states) or "no contact reasons"
    said = [f"Where contact reasons stand: {standing}."]
    eligible = [one for one in read if one.state == "eligible"]
    demoted = [one for one in read if one.demoted]
    decided = [one for one in read if one.answers]
    for one in demoted:
        said.append(f"“{one.name}” went back to review: {one.cause or 'no cause was kept.'}")
    for one in eligible:
        said.append(f"“{one.name}” may be signed: {_did(one)}.")
    said += _nearest(read) if not eligible else []
    bad = sorted((one for one in read if one.bad), key=lambda one: (-one.bad, one.name))
    if bad:
        said.append(
            f"{count(len(bad), 'contact reason')} had drafts rejected or answers that came back in "
            "four weeks; the worst are listed below."
        )
    for name, share, rest in standing_out({one.name: one.wrong for one in decided})[:2]:
        said.append(f"“{name}” is changed most: {share} did not leave as drafted; others {rest}.")
    let_out = sum(one.approved + one.edited for one in read)
    counted = sum(one.counted for one in read)
    approved, answers = sum(one.approved for one in read), sum(one.answers for one in read)
    lately = Share(sum(one.lately.hits for one in read), sum(one.lately.of for one in read))
    figures = (
        Figure("Left as drafted, four weeks", str(Share(approved, answers))),
        Figure("Changed or rejected, seven days", str(lately)),
        Figure("Let out and counted towards autonomy, four weeks", str(Share(counted, let_out))),
        Figure("To be signed", str(len(eligible))),
        Figure("Back to review, seven days", str(len(demoted))),
        *(
            Figure(one.name, f"{one.approved} of {one.answers} as drafted")
            for one in sorted(decided, key=lambda one: (-one.answers, one.name))[:8]
        ),
    )
    found = [Found("reason", one.id, "demoted", {"cause": one.cause}) for one in demoted]
    found += [Found("reason", one.id, "eligible", {"did": _did(one)}) for one in eligible]
    found += [
        Found("reason", one.id, "worst", {"did": _did(one)}) for one in bad[:5] if not one.demoted
    ]
    return Told(tuple(said), figures, tuple(found))


def _nearest(read: Sequence[ReasonWeek]) -> list[str]:
    counted = [one for one in read if one.state == "review" and one.counted and not one.bad]
    if not counted:
        return ["None is to be signed, and none has answers that count and nothing against it."]
    best = max(counted, key=lambda one: one.counted)
    return [
        f"None is to be signed. The nearest is “{best.name}” with "
        f"{count(best.counted, 'answer that counts', 'answers that count')}. "
        + " ".join(best.missing)
    ]


def _did(reason: ReasonWeek) -> str:
    parts = [
        f"{reason.approved} of {reason.answers} left as drafted",
        f"{reason.edited} edited" if reason.edited else "",
        f"{reason.rejected} rejected" if reason.rejected else "",
        f"{reason.reopened} came back" if reason.reopened else "",
    ]
    return ", ".join(part for part in parts if part)
