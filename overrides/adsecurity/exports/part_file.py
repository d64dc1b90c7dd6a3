"""The file that a download grows in: `path.part`, locked, resumable, and renamed only when it is whole.

Beside it lies `path.part.json` with what the server said of the file, so that another process can go on with it.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast

import attrs

from ..display.progress import Bar
from ..errors import DownloadError
from ..flow.process import Process
from ..flow.steps import BlockingCall, Flow, Step
from ..tables.csv import NO_DELIMITERS, CsvFormat
from ..tables.whole_file import file_path, open_locked, open_unlinked, sync_folder

_BLOCK = 1 << 20
_NO_MARKS = bytes(byte for byte in range(256) if byte not in b'"\n')

Fail = Callable[[str], DownloadError]


@attrs.frozen
class Conversion:
    """What a download is converted to."""

    convert: Callable[[Path], object]
    target: Path
    lasts: bool
    """Whether the download stays for the next try when the disk refuses the target."""


@attrs.frozen
class ExportFile:
    """The file of an export, as conversions see it."""

    download: Callable[[Path, Conversion], Flow[Step, Path]]
    """Downloads it to a path and has it converted there."""
    new_format: Callable[[], CsvFormat]
    check: Callable[[int], None]
    """Raises for a number of rows that is not the one that the export reports."""
    fail: Callable[[str | os.PathLike[str] | None, str], DownloadError]
    """Makes the error for a path and a problem."""
    count_rows: Callable[[Path], Bar]
    """Makes the bar that counts the rows which are written to a file."""


class PartFile:
    """A file that is being downloaded."""

    def __init__(self, path: str | os.PathLike[str], identity: str, fail: Fail, *, lasts: bool = True) -> None:
        self.path = file_path(path)
        self.part = self.path.with_name(self.path.name + ".part")
        self._note = self.path.with_name(self.path.name + ".part.json")
        self._identity = identity
        self._fail = fail
        self._lasts = lasts
        self._file: IO[bytes] | None = None
        self.offset = 0
        """Bytes that are there."""
        self.validator = ""
        """The server's name for this version of the file: its ETag or the time of its last change."""
        self._ends, self._last = 0, b""
        """Line ends so far, and the last byte."""
        self._gone = False
        self._process = Process(f"the download to {self.path}")

    def open(self) -> BlockingCall:
        """Open what an earlier download has left, or begin."""
        return BlockingCall(self._open)

    def _step(self, work: Callable[[], None]) -> BlockingCall:
        # Not in the thread that does the work: a forked child has none, and would wait for it.
        self._process.check()
        return BlockingCall(work)

    def _open(self) -> None:
        with self._writing():
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder", str(self.path))
            try:
                self._file = file = open_locked(self.part)
            except BlockingIOError:
                raise self._fail(f"another download is writing {self.part}") from None
            size = file.seek(0, os.SEEK_END)
            self.validator = self._read_note()
            self.offset = size if self.validator else 0
            if self.offset:
                file.seek(0)
                while block := file.read(_BLOCK):
                    self._count(block)

    def _count(self, block: bytes) -> None:
        # Iterating over lines is several times faster than bytes.count().
        self._last = block[-1:]
        self._ends += sum(1 for _ in BytesIO(block)) - (self._last not in (b"", b"\n"))

    def _lines_so_far(self) -> int:
        return self._ends + (self._last not in (b"", b"\n"))

    def _read_note(self) -> str:
        """The validator of the bytes that are there; empty where they are of no use."""
        try:
            with open_unlinked(self._note, os.O_RDONLY) as file:
                note: object = json.loads(file.read())
        except (FileNotFoundError, ValueError):
            return ""
        known = cast("dict[str, Any]", note) if isinstance(note, dict) else {}
        return str(known.get("validator") or "") if known.get("of") == self._identity else ""

    def _write_note(self) -> None:
        with open_unlinked(self._note, os.O_RDWR | os.O_CREAT) as file:
            file.truncate(0)
            file.write(json.dumps({"of": self._identity, "validator": self.validator}).encode())

    def restart(self, validator: str) -> BlockingCall:
        """Begin again from the first byte, of the version that the validator names."""
        return self._step(partial(self._restart, validator))

    def _restart(self, validator: str) -> None:
        with self._writing() as file:
            # In this order: a note is never about bytes of another version.
            file.truncate(0)
            self.offset, self.validator = 0, validator
            self._write_note()
            self._ends, self._last = 0, b""

    def go_on(self) -> None:
        """Nothing to do: writing goes on at `offset`."""

    def write(self, chunk: bytes) -> BlockingCall:
        return self._step(partial(self._write, chunk))

    def _write(self, chunk: bytes) -> None:
        with self._writing() as file:
            file.seek(self.offset)
            left = memoryview(chunk)
            while left:
                written = file.write(left)
                self.offset += written
                left = left[written:]
            self._count(chunk)

    def finish(self, rows: int, delimiter: str) -> BlockingCall:
        """Check the number of rows, where one is known, make the file durable and give it its name."""
        return self._step(partial(self._finish, rows, delimiter))

    def convert(self, conversion: Conversion) -> BlockingCall:
        """Convert the whole file and delete it, unless the disk refused the result."""
        return self._step(partial(self._convert, conversion))

    def _convert(self, conversion: Conversion) -> None:
        refused = False
        with self._writing(conversion.target):
            try:
                conversion.convert(self.part)
            except OSError:
                refused = True
                raise
            finally:
                # Without a validator the next try could not use it.
                if not (refused and self.validator):
                    self.discard()

    def _finish(self, rows: int, delimiter: str) -> None:
        with self._writing() as file:
            found = self._row_count(file, rows, delimiter)
            if found != rows:
                self.discard()
                raise self._fail(f"the file has {found} rows, the export reports {rows}")
            os.fsync(file.fileno())
            os.replace(self.part, self.path)
            self._gone = True
            self._note.unlink(missing_ok=True)
            sync_folder(self.path.parent)

    def _row_count(self, file: IO[bytes], expected: int, delimiter: str) -> int:
        """How many rows there are; counted more closely as long as a quick count is not what is expected."""
        if expected <= 0:
            # Not known.
            return expected
        lines = self._lines_so_far()
        if lines != expected + 1:
            lines = _count_lines(file)
        return expected if lines == expected + 1 else self._count_rows(delimiter)

    def _count_rows(self, delimiter: str) -> int:
        """As Python's CSV reader counts them."""
        by = "," if delimiter[0] in NO_DELIMITERS else delimiter[0]
        value = f'[^"\r\n{re.escape(by)}]'
        rest = re.compile(f"(?<={value}){value}+")
        with open(self.part, encoding="utf-8-sig", errors="replace", newline="") as text:
            # One character of each value is enough, and the reader refuses long ones.
            rows = csv.reader((rest.sub("", line) for line in text), delimiter=by)
            try:
                return max(0, sum(1 for row in rows if row) - 1)
            except csv.Error as error:
                raise self._fail(f"its rows cannot be counted: {error}; it is kept in {self.part}") from None

    def discard(self) -> None:
        """Delete what is there: it is not the file that the export describes, or not needed any more."""
        self.part.unlink(missing_ok=True)
        self._gone = True
        self._note.unlink(missing_ok=True)

    def close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                # While it is locked: another process may have a part of that name otherwise. In a forked child it is
                # the parent's.
                if self._process.is_current and not self._gone and not os.fstat(self._file.fileno()).st_size:
                    self.discard()
            self._file.close()
            self._file = None

    @contextmanager
    def _writing(self, target: Path | None = None) -> Generator[IO[bytes], None, None]:
        try:
            yield self._file  # type: ignore[misc]
        except OSError as error:
            kept = ""
            if self._lasts and self.validator and self.offset:
                kept = f"; {self.offset} bytes are kept in {self.part} for the next try"
            raise self._fail(f"cannot write {target or self.path}: {error.strerror or error}{kept}") from error


def _count_lines(file: IO[bytes]) -> int:
    """Line ends outside quotes: the rows and the header of a file that is quoted as it should be."""
    lines, last, open_quote = 0, b"", b""
    file.seek(0)
    while block := file.read(_BLOCK):
        # Most quotes come as empty pairs, which change nothing for what follows.
        marks = open_quote + block.translate(None, _NO_MARKS).replace(b'""', b"")
        pieces = marks.split(b'"')
        lines += sum(piece.count(b"\n") for piece in pieces[::2])
        open_quote = b"" if len(pieces) % 2 else b'"'
        last = block[-1:]
    return lines + (last not in (b"", b"\n"))
