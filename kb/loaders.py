"""Reads documents: from folders of files, with front matter, index or git history, and loaders."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import yaml

from core.errors import BadInput, ProofdeskError
from core.identifiers import json_digest, text_digest
from kb import community
from kb.markup import html_to_body, plain_text, split_front_matter
from kb.passages import first_heading
from kb.workspace import INDEX_FILE, SourceSpec

LARGEST_FILE: Final = 5_000_000
"""Bytes."""
LONGEST_PATH: Final = 440
"""Characters."""
Format = Literal["markdown", "html", "text"]
_FORMATS: Final[dict[str, Format]] = {".html": "html", ".htm": "html", ".txt": "text"}
_GIT_SECONDS: Final = 60
_NOT_ARTICLES: Final = re.compile(r"(?i)^(?:licen[cs]e|copying|notice|source)\b")
_SCALARS: Final = (str, int, float, bool, date)
_OFF_THE_SITE: Final = {
    "draft": frozenset({"true", "yes"}),
    "published": frozenset({"false", "no"}),
    "status": frozenset({"archived", "draft", "unpublished", "deleted"}),
}
"""Field → values that keep a page off the site: Hugo, Jekyll, exports of content systems."""
_CHANGED: Final = (
    "lastmod",
    "updatedAt",
    "updated_at",
    "last_updated",
    "last_modified_at",
    "updated",
)
_PUBLISHED: Final = ("publishDate", "publishdate", "publish_date", "pubDate")
_UNCLOSED: Final = re.compile(r"---[ \t]*\r?\n(?:\w+:[^\n]*\n)+\s*\n")
_UNNAMED: Final = frozenset({"index", "_index", "readme"})


class Unreadable(ProofdeskError):
    """A document that cannot be read; the message is the reason, for the report."""


class Empty(Unreadable):
    """A document in which there is nothing to read."""


@dataclass(frozen=True, slots=True)
class Found:
    """A document that is there, not yet read.

    Attributes:
        path: Path in the source; with the source's name it makes the article id.
        file: The file; None when ``text`` holds the content.
        size: Bytes.
        mtime_ns: Modification time.
        outside: What an index or loader says of it.
    """

    path: str
    file: Path | None
    size: int = 0
    mtime_ns: int = 0
    outside: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read.

    Attributes:
        stated_from: Start of its time as its author states it, if they do.
        published_from: When its site begins to show it, where a site generator is told so.
        date: When it last changed, as index, git or file system tell; None when nobody does.
        supersedes: Paths or article ids, as the author wrote them.
        addresses: Paths at which the site serves it, as the author says.
        notes: What was odd about it but did not stop it.
    """

    path: str
    title: str
    body: str
    format: Format
    owner: str | None = None
    reason: str | None = None
    stated_from: datetime | None = None
    published_from: datetime | None = None
    effective_to: datetime | None = None
    supersedes: tuple[str, ...] = ()
    review_every_days: int | None = None
    last_reviewed: datetime | None = None
    archived: bool = False
    url: str | None = None
    addresses: list[str] = field(default_factory=list)
    date: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass
class Listing:
    """What a source holds.

    Attributes:
        found: Documents, by path.
        failed: ``(path, reason)`` of what cannot even be tried.
        absent: Paths among ``failed`` that an index lists but that are not there.
        folder: The source's folder, for the dates of its git history.
    """

    found: dict[str, Found]
    failed: list[tuple[str, str]]
    absent: set[str] = field(default_factory=set)
    folder: Path | None = None

    @cached_property
    def git_dates(self) -> dict[str, datetime]:
        """Path in the source → date of its last commit; empty outside a git checkout."""
        return git_dates(self.folder) if self.folder else {}


def list_source(source: SourceSpec) -> Listing:
    """Return what ``source`` holds, without reading any file.

    Raises:
        BadInput: Its folder does not exist, or its loader is not one.
        Unavailable: Its loader failed.
    """
    if source.kind == "loader":
        return _list_loader(source)
    return list_folder(source)


