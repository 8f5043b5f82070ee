"""What an admin is told of the workspace's files and of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import NotAllowed
from core.settings import Settings
from desk.permissions import PERMISSIONS, Actor
from desk.workspace_check import WHAT_IT_MEANS, RuleFile, WorkspaceCheck, without_secrets
from tests.factories import ADMIN


def no_embedder() -> Any:
    raise AssertionError("examples are not compared unless asked to")


@pytest.fixture
def check(settings: Settings, tmp_path: Path) -> WorkspaceCheck:
    return WorkspaceCheck(settings, no_embedder, {}, tmp_path / ".env")


def file(check: WorkspaceCheck, name: str) -> RuleFile:
    (found,) = [one for one in check.files(ADMIN) if one.name == name]
    return found


def test_a_sound_workspace_has_no_errors(check: WorkspaceCheck) -> None:
    files = check.files(ADMIN)
    assert [(one.name, one.there, one.errors) for one in files] == [
        ("sources.yaml", False, 0),
        ("reasons.yaml", True, 0),
        ("tiers.yaml", False, 0),
        ("operations.yaml", False, 0),
    ]
    assert files[1].holds == "3 contact reasons."


def test_a_wrong_line_is_named_with_the_lines_around_it(
    check: WorkspaceCheck, workspace: Path
) -> None:
    path = workspace / "reasons.yaml"
    path.write_text(path.read_text().replace("sla_minutes: 60", "sla_minutes: soon"))
    found = file(check, "reasons.yaml")
    (problem,) = [one for one in found.problems if one.remark.level == "error"]
    assert "sla_minutes" in problem.remark.message
    assert any(
        line.number == problem.remark.line and "sla_minutes: soon" in line.text
        for line in problem.around
    )


@pytest.mark.parametrize("name", ["sources.yaml", "reasons.yaml", "tiers.yaml"])
def test_a_file_that_is_no_yaml_is_told_by_line(
    check: WorkspaceCheck, workspace: Path, name: str
) -> None:
    (workspace / name).write_text("sources:\n  - name: [\n")
    found = file(check, name)
    assert found.errors == 1
    assert found.problems[0].remark.message.startswith("not valid YAML")
    assert found.problems[0].remark.line >= 2


def test_a_limit_for_a_reason_that_nobody_has_is_told_by_line(
    check: WorkspaceCheck, workspace: Path
) -> None:
    limits = "autonomy:\n  limits:\n    refund_question: 0.01\n    refund_questions: 0.01\n"
    (workspace / "operations.yaml").write_text(limits)
    (problem,) = file(check, "operations.yaml").problems
    assert (problem.remark.level, problem.remark.line) == ("error", 4)
    assert "no contact reason is called 'refund_questions'" in problem.remark.message
    (workspace / "reasons.yaml").write_text("reasons: [\n")
    assert file(check, "operations.yaml").problems == []


def test_settings_tell_where_they_come_from(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROOFDESK_PORT=9000\nPROOFDESK_CLAIM_MINUTES=20\n")
    environ = {"PROOFDESK_CLAIM_MINUTES": "30"}
    check = WorkspaceCheck(settings, no_embedder, environ, tmp_path / ".env")
    found = {one.variable.removeprefix("PROOFDESK_"): one for one in check.settings(ADMIN)}
    assert set(found) == {name.upper() for name in Settings.model_fields}
    assert found["PORT"].origin == ".env"
    assert found["CLAIM_MINUTES"].origin == "environment"
    assert found["UNDO_SECONDS"].origin == "command"
    assert found["PASSAGES_PER_DRAFT"].origin == "default"
    assert all(one.description for one in found.values())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (
            "postgresql+psycopg://desk:hunter2@db/x?password=hunter2",
            "postgresql+psycopg://desk:***@db/x",
        ),
        ("https://user:hunter2@host/v1?key=hunter2", "https://***@host/v1?***"),
        ("http://localhost:8080/v1", "http://localhost:8080/v1"),
        ("openai:gpt-5-mini", "openai:gpt-5-mini"),
        (None, ""),
    ],
)
def test_no_secret_of_an_address_is_shown(value: str | None, shown: str) -> None:
    assert without_secrets(value) == shown


def test_every_permission_is_explained(check: WorkspaceCheck) -> None:
    assert set(WHAT_IT_MEANS) == frozenset().union(*PERMISSIONS.values())
    (people,) = [one for one in check.permissions(ADMIN) if one.action == "manage_people"]
    assert people.roles == {"admin"}


def test_only_an_admin_looks_it_over(check: WorkspaceCheck) -> None:
    supervisor = Actor("per_1", "Ruth", "supervisor")
    for look in (check.files, check.settings, check.permissions):
        with pytest.raises(NotAllowed, match="may not manage settings"):
            look(supervisor)
