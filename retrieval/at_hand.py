"""Reads whole versions without asking SQL for what search holds in memory anyway."""

from __future__ import annotations

from collections.abc import Callable

from kb.content import Passage

ReadVersion = Callable[[str], list[Passage]]
"""Version id → its passages in reading order; none where it is unknown."""


class VersionsAtHand:
    """The passages that stand beside a hit; almost always they are in force and in memory.

    Args:
        in_force: Reads a version in force from memory.
        any_version: Reads any version.
    """

    def __init__(self, in_force: ReadVersion, any_version: ReadVersion) -> None:
        self._in_force = in_force
        self._any_version = any_version

    def passages_of_version(self, version_id: str) -> list[Passage]:
        """Return the passages of a version in reading order; none for an unknown one.

        Their owner and address may be older than those of a search result.
        """
        return self._in_force(version_id) or self._any_version(version_id)
