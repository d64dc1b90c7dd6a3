"""What somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that are most like this one; what it is the beginning of comes first."""
    # Only on the way to an error message: difflib takes longer to import than a command takes to start.
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    low = name.lower()
    begun = [one for one in names if low and one.lower().startswith(low)]
    lowered = {one.lower(): one for one in names}
    close = [lowered[one] for one in get_close_matches(low, lowered, most, 0.5)]
    return list(dict.fromkeys([*begun, *close]))[:most]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence with the nearest names, or with all of them while they are few, or nothing."""
    names = list(known)
    near = nearest(name, names)
    if near:
        return f" Did you mean {' or '.join(near)}?"
    return f" Known: {', '.join(names)}." if 0 < len(names) <= 12 else ""
