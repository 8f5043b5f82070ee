"""The state machine itself."""

from __future__ import annotations

import logging
from typing import Any, Protocol, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphBubbleUp
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from core.tracing import span
from graph import nodes
from graph.ports import Deps
from graph.routes import route_autopilot, route_recheck, route_review, route_triage
from graph.state import RunInput, RunState

_log = logging.getLogger(__name__)

RunGraph = CompiledStateGraph[RunState, Deps, RunInput, RunState]


class Node(Protocol):
    """A function of a state, given its dependencies."""

    __name__: str

    def __call__(self, state: RunState, *, runtime: Runtime[Deps]) -> dict[str, Any]:
        """Return what changes in the state."""
        ...


NODES: tuple[Node, ...] = (
    nodes.intake,
    nodes.classify,
    nodes.triage,
    nodes.clarify,
    nodes.retrieve,
    nodes.draft,
    nodes.check,
    nodes.autopilot,
    nodes.review,
    nodes.recheck,
    nodes.deliver,
    nodes.handoff,
    nodes.record,
)


def build_graph(
    checkpointer: BaseCheckpointSaver[Any] | None = None, deps: Deps | None = None
) -> RunGraph:
    """Return the compiled graph.

    Args:
        checkpointer: Keeps the threads; LangGraph's own tools bring theirs.
        deps: Bound to every node where the caller cannot pass a context with each call, as
            LangGraph's own tools cannot.
    """
    graph = StateGraph(RunState, context_schema=Deps, input_schema=RunInput)
    for node in NODES:
        graph.add_node(node.__name__, _watched(_bound(node, deps) if deps else node))
    graph.add_edge(START, "intake")
    graph.add_edge("intake", "classify")
    graph.add_edge("classify", "triage")
    graph.add_conditional_edges("triage", route_triage)
    graph.add_edge("clarify", "check")
    graph.add_edge("retrieve", "draft")
    graph.add_edge("draft", "check")
    graph.add_edge("check", "autopilot")
    graph.add_conditional_edges("autopilot", route_autopilot)
    graph.add_conditional_edges("review", route_review)
    graph.add_conditional_edges("recheck", route_recheck)
    graph.add_edge("deliver", "record")
    graph.add_edge("handoff", "record")
    graph.add_edge("record", END)
    return graph.compile(checkpointer=checkpointer)


def _watched(node: Node) -> Node:
    """Return ``node``, whose failures the log tells of and whose time a trace shows."""

    def watched(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
        try:
            with span("node", node=node.__name__):
                return node(state, runtime=runtime)
        except GraphBubbleUp:  # it pauses, which is no failure
            raise
        except Exception as error:
            _log.warning("node %s failed", node.__name__, exc_info=error)
            raise

    watched.__name__ = node.__name__
    return cast(Node, watched)


def _bound(node: Node, deps: Deps) -> Node:
    def bound(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
        return node(state, runtime=runtime.override(context=deps))

    bound.__name__ = node.__name__
    return cast(Node, bound)
