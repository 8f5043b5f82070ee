"""The evidence check: no sentence leaves unless the passages it cites bear it out.

A sentence is laid beside its sources token by token (``graph.alignment``) and judged word by word
(``graph.sentence_check``), a paraphrase also by meaning where an embedder is given; a short answer is
judged with its question (``graph.support``). What cannot be judged is a finding.

A sentence that a language model wrote must pass all this and, besides, keep close to one place of
one passage (``graph.departures``): of a model's free paraphrases too many are inventions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from rapidfuzz.distance import LCSseq

from graph.alignment import (
    Alignment,
    SourceUnit,
    align,
    is_filler,
    source_units,
    tokenize,
)
from graph.answers import is_short_answer, read_answer
from graph.binding import unheard_in
from graph.conditions import has_person
from graph.departures import Stretch, departure, stretches_of
from graph.draft import written_by_model
from graph.ports import Past
from graph.promises import forbidden_words, is_courtesy, is_request, uncourteous
from graph.sentence_check import (
    CLAUSE_MEANING,
    NEAR_VERBATIM,
    SOLID,
    UNHEARD_MEANING,
    Findings,
    SentenceJudge,
    Support,
    fold,
    shortened,
)
from graph.support import AnswerJudge, is_figure_of, why_flagged
from graph.values import CheckReport, Draft, Finding, FindingRule, Sentence, TriggerFiring
from kb.content import Passage
from kb.facts import extract_facts, same_value
from kb.sentences import split_sentences
from retrieval.ports import Embedder

# What a language model wrote: every sentence must repeat one place of one passage word for
# word or nearly so (graph.departures), and mean what that place means.
EXTRACTIVE: Final = "extractive"
MODEL_MEANING: Final = 0.75

# A step that is read aloud is told with its place among the others, which its source numbers.
_IN_ORDER: Final = re.compile(
    r"\A\s*(?:first|then|after that|next|finally),\s+(?=\w)", re.IGNORECASE
)
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
        findings = Findings()
        # What the extractive drafter repeats word for word needs no question to be understood.
        asked = "" if draft.get("drafter") == EXTRACTIVE else question.strip()
        triggers: list[TriggerFiring] = []
        units = _UnitCache(_all_words(draft, question))
        read = 0
        kind = draft.get("kind")
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
            by_model = False
            if isinstance(sentence, dict):
                by_model = bool(written_by_model(draft, cast(Sentence, sentence)))
                if isinstance(sentence.get("text"), str):
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
        findings: Findings,
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
                f"The {edge} says “{shortened(piece)}”, which is more than a courtesy "
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
        findings: Findings,
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
        text = _IN_ORDER.sub("", text)
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
                f"“{shortened(text)}” states something and cites no source.",
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
                    f"“{shortened(piece)}” and what follows were not checked: draft and sources are "
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
                f"“{shortened(text)}” holds too many sentences; the last ones were not checked.",
                text,
            )

    def _judge_answer(
        self,
        index: int,
        text: str,
        question: str,
        support: Support,
        units: _UnitCache,
        findings: Findings,
    ) -> None:
        """Judge a short answer with its question; see ``graph.support``."""
        assert self._answers is not None
        judged = self._answers.judge(
            question, text, support.passages, units.editions(support, self._past)
        )
        plainly = Findings()
        # A figure that stands nowhere in the source is wrong however well the rest fits, and so is
        # what contradicts the very sentence it repeats.
        certain: list[Finding] = []
        if not read_answer(text).silent:
            for piece in _join_answers([text[a:b] for a, b in split_sentences(text)]):
                before = len(plainly.items)
                self._judge(index, piece, support, plainly)
                held = plainly.items[before:]
                if held:
                    certain += _contradictions(
                        piece,
                        held,
                        support,
                        lambda clause, laid: self._is_foreign(clause, laid, support),
                    )
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

    def _is_foreign(self, clause: str, alignment: Alignment, support: Support) -> bool:
        closeness = self._closeness(clause, alignment, support)
        return closeness is None or closeness < _FOREIGN

    def _promises(
        self,
        text: str,
        index: int,
        support: Support | None,
        findings: Findings,
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

    def _judge(self, index: int, piece: str, support: Support, findings: Findings) -> None:
        if (
            len(re.findall(r"\d+", piece)) > _MOST_FIGURES
            or len(re.findall(r"\w+", piece)) > _MOST_WORDS
        ):
            findings.add(
                index,
                "unsupported",
                f"“{shortened(piece)}” has too many words or figures for one sentence to be checked.",
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
        solid = [token for token in tokens if token.kind in SOLID and not is_filler(token)]
        if not any(token.kind in {"value", "name", "word", "code"} for token in solid):
            if re.fullmatch(r"\W*(?:yes|no|correct|right|true|false)\W*", piece, re.I) or tokens:
                findings.add(
                    index,
                    "unsupported",
                    f"“{shortened(piece)}” cannot be checked without the rest of the answer.",
                    piece,
                )
            return
        alignment = align(tokens, support.units)
        near = alignment.coverage >= NEAR_VERBATIM and bool(alignment.windows)
        judge = SentenceJudge(index, piece, alignment, support, findings, near, says_no)
        judge.absence()
        judge.values()
        judge.bindings()
        judge.names()
        judge.polarity()
        judge.scope()
        judge.conditions(support.heard)
        strange = dict.fromkeys(judge.unheard_clauses(), UNHEARD_MEANING)
        if not near or not judge.changed_words():
            judge.support(self._closeness(piece, alignment, support))
            strange = {**dict.fromkeys(judge.strange_clauses(), CLAUSE_MEANING), **strange}
        for clause, least in strange.items():
            judge.strange(clause, self._closeness(clause, alignment, support), least)

    def _judge_closely(
        self,
        index: int,
        piece: str,
        support: Support,
        stretches: Sequence[Stretch],
        findings: Findings,
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
                f"A model wrote “{shortened(piece)}”, which does not mean quite what its source says: "
                "read it beside its source.",
                piece,
                stretch,
                support.passages[0].id,
            )

    def _closeness(self, piece: str, alignment: Alignment, support: Support) -> float | None:
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
    """Reads each cited passage once per check.

    Args:
        heard: The whole reply, with its question.
    """

    def __init__(self, heard: str) -> None:
        self._heard = heard
        self._units: dict[str, list[SourceUnit]] = {}
        self._stretches: dict[tuple[str, ...], list[Stretch]] = {}
        self._editions: dict[str, list[list[Passage]]] = {}
        self.judged = 0
        self.answers = 0
        self.work = 0

    def editions(self, support: Support, past: Past | None) -> list[list[Passage]]:
        """Return the version that is cited first and those its article had before it."""
        if past is None:
            return []
        version = support.passages[0].version_id
        if version not in self._editions:
            self._editions[version] = past.editions(version)
        return self._editions[version]

    def support(self, passages: list[Passage]) -> Support:
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
        return Support(passages, units, vocabulary, words, raw, self._heard)

    def stretches(self, support: Support) -> list[Stretch]:
        """What a model's sentence may repeat."""
        cited = tuple(passage.id for passage in support.passages)
        if cited not in self._stretches:
            self._stretches[cited] = stretches_of(support.units)
        return self._stretches[cited]


