"""The small model that weighs what an edit looks like: a weighted sum, shipped as numbers.

``kb/changes.json`` is written by ``kb/train_changes.py``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import ModelUnavailable
from kb.change_features import WordStats, features
from kb.edits import Edit

SHIPPED: Final = Path(__file__).parent / "changes.json"


@dataclass(frozen=True, slots=True)
class ChangeModel:
    """Weights over the features of an edit.

    Attributes:
        weights: Feature → what one unit of it adds to the score, in log odds.
        most: Feature → the most of it that counts: more was not seen in training.
        intercept: Log odds of an edit without any feature.
        threshold: The score from which on an edit counts as a change.
        words: How common words are in help centers.
    """

    weights: Mapping[str, float]
    most: Mapping[str, float]
    intercept: float
    threshold: float
    words: WordStats

    def score(self, edit: Edit) -> float:
        """Return how likely a reader is told something different, 0..1."""
        found = features(edit, self.words)
        odds = self.intercept + sum(
            weight * max(-self.most[name], min(self.most[name], found[name]))
            for name, weight in self.weights.items()
        )
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))

    def as_json(self) -> dict[str, Any]:
        """Return the model as plain JSON values."""
        return {
            "threshold": self.threshold,
            "intercept": self.intercept,
            "weights": dict(self.weights),
            "most": dict(self.most),
            "words": dict(self.words.common),
        }

    @classmethod
    def load(cls, path: Path = SHIPPED) -> ChangeModel:
        """Read a model.

        Raises:
            ModelUnavailable: The file is missing or is not a model.
        """
        try:
            data = json.loads(path.read_text("utf-8"))
            return cls(
                weights=data["weights"],
                most=data["most"],
                intercept=float(data["intercept"]),
                threshold=float(data["threshold"]),
                words=WordStats(data["words"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelUnavailable(
                f"{path} does not hold the weights for judging changes "
                f"({type(error).__name__}): write it again with `python -m kb.train_changes`"
            ) from error


def log_odds(scores: Sequence[float]) -> list[float]:
    """Return scores of 0..1 as log odds."""
    return [math.log(max(1e-6, s) / max(1e-6, 1 - s)) for s in scores]
