from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BadInput
from desk.reason_check import Remark, check_map
from kb.workspace import Workspace
from retrieval.embeddings import HashEmbedder

GOOD = """version: 1
reasons:
  - id: delivery
    name: Delivery
    owner: Orders
    tier: allowed
    policy: help-center/shipping.md
    macro: where-is-it
    required:
      - {id: order, name: Order, ask: Which order, pattern: 'LB-\\d+'}
    examples:
      - where is my parcel
      - my parcel has not arrived
      - track the parcel
      - the parcel is late
      - parcel not moving
  - id: password
    name: Password
    owner: Accounts
    examples:
      - i forgot the password
      - reset my password
      - the password is refused
      - new password link
      - password not working
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name in ("articles/shipping.md", "macros/where-is-it.md"):
        file = tmp_path / name
        file.parent.mkdir()
        file.write_text("# Words\n\nWords.")
    return Workspace.load(tmp_path)


def remarks(workspace: Workspace, old: str = "", new: str = "") -> list[Remark]:
    assert old in GOOD
    file = workspace.reasons_file
    file.write_text(GOOD.replace(old, new, 1) if old else GOOD)
    return check_map(file, workspace, HashEmbedder())


def test_nothing_is_said_of_a_good_map(workspace: Workspace) -> None:
    assert remarks(workspace) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "level", "words"),
    [
        ("tier: allowed", "tier: alowed", 6, "error", "tier"),
        ("'LB-\\d+'", "'LB-('", 10, "error", "not a regular expression"),
        ("'LB-\\d+'", "'(LB)?'", 10, "error", "empty message"),
        (", pattern: 'LB-\\d+'", "", 10, "error", "pattern, a field"),
        ("id: password", "id: delivery", 17, "error", "line 3"),
        ("reset my password", "My parcel has NOT arrived!", 22, "error", "'delivery'"),
        ("reset my password", "i forgot the password", 22, "warning", "line 21"),
        ("macro: where-is-it", "macro: where-it-is", 8, "error", "no macro 'where-it-is'"),
        ("help-center/shipping.md", "help-center/ship.md", 7, "error", "no article"),
        ("help-center/shipping.md", "wiki/shipping.md", 7, "error", "no source 'wiki'"),
        ("owner: Accounts", "owner:", 19, "warning", "nobody owns it"),
        ("version: 1", "version: 2", 1, "error", "must be 1"),
        ("version: 1", "version: 1\nreason: []", 2, "error", "no such key"),
        ("name: Password", "nam: Password", 18, "error", "nam"),
    ],
)
def test_each_mistake_is_named_with_its_line(workspace, old, new, line, level, words) -> None:
    said = remarks(workspace, old, new)
    assert any(one.line == line and one.level == level and words in one.message for one in said), (
        said
    )


def test_every_mistake_is_told_at_once(workspace: Workspace) -> None:
    file = workspace.reasons_file
    file.write_text(
        GOOD.replace("tier: allowed", "tier: x").replace("owner: Accounts", "ownr: Accounts")
    )
    assert [one.line for one in check_map(file, workspace) if one.level == "error"] == [6, 19]


def test_reasons_that_customers_word_alike_are_named_together(workspace: Workspace) -> None:
    file = workspace.reasons_file
    file.write_text(
        GOOD
        + """  - id: parcel_gone
    name: Parcel gone
    owner: Orders
    examples:
      - where is the parcel
      - a parcel has not arrived
      - the parcel is not moving
      - parcel is late
      - track my parcel
"""
    )
    (said,) = check_map(file, workspace, HashEmbedder())
    assert (said.level, said.reason, said.line) == ("warning", "delivery", 3)
    assert "'parcel_gone'" in said.message


def test_few_examples_are_a_warning(workspace: Workspace) -> None:
    said = remarks(workspace, "      - new password link\n", "")
    assert [(one.level, one.line) for one in said] == [("warning", 20)]


@pytest.mark.parametrize(
    ("text", "words"),
    [("reasons: [", "not valid YAML"), ("a: 2026-13-45", "not valid YAML"), (None, "no such file")],
)
def test_what_is_no_map_at_all_is_refused(tmp_path, text, words) -> None:
    file = tmp_path / "reasons.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BadInput, match=words):
        check_map(file)


@pytest.mark.parametrize("text", ["", "[]", "words", "version: 1", "reasons: {}", "reasons: []"])
def test_a_file_without_reasons_is_an_error_not_a_crash(tmp_path, text) -> None:
    file = tmp_path / "reasons.yaml"
    file.write_text(text)
    assert [one.level for one in check_map(file)] == ["error"]


def test_an_entry_that_is_no_reason_is_named(tmp_path) -> None:
    file = tmp_path / "reasons.yaml"
    file.write_text("reasons:\n  - words\n  - 7\n")
    assert [one.line for one in check_map(file)] == [2, 3]


def test_the_shipped_map_has_no_error() -> None:
    sample = Path(__file__).resolve().parents[2] / "kb" / "sample"
    said = check_map(sample / "reasons.yaml", Workspace.load(sample))
    assert [one for one in said if one.level == "error"] == []
