"""What a run reads between two pauses, each thing once."""

from __future__ import annotations

from collections.abc import Sequence

from graph.ports import Conversations, Sources
from graph.values import Conversation
from kb.content import Passage
from retrieval.ports import Hit, Search


class OneReading:
    """The contact, and the passages that were found, as they were when the run first read them.

    Made anew for every stretch from one pause to the next: what a person decides on is read again.
    What the customer writes meanwhile is found by the recheck, and what is in force is asked each
    time. Implements the ports that it stands before.

    Args:
        conversations: Reads contacts.
        search: Finds passages.
        sources: Reads passages by id.
    """

    def __init__(self, conversations: Conversations, search: Search, sources: Sources) -> None:
        self._conversations = conversations
        self._search = search
        self._sources = sources
        self._contacts: dict[str, Conversation] = {}
        self._passages: dict[str, Passage] = {}

    def load(self, contact_id: str) -> Conversation:
        """Return the contact with all its messages. Raises NotFound."""
        if contact_id not in self._contacts:
            self._contacts[contact_id] = self._conversations.load(contact_id)
        return self._contacts[contact_id]

    def search(self, question: str, count: int = 10) -> list[Hit]:
        """Return the best passages in force for ``question``, best first, each text once."""
        hits = self._search.search(question, count)
        self._passages.update((hit.passage.id, hit.passage) for hit in hits)
        return hits

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return the passages of ``ids`` in force or not; unknown ids are absent."""
        if unread := [key for key in dict.fromkeys(ids) if key not in self._passages]:
            self._passages.update(self._sources.passages(unread))
        return {key: self._passages[key] for key in ids if key in self._passages}

    def versions_in_force(self, article_ids: Sequence[str]) -> dict[str, str]:
        """Return article id → id of the version in force now; absent when none is."""
        return self._sources.versions_in_force(article_ids)

    def passages_of_version(self, version_id: str) -> list[Passage]:
        """Return the passages of one version in reading order."""
        return self._sources.passages_of_version(version_id)
