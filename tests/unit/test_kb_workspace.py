"""What a workspace folder is taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BadInput
from kb.workspace import Workspace


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_sources_are_read_and_their_paths_made_absolute(tmp_path: Path):
    write(
        tmp_path / "sources.yaml",
        "sources:\n  - {name: help, path: docs, owner: Ada, exclude: [drafts/**]}\n"
        "  - {name: rows, kind: loader, loader: CSVLoader, args: {file_path: a.csv}, id_key: row}\n",
    )
    help_center, rows = Workspace.load(tmp_path).sources
    assert (help_center.path, help_center.owner) == (tmp_path / "docs", "Ada")
    assert rows.args == {"file_path": str(tmp_path / "a.csv")}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("sources:\n  - name: help\n    path: a\n    pth: b\n", 4, "pth"),
        ("sources:\n  - name: Help Center\n    path: a\n", 2, "name"),
        ("sources:\n  - name: help\n", 2, "a folder source needs a path"),
        ("sources:\n  - name: rows\n    kind: loader\n", 2, "needs the name of a loader"),
        ("sources:\n  - {name: a, path: b}\n  - {name: a, path: c}\n", 1, "two sources are named 'a'"),
        ("sources:\n  - {name: macros, path: b}\n", 1, "macros"),
        ("sources: [\n", 2, "not valid YAML"),
        ("{}\n", 1, "sources"),
    ],
)  # fmt: skip
def test_a_wrong_sources_file_is_refused_by_line(tmp_path: Path, text: str, line: int, words: str):
    file = write(tmp_path / "sources.yaml", text)
    with pytest.raises(BadInput) as refusal:
        Workspace.load(tmp_path)
    assert refusal.value.message.startswith(f"{file}:{line}: ")
    assert words in refusal.value.message


def test_without_a_sources_file_the_articles_folder_is_the_source(tmp_path: Path):
    write(tmp_path / "articles/a.md")
    write(tmp_path / "README.md")
    (source,) = Workspace.load(tmp_path).sources
    assert (source.name, source.path) == ("help-center", tmp_path / "articles")


@pytest.mark.parametrize("file", ["index.jsonl", "a.md", "deep/down/b.HTML"])
def test_a_folder_of_documents_is_its_own_source(tmp_path: Path, file: str):
    write(tmp_path / file)
    (source,) = Workspace.load(tmp_path).sources
    assert (source.name, source.path) == ("help-center", tmp_path)


def test_an_empty_or_missing_folder_is_refused_by_name(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BadInput, match=str(folder)):
            Workspace.load(folder)
