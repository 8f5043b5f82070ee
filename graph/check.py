"""The evidence check: no sentence leaves unless the passages it cites bear it out.

A sentence is laid beside its sources token by token (``graph.alignment``). Where it is nearly
their words, every changed word of weight is held against it. Where it is a paraphrase, its figures,
names, negations and permissions must agree with the stretch it rests on, and the rest must be
covered by words and, when an embedder is given, by meaning. What cannot be judged is a finding.

A sentence that a language model wrote must pass all this and, besides, keep close to one place of
one passage (``graph.departures``): of a model's free paraphrases too many are inventions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from graph.alignment import (
    Alignment,
    Edit,
    SourceUnit,
    Token,
    align,
    is_filler,
    same_spelling,
    source_units,
    tokenize,
)
from graph.answers import is_short_answer, read_answer
from graph.departures import Stretch, departure, stretches_of
from graph.ports import Past
from graph.promises import forbidden_words, is_courtesy, is_request, uncourteous
from graph.support import AnswerJudge, is_figure_of, why_flagged
from graph.values import CheckReport, Draft, Finding, FindingRule, TriggerFiring
from kb.content import Passage
from kb.facts import Fact, belongs_to_rival, extract_facts, kinship, opposed, same_value
from kb.sentences import split_sentences
from kb.words import opposite
from retrieval.ports import Embedder

# Chosen on basecamp and travis-ci (bench/check.py): the smallest share of matched weight at which
# a single changed word is more often an error than a way of putting it, and the least support
# that keeps paraphrases of the right passage and drops sentences about another one.
NEAR_VERBATIM: Final = 0.72
STRICT: Final = 0.78
SUPPORT_WITH_MEANING: Final = 0.6
SUPPORT_BY_WORDS: Final = 0.6
# Telling words (nearer to another value in the source) that move a figure to another subject.
TELLING_WORDS: Final = 1
# Words of weight below which a sentence is a fragment of an answer.
FRAGMENT: Final = 4
# A clause with at most this share of known words and less than this meaning in common is foreign.
CLAUSE_WORDS: Final = 0.34
CLAUSE_MEANING: Final = 0.45
# Drafts that a language model wrote: every sentence must repeat one place of one passage word for
# word or nearly so (graph.departures), and mean what that place means.
EXTRACTIVE: Final = "extractive"
MODEL_PREFIX: Final = "model:"
MODEL_MEANING: Final = 0.75

_LONGEST_SENTENCE = 2_000
_LONGEST_DRAFT = 30_000
_MOST_PIECES = 20  # sentences within one sentence of a draft
_MOST_JUDGED = 120  # in a whole draft
_MOST_WORK = 6_000_000  # words of a draft times words of what they are laid beside
_MOST_ANSWERS = 6  # sentences of a draft that are read with the question
_MOST_FIGURES = 60
_MOST_WORDS = 320
_MOST_SENTENCES = 200
_MOST_CITATIONS = 20
_RAW = 60_000  # characters of a passage in which exact words are looked for
_KIND_RULE: Final[dict[str, FindingRule]] = {
    "duration": "duration", "amount": "amount", "percentage": "percentage", "date": "date",
    "time": "date", "number": "number",
}  # fmt: skip
_ONCE = frozenset(["once", "when", "if", "upon", "since"])
_SOLID = frozenset(["value", "not", "limit", "name", "word", "code"])
_PLACE_OPPOSITES: Final = (
    {"on", "off"}, {"above", "below"}, {"to", "from"}, {"over", "under"}, {"up", "down"},
    {"into", "from"}, {"in", "out"},
)  # fmt: skip
_TRIGGER_RULE: Final[dict[str, FindingRule]] = {
    "unsupported_promise": "unsupported_promise",
    "final_policy_exception": "final_policy_exception",
    "irreversible_account_change": "irreversible_account_change",
    "emotional_response": "emotional_response",
}
_URL: Final = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,12}://|\bwww\.)[^\s<>\"'`“”]+|\b(?:javascript|data|mailto|tel):[^\s<>\"']+|"
    r"(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?\.)+(?:com|org|net|io|co|app|dev|info|biz|help|support|link|"
    r"site|online|xyz|top|ru|cn|uk|de|eu|us|gov|edu)(?:/[^\s<>\"'`“”)\]]*)?(?![\w@-])",
    re.I,
)
_MARKUP: Final = re.compile(
    r"<\s*/?\s*(?:a|img|script|iframe|form|style|link|object|svg|input|button|video|meta)\b[^>]*>?|"
    r"!?\[[^\]]*\]\([^)]*\)",
    re.I,
)


def _bare_link(url: str) -> str:
    url = url.strip().rstrip(".,;:!?*_)]}>'\"”").lower()
    url = re.sub(r"^(?:https?://|mailto:)?(?:www\.)?", "", url)
    return url.split("#")[0].rstrip("/")


@dataclass(frozen=True)
class _Support:
    """What one sentence may rest on."""

    passages: list[Passage]
    units: list[SourceUnit]
    vocabulary: frozenset[str]
    words: frozenset[str]
    raw: str

    def where(self, passage_id: str) -> str:
        for passage in self.passages:
            if passage.id == passage_id:
                return passage.context or passage.article_id
        return self.passages[0].context if self.passages else "the cited source"

    def facts(self) -> Iterable[tuple[Fact, SourceUnit]]:
        for unit in self.units:
            for token in unit.tokens:
                if token.fact is not None:
                    yield token.fact, unit


class _Findings:
    """Collects findings without saying one thing twice."""

    def __init__(self) -> None:
        self.items: list[Finding] = []

    def add(
        self,
        sentence: int,
        rule: FindingRule,
        message: str,
        words: str,
        source_words: str = "",
        passage_id: str | None = None,
    ) -> None:
        finding: Finding = {
            "sentence": sentence,
            "rule": rule,
            "message": message,
            "words": words[:300],
            "source_words": source_words[:300],
            "passage_id": passage_id,
        }
        if not any(
            (f["sentence"], f["rule"], f["words"]) == (sentence, rule, finding["words"])
            for f in self.items
        ):
            self.items.append(finding)

    def repeat(self, finding: Finding) -> None:
        """Take over a finding that was made elsewhere."""
        self.items.append(finding)


class EvidenceChecker:
    """Judges drafts against the passages they cite.

    Args:
        embedder: Compares paraphrases by meaning; without it, by words alone and more strictly.
        patterns: A workspace's own forbidden patterns, ``(trigger id, compiled pattern)``.
        asks: The questions of the workspace's reason map: in just these words a draft may say what
            no article says.
        past: The former versions of what is cited: with them an answer that was true is told from
            one that is.
        answers: The judge of short answers; default the one shipped, where there is an embedder.
    """

    def __init__(
        self,
        embedder: Embedder | None = None,
        patterns: Sequence[tuple[str, re.Pattern[str]]] = (),
        asks: Iterable[str] = (),
        past: Past | None = None,
        answers: AnswerJudge | None = None,
    ) -> None:
        self._embedder = embedder
        self._answers = answers or (AnswerJudge(embedder) if embedder is not None else None)
        self._past = past
        self._patterns = tuple(patterns)
        self._asks = tuple(asks)

    def check(
        self,
        draft: Draft,
        passages: Mapping[str, Passage],
        in_force: set[str],
        question: str = "",
    ) -> CheckReport:
        """Return what is wrong with ``draft``; see ``graph.ports.Checker``."""
        findings = _Findings()
        # What the extractive drafter repeats word for word needs no question to be understood.
        asked = "" if draft.get("drafter") == EXTRACTIVE else question.strip()
        triggers: list[TriggerFiring] = []
        units = _UnitCache()
        read = 0
        kind = draft.get("kind")
        by_model = str(draft.get("drafter", "")).startswith(MODEL_PREFIX)
        sentences: Any = draft.get("sentences")
        if not isinstance(sentences, list):
            findings.add(0, "unsupported", "The draft has no list of sentences to check.", "")
            sentences = []
        for edge, index in (("opening", 0), ("closing", max(0, len(sentences) - 1))):
            self._check_edge(draft.get(edge, ""), edge, index, findings, triggers)
        for index, sentence in enumerate(sentences):
            if index >= _MOST_SENTENCES or read > _LONGEST_DRAFT:
                findings.add(
                    index,
                    "unsupported",
                    f"The draft is too long: from sentence {index + 1} on it was not checked.",
                    "",
                )
                break
            if isinstance(sentence, dict) and isinstance(sentence.get("text"), str):
                read += len(sentence["text"])
            self._check_sentence(
                index,
                sentence,
                kind == "clarify",
                by_model,
                "" if by_model or kind == "clarify" else asked,
                passages,
                in_force,
                units,
                findings,
                triggers,
            )
        return {
            "passed": not findings.items and not triggers,
            "findings": findings.items,
            "triggers": triggers,
        }

    def _check_edge(
        self,
        text: object,
        edge: str,
        index: int,
        findings: _Findings,
        triggers: list[TriggerFiring],
    ) -> None:
        if not isinstance(text, str):
            findings.add(index, "unsupported", f"The {edge} is not text.", repr(text)[:80])
            return
        self._promises(text[:_LONGEST_SENTENCE], index, None, findings, triggers)
        if len(text) > _LONGEST_SENTENCE:
            findings.add(index, "unsupported", f"The {edge} is too long to be a courtesy.", text)
            return
        for piece in uncourteous(text):
            findings.add(
                index,
                "no_citation",
                f"The {edge} says “{_short(piece)}”, which is more than a courtesy "
                "and cites no source.",
                piece,
            )

    def _check_sentence(
        self,
        index: int,
        sentence: Any,
        clarifies: bool,
        by_model: bool,
        question: str,
        passages: Mapping[str, Passage],
        in_force: set[str],
        units: _UnitCache,
        findings: _Findings,
        triggers: list[TriggerFiring],
    ) -> None:
        text = sentence.get("text") if isinstance(sentence, dict) else None
        citations = sentence.get("citations") if isinstance(sentence, dict) else None
        if not isinstance(text, str) or not isinstance(citations, list):
            findings.add(index, "unsupported", "This sentence has no readable form.", "")
            return
        cited = _cited(index, citations, passages, in_force, findings)
        support = units.support(cited)
        self._promises(text[:_LONGEST_SENTENCE], index, support, findings, triggers)
        _check_links(index, text[:_LONGEST_SENTENCE], cited, findings)
        if len(text) > _LONGEST_SENTENCE:
            findings.add(index, "unsupported", "This sentence is too long to be checked.", text)
            return
        asked = next((ask for ask in self._asks if ask in text), "")
        text = text.replace(asked, "")
        pieces = [text[start:end] for start, end in split_sentences(text)]
        if text.strip() and not pieces and not is_courtesy(text):
            findings.add(index, "unsupported", "This sentence has no words to check.", text)
        # A model's courtesies are taken out when its reply is read; what is left is a claim.
        short = bool(question) and self._answers is not None and is_short_answer(text)
        if short:
            pieces = [text]
        else:
            pieces = [piece for piece in pieces if by_model or not is_courtesy(piece)]
        if clarifies:
            pieces = [piece for piece in pieces if not is_request(piece)]
        if not pieces:
            return
        if not citations:
            findings.add(
                index,
                "no_citation",
                f"“{_short(text)}” states something and cites no source.",
                text,
            )
            return
        if not cited:
            return
        if short and units.answers < _MOST_ANSWERS:
            units.answers += 1
            self._judge_answer(index, text, question, support, units, findings)
            return
        room = min(_MOST_PIECES, _MOST_JUDGED - units.judged)
        for piece in _join_answers(pieces)[:room]:
            units.judged += 1
            units.work += len(piece.split()) * sum(len(unit.tokens) for unit in support.units)
            if units.work > _MOST_WORK:
                findings.add(
                    index,
                    "unsupported",
                    f"“{_short(piece)}” and what follows were not checked: draft and sources are "
                    "too long to be laid beside each other.",
                    piece,
                )
                break
            before = len(findings.items)
            self._judge(index, piece, support, findings)
            if by_model and len(findings.items) == before:
                self._judge_closely(index, piece, support, units.stretches(support), findings)
        if len(pieces) > room:
            findings.add(
                index,
                "unsupported",
                f"“{_short(text)}” holds too many sentences; the last ones were not checked.",
                text,
            )

    def _judge_answer(
        self,
        index: int,
        text: str,
        question: str,
        support: _Support,
        units: _UnitCache,
        findings: _Findings,
    ) -> None:
        """Judge a short answer with its question; see ``graph.support``."""
        assert self._answers is not None
        judged = self._answers.judge(
            question, text, support.passages, units.editions(support, self._past)
        )
        plainly = _Findings()
        if not read_answer(text).silent:
            for piece in _join_answers([text[a:b] for a, b in split_sentences(text)]):
                self._judge(index, piece, support, plainly)
        # A figure that stands nowhere in the source is wrong however well the rest fits.
        certain = [found for found in plainly.items if _is_absent_figure(found, support)]
        if judged.flagged:
            nearest = judged.came or judged.nearest
            findings.add(
                index,
                "unsupported",
                why_flagged(text, judged, support.passages[0].title),
                text,
                nearest.unit.text if nearest else "",
                nearest.unit.passage_id if nearest else support.passages[0].id,
            )
        exact = [found for found in plainly.items if found["rule"] != "unsupported"]
        for found in exact if judged.flagged else certain:
            findings.repeat(found)

    def _promises(
        self,
        text: str,
        index: int,
        support: _Support | None,
        findings: _Findings,
        triggers: list[TriggerFiring],
    ) -> None:
        for found in forbidden_words(text, self._patterns):
            if found.trigger != "emotional_response" and support and _said(found.words, support):
                continue
            triggers.append(
                {
                    "id": found.trigger,
                    "tier": "forbidden",
                    "evidence": found.words,
                    "by": found.by,
                    "start": found.start,
                    "end": found.end,
                }
            )
            rule = _TRIGGER_RULE.get(found.trigger, "unsupported_promise")
            findings.add(index, rule, _PROMISE_MESSAGE[rule].format(found.words), found.words)

    def _judge(self, index: int, piece: str, support: _Support, findings: _Findings) -> None:
        if (
            len(re.findall(r"\d+", piece)) > _MOST_FIGURES
            or len(re.findall(r"\w+", piece)) > _MOST_WORDS
        ):
            findings.add(
                index,
                "unsupported",
                f"“{_short(piece)}” has too many words or figures for one sentence to be checked.",
                piece,
            )
            return
        piece = _without_heading(piece, support)
        answer = _NO_ANSWER.match(piece)
        says_no = answer is not None
        rest = piece[answer.end() :].lstrip(" ,;:–—-") if answer else ""
        # "No, …" answers a question that is not here: what follows is judged.
        piece = rest or piece
        tokens = tokenize(piece)
        solid = [token for token in tokens if token.kind in _SOLID and not is_filler(token)]
        if not any(token.kind in {"value", "name", "word", "code"} for token in solid):
            if re.fullmatch(r"\W*(?:yes|no|correct|right|true|false)\W*", piece, re.I) or tokens:
                findings.add(
                    index,
                    "unsupported",
                    f"“{_short(piece)}” cannot be checked without the rest of the answer.",
                    piece,
                )
            return
        alignment = align(tokens, support.units)
        near = alignment.coverage >= NEAR_VERBATIM and bool(alignment.windows)
        judge = _Judge(index, piece, alignment, support, findings, near, says_no)
        judge.absence()
        judge.values()
        judge.names()
        judge.polarity()
        if not near or not judge.changed_words():
            judge.support(self._closeness(piece, alignment, support))
            for clause in judge.strange_clauses():
                judge.strange(clause, self._closeness(clause, alignment, support))

    def _judge_closely(
        self,
        index: int,
        piece: str,
        support: _Support,
        stretches: Sequence[Stretch],
        findings: _Findings,
    ) -> None:
        """Hold a model's sentence against the one place it repeats; see ``graph.departures``."""
        found, stretch = departure(piece, stretches)
        bare = _without_heading(piece, support)
        if found is not None and bare != piece:
            piece = bare
            found, stretch = departure(piece, stretches)
        if found is not None:
            where = support.where(found.passage_id or support.passages[0].id)
            findings.add(
                index,
                "unsupported",
                f"{found.message} A model wrote this: read it beside its source. ({where})",
                found.words or piece,
                found.source_words,
                found.passage_id or support.passages[0].id,
            )
            return
        if self._embedder is None:
            return
        vectors = self._embedder.embed([piece, stretch])
        if float(vectors[0] @ vectors[1]) < MODEL_MEANING:
            findings.add(
                index,
                "unsupported",
                f"A model wrote “{_short(piece)}”, which does not mean quite what its source says: "
                "read it beside its source.",
                piece,
                stretch,
                support.passages[0].id,
            )

    def _closeness(self, piece: str, alignment: Alignment, support: _Support) -> float | None:
        if self._embedder is None:
            return None
        stretches = list(dict.fromkeys(window.text for window in alignment.windows))[:3]
        units = [unit.text for unit in support.units if not unit.is_context]
        if len(units) <= 4:
            stretches.append(" ".join(units)[:1_500])
        context = support.passages[0].context
        texts = [piece, *stretches, *(f"{context}: {stretch}"[:1_500] for stretch in stretches[:1])]
        vectors = self._embedder.embed(texts)
        return float((vectors[1:] @ vectors[0]).max()) if len(texts) > 1 else 0.0


