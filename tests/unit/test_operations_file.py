from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BadInput
from desk.operations_file import OperationsFile, load_operations
from desk.sample import SAMPLE
from graph.reasons import ReasonMap


def test_without_the_file_the_defaults_apply(tmp_path: Path) -> None:
    assert load_operations(tmp_path / "operations.yaml") == OperationsFile()


def test_a_reason_may_have_a_limit_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "operations.yaml"
    path.write_text("autonomy:\n  error_limit: 0.03\n  limits:\n    refunds: 0.01\n")
    asked = load_operations(path).autonomy
    assert (asked.limit_of("refunds"), asked.limit_of("shipping")) == (0.01, 0.03)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("autonomy:\n  eror_limit: 0.03\n", r"operations\.yaml:2: autonomy\.eror_limit"),
        ("autonomy:\n  least_answers: 5\n  error_limit: 5\n", r"operations\.yaml:3: .*less than 1"),
        ("autonomy:\n  limits:\n    refunds: none\n", r"operations\.yaml:3: .*number"),
        ("autonom: {}\n", r"operations\.yaml:1: autonom"),
        ("version: 2\n", r"operations\.yaml:1: version"),
        ("version: 1\ntime_zone: Berlin\n", r"operations\.yaml:2: time_zone: .*Europe/Berlin"),
        ("time_zone: ../etc/passwd\n", r"operations\.yaml:1: time_zone: .*Europe/Berlin"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "operations.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=said):
        load_operations(path)


def test_the_sample_sets_limits_for_reasons_that_it_has() -> None:
    asked = load_operations(SAMPLE / "operations.yaml").autonomy
    known = {reason.id for reason in ReasonMap.load(SAMPLE / "reasons.yaml")}
    assert asked.limits
    assert set(asked.limits) <= known
