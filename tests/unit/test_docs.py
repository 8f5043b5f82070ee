from __future__ import annotations

import re

from typer.main import get_command

from core.settings import Settings
from desk.cli import app
from tests.conftest import ROOT


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"`PROOFDESK_(\w+)`", (ROOT / "docs/settings.md").read_text()))
    assert documented == {name.upper() for name in Settings.model_fields}


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = get_command(app).commands  # type: ignore[attr-defined]
    missing = [name for name in commands if f"`proofdesk {name}" not in readme]
    assert missing == []


def test_internal_links_of_the_documents_resolve() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
