"""Which Chroma servers may be used."""

from __future__ import annotations

import pytest

from core.errors import BadInput
from retrieval.chroma_server import chroma_address


@pytest.mark.parametrize(
    ("url", "known_as"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://localhost", "http://localhost:8000"),
        ("http://127.0.0.7:9000/", "http://127.0.0.7:9000"),
        ("https://[::1]", "https://[::1]:443"),
    ],
)
def test_a_server_on_this_machine_may_be_used(url: str, known_as: str) -> None:
    assert chroma_address(url).url == known_as


@pytest.mark.parametrize(
    "url",
    [
        "http://chroma:8000",
        "http://10.0.0.5:8000",
        "http://0.0.0.0:8000",
        "http://localhost.example.com",
        "http://127.0.0.1.nip.io",
        "https://[2001:db8::1]:8000",
    ],
)
def test_one_that_others_may_reach_is_refused_until_somebody_vouches(url: str) -> None:
    with pytest.raises(BadInput, match=r"CVE-2026-45829.*PROOFDESK_CHROMA_TRUSTED_NETWORK=true"):
        chroma_address(url)
    assert chroma_address(url, trusted_network=True).host in url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "ftp://localhost",
        "http://",
        "http://localhost:port",
        "http://[::1",
        "http://me:secret@localhost",
        "http://localhost/chroma",
    ],
)
def test_what_is_no_address_of_a_server_is_said_to_be_none(url: str) -> None:
    with pytest.raises(BadInput, match="PROOFDESK_CHROMA_URL"):
        chroma_address(url, trusted_network=True)
