"""What the log tells of a contact whose run fails, and what it does not."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.errors import Unavailable
from core.logs import write_log
from tests.integration.conftest import OpenDesk, open_contact, pending_review

SECRET = "Kreuzottergasse 4711"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    handlers, level = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    write_log("json", "debug", stream)
    yield stream
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


class Fails:
    """A drafter that quotes what it was asked when it fails."""

    name = "fails"

    def draft(self, conversation, question, *_):
        raise ValueError(f"cannot answer {question!r} of {conversation!r}")


def test_a_failed_run_is_told_by_its_ids_and_quotes_nobody(
    open_synced: OpenDesk, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    desk = open_synced(inline=False)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    desk.__dict__["deps"] = replace(desk.deps, drafter=Fails())
    desk.start()
    with pytest.raises(Unavailable):
        open_contact(desk, agent, f"How long does a refund to {SECRET} take?")
    told = lines(log)
    failed = [line for line in told if line["message"] == "node draft failed"]
    assert len(failed) > 1  # it was tried again
    assert {line["logger"] for line in failed} == {"graph.build"}
    assert all(line["contact_id"].startswith("con_") for line in failed)
    assert all("ValueError" in line["error"] for line in failed)
    (given_up,) = [line for line in told if line["message"].startswith("given up")]
    assert (given_up["job"], given_up["level"]) == ("carry", "ERROR")
    assert given_up["contact_id"] == failed[0]["contact_id"]
    assert SECRET not in log.getvalue()
    assert "refund" not in log.getvalue()
    assert capfd.readouterr() == ("", "")  # no library writes beside the log


def test_what_follows_a_decision_names_contact_and_review(
    open_synced: OpenDesk, log: io.StringIO
) -> None:
    desk = open_synced(inline=False)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    supervisor = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    desk.start()
    contact = open_contact(desk, agent, "How long does a refund take?")
    review = pending_review(desk, supervisor, contact)

    class Away(Fails):
        def put(self, *_):
            raise ValueError(SECRET)

    desk.runs._deps = replace(desk.deps, outbox=Away())
    with pytest.raises(Unavailable):
        desk.reviews.decide(supervisor, review, {"kind": "approve"})
    failed = [line for line in lines(log) if line["message"] == "node deliver failed"]
    assert failed
    assert {(line["contact_id"], line["review_id"], line["job"]) for line in failed} == {
        (contact, review, "resume")
    }
    assert SECRET not in log.getvalue()