class _UnitCache:
    """Reads each cited passage once per check."""

    def __init__(self) -> None:
        self._units: dict[str, list[SourceUnit]] = {}
        self._stretches: dict[tuple[str, ...], list[Stretch]] = {}
        self._editions: dict[str, list[list[Passage]]] = {}
        self.judged = 0
        self.answers = 0
        self.work = 0

    def editions(self, support: _Support, past: Past | None) -> list[list[Passage]]:
        """Return the version that is cited first and those its article had before it."""
        if past is None:
            return []
        version = support.passages[0].version_id
        if version not in self._editions:
            self._editions[version] = past.editions(version)
        return self._editions[version]

    def support(self, passages: list[Passage]) -> _Support:
        units: list[SourceUnit] = []
        for passage in passages:
            if passage.id not in self._units:
                self._units[passage.id] = source_units(
                    passage.id, passage.plain, [passage.title, *passage.heading_path]
                )
            units += self._units[passage.id]
        vocabulary = frozenset(token.key for unit in units for token in unit.tokens)
        raw = "\n".join(
            " ".join((p.text[:_RAW], p.plain[:_RAW], p.context, p.url or "")) for p in passages
        ).casefold()
        words = frozenset(re.findall(r"[^\W_]+(?:'[^\W_]+)?", raw.replace("’", "'")))
        words |= {word.removesuffix("'s") for word in words}
        return _Support(passages, units, vocabulary, words, raw)

    def stretches(self, support: _Support) -> list[Stretch]:
        """What a model's sentence may repeat."""
        cited = tuple(passage.id for passage in support.passages)
        if cited not in self._stretches:
            self._stretches[cited] = stretches_of(support.units)
        return self._stretches[cited]


