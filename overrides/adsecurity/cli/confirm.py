"""The question before something is deleted or changed in bulk."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .failures import Failure, Usage
from .output import is_terminal

_NAMED = 5


def named(ids: Sequence[object]) -> str:
    """How many there are, and the first of them by name."""
    shown = ", ".join(str(one) for one in ids[:_NAMED])
    return f"{len(ids):,} ({shown}{', ...' if len(ids) > _NAMED else ''})"


def ask(what: str, *, yes: bool) -> None:
    """Go on only with a yes. Without a terminal there is nobody to ask, so `--yes` has to be there."""
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise Usage(f"{what}? There is no terminal to ask on: say --yes (nothing was sent)")
    # Not by input(): where it uses readline, a Ctrl-C that comes at once is not noticed before the next key.
    print(f"{what}? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Failure("nothing was changed")
