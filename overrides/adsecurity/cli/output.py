"""Where output goes and in which form: a format or a file for `-o`, what a terminal and a pipe get without it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NamedTuple

from .failures import Usage
from .files import create_file
from .nearest import did_you_mean

FORMATS = ("table", "json", "ndjson", "csv", "parquet")
_SUFFIXES = {".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv", ".parquet": "parquet"}
HELP = f"A format ({', '.join(FORMATS)}), or a file whose suffix says the format (clicks.parquet)."


class Output(NamedTuple):
    """A form, and a file unless it goes to stdout."""

    form: str
    path: Path | None

    @property
    def on_terminal(self) -> bool:
        return self.path is None and is_terminal(sys.stdout)


def is_terminal(stream: IO[Any]) -> bool:
    return stream.isatty()


def choose(given: str, *, default: str = "ndjson", formats: Iterable[str] = FORMATS) -> Output:
    """The output that `-o` asks for; without it a table for a terminal and `default` for a pipe."""
    formats = tuple(formats)
    if not given:
        return Output("table" if "table" in formats and is_terminal(sys.stdout) else default, None)
    if given in formats:
        if given == "parquet" and is_terminal(sys.stdout):
            raise Usage("-o: parquet is no text for a terminal: name a file (-o rows.parquet), or send it into a pipe")
        return Output(given, None)
    path = Path(given)
    form = _SUFFIXES.get(path.suffix.lower(), "")
    if form not in formats:
        # A word with neither suffix nor folder was meant as a format.
        hint = did_you_mean(given, formats) if not path.suffix else ""
        listed = [suffix for suffix, one in _SUFFIXES.items() if one in formats]
        raise Usage(
            f"-o: {given!r} is neither a format ({', '.join(formats)}) nor a file whose suffix says one"
            f" ({', '.join(listed)}).{hint}"
        )
    if path.is_dir():
        raise Usage(f"-o: {given} is a folder")
    if not path.absolute().parent.is_dir():
        raise Usage(f"-o: there is no folder {path.parent}")
    return Output(form, path)


class TextFile:
    """Text for stdout or for a file, which appears at its place when it is whole."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._part = None if path is None else path.with_name(f"{path.name}.{os.getpid()}.part")
        self._file: IO[str] | None = None

    def __enter__(self) -> IO[str]:
        if self._part is None:
            return sys.stdout
        self._file = io.TextIOWrapper(create_file(self._part), "utf-8", newline="")
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._part is None or self._file is None:
            if kind is None:
                # Here and not at exit, so that a pipe that broke is still ours to be quiet about.
                sys.stdout.flush()
            return
        assert self._path is not None
        self._file.close()
        if kind is None:
            os.replace(self._part, self._path)
        else:
            self._part.unlink(missing_ok=True)


def note(text: str) -> None:
    """Say something that is not data."""
    print(text, file=sys.stderr)
