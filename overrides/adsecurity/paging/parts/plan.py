"""A range as files of a folder: which files there are to be, which are finished, and what the folder belongs to.

A file is whole or not there, so those that are there are finished. The manifest holds the plan, so that a later run
makes the same files, and ties the folder to one call. Its name begins with an underscore: readers of folders of
Parquet files pass over such names.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import attrs

from ...errors import DownloadError
from ...tables.whole_file import WholeFile, file_path, read_file
from ..checkpoint import CheckpointHeader
from ..clock import Days
from ..time_range import TimeRange

MANIFEST = "_adsecurity.json"
VERSION = 1
SHARES = 4
"""So many spans for each process, where seconds are counted: one that takes long does not leave the others idle."""


@attrs.frozen
class Part:
    """One file, and the span whose rows it holds."""

    span: Mapping[str, str]
    """Start and end, as keyword arguments of the call."""
    file: Path

    def __str__(self) -> str:
        return " to ".join(self.span.values())

    @contextmanager
    def named_in_errors(self) -> Generator[None]:
        """An error tells which span it is of. Its checkpoint would be of that span, which nobody called."""
        try:
            yield
        except Exception as error:
            if getattr(error, "checkpoint", None) is not None:
                vars(error)["checkpoint"] = None
            error.add_note(f"in the span from {self}")
            raise


class PartsPlan:
    """The files of one folder."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        times: TimeRange,
        header: CheckpointHeader,
        *,
        partition_by: str | None,
        processes: int,
    ) -> None:
        if partition_by not in (None, "day", "month"):
            raise times.refused(f"partition_by is 'day', 'month' or None, not {partition_by!r}")
        if type(processes) is not int or processes < 1:
            raise times.refused(f"processes is a whole number from 1 on, not {processes!r}")
        self.folder = file_path(path)
        self._times, self._header, self._by = times, header, partition_by
        self.parts: Sequence[Part] | None = self._read()
        """None where nothing has been planned yet."""
        self._bounds = self._partitions()
        # Reading a span of days asks for four days more, so these are cut as seldom as possible.
        wanted = processes if isinstance(times.clock, Days) else processes * SHARES
        self.spans_wanted = wanted if self.parts is None and len(self._bounds) <= wanted else 0
        """Into so many spans the range is to be cut beside its days or months; 0 for no more than those."""

    def _read(self) -> Sequence[Part] | None:
        folder, path = self.folder, self.folder / MANIFEST
        try:
            facts = cast("dict[str, Any]", json.loads(read_file(path)))
            known = {name: facts[name] for name in self._facts()}
            parts = [Part(dict(part["span"]), folder / part["file"]) for part in facts["parts"]]
        except FileNotFoundError:
            if folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
                raise ValueError(f"{folder} holds files of something else: give an empty folder or a new one") from None
            return None
        except NotADirectoryError:
            raise ValueError(f"{folder} is a file: give a folder") from None
        except OSError as error:
            raise DownloadError(f"cannot read {path}: {error.strerror or error}", path=str(folder)) from error
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is damaged: give a new folder") from error
        if known != self._facts():
            raise ValueError(f"{folder} holds the files of another call, or of other arguments: give a new folder")
        return parts

    def _facts(self) -> dict[str, Any]:
        return {"v": VERSION, "op": self._header.operation, "args": {**self._header.hashes}, "partition_by": self._by}

    def _partitions(self) -> list[int]:
        """Where days or months begin, and the ends of the range."""
        clock, (low, high) = self._times.clock, self._times.span
        bounds = [low]
        day = date.fromisoformat(clock.text(low)[:10]) if self._by is not None else None
        while day is not None:
            if self._by == "day":
                day += timedelta(days=1)
            else:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            if (unit := clock.parse(day.isoformat())) >= high:
                break
            bounds.append(unit)
        return [*bounds, high]

    def make(self, spans: Iterable[Mapping[str, str]]) -> None:
        """Decide on the files, cut as these spans are as well, and write that down. Raises DownloadError."""
        clock, names = self._times.clock, (self._times.of.start, self._times.of.end)
        bounds = sorted({*self._bounds, *(clock.parse(span[names[0]]) for span in spans)})
        parts: list[Part] = []
        for start, end in pairwise(bounds):
            # A day that clocks leave out has no rows.
            if clock.start(start) < clock.start(end):
                texts = (clock.text(start), clock.text(end))
                name = "-".join(re.sub(r"\D", "", text) for text in texts) + ".parquet"
                parts.append(Part(dict(zip(names, texts, strict=True)), self._folder_of(texts[0]) / name))
        self.parts = parts
        told = [{"span": {**part.span}, "file": part.file.relative_to(self.folder).as_posix()} for part in parts]
        text = json.dumps({**self._facts(), "parts": told})
        manifest = WholeFile(self.folder / MANIFEST)
        try:
            for folder in {part.file.parent for part in parts}:
                folder.mkdir(parents=True, exist_ok=True)
            manifest.open().write(text.encode())
            manifest.finish()
        except OSError as error:
            raise DownloadError(
                f"cannot write to {self.folder}: {error.strerror or error}", path=str(self.folder)
            ) from error
        finally:
            with suppress(OSError):
                manifest.discard()

    def _folder_of(self, start: str) -> Path:
        length = {"day": 10, "month": 7}
        return self.folder / f"{self._by}={start[: length[self._by]]}" if self._by else self.folder

    def unfinished(self) -> list[Part]:
        return [part for part in self.parts or () if not part.file.exists()]

    def clear(self) -> None:
        """Delete what processes that were ended have left of files."""
        for part in self.unfinished():
            with suppress(OSError):
                WholeFile(part.file).part.unlink(missing_ok=True)
