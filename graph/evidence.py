"""What an approval is bound to, and what changed since.

This is the rule behind the recheck: pure functions from values to values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from graph.draft import content_words, draft_digest
from graph.ports import Changes, Disputes, Sources
from graph.values import (
    CitedVersion,
    Dispute,
    Draft,
    Evidence,
    EvidenceChange,
    Finding,
    Sentence,
)
from kb.changes import Change
from kb.content import Passage
from kb.counterparts import align, counterpart
from kb.facts import VALUE_KINDS, Fact, extract_facts, kinship, same_value
from kb.sentences import split_sentences

_WORD: Final = re.compile(r"\w+")
_SAME_SUBJECT: Final = 2
"""Content words that a new passage shares with the draft before it is taken to bear on it."""
_SAME_THING: Final = 0.55
"""Kinship from which two values are taken to be about one thing: a wrong stop costs one look."""
_SAME_SENTENCE: Final = 0.5
"""Share of the words beside a changed value above which the draft is taken to use that sentence."""
_SHORT_WORD: Final = 3
_LONGEST_QUOTE: Final = 80


def cited_passage_ids(draft: Draft) -> list[str]:
    """Return the ids of the passages that ``draft`` cites, each once, in order."""
    ids = (c["passage_id"] for sentence in draft["sentences"] for c in sentence["citations"])
    return list(dict.fromkeys(ids))


def cited_articles(draft: Draft) -> list[str]:
    """Return the ids of the articles that ``draft`` cites, each once, in order."""
    ids = (c["article_id"] for sentence in draft["sentences"] for c in sentence["citations"])
    return list(dict.fromkeys(ids))


def evidence_of(draft: Draft, last_message_id: str, disputes: Sequence[Dispute] = ()) -> Evidence:
    """Return what an approval of ``draft`` is bound to; ``disputes`` are shown to the reviewer."""
    versions: dict[str, CitedVersion] = {}
    for sentence in draft["sentences"]:
        for citation in sentence["citations"]:
            version = versions.setdefault(
                citation["version_id"],
                {
                    "article_id": citation["article_id"],
                    "version_id": citation["version_id"],
                    "passage_ids": [],
                    "content_hashes": [],
                },
            )
            if citation["passage_id"] not in version["passage_ids"]:
                version["passage_ids"].append(citation["passage_id"])
                version["content_hashes"].append(citation["content_hash"])
    return {
        "draft_digest": draft_digest(draft),
        "versions": list(versions.values()),
        "last_message_id": last_message_id,
        "disputes": [dispute["id"] for dispute in disputes],
    }


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


@dataclass(frozen=True, slots=True)
class Sight:
    """What is true now of what an approval is bound to.

    Attributes:
        last_message_id: Id of the last customer message.
        in_force: Article id → id of the version in force.
        cited: Passage id → cited passage as stored.
        versions: Version id → its passages in reading order: of each cited version that is no
            longer the one in force, and of the one that took its place.
        disputes: What contradicts the cited passages in what the draft says of them.
    """

    last_message_id: str
    in_force: Mapping[str, str]
    cited: Mapping[str, Passage]
    versions: Mapping[str, Sequence[Passage]] = field(default_factory=dict)
    disputes: Sequence[Dispute] = ()


@dataclass(frozen=True, slots=True)
class Recheck:
    """What a second look found.

    Attributes:
        stops: What keeps the approval from going through.
        notes: What changed without touching a fact that the draft relies on.
    """

    stops: list[EvidenceChange]
    notes: list[EvidenceChange]


def disputes_of(draft: Draft, passages: Sequence[Passage], disputes: Disputes) -> list[Dispute]:
    """Return the contradictions of ``passages`` that bear on what ``draft`` says of them."""
    return [
        dispute
        for dispute in disputes.of(passages)
        if any(_bears_on(dispute, s) for s in draft["sentences"])
    ]


def dispute_findings(draft: Draft, disputes: Sequence[Dispute]) -> list[Finding]:
    """Return what the check holds against the sentences that rest on a disputed passage."""
    return [
        {
            "sentence": index,
            "rule": "conflict",
            "message": _contradiction(dispute),
            "words": sentence["text"],
            "source_words": dispute["text"],
            "passage_id": dispute["passage_id"],
        }
        for index, sentence in enumerate(draft["sentences"])
        for dispute in disputes
        if _bears_on(dispute, sentence)
    ]


def _bears_on(dispute: Dispute, sentence: Sentence) -> bool:
    quotes = [c["quote"] for c in sentence["citations"] if c["passage_id"] == dispute["passage_id"]]
    if not quotes:
        return False
    said = " ".join(_words(" ".join([sentence["text"], *quotes])))
    told = [" ".join(_words(fact["old"])) for fact in dispute["facts"]]
    return not told or any(words in said for words in told)


def _contradiction(dispute: Dispute) -> str:
    for fact in dispute["facts"]:
        if fact["old"] and fact["new"]:
            return (
                f"“{dispute['title']}” is in force too and says “{_short(fact['new'])}” "
                f"where this source says “{_short(fact['old'])}”."
            )
    return f"“{dispute['title']}” is in force too and contradicts this source."


def look_again(
    evidence: Evidence,
    draft: Draft,
    last_message_id: str,
    sources: Sources,
    changes: Changes,
    disputes: Disputes | None = None,
) -> Recheck:
    """Read what is true now of what an approval is bound to, and say what differs.

    Args:
        evidence: What the approval is bound to.
        draft: The draft as it is now.
        last_message_id: Id of the last customer message as it is now.
        sources: Where passages are read and what is in force is told.
        changes: Judges what an edit did to the facts of a passage.
        disputes: Knows which sources contradict each other; None when that is not asked.
    """
    in_force = sources.versions_in_force(
        [version["article_id"] for version in evidence["versions"]]
    )
    moved = {
        version_id
        for version in evidence["versions"]
        if (now := in_force.get(version["article_id"])) not in (None, version["version_id"])
        for version_id in (version["version_id"], now)
        if version_id
    }
    cited = sources.passages([i for v in evidence["versions"] for i in v["passage_ids"]])
    sight = Sight(
        last_message_id=last_message_id,
        in_force=in_force,
        cited=cited,
        disputes=disputes_of(draft, list(cited.values()), disputes) if disputes else (),
        versions={version_id: sources.passages_of_version(version_id) for version_id in moved},
    )
    return changes_since(evidence, draft, sight, changes)


def changes_since(evidence: Evidence, draft: Draft, sight: Sight, changes: Changes) -> Recheck:
    """Return what differs now from what an approval is bound to.

    A newer version stops it when a fact of the cited passage changed, unless the changed words
    stand wholly in sentences that the draft does not quote; when the passage left; or when a new
    passage beside it speaks of what the draft says.

    Args:
        evidence: What the approval is bound to.
        draft: The draft as it is now.
        sight: What is true now.
        changes: Judges what an edit did to the facts of a passage.
    """
    found = Recheck([], [])
    if draft_digest(draft) != evidence["draft_digest"]:
        found.stops.append(
            {"what": "draft", "sentence": "The draft was edited after this review was opened."}
        )
    if sight.last_message_id != evidence["last_message_id"]:
        found.stops.append(
            {
                "what": "message",
                "sentence": "The customer wrote again after this review was opened.",
            }
        )
    for version in evidence["versions"]:
        _look_at_version(version, draft, sight, changes, found)
    shown = evidence.get("disputes", [])
    found.stops.extend(_newly_disputed(d, sight) for d in sight.disputes if d["id"] not in shown)
    return found


def _newly_disputed(dispute: Dispute, sight: Sight) -> EvidenceChange:
    cited = sight.cited[dispute["passage_id"]]
    return {
        "what": "conflict",
        "sentence": f"“{cited.title}” is contradicted now: {_contradiction(dispute)}",
        "article_id": cited.article_id,
        "passage_id": cited.id,
        "old": cited.plain,
        "new": dispute["text"],
        "facts": dispute["facts"],
    }


def _look_at_version(
    version: CitedVersion, draft: Draft, sight: Sight, changes: Changes, found: Recheck
) -> None:
    article_id = version["article_id"]
    now = sight.in_force.get(article_id)
    newer = sight.versions.get(now, ()) if now and now != version["version_id"] else ()
    for passage_id, content_hash in zip(
        version["passage_ids"], version["content_hashes"], strict=True
    ):
        old = sight.cited.get(passage_id)
        title = old.title if old else article_id
        change: EvidenceChange = {
            "what": "source",
            "sentence": "",
            "article_id": article_id,
            "passage_id": passage_id,
            "old": old.plain if old else "",
            "new": "",
        }
        if old is None or old.content_hash != content_hash:
            change["sentence"] = f"The passage cited from “{title}” is not what was reviewed."
        elif now is None:
            change["sentence"] = f"“{title}” is no longer in force."
        elif now == version["version_id"]:
            continue
        elif added := _added_beside(old, draft, sight.versions.get(old.version_id, ()), newer):
            change["new"] = added.plain
            change["sentence"] = f"“{title}” says something new beside the cited passage."
        else:
            notes = not _passage_changed(old, newer, draft, changes, change)
            (found.notes if notes else found.stops).append(change)
            continue
        found.stops.append(change)


def _passage_changed(
    old: Passage,
    newer: Sequence[Passage],
    draft: Draft,
    changes: Changes,
    change: EvidenceChange,
) -> bool:
    """Say whether the draft may no longer rest on ``old``; write into ``change`` what is to be read."""
    title = old.title
    if any(passage.content_hash == old.content_hash for passage in newer):
        change["new"] = old.plain
        change["sentence"] = (
            f"“{title}” has a newer version, in which the cited passage reads the same."
        )
        return False
    new = counterpart(old, newer)
    if new is None:
        change["sentence"] = f"“{title}” no longer holds the passage that this draft rests on."
        return True
    change["new"] = new.plain
    judged = changes.judge(old.plain, new.plain)
    change["facts"] = [{"kind": f.kind, "old": f.old, "new": f.new} for f in judged.facts]
    if not judged.stops:
        change["sentence"] = f"“{title}” was reworded; the facts of the cited passage stand."
        return False
    if _lies_elsewhere(judged, old, draft):
        change["sentence"] = f"“{title}” changed in words that this draft does not rest on."
        return False
    change["sentence"] = f"“{title}” has a newer version, which {judged.sentence}."
    return True


def _short(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= _LONGEST_QUOTE else words[: _LONGEST_QUOTE - 1].rstrip() + "…"


def _lies_elsewhere(change: Change, old: Passage, draft: Draft) -> bool:
    """Say whether every changed value stands in a sentence of ``old`` that the draft does not use.

    Only values that were replaced can: what was added or taken away may bound what is quoted. A
    passage of one sentence, such as a table's row, has no other sentence; and a draft that says the
    old value uses it, however few of the words beside it (a row's labels) it repeats.
    """
    if not change.facts or len(split_sentences(old.plain)) < 2:
        return False
    used = " ".join(
        f"{citation['quote']} {sentence['text']}"
        for sentence in draft["sentences"]
        for citation in sentence["citations"]
        if citation["passage_id"] == old.id
    )
    used_words = set(_words(used))
    for fact in change.facts:
        if fact.kind not in VALUE_KINDS or not fact.old or not fact.new or fact.old_start < 0:
            return False
        if _says(used, fact.old):
            return False
        beside = _sentence_at(old.plain, fact.old_start)
        telling = {word for word in _words(beside) if len(word) > _SHORT_WORD}
        if len(telling & used_words) > len(telling) * _SAME_SENTENCE:
            return False
    return True


def _says(text: str, value: str) -> bool:
    """Say whether ``value`` stands in ``text`` as a value of its own: "$50" does not in "$4.50"."""
    inner = r"[\s*_`]+".join(map(re.escape, value.split()))
    return re.search(rf"(?<![\w.,]){inner}(?!\w|[.,]\d)", text, re.IGNORECASE) is not None


def _sentence_at(text: str, position: int) -> str:
    for start, end in split_sentences(text):
        if start <= position < end:
            return text[start:end]
    return text


def _added_beside(
    old: Passage, draft: Draft, before: Sequence[Passage], newer: Sequence[Passage]
) -> Passage | None:
    """Return a passage that came in and bears on what the draft says of ``old``.

    Under the same heading, one that speaks of the same; anywhere in the article, one that
    contradicts it.
    """
    arrived = [new for was, new in align(before, newer) if was is None and new is not None]
    said = {
        word
        for sentence in draft["sentences"]
        if any(citation["passage_id"] == old.id for citation in sentence["citations"])
        for word in content_words(sentence["text"])
    }
    told = [fact for fact in extract_facts(old.plain) if fact.kind in VALUE_KINDS]
    for passage in arrived:
        shared = len(said.intersection(content_words(passage.plain)))
        beside = passage.anchor == old.anchor
        if shared >= _SAME_SUBJECT and (beside or _says_otherwise(passage.plain, told)):
            return passage
    return None


def _says_otherwise(text: str, told: Sequence[Fact]) -> bool:
    """Say whether ``text`` gives another value for what one of these facts is about."""
    return any(
        other.kind == fact.kind
        and not same_value(other, fact)
        and kinship(other, fact) >= _SAME_THING
        for other in extract_facts(text)
        for fact in told
    )
