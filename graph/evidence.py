"""What an approval is bound to, and what changed since.

This is the rule behind the recheck: pure functions from values to values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rapidfuzz import fuzz

from graph.draft import draft_digest
from graph.values import CitedVersion, Draft, Evidence, EvidenceChange
from kb.content import Passage

_WORD: Final = re.compile(r"\w+")
_SAME_HEADING: Final = 10
"""Percent that standing under the same heading is worth beside the share of common words."""
_NEAR: Final = 45


def cited_passage_ids(draft: Draft) -> list[str]:
    """Return the ids of the passages that ``draft`` cites, each once, in order."""
    ids = (c["passage_id"] for sentence in draft["sentences"] for c in sentence["citations"])
    return list(dict.fromkeys(ids))


def cited_articles(draft: Draft) -> list[str]:
    """Return the ids of the articles that ``draft`` cites, each once, in order."""
    ids = (c["article_id"] for sentence in draft["sentences"] for c in sentence["citations"])
    return list(dict.fromkeys(ids))


def evidence_of(draft: Draft, last_message_id: str) -> Evidence:
    """Return what an approval of ``draft`` is bound to."""
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
    }


def counterpart(passage: Passage, candidates: Sequence[Passage]) -> Passage | None:
    """Return the passage of a newer version that took the place of ``passage``, if one did.

    The nearest wording wins; the same heading breaks ties. None when nothing is near.
    """
    words = _words(passage.plain)
    best: tuple[float, Passage] | None = None
    for candidate in candidates:
        score = fuzz.ratio(words, _words(candidate.plain))
        score += _SAME_HEADING if candidate.anchor == passage.anchor else 0
        if best is None or score > best[0]:
            best = (score, candidate)
    return best[1] if best and best[0] >= _NEAR else None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def changes_since(
    evidence: Evidence,
    draft: Draft,
    last_message_id: str,
    in_force: Mapping[str, str],
    cited: Mapping[str, Passage],
    current: Mapping[str, Sequence[Passage]],
) -> list[EvidenceChange]:
    """Return what differs from ``evidence`` now; nothing when the approval may go through.

    Args:
        evidence: What the approval is bound to.
        draft: The draft as it is now.
        last_message_id: Id of the last customer message as it is now.
        in_force: Article id → id of the version in force now.
        cited: Passage id → cited passage as stored.
        current: Article id → passages of the version in force now, where it differs.
    """
    changes: list[EvidenceChange] = []
    if draft_digest(draft) != evidence["draft_digest"]:
        changes.append(
            {"what": "draft", "sentence": "The draft was edited after this review was opened."}
        )
    if last_message_id != evidence["last_message_id"]:
        changes.append(
            {
                "what": "message",
                "sentence": "The customer wrote again after this review was opened.",
            }
        )
    for version in evidence["versions"]:
        changes.extend(_source_changes(version, in_force, cited, current))
    return changes


def _source_changes(
    version: CitedVersion,
    in_force: Mapping[str, str],
    cited: Mapping[str, Passage],
    current: Mapping[str, Sequence[Passage]],
) -> Iterable[EvidenceChange]:
    article_id = version["article_id"]
    now = in_force.get(article_id)
    for passage_id, content_hash in zip(
        version["passage_ids"], version["content_hashes"], strict=True
    ):
        old = cited.get(passage_id)
        title = old.title if old else article_id
        change: EvidenceChange = {
            "what": "source",
            "sentence": "",
            "article_id": article_id,
            "old": old.plain if old else "",
            "new": "",
        }
        if old is None or old.content_hash != content_hash:
            change["sentence"] = f"The passage cited from “{title}” is not what was reviewed."
        elif now is None:
            change["sentence"] = f"“{title}” is no longer in force."
        elif now != version["version_id"]:
            new = counterpart(old, current.get(article_id, ()))
            change["new"] = new.plain if new else ""
            if new is None:
                said = "no longer holds the passage that this draft rests on"
            elif new.content_hash == old.content_hash:
                said = "has a newer version, in which the cited passage reads the same"
            else:
                said = "has a newer version, in which the cited passage reads differently"
            change["sentence"] = f"“{title}” {said}."
        else:
            continue
        yield change
