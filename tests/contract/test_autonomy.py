"""What a run may rely on, whoever tells it which reasons have earned their autonomy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.clock import FixedClock
from core.database import Database
from core.migrate import upgrade
from desk.autonomy import Autonomy as EarnedAutonomy
from desk.operations_file import OperationsFile
from desk.people import People
from graph.fakes import FakeAutonomy
from graph.ports import Autonomy
from graph.reasons import Reason
from tests.factories import NOON
from tests.integration.earned import ARTICLE, REASON, a_flag, an_article, put_on_autopilot, rulebook
from tests.unit.test_autopilot import CLEAR


@dataclass
class Known:
    """A port that knows one reason on autopilot and one article that is flagged."""

    autonomy: Autonomy
    e_value: float


def fake() -> Known:
    autonomy = FakeAutonomy({REASON: {**CLEAR, "e_value": 27.0}}, {ARTICLE: "Refunds"})
    return Known(autonomy, 27.0)


def real(folder: Path) -> Iterator[Known]:
    database = Database(f"sqlite:///{folder / 'autonomy.sqlite'}")
    upgrade(database)
    rules = rulebook(folder, [Reason(id=REASON, name="Refund question")])
    clock = FixedClock(NOON)
    autonomy = EarnedAutonomy(database, clock, rules, OperationsFile)
    with database.write() as session:
        session.add(an_article())
        session.add(a_flag("overdue"))
    ruth = People(database, clock).add(None, "Ruth", "ruth@example.com", "supervisor")
    put_on_autopilot(database, autonomy, ruth)
    yield Known(autonomy, autonomy.line(ruth, REASON).standing.e_value)
    database.close()


@pytest.fixture(params=["fake", "real"], scope="module")
def known(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Known]:
    if request.param == "fake":
        yield fake()
    else:
        yield from real(tmp_path_factory.mktemp("autonomy"))


def test_a_reason_on_autopilot_is_so_with_what_it_was_signed_on(known: Known) -> None:
    clearance = known.autonomy.clearance("con_1", REASON, ["help/other.md"])
    assert (clearance["state"], clearance["on"], clearance["barred"]) == ("autopilot", True, "")
    assert clearance["e_value"] == known.e_value >= 20
    assert clearance["round"] >= 1
    assert clearance["flagged"] == []


@pytest.mark.parametrize("reason", ["unheard_of", None])
def test_what_nobody_knows_of_is_in_review(known: Known, reason: str | None) -> None:
    assert known.autonomy.clearance("con_1", reason, [])["state"] == "review"


def test_a_flagged_source_is_named_whatever_the_reason(known: Known) -> None:
    for reason in (REASON, None):
        found = known.autonomy.clearance("con_1", reason, ["help/other.md", ARTICLE])
        assert found["flagged"] == ["Refunds"]


def test_confidence_is_asked_for_as_a_probability(known: Known) -> None:
    assert 0 <= known.autonomy.clearance("con_1", REASON, [])["least_confidence"] <= 1
