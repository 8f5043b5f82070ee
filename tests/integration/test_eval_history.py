import json
import subprocess
from pathlib import Path

import pytest

from evals.history import main
from evals.stale_cases import read_data


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Mina", "-c", "user.email=mina@example.com")
    subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A help center of two articles with two commits that edit one of them."""
    folder = tmp_path / "help"
    (folder / "docs").mkdir(parents=True)
    git(folder, "init", "-q")
    article = folder / "docs" / "refunds and more.md"
    texts = [
        "# Refunds\n\n## Time\n\nA refund takes 5 days.\n\n## Cards\n\nWe take all cards.\n",
        "# Refunds\n\n## Time\n\nA refund takes 9 days.\n\n## Cards\n\nWe take all cards.\n",
        "# Refunds\n\n## Time\n\nA refund takes 9 days.\n\n## Cards\n\nWe take most cards.\n",
    ]
    (folder / "README.md").write_text("Not an article.\n")
    for number, text in enumerate(texts):
        article.write_text(text)
        (folder / "README.md").write_text(f"Not an article, edition {number}.\n")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", f"Edition {number}")
    return folder


def test_a_history_becomes_edits_that_the_suite_reads(repository: Path, tmp_path: Path):
    out = tmp_path / "out"
    assert main([str(repository), str(out), "--path", "docs"]) == 0
    data = read_data([out])
    assert [(case.old_passage, case.new_passage) for case in data.cases] == [
        ("A refund takes 5 days.", "A refund takes 9 days."),
        ("We take all cards.", "We take most cards."),
    ]
    first = data.cases[0]
    assert (first.article, first.section) == ("docs/refunds and more.md", "Time")
    assert first.new_article is not None
    assert "9 days" in first.new_article.read_text()
    assert data.labels == {}


def test_the_newest_edits_are_kept(repository: Path, tmp_path: Path):
    assert main([str(repository), str(tmp_path / "out"), "--path", "docs", "--most", "1"]) == 0
    (line,) = (tmp_path / "out" / "pairs.jsonl").read_text().splitlines()
    assert json.loads(line)["commit_subject"] == "Edition 2"


def test_what_cannot_be_read_is_said_and_nothing_is_written(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    assert main([str(tmp_path / "nowhere"), str(out)]) == 2
    assert main([str(repository), str(out), "--path", "nothing"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert "nowhere" in said[0]
    assert "no commit edited a passage" in said[1]
    assert not out.exists()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "pairs.jsonl").write_text("kept")
    assert main([str(repository), str(tmp_path / "taken"), "--path", "docs"]) == 2
    assert (tmp_path / "taken" / "pairs.jsonl").read_text() == "kept"