def list_folder(source: SourceSpec) -> Listing:
    """Return the files of a folder source.

    Where an ``index.jsonl`` lies in the folder (or beside it), the files it lists belong to the
    source, and so do the files under the same top folders; what lies beside those does not.

    Raises:
        BadInput: The folder does not exist.
    """
    folder = source.path
    if folder is None or not folder.is_dir():
        raise BadInput(
            f"source {source.name}: there is no folder {folder}; nothing was changed. "
            "Correct its path in sources.yaml."
        )
    index, failed = _read_index(folder)
    roots = {path.partition("/")[0] if "/" in path else "" for path in index}
    include = [_glob(pattern) for pattern in source.include]
    exclude = [_glob(pattern) for pattern in source.exclude]
    listing = Listing({}, failed, folder=folder)
    inside = folder.resolve()
    for path, file in _walk(folder):
        listed = path in index
        if any(pattern.fullmatch(path) for pattern in exclude):
            continue
        if not listed:
            if not any(pattern.fullmatch(path) for pattern in include):
                continue
            root = path.partition("/")[0] if "/" in path else ""
            if index and (root not in roots or _NOT_ARTICLES.match(path)):
                continue
        try:
            if file.is_symlink() and not file.resolve().is_relative_to(inside):
                listing.failed.append((path, "a link that leads out of the source's folder"))
                continue
            stat = file.stat()
        except OSError as error:
            listing.failed.append((path, f"cannot be read: {error.strerror or error}"))
            continue
        unusable = _unusable(path)
        if unusable:
            listing.failed.append((path.encode("utf-8", "replace").decode(), unusable))
            continue
        outside = index.get(path, {})
        listing.found[path] = Found(path, file, stat.st_size, stat.st_mtime_ns, outside)
    refused = {path for path, _ in listing.failed}
    for path in index:
        if path in listing.found or path in refused:
            continue
        if not any(pattern.fullmatch(path) for pattern in exclude):
            listing.absent.add(path)
            listing.failed.append((path, f"listed in {INDEX_FILE}, but there is no such file"))
    return listing


def _unusable(path: str) -> str | None:
    if len(path) > LONGEST_PATH:
        return f"its path has {len(path)} characters; the limit is {LONGEST_PATH}"
    if not path.isprintable():
        return "its name holds characters that are not text; rename it"
    return None


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name != "node_modules"
        )
        for name in sorted(files):
            if not name.startswith(".") and name != INDEX_FILE:
                file = Path(here) / name
                yield file.relative_to(folder).as_posix(), file


