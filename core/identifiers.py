"""Identifiers and digests."""

from __future__ import annotations

import hashlib
import json
import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def _base32(number: int, digits: int) -> str:
    out = ""
    for _ in range(digits):
        number, rest = divmod(number, 32)
        out = _ALPHABET[rest] + out
    return out


def new_id(prefix: str) -> str:
    """Return a new id such as ``con_01k2m4…``: a prefix, 9 digits of milliseconds, 10 random digits.

    Ids of one prefix sort by the time they were made.
    """
    return f"{prefix}_{_base32(time.time_ns() // 1_000_000, 9)}{_base32(secrets.randbits(50), 10)}"


def text_digest(text: str) -> str:
    """Return the SHA-256 of ``text`` (UTF-8), 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def json_digest(value: object) -> str:
    """Return the SHA-256 of ``value`` as canonical JSON, 64 hexadecimal digits."""
    return text_digest(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")))
