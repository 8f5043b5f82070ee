"""Gates: the least or the most that a figure of a report may be, so that CI fails on regression.

A gate file is YAML (JSON is YAML too)::

    suite: stale
    figures:
      diff.recall: {minimum: 0.97}
      diff.false_alarms: {maximum: 0.35}
      diff.recall.duration: {minimum: 1.0, optional: true}

A figure that could not be measured fails its gate, unless the gate is ``optional``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import BadInput
from core.yamlfile import load_yaml
from evals.scores import Figure

_SLACK = 1e-9  # a figure that equals its gate but for rounding holds


class Bound(BaseModel):
    """What one figure must keep to.

    Attributes:
        minimum: It may not be lower.
        maximum: It may not be higher.
        optional: The gate holds where the data has no case that the figure is about.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise ValueError("a gate needs a minimum or a maximum")
        return self


class Gate(BaseModel):
    """A gate file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str
    figures: dict[str, Bound] = Field(min_length=1)


def read_gate(path: Path, suite: str) -> Gate:
    """Return the gate in ``path``.

    Raises:
        BadInput: The file is missing, is no gate, or is one of another suite.
    """
    gate = load_yaml(path, Gate)
    if gate.suite != suite:
        raise BadInput(f"{path}: suite: this gate is for {gate.suite!r}, not for {suite!r}.")
    return gate


def failures(gate: Gate, figures: Mapping[str, Figure]) -> list[str]:
    """Return one plain sentence for every gate that does not hold; none when all do."""
    said: list[str] = []
    for name, bound in gate.figures.items():
        figure = figures.get(name)
        if figure is None or figure.value is None:
            if not bound.optional:
                said.append(f"{name} could not be measured: the data has no labelled case for it.")
            continue
        counted = f" ({figure.hits} of {figure.n})" if figure.hits is not None else ""
        stands = f"{name} is {figure.value:.3f}{counted}"
        if bound.minimum is not None and figure.value < bound.minimum - _SLACK:
            said.append(f"{stands}; the gate asks for at least {bound.minimum:g}.")
        if bound.maximum is not None and figure.value > bound.maximum + _SLACK:
            said.append(f"{stands}; the gate allows at most {bound.maximum:g}.")
    return said
