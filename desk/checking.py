"""Checks texts written anywhere: an `ask --json` result, a bare draft, plain text, a macro."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import BadInput
from desk.macros import MacroJudge, said
from graph.draft import cite_whole
from graph.judging import judge_draft
from graph.ports import Deps
from graph.statements import PLACEHOLDER
from graph.values import Citation, Draft, Sentence
from kb.content import Passage
from kb.markup import html_to_body, split_front_matter
from kb.sentences import split_sentences

STDIN: Final = "-"
CHECKED_SUFFIXES: Final = (".md", ".mdx", ".markdown", ".txt", ".html", ".htm", ".json")
"""Files of a folder that are checked."""
MAX_CHARACTERS: Final = 100_000
CANDIDATES_PER_SENTENCE: Final = 5
OUTSIDE: Final = "outside"


class _CitationLine(BaseModel):
    """A citation names a passage by id, or by article, version and anchor with a quote."""

    model_config = ConfigDict(extra="ignore")

    passage_id: str = ""
    quote: str = ""
    start: int | None = None
    end: int | None = None


class _SentenceLine(BaseModel):
    text: str
    citations: list[_CitationLine] = []


class _DraftFile(BaseModel):
    opening: str = ""
    sentences: list[_SentenceLine]
    closing: str = ""
    drafter: str = OUTSIDE


class CheckResult(TypedDict):
    """What `proofdesk check` says of one text.

    ``findings`` are those of the check with ``text``, the sentence, and ``line``, where it begins in
    the file, from 1 (None where it cannot be found). ``sentences`` show what each was judged
    against; a macro has none.
    """

    path: str
    kind: Literal["draft", "macro"]
    passed: bool
    findings: list[Any]
    triggers: list[Any]
    sentences: list[Sentence]


@dataclass(frozen=True, slots=True)
class Written:
    """A text to be checked.

    Attributes:
        path: Where it was read, ``-`` for standard input.
        raw: The whole of it.
        kind: ``json``, ``html`` or ``text``.
    """

    path: str
    raw: str
    kind: Literal["json", "html", "text"]


def check_all(
    deps: Deps,
    written: Sequence[Written],
    question: str = "",
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> list[CheckResult]:
    """Check every text against the sources in force, in order.

    A sentence without citations is judged against the passages in force that fit it best. A text
    with ``{{placeholders}}`` or with a ``reason`` in its front matter is a macro and is judged like one.

    Args:
        deps: The parts of a desk.
        written: What :func:`read_all` gave.
        question: What the texts answer, where they do not say it themselves.
        on_progress: Called with how many texts are done, and how many there are.

    Raises:
        BadInput: One is JSON of another form.
    """
    parsed = [_parsed(one) for one in written]
    results = []
    for done, (one, draft) in enumerate(zip(written, parsed, strict=True), start=1):
        results.append(_checked(deps, one, draft, question))
        on_progress(done, len(written))
    return results


def read_all(paths: Sequence[Path]) -> list[Written]:
    """Return the texts in these files and folders; ``-`` is standard input.

    Raises:
        BadInput: One is missing, too long, empty or not UTF-8, or a folder holds nothing to check.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = [one for one in sorted(path.rglob("*")) if _is_checked(one, path)]
        if not inside:
            names = " ".join(CHECKED_SUFFIXES)
            raise BadInput(f"{path}: holds nothing to check; it reads {names}.")
        files += inside
    return [_read(file) for file in dict.fromkeys(files)]


def _is_checked(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return file.is_file() and not hidden and file.suffix.lower() in CHECKED_SUFFIXES


def _read(path: Path) -> Written:
    if str(path) == STDIN:
        raw = _decoded(STDIN, sys.stdin.buffer.read())
        return Written(STDIN, raw, "json" if raw.lstrip().startswith("{") else "text")
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file.")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror or error}.") from None
    kinds: dict[str, Literal["json", "html"]] = {".json": "json", ".html": "html", ".htm": "html"}
    return Written(str(path), _decoded(str(path), data), kinds.get(path.suffix.lower(), "text"))


