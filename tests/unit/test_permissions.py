from __future__ import annotations

import pytest

from core.errors import NotAllowed
from core.vocabulary import DecisionKind, Role
from desk.permissions import Actor, decisions_open_to, require

ALL: list[DecisionKind] = ["approve", "edit", "reject", "escalate"]


def person(role: Role) -> Actor:
    return Actor(f"per_{role}", role, role)


@pytest.mark.parametrize(
    ("role", "tier", "findings", "may"),
    [
        ("supervisor", "review_required", 3, ALL),
        ("admin", "escalate_first", 0, ALL),
        ("agent", "allowed", 0, ALL),
        ("agent", "allowed", 1, ["escalate"]),
        ("agent", "review_required", 0, ["escalate"]),
        ("content_owner", "allowed", 0, []),
    ],
)
def test_who_may_decide_what(role: Role, tier: str, findings: int, may: list[str]) -> None:
    assert decisions_open_to(person(role), tier, findings, ALL) == may


@pytest.mark.parametrize("role", ["agent", "supervisor", "content_owner"])
def test_only_an_admin_manages_people(role: Role) -> None:
    with pytest.raises(NotAllowed, match="may not manage people"):
        require(person(role), "manage_people")
