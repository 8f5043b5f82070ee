from __future__ import annotations

from datetime import timedelta

from desk.redelivery import JITTER, PAUSES, Attempt


def pauses(first: Attempt) -> list[timedelta]:
    found, attempt = [], first.next
    while (pause := attempt.pause) is not None:
        found.append(pause)
        attempt = attempt.next
    return found


def test_the_first_attempt_is_made_at_once_and_the_others_ever_later() -> None:
    assert Attempt("del_1").pause == timedelta()
    found = pauses(Attempt("del_1"))
    assert len(found) == len(PAUSES)
    for pause, planned in zip(found, PAUSES, strict=True):
        assert planned * (1 - JITTER) <= pause <= planned * (1 + JITTER)


def test_a_server_that_is_away_for_an_hour_is_still_tried_afterwards() -> None:
    assert sum(pauses(Attempt("del_1")), timedelta()) > timedelta(hours=12)
    assert sum(pauses(Attempt("del_1"))[:4], timedelta()) < timedelta(minutes=20)


def test_deliveries_that_failed_together_are_not_tried_together() -> None:
    assert len({Attempt(f"del_{number}").next.pause for number in range(20)}) == 20
    assert Attempt("del_1").next.pause == Attempt("del_1").next.pause


def test_an_attempt_is_what_its_job_says() -> None:
    first = Attempt("del_1")
    assert (first.key, first.argument) == ("deliver:del_1", "del_1")
    later = first.next.next
    assert Attempt.read(later.argument) == later
    assert Attempt.read(first.argument) == first
    assert len({one.key for one in (first, first.next, later)}) == 3


def test_one_that_is_sent_again_begins_anew_under_a_key_of_its_own() -> None:
    exhausted = Attempt("del_1", before=11, failed=11)
    assert exhausted.pause is None
    again = Attempt("del_1", before=11)
    assert again.pause == timedelta()
    assert len(pauses(again)) == len(PAUSES)
    assert again.key not in {Attempt("del_1", n, n).key for n in range(11)}
