"""Bars on stderr while something takes its time, drawn by tqdm: it writes lines that any terminal can show, and in a
notebook it has a widget, or the same lines where there are no widgets."""

from __future__ import annotations

import os
import sys
from typing import Any, Self

from ..flow.extras import require

_STYLES: dict[str, dict[str, Any]] = {
    "bytes": {"unit": "B", "unit_scale": True, "unit_divisor": 1024},
    "": {"bar_format": "{desc} {elapsed}"},
}
"""How each unit is shown; without a unit only the time is."""


class Bar:
    """One bar: what it counts, at what rate, and the time left where the end is known.

    It draws nothing unless it is wanted and somebody can see it: a terminal or a notebook. Raises ModuleNotFoundError
    where it is wanted and tqdm is missing.
    """

    def __init__(self, title: str, *, unit: str = "rows", total: int = 0, wanted: bool = True) -> None:
        self._title, self._unit, self._total = title, unit, total
        self._drawn: Any = None
        self._draw = False
        if wanted:
            require("tqdm", extra="progress")
            self._draw = _is_seen()

    def __enter__(self) -> Self:
        if self._draw:
            style = {**_STYLES.get(self._unit, {"unit": f" {self._unit}"}), **_size()}
            tqdm = require("tqdm.auto", extra="progress").tqdm
            self._drawn = tqdm(desc=self._title, total=self._total or None, miniters=1, **style)
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn is not None:
            self._drawn.close()

    def title(self, text: str) -> None:
        """Say what is being done."""
        if self._drawn is not None:
            self._drawn.set_description_str(text)

    def at(self, done: int, total: int | None = None) -> None:
        """Say how far it is."""
        drawn = self._drawn
        if drawn is None:
            return
        if total and total != drawn.total:
            drawn.reset(total)
        if done > drawn.n:
            drawn.update(done - drawn.n)
        elif done < drawn.n:
            # Begun again.
            drawn.n = done
            drawn.refresh()


def _size() -> dict[str, Any]:
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        # A notebook's stderr is no file.
        known = 1
    # Some terminals say that they have neither columns nor lines.
    return {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 24}


def _is_seen() -> bool:
    """Whether stderr is a terminal, or this is the kernel of a notebook."""
    if sys.stderr is not None and sys.stderr.isatty():  # pyright: ignore[reportUnnecessaryComparison]
        return True
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
