r"""The contact reason map: what contacts are about, who owns them and what they may do.

It is ``reasons.yaml`` of the workspace::

    version: 1
    reasons:
      - id: return_item
        name: Return an item
        description: The customer wants to send something back.
        owner: Returns team          # absent: nobody owns it, and its contacts go to review
        tier: allowed                # the mildest tier its contacts may have
        sla_minutes: 480
        policy: help/returns.md      # article that holds the policy
        macro: macros/return.md
        autonomy: review             # where the reason starts; people move it later
        required:
          - id: order_number
            name: Order number
            ask: Which order is it about? The number starts with ORD.
            pattern: '\bORD-\d{6}\b' # in a customer message, or
            field: order             # a key of the customer's fields
        examples:
          - How do I send this back?
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.vocabulary import Autonomy, Tier
from core.yamlfile import load_yaml
from graph.given import readings

_ID = r"^[a-z][a-z0-9_]*$"


class RequiredField(BaseModel):
    """Something that must be known before an answer can be drafted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=_ID)
    name: str = Field(min_length=1)
    ask: str = Field(min_length=1)
    pattern: str | None = None
    field: str | None = None

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value, re.IGNORECASE)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if self.pattern is None and self.field is None:
            raise ValueError("give a pattern, a field, or both: otherwise it is always missing")
        return self

    def found(self, messages: Sequence[str], fields: Mapping[str, str]) -> bool:
        """Whether a customer message or the customer's fields (under field or id) hold it."""
        keys = (self.id, self.field) if self.field is not None else (self.id,)
        if any(fields.get(key, "").strip() for key in keys):
            return True
        return self.pattern is not None and any(
            re.search(self.pattern, reading, re.IGNORECASE)
            for message in messages
            for reading in readings(message, self.name)
        )


class Reason(BaseModel):
    """One contact reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=_ID)
    name: str = Field(min_length=1)
    description: str = ""
    owner: str | None = None
    tier: Tier = "allowed"
    sla_minutes: int | None = Field(None, gt=0)
    policy: str | None = None
    macro: str | None = None
    autonomy: Autonomy = "review"
    required: tuple[RequiredField, ...] = ()
    examples: tuple[str, ...] = ()

    @field_validator("required")
    @classmethod
    def _unique(cls, value: tuple[RequiredField, ...]) -> tuple[RequiredField, ...]:
        _refuse_doubles([field.id for field in value])
        return value


class _ReasonsFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    reasons: tuple[Reason, ...] = ()

    @field_validator("reasons")
    @classmethod
    def _unique(cls, value: tuple[Reason, ...]) -> tuple[Reason, ...]:
        _refuse_doubles([reason.id for reason in value])
        return value


def _refuse_doubles(ids: list[str]) -> None:
    doubles = sorted({one for one in ids if ids.count(one) > 1})
    if doubles:
        raise ValueError(f"these ids stand twice, each must be unique: {', '.join(doubles)}")


class ReasonMap:
    """The contact reasons of a workspace, by id and in the order of the file."""

    def __init__(self, reasons: Sequence[Reason] = ()) -> None:
        self._by_id = {reason.id: reason for reason in reasons}

    @classmethod
    def load(cls, path: Path) -> ReasonMap:
        """Return the map in ``path``; an empty one when there is no such file.

        Raises:
            BadInput: The file does not hold a reason map; names line and field.
        """
        if not path.exists():
            return cls()
        return cls(load_yaml(path, _ReasonsFile).reasons)

    def __iter__(self) -> Iterator[Reason]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, reason_id: str | None) -> Reason | None:
        """Return the reason with ``reason_id``, or None."""
        return self._by_id.get(reason_id) if reason_id is not None else None

    def missing(
        self, reason_id: str | None, messages: Sequence[str], fields: Mapping[str, str]
    ) -> list[str]:
        """Return the ids of required fields that neither messages nor customer fields hold.

        Args:
            messages: The customer's messages.
            fields: What the desk knows of the customer, such as ``{"order": "ORD-123456"}``.
        """
        reason = self.get(reason_id)
        if reason is None:
            return []
        return [field.id for field in reason.required if not field.found(messages, fields)]

    def asks(self) -> list[str]:
        """Return every question that asks for a required field."""
        return [field.ask for reason in self for field in reason.required]

    def required_fields(self, ids: Sequence[str], owner: str | None) -> list[RequiredField]:
        """Return the fields with ``ids``, best from the one reason of ``owner`` that has them all."""
        wanted = list(ids)
        candidates = sorted(
            self,
            key=lambda reason: (
                -len({field.id for field in reason.required} & set(wanted)),
                reason.owner != owner,
            ),
        )
        found: dict[str, RequiredField] = {}
        for reason in candidates:
            for field in reason.required:
                if field.id in wanted:
                    found.setdefault(field.id, field)
        return [found[one] for one in wanted if one in found]
