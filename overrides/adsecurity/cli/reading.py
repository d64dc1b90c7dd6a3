"""A report on its way into a file: rows beside the target, a checkpoint when it breaks off, and going on from there."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from .. import __version__
from ..display.progress import Bar
from .connect import open_client
from .description import Operation, load
from .failures import Usage
from .files import create_file, go_on_with, read_file
from .output import Output, note
from .parquet import GrowingParquet
from .rows import csv_header, csv_row, cut, dumps, plain
from .settings import Settings
from .shared import again

SUFFIX = ".resume.json"
_VERSION = 1


class Job(NamedTuple):
    """What is read, and where it goes."""

    operation: Operation
    keywords: dict[str, Any]
    fields: list[str]
    output: Output
    concurrency: int

    @property
    def target(self) -> Path:
        assert self.output.path is not None
        return self.output.path

    @property
    def part(self) -> Path:
        """The rows so far; a fixed name, so that the next run finds them."""
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def note(self) -> Path:
        return self.target.with_name(f"{self.target.name}{SUFFIX}")


class TextRows:
    """Rows as lines: CSV, NDJSON or one JSON array."""

    def __init__(self, job: Job, rows: int) -> None:
        self._job, self.rows = job, rows
        self._file: io.BufferedIOBase = go_on_with(job.part) if rows else create_file(job.part)
        self._file.seek(0, os.SEEK_END)
        self._known = list(job.operation.columns)
        if not rows and job.output.form == "csv":
            self._file.write(csv_header(job.fields, self._known).encode())
        self._whole = self._file.tell()
        """Where the last page that is written as a whole ends."""

    def pages(self, paginator: Any) -> Any:
        return paginator.pages()

    def write(self, page: Any) -> None:
        lines = [self._line(plain(item), first=not (self.rows or index)) for index, item in enumerate(page.items)]
        self._file.write("".join(lines).encode())
        self._file.flush()
        self._whole = self._file.tell()
        self.rows += len(lines)

    def _line(self, row: Any, *, first: bool) -> str:
        if self._job.output.form == "csv":
            return csv_row(row, self._job.fields, self._known)
        text = dumps(cut(row, self._job.fields))
        if self._job.output.form == "json":
            return ("[\n" if first else ",\n") + text
        return text + "\n"

    def keep(self) -> None:
        with suppress(OSError):
            self._file.close()
        os.truncate(self._job.part, self._whole)

    def finish(self) -> None:
        if self._job.output.form == "json":
            self._file.write(b"\n]\n" if self.rows else b"[]\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._job.part, self._job.target)


class ParquetRows:
    """Rows as Arrow batches."""

    def __init__(self, job: Job, rows: int) -> None:
        self._fields = list(job.fields)
        self._job = job
        # Parquet cannot be appended to: what was there is copied, group by group.
        fresh = job.target.with_name(f"{job.target.name}.{os.getpid()}.part")
        self._file = GrowingParquet(job.target, fresh)
        if rows:
            self._file.go_on_from(job.part)

    @property
    def rows(self) -> int:
        return self._file.rows

    def pages(self, paginator: Any) -> Any:
        batches = paginator.to_arrow_batches()
        if not self._file.begun:
            schema = batches.schema
            if self._fields:
                schema = schema.empty_table().select(self._fields).schema
            self._file.begin(schema)
        return batches

    def write(self, page: Any) -> None:
        self._file.write(page.select(self._fields) if self._fields else page)

    def keep(self) -> None:
        self._file.close()
        if self._file.part.exists():
            os.replace(self._file.part, self._job.part)

    def finish(self) -> None:
        self._file.finish()
        self._job.part.unlink(missing_ok=True)


def read(job: Job, settings: Settings, *, checkpoint: str = "", rows: int = 0) -> None:
    """Read all rows into the file; when that breaks off, leave what is there and a file that says how to go on."""
    from .report import half_open

    with open_client(job.operation.surface, settings) as client:
        method = getattr(client.reports, job.operation.name)
        options: dict[str, Any] = {**half_open(method), **({"resume": checkpoint} if checkpoint else {})}
        if job.concurrency > 1:
            options["concurrency"] = job.concurrency
        paginator = method(**job.keywords, **options)
        writer: Any = (ParquetRows if job.output.form == "parquet" else TextRows)(job, rows)
        # Where the rows written so far end; moved on only when a page is written as a whole.
        position = [checkpoint]
        try:
            _copy(paginator, writer, job, position)
            writer.finish()
        except BaseException:
            _leave(job, position[0], writer, settings)
            raise
    job.note.unlink(missing_ok=True)
    note(f"{job.target}: {writer.rows:,} rows")


def _copy(paginator: Any, writer: Any, job: Job, position: list[str]) -> None:
    with Bar(job.target.name) as bar:
        pages = writer.pages(paginator)
        try:
            for page in pages:
                with uninterrupted():
                    behind = page.checkpoint() if hasattr(page, "checkpoint") else paginator.checkpoint()
                    writer.write(page)
                    position[0] = behind
                bar.at(writer.rows)
        finally:
            close: Callable[[], None] | None = getattr(pages, "close", None)
            if close is not None:
                close()


@contextmanager
def uninterrupted() -> Generator[None]:
    """Let Ctrl-C wait for the end of the block, so that rows and checkpoint always fit each other."""
    came: list[int] = []

    def later(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before = signal.signal(signal.SIGINT, later)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _leave(job: Job, checkpoint: str, writer: Any, settings: Settings) -> None:
    """Write down how to go on. Without a page there is nothing to go on from."""
    rows = writer.rows
    writer.keep()
    if not checkpoint:
        job.part.unlink(missing_ok=True)
        return
    tree = {
        "version": _VERSION,
        "adsecurity": __version__,
        "surface": job.operation.surface.name,
        "report": job.operation.name,
        "keywords": job.keywords,
        "fields": job.fields,
        "form": job.output.form,
        "output": str(job.target.absolute()),
        "concurrency": job.concurrency,
        "rows": rows,
        "bytes": job.part.stat().st_size,
        "checkpoint": checkpoint,
    }
    with create_file(job.note) as file:
        file.write((json.dumps(tree, indent=2) + "\n").encode())
    words = ("report", job.operation.name, "--resume", str(job.note))
    note(f"{rows:,} rows are kept. Go on by:\n  {again(*words, surface=job.operation.surface, settings=settings)}")


def resume(path: Path, settings: Settings) -> None:
    """Go on from the file that a report left."""
    try:
        tree: Any = json.loads(read_file(path))
        if tree["version"] != _VERSION:
            raise Usage(f"--resume: {path} was written by another version ({tree['adsecurity']})")
        operation = load(tree["surface"]).operation("reports", tree["report"])
        output = Output(tree["form"], Path(tree["output"]))
        job = Job(operation, tree["keywords"], tree["fields"], output, tree["concurrency"])
        rows, size, checkpoint = int(tree["rows"]), int(tree["bytes"]), str(tree["checkpoint"])
    except OSError as error:
        raise Usage(f"--resume: {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise Usage(f"--resume: {path} is not a file that a report left") from None
    _check_part(job, size)
    read(job, settings, checkpoint=checkpoint, rows=rows)


def _check_part(job: Job, size: int) -> None:
    """The rows so far must be those that the checkpoint speaks of."""
    found = job.part.stat().st_size if job.part.exists() else -1
    if found < size:
        raise Usage(f"--resume: {job.part}, which holds the rows so far, is missing or has been cut: begin again")
    if found > size and job.output.form != "parquet":
        # Written by a run that was killed: those rows come again.
        with go_on_with(job.part) as file:
            file.truncate(size)
