"""The vector index in a Chroma server, for those who run one: on loopback, or at their own word."""

from __future__ import annotations

import ipaddress
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit
from urllib.request import urlopen

from core.errors import BadInput
from retrieval.vector_index import ChromaCollection, chroma_settings

ANSWERS_WITHIN_SECONDS: Final = 10.0
_PORTS: Final = {"http": 8000, "https": 443}


class ChromaAddress(NamedTuple):
    """Where a Chroma server listens."""

    host: str
    port: int
    tls: bool

    @property
    def url(self) -> str:
        """The address as a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def chroma_address(url: str, *, trusted_network: bool = False) -> ChromaAddress:
    """Return the address of a Chroma server that may be used.

    Args:
        url: ``http://host:port`` or ``https://host:port``.
        trusted_network: Whether somebody vouches that no stranger reaches the server.

    Raises:
        BadInput: It is no such URL, or the server is on no loopback address and nobody vouches.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInput(f"PROOFDESK_CHROMA_URL: {url!r} is no URL: {error}") from error
    rest = parts.username or parts.query or parts.fragment or parts.path.strip("/")
    if parts.scheme not in _PORTS or not parts.hostname or rest:
        raise BadInput(f"PROOFDESK_CHROMA_URL must be like http://localhost:8000, not {url!r}")
    if not (trusted_network or _is_loopback(parts.hostname)):
        raise BadInput(
            f"PROOFDESK_CHROMA_URL: {parts.hostname} is not this machine, and whoever reaches a "
            "Chroma server 1.0.0 to 1.5.9 over a network can run code in it before any sign-in "
            "(CVE-2026-45829, not mended in 1.5.9). Run it on localhost; or, where no stranger "
            "can reach it, set PROOFDESK_CHROMA_TRUSTED_NETWORK=true"
        )
    tls = parts.scheme == "https"
    return ChromaAddress(parts.hostname, port or _PORTS[parts.scheme], tls)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name: what it means is for others to say, and may change


class ChromaServerIndex(ChromaCollection):
    """A collection in a Chroma server that this process alone writes.

    Args:
        address: Of the server.
        name: Of the collection.
        seconds: Longest wait for an answer.
    """

    _at_once = 200  # which even a slow machine takes in before its time is over

    def __init__(
        self, address: ChromaAddress, name: str, seconds: float = ANSWERS_WITHIN_SECONDS
    ) -> None:
        super().__init__(f"at {address.url}", name)
        self._address = address
        self._seconds = seconds

    def clear(self) -> None:
        """Remove everything. Raises IndexUnavailable when the server does not answer."""
        with self._lock:
            self.close()  # what is known of the collection may no longer be so
            try:
                self._answered(self._delete)
            finally:
                self.close()

    def close(self) -> None:
        """Let go of it; the next call connects again."""
        with self._lock:
            sessions = _sessions(self._client)
            super().close()
            for session in sessions:
                session.close()  # Chroma's client leaves its connections open

    def _delete(self) -> None:
        self._collection()
        self._client.delete_collection(self._name)

    def _connected(self) -> Any:
        import chromadb

        # Chroma's client asks as it is made, and would wait for ever.
        with urlopen(f"{self._address.url}/api/v2/heartbeat", timeout=self._seconds):
            pass
        host, port, tls = self._address
        client: Any = chromadb.HttpClient(host, port, ssl=tls, settings=chroma_settings())
        for session in _sessions(client):
            session.timeout = self._seconds
        return client


def _sessions(client: Any) -> list[Any]:
    """Return the HTTP sessions of a Chroma client: its own and the one it looks for tenants with."""
    return [one._server._session for one in (client, client._admin_client)] if client else []
