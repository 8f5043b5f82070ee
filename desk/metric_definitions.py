"""Every metric, defined once: what pages show on hover, exports name and tests recompute.

Days are those of the team's time zone. What happens counts on the day it happens, however old its contact is: a contact of
last month that a customer reopens today is a reopened one of today. Checks that were slipped in on
purpose count for the catch rate and for nothing else.

There is no deflection rate here: it cannot be told from the trail whether a customer who went away
was helped, and a desk that is judged by it learns to send people away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from desk.metric_facts import Part

Unit = Literal["seconds", "share", "count"]
Better = Literal["lower", "higher", "neither"]
Group = Literal["Speed", "Backlog, as it is now", "Volume", "Corrections", "Judgement", "Customers"]


@dataclass(frozen=True, slots=True)
class Quantile:
    """The length of time that ``share`` of a part's lengths do not exceed, by nearest rank."""

    part: Part
    share: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """How often ``parts`` occurred against how often ``of`` did."""

    parts: tuple[Part, ...]
    of: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean of a part's values."""

    part: Part


@dataclass(frozen=True, slots=True)
class Count:
    """How often ``parts`` occurred."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Something of the contacts that are open now: a state, without a history.

    Attributes:
        share: The quantile of their age; None for how many there are.
    """

    share: float | None