def _all_words(draft: Draft, question: str) -> str:
    """Return question and reply in one text, as much of it as is checked."""
    sentences: Any = draft.get("sentences")
    parts: list[Any] = [question, draft.get("opening", "")]
    if isinstance(sentences, list):
        parts += [one.get("text") for one in sentences if isinstance(one, dict)]
    return "\n".join(part for part in parts if isinstance(part, str))[:_LONGEST_DRAFT]


def _cited(
    index: int,
    citations: list[Any],
    passages: Mapping[str, Passage],
    in_force: set[str],
    findings: Findings,
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


def _check_links(index: int, text: str, cited: list[Passage], findings: Findings) -> None:
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
            f"The draft holds markup or an embedded link: “{shortened(match.group())}”. "
            "A reply is plain text.",
            match.group(),
        )
    for match in _URL.finditer(text):
        link = _bare_link(match.group())
        if link and link not in allowed:
            findings.add(
                index,
                "link",
                f"The link “{shortened(match.group())}” is in none of the cited sources.",
                match.group(),
                "",
                cited[0].id if cited else None,
            )


def _without_heading(piece: str, support: Support) -> str:
    """Take a heading of the source off the front of "Refunds: within 30 days"."""
    found = re.match(r"([^:]{2,120}):\s+(?=\w)", piece)
    if not found:
        return piece
    heading = fold(found.group(1))
    if any(unit.is_context and fold(unit.text) == heading for unit in support.units):
        return piece[found.end() :]
    return piece


def _is_sentence(body: str) -> bool:
    if led := _LED_IN.match(body):
        body = body[led.end() :]
    stated = _SENTENCE.search(body) or has_person(body)
    return bool(stated) and not _NO_SUBJECT.match(body)


def _begins_as_its_source(alignment: Alignment) -> bool:
    """Say whether an answer begins with the subject of the sentence it repeats, and says more of it."""
    told = [
        place
        for token, place in zip(alignment.tokens, alignment.partner, strict=True)
        if token.kind in SOLID and not is_filler(token)
    ]
    if len(told) < _SUBJECT_AND_MORE or told[0] is None or told[0][0] != 0:
        return False
    window, at = alignment.windows[0], told[0][1]
    before = [t for t, unit in zip(window.tokens[:at], window.unit_of, strict=False)
              if unit == window.unit_of[at]]  # fmt: skip
    return all(t.kind not in SOLID or is_filler(t) for t in before)


