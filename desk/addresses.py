"""Where a thing of the desk is opened in the UI: the links of reports. Pure."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

Linked = Literal["review", "contact", "flag", "article", "reason", "task"]


def address_of(base: str, what: Linked, its_id: str) -> str:
    """Return the address that opens one thing; "" where nobody said where the UI is.

    Args:
        base: Address of the UI; "" for none.
        what: What it is.
        its_id: Its id.
    """
    return f"{base.rstrip('/')}/?{urlencode([(what, its_id)])}" if base else ""
