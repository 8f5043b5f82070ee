"""What a trace shows of a contact, and what it does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from core.errors import BadInput
from core.tracing import send_traces, span, stop_traces, trace_to
from graph.fakes import ScriptedChatModel
from graph.model_draft import ModelDrafter
from tests.integration.conftest import OpenDesk, open_contact, pending_review

SECRET = "Kreuzottergasse 4711"


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace_to(provider)
    yield exporter
    stop_traces()


def named(spans: Sequence[ReadableSpan], name: str) -> list[ReadableSpan]:
    return [one for one in spans if one.name == name]


def test_a_contact_is_traced_from_its_question_to_its_delivery(
    open_synced: OpenDesk, exported: InMemorySpanExporter
) -> None:
    desk = open_synced(inline=False)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    supervisor = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    desk.start()
    contact = open_contact(desk, agent, "How long does a refund take?", subject=SECRET)
    review = pending_review(desk, supervisor, contact)
    desk.reviews.decide(supervisor, review, {"kind": "approve"})
    (sent,) = desk.deliveries.of_contact(supervisor, contact)
    assert desk.jobs.wait(f"deliver:{sent.id}", 60) == "sent"
    spans = exported.get_finished_spans()
    nodes = [one.attributes["node"] for one in named(spans, "node") if one.attributes]
    for node in ("intake", "classify", "retrieve", "draft", "check", "recheck", "deliver"):
        assert node in nodes
    first, second = named(spans, "run")
    about = {"contact_id": contact}
    assert dict(first.attributes or {}) == {**about, "job": "carry"}
    assert dict(second.attributes or {}) == {**about, "job": "resume", "review_id": review}
    (search,) = named(spans, "search")[:1]
    assert search.attributes
    assert search.attributes["hits"]
    (delivery,) = named(spans, "delivery")
    assert delivery.attributes
    assert delivery.attributes["contact_id"] == contact
    assert delivery.attributes["delivery_id"] == sent.id
    by_id = {one.context.span_id: one for one in spans if one.context}
    assert search.parent
    retrieve = by_id[search.parent.span_id]
    assert retrieve.attributes
    assert retrieve.attributes["node"] == "retrieve"
    assert retrieve.parent
    run = by_id[retrieve.parent.span_id]
    assert run.name == "run"
    assert run.parent
    job = by_id[run.parent.span_id]
    assert dict(job.attributes or {}) == {"job": "carry", "contact_id": contact}
    assert all(one.status.is_ok or one.status.is_unset for one in spans)  # a pause is no failure
    quoted = "".join(one.to_json() for one in spans)
    assert SECRET not in quoted
    assert "refund" not in quoted


def test_a_failure_is_told_by_its_type(exported: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match=SECRET), span("node", node="draft"):
        raise ValueError(SECRET)
    (failed,) = exported.get_finished_spans()
    assert failed.status.description == "ValueError"
    assert SECRET not in failed.to_json()


def test_a_call_of_the_model_is_a_span_of_its_own(
    open_synced: OpenDesk, exported: InMemorySpanExporter
) -> None:
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    model = ScriptedChatModel(replies=["no JSON", "no JSON"])
    drafter = ModelDrafter("fake:model", None, 30, desk.deps.drafter, model)
    desk.__dict__["deps"] = replace(desk.deps, drafter=drafter)
    open_contact(desk, agent, "How long does a refund take?")
    calls = named(exported.get_finished_spans(), "model")
    assert [dict(call.attributes or {})["purpose"] for call in calls] == ["draft", "draft"]
    assert {dict(call.attributes or {})["model"] for call in calls} == {"fake:model"}


def test_without_its_packages_a_trace_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    monkeypatch.setitem(sys.modules, exporter, None)
    with pytest.raises(BadInput, match="uv sync --extra otel"):
        send_traces()
