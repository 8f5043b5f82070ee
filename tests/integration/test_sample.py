from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BadInput
from core.settings import Settings
from desk.bootstrap import open_desk
from desk.sample import ensure_sample, ensure_workspace, init_workspace


def test_a_home_that_holds_something_else_is_never_touched(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", _env_file=None)
    open_desk(settings, inline=True).close()
    with pytest.raises(BadInput, match="holds a desk of another workspace"):
        ensure_sample(settings)
    assert (settings.home / "proofdesk.sqlite").exists()


def test_without_a_workspace_the_way_to_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="proofdesk serve"):
        ensure_workspace(Settings(home=tmp_path, _env_file=None))
    with pytest.raises(BadInput, match="is not a folder"):
        ensure_workspace(Settings(home=tmp_path, workspace=tmp_path / "none", _env_file=None))


def test_a_workspace_of_ones_own_articles_takes_them_where_they_are(tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "refunds.md").write_text("# Refunds\n\nA refund takes 5 days.\n")
    folder = tmp_path / "desk"
    init_workspace(folder, articles)
    desk = open_desk(
        Settings(home=tmp_path / "home", workspace=folder, _env_file=None), inline=True
    )
    try:
        assert desk.sync().new == ["help-center/refunds.md"]
        assert desk.search.search("how long does a refund take")[0].passage.plain.endswith(
            "5 days."
        )
    finally:
        desk.close()


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="is not empty"):
        init_workspace(tmp_path)
