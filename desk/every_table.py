"""The tables of all modules, for those who need every one."""

from __future__ import annotations

from typing import Final

from core.database import Base
from desk import autonomy_models, metric_models, models, qa_models, task_models
from kb import models as kb_models
from retrieval import tables

DECLARED_IN: Final = (
    models,
    autonomy_models,
    metric_models,
    qa_models,
    task_models,
    kb_models,
    tables,
)
EVERY_TABLE: Final = Base.metadata
"""Whole once the modules above are imported."""