def _glob(pattern: str) -> re.Pattern[str]:
    """Compile a glob: ``*`` stays in a folder, ``**/`` spans any number of them."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./"))
    known = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(known.get(part, re.escape(part)) for part in parts), re.IGNORECASE)


def _read_index(folder: Path) -> tuple[dict[str, dict[str, Any]], list[tuple[str, str]]]:
    """Return path in the source → entry of the index, and what is wrong with the index."""
    file, prefix = folder / INDEX_FILE, ""
    if not file.is_file():
        file, prefix = folder.parent / INDEX_FILE, f"{folder.name}/"
    if not file.is_file():
        return {}, []
    entries: dict[str, dict[str, Any]] = {}
    failed: list[tuple[str, str]] = []
    for number, line in enumerate(file.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            path = PurePosixPath(entry["path"])
        except (ValueError, KeyError, TypeError):
            failed.append((f"{INDEX_FILE}:{number}", "not a JSON object with a path"))
            continue
        if path.is_absolute() or ".." in path.parts:
            failed.append((f"{INDEX_FILE}:{number}", "its path leads out of the folder"))
        elif str(path).startswith(prefix):
            entries[str(path).removeprefix(prefix)] = entry
    return entries, failed if entries or not prefix else []


def git_dates(folder: Path) -> dict[str, datetime]:
    """Return path under ``folder`` → date of the last commit that touched it.

    Files with changes that are not committed are left out: their own time is nearer the truth.
    One call for the history and one for the changes, however many files there are. Empty when
    ``folder`` is not in a git checkout or git does not answer.
    """

    def git(*args: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *args],
            check=True,
            capture_output=True,
            timeout=_GIT_SECONDS,
            encoding="utf-8",
            errors="surrogateescape",
        ).stdout

    try:
        log = git("log", "--format=%x01%cI", "--name-only", "--relative", "-z", "--", ".")
        changed = set(git("ls-files", "-m", "-z", "--", ".").split("\0"))
    except (OSError, subprocess.SubprocessError):
        return {}
    dates: dict[str, datetime] = {}
    for commit in log.split("\x01")[1:]:
        moment, *paths = commit.replace("\n", "\0").split("\0")
        when = datetime.fromisoformat(moment)
        for path in paths:
            if path and path not in changed:
                dates.setdefault(path, when)
    return dates


def _list_loader(source: SourceSpec) -> Listing:
    listing = Listing({}, [])
    parts: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for number, (text, metadata) in enumerate(
        community.load(source.loader or "", source.args), start=1
    ):
        path = str(metadata.get(source.id_key) or "").strip().lstrip("/")
        if path and not _unusable(path):
            parts.setdefault(path, []).append((text, metadata))
        else:
            listing.failed.append(
                (f"document {number}", _unusable(path) or f"its metadata has no {source.id_key!r}")
            )
    for path, documents in parts.items():  # such as the pages of one file
        metadata = documents[0][1]
        outside = {
            "last_modified": metadata.get(source.date_key) if source.date_key else None,
            "title": metadata.get(source.title_key),
        }
        outside = {key: str(value) for key, value in outside.items() if value}
        text = "\n\n".join(text for text, _ in documents)
        listing.found[path] = Found(path, None, len(text), 0, outside, text)
    return listing


def read(found: Found) -> tuple[str, str, tuple[str, ...]]:
    """Return the text of a document, a digest of it, and notes on its encoding.

    Raises:
        Unreadable: It is too large, empty, binary, or cannot be opened.
    """
    if found.file is None:
        text = found.text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
        return _not_empty(text), text_digest(text), ()
    if found.size > LARGEST_FILE:
        raise Unreadable(f"{found.size:,} bytes; the limit is {LARGEST_FILE:,}")
    try:
        data = found.file.read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from error
    text, notes = _decode(data)
    return _not_empty(text), text_digest(text), notes


def _not_empty(text: str) -> str:
    if not text.strip("\ufeff \t\r\n\f\v\xa0"):
        raise Empty("empty")
    return text


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16").replace("\0", "\ufffd"), ("read as UTF-16",)
        except UnicodeDecodeError:
            raise Unreadable("binary: neither UTF-8 nor UTF-16 text") from None
    if b"\0" in data:
        raise Unreadable("binary: it holds NUL bytes")
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        controls = len(re.findall(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]", data))
        if controls > len(data) // 100:
            raise Unreadable("binary: neither UTF-8 nor Windows-1252 text") from None
        note = f"not UTF-8 at byte {error.start}; read as Windows-1252"
        return data.decode("cp1252", "replace"), (note,)


def parse(
    found: Found,
    text: str,
    source: SourceSpec,
    *,
    notes: tuple[str, ...] = (),
    git_date: datetime | None = None,
) -> Document:
    """Return the document in ``text``.

    Title: front matter, else index or loader, else the page's first heading, else the file name.
    Date: index or loader, else git, else front matter, else the file's own time.

    Raises:
        Unreadable: Nothing is left beside the front matter.
    """
    block, rest = split_front_matter(text)
    said = list(notes)
    if not block and _UNCLOSED.match(rest):
        said.append("its front matter is never closed with ---; it is read as text")
    fields = _Fields({**found.outside, **_front_matter(block, text, said)}, said)
    suffix = PurePosixPath(found.path).suffix.lower()
    page_title = ""
    body, kind = rest, _FORMATS.get(suffix, "markdown")
    if kind == "html":
        body, page_title = html_to_body(rest)
    if not body.strip():
        raise Empty("empty")
    stated_from = fields.moment("effective_from")
    effective_to = fields.moment("effective_to") or fields.moment("expiryDate")
    if stated_from and effective_to and effective_to <= stated_from:
        said.append("effective_to is not after effective_from; it is never in force")
    title = plain_text(fields.text("title") or "") or first_heading(body) or page_title
    return Document(
        path=found.path,
        title=title or readable_name(found.path),
        body=body,
        format=kind,
        owner=fields.text("owner") or source.owner,
        reason=fields.text("reason"),
        stated_from=stated_from,
        published_from=fields.first_moment(_PUBLISHED),
        effective_to=effective_to,
        supersedes=fields.texts("supersedes"),
        review_every_days=fields.days("review_every_days") or source.review_every_days,
        last_reviewed=fields.moment("last_reviewed"),
        archived=fields.yes("archived") or _unpublished(fields, said),
        url=_url(fields.text("url"), source.url, found.path),
        addresses=_addresses(fields),
        date=fields.moment("last_modified") or git_date or fields.changed() or _file_date(found),
        notes=tuple(said),
    )


def _unpublished(fields: _Fields, notes: list[str]) -> bool:
    """Say whether a site generator's field keeps the page off the site; note which."""
    said = {name: fields.text(name) for name in ("draft", "published", "status")}
    held_back = [
        f"{name}: {value}"
        for name, value in said.items()
        if value and value.lower() in _OFF_THE_SITE[name]
    ]
    if held_back:
        notes.append(f"{held_back[0]}; it is kept and not answered from")
    return bool(held_back)


def outside_digest(found: Found, source: SourceSpec) -> str:
    """Return a digest of everything that bears on a document and is not in its file."""
    said = [dict(found.outside), source.owner, source.review_every_days, source.url, source.kind]
    return json_digest([*said, _READING])


def readable_name(path: str) -> str:
    """Return a title made of a file name: ``billing/failed-payments.md`` → ``Failed payments``."""
    pure = PurePosixPath(path)
    name = pure.stem
    if name.lower() in _UNNAMED and pure.parent.name:
        name = pure.parent.name
    words = " ".join(re.split(r"[-_\s]+", name)).strip()
    return words[:1].upper() + words[1:] if words else path


