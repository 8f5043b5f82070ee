"""Finds links of articles that lead nowhere in the help center.

A link is broken when the page or heading that it names would have to be here and is not. What cannot
be told is ``unknown`` and no one is bothered with it: a target that a template makes, a file that is
no page, a part of the site that this help center does not hold. How the site forms its addresses
(pages without extension, a prefix before the paths, permalinks, redirects) is read off the links that
do resolve; nobody has to configure it.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from kb.markup import Link, links, mask_templates, plain_text
from kb.passages import slug

PAGE_SUFFIXES: Final = (".md", ".mdx", ".markdown", ".html", ".htm", ".txt")
KNOWN_SHARE: Final = 0.6
"""Share of the addresses named under a folder of the site from which that folder counts as held here."""
_INDEX_NAMES: Final = frozenset({"index", "_index", "readme"})
_LEAST_SUPPORT: Final = 3  # links that must resolve by a prefix before it is believed
_CACHED: Final = 4_096  # versions whose outline stays in memory

Outcome = Literal["fine", "broken", "unknown", "external"]

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_TAG_TARGET: Final = re.compile(
    r"""\A\{(?:%-?|\{[<%]?)\s*(?:(?:page|link|ref|relref|post_url|url)\s+)?["']?(?P<target>[^\s"'{}|%<>]+)"""
    r"""["']?\s*(?:\|\s*(?:relative_url|absolute_url|url|prepend:[^{}|]*)\s*)?(?:-?%|[>%]?\})\}\Z"""
)
_BASE_VARIABLE: Final = re.compile(
    r"\A\{\{\s*(?:site|\$)?\.?(?:base_?url|url)\s*\}\}(?=/)", re.IGNORECASE
)
_MAKES_CONTENT: Final = re.compile(
    r"\{%-?\s*(?!end|raw|comment|page\b|link\b|assign|capture)\w+|\{\{[<%]|\{\{(?!\s*(?:site|page)\.)"
)
_HEADING: Final = re.compile(
    r"^[ \t>]{0,6}(?:#{1,6}[ \t]*(?P<words>[^\n]*?)[ \t]*#*[ \t]*$|(?P<underlined>[^\s>#][^\n]*)\n[ \t]*[=-]{2,}[ \t]*$)"
    r"|<h[1-6]\b[^<>]*>(?P<html>(?:[^<]|<(?!/h[1-6]))*)</h[1-6]",
    re.MULTILINE | re.IGNORECASE,
)
_BOLD_LINE: Final = re.compile(
    r"^[ \t]*(?:\*\*|__)(?P<words>[^*_\n]+)(?:\*\*|__)[ \t]*:?[ \t]*$", re.MULTILINE
)
_EXPLICIT: Final = re.compile(
    r"\{:?[^{}\n]*?#(?P<id>[\w:.-]+)|\b(?:id|name)\s*=\s*(?:\"(?P<double>[^\"<>]+)\"|'(?P<single>[^'<>]+)'|(?P<bare>[^\s\"'<>]+))",
    re.IGNORECASE,
)
_ATTRIBUTES: Final = re.compile(r"\{[:#][^{}\n]*\}")
_HOST_LIKE: Final = re.compile(
    r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|gov|io|edu|co|dev|app)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Page:
    """One article as its site serves it.

    Attributes:
        source: Name of its source.
        path: Path in the source.
        url: Where a customer reads it, if known.
        addresses: Further paths at which the site serves it, as its author says.
        gone: A sync no longer found it: links to it are broken.
    """

    article_id: str
    version_id: str
    source: str
    path: str
    title: str
    body: str
    format: str = "markdown"
    url: str | None = None
    addresses: tuple[str, ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A link that leads nowhere. ``body[start:end] == text`` in that version.

    Attributes:
        target: Where it leads, as it is written.
        why: What is missing, in one plain sentence.
    """

    article_id: str
    version_id: str
    start: int
    end: int
    text: str
    target: str
    why: str


@dataclass
class CheckedLinks:
    """What became of the links of some pages.

    Attributes:
        broken: Links that lead nowhere.
        unknown: ``(article id, target)`` of links that cannot be judged.
        external: ``(article id, target)`` of links to other sites, for a check on request.
        fine: How many links lead to a page, and a heading, that is there.
    """

    broken: list[BrokenLink] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    external: list[tuple[str, str]] = field(default_factory=list)
    fine: int = 0


@dataclass(frozen=True, slots=True)
class Outline:
    """What other pages, and its own links, need to know of a body.

    Attributes:
        anchors: Folded names of the places that a link may lead to.
        open_ended: A template or script may make places that cannot be seen here.
    """

    links: tuple[Link, ...]
    anchors: frozenset[str]
    open_ended: bool


def outline(page: Page) -> Outline:
    """Return the links and anchors of a page; read once per version."""
    return _outline(page.version_id, page.body, page.format)


@lru_cache(maxsize=_CACHED)
def _outline(_version_id: str, body: str, kind: str) -> Outline:
    if kind == "text":
        return Outline((), frozenset(), open_ended=True)
    return Outline(
        tuple(links(body)),
        anchors_of(body),
        open_ended=kind == "html" or bool(_MAKES_CONTENT.search(body)),
    )


def anchors_of(body: str) -> frozenset[str]:
    """Return the folded names of the headings and marked places of a Markdown body.

    Sites spell anchors in many ways (``billing--plans``, ``billing-and-plans``): folded, they agree.
    """
    found: set[str] = set()
    for one in _EXPLICIT.finditer(body):
        found.add(fold_anchor(one["id"] or one["double"] or one["single"] or one["bare"]))
    masked = mask_templates(body)
    for pattern in (_HEADING, _BOLD_LINE):
        for one in pattern.finditer(masked):
            raw = next(words for words in one.groups() if words is not None)
            words = plain_text(_ATTRIBUTES.sub("", raw))
            for spelled in (words, words.replace("&", " and "), raw):
                found.add(fold_anchor(slug(spelled)))
    found.discard("")
    return frozenset(found)


def fold_anchor(anchor: str) -> str:
    """Return what the ways of spelling one anchor have in common."""
    return re.sub(r"[\W_]+", "", unquote(anchor)).casefold()


def _has_anchor(seen: Outline, anchor: str) -> bool:
    wanted = fold_anchor(anchor)
    if not wanted or wanted == "top" or wanted in seen.anchors:
        return True
    # kramdown drops what stands before the first letter; a repeated heading gets a number.
    bare = {wanted.lstrip("0123456789"), wanted.rstrip("0123456789")}
    return any(wanted == one.lstrip("0123456789") or one in bare for one in seen.anchors if one)


class LinkMap:
    """Resolves the links of a help center; built from all its pages, cheap to ask.

    Args:
        pages: Every article that is or was there, macros left out.
        is_file: Tells whether a source holds a file at a path, articles and all else.
    """

    def __init__(
        self,
        pages: Iterable[Page],
        is_file: Callable[[str, str], bool] = lambda source, path: False,
    ) -> None:
        self._pages = list(pages)
        self._is_file = is_file
        self._by_key: dict[tuple[str, str], Page] = {}
        self._addresses: dict[str, Page] = {}
        self._hosts: set[str] = set()
        for page in sorted(self._pages, key=lambda one: one.gone, reverse=True):
            key = _key(page.path)
            self._by_key[page.source, key] = page
            folder = _own_folder(key)
            if folder:
                self._by_key.setdefault((page.source, folder), page)
            for address in _addresses(page):
                self._addresses[address] = page
            if page.url:
                self._hosts.add(urlsplit(page.url).netloc.casefold())
        self._prefixes = self._learn_prefixes()
        self._held = self._learn_folders()

    def check(self, article_ids: Collection[str] | None = None) -> CheckedLinks:
        """Return what became of the links of these pages; default all that are not gone."""
        done = CheckedLinks()
        for page in self._pages:
            if page.gone or (article_ids is not None and page.article_id not in article_ids):
                continue
            for link in outline(page).links:
                outcome, why = self._judge(page, link.target)
                if outcome == "fine":
                    done.fine += 1
                elif outcome == "broken":
                    done.broken.append(
                        BrokenLink(
                            page.article_id,
                            page.version_id,
                            link.start,
                            link.end,
                            page.body[link.start : link.end],
                            link.target,
                            why,
                        )
                    )
                else:
                    listed = done.unknown if outcome == "unknown" else done.external
                    listed.append((page.article_id, link.target))
        return done

    def leading_to(self, article_ids: Collection[str]) -> set[str]:
        """Return the articles with a link that leads, or led, to one of these."""
        found: set[str] = set()
        for page in self._pages:
            for link in () if page.gone else outline(page).links:
                target = self._local(page, link.target)
                hit = target and self._find(page, target[0])
                if hit and hit.article_id in article_ids:
                    found.add(page.article_id)
                    break
        return found

    # Where a link leads

    def _judge(self, page: Page, target: str) -> tuple[Outcome, str]:
        if _SCHEME.match(target) and not self._own_site(target):
            return "external", ""
        local = self._local(page, target)
        if local is None:
            return "unknown", ""
        path, anchor = local
        if not path:
            return self._judge_anchor(page, page, anchor)
        hit = self._find(page, path)
        if hit is not None and hit.gone:
            return "broken", f"“{hit.title}” is no longer in the help center."
        if hit is not None:
            return self._judge_anchor(page, hit, anchor)
        return self._judge_missing(page, path, target)

    def _judge_anchor(self, page: Page, hit: Page, anchor: str) -> tuple[Outcome, str]:
        if not anchor:
            return "fine", ""
        seen = outline(hit)
        if _has_anchor(seen, anchor):
            return "fine", ""
        if seen.open_ended:
            return "unknown", ""
        where = "This article" if hit is page else f"“{hit.title}”"
        return "broken", f"{where} has no heading or place named “{anchor}”."

    def _judge_missing(self, page: Page, path: str, target: str) -> tuple[Outcome, str]:
        suffix = posixpath.splitext(path.rstrip("/"))[1].lower()
        why = f"There is no article at “{path}”."
        if not _key(path):
            return "unknown", ""  # the home page of a site is seldom one of its articles
        if not path.startswith("/"):
            if _HOST_LIKE.match(path):
                return "broken", f"“{target}” lacks https:// and is read as a page of this site."
            inside = _joined(posixpath.dirname(page.path), path)
            if inside is None or (suffix and suffix not in PAGE_SUFFIXES):
                return "unknown", ""
            if self._is_file(page.source, inside):
                return "fine", ""
            return "broken", why
        if suffix and suffix not in PAGE_SUFFIXES:
            return "unknown", ""
        if self._is_file(page.source, path.lstrip("/")):
            return "fine", ""
        # Right under its root a site has much else besides articles, unless a tag asks for a page.
        certain = bool(_folder(path)) or target.startswith("{")
        held = certain and _folder(path) in self._held
        return ("broken", why) if held else ("unknown", "")

    def _own_site(self, target: str) -> bool:
        return urlsplit(target).netloc.casefold() in self._hosts

    def _local(self, page: Page, target: str) -> tuple[str, str] | None:
        """Return path (``""``: the page itself) and anchor of a target on this site."""
        target = _BASE_VARIABLE.sub("", target.strip())
        tag = _TAG_TARGET.match(target)
        if tag and ("/" in tag["target"] or "." in tag["target"][1:]):
            if re.match(
                r"(?:site|page|post|include|params?)\.|\.|\$", tag["target"], re.IGNORECASE
            ):
                return None
            target = "/" + tag["target"].lstrip("/")
        if not target or "{" in target or "}" in target or "<" in target:
            return None
        if _SCHEME.match(target):
            if not self._own_site(target):
                return None
            parts = urlsplit(target)
            target = (parts.path or "/") + (f"#{parts.fragment}" if parts.fragment else "")
        path, _, anchor = target.partition("#")
        return unquote(path.partition("?")[0]).strip(), anchor

    def _find(self, page: Page, path: str) -> Page | None:
        if not path:
            return page
        for key in self._keys(page, path):
            hit = self._by_key.get((page.source, key)) or self._addresses.get(key)
            if hit is not None:
                return hit
        return None

    def _keys(self, page: Page, path: str) -> Iterator[str]:
        """Give the keys under which the page may be known, the likeliest first."""
        if path.startswith("/"):
            key = _key(path)
            yield key
            for theirs, ours in self._prefixes:
                if key == theirs or key.startswith(f"{theirs}/") or not theirs:
                    rest = key[len(theirs) :].lstrip("/")
                    yield "/".join(part for part in (ours, rest) if part)
            return
        folder = posixpath.dirname(page.path)
        pretty = _key(page.path)
        # As a file beside this one, or as an address below or beside the page's own.
        for base in (folder, pretty, posixpath.dirname(pretty)):
            joined = _joined(base, path)
            if joined is not None:
                yield _key(joined)
        for address in page.addresses:
            joined = _joined(address.strip("/"), path)
            if joined is not None:
                yield _key(joined)

    # What the site looks like

    def _absolute(self) -> Iterator[tuple[Page, str]]:
        for page in self._pages:
            for link in () if page.gone else outline(page).links:
                local = self._local(page, link.target)
                if local and local[0].startswith("/"):
                    yield page, local[0]

    def _learn_prefixes(self) -> list[tuple[str, str]]:
        """Return ``(prefix of addresses, prefix of paths)`` that turn one into the other."""
        by_tail: dict[str, set[str]] = defaultdict(set)
        for _, key in self._by_key:
            parts = key.split("/")
            for start in range(len(parts)):
                by_tail["/".join(parts[start:])].add(key)
        votes: Counter[tuple[str, str]] = Counter()
        for key in {_key(path) for _, path in self._absolute()}:
            if key in self._addresses or not key:
                continue
            parts = key.split("/")
            for start in range(len(parts)):
                tail = "/".join(parts[start:])
                if len(by_tail.get(tail, ())) == 1:
                    (known,) = by_tail[tail]
                    votes["/".join(parts[:start]), known[: -len(tail)].rstrip("/")] += 1
                    break
        most = max(votes.values(), default=0)
        return [
            pair
            for pair, count in votes.most_common()
            if count >= _LEAST_SUPPORT and 5 * count >= most and pair != ("", "")
        ]

    def _learn_folders(self) -> set[str]:
        """Return the folders of the site whose addresses are, as a rule, pages held here."""
        named: dict[str, set[str]] = defaultdict(set)
        known: dict[str, set[str]] = defaultdict(set)
        for page, path in self._absolute():
            if posixpath.splitext(path.rstrip("/"))[1].lower() not in ("", *PAGE_SUFFIXES):
                continue
            named[_folder(path)].add(_key(path))
            if self._find(page, path) is not None:
                known[_folder(path)].add(_key(path))
        return {
            folder
            for folder, keys in named.items()
            if len(known[folder]) > 1 and len(known[folder]) >= KNOWN_SHARE * len(keys)
        }


def broken_links(
    pages: Iterable[Page],
    article_ids: Collection[str] | None = None,
    is_file: Callable[[str, str], bool] = lambda source, path: False,
) -> list[BrokenLink]:
    """Return the broken links of these articles, in the order of ``pages``; default of all.

    Args:
        pages: Every article that is or was there, macros left out.
        article_ids: Whose links are looked at.
        is_file: Tells whether a source holds a file at a path.
    """
    return LinkMap(pages, is_file).check(article_ids).broken


def _key(path: str) -> str:
    """Return a path without slashes at its ends, extension and index name, folded."""
    path = path.strip("/").casefold()
    stem, suffix = posixpath.splitext(path)
    path = stem if suffix in PAGE_SUFFIXES else path
    folder, name = posixpath.split(path)
    return folder if name in _INDEX_NAMES else path


def _own_folder(key: str) -> str | None:
    """Return the folder that a page named like it stands for, as some site builders have it."""
    folder, name = posixpath.split(key)
    return folder if folder and posixpath.basename(folder) == name else None


def _folder(path: str) -> str:
    return posixpath.dirname(_key(path))


def _joined(base: str, path: str) -> str | None:
    """Return ``path`` seen from folder ``base``; None when it leads out of the source."""
    joined = posixpath.normpath(posixpath.join(base, path))
    if joined == ".." or joined.startswith("../"):
        return None
    return "" if joined == "." else joined


def _addresses(page: Page) -> Sequence[str]:
    found = [_key(address) for address in page.addresses if "/" in address]
    folder = posixpath.dirname(_key(page.path))
    found += [
        posixpath.join(folder, address.casefold())
        for address in page.addresses
        if "/" not in address
    ]
    if page.url:
        found.append(_key(urlsplit(page.url).path))
    return found
