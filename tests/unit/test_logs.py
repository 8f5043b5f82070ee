from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from core.errors import DatabaseUnavailable
from core.logs import about, bring_in, describe, write_log, write_no_log
from core.settings import Settings

SECRET = "my card is 4711"


@pytest.fixture(autouse=True)
def _root_as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


def fail() -> None:
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        raise ValueError(f"cannot read {SECRET!r}") from error


def test_a_line_names_what_it_is_about(log: io.StringIO) -> None:
    write_log("json", "info", log)
    with about(contact_id="con_1"), about(review_id="rev_1"):
        logging.getLogger("desk.jobs").info("%s begun", "resume")
    logging.getLogger("desk.jobs").info("idle")
    logging.getLogger("desk.jobs").debug("unseen")
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "INFO",
        "logger": "desk.jobs",
        "message": "resume begun",
        "contact_id": "con_1",
        "review_id": "rev_1",
    }
    assert "contact_id" not in second


def test_text_names_the_same(log: io.StringIO) -> None:
    write_log("text", "info", log)
    with about(contact_id="con_1"):
        logging.getLogger("graph.build").warning("100% of it")
    assert "WARNING graph.build: 100% of it (contact_id=con_1)" in log.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_exception_is_told_by_type_and_place(form: str, log: io.StringIO) -> None:
    write_log(form, "info", log)  # type: ignore[arg-type]
    try:
        fail()
    except ValueError:
        logging.getLogger("desk.jobs").exception("a job failed")
        logging.getLogger("sqlalchemy").exception("row %s", SECRET)
    said = log.getvalue()
    assert "ValueError" in said
    assert "KeyError" in said
    assert "tests/unit/test_logs.py" in said
    assert SECRET not in said


def test_our_own_words_are_told() -> None:
    assert describe(DatabaseUnavailable()).startswith("DatabaseUnavailable: The database does not")


def test_a_library_that_may_see_contacts_says_nothing(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.error")
    write_log("json", "info", log)
    bring_in("uvicorn")  # a test of a page before this one had it write a log of its own
    logging.getLogger("openai._base_client").warning("body was %s", SECRET, extra={"body": SECRET})
    logging.getLogger("uvicorn.error").info("Application startup complete.")
    library, server = (json.loads(line) for line in log.getvalue().splitlines())
    assert (library["logger"], library["level"]) == ("openai._base_client", "WARNING")
    assert "withheld" in library["message"]
    assert SECRET not in log.getvalue()
    assert server["message"] == "Application startup complete."


def test_no_line_holds_the_secret_of_a_sign_in_link(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").propagate = False
    write_log("text", "info", log)
    bring_in("uvicorn")
    logging.getLogger("uvicorn.access").warning('"GET /?signin=%s HTTP/1.1" 200', SECRET)
    logging.getLogger("uvicorn.error").error("The port is taken.")
    assert SECRET not in log.getvalue()
    assert "The port is taken." in log.getvalue()


def test_a_library_with_a_log_of_its_own_is_brought_in(log: io.StringIO) -> None:
    own = io.StringIO()
    logger = logging.getLogger("streamlit.something")
    logger.addHandler(logging.StreamHandler(own))
    logger.propagate = False
    write_log("json", "info", log)
    bring_in("streamlit")
    logger.error("a page failed on %s", SECRET)
    assert own.getvalue() == ""
    assert json.loads(log.getvalue())["logger"] == "streamlit.something"


def test_a_short_command_writes_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    write_no_log()
    logging.getLogger("desk.jobs").error("a job failed")
    assert capsys.readouterr().err == ""


def test_a_level_may_be_written_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOFDESK_LOG_LEVEL", "ERROR")
    assert Settings().log_level == "error"