def _decoded(name: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{name}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    if not text.strip():
        raise BadInput(f"{name}: is empty.")
    if len(text) > MAX_CHARACTERS:
        raise BadInput(
            f"{name}: has {len(text):,} characters; a draft may have {MAX_CHARACTERS:,}."
        )
    return text


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A text taken apart: a JSON draft, or words; and the question it says it answers."""

    draft: _DraftFile | None
    words: str
    question: str
    macro: bool = False


def _parsed(one: Written) -> _Parsed:
    if one.kind == "json":
        return _parsed_json(one)
    front, body = split_front_matter(one.raw)
    if one.kind == "html":
        body = html_to_body(body)[0]
    said_of_it = dict(
        re.findall(r"(?m)^(title|reason|question):[ \t]*[\"']?(.+?)[\"']?[ \t]*$", front)
    )
    # Other signs of a placeholder are left to the check: a reply with "[NAME]" in it is not ready.
    curly = any(found["curly"] for found in PLACEHOLDER.finditer(body))
    macro = "reason" in said_of_it or curly
    if not body.strip():
        raise BadInput(f"{one.path}: is empty.")
    return _Parsed(None, body, said_of_it.get("question") or said_of_it.get("title", ""), macro)


def _checked(deps: Deps, one: Written, parsed: _Parsed, question: str) -> CheckResult:
    question = question or parsed.question
    if parsed.macro:
        return _checked_macro(deps, one, parsed.words, question)
    if parsed.draft is not None:
        draft = _from_json(deps, parsed.draft, question)
    else:
        draft = _from_text(deps, parsed.words, question)
    report = judge_draft(draft, question, deps)[0]
    texts = [sentence["text"] for sentence in draft["sentences"]]
    return {
        "path": one.path,
        "kind": "draft",
        "passed": report["passed"],
        "findings": _located(one.raw, texts, report["findings"]),
        "triggers": list(report["triggers"]),
        "sentences": draft["sentences"],
    }


def _checked_macro(deps: Deps, one: Written, body: str, question: str) -> CheckResult:
    paragraphs = re.split(r"\n[ \t]*\n", body)
    judge = MacroJudge(deps.search, deps.citer, deps.checker, deps.past, deps.changes)
    verdict = judge.judge(one.path, question, paragraphs)
    texts = [sentence.text for sentence in said(paragraphs)]
    return {
        "path": one.path,
        "kind": "macro",
        "passed": not verdict.withheld,
        "findings": _located(one.raw, texts, verdict.findings),
        "triggers": [],
        "sentences": [],
    }


def _located(raw: str, texts: Sequence[str], findings: Iterable[Any]) -> list[Any]:
    """Return the findings with the sentence they are about and the line on which it begins."""
    lines: list[int | None] = []
    start = 0
    for text in texts:
        place = _place(raw, text, start)
        lines.append(None if place is None else raw.count("\n", 0, place) + 1)
        start = start if place is None else place
    return [
        {
            **finding,
            "text": texts[finding["sentence"]] if finding["sentence"] < len(texts) else "",
            "line": lines[finding["sentence"]] if finding["sentence"] < len(lines) else None,
        }
        for finding in findings
    ]


def _place(raw: str, text: str, start: int) -> int | None:
    """Return where ``text`` begins in ``raw``, whatever markup stands between its words."""
    words = re.findall(r"\w+", text)
    for count in (8, 4, 2):
        pattern = re.compile(r"\b" + r"\W+(?:\w+\W+)?".join(map(re.escape, words[:count])))
        found = (pattern.search(raw, start) or pattern.search(raw)) if words else None
        if found:
            return found.start()
    return None


def _from_text(deps: Deps, text: str, question: str) -> Draft:
    spans = split_sentences(text)
    asked = [question] if question else []
    found = _candidates(deps, [*asked, *(text[a:b] for a, b in spans)])
    return deps.citer.cite(text, found, OUTSIDE, question=question)


def _candidates(deps: Deps, sentences: Iterable[str]) -> list[Passage]:
    found: dict[str, Passage] = {}
    for sentence in sentences:
        for hit in deps.search.search(sentence, CANDIDATES_PER_SENTENCE):
            found.setdefault(hit.passage.id, hit.passage)
    return list(found.values())


def _parsed_json(one: Written) -> _Parsed:
    try:
        value = json.loads(one.raw)
    except json.JSONDecodeError as error:
        raise BadInput(f"{one.path}:{error.lineno}: not valid JSON: {error.msg}.") from None
    except RecursionError:
        raise BadInput(f"{one.path}: the JSON is nested too deeply.") from None
    question = value.get("question") if isinstance(value, dict) else None
    question = question if isinstance(question, str) else ""
    if isinstance(value, dict) and isinstance(value.get("draft"), dict):
        value = value["draft"]
    if isinstance(value, dict) and isinstance(value.get("text"), str) and "sentences" not in value:
        return _Parsed(None, value["text"], question)
    try:
        return _Parsed(_DraftFile.model_validate(value), "", question)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(f"{one.path}: {field}: {first['msg']}.") from None


def _from_json(deps: Deps, parsed: _DraftFile, question: str) -> Draft:
    cited = [c.passage_id for s in parsed.sentences for c in s.citations if c.passage_id]
    passages = deps.sources.passages(cited)
    return {
        "kind": "answer",
        "opening": parsed.opening,
        "sentences": [_sentence(deps, one, passages, question) for one in parsed.sentences],
        "closing": parsed.closing,
        "drafter": parsed.drafter,  # a model's sentences are held closer to their sources
        "note": "",
    }


def _sentence(
    deps: Deps, line: _SentenceLine, passages: dict[str, Passage], question: str
) -> Sentence:
    if not line.citations:
        found = _from_text(deps, line.text, question)["sentences"]
        citations = [citation for sentence in found for citation in sentence["citations"]]
        return {"text": line.text, "citations": citations}
    return {
        "text": line.text,
        "citations": [_citation(c, passages.get(c.passage_id)) for c in line.citations],
    }


def _citation(line: _CitationLine, passage: Passage | None) -> Citation:
    """Return the citation as it was given; the check holds a false one against the draft."""
    if passage is None:
        return {
            "passage_id": line.passage_id,
            "article_id": "",
            "version_id": "",
            "version": 0,
            "title": "",
            "anchor": "",
            "heading": [],
            "start": 0,
            "end": 0,
            "quote": line.quote,
            "content_hash": "",
            "url": None,
        }
    return {
        **cite_whole(passage),
        "start": passage.start if line.start is None else line.start,
        "end": passage.end if line.end is None else line.end,
        "quote": line.quote or passage.text,
    }
