"""Checks drafts written anywhere: an `ask --json` result, a bare draft, or plain text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TypedDict

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import BadInput
from graph.draft import cite_whole
from graph.evidence import cited_articles, cited_passage_ids
from graph.ports import Deps
from graph.values import CheckReport, Citation, Draft, Sentence
from kb.content import Passage
from kb.sentences import split_sentences

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
    """What `proofdesk check` prints. ``sentences`` show what each was judged against."""

    passed: bool
    findings: list[Any]
    triggers: list[Any]
    sentences: list[Sentence]


def check_file(deps: Deps, path: Path) -> CheckResult:
    """Check the draft in ``path`` against the sources in force.

    A sentence without citations is judged against the passages in force that fit it best.

    Raises:
        BadInput: The file is missing, too long, empty, or JSON of another form.
    """
    draft = read_draft(deps, path)
    report = check_draft(deps, draft)
    return {
        "passed": report["passed"],
        "findings": list(report["findings"]),
        "triggers": list(report["triggers"]),
        "sentences": draft["sentences"],
    }


def check_draft(deps: Deps, draft: Draft) -> CheckReport:
    """Judge ``draft`` against what is in force now."""
    passages = deps.sources.passages(cited_passage_ids(draft))
    in_force = deps.sources.versions_in_force(cited_articles(draft))
    return deps.checker.check(draft, passages, set(in_force.values()))


def read_draft(deps: Deps, path: Path) -> Draft:
    """Return the draft in ``path``, with citations found where it has none."""
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    if not text.strip():
        raise BadInput(f"{path}: is empty.")
    if len(text) > MAX_CHARACTERS:
        raise BadInput(
            f"{path}: has {len(text):,} characters; a draft may have {MAX_CHARACTERS:,}."
        )
    if path.suffix.lower() == ".json":
        return _from_json(deps, path, text)
    return _from_text(deps, text)


def _from_text(deps: Deps, text: str) -> Draft:
    spans = split_sentences(text)
    return deps.citer.cite(text, _candidates(deps, (text[a:b] for a, b in spans)), OUTSIDE)


def _candidates(deps: Deps, sentences: Iterable[str]) -> list[Passage]:
    found: dict[str, Passage] = {}
    for sentence in sentences:
        for hit in deps.search.search(sentence, CANDIDATES_PER_SENTENCE):
            found.setdefault(hit.passage.id, hit.passage)
    return list(found.values())


def _from_json(deps: Deps, path: Path, text: str) -> Draft:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{error.lineno}: not valid JSON: {error.msg}.") from None
    if isinstance(value, dict) and isinstance(value.get("draft"), dict):
        value = value["draft"]
    if isinstance(value, dict) and isinstance(value.get("text"), str) and "sentences" not in value:
        return _from_text(deps, value["text"])
    try:
        parsed = _DraftFile.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(f"{path}: {field}: {first['msg']}.") from None
    cited = [c.passage_id for s in parsed.sentences for c in s.citations if c.passage_id]
    passages = deps.sources.passages(cited)
    return {
        "kind": "answer",
        "opening": parsed.opening,
        "sentences": [_sentence(deps, sentence, passages) for sentence in parsed.sentences],
        "closing": parsed.closing,
        "drafter": parsed.drafter,  # a model's sentences are held closer to their sources
        "note": "",
    }


def _sentence(deps: Deps, line: _SentenceLine, passages: dict[str, Passage]) -> Sentence:
    if not line.citations:
        found = _from_text(deps, line.text)["sentences"]
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
