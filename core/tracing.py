"""Traces: how long a run, a node, a search, a call of the model, a job and a delivery take.

Off until :func:`send_traces`; then OpenTelemetry (``proofdesk[otel]``) is imported and each
:func:`span` becomes one. Attributes hold ids, names and counts; a failure is told by its type.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from core.errors import BadInput
from core.logs import ids

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

FLUSH_MILLISECONDS: Final = 1_000
SERVICE: Final = "proofdesk"

_providers: list[TracerProvider] = []
"""Where spans go: nowhere, or to one. As with the log, there is one a process."""


class Noting:
    """Takes what is known of a span only when it ends."""

    def __init__(self) -> None:
        self.attributes: dict[str, str | int | float | bool] = {}

    def note(self, **attributes: str | int | float | bool) -> None:
        """Add ids, names or counts; never what a customer, an article or a model said."""
        self.attributes.update(attributes)


@contextmanager
def span(name: str, **attributes: str | int | float | bool) -> Iterator[Noting]:
    """Measure the block as a span ``name``, with the ids that the log would name.

    Args:
        name: One of few: what differs from one to the next is an attribute.
        attributes: Ids, names or counts.
    """
    noting = Noting()
    if not _providers:
        yield noting
        return
    from opentelemetry.trace import Status, StatusCode

    tracer = _providers[0].get_tracer(SERVICE)
    # The words of an exception may quote a customer: OpenTelemetry must not record them.
    with tracer.start_as_current_span(
        name,
        attributes={**ids(), **attributes},
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield noting
        except Exception as error:
            if not is_pause(error):
                current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            current.set_attributes(noting.attributes)


def is_pause(error: Exception) -> bool:
    """Tell whether what was raised is how LangGraph pauses a run, which is no failure."""
    return any(kind.__name__ == "GraphBubbleUp" for kind in type(error).__mro__)


def send_traces() -> None:
    """Send spans to where OpenTelemetry's own variables say, such as OTEL_EXPORTER_OTLP_ENDPOINT.

    Raises:
        BadInput: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise BadInput(
            "PROOFDESK_TRACES: traces need more packages; run `uv sync --extra otel`."
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace_to(provider)


def trace_to(provider: TracerProvider) -> None:
    """Have every span go to ``provider``."""
    _providers[:] = [provider]


def stop_traces() -> None:
    """Send what is left, as far as that is possible at once; measure nothing from now on."""
    while _providers:
        _providers.pop().force_flush(FLUSH_MILLISECONDS)