Measure = Quantile | Ratio | Mean | Count | Backlog


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        sentence: What it is, in plain sentences.
        numerator: What is counted, or whose lengths are compared.
        denominator: Of what it is a share; "" for what is none.
        events: Events of the audit trail that it is computed from; none for a state.
        by_person: Whether it can be told for one person.
    """

    id: str
    title: str
    group: Group
    unit: Unit
    better: Better
    measure: Measure
    sentence: str
    numerator: str
    denominator: str
    events: tuple[str, ...]
    by_person: bool = False

    @property
    def is_part(self) -> bool:
        """Whether it is a share of things each of which did or did not: never above one."""
        how = self.measure
        return isinstance(how, Ratio) and set(how.parts) < set(how.of)

    @property
    def told(self) -> str:
        """All that is shown on hover."""
        of = f" of {self.denominator}" if self.denominator else ""
        way = {"lower": "Lower is better.", "higher": "Higher is better.", "neither": ""}
        trail = f"From {', '.join(self.events)}." if self.events else "From the open contacts."
        return " ".join(filter(None, (self.sentence, f"Counted: {self.numerator}{of}.",
                                      trail, way[self.better])))  # fmt: skip


_OWNED: Final = (
    "contact.opened",
    "contact.assigned",
    "contact.closed",
    "review.claimed",
    "review.approve",
    "review.edit",
    "review.reject",
    "review.escalate",
    "review.answer",
)
_DECIDED: Final = _OWNED[4:]
_LET_OUT: Final[tuple[Part, ...]] = ("approve", "edit")
_JUDGED: Final[tuple[Part, ...]] = ("approve", "edit", "reject")
_DECISIONS: Final[tuple[Part, ...]] = ("approve", "edit", "reject", "escalate", "answer")
_OWNER: Final = (
    "From when a contact came to the desk until the first person took it: it was assigned to "
    "somebody, or a person opened its review to decide it, decided it or closed the contact. "
    "Contacts that nobody has taken yet are not in it; the backlog holds them."
)
_LENGTH: Final = "Under ten minutes in whole seconds, else in whole minutes."
_OPEN: Final = (
    "Contacts that still wait for somebody at the desk: being drafted, to be decided, escalated or "
    "failed. As it is now, whatever days are chosen."
)

METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        id="first_owner_median",
        title="Time to first owner",
        group="Speed",
        unit="seconds",
        better="lower",
        measure=Quantile("first_owner", 0.5),
        sentence=f"{_OWNER} The median: half of the contacts took no longer. {_LENGTH}",
        numerator="contacts that got their first owner in these days",
        denominator="",
        events=_OWNED,
    ),
    Metric(
        id="first_owner_p90",
        title="Time to first owner, slowest tenth",
        group="Speed",
        unit="seconds",
        better="lower",
        measure=Quantile("first_owner", 0.9),
        sentence=f"{_OWNER} The 90th percentile: nine in ten took no longer. {_LENGTH}",
        numerator="contacts that got their first owner in these days",
        denominator="",
        events=_OWNED,
    ),
    Metric(
        id="review_wait_median",
        title="Wait for a decision",
        group="Speed",
        unit="seconds",
        better="lower",
        measure=Quantile("review_wait", 0.5),
        sentence="From when a draft was put before reviewers until a person decided it: the median. "
        f"{_LENGTH}",
        numerator="decisions that people took",
        denominator="",
        events=("review.opened", *_DECIDED),
        by_person=True,
    ),
    Metric(
        id="review_hold_median",
        title="Time at a review",
        group="Speed",
        unit="seconds",
        better="neither",
        measure=Quantile("review_hold", 0.5),
        sentence="From when the person who decided a draft last opened it for that until they "
        f"decided: the median. Decisions without opening it, such as of many at once, are not in "
        f"it. {_LENGTH}",
        numerator="decisions by a person who had opened the review",
        denominator="",
        events=("review.claimed", *_DECIDED),
        by_person=True,
    ),
    Metric(
        id="backlog",
        title="Backlog",
        group="Backlog, as it is now",
        unit="count",
        better="lower",
        measure=Backlog(None),
        sentence=_OPEN,
        numerator="open contacts",
        denominator="",
        events=(),
    ),
    Metric(
        id="backlog_age_median",
        title="Backlog age",
        group="Backlog, as it is now",
        unit="seconds",
        better="lower",
        measure=Backlog(0.5),
        sentence=f"{_OPEN} The median time since their customers first wrote. {_LENGTH}",
        numerator="open contacts",
        denominator="",
        events=(),
    ),
    Metric(
        id="backlog_age_p90",
        title="Backlog age, oldest tenth",
        group="Backlog, as it is now",
        unit="seconds",
        better="lower",
        measure=Backlog(0.9),
        sentence=f"{_OPEN} Nine in ten have waited no longer since their customers first wrote. "
        f"{_LENGTH}",
        numerator="open contacts",
        denominator="",
        events=(),
    ),
    Metric(
        id="taken_up",
        title="Contacts taken up",
        group="Volume",
        unit="count",
        better="neither",
        measure=Count(("taken_up",)),
        sentence="Contacts that the desk first drafted for, answered or handed to a person in these days.",
        numerator="contacts",
        denominator="",
        events=("review.opened", "run.recorded"),
    ),
    Metric(
        id="decisions",
        title="Decisions",
        group="Volume",
        unit="count",
        better="neither",
        measure=Count(_DECISIONS),
        sentence="Drafts that people approved, edited, rejected or escalated, and questions back "
        "whose missing details they filled in.",
        numerator="decisions that people took",
        denominator="",
        events=_DECIDED,
        by_person=True,
    ),
    Metric(
        id="escalations",
        title="Escalations",
        group="Volume",
        unit="count",
        better="neither",
        measure=Count(("escalated",)),
        sentence="Runs that ended with a person instead of an answer: by the desk's rules or by a "
        "reviewer's decision.",
        numerator="runs that ended escalated",
        denominator="",
        events=("run.recorded",),
    ),
    Metric(
        id="stale_stopped",
        title="Stale answers stopped",
        group="Volume",
        unit="count",
        better="neither",
        measure=Count(("stale_recheck", "stale_sweep", "stale_delivery")),
        sentence="Drafts that did not go through because a source they rest on changed or is "
        "contradicted: sent back at the moment of approval, replaced while they waited, or stopped "
        "on their way out. A draft counts once.",
        numerator="drafts stopped",
        denominator="",
        events=("review.returned", "review.withdrawn", "delivery.stopped"),
    ),
    Metric(
        id="correction_rate",
        title="Correction rate",
        group="Corrections",
        unit="share",
        better="lower",
        measure=Ratio(("edit",), _LET_OUT),
        sentence="How many of the drafts that people let out they changed first.",
        numerator="decisions to edit",
        denominator="decisions to approve or edit",
        events=("review.edit", "review.approve"),
        by_person=True,
    ),
    Metric(
        id="correction_size",
        title="Correction size",
        group="Corrections",
        unit="share",
        better="lower",
        measure=Mean("rewritten"),
        sentence="Which share of the words an edit made others, on average over the edits. Where a "
        "draft held no answer, all of its words are others after the edit.",
        numerator="share of words that are others after the edit, added up",
        denominator="decisions to edit",
        events=("review.edit",),
        by_person=True,
    ),
    Metric(
        id="rejection_rate",
        title="Rejection rate",
        group="Corrections",
        unit="share",
        better="lower",
        measure=Ratio(("reject",), _JUDGED),
        sentence="How many of the drafts that people approved, edited or rejected they rejected.",
        numerator="decisions to reject",
        denominator="decisions to approve, edit or reject",
        events=("review.reject", "review.approve", "review.edit"),
        by_person=True,
    ),
    Metric(
        id="escalation_accuracy",
        title="Escalation accuracy",
        group="Judgement",
        unit="share",
        better="higher",
        measure=Ratio(("escalation_confirmed",), ("escalation_confirmed", "escalation_unneeded")),
        sentence="How many escalations were right, by reviewers' verdicts. A verdict is what a "
        "supervisor or admin says at an escalated contact (Reviews, Escalated): it needed a "
        "person, or it did not. An escalation has one verdict, the first; without one it is in "
        "neither number.",
        numerator="escalations judged to have needed a person",
        denominator="escalations judged",
        events=("escalation.judged",),
    ),
    Metric(
        id="escalation_missed",
        title="Escalated by reviewers",
        group="Judgement",
        unit="count",
        better="lower",
        measure=Count(("escalation_missed",)),
        sentence="Contacts that the desk drafted for and a reviewer escalated instead.",
        numerator="decisions to escalate",
        denominator="",
        events=("review.escalate",),
    ),
    Metric(
        id="abstention_rate",
        title="Abstentions",
        group="Judgement",
        unit="share",
        better="lower",
        measure=Ratio(("draft_abstain",), ("draft_abstain", "draft_answer")),
        sentence="How many drafts said that no source in force answers the question. Questions back "
        "to the customer are in neither number; a draft that is written again counts again.",
        numerator="drafts that abstain",
        denominator="drafts that abstain or answer",
        events=("review.opened",),
    ),
    Metric(
        id="catch_rate",
        title="Catch rate",
        group="Judgement",
        unit="share",
        better="higher",
        measure=Ratio(("seeded_caught",), ("seeded_caught", "seeded_missed")),
        sentence="How many of the faulty drafts that were slipped in on purpose reviewers caught. "
        "None of them is ever sent.",
        numerator="seeded checks caught",
        denominator="seeded checks caught or missed",
        events=("seeded.resolved",),
        by_person=True,
    ),
    Metric(
        id="reopened_rate",
        title="Reopened",
        group="Customers",
        unit="share",
        better="lower",
        measure=Ratio(("reopened",), ("sent",)),
        sentence="Contacts whose customer wrote again after the answer left or the contact was "
        "closed, against answers that left in the same days. A reopening counts on its own day, so "
        "days with few answers can show more than 100 %. Replies to a question back do not count.",
        numerator="reopenings",
        denominator="answers that left",
        events=("contact.reopened", "delivery.sent"),
    ),
    Metric(
        id="complaint_rate",
        title="Complaints",
        group="Customers",
        unit="share",
        better="lower",
        measure=Ratio(("complaint",), ("taken_up",)),
        sentence="Contacts in which the desk's rules found a complaint (triggers complaint and "
        "executive_complaint), against contacts taken up. A contact counts once.",
        numerator="contacts that complain",
        denominator="contacts taken up",
        events=("review.opened", "run.recorded"),
    ),
)
OF_ID: Final = {metric.id: metric for metric in METRICS}
OF_PEOPLE: Final = tuple(metric for metric in METRICS if metric.by_person)
