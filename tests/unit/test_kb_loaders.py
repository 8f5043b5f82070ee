"""How documents are found and read."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, Unavailable
from kb import community
from kb.loaders import (
    LARGEST_FILE,
    Document,
    Found,
    Unreadable,
    git_dates,
    list_folder,
    list_source,
    parse,
    read,
    readable_name,
)
from kb.workspace import SourceSpec


def write(path: Path, text: str | bytes = "Some words.") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def spec(path: Path, **more: Any) -> SourceSpec:
    return SourceSpec(name="help", path=path, **more)


def document(text: str, path: str = "billing/late-fees.md", **more: Any) -> Document:
    return parse(Found(path, None), text, SourceSpec(name="help", path=Path(), **more))


def index(folder: Path, *entries: dict[str, Any]) -> None:
    write(folder / "index.jsonl", "\n".join(json.dumps(entry) for entry in entries))


def test_globs_say_which_files_belong(tmp_path: Path):
    for name in ("a.md", "b/c.HTML", "b/d.pdf", "drafts/e.md", ".git/f.md", "b/.hidden.md"):
        write(tmp_path / name)
    assert set(list_folder(spec(tmp_path, exclude=("drafts/**",))).found) == {"a.md", "b/c.HTML"}
    assert set(list_folder(spec(tmp_path, include=("*.md",))).found) == {"a.md"}


def test_an_index_draws_the_line_between_articles_and_what_lies_beside(tmp_path: Path):
    for name in ("docs/a.md", "docs/b.md", "SOURCE.md", "LICENSE.txt"):
        write(tmp_path / name)
    index(tmp_path, {"path": "docs/a.md", "last_modified": "2020-01-01"})
    listing = list_folder(spec(tmp_path))
    assert set(listing.found) == {"docs/a.md", "docs/b.md"}
    assert listing.found["docs/a.md"].outside["last_modified"] == "2020-01-01"
    assert list_folder(spec(tmp_path / "docs")).found["a.md"].outside["path"] == "docs/a.md"


def test_a_wrong_index_is_reported_line_by_line(tmp_path: Path):
    write(tmp_path / "a.md")
    write(
        tmp_path / "index.jsonl", '{"path": "a.md"}\nnonsense\n{"path": "../x"}\n{"path": "b.md"}\n'
    )
    listing = list_folder(spec(tmp_path))
    assert set(listing.found) == {"a.md"}
    assert [path for path, _ in listing.failed] == ["index.jsonl:2", "index.jsonl:3", "b.md"]


def test_a_link_that_leads_out_of_the_folder_is_not_read(tmp_path: Path):
    secret = write(tmp_path / "secret.md")
    write(tmp_path / "docs/a.md")
    (tmp_path / "docs/b.md").symlink_to(secret)
    listing = list_folder(spec(tmp_path / "docs"))
    assert set(listing.found) == {"a.md"}
    assert listing.failed == [("b.md", "a link that leads out of the source's folder")]


def test_front_matter_is_understood_and_foreign_keys_ignored():
    made = document(
        "---\ntitle: Late *fees*\nowner: Ada\neffective_from: 2026-01-01\neffective_to: '2027-01-01'\n"
        "supersedes: old.md\nreview_every_days: 90\nlast_reviewed: 2026-02-01T10:00:00+02:00\n"
        "archived: true\nurl: https://x.y/fees\nlayout: en\nmenu: {main: {weight: 1}}\n---\nText."
    )
    assert (made.title, made.owner, made.url) == ("Late fees", "Ada", "https://x.y/fees")
    assert made.stated_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert made.effective_to == datetime(2027, 1, 1, tzinfo=UTC)
    assert made.last_reviewed == datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert (made.supersedes, made.review_every_days) == (("old.md",), 90)
    assert made.archived
    assert made.body == "Text."
    assert made.notes == ()


@pytest.mark.parametrize(
    ("block", "note"),
    [
        ("title: 'a\nowner: Ada", "front matter is broken at line "),
        ("- a: 1", "front matter is not a list of fields"),
        ("effective_from: soon", "effective_from is not a date"),
        ("review_every_days: often", "review_every_days is not a whole number of days"),
        ("effective_from: 2026-02-01\neffective_to: 2026-01-01", "never in force"),
        ("owner: {a: b}", "owner is not a text"),
    ],
)
def test_broken_front_matter_is_noted_and_not_fatal(block: str, note: str):
    made = document(f"---\n{block}\n---\nText.")
    assert made.body == "Text."
    assert any(note in said for said in made.notes)


def test_plain_lines_of_broken_front_matter_still_count():
    made = document("---\ntitle: Fees: late\nowner: Ada\narchived: true\n---\nText.")
    assert (made.title, made.owner, made.archived) == ("Fees: late", "Ada", True)


def test_an_unclear_archived_means_archived():
    assert document("---\narchived: since May\n---\nText.").archived


def test_front_matter_that_would_unfold_without_end_is_not_unfolded():
    levels = "\n".join(f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))
    made = document(f"---\nk0: &a0 [x]\n{levels}\ntitle: *a11\n---\n# Fees\n")
    assert made.title == "Fees"


@pytest.mark.parametrize(
    ("text", "path", "title"),
    [
        ("# From heading\n\nx", "a.md", "From heading"),
        ("Just text.", "billing/late-fees.md", "Late fees"),
        ("Just text.", "ownership-hey/index.md", "Ownership hey"),
        ("<title>From page</title><p>x</p>", "a.html", "From page"),
        ("Just text.", "To Complainant/Access Disabled.txt", "Access Disabled"),
    ],
)
def test_title(text: str, path: str, title: str):
    assert document(text, path).title == title


def test_readable_name_of_a_nameless_path():
    assert readable_name("---.md") == "---.md"


@pytest.mark.parametrize(
    ("base", "path", "own", "url"),
    [
        (None, "a.md", None, None),
        ("https://h.x/help/", "billing/fees.md", None, "https://h.x/help/billing/fees"),
        ("https://h.x/help", "billing/index.md", None, "https://h.x/help/billing"),
        ("https://h.x/{path}.html", "a.md", None, "https://h.x/a.html"),
        ("https://h.x/help", "a.md", "/other", "https://h.x/other"),
        (None, "a.md", "javascript:alert(1)", None),
    ],
)
def test_url(base: str | None, path: str, own: str | None, url: str | None):
    matter = f"---\nurl: {own}\n---\n" if own else ""
    assert document(f"{matter}Text.", path, url=base).url == url


@pytest.mark.parametrize(
    ("data", "text", "note"),
    [
        (b"caf\xc3\xa9", "café", ""),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "café", ""),
        (b"caf\xe9 \x93quoted\x94", "café “quoted”", "not UTF-8 at byte 3; read as Windows-1252"),
        ("café".encode("utf-16"), "café", "read as UTF-16"),
    ],
)
def test_encodings(tmp_path: Path, data: bytes, text: str, note: str):
    file = write(tmp_path / "a.md", data)
    read_text, _, notes = read(Found("a.md", file, len(data)))
    assert read_text == text
    assert "".join(notes) == note


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\xef\xbb\xbf\n", "empty"),
        (b"PK\x03\x04\0\0", "binary"),
        (bytes(range(1, 256)) * 9, "binary"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(tmp_path: Path, data: bytes, reason: str):
    with pytest.raises(Unreadable, match=reason):
        read(Found("a.md", write(tmp_path / "a.md", data), len(data)))


def test_a_file_over_the_limit_is_not_opened(tmp_path: Path):
    with pytest.raises(Unreadable, match="the limit is 5,000,000"):
        read(Found("a.md", tmp_path / "never-opened.md", LARGEST_FILE + 1))


def test_git_tells_when_each_file_last_changed(tmp_path: Path):
    def git(*args: str, date: str = "2020-01-01T00:00:00Z") -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c", *args],
            check=True,
            capture_output=True,
            env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date},
        )

    git("init")
    for name in ("docs/ä b.md", "docs/c.md", "docs/d.md"):
        write(tmp_path / name)
    git("add", ".")
    git("commit", "-m", "one")
    write(tmp_path / "docs/c.md", "Other words.")
    git("commit", "-am", "two", date="2021-01-01T00:00:00Z")
    write(tmp_path / "docs/d.md", "Not committed.")
    assert git_dates(tmp_path / "docs") == {
        "ä b.md": datetime(2020, 1, 1, tzinfo=UTC),
        "c.md": datetime(2021, 1, 1, tzinfo=UTC),
    }


def test_outside_a_checkout_git_tells_nothing(tmp_path: Path):
    assert git_dates(tmp_path) == {}


def test_a_community_loader_is_a_source(tmp_path: Path):
    file = write(tmp_path / "faq.csv", "id,question,answer\n7,Fees?,None.\n8,Refunds?,30 days.\n")
    source = SourceSpec(
        name="faq",
        kind="loader",
        loader="CSVLoader",
        args={"file_path": str(file), "metadata_columns": ["id", "question"]},
        id_key="id",
        title_key="question",
    )
    listing = list_source(source)
    assert set(listing.found) == {"7", "8"}
    found = listing.found["8"]
    made = parse(found, read(found)[0], source)
    assert (made.title, made.body) == ("Refunds?", "answer: 30 days.")


def test_a_loader_that_is_none_or_fails_is_named(tmp_path: Path):
    with pytest.raises(BadInput, match="NoSuchLoader"):
        community.load("NoSuchLoader", {})
    with pytest.raises(BadInput, match="CSVLoader"):
        community.load("CSVLoader", {"nonsense": 1})
    with pytest.raises(Unavailable, match="CSVLoader failed"):
        community.load("CSVLoader", {"file_path": str(tmp_path / "none.csv")})


@pytest.mark.parametrize(
    "field", ["draft: true", "published: false", "status: ARCHIVED", "status: draft"]
)
def test_a_page_that_a_site_generator_keeps_off_the_site_is_not_answered_from(field: str):
    held_back = document(f"---\ntitle: Fees\n{field}\n---\nFees double in May.\n")
    assert held_back.archived
    assert held_back.notes == (
        f"{field.replace('true', 'True').replace('false', 'False')}; it is kept and not answered from",
    )


@pytest.mark.parametrize(
    "field", ["draft: false", "published: true", "published: 2020-03-01", "status: PUBLISHED"]
)
def test_a_page_that_is_on_the_site_is_in_use(field: str):
    page = document(f"---\ntitle: Fees\n{field}\n---\nFees are 5 euros.\n")
    assert not page.archived
    assert page.notes == ()


def test_a_page_ends_when_its_site_takes_it_down():
    page = document("---\nexpiryDate: 2026-05-01\n---\nFree delivery in April.\n")
    assert page.effective_to == datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "field",
    [
        "lastmod: 2024-02-03",
        "updatedAt: 2024-02-03T00:00:00.000Z",
        "last_update: {date: 2024-02-03}",
    ],
)
def test_a_date_in_front_matter_goes_before_that_of_the_file(tmp_path: Path, field: str):
    file = write(tmp_path / "a.md", f"---\n{field}\n---\nSome words.\n")
    found = Found("a.md", file, mtime_ns=file.stat().st_mtime_ns)
    dated = datetime(2024, 2, 3, tzinfo=UTC)
    source = SourceSpec(name="help", path=tmp_path)
    text = file.read_text()
    assert parse(found, text, source).date == dated
    committed = datetime(2025, 1, 1, tzinfo=UTC)
    assert parse(found, text, source, git_date=committed).date == committed
    undated = parse(found, "---\nupdated: often\n---\nSome words.\n", source)
    assert undated.date not in (None, dated)
    assert undated.notes == ()


def test_front_matter_that_nothing_closes_is_noted():
    page = document("---\ntitle: Fees\nowner: Ada\n\nFees are 5 euros.\n")
    assert page.notes == ("its front matter is never closed with ---; it is read as text",)
    assert document("---\nA rule, then words.\n\nMore.\n").notes == ()
