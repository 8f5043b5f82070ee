"""How a contact reason earns autonomy: a sequential test, and what it still lacks. Pure.

The test bets against "the mean loss is at least the limit m". Of each loss X in [0, 1], whoever bets
the share λ has 1 + λ(m - X) of their money afterwards. Some bet constant shares, and their money
together is the e-value: see :data:`STAKES`. Under the null it multiplies by 20 in at most one
case of 20, whenever one looks (Ville), so a reason may be proposed as soon as it exceeds 1/α.

What "the null" covers: all sequences, of whatever dependence and order, in which the average of the
conditional means so far is at least m at the moment of looking. Each factor is at most
(1 + λ(m - X)) / (1 + λ(m - μ)) times 1 + λ(m - μ); the first kind multiply to a martingale, the
second kind to at most (1 + λ(m - average of μ))^n by the inequality of the means. So losses that
drift from worse to better are covered as long as their average is not below m. A reason that is
truly better at first and worse later is not wrongly proposed while its average is below m; that it
got worse is for the demotion to notice.

Constant shares also make the e-value independent of the order of what is known: an answer whose
customer comes back later has its loss changed where it stands.

The method is that of Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting" (2024); time-uniform bounds: Howard, Ramdas, McAuliffe and Sekhon (2021).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from core.vocabulary import Tier
from kb.facts import VALUE_KINDS, extract_facts
from kb.sentences import split_sentences

STAKES: Final[tuple[tuple[float, float], ...]] = ((1.0, 0.3), (0.9, 0.15), (0.5, 0.4), (0.0, 0.15))
"""(share of the highest stake 1/(1 - m), share of the money that is bet so).

The highest stake is the fastest while nothing goes wrong and loses all with the first loss of 1;
half of it is what earns most where the truth is half the limit; the one between is for a reason
that is much better than that and not without error. The rest is never bet: it costs three answers
and keeps the share that is wrongly proposed clear of what is allowed.
"""
_WORD: Final = re.compile(r"\w+(?:[.,:]\d+)*")
_FAR: Final = 100_000
_LATEST_CHECKS: Final = 20
"""How many seeded checks back tell whether somebody still reads what they approve."""
_SAME_STATEMENT: Final = 0.2
"""Up to this distance (0..1) two sentences, without what allows or denies, state one thing."""


def log_e_values(
    losses: Sequence[float] | NDArray[np.float64], limit: float
) -> NDArray[np.float64]:
    """Return the natural logarithm of the e-value after each loss.

    Args:
        losses: Each from 0 to 1, along the last axis.
        limit: Mean loss that the null says is reached, between 0 and 1.

    Returns:
        As many values as there are losses, of the same shape.
    """
    found = np.asarray(losses, dtype=np.float64)
    total = np.full(found.shape, -np.inf)
    for stake, weight in STAKES:
        share = stake / (1 - limit)
        with np.errstate(divide="ignore"):  # the highest stake may lose everything
            money = np.cumsum(np.log(np.maximum(1 + share * (limit - found), 0.0)), axis=-1)
        total = np.logaddexp(total, money + math.log(weight))
    return total


def e_value(losses: Sequence[float], limit: float) -> float:
    """Return the e-value after all ``losses``; 1 before the first."""
    return math.exp(min(700.0, float(log_e_values(losses, limit)[-1]))) if len(losses) else 1.0


def clean_answers_to(losses: Sequence[float], limit: float, error: float) -> int:
    """Return how many further losses of 0 would lift the e-value to 1/``error``; 0 when it is there."""
    start = []
    for stake, weight in STAKES:
        share = stake / (1 - limit)
        left = [max(1 + share * (limit - loss), 0.0) for loss in losses]
        if all(left):
            grown = math.log1p(share * limit)
            start.append((math.log(weight) + sum(math.log(one) for one in left), grown))
    wanted = -math.log(error)

    def reached(count: int) -> bool:
        return float(np.logaddexp.reduce([have + count * by for have, by in start])) >= wanted

    low, high = 0, 1
    if reached(0):
        return 0
    while not reached(high):
        low, high = high, high * 2
        if high > _FAR:
            return _FAR
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def loss_of_edit(drafted: str, sent: str) -> float:
    """Return how bad a draft was, judged by what a person made of it, from 0 to 1.

    The share of its words that were not kept; 1 when it stated a value (an amount, a duration, a
    date …) that the answer no longer states, or allowed what the answer denies or the other way
    round, since somebody would have acted on it. What was only added counts by the share of the
    longer text that it is.
    """
    kept = {(fact.kind, fact.value) for fact in extract_facts(sent) if fact.kind in VALUE_KINDS}
    told = {(fact.kind, fact.value) for fact in extract_facts(drafted) if fact.kind in VALUE_KINDS}
    if told - kept or _is_reversed(drafted, sent):
        return 1.0
    return float(LCSseq.normalized_distance(_words(drafted), _words(sent)))


def _is_reversed(drafted: str, sent: str) -> bool:
    """Tell whether a sentence says with almost the same words what another denies."""
    ours, theirs = ([_statement(*span, text) for span in split_sentences(text)]
                    for text in (drafted, sent))  # fmt: skip
    return any(
        denies != denied and LCSseq.normalized_distance(said, other) <= _SAME_STATEMENT
        for said, denies in ours
        for other, denied in theirs
        if said and other
    )


def _statement(start: int, end: int, text: str) -> tuple[list[str], bool]:
    """Return the words of a sentence without those that allow or deny, and whether it denies."""
    sentence = text[start:end]
    facts = extract_facts(sentence, names=False)
    polar = [fact for fact in facts if fact.kind in ("permission", "negation")]
    rest = sentence
    for fact in polar:
        rest = f"{rest[: fact.start]}{' ' * (fact.end - fact.start)}{rest[fact.end :]}"
    return _words(rest), any(fact.value.endswith("not") for fact in polar)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of a contact reason; see ``desk.operations_file.AutonomySection``.

    ``seeded_run`` says whether the team has seeded checks at all.
    """

    limit: float
    error_of_test: float
    least_answers: int
    seeded_miss_limit: float
    seeded_each: int
    seeded_run: bool = True


