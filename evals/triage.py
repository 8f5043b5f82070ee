"""Scores triage against what a careful supervisor expects.

Cases are JSONL, one object a line: ``id``, ``channel``, ``customer`` (``status``,
``sla_due_in_minutes``), ``messages`` (``role``, ``text``), ``expected`` (``tier``, ``triggers``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadInput
from core.vocabulary import TIERS, Channel, Speaker, Tier, most_severe
from graph.values import Conversation, Triage, TriggerFiring

WORKSPACE_TRIGGERS: Final = frozenset(
    {"low_confidence", "source_missing", "unclear_owner", "policy_exception"}
)
"""Triggers that depend on a workspace's own reasons and articles, which a case file cannot know."""


class _Message(BaseModel):
    role: Speaker
    text: str


class _Customer(BaseModel):
    status: Literal["standard", "vip"] = "standard"
    sla_due_in_minutes: int | None = None


class _Expected(BaseModel):
    tier: Tier
    triggers: tuple[str, ...] = ()


class TriageCase(BaseModel):
    """One case of a triage file."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(min_length=1)
    channel: Channel
    customer: _Customer = _Customer()
    messages: tuple[_Message, ...] = Field(min_length=1)
    expected: _Expected
    note: str = ""

    def conversation(self) -> Conversation:
        """Return the case as a run would see it."""
        return {
            "contact_id": self.id,
            "channel": self.channel,
            "subject": "",
            "customer": {
                "status": self.customer.status,
                "sla_due_in_minutes": self.customer.sla_due_in_minutes,
                "name": "",
                "fields": {},
            },
            "turns": [
                {"id": f"{self.id}-{at}", "speaker": one.role, "text": one.text, "at": ""}
                for at, one in enumerate(self.messages)
            ],
        }


class Verdict(TypedDict):
    """What triage made of one case."""

    id: str
    tier: Tier
    triggers: list[str]


class TriggerScore(TypedDict):
    """How one trigger did; rates are None where nothing was there to find or fired."""

    expected: int
    fired: int
    right: int
    precision: float | None
    recall: float | None
    f1: float


class Miss(TypedDict):
    """A case whose tier or triggers differ from the expected ones."""

    id: str
    expected_tier: Tier
    tier: Tier
    missed: list[str]
    extra: list[str]


class TriageReport(TypedDict):
    """The outcome of the suite.

    ``confusion`` is expected tier → given tier → count. ``escalated`` and ``leaked`` are the shares
    of escalate-first cases that were escalated and that were given ``allowed``; ``kept`` is the
    share of allowed cases that stayed allowed; ``needless`` the share of all others that were
    escalated. None where the file holds no such case. ``intervals`` holds their 95 % intervals.
    """

    cases: int
    confusion: dict[str, dict[str, int]]
    escalated: float | None
    leaked: float | None
    kept: float | None
    needless: float | None
    intervals: dict[str, tuple[float, float]]
    macro_f1: float | None
    triggers: dict[str, TriggerScore]
    misses: list[Miss]


def read_cases(path: Path) -> list[TriageCase]:
    """Return the cases of a JSONL file.

    Raises:
        BadInput: The file is missing or a line is no case; names the line and the field.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file.") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    cases: list[TriageCase] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            case = TriageCase.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "the line"
            raise BadInput(f"{path}:{number}: {field}: {first['msg']}.") from None
        if case.id in seen:
            raise BadInput(f"{path}:{number}: id: {case.id!r} stands twice; ids must be unique.")
        seen.add(case.id)
        cases.append(case)
    if not cases:
        raise BadInput(f"{path}: holds no case; write one JSON object a line.")
    return cases


def _depends_on_workspace(firing: TriggerFiring) -> bool:
    if firing["id"].startswith("reason:"):
        return True
    # A doubt about an escalation comes from the message alone, and holds the contact back.
    return firing["id"] in WORKSPACE_TRIGGERS and "/unsure@" not in firing["by"]


