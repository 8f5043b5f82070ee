from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from graph.checkpoints import ThreadFile, open_checkpointer


@dataclass
class Foreign:
    word: str


class Walk(TypedDict, total=False):
    seen: str
    decision: str | None
    outcome: str


def test_a_checkpoint_brings_no_foreign_type_to_life(tmp_path: Path) -> None:
    saver, close = open_checkpointer(f"sqlite:///{tmp_path / 'x.sqlite'}", tmp_path)
    try:
        kind, data = saver.serde.dumps_typed({"plain": [1, "a"], "rich": Foreign("x")})
        read = saver.serde.loads_typed((kind, data))
        assert read["plain"] == [1, "a"]
        assert not isinstance(read["rich"], Foreign)
    finally:
        close()


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[ThreadFile]:
    saver, close = open_checkpointer(f"sqlite:///{tmp_path / 'x.sqlite'}", tmp_path)
    assert isinstance(saver, ThreadFile)
    yield saver
    close()


@pytest.fixture
def waited(saver: ThreadFile) -> list[tuple[bool, str]]:
    """Whether the disk was waited for, and the table, of every commit."""
    found: list[tuple[bool, str]] = []
    full = True

    def trace(statement: str) -> None:
        nonlocal full
        if statement.startswith("PRAGMA synchronous="):
            full = statement.endswith("FULL")
        elif statement.startswith("INSERT"):
            found.append((full, statement.split("INTO ")[1].split(" ")[0]))

    saver.conn.set_trace_callback(trace)
    return found


def walk(saver: ThreadFile, last: Callable[[Walk], dict[str, Any]]) -> Callable[[Any], None]:
    """Return what carries a run of three nodes on: one that reads, one that asks, one that ends."""

    def end(state: Walk) -> dict[str, Any]:
        return last(state)

    graph = StateGraph(Walk)
    graph.add_node("read", lambda state: {"seen": "a passage"})
    graph.add_node("ask", lambda state: {"decision": interrupt("well?")})
    graph.add_node("last", end)
    for step in ((START, "read"), ("read", "ask"), ("ask", "last"), ("last", END)):
        graph.add_edge(*step)
    compiled = graph.compile(checkpointer=saver)

    def carry(given: Any) -> None:
        compiled.invoke(given, {"configurable": {"thread_id": "t"}}, durability="sync")

    return carry


def test_a_pause_is_on_the_disk_before_anybody_hears_of_it(
    saver: ThreadFile, waited: list[tuple[bool, str]]
) -> None:
    walk(saver, lambda state: {})({"seen": ""})
    # The steps on the way there are not waited for one by one. LangGraph may save what a finished
    # step wrote after the pause; the checkpoint of the step after, which holds it, came before.
    assert waited.count((True, "writes")) == sum(full for full, _ in waited) == 1
    assert (False, "checkpoints") not in waited[waited.index((True, "writes")) :]


def test_every_step_after_a_decision_is_on_the_disk_before_the_next(
    saver: ThreadFile, waited: list[tuple[bool, str]]
) -> None:
    carry = walk(saver, lambda state: {"outcome": "answered"})
    carry({"seen": ""})
    waited.clear()
    carry(Command(resume="approve"))
    assert waited[0] == (True, "writes")
    assert [full for full, table in waited if table == "checkpoints"] == [True, True]


def test_a_failure_is_on_the_disk(saver: ThreadFile, waited: list[tuple[bool, str]]) -> None:
    def breaks(state: Walk) -> dict[str, Any]:
        raise OSError("no")

    carry = walk(saver, breaks)
    carry({"seen": ""})
    waited.clear()
    with pytest.raises(OSError, match="no"):
        carry(Command(resume="approve"))
    assert (True, "writes") in waited[waited.index((True, "checkpoints")) :]


def test_committed_steps_are_seen_by_another_process(saver: ThreadFile, tmp_path: Path) -> None:
    seen: list[int] = []

    def count(state: Walk) -> dict[str, Any]:
        other = sqlite3.connect(tmp_path / "graph.sqlite")
        seen.extend(other.execute("SELECT count(*) FROM checkpoints").fetchone())
        other.close()
        return {}

    carry = walk(saver, count)
    carry({"seen": ""})
    carry(Command(resume="approve"))
    # Three steps and the decision came before the last node began.
    assert seen == [4]