def _contradictions(
    piece: str,
    findings: Sequence[Finding],
    support: Support,
    foreign: Callable[[str, Alignment], bool],
) -> list[Finding]:
    """Return the findings that hold whatever was asked.

    "Only with a receipt" leaves words out that its question has, so only a sentence of its own is
    held against the sentence of the source that it repeats.
    """
    answer = _NO_ANSWER.match(piece) or _YES_ANSWER.match(piece)
    body = piece[answer.end() :].lstrip(" ,;:–—-") if answer else piece
    covered = 0.0
    alignment = align(tokenize(body), support.units)
    begins = not _NO_SUBJECT.match(body) and _begins_as_its_source(alignment)
    if begins or _is_sentence(body):
        covered = alignment.coverage if alignment.windows else 0.0
    strange = any(
        token.kind in ("value", "name", "word", "code") and not is_filler(token) and place is None
        for token, place in zip(alignment.tokens, alignment.partner, strict=True)
    )
    # A word in the place of another moves a figure to another subject.
    moved = any(token.kind == "value" for token in alignment.tokens)
    hung_on = {body[clause[0].start : clause[-1].end] for clause in unheard_in(alignment)}
    certain: list[Finding] = []
    for found in findings:
        unknown = fold(found["words"]).split() if found["rule"] == "name" else []
        someone = len(unknown) > 1 and not any(word in support.words for word in unknown)
        least = _SURE_OF_A_NAME if someone else _SURE_OF.get(found["rule"], 2.0)
        if found["rule"] == "negation" and has_person(body) and not strange:
            # "They never expire" has no other word than the sentence it turns around.
            least = 0.0
        if found["words"] in hung_on and foreign(found["words"], alignment):
            least = _SURE_OF_A_CLAUSE
        elif found["rule"] == "unsupported" and moved and found["source_words"]:
            least = _SURE_OF_A_MOVE
        if covered >= least or _is_absent_figure(found, support):
            certain.append(found)
    return certain


def _is_absent_figure(finding: Finding, support: Support) -> bool:
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


def _said(words: str, support: Support) -> bool:
    """Say whether a source says ``words``: as they are, or their weighty ones in that order."""
    wanted = fold(words)
    if not wanted:
        return False
    if f" {wanted} " in f" {fold(support.raw)} ":
        return True
    if _DEED.search(words):
        # What was done for this customer cannot stand in an article.
        return False
    keys = [token.key for token in tokenize(words) if token.kind != "function"]
    return bool(keys) and any(
        LCSseq.similarity(keys, unit.keys) == len(keys) for unit in support.units
    )


_DEED: Final = re.compile(r"\bi\b|\b(?:have|has|had|was|been)\b|['’]ve\b|\bwe\s+\w+ed\b", re.I)


_PROMISE_MESSAGE: Final[dict[FindingRule, str]] = {
    "unsupported_promise": "The draft promises “{}”, which no cited source says.",
    "final_policy_exception": "The draft grants or closes a policy exception (“{}”); "
    "only a person may decide that.",
    "irreversible_account_change": "The draft announces a change to the account that cannot be "
    "undone (“{}”).",
    "emotional_response": "The draft answers with emotion (“{}”).",
}


# How much of a sentence must stand in its source before a finding against it holds whatever was
# asked: found on the true answers of bench/support.py. A name of one word is often the same thing in
# other words ("IPs"); first and last name, neither in the source, are someone else.
_SURE_OF: Final[Mapping[str, float]] = {
    "negation": 0.65,
    "permission": NEAR_VERBATIM,
    **dict.fromkeys(("number", "amount", "percentage", "date", "duration"), 0.6),
}
_SURE_OF_A_NAME: Final = 0.6
_SURE_OF_A_CLAUSE: Final = 0.5
_SURE_OF_A_MOVE: Final = 0.8
_SUBJECT_AND_MORE: Final = 4  # words of weight
_FOREIGN: Final = 0.3  # meaning a clause has in common with what it is said to rest on
# A sentence has a subject before its verb; what lacks either is the rest of its question.
_SENTENCE: Final = re.compile(
    r"\w(?<!\bthat)(?<!\bwhich)(?<!\bwho)\W+(?:(?:is|are|was|were|can|could|may|might|must|will|would|shall|should|do|does|did|has|have|had)\b|"
    r"\w+n['’]t\b|cannot\b|(?:go|goes|needs?|takes?|costs?|lasts?|expires?|apply|applies|includes?|requires?|"
    r"arrives?|ends?|get|gets|receives?|pays?)\b)",
    re.I,
)
_LED_IN: Final = re.compile(
    r"\W*(?:after|before|once|for|in|within|at|on|by|as|with|during|until)\b[^,;.]{3,90},\s+", re.I
)
_NO_SUBJECT: Final = re.compile(
    r"\W*(?:only|not|if|unless|until|when|while|after|before|once|because|as|through|with|without|by|in|at|"
    r"on|for|from|to|up|under|over|generally|usually|within)\b",
    re.I,
)
_YES_ANSWER: Final = re.compile(r"\s*(?:yes|yeah|correct|right)\b\s*[,;:–—.!-]*", re.I)
_NO_ANSWER: Final = re.compile(
    r"\s*(?:no\b\s*[,;:–—-]|not\s+(?:yet|necessarily|really|always|definitely|currently|exactly|"
    r"at\s+(?:the\s+moment|this\s+time|present)|right\s+now|any\s?more)\b)",
    re.I,
)
