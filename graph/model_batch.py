"""Asks a language model many questions of one kind, where something else stands in for a silent one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from core.tracing import span

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

AT_ONCE: Final = 8
"""How many questions are with the model at a time."""
_LOG = logging.getLogger(__name__)


class AskedModel:
    """A model that is asked for JSON, and may fail.

    Args:
        model: LangChain chat model; its own timeout bounds the wait.
        rules: What it is told before each question.
        purpose: What for, as the trace names it.
    """

    def __init__(self, model: BaseChatModel, rules: str, purpose: str) -> None:
        self._model = model
        self._rules = rules
        self._purpose = purpose
        self._refused = False

    def ask(self, schema: Mapping[str, Any], questions: Sequence[str]) -> list[Any]:
        """Return a reply to each question, as the provider read it; None where the model raised.

        Args:
            schema: JSON schema of a reply. Whether a reply keeps to it is not checked.
            questions: What it is given as the human's words.
        """
        given: list[Any] = [[("system", self._rules), ("human", one)] for one in questions]
        try:
            asked = self._model.with_structured_output(dict(schema), method="json_schema")
            with span("model", purpose=self._purpose, contacts=len(given)):
                replies: list[Any] = asked.batch(
                    given, config={"max_concurrency": AT_ONCE}, return_exceptions=True
                )
        # Whatever a provider's client raises, what stands in does its work. That a model knows no
        # schemas is raised too, before anything is asked.
        except Exception as error:
            if not self._refused:
                _LOG.warning("the language model could not be asked: %s", type(error).__name__)
            self._refused = True
            return [None] * len(questions)
        return [None if isinstance(reply, Exception) else reply for reply in replies]