@dataclass(frozen=True, slots=True)
class Approver:
    """Somebody whose approvals may count.

    Attributes:
        answers: How many clean approvals of the reason they gave.
        checks: The seeded checks they met, 0 for caught and 1 for missed, in order.
    """

    name: str
    answers: int
    checks: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a contact reason since its evidence began.

    Attributes:
        losses: Of the answers that count, in order.
        waiting: Good answers that are too young to count.
        approvers: Whose approvals are among them.
        flagged: Titles of sources that its answers rest on and that are flagged.
        tier: What the reason map says of its contacts: only of the lowest tier any leaves.
    """

    losses: tuple[float, ...]
    waiting: int = 0
    approvers: tuple[Approver, ...] = ()
    flagged: tuple[str, ...] = ()
    tier: Tier = "allowed"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a record shows.

    Attributes:
        answers: How many answers count.
        loss: The sum of their losses.
        e_value: How strongly they speak against "the limit is reached"; promotion needs ``wanted``.
        progress: The way from 0 to what promotion needs, from 0 to 1.
        missing: What is missing before it may be proposed, a sentence each; empty when nothing is.
        notes: What does not count (yet), a sentence each.
        limit: Mean loss that was tested; 0 where nobody wrote it down.
    """

    answers: int
    loss: float
    e_value: float
    wanted: float
    progress: float
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    limit: float = 0.0

    @property
    def eligible(self) -> bool:
        """Whether the reason may be proposed."""
        return not self.missing


def counts(approver: Approver, demands: Demands) -> bool:
    """Tell whether somebody's clean approvals count: they meet checks and still catch most."""
    latest = approver.checks[-_LATEST_CHECKS:]
    if len(latest) < demands.seeded_each:
        return False
    return sum(latest) <= demands.seeded_miss_limit * len(latest)


def standing_of(record: Record, demands: Demands) -> Standing:
    """Return what ``record`` shows, and what it lacks."""
    found = e_value(record.losses, demands.limit)
    wanted = 1 / demands.error_of_test
    return Standing(
        answers=len(record.losses),
        loss=sum(record.losses),
        e_value=found,
        wanted=wanted,
        progress=min(1.0, max(0.0, math.log(max(found, 1.0)) / math.log(wanted))),
        missing=tuple(_missing(record, demands)),
        notes=tuple(_notes(record, demands)),
        limit=demands.limit,
    )


def _missing(record: Record, demands: Demands) -> list[str]:
    said = []
    if record.tier != "allowed":
        said.append("The reason map has a person look at every contact of its tier.")
    read, wrong = len(record.losses), sum(record.losses)
    clean = clean_answers_to(record.losses, demands.limit, demands.error_of_test)
    if clean and wrong:
        said.append(
            f"{'' if wrong == int(wrong) else 'The equivalent of '}{wrong:.3g} of "
            f"{_count(read, 'answer')} went wrong; {clean} more approved as drafted make up for it."
        )
    elif clean:
        said.append(
            f"{_count(clean, 'more answer')} approved as drafted would show under "
            f"{100 * demands.limit:g} % wrong."
        )
    if (lacks := demands.least_answers - read) > clean:
        said.append(f"At least {demands.least_answers} answers must have been read; {lacks} lack.")
    if checks := _missing_checks(record.approvers, demands):
        said.append(checks)
    if record.flagged:
        said.append(f"A source it rests on is flagged: {', '.join(record.flagged[:3])}.")
    return said


def _missing_checks(approvers: Sequence[Approver], demands: Demands) -> str:
    checks = [check for one in approvers if counts(one, demands) for check in one.checks]
    lacks = clean_answers_to(checks, demands.seeded_miss_limit, demands.error_of_test)
    if not lacks:
        return ""
    caught = len(checks) - int(sum(checks))
    if not demands.seeded_run and not checks:
        return (
            "Nobody meets seeded checks, so nobody knows whether approvals mean something: set "
            "seeded.rate in operations.yaml."
        )
    return (
        f"Those whose approvals count caught {caught} of {_count(len(checks), 'seeded check')}; "
        f"{lacks} more caught would show that they catch over {1 - demands.seeded_miss_limit:.0%}."
    )


def _notes(record: Record, demands: Demands) -> list[str]:
    said = []
    if record.waiting:
        said.append(
            f"{_count(record.waiting, 'good answer')} will count once the customer has had time to "
            "come back."
        )
    for one in record.approvers:
        if counts(one, demands):
            continue
        latest = one.checks[-_LATEST_CHECKS:]
        met, missed = len(latest), int(sum(latest))
        their = "their last " if len(one.checks) > met else ""
        verb = "does" if one.answers == 1 else "do"
        given = f"{_count(one.answers, 'approval')} of {one.name} {verb} not count"
        said.append(
            f"{given} yet: they met {met} of {demands.seeded_each} seeded checks."
            if met < demands.seeded_each
            else f"{given}: they missed {missed} of {their}{_count(met, 'seeded check')}."
        )
    return said


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
