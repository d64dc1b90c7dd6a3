"""What a command knows before it does anything: the APIs there are, and how it is to reach them."""

from __future__ import annotations

from typing import NamedTuple

SURFACES = {
    "network": "The Network admin API: users, offers, publishers, reports, exports.",
    "adsecurity": "The Adsecurity API: offers, smartlinks, filters, what publishers see.",
}


class Settings(NamedTuple):
    """How commands reach the APIs."""

    profile: str = ""
    debug: bool = False
