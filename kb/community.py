"""The one place that knows LangChain's community package.

That package is being sunset by its makers. It is kept because it reads many systems that teams
keep their help centers in. To replace it: write the same function over the vendor's own client (or
over the standalone integration package that takes a loader's place) and import it in
``kb.loaders``; nothing else in Proofdesk has heard of LangChain's documents.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from core.errors import BadInput, Unavailable


def load(loader: str, args: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return ``(text, metadata)`` of every document that a community loader reads.

    Args:
        loader: Class name in ``langchain_community.document_loaders``.
        args: Its keyword arguments.

    Raises:
        BadInput: There is no such loader, or it does not take these arguments.
        Unavailable: It failed; the message names the kind of failure.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        try:
            from langchain_community import document_loaders

            make = getattr(document_loaders, loader)
        except (ImportError, AttributeError):
            raise BadInput(
                f"{loader}: no such loader in langchain_community.document_loaders."
            ) from None
        try:
            documents = make(**args).load()
        except TypeError as error:
            raise BadInput(f"{loader}: {error}.") from error
        except Exception as error:  # a loader may raise anything; its source then counts as failed
            raise Unavailable(f"{loader} failed: {type(error).__name__}: {error}.") from error
    return [(document.page_content, dict(document.metadata)) for document in documents]
