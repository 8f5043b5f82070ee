"""`proofdesk check`: texts from anywhere, judged against the sources in force."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from desk import cli
from desk.bootstrap import open_desk

RIGHT = "Hello,\n\nA refund takes 5 business days to reach your card.\n\nKind regards\n"
WRONG = "Hello,\n\nThank you.\n\nA refund takes 9 business days to reach your card.\n"
MACRO = "---\ntitle: Refund time\nreason: refund_question\n---\n\nHi {{customer_name}},\n\n"


class Command:
    """Runs `proofdesk check`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: object, stdin: str = "") -> tuple[int, str]:
        self._monkeypatch.setattr(sys, "argv", ["proofdesk", "check", *map(str, words)])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = self._capsys.readouterr()
        return int(stopped.value.code or 0), said.out or said.err

    def json(self, *words: object, stdin: str = "") -> tuple[int, dict[str, Any]]:
        code, out = self(*words, "--json", stdin=stdin)
        return code, json.loads(out)


@pytest.fixture
def check(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    desk = open_desk(settings, inline=True)
    desk.sync()
    desk.close()
    monkeypatch.setenv("PROOFDESK_HOME", str(settings.home))
    monkeypatch.setenv("PROOFDESK_WORKSPACE", str(settings.workspace))
    monkeypatch.chdir(tmp_path)
    return Command(monkeypatch, capsys)


def test_a_folder_is_checked_in_one_call(check: Command, tmp_path: Path) -> None:
    folder = tmp_path / "replies"
    folder.mkdir()
    (folder / "right.txt").write_text(RIGHT)
    (folder / "wrong.md").write_text(WRONG)
    (folder / "macro.md").write_text(MACRO + "a refund takes 9 business days.\n")
    (folder / "good-macro.md").write_text(MACRO + "a refund takes 5 business days.\n")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    code, report = check.json(folder)
    assert code == 1
    assert (report["passed"], report["checked"], report["failed"]) == (False, 4, 2)
    passed = {Path(one["path"]).name: one["passed"] for one in report["files"]}
    assert passed == {
        "good-macro.md": True,
        "macro.md": False,
        "right.txt": True,
        "wrong.md": False,
    }
    kinds = {Path(one["path"]).name: one["kind"] for one in report["files"]}
    assert (kinds["macro.md"], kinds["wrong.md"]) == ("macro", "draft")


def test_a_finding_names_line_sentence_and_the_words_of_the_source(
    check: Command, tmp_path: Path
) -> None:
    (tmp_path / "wrong.txt").write_text(WRONG)
    code, result = check.json("--draft", "wrong.txt")
    assert code == 1
    finding = next(one for one in result["findings"] if one["rule"] == "duration")
    assert finding["line"] == 5
    assert finding["text"] == "A refund takes 9 business days to reach your card."
    assert "9 business days" in finding["words"]
    assert "5 business days" in finding["source_words"]


def test_standard_input_is_read(check: Command) -> None:
    assert check("-", stdin=RIGHT)[0] == 0
    draft = json.dumps({"draft": {"text": WRONG}, "question": "How long does a refund take?"})
    code, result = check.json("-", stdin=draft)
    assert code == 1
    assert result["path"] == "-"


def test_annotations_for_a_ci_run(check: Command, tmp_path: Path) -> None:
    (tmp_path / "wrong.txt").write_text(WRONG)
    code, out = check("wrong.txt", "--format", "github")
    assert code == 1
    assert out.startswith("::error file=wrong.txt,line=5::")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.txt", None, "there is no such file"),
        ("empty.txt", b" \n", "is empty"),
        ("latin.txt", b"\xe9t\xe9 9 days", "not UTF-8"),
        ("broken.json", b'{"draft": ', "not valid JSON"),
        ("other.json", b'{"a": 1}', "sentences"),
    ],
)
def test_bad_input_names_the_file_and_nothing_is_printed(
    check: Command, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    (tmp_path / "right.txt").write_text(RIGHT)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    code, message = check("right.txt", name)
    assert code == 2
    assert message.startswith("proofdesk: ")
    assert name in message
    assert said in message


def test_a_folder_without_texts_is_bad_input(check: Command, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    code, message = check(tmp_path / "nothing")
    assert code == 2
    assert "holds nothing to check" in message


def test_no_text_is_judged_by_a_withheld_macro(
    check: Command, settings: Settings, tmp_path: Path
) -> None:
    assert settings.workspace is not None
    (settings.workspace / "macros").mkdir()
    (settings.workspace / "macros" / "old.md").write_text(
        MACRO + "A refund takes 9 business days to reach your card.\n"
    )
    desk = open_desk(settings, inline=True)
    assert [one.path for one in desk.sync().withheld] == ["macros/old.md"]
    desk.close()
    (tmp_path / "wrong.txt").write_text(WRONG)
    code, result = check.json("wrong.txt")
    assert code == 1
    cited = {c["article_id"] for s in result["sentences"] for c in s["citations"]}
    assert cited == {"help-center/refunds.md"}
