r"""The tier rules: which words, meanings and fields make a contact need a person, and how soon.

A rule is data: ``tiers.yaml`` of the workspace, laid over the rules the product ships with
(``kb/sample/tiers.yaml``). A trigger the team's file names replaces the shipped one whole; the
others stay, so a short file never switches a safeguard off. The form::

    version: 1
    instructions:                 # the team's own words, shown on a handoff
      crisis: Stay with the person; call the crisis line at …
    ordinary:                     # everyday contacts that must fire nothing
      - What time do you open on Sundays?
    triggers:
      - id: legal_threat          # a fixed id, or one of the team's own
        tier: escalate_first      # a fixed id has its tier already
        description: The customer announces or prepares legal steps.
        phrases: [small claims court]          # whole words, case and spacing do not matter
        patterns: ['\bsue (you|this company)\b'] # regular expressions, case does not matter
        harmless_patterns: ['tennis court']    # words that no phrase or pattern may touch
        examples: [My solicitor will be in touch.]  # fires on what means the same …
        harmless: [Which court is free tonight?]    # … unless one of these is nearer
        threshold: 0.25           # 0..1, how sure the meaning must be; default 0.24 for
                                  # escalate_first, 0.25 for the others
        fields: ["customer.sla_due_in_minutes <= 0"]  # any one that holds fires
        said: anywhere            # or after_answer: only after an answer of the assistant
        settles: true             # false: stays even when the customer says it is settled
        drafts: ['\bwe guarantee\b']             # in a draft; these block its approval

A fixed id may be made more severe freely. To make it milder, say why in ``override: <reason>``;
``crisis`` and the forbidden ones cannot be made milder at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

import kb
from core.errors import BadInput
from core.identifiers import json_digest
from core.vocabulary import FORBIDDEN_TRIGGERS, TIER_OF_TRIGGER, TIERS, Tier
from core.yamlfile import load_yaml

FieldValue = str | float | int | None

_NEVER_MILDER = ("crisis", *FORBIDDEN_TRIGGERS)
_NEAR = 40  # characters before and after a number in which it may be called a card's or a bank's
_SAYS_CARD = re.compile(
    r"\b(?:cards?|visa|master ?card|amex|maestro|cvv|cvc|expir\w*|exp)\b", re.IGNORECASE
)
_SAYS_BANK = re.compile(
    r"\b(?:iban|bic|bank\w*|account (?:number|no|holder)|konto\w*)\b", re.IGNORECASE
)
_LIKE_AN_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_CONDITION = re.compile(r"^\s*([a-z_]+(?:\.[\w-]+)*)\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*$")
_PATHS = (
    "channel",
    "customer.status",
    "customer.sla_due_in_minutes",
    "classification.confidence",
    "classification.sentiment",
    "classification.language",
    "classification.reason",
    "reason.owner",
    "reason.tier",
)


_SURE_ENOUGH: Final = 0.25
_SURE_ENOUGH_TO_ESCALATE: Final = 0.24
"""About a quarter: what is missed costs three times what is looked at needlessly."""


def shipped_rules() -> Path:
    """Return the path of the rules the product ships with."""
    return Path(kb.__file__).parent / "sample" / "tiers.yaml"


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one field with a value, such as ``customer.status == vip``."""

    path: str
    operator: str
    value: FieldValue
    text: str

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Return the condition ``text`` says. Raises ValueError."""
        hit = _CONDITION.match(text)
        if not hit:
            raise ValueError(f"{text!r} is not `field operator value`")
        path, operator, raw = hit.groups()
        if path not in _PATHS and not path.startswith("customer.fields."):
            raise ValueError(
                f"{path!r} is no field; there are {', '.join(_PATHS)}, customer.fields.<key>"
            )
        value: FieldValue = raw.strip("'\"")
        if raw.lower() in ("none", "null"):
            value = None
        elif re.fullmatch(r"-?\d+(?:\.\d+)?", raw):
            value = float(raw)
        if operator not in ("==", "!=") and not isinstance(value, float):
            raise ValueError(f"{operator!r} compares numbers, and {raw!r} is none")
        return cls(path, operator, value, text)

    def holds(self, fields: Mapping[str, FieldValue]) -> bool:
        """Whether it holds for ``fields``. An unknown value is neither more nor less than any.

        Raises:
            ValueError: The field holds words where a number is compared.
        """
        actual = fields.get(self.path)
        expected = self.value
        if isinstance(expected, float) and actual is not None:
            actual = float(actual)
        elif isinstance(expected, str) and isinstance(actual, str):
            actual, expected = actual.casefold(), expected.casefold()
        if self.operator == "==":
            return actual == expected
        if self.operator == "!=":
            return actual != expected
        if actual is None or not isinstance(expected, float):
            return False
        number = float(actual)
        if self.operator == "<":
            return number < expected
        if self.operator == "<=":
            return number <= expected
        if self.operator == ">":
            return number > expected
        return number >= expected


def _as_pattern(phrase: str) -> str:
    words = phrase.split()
    body = r"\s+".join(re.escape(word).replace("'", "['’]?") for word in words)
    return rf"(?<!\w){body}(?!\w)"


@lru_cache(maxsize=256)  # every rule asks for the same few messages
def _folded(text: str) -> str:
    return " ".join(text.lower().replace("'", "").replace("’", "").split())


def _join(patterns: Sequence[str]) -> re.Pattern[str] | None:
    if not patterns:
        return None
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.IGNORECASE)


class Rule(BaseModel):
    """One trigger's rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    tier: Tier
    description: str = Field(min_length=1)
    phrases: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    harmless_patterns: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    drafts: tuple[str, ...] = ()
    threshold: float | None = Field(None, gt=0, lt=1)
    said: Literal["anywhere", "after_answer"] = "anywhere"
    settles: bool | Literal["when_solved"] = True
    override: str | None = Field(None, min_length=10)

    @model_validator(mode="before")
    @classmethod
    def _fixed_tier(cls, value: object) -> object:
        if isinstance(value, dict) and "tier" not in value and value.get("id") in TIER_OF_TRIGGER:
            return {**value, "tier": TIER_OF_TRIGGER[str(value["id"])]}
        return value

    @field_validator("patterns", "harmless_patterns", "drafts")
    @classmethod
    def _compile(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                re.compile(one, re.IGNORECASE)
            except re.error as error:
                raise ValueError(f"{one!r} is not a regular expression: {error}") from None
        return value

    @field_validator("fields")
    @classmethod
    def _parse(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            Condition.parse(one)
        return value

    @model_validator(mode="after")
    def _not_milder(self) -> Self:
        fixed = TIER_OF_TRIGGER.get(self.id)
        if fixed is None or TIERS.index(self.tier) >= TIERS.index(fixed):
            return self
        if self.id in _NEVER_MILDER:
            raise ValueError(f"{self.id} is {fixed} and cannot be made milder")
        if self.override is None:
            raise ValueError(
                f"{self.id} is {fixed}; to make it {self.tier}, say why in `override: …`"
            )
        return self

    @cached_property
    def version(self) -> str:
        """A short digest of the rule: changes whenever the rule does."""
        return json_digest(self.model_dump(mode="json"))[:8]

    @cached_property
    def _phrases(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """Each phrase as it stands in a folded text, and where exactly that is."""
        return tuple(
            (_folded(one), re.compile(_as_pattern(one), re.IGNORECASE)) for one in self.phrases
        )

    @cached_property
    def _any_pattern(self) -> re.Pattern[str] | None:
        return _join(self.patterns)

    def _alarming(self, text: str) -> list[re.Match[str]]:
        """Return where a phrase or a pattern is in ``text``, in order."""
        found = list(self._any_pattern.finditer(text)) if self._any_pattern else []
        # Forty patterns take long, and hardly any of them is there.
        folded = _folded(text)
        for phrase, pattern in self._phrases:
            if phrase in folded:
                found += pattern.finditer(text)
        return sorted((hit for hit in found if hit.group()), key=lambda hit: hit.span())

    @cached_property
    def harmless_words(self) -> re.Pattern[str] | None:
        """Words that no phrase or pattern may touch, or None."""
        return _join(self.harmless_patterns)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The field conditions."""
        return tuple(Condition.parse(one) for one in self.fields)

    @property
    def sure_enough(self) -> float:
        """The probability from which the meaning fires."""
        if self.threshold is not None:
            return self.threshold
        return _SURE_ENOUGH_TO_ESCALATE if self.tier == "escalate_first" else _SURE_ENOUGH

    def name(self, part: str) -> str:
        """Return how a firing names this rule, such as ``tiers.yaml:fraud/words@3f2a91bc``."""
        return f"tiers.yaml:{self.id}/{part}@{self.version}"

    def word_hits(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the ``(start, end)`` of words in ``text`` that fire, in order."""
        alarming = self._alarming(text)
        harmless = self.harmless_words if alarming else None
        safe = [hit.span() for hit in harmless.finditer(text)] if harmless else []
        for hit in alarming:
            if not any(start < hit.end() and hit.start() < end for start, end in safe):
                around = text[max(0, hit.start() - _NEAR) : hit.end() + _NEAR]
                if not some_other_number(hit.group(), around):
                    yield hit.span()


def some_other_number(text: str, around: str) -> bool:
    """Whether ``text`` only looks like the number of a card or a bank account.

    Order numbers and serial numbers come as long. What tells them apart are the check digits,
    which one in ten of the former and one in a hundred of the latter has by chance, and that the
    customer calls them something else.

    Args:
        text: What a pattern found.
        around: The same with what stands near it.
    """
    from stdnum import iban, luhn

    number = re.sub(r"[\s-]", "", text)
    if number.isdecimal() and 13 <= len(number) <= 19:
        return not (luhn.is_valid(number) or _SAYS_CARD.search(around))
    if _LIKE_AN_IBAN.fullmatch(number):
        return not (iban.is_valid(number) or _SAYS_BANK.search(around))
    return False


class _TiersFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    instructions: dict[str, str] = Field(default_factory=dict)
    ordinary: tuple[str, ...] = ()
    triggers: tuple[Rule, ...] = ()

    @field_validator("triggers")
    @classmethod
    def _unique(cls, value: tuple[Rule, ...]) -> tuple[Rule, ...]:
        ids = [rule.id for rule in value]
        doubles = sorted({one for one in ids if ids.count(one) > 1})
        if doubles:
            raise ValueError(f"these ids stand twice, each must be unique: {', '.join(doubles)}")
        return value


class TierRules:
    """The rules in force for a workspace.

    Attributes:
        rules: Every rule, the most severe tier first.
        instructions: Trigger id → the team's own words for a handoff.
        ordinary: Everyday contacts that must fire nothing.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        instructions: Mapping[str, str] | None = None,
        ordinary: Sequence[str] = (),
    ) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: -TIERS.index(rule.tier)))
        self.instructions = dict(instructions or {})
        self.ordinary = tuple(ordinary)

    @classmethod
    def load(cls, path: Path | None, default: Path | None = None) -> TierRules:
        """Return the rules of ``path`` laid over those of ``default``.

        Args:
            path: The workspace's file; None or a missing one leaves the default.
            default: Default: the rules the product ships with.

        Raises:
            BadInput: A file does not hold tier rules (names line and field), or no rule stands
                for one of the fixed triggers.
        """
        base_path = default or shipped_rules()
        base = load_yaml(base_path, _TiersFile)
        team = load_yaml(path, _TiersFile) if path is not None and path.exists() else _TiersFile()
        by_id = {rule.id: rule for rule in (*base.triggers, *team.triggers)}
        absent = [one for one in TIER_OF_TRIGGER if one not in by_id]
        if absent:
            raise BadInput(
                f"{base_path}: no rule for {', '.join(absent)}; every trigger needs one."
            )
        return cls(
            tuple(by_id.values()),
            {**base.instructions, **team.instructions},
            tuple(dict.fromkeys((*base.ordinary, *team.ordinary))),
        )

    def get(self, trigger: str) -> Rule | None:
        """Return the rule of ``trigger``, or None."""
        return next((rule for rule in self.rules if rule.id == trigger), None)

    def patterns_for_drafts(self) -> dict[str, tuple[re.Pattern[str], ...]]:
        """Return trigger id → compiled patterns that no approved draft may contain."""
        return {
            rule.id: tuple(re.compile(one, re.IGNORECASE) for one in rule.drafts)
            for rule in self.rules
            if rule.drafts
        }

    def name_of(self, trigger: str, part: str) -> str:
        """Return how a firing names the rule of ``trigger``: file, part and version."""
        rule = self.get(trigger)
        return rule.name(part) if rule else f"tiers.yaml:{trigger}/{part}@none"