def _cited(
    index: int,
    citations: list[Any],
    passages: Mapping[str, Passage],
    in_force: set[str],
    findings: _Findings,
) -> list[Passage]:
    found: list[Passage] = []
    for citation in citations[:_MOST_CITATIONS]:
        passage_id = citation.get("passage_id") if isinstance(citation, dict) else None
        passage = passages.get(passage_id) if isinstance(passage_id, str) else None
        if passage is None:
            findings.add(
                index, "unknown_source", "A cited source does not exist.", str(passage_id)[:100]
            )
            continue
        problem = _misquote(citation, passage)
        if problem:
            findings.add(
                index,
                "unknown_source",
                f"A citation of “{passage.context}” {problem}.",
                str(citation.get("quote", ""))[:300],
                passage.text,
                passage.id,
            )
        if passage.version_id not in in_force:
            findings.add(
                index,
                "out_of_force",
                f"“{passage.context}” (version {passage.version}) is no longer in force.",
                "",
                passage.plain,
                passage.id,
            )
        if all(passage.id != other.id for other in found):
            found.append(passage)
    if len(citations) > _MOST_CITATIONS:
        findings.add(index, "unsupported", "This sentence cites too many sources to check.", "")
    return found


def _misquote(citation: Mapping[str, Any], passage: Passage) -> str:
    start, end, quote = citation.get("start"), citation.get("end"), citation.get("quote")
    if not isinstance(start, int) or not isinstance(end, int) or not isinstance(quote, str):
        return "does not say which words it means"
    if citation.get("version_id") != passage.version_id:
        return "names another version than its passage"
    if citation.get("content_hash") != passage.content_hash:
        return "was made for other words than the passage now has"
    if not passage.start <= start < end <= passage.end:
        return "points outside its passage"
    if passage.text[start - passage.start : end - passage.start] != quote:
        return "does not quote the passage's exact words"
    return ""


