"""Makes a file of edits from the git history of a help center kept as files.

::

    python -m evals.history REPOSITORY OUT [--path docs] [--since 2025-01-01] [--most 1000]

Writes ``OUT/pairs.jsonl`` and the articles before and after each edit below ``OUT/articles``, in the
form that `proofdesk eval stale` reads. Every passage that a commit edited makes a line; passages that
came or went as a whole make none. There are no labels, questions or answers: a person adds those.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from core.errors import BadInput, ProofdeskError
from core.identifiers import text_digest
from evals.files import write_whole
from kb.content import Passage
from kb.counterparts import align
from kb.passages import cut, first_heading

_SUFFIXES: Final = (".md", ".mdx", ".markdown", ".html", ".htm", ".txt")
_UNKNOWN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, and the files that it edited in place.

    Attributes:
        id: Its hash.
        date: Day it was made, ISO 8601.
        subject: First line of its message.
        files: Path, blob before, blob after.
    """

    id: str
    date: str
    subject: str
    files: tuple[tuple[str, str, str], ...]


def edits_of(repository: Path, path: str = "", since: str = "") -> Iterator[dict[str, Any]]:
    """Yield the edits of passages in a repository, the oldest commit first; articles by blob.

    Args:
        repository: A git checkout.
        path: Only below this folder of it.
        since: Only commits since this day.

    Raises:
        BadInput: It is no git repository, or git does not know what is asked.
    """
    for commit in _commits(repository, path, since):
        for file, before, after in commit.files:
            old, new = _blob(repository, before), _blob(repository, after)
            pairs = align(_passages(old, before), _passages(new, after))
            for number, (older, newer) in enumerate(pairs):
                if older is None or newer is None or older.content_hash == newer.content_hash:
                    continue
                yield {
                    "id": f"{commit.id[:10]}-{after[:6]}-{number}",
                    "corpus": repository.resolve().name,
                    "article": file,
                    "title": newer.title,
                    "section": newer.heading_path[-1] if newer.heading_path else "",
                    "date": commit.date,
                    "commit": commit.id,
                    "commit_subject": commit.subject,
                    "old_passage": " ".join(older.text.split()),
                    "new_passage": " ".join(newer.text.split()),
                    "old_article": f"articles/{before[:12]}{PurePosixPath(file).suffix}",
                    "new_article": f"articles/{after[:12]}{PurePosixPath(file).suffix}",
                    "texts": (old, new),
                }


def write(repository: Path, out: Path, path: str, since: str, most: int) -> int:
    """Write up to ``most`` edits, the newest, below ``out``; return how many there are.

    Raises:
        BadInput: ``out`` holds a file of edits already, or the repository has none.
    """
    target = out / "pairs.jsonl"
    if target.exists():
        raise BadInput(f"{target}: is there already; name another folder.")
    edits = list(edits_of(repository, path, since))[-most:]
    if not edits:
        raise BadInput(f"{repository}: no commit edited a passage there.")
    lines: list[str] = []
    for edit in edits:
        texts = edit.pop("texts")
        for name, text in zip((edit["old_article"], edit["new_article"]), texts, strict=True):
            if not (out / name).exists():
                write_whole(out / name, text)
        lines.append(json.dumps(edit, ensure_ascii=False))
    write_whole(target, "".join(f"{line}\n" for line in lines))
    return len(lines)


def _commits(repository: Path, path: str, since: str) -> list[Commit]:
    limits = [f"--since={since}"] if since else []
    log = _git(
        repository, "log", "--reverse", "--no-merges", "--no-renames", "--diff-filter=M", "--raw",
        "--no-abbrev", "-z", "--format=%x01%H%x02%cs%x02%s", *limits, "--", path or ".",
    )  # fmt: skip
    found: list[Commit] = []
    for block in log.split("\x01")[1:]:
        head, _, rest = block.partition("\x00")
        commit, date, subject = head.split("\x02", 2)
        files: list[tuple[str, str, str]] = []
        fields = iter(field.strip("\n") for field in rest.split("\x00"))
        for field in fields:
            if field.startswith(":"):
                _, _, before, after, _ = field.split(" ")
                name = next(fields, "")
                if PurePosixPath(name).suffix.lower() in _SUFFIXES:
                    files.append((name, before, after))
        if files:
            found.append(Commit(commit, date, subject, tuple(files)))
    return found


def _passages(text: str, blob: str) -> list[Passage]:
    title = first_heading(text)
    return [
        Passage(
            id=f"{blob}#{number}",
            kind="article",
            article_id=blob,
            version_id=blob,
            version=1,
            title=title,
            anchor=one.anchor,
            heading_path=one.heading_path,
            start=one.start,
            end=one.end,
            text=one.text,
            plain=one.plain,
            content_hash=text_digest(one.plain),
            effective_from=_UNKNOWN,
        )
        for number, one in enumerate(cut(text, title=title))
    ]


def _blob(repository: Path, blob: str) -> str:
    return _git(repository, "cat-file", "blob", blob)


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError:
        raise BadInput("git is not installed.") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BadInput(f"{repository}: git says: {said[0] if said else 'nothing'}.") from None
    return done.stdout.decode("utf-8", "replace")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the edits; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evals.history")
    parser.add_argument("repository", type=Path, help="a git checkout")
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--path", default="", help="only below this folder of the repository")
    parser.add_argument("--since", default="", help="only commits since this day")
    parser.add_argument("--most", type=int, default=_MOST, help="at most so many edits, the newest")
    options = parser.parse_args(arguments)
    try:
        count = write(options.repository, options.out, options.path, options.since, options.most)
    except ProofdeskError as error:
        print(f"evals.history: {error.message}", file=sys.stderr)
        return error.exit_code
    print(f"{count} edits in {options.out / 'pairs.jsonl'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
