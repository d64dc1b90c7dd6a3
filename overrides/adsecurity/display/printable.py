"""Text from elsewhere, made fit for a terminal."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """Text of a server that cannot move the cursor, colour the screen or retitle the window."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
