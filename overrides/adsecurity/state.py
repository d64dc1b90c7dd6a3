"""What a load that runs again and again has read so far: `since=State("clicks.json")`.

A run reads what came after the run before it. What was read is saved once the caller has stored the rows, and not
before, so a run that dies in between is done again by the next one and nothing is missed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import attrs

from .errors import AdsecurityError, PaginationError
from .tables.whole_file import WholeFile, read_file

_NO_TIME = timedelta(0)


class StateStore(Protocol):
    """Where a state is kept: beside the rows, in their transaction, if they are to come exactly once."""

    def load(self) -> str | None:
        """The text that was saved last; None before the first time."""
        ...

    def save(self, state: str, /) -> None:
        """Keep a text in place of the one before it; all of it or nothing."""
        ...


class StateFile:
    """A state in a local file, which is whole at any moment, whatever happens to the process or the machine."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = WholeFile(path)

    @property
    def path(self) -> Path:
        return self._file.path

    def load(self) -> str | None:
        path = self.path
        try:
            return read_file(path).decode("utf-8")
        except FileNotFoundError:
            if path.parent.is_dir():
                return None
            raise AdsecurityError(f"cannot keep a state in {path}: there is no such folder") from None
        except (OSError, UnicodeDecodeError) as error:
            raise AdsecurityError(f"cannot read the state {path}: {_reason(error)}") from error

    def save(self, state: str, /) -> None:
        file = self._file
        try:
            file.open().write(state.encode())
            file.finish()
        except OSError as error:
            raise AdsecurityError(f"cannot save the state {self.path}: {_reason(error)}; it is as before") from error
        finally:
            with suppress(OSError):
                file.discard()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


@attrs.frozen(eq=False)
class _Call:
    """The call that a state was passed to last."""

    operation: str
    loaded: str | None
    """What the call went on from."""
    text: Callable[[], str]
    """What is to be saved; raises PaginationError while the call has not been read to its end."""


class State:
    """What the runs of one load have read so far; pass it as `since=` to a list with a time range.

    Each run gives the rows that no run before it has given, up to the call's end: give the present moment there. The
    first one begins at the call's start, which later ones do not look at. The range is half-open, as with
    `inclusive="left"`. Whoever has stored the rows says so by leaving a `with` or by `commit()`:

        with State("clicks.json", lag=timedelta(hours=6)) as state:
            rows = net.reports.clicks(integration_id="i", start_time="2026-11-01", end_time=now, since=state)
            rows.to_parquet("new-clicks.parquet")

    Where the `with` is left by an exception, or the process dies in it, nothing is saved, and the next run gives the
    same rows again. Rows and state that are saved in one transaction come exactly once.

    Saved are the time of the newest row, and a hash of 12 bytes for each row within `lag` and `lookback` before it
    (20 bytes of JSON each), so the longer of the two bounds the size. Neither the API key nor any value of a row is
    in it. One state belongs to one call: another operation, or other arguments than start and end, are refused.
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | StateStore,
        *,
        lag: timedelta = _NO_TIME,
        lookback: timedelta = _NO_TIME,
    ) -> None:
        """Nothing is read before the state is passed to a call.

        Args:
            store: The path of a file, or an object with `load()`, which gives the text that was saved last or None,
                and `save(text)`. Both are called as they are, also by async clients.
            lag: How late a row may appear: so much before the newest row is read again, and rows that have come
                already are left out. A row that appears later than that is missed.
            lookback: As `lag`, for rows that change after they have appeared: those that are not what they were are
                given again, so whoever stores them replaces the old ones. Where both are given, the longer one
                counts for both.

        Raises:
            TypeError, ValueError: an argument is not what it has to be.
        """
        for name, value in (("lag", lag), ("lookback", lookback)):
            if not isinstance(value, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError(f"{name} must be a timedelta, not {type(value).__name__}")
            if value < _NO_TIME:
                raise ValueError(f"{name} must not be negative")
        if isinstance(store, str | os.PathLike):
            self._store: StateStore = StateFile(store)
        elif callable(getattr(store, "load", None)) and callable(getattr(store, "save", None)):
            self._store = store
        else:
            raise TypeError(f"a state is kept in a file, or by load() and save(), not by {type(store).__name__}")
        self.lag, self.lookback = lag, lookback
        self._call: _Call | None = None

    def load(self) -> str | None:
        """The text that was saved last."""
        text = self._store.load()
        if not isinstance(text, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"load() of a state gives text or None, not {type(text).__name__}")
        return text

    def attach(self, operation: str, loaded: str | None, text: Callable[[], str]) -> None:
        """Used by the list that the state is passed to: `text` gives what is to be saved once it has been read."""
        self._call = _Call(operation, loaded, text)

    def commit(self) -> None:
        """Save what the last call with this state has read. Without such a call nothing happens.

        Raises:
            PaginationError: the list was not read to its end, so there is nothing that could be saved without missing
                rows; or the state was saved by another run meanwhile.
            AdsecurityError: the file cannot be written.
        """
        call = self._call
        if call is None:
            return
        text = call.text()
        if self.load() != call.loaded:
            raise PaginationError(
                f"{call.operation}: another run has saved this state meanwhile, and perhaps stored the same rows:"
                " nothing was saved",
                operation=call.operation,
            )
        self._store.save(text)
        self._call = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        self._call = None

    def __repr__(self) -> str:
        store = str(self._store.path) if isinstance(self._store, StateFile) else type(self._store).__name__
        return f"State({store!r}, lag={self.lag!s}, lookback={self.lookback!s})"
