"""Bars on stderr while something takes its time; none where nobody would see them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .output import is_terminal


class Bar:
    """One bar: what it counts, at what rate, and the time left where the end is known."""

    def __init__(self, title: str, *, counts: str = "rows") -> None:
        self._progress: Any = None
        self._task: Any = None
        if not is_terminal(sys.stderr):
            return
        from rich import progress
        from rich.console import Console

        shown = (
            [progress.DownloadColumn(), progress.TransferSpeedColumn()]
            if counts == "bytes"
            else [progress.TextColumn("{task.completed:,.0f} " + counts), _Rate()]
        )
        self._progress = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            *shown,
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(title, total=None)

    def title(self, text: str) -> None:
        if self._progress is not None:
            self._progress.update(self._task, description=text)

    def at(self, done: float, total: float | None = None) -> None:
        """Say how far it is."""
        if self._progress is not None:
            self._progress.update(self._task, completed=done, total=total or None)

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()


def _Rate() -> Any:
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    return Rate()


class Watching:
    """Looks now and then, in a thread of its own, how far a file has grown that somebody else writes."""

    def __init__(self, size: Callable[[], int], show: Callable[[int], None], *, every: float = 0.2) -> None:
        self._size, self._show, self._every = size, show, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            self._show(self._size())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def part_size(path: Path) -> int:
    """Bytes of a download that is under way: those of the part file beside its target."""
    sizes = [0]
    for part in path.parent.glob(f"*{path.name}*.part"):
        try:
            sizes.append(part.stat().st_size)
        except OSError:
            # Renamed between the listing and the look: it is finished.
            continue
    return max(sizes)
