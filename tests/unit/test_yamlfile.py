from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from core.errors import BadInput
from core.yamlfile import load_yaml


class Entry(BaseModel):
    name: str
    days: int


class Config(BaseModel):
    entries: list[Entry]


def test_a_valid_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("entries:\n  - name: a\n    days: 3\n")
    assert load_yaml(file, Config).entries[0].days == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("entries:\n  - name: a\n    days: soon\n", r":3: entries\.0\.days: Input should be"),
        ("entries:\n  - name: a\n    days: 1\n  - name: b\n", r":4: entries\.1\.days: Field req"),
        ("entries:\n  - name: a\n    days: x\n  - days: 1\n", r"\(1 more\)"),
        ("entries: [", r":1: not valid YAML"),
        ("- 1\n", r":1: the file"),
        ("", r":1: entries: Field required"),
        ("when: 2026-02-31\n", "not valid YAML: day"),
    ],
)
def test_a_wrong_file_names_line_and_field(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=says):
        load_yaml(file, Config)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes("entries: [Zoë]".encode("latin-1"))
    with pytest.raises(BadInput, match="not UTF-8 at byte 12"):
        load_yaml(file, Config)


def test_control_characters_are_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: \x01", encoding="utf-8")
    with pytest.raises(BadInput, match="not valid YAML"):
        load_yaml(path, Config)
