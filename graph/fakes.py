"""Strict stand-ins for what a run needs from outside, for tests of Proofdesk and of its users."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field

from graph.values import Clearance


class ScriptRanOut(AssertionError):
    """The scripted model was asked once more than its script has replies."""


class ScriptedChatModel(BaseChatModel):
    """A chat model that says what its script says, in order, and fails when the script runs out.

    A reply is text, a JSON value (sent as JSON text), or an exception (raised). What it was asked
    is kept in ``asked``.

    Args:
        replies: The script.
        piece: Characters a streamed chunk holds.
    """

    replies: list[Any]
    piece: int = 12
    asked: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def left(self) -> int:
        """How many replies have not been asked for."""
        return len(self.replies) - len(self.asked)

    def _next(self, messages: Sequence[BaseMessage]) -> str:
        if not self.left:
            raise ScriptRanOut(
                f"the script has {len(self.replies)} replies and was asked for one more"
            )
        self.asked.append(list(messages))
        reply = self.replies[len(self.asked) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, str) else json.dumps(reply)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = AIMessage(content=self._next(messages))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        text = self._next(messages)
        for start in range(0, max(1, len(text)), self.piece):
            chunk = AIMessageChunk(content=text[start : start + self.piece])
            yield ChatGenerationChunk(message=chunk)

    def with_structured_output(  # type: ignore[override]
        self,
        schema: Mapping[str, Any],
        *,
        method: str = "json_schema",
        **kwargs: Any,
    ) -> Runnable[Any, Any]:
        """Return a runnable that yields the reply parsed as JSON, as OpenAI's client does."""
        return self | JsonOutputParser()


class FakeAutonomy:
    """Implements :class:`graph.ports.Autonomy` with what it is told.

    What it was asked is kept in ``asked``.

    Args:
        reasons: Contact reason → what holds for it; any other one is in review.
        flagged: Article id → title, of articles that somebody must look at.
    """

    def __init__(
        self,
        reasons: Mapping[str, Clearance] | None = None,
        flagged: Mapping[str, str] | None = None,
    ) -> None:
        self.reasons = dict(reasons or {})
        self.flagged = dict(flagged or {})
        self.asked: list[tuple[str, str | None, tuple[str, ...]]] = []

    def clearance(self, contact_id: str, reason: str | None, articles: Sequence[str]) -> Clearance:
        """Return what holds for ``reason``; in review where it was told nothing of it."""
        self.asked.append((contact_id, reason, tuple(articles)))
        unknown: Clearance = {
            "state": "review",
            "round": 1,
            "on": True,
            "e_value": 1.0,
            "least_confidence": 0.0,
            "flagged": [],
            "barred": "",
        }
        known = self.reasons.get(reason, unknown) if reason is not None else unknown
        named = [self.flagged[one] for one in articles if one in self.flagged]
        return {**known, "flagged": [*known["flagged"], *named]}
