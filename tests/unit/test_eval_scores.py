"""What all suites share: calibration, tables by kind, files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import BadInput
from evals.files import read_text, spread, write_rows
from evals.report import CurveWords, curve_table
from evals.scores import CurvePoint, calibration_error, f1, reliability


def test_reliability_holds_what_confidences_came_to():
    judged = [(0.05, False), (0.15, True), (0.95, True), (0.85, False), (1.0, True)]
    bins = reliability(judged, bins=2)
    assert [(one.low, one.high, one.right, one.n) for one in bins] == [
        (0.0, 0.5, 1, 2),
        (0.5, 1.0, 2, 3),
    ]
    assert [one.confidence for one in bins] == pytest.approx([0.1, 2.8 / 3])
    # (|0.2 - 1| + |2.8 - 2|) / 5
    assert calibration_error(bins).value == pytest.approx(0.32)


def test_who_is_always_right_and_sure_is_calibrated():
    assert calibration_error(reliability([(1.0, True), (0.0, False)])).value == 0.0


def test_without_cases_there_is_no_error():
    assert calibration_error([]).value is None


def test_an_f_score_needs_something_to_be_found():
    assert f1(1, 2, 2) == 0.5
    assert f1(0, 0, 3) is None


def test_a_curve_over_confidence_shows_the_confidence_and_not_the_doubt():
    words = CurveWords("", "", "", ("a", "b", "c"), of_confidence=True)
    table = curve_table(words, [CurvePoint(0.25, 0.5, 0.1), CurvePoint(1.0, 1.0, 0.2)])
    assert list(table.rows) == [("50%", "0.750", "10.0%"), ("100%", "0.000", "20.0%")]


def test_some_of_many_are_spread_evenly():
    assert spread([0, 1, 2, 3, 4, 5], 3) == [0, 2, 4]
    assert spread([0, 1], None) == spread([0, 1], 5) == [0, 1]


def test_what_cannot_be_written_is_said_and_nothing_is_left(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        write_rows(tmp_path / "file" / "out.jsonl", [{"a": 1}])
    write_rows(tmp_path / "out.jsonl", [{"a": "ü"}])
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {"a": "ü"}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "out.jsonl"]


def test_a_folder_and_bytes_are_no_text(tmp_path: Path):
    with pytest.raises(BadInput, match="is a folder"):
        read_text(tmp_path)
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="not UTF-8 at byte 0"):
        read_text(tmp_path / "x")
