from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.sentences import split_sentences


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It costs $3.50. Pay now.", ["It costs $3.50.", "Pay now."]),
        ("Use a plan, e.g. Pro or Team. Done.", ["Use a plan, e.g. Pro or Team.", "Done."]),
        ("See No. 5 for more. Is it on? No. It is off.",
         ["See No. 5 for more.", "Is it on?", "No.", "It is off."]),
        ("We ship to the U.S. only. Sorry.", ["We ship to the U.S. only.", "Sorry."]),
        ("We ship to the U.S. The fee is $5.", ["We ship to the U.S.", "The fee is $5."]),
        ("The U.S. Postal Service delivers.", ["The U.S. Postal Service delivers."]),
        ("Open https://a.example/x.y?z=1. Then wait.", ["Open https://a.example/x.y?z=1.", "Then wait."]),
        ("1. Open settings. 2. Save.", ["1. Open settings.", "2. Save."]),
        ("Pay with:\n\n- cash\n- card\nor cheque", ["Pay with:", "- cash", "- card\nor cheque"]),
        ("A line that\nwraps here. Next.", ["A line that\nwraps here.", "Next."]),
        ("Open 9 a.m. to 5 p.m. Monday to Friday.", ["Open 9 a.m. to 5 p.m. Monday to Friday."]),
        ("Python 3.11.2 works. So does 3.12.", ["Python 3.11.2 works.", "So does 3.12."]),
        ("He said \"stop.\" Then he left.", ["He said \"stop.\"", "Then he left."]),
        ("Write to Acme Inc. for help.", ["Write to Acme Inc. for help."]),
        ("## Refunds\nWithin 30 days.", ["## Refunds", "Within 30 days."]),
        ("", []),
        (" ... ", []),
    ],
)  # fmt: skip
def test_sentences_are_found_where_a_reader_sees_them(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


@given(st.text(max_size=300))
def test_no_word_is_lost_or_read_twice(text: str) -> None:
    spans = split_sentences(text)
    assert all(start < end for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    covered = "".join(text[start:end] for start, end in spans)
    assert [c for c in covered if c.isalnum()] == [c for c in text if c.isalnum()]