def verdict_of(case_id: str, triage: Triage) -> Verdict:
    """Return a triage as the verdict of a case, without what depends on the workspace."""
    left = [firing for firing in triage["triggers"] if not _depends_on_workspace(firing)]
    return {
        "id": case_id,
        "tier": most_severe([firing["tier"] for firing in left]),
        "triggers": [firing["id"] for firing in left],
    }


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of ``part`` of ``whole``; ``(0, 1)`` for nothing."""
    if not whole:
        return 0.0, 1.0
    z = 1.96
    share = part / whole
    middle = share + z * z / (2 * whole)
    spread = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    scale = 1 + z * z / whole
    return round(max(0.0, (middle - spread) / scale), 4), round(
        min(1.0, (middle + spread) / scale), 4
    )


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _held(row: dict[str, int]) -> int:
    return row["escalate_first"] + row["forbidden"]


def _trigger_score(expected: int, fired: int, right: int) -> TriggerScore:
    return {
        "expected": expected,
        "fired": fired,
        "right": right,
        "precision": _ratio(right, fired),
        "recall": _ratio(right, expected),
        "f1": round(2 * right / (expected + fired), 4) if expected + fired else 0.0,
    }


def score(
    cases: Sequence[TriageCase],
    verdicts: Iterable[Verdict],
    *,
    ignore: frozenset[str] = WORKSPACE_TRIGGERS,
) -> TriageReport:
    """Return how ``verdicts`` compare with what ``cases`` expect; plain JSON.

    Args:
        ignore: Triggers left out of the scores of triggers. Default: those that depend on a
            workspace's own reasons and articles.

    Raises:
        BadInput: A case has no verdict.
    """
    given = {verdict["id"]: verdict for verdict in verdicts}
    absent = [case.id for case in cases if case.id not in given]
    if absent:
        raise BadInput(f"No verdict for {len(absent)} cases, the first is {absent[0]}.")
    confusion: dict[str, dict[str, int]] = {tier: dict.fromkeys(TIERS, 0) for tier in TIERS}
    counts: dict[str, list[int]] = {}
    misses: list[Miss] = []
    for case in cases:
        verdict = given[case.id]
        expected = set(case.expected.triggers) - ignore
        fired = set(verdict["triggers"]) - ignore
        confusion[case.expected.tier][verdict["tier"]] += 1
        for trigger in expected | fired:
            count = counts.setdefault(trigger, [0, 0, 0])
            count[0] += trigger in expected
            count[1] += trigger in fired
            count[2] += trigger in expected and trigger in fired
        if expected != fired or case.expected.tier != verdict["tier"]:
            misses.append(
                {
                    "id": case.id,
                    "expected_tier": case.expected.tier,
                    "tier": verdict["tier"],
                    "missed": sorted(expected - fired),
                    "extra": sorted(fired - expected),
                }
            )
    triggers = {name: _trigger_score(*counts[name]) for name in sorted(counts)}
    # Triggers that no case expects have no recall: their misfires show in precision and tiers.
    expected_ones = [each["f1"] for each in triggers.values() if each["expected"]]
    severe, mild = confusion["escalate_first"], confusion["allowed"]
    others = [row for tier, row in confusion.items() if tier != "escalate_first"]
    parts = {
        "escalated": (_held(severe), sum(severe.values())),
        "leaked": (severe["allowed"], sum(severe.values())),
        "kept": (mild["allowed"], sum(mild.values())),
        "needless": (sum(map(_held, others)), sum(sum(row.values()) for row in others)),
    }
    return {
        "cases": len(cases),
        "confusion": {tier: row for tier, row in confusion.items() if sum(row.values())},
        "escalated": _ratio(*parts["escalated"]),
        "leaked": _ratio(*parts["leaked"]),
        "kept": _ratio(*parts["kept"]),
        "needless": _ratio(*parts["needless"]),
        "intervals": {name: wilson(*part) for name, part in parts.items()},
        "macro_f1": round(sum(expected_ones) / len(expected_ones), 4) if expected_ones else None,
        "triggers": triggers,
        "misses": misses,
    }


def report_text(report: TriageReport) -> str:
    """Return a report as a person reads it, without the misses."""
    lines = [f"{report['cases']} cases"]
    for key, words in (
        ("escalated", "escalate-first cases escalated"),
        ("leaked", "escalate-first cases given allowed"),
        ("kept", "allowed cases kept allowed"),
        ("needless", "other cases escalated"),
        ("macro_f1", "macro-F1 over triggers"),
    ):
        value: Any = report[key]  # type: ignore[literal-required]
        line = f"{words}: {'—' if value is None else format(value, '.3f')}"
        if value is not None and key in report["intervals"]:
            low, high = report["intervals"][key]
            line += f" ({low:.3f} to {high:.3f})"
        lines.append(line)
    width = max((len(name) for name in report["triggers"]), default=0)
    for name, each in sorted(report["triggers"].items(), key=lambda item: item[1]["f1"]):
        lines.append(
            f"{name:<{width}}  F1 {each['f1']:.2f}  expected {each['expected']:>3}"
            f"  fired {each['fired']:>3}  right {each['right']:>3}"
        )
    return "\n".join(lines)


def report_json(report: TriageReport) -> str:
    """Return a report as JSON with stable keys."""
    return json.dumps(report, ensure_ascii=False, indent=2, sort_keys=True)
