"""The graph for LangGraph's own tools (Studio, the dev server): ``langgraph.json`` names it.

They bring their checkpointer and cannot pass a context, so the dependencies are bound to the nodes.
"""

from __future__ import annotations

from core.settings import Settings
from desk.bootstrap import open_desk
from desk.sample import ensure_workspace
from graph.build import RunGraph, build_graph


def make_graph() -> RunGraph:
    """Return the graph over the desk that the environment names."""
    settings = Settings()
    ensure_workspace(settings)
    desk = open_desk(settings)
    desk.start()  # what is approved there must leave, too
    return build_graph(deps=desk.deps)
