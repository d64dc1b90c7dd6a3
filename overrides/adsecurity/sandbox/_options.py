"""The allowed values of the sandbox's options, the same on the command line and in Python."""

from __future__ import annotations

from typing import TypeVar

Number = TypeVar("Number", int, float)

# Larger numbers are typing errors, and a timer cannot wait longer on every platform.
_MAXIMUM = 1_000_000_000
_RANGES = {"port": (0, 65_535)}


def check_number(option: str, number: Number) -> Number:
    """The number itself; raises ValueError when it is out of the option's range."""
    minimum, maximum = _RANGES.get(option, (0, _MAXIMUM))
    # Written as one chained comparison because it is also false for NaN.
    if not minimum <= number <= maximum:
        raise ValueError(f"{option.replace('_', ' ')}: {number} is not between {minimum} and {maximum}")
    return number


def check_api_key(key: str) -> str:
    """The API key itself; raises ValueError, which does not show it, when no HTTP header can carry it."""
    if not key or not key.isascii() or not key.isprintable() or key != key.strip():
        raise ValueError("api key: must be printable ASCII without spaces around it, and not empty")
    return key
