"""What machines are told about a desk."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from socket import create_server

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.database import Database
from core.errors import BadInput
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.doctor import examine
from desk.health import Readiness, is_ready, look_at, probes, serve_probes
from tests.conftest import ROOT
from tests.ports import free_port

SECRET = "hush-4711"


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """A desk that nobody has asked anything yet."""
    desk = open_desk(settings, inline=True)
    yield desk
    desk.close()


def ask(desk: Desk, path: str) -> tuple[int, dict[str, object]]:
    answer = TestClient(Starlette(routes=probes(Readiness(desk)))).get(path)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


def well(body: dict[str, object]) -> dict[str, bool]:
    return {part["part"]: part["ok"] for part in body["parts"]}  # type: ignore[attr-defined]


def test_a_desk_is_ready_once_its_index_is_built(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[bool] = []
    with monkeypatch.context() as patched:
        patched.setattr(Desk, "warm_up", lambda _: begun.append(True))
        status, body = ask(desk, "/readyz")
    assert (status, body["ready"]) == (503, False)
    assert well(body) == {"database": True, "index": False, "jobs": True}
    assert begun  # whoever asks has it built
    desk.sync()
    status, body = ask(desk, "/readyz")
    assert (status, body["ready"]) == (200, True)
    assert well(body) == {"database": True, "index": True, "jobs": True}


def test_a_desk_that_warms_up_becomes_ready_by_itself(desk: Desk) -> None:
    desk.warm_up()
    assert desk._warming
    desk._warming.join(60)
    assert ask(desk, "/readyz")[0] == 200


def test_a_desk_that_is_told_to_stop_is_not_ready_any_more(desk: Desk) -> None:
    desk.sync()
    assert ask(desk, "/readyz")[0] == 200
    desk._stopped.set()  # as close() begins
    status, body = ask(desk, "/readyz")
    assert (status, well(body)["jobs"]) == (503, False)
    assert "takes nothing more" in str(body["parts"])
    assert ask(desk, "/healthz")[0] == 200


def test_without_its_database_a_desk_lives_and_is_not_ready(desk: Desk) -> None:
    desk.sync()
    desk.database = Database(f"postgresql+psycopg://desk:{SECRET}@127.0.0.1:9/none")
    assert ask(desk, "/healthz") == (200, {"alive": True})
    status, body = ask(desk, "/readyz")
    assert (status, well(body)["database"]) == (503, False)
    assert SECRET not in json.dumps(body)
    assert "127.0.0.1" not in json.dumps(body)


def test_without_its_model_a_desk_is_ready_and_says_so(desk: Desk) -> None:
    desk.sync()
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        url = f"http://127.0.0.1:{port}/v1"
        desk.settings = desk.settings.model_copy(update={"model": "openai:local", "model_url": url})
        assert well(ask(desk, "/readyz")[1])["model"]
    status, body = ask(desk, "/readyz")
    assert (status, well(body)["model"]) == (200, False)
    (said,) = [part["says"] for part in body["parts"] if part["part"] == "model"]  # type: ignore[attr-defined]
    assert "the sources' own sentences" in said


def test_the_doctor_looks_at_the_same_parts(desk: Desk) -> None:
    desk.sync()
    parts = examine(desk)
    assert [part["part"] for part in parts if not part["ok"]] == []
    assert is_ready(parts)
    assert is_ready([part for part in parts if part["part"] != "queue"])
    assert not is_ready([part for part in parts if part["part"] != "jobs"])


def test_what_a_part_fails_with_is_named_without_its_words() -> None:
    def fail() -> str:
        raise RuntimeError(f"password={SECRET}")

    part = look_at("database", fail)
    assert not part["ok"]
    assert "RuntimeError" in part["says"]
    assert SECRET not in part["says"]


def test_a_worker_answers_probes_on_a_port_of_its_own(desk: Desk) -> None:
    port = free_port()
    with (
        create_server(("127.0.0.1", port)),
        pytest.raises(BadInput, match="PROOFDESK_HEALTH_PORT"),
    ):
        serve_probes(desk, "127.0.0.1", port)
    serve_probes(desk, "127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
        assert json.load(answer) == {"alive": True}
    # What the container's health check asks, and that it fails where nobody answers.
    asks = re.search(r"urlopen\(.*\)", (ROOT / "Dockerfile").read_text())
    assert asks
    eval(asks[0].replace("8501", str(port)), {"urlopen": urllib.request.urlopen}).close()
    with pytest.raises(OSError, match="refused"):
        eval(asks[0].replace("8501", str(free_port())), {"urlopen": urllib.request.urlopen})
