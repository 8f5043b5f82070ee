"""Real help centers: every file is in, or named with a reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.database import Base, Database
from kb.library import Library
from kb.markup import html_to_body, mask_templates, plain_text, split_front_matter
from kb.passages import cut
from kb.sync import Sync
from kb.workspace import Workspace

pytestmark = pytest.mark.data


@pytest.mark.parametrize(
    "name",
    ["basecamp-policies", "letsencrypt", "travis-ci", "tts-handbook", "wordpress-legalmattic"],
)
def test_a_help_center_syncs_whole_and_stays_as_it_is(shared_data: Path, tmp_path: Path, name: str):
    folder = shared_data / f"helpcenter-{name}"
    database = Database(f"sqlite:///{tmp_path / 'desk.sqlite'}")
    Base.metadata.create_all(database.engine)
    sync, workspace = Sync(database, SystemClock()), Workspace.load(folder)
    first, second = sync.run(workspace), sync.run(workspace)

    listed = [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]
    failed = {problem.path: problem.reason for problem in first.failed}
    assert {f"help-center/{entry['path']}" for entry in listed} == {*first.new, *failed}
    assert set(failed.values()) <= {"empty"}  # pages that are all template or front matter
    assert (second.new, second.changed, second.updated, second.gone) == ([], [], [], [])
    assert second.unchanged == len(first.new)
    assert second.seconds < first.seconds / 10 + 0.05

    library = Library(database, SystemClock())
    dates = {f"help-center/{entry['path']}": entry["last_modified"] for entry in listed}
    bodies: dict[str, str] = {}
    for passage in library.passages_in_force():
        if passage.version_id not in bodies:
            bodies[passage.version_id] = library.body(passage.version_id)
        assert bodies[passage.version_id][passage.start : passage.end] == passage.text
        stated = dates[passage.article_id]
        assert not stated or passage.effective_from.date().isoformat() == stated
    silent = library.in_force_versions() - set(bodies)
    noted = {note.path for note in first.notes if note.reason.startswith("no passages")}
    assert {library.version(version).article_id for version in silent} == noted
    assert len(noted) < len(listed) / 10
    database.close()


def test_passages_are_the_paragraphs_and_items_that_people_compare(shared_data: Path):
    folder = shared_data / "policy-changes"
    pairs = [json.loads(line) for line in (folder / "pairs.jsonl").read_text().splitlines()]
    cuts: dict[str, set[str]] = {}
    found = 0
    for pair in pairs:
        path = pair["new_article"]
        if path not in cuts:
            body = split_front_matter((folder / path).read_text())[1]
            body = html_to_body(body)[0] if path.endswith(".html") else body
            passages = cut(body)
            cuts[path] = {" ".join(passage.text.split()) for passage in passages}
            cuts[path] |= {_words(passage.plain) for passage in passages}
        exact = " ".join(pair["new_passage"].split())
        unmarked = re.sub(r"\A(?:> )?(?:[-*+]|\d+[.)]) ", "", mask_templates(exact))
        wanted = (exact, _words(plain_text(unmarked)))
        found += any(words in text for words in wanted for text in cuts[path])
    assert found / len(pairs) >= 0.97


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