def _check_links(index: int, text: str, cited: list[Passage], findings: _Findings) -> None:
    allowed: set[str] = set()
    for passage in cited:
        for source in (passage.text, passage.plain, passage.url or ""):
            allowed.update(_bare_link(m.group()) for m in _URL.finditer(source))
        allowed.update(
            _bare_link(target) for target in re.findall(r"\]\(\s*<?([^)\s>]+)", passage.text)
        )
        allowed.update(
            _bare_link(t) for t in re.findall(r"href\s*=\s*[\"']([^\"']+)", passage.text, re.I)
        )
    for match in _MARKUP.finditer(text):
        findings.add(
            index,
            "link",
            f"The draft holds markup or an embedded link: “{_short(match.group())}”. "
            "A reply is plain text.",
            match.group(),
        )
    for match in _URL.finditer(text):
        link = _bare_link(match.group())
        if link and link not in allowed:
            findings.add(
                index,
                "link",
                f"The link “{_short(match.group())}” is in none of the cited sources.",
                match.group(),
                "",
                cited[0].id if cited else None,
            )


def _without_heading(piece: str, support: _Support) -> str:
    """Take a heading of the source off the front of "Refunds: within 30 days"."""
    found = re.match(r"([^:]{2,120}):\s+(?=\w)", piece)
    if not found:
        return piece
    heading = _folded(found.group(1))
    if any(unit.is_context and _folded(unit.text) == heading for unit in support.units):
        return piece[found.end() :]
    return piece


def _is_absent_figure(finding: Finding, support: _Support) -> bool:
    if finding["rule"] not in {"number", "amount", "date", "duration", "percentage", "link"}:
        return False
    values = [fact for fact, _ in support.facts()]
    return not any(
        same_value(fact, other) or is_figure_of(fact, other)
        for fact in extract_facts(finding["words"], polarity=False, names=False)
        for other in values
    )


def _join_answers(pieces: list[str]) -> list[str]:
    """Put a bare "Yes." or "No." before what it introduces."""
    joined: list[str] = []
    held = ""
    for piece in pieces:
        bare = re.fullmatch(r"\W*(yes|no)\W*", piece, re.I)
        if bare and piece is not pieces[-1]:
            held = f"{bare.group(1)}, "
            continue
        joined.append(held + piece)
        held = ""
    return joined


_CONTRACTIONS: Final = (
    (r"\bwon't\b", "will not"), (r"\bcan't\b|\bcannot\b", "can not"), (r"n't\b", " not"),
    (r"'ll\b", " will"), (r"'re\b", " are"), (r"'ve\b", " have"), (r"'m\b", " am"),
)  # fmt: skip


def _folded(text: str) -> str:
    text = text.casefold().replace("’", "'")
    for pattern, full in _CONTRACTIONS:
        text = re.sub(pattern, full, text)
    return " ".join(re.findall(r"[\w']+", text))


def _said(words: str, support: _Support) -> bool:
    """Say whether a source says ``words``: as they are, or their weighty ones in that order."""
    wanted = _folded(words)
    if not wanted:
        return False
    if f" {wanted} " in f" {_folded(support.raw)} ":
        return True
    if _DEED.search(words):
        # What was done for this customer cannot stand in an article.
        return False
    keys = [token.key for token in tokenize(words) if token.kind != "function"]
    return bool(keys) and any(
        LCSseq.similarity(keys, unit.keys) == len(keys) for unit in support.units
    )


