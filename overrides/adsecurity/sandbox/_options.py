"""Which values the options of a sandbox can have, on the command line and in Python."""

from __future__ import annotations

from typing import TypeVar

N = TypeVar("N", int, float)

# More of anything helps nobody, and a timer can still wait that long.
_MOST = 1_000_000_000
_RANGES = {"port": (0, 65_535)}


def checked(option: str, number: N) -> N:
    """The number; raises ValueError where the option cannot be that."""
    least, most = _RANGES.get(option, (0, _MOST))
    # The comparison refuses what is not a number at all, too.
    if not least <= number <= most:
        raise ValueError(f"{option.replace('_', ' ')}: {number} is not between {least} and {most}")
    return number


def checked_key(key: str) -> str:
    """The API key; raises ValueError, which does not show it, where no header can bring it."""
    if not key or not key.isascii() or not key.isprintable() or key != key.strip():
        raise ValueError("api key: must be printable ASCII without spaces around it, and not empty")
    return key