def _file_date(found: Found) -> datetime | None:
    return datetime.fromtimestamp(found.mtime_ns / 1e9, UTC) if found.mtime_ns else None


def _front_matter(block: str, text: str, notes: list[str]) -> dict[str, Any]:
    if not block.strip():
        return {}
    try:
        if text.lstrip("\ufeff").startswith("+++"):
            import tomllib

            value: object = tomllib.loads(block)
        else:
            value = yaml.load(block, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f" at line {line + 2}" if line is not None else ""
        notes.append(f"front matter is broken{where}; only its plain lines were read")
        value = dict(re.findall(r"(?m)^(\w+):[ \t]+[\"']?([^\n\"']+?)[\"']?[ \t]*$", block))
    if not isinstance(value, dict):
        notes.append("front matter is not a list of fields; it was ignored")
        return {}
    return {str(key): content for key, content in value.items() if content is not None}


class _Fields:
    """Takes fields of front matter as what they must be; what does not fit becomes a note."""

    def __init__(self, fields: Mapping[str, Any], notes: list[str]) -> None:
        self._fields = fields
        self._notes = notes

    def text(self, name: str) -> str | None:
        value = self._fields.get(name)
        if isinstance(value, list) and all(isinstance(part, _SCALARS) for part in value):
            value = ", ".join(str(part) for part in value)
        # Nested values are never printed: a few aliases in YAML can unfold to gigabytes.
        if value is not None and not isinstance(value, _SCALARS):
            self._note(name, "a text")
            return None
        words = " ".join(str(value).split()) if value is not None else ""
        return words[:500] or None

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._fields.get(name)
        values = value if isinstance(value, list) else [value]
        return tuple(str(part).strip() for part in values if part and isinstance(part, _SCALARS))

    def days(self, name: str) -> int | None:
        value = self._fields.get(name)
        if value is None:
            return None
        value = value if isinstance(value, _SCALARS) else ""
        number = int(str(value)) if str(value).isdecimal() and len(str(value)) < 6 else 0
        if number < 1:
            self._note(name, "a whole number of days")
            return None
        return number

    def yes(self, name: str) -> bool:
        value = self._fields.get(name, False)
        known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        value = value if isinstance(value, _SCALARS) else ""
        answer = known.get(str(value).strip().lower())
        if answer is None:
            self._note(name, "true or false")
        # What somebody tried to archive must not be answered from.
        return True if answer is None else answer

    def moment(self, name: str) -> datetime | None:
        value = self._fields.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value.strip())
            except ValueError:
                self._note(name, "a date such as 2026-03-01")
                return None
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        self._note(name, "a date such as 2026-03-01")
        return None

    def changed(self) -> datetime | None:
        """Return when the page last changed as its author or a site generator noted it."""
        nested = self._fields.get("last_update")
        said = {**self._fields, **(nested if isinstance(nested, dict) else {})}
        # Other tools use these names for other things: what is no date is no mistake.
        names = ("date", *_CHANGED) if isinstance(nested, dict) else _CHANGED
        return _Fields(said, self._notes).first_moment(names)

    def first_moment(self, names: Sequence[str]) -> datetime | None:
        """Return the first of some fields that holds a date; others are passed over without a note."""
        quiet = _Fields(self._fields, [])
        return next((moment for name in names if (moment := quiet.moment(name))), None)

    def _note(self, name: str, wanted: str) -> None:
        self._notes.append(f"{name} is not {wanted}; it was ignored")


_READING: Final = 4
"""Raised when more is read out of a file than before: the next sync then reads every file anew."""
_ADDRESS_FIELDS: Final = ("permalink", "redirect_from", "aliases", "slug", "url")


def stated_addresses(text: str) -> list[str]:
    """Return the paths at which the site serves a document, as its front matter says."""
    block, _ = split_front_matter(text)
    notes: list[str] = []
    return _addresses(_Fields(_front_matter(block, text, notes), notes))


def _addresses(fields: _Fields) -> list[str]:
    said = (text for name in _ADDRESS_FIELDS for text in fields.texts(name))
    return list(dict.fromkeys(text[:500] for text in said if "://" not in text))[:50]


def _url(own: str | None, base: str | None, path: str) -> str | None:
    if own and re.match(r"https?://", own):
        return own
    if not base:
        return None
    if own and own.startswith("/"):
        return re.sub(r"^(https?://[^/]+).*", r"\1", base) + own
    pure = PurePosixPath(path)
    page = pure.parent if pure.stem.lower() in _UNNAMED else pure.with_suffix("")
    if "{" in base:
        return base.replace("{path}", str(page)).replace("{file}", path)
    return f"{base.rstrip('/')}/{'' if str(page) == '.' else page}"