_DEED: Final = re.compile(r"\bi\b|\b(?:have|has|had|was|been)\b|['’]ve\b|\bwe\s+\w+ed\b", re.I)


def _short(text: str, most: int = 120) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= most else folded[: most - 1] + "…"


def _shown(tokens: Sequence[Token]) -> str:
    seen: list[Token] = []
    for token in tokens:
        if not seen or (token.start, token.end) != (seen[-1].start, seen[-1].end):
            seen.append(token)
    return " ".join(token.text for token in seen)


_PROMISE_MESSAGE: Final[dict[FindingRule, str]] = {
    "unsupported_promise": "The draft promises “{}”, which no cited source says.",
    "final_policy_exception": "The draft grants or closes a policy exception (“{}”); "
    "only a person may decide that.",
    "irreversible_account_change": "The draft announces a change to the account that cannot be "
    "undone (“{}”).",
    "emotional_response": "The draft answers with emotion (“{}”).",
}


_NO_ANSWER: Final = re.compile(
    r"\s*(?:no\b\s*[,;:–—-]|not\s+(?:yet|necessarily|really|always|definitely|currently|exactly|"
    r"at\s+(?:the\s+moment|this\s+time|present)|right\s+now|any\s?more)\b)",
    re.I,
)
_ABSENCE: Final = re.compile(
    r"\b(?:not|no|none|nothing|never|only|\w+n['’]t)\b[^.;]{0,60}?\b(?:stated|mentioned|addressed|"
    r"specified|described|documented|covered|discussed)\b",
    re.I,
)


def _has_words(tokens: Sequence[Token]) -> bool:
    return any(t.kind in {"word", "modal", "value"} and not is_filler(t) for t in tokens)


class _Judge:
    """The findings of one sentence against the stretch of source it rests on."""

    def __init__(
        self,
        index: int,
        piece: str,
        alignment: Alignment,
        support: _Support,
        findings: _Findings,
        near: bool,
        says_no: bool,
    ) -> None:
        self._index = index
        self._piece = piece
        self._alignment = alignment
        self._support = support
        self._findings = findings
        self._near = near
        self._says_no = says_no
        self._spelled: dict[str, bool] = {}
        self._window = alignment.windows[0] if alignment.windows else None
        self._passage_id = self._window.passage_id if self._window else support.passages[0].id
        # A fragment ("10 minutes") answers a question that is not here: nobody expects it to
        # carry the negations and limits of the sentence it was taken from.
        self._fragment = (
            sum(t.kind in _SOLID and not is_filler(t) for t in alignment.tokens) < FRAGMENT
        )
        self._edit_of: dict[int, Edit] = {
            id(token): edit for edit in alignment.edits for token in edit.ours
        }

    def _add(self, rule: FindingRule, message: str, words: str, source_words: str) -> None:
        where = self._support.where(self._passage_id)
        self._findings.add(
            self._index,
            rule,
            f"{message} ({where})" if where else message,
            words,
            source_words,
            self._passage_id,
        )

    def _pairs(self) -> Iterable[tuple[Token, tuple[int, int] | None]]:
        return zip(self._alignment.tokens, self._alignment.partner, strict=True)

    def absence(self) -> None:
        """That a source does not say something is no claim a citation can bear out."""
        found = _ABSENCE.search(self._piece)
        if found and _folded(found.group()) not in _folded(self._support.raw):
            self._add(
                "unsupported",
                f"“{_short(found.group())}” is about what the source leaves out; "
                "no citation can bear that out.",
                found.group(),
                "",
            )

    # -- figures ---------------------------------------------------------------------------

    def values(self) -> None:
        """Every figure must stand in the source, with the same bound, about the same thing."""
        inverted = self._inverted()
        verbatim = self._is_verbatim()
        for token, partner in self._pairs():
            fact = token.fact
            if token.kind != "value" or fact is None:
                continue
            rule = _KIND_RULE[fact.kind]
            equal = [
                (other, unit) for other, unit in self._support.facts() if same_value(fact, other)
            ]
            if not equal:
                if self._soft(token):
                    continue
                nearest = self._nearest(token, fact)
                said = f"the source says “{nearest}”" if nearest else "the source does not"
                self._add(rule, f"The draft says “{token.text}”, {said}.", token.text, nearest)
                continue
            if partner is not None and partner[0] == 0 and self._window:
                theirs = self._window.tokens[partner[1]].fact
                if theirs is not None and opposed(fact, theirs):
                    source_words = self._window.tokens[partner[1]].text
                    self._add(
                        rule,
                        f"The draft says “{token.text}”, the source says “{source_words}”.",
                        token.text,
                        source_words,
                    )
                    continue
            elif all(opposed(fact, other) for other, _ in equal):
                other = equal[0][0]
                self._add(
                    rule,
                    f"The draft says “{token.text}”, the source bounds “{other.text}” "
                    "the other way.",
                    token.text,
                    other.text,
                )
                continue
            if fact.vague or verbatim:
                continue
            self._attached(token, fact, [other for other, _ in equal], rule, id(token) in inverted)

    def _is_verbatim(self) -> bool:
        """Whether the sentence's weighty words stand in the source side by side."""
        if self._window is None:
            return False
        ours = [t.key for t in self._alignment.tokens if not is_filler(t)]
        theirs = [t.key for t in self._window.tokens if not is_filler(t)]
        return any(
            theirs[start : start + len(ours)] == ours
            for start in range(len(theirs) - len(ours) + 1)
        )

    def _soft(self, token: Token) -> bool:
        fact = token.fact
        if fact is None or not fact.vague:
            return False
        edit = self._edit_of.get(id(token))
        return not (edit and edit.flanked and any(t.kind == "value" for t in edit.theirs))

    def _nearest(self, token: Token, fact: Fact) -> str:
        edit = self._edit_of.get(id(token))
        if edit is not None:
            for other in edit.theirs:
                if other.fact is not None and other.fact.kind == fact.kind:
                    return other.text
            for other in edit.theirs:
                if other.kind == "value":
                    return other.text
        kin = [other for other, _ in self._support.facts() if other.kind == fact.kind]
        best = max(kin, key=lambda other: kinship(fact, other), default=None)
        return best.text if best is not None else ""

    def _inverted(self) -> set[int]:
        """Tokens of figures that stand in another order than in the source."""
        if self._window is None:
            return set()
        places: list[tuple[int, Token]] = []
        for token, partner in self._pairs():
            if token.kind != "value":
                continue
            spots = [j for j, t in enumerate(self._window.tokens) if t.key == token.key]
            if len(spots) != 1:
                continue
            matched = partner is not None and partner[0] == 0
            places.append((partner[1] if matched and partner else spots[0], token))
        order = [place for place, _ in places]
        if order == sorted(order):
            return set()
        return {
            id(token)
            for position, (place, token) in enumerate(places)
            if any(p > place for p in order[:position]) or any(p < place for p in order[position:])
        }

    def _attached(
        self, token: Token, fact: Fact, equal: list[Fact], rule: FindingRule, inverted: bool
    ) -> None:
        """The same value may stand in the source about something else."""
        others = [
            other
            for other, _ in self._support.facts()
            if other.kind == fact.kind and not same_value(fact, other) and not other.vague
        ]
        if not others:
            return
        rival = max(others, key=lambda other: kinship(fact, other))
        best = max(kinship(fact, other) for other in equal)
        near_rival = kinship(fact, rival)
        edit = self._edit_of.get(id(token))
        replaced = [
            t for t in (edit.theirs if edit else ()) if t.fact is not None and t.fact in others
        ]
        if replaced and edit and edit.flanked and self._near:
            one_for_one = len(edit.ours) == len(edit.theirs) == 1
            wrong = one_for_one or inverted or near_rival >= best - 0.15
            rival = replaced[0].fact or rival
        elif inverted:
            wrong = near_rival >= best - 0.05
        else:
            telling = [
                min(belongs_to_rival(fact, other, candidate) for other in equal)
                for candidate in others
            ]
            most = max(telling)
            rival = others[telling.index(most)]
            wrong = near_rival > best + 0.35 or most >= TELLING_WORDS
        if wrong:
            self._add(
                rule,
                f"“{token.text}” is in the source, but about something else; there the source "
                f"says “{rival.text}”.",
                token.text,
                rival.text,
            )

    # -- names -----------------------------------------------------------------------------

    def names(self) -> None:
        """Names, addresses, links and identifiers must occur in what is cited."""
        run: list[Token] = []
        for token, _ in self._pairs():
            if token.kind == "code" and token.fact is not None:
                self._code(token, token.fact)
            known = token.key in self._support.vocabulary or is_filler(token)
            if token.kind == "name" and not known and not self._spelled_in_source(token):
                run.append(token)
                continue
            self._unknown_name(run)
            run = []
        self._unknown_name(run)
        for edit in self._alignment.edits:
            self._swapped_name(edit)
        self._exchanged_names()

    def _code(self, token: Token, fact: Fact) -> None:
        if token.key in self._support.vocabulary or fact.value.casefold() in self._support.raw:
            return
        rule: FindingRule = "link" if fact.kind == "url" else "name"
        rivals = [o.text for o, _ in self._support.facts() if o.kind == fact.kind]
        nearest = max(rivals, key=lambda other: fuzz.ratio(other, token.text), default="")
        said = f"the source says “{nearest}”" if nearest else "the cited source does not"
        self._add(rule, f"The draft says “{_short(token.text)}”, {said}.", token.text, nearest)

    def _spelled_in_source(self, token: Token) -> bool:
        word = token.text.casefold().replace("’", "'")
        word = word[:-2] if word.endswith("'s") else word
        return word in self._support.words

    def _unknown_name(self, run: list[Token]) -> None:
        if not run:
            return
        words = _shown(run)
        edit = self._edit_of.get(id(run[0]))
        theirs = _shown([t for t in edit.theirs if t.kind in {"name", "word"}]) if edit else ""
        said = f"the source says “{_short(theirs)}”" if theirs else "the cited source does not"
        self._add("name", f"The draft names “{words}”, {said}.", words, theirs)

    def _swapped_name(self, edit: Edit) -> None:
        ours = [t for t in edit.ours if t.kind in {"name", "code"}]
        theirs = [t for t in edit.theirs if t.kind in {"name", "code", "word"} and not is_filler(t)]
        solid_ours = [t for t in edit.ours if t.kind in _SOLID and not is_filler(t)]
        solid_theirs = [t for t in edit.theirs if t.kind in _SOLID and not is_filler(t)]
        if not ours or not theirs or not self._near:
            return
        if len(solid_ours) > 3 or len(solid_theirs) > 4:
            return
        if {t.key for t in ours} & {t.key for t in theirs}:
            return
        if self._alignment.coverage < STRICT and not any(t.kind == "name" for t in theirs):
            return
        if not (edit.flanked or len(solid_theirs) <= max(3, len(solid_ours))):
            return
        self._add(
            "name",
            f"The draft says “{_shown(ours)}” where the source says “{_shown(theirs)}”.",
            _shown(ours),
            _shown(theirs),
        )

    def _exchanged_names(self) -> None:
        """Two names of the source may have changed places."""
        if self._window is None or self._alignment.coverage < STRICT:
            return
        keys = [t.key for t in self._window.tokens]
        placed: list[tuple[int, int, Token]] = []
        for position, (token, partner) in enumerate(self._pairs()):
            if token.kind in {"name", "code"} and keys.count(token.key) == 1:
                matched = partner is not None and partner[0] == 0
                placed.append(
                    (position, partner[1] if matched and partner else keys.index(token.key), token)
                )
        tokens = self._alignment.tokens
        for i, (here, there, left) in enumerate(placed):
            for here_right, there_right, right in placed[i + 1 :]:
                between = tokens[here + 1 : here_right]
                passed = self._window.tokens[there_right + 1 : there]
                # Names of one list, and the parts of one name, may stand in any order.
                if there > there_right and _has_words(between) and _has_words(passed):
                    self._add(
                        "name",
                        f"“{left.text}” and “{right.text}” stand the other way round in the source.",
                        f"{left.text} … {right.text}",
                        f"{right.text} … {left.text}",
                    )
                    return

    # -- negations and permissions -----------------------------------------------------------

    def polarity(self) -> None:
        """What is allowed, forbidden, limited or denied must be so in the source too."""
        if self._window is None:
            return
        if self._near:
            for number, edit in enumerate(self._alignment.edits):
                self._edit_polarity(edit, number)
                self._edit_modal(edit)
                self._edit_limits(edit, number)
            return
        for edit in self._alignment.edits:
            if edit.flanked and len(edit.ours) <= 2 and len(edit.theirs) <= 2:
                self._edit_modal(edit)
        self._clause_polarity()

    def _region(self, edit: Edit, number: int) -> list[Token]:
        """The part of the source side of ``edit`` that the sentence had to carry."""
        if self._window is None:
            return []
        if edit.flanked:
            return self._inner_region(edit)
        edits = self._alignment.edits
        matched = sorted(self._window.matched)
        if not matched or not edit.theirs or self._fragment:
            return []
        first, last = self._window.tokens[matched[0]], self._window.tokens[matched[-1]]
        before = edit.theirs[-1].start < first.start and number == 0 and edit is edits[0]
        same_unit = self._window.unit_of
        if before and self._window.tokens.index(edit.theirs[-1]) < matched[0]:
            unit, clause = same_unit[matched[0]], first.clause
            positions = range(matched[0])
        else:
            unit, clause = same_unit[matched[-1]], last.clause
            positions = range(matched[-1] + 1, len(self._window.tokens))
        return [
            self._window.tokens[j]
            for j in positions
            if same_unit[j] == unit and self._window.tokens[j].clause == clause
        ]

    def _inner_region(self, edit: Edit) -> list[Token]:
        if self._window is None or len(edit.theirs) <= 8:
            return list(edit.theirs)
        # A long gap is words that were passed over: only its ends touch ours, and where it
        # reaches into another sentence only the end that leads on.
        tokens, unit_of = self._window.tokens, self._window.unit_of
        first = next(j for j, t in enumerate(tokens) if t is edit.theirs[0])
        last = first + len(edit.theirs) - 1
        crosses = unit_of[first - 1] != unit_of[last + 1]
        ends = {
            (unit_of[j], tokens[j].clause)
            for j in ((last + 1,) if crosses else (first - 1, last + 1))
        }
        return [tokens[j] for j in range(first, last + 1) if (unit_of[j], tokens[j].clause) in ends]

    def _edit_polarity(self, edit: Edit, number: int) -> None:
        elsewhere = {
            id(t) for t, partner in self._pairs() if partner is not None and partner[0] > 0
        }
        region = self._region(edit, number)
        ours = [t for t in edit.ours if t.kind == "not" and id(t) not in elsewhere]
        theirs = [t for t in region if t.kind == "not"]
        typed = [t.text.lower() for t in (*edit.ours, *region)]
        theirs = [t for t in theirs if sum(same_spelling(t.text.lower(), w) for w in typed) < 2]
        flips = len(ours) + len(theirs)
        pairs = [
            (a, b)
            for a in edit.ours
            for b in region
            if a.kind in {"word", "name", "modal"} and opposite(a.text, b.text)
            and not same_spelling(a.text.lower(), b.text.lower()) and a.key != b.key and id(a) not in elsewhere
        ]  # fmt: skip
        if pairs:
            flips += 1
        if flips % 2 == 0 or (self._says_no and theirs and not ours and not pairs):
            return
        words = _shown(edit.ours) or "(left out)"
        source_words = _shown(region)
        if pairs and not ours and not theirs:
            words, source_words = pairs[0][0].text, pairs[0][1].text
        said = (
            f"the source says “{_short(source_words)}”" if source_words else "the source does not"
        )
        if not edit.ours:
            message = (
                f"The draft leaves out “{_short(source_words)}”, which turns the meaning around."
            )
        else:
            message = f"The draft says “{_short(words)}”, {said}."
        self._add("negation", message, words, source_words)

    def _edit_modal(self, edit: Edit) -> None:
        ours = {t.key: t for t in edit.ours if t.kind == "modal"}
        theirs = {t.key: t for t in edit.theirs if t.kind == "modal"}
        if not edit.flanked and not theirs:
            return
        mine = [key for key in ours if key not in theirs]
        yours = [key for key in theirs if key not in ours]
        if mine and (yours or (mine[0] in {"must", "optional"} and edit.flanked)):
            said = theirs[yours[0]].text if yours else ""
            end = f"the source says “{said}”" if said else "the source does not"
            self._add(
                "permission",
                f"The draft says “{ours[mine[0]].text}”, {end}.",
                ours[mine[0]].text,
                said,
            )

    def _edit_limits(self, edit: Edit, number: int) -> None:
        region = self._region(edit, number)
        ours = [t for t in edit.ours if t.kind == "limit"]
        theirs = [t for t in region if t.kind == "limit"]
        # A limit that stands elsewhere in the sentence was moved, not dropped.
        everywhere = {t.key for t in self._window.tokens} if self._window else set()
        spoken = {t.key for t in self._alignment.tokens}
        mine = [t for t in ours if t.key not in everywhere]
        if self._says_no:
            mine = [t for t in mine if t.key != "only"]
        yours = [t for t in theirs if t.key not in spoken]
        if mine and mine[0].key == "after" and any(t.text.lower() in _ONCE for t in edit.theirs):
            return
        dropped = [t for t in yours if t.key in {"only", "unless", "except"}]
        values = {t.key for t in theirs for t in edit.theirs if t.kind == "value"}
        if values - spoken:
            dropped += [t for t in yours if t.key == "until"]
        if not mine and not dropped and not (self._trailing_exception(edit) and not edit.ours):
            return
        if mine or dropped:
            words = _shown(mine) or "(left out)"
            source_words = _shown(dropped or yours)
        else:
            trailing = self._trailing_exception(edit)
            words, source_words = "(left out)", trailing
        said = f"the source says “{source_words}”" if source_words else "the source does not"
        message = (
            f"The draft says “{words}”, {said}."
            if mine
            else f"The draft leaves out a limit of the source: “{_short(source_words)}”."
        )
        self._add("negation", message, words, source_words)

    def _trailing_exception(self, edit: Edit) -> str:
        """Words like "unless …" that follow the matched words in the same sentence."""
        if edit.flanked or self._window is None or not self._window.matched or self._fragment:
            return ""
        last = max(self._window.matched)
        unit = self._window.unit_of[last]
        rest = [
            t
            for j, t in enumerate(self._window.tokens)
            if j > last and self._window.unit_of[j] == unit
        ]
        if rest and edit.theirs and edit.theirs[-1] is rest[-1]:
            for token in rest[:2]:
                if token.kind == "limit" and token.key in {"unless", "except"}:
                    return _shown(rest)
        return ""

    def _clause_polarity(self) -> None:
        """Compare clause by clause whether a thing is said or denied."""
        if self._window is None:
            return
        theirs: dict[tuple[int, int], list[Token]] = {}
        for window in self._alignment.windows:
            for j, token in enumerate(window.tokens):
                theirs.setdefault((window.unit_of[j] + 10 * id(window), token.clause), []).append(
                    token
                )
        ours: dict[int, list[Token]] = {}
        for token in self._alignment.tokens:
            ours.setdefault(token.clause, []).append(token)
        for clause in ours.values():
            solid = {t.key for t in clause if t.kind in {"word", "name", "value", "code"}}
            if not solid:
                continue
            best, shared = None, 0.0
            for other in theirs.values():
                words = {t.key for t in other if t.kind in {"word", "name", "value", "code"}}
                overlap = len(solid & words) - 0.01 * len(words)
                if overlap > shared:
                    best, shared = other, overlap
            if best is None or shared < max(1.5, 0.4 * len(solid)):
                continue
            pairs = [
                (a, b) for a in clause for b in best
                if a.kind in {"word", "name"} and a.key != b.key and opposite(a.text, b.text)
                and a.key not in {t.key for t in best}
            ]  # fmt: skip
            mine = sum(t.kind == "not" for t in clause)
            yours = sum(t.kind == "not" for t in best)
            answered = self._says_no and yours > mine
            if (mine + yours + bool(pairs)) % 2 and not answered:
                self._add(
                    "negation",
                    f"The draft says “{_short(_shown(clause))}”, "
                    f"the source says “{_short(_shown(best))}”.",
                    _shown(clause),
                    _shown(best),
                )

    # -- everything else ---------------------------------------------------------------------

    def _known(self, token: Token) -> bool:
        if token.key in self._support.vocabulary:
            return True
        lowered = token.text.lower()
        if lowered not in self._spelled:
            self._spelled[lowered] = any(same_spelling(lowered, w) for w in self._support.words)
        return self._spelled[lowered]

    def changed_words(self) -> bool:
        """In a sentence that is nearly its source, each new word of weight is held against it.

        Returns:
            Whether every word was judged; otherwise the rest is for ``support``.
        """
        judged = True
        for edit in self._alignment.edits:
            ours = [t for t in edit.ours if t.kind == "word" and not is_filler(t)]
            theirs = [t for t in edit.theirs if t.kind in {"word", "name"} and not is_filler(t)]
            if not ours:
                self._word_of_place(edit, theirs)
                continue
            unknown = [t for t in ours if not self._known(t)]
            swapped = (
                edit.flanked
                and not unknown
                and len(ours) == len(theirs) == 1
                and fuzz.ratio(ours[0].text.lower(), theirs[0].text.lower()) < 80
            )
            if not unknown and not swapped:
                continue
            words, source_words = _shown(unknown or ours), _shown(theirs)
            said = (
                f"the source says “{_short(source_words)}”"
                if source_words
                else "the source does not"
            )
            first = (unknown or ours)[0]
            named = first.text[:1].isupper() and first is not self._alignment.tokens[0]
            rule: FindingRule = "name" if named else "unsupported"
            self._add(rule, f"The draft says “{_short(words)}”, {said}.", words, source_words)
        return judged

    def _word_of_place(self, edit: Edit, theirs: list[Token]) -> None:
        """A single small word in the place of another may turn a sentence around, too."""
        if not edit.flanked or len(edit.ours) != 1 or len(edit.theirs) != 1:
            return
        mine, yours = edit.ours[0], edit.theirs[0]
        pair = {mine.text.lower(), yours.text.lower()}
        if pair in _PLACE_OPPOSITES or (theirs and mine.kind == "word"):
            self._add(
                "unsupported",
                f"The draft says “{mine.text}”, the source says “{yours.text}”.",
                mine.text,
                yours.text,
            )

    def strange_clauses(self) -> list[str]:
        """Return the clauses hardly a word of which occurs in the source."""
        clauses: dict[int, list[Token]] = {}
        for token in self._alignment.tokens:
            clauses.setdefault(token.clause, []).append(token)
        if len(clauses) < 2:
            return []
        found: list[str] = []
        for tokens in clauses.values():
            solid = [t for t in tokens if t.kind in {"word", "name"} and not is_filler(t)]
            known = sum(self._known(t) for t in solid)
            if len(solid) >= 2 and known <= CLAUSE_WORDS * len(solid):
                found.append(self._piece[tokens[0].start : tokens[-1].end])
        return found

    def strange(self, clause: str, closeness: float | None) -> None:
        """Hold a clause against the sentence when the source does not mean it either."""
        if closeness is None or closeness < CLAUSE_MEANING:
            self._add(
                "unsupported", f"The cited source does not say “{_short(clause)}”.", clause, ""
            )

    def support(self, closeness: float | None) -> None:
        """A paraphrase must be covered by the source's words and meaning."""
        solid = [
            t for t in self._alignment.tokens if t.kind in {"word", "name", "value", "code"}
            and not is_filler(t)
        ]  # fmt: skip
        total = sum(t.weight for t in solid) or 1.0
        unknown = [t for t in solid if t.kind == "word" and not self._known(t)]
        covered = 1.0 - sum(t.weight for t in unknown) / total
        if closeness is None:
            enough = covered >= SUPPORT_BY_WORDS
        else:
            enough = 0.5 * covered + 0.5 * closeness >= SUPPORT_WITH_MEANING
        if not enough:
            self._add(
                "unsupported",
                f"The cited source does not say “{_short(self._piece)}”.",
                self._piece,
                self._window.text if self._window else "",
            )
