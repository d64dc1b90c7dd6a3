"""Exports: started, waited for, downloaded, read. The logic is in the flows of `_Job`; the two jobs only drive them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from adsecurity_generated._operation import Operation

from ..errors import (
    APIConnectionError,
    APIStatusError,
    DownloadError,
    ExportCanceled,
    ExportError,
    ExportFailed,
    ExportTimeout,
    ExportTruncated,
    RateLimitError,
    ServerError,
)
from ..events import PollEvent
from ..flow.drivers import drive, drive_async, perform, perform_async, stream, stream_async
from ..flow.steps import Call, Flow, Sleep, Step
from ..http.timeouts import at_most
from ..tables.csv import CsvFormat, CsvRows, TextRow
from ..tables.whole_file import file_path
from .download import AsyncStorage, Sink, Storage, StreamSink, transfer
from .part_file import Conversion, ExportFile, Fail, PartFile
from .state import argument, count_of, rows_by_type, rows_of, text_of, value_of, without_secrets, zone_of
from .table_methods import AsyncTableMethods, TableMethods

if TYPE_CHECKING:
    from ..http.config import Timeout
    from ..http.session import AsyncSession, Session, SyncSession

R = TypeVar("R")

WAIT = 3600.0
"""Seconds that `wait()` waits unless told otherwise."""

_FIRST_POLL, _LAST_POLL, _GROWTH = 1.0, 30.0, 1.5


class _Job(Generic[R]):
    """What both jobs are: the state of an export as the server last told it, and what follows from it."""

    _session: Any

    def __init__(
        self, session: Session[Any], export: Any, call: Mapping[str, Any], rows: type[Any] | None, timezone: str | None
    ) -> None:
        self._session = session
        self._rows = rows
        self._call = call
        self.timezone = timezone
        """The zone of the times that the file gives without one; None when it is not known."""
        self.export: Any = export
        """What the server last said of the export."""
        self.id: str = text_of(export, "id")
        if not self.id:
            raise ExportError("the server started an export but did not say its id", **self._known)

    @property
    def status(self) -> str:
        return text_of(self.export, "status")

    @property
    def error(self) -> str:
        """Why the export failed, in the server's words; empty unless it did."""
        return text_of(self.export, "error")

    @property
    def artifact_name(self) -> str:
        """The file's name at the server; empty until there is one."""
        return text_of(self.export, "artifact", "name")

    @property
    def size(self) -> int:
        """Bytes of the file; 0 when the server does not say."""
        return count_of(self.export, "artifact", "size")

    @property
    def total(self) -> int:
        """Rows of the file; 0 when the server does not say."""
        return count_of(self.export, "results_meta", "total")

    @property
    def truncated(self) -> bool:
        """The server cut the range off: rows are missing."""
        return value_of(self.export, "results_meta", "range_truncated") is True

    @property
    def delimiter(self) -> str:
        return text_of(self.export, "format", "delimiter") or ","

    @property
    def finished(self) -> bool:
        """There is a file to download."""
        return bool(self.artifact_name) and not self._failed and self.status not in ("PENDING", "IN_PROGRESS")

    @property
    def _failed(self) -> bool:
        return bool(self.error) or self.status in ("ERROR", "CANCELED")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r}, status={self.status!r}, rows={self.total})"

    def _settled(self, allow_truncated: bool) -> bool:
        """Whether the export is finished; raises when it never will be, or is not whole."""
        if self.status == "CANCELED":
            raise ExportCanceled(f"export {self.id} was cancelled", **self._known)
        if self._failed:
            shown = text_of(self._known["export"], "error") or "the server does not say why"
            raise ExportFailed(f"export {self.id} failed: {shown}", **self._known)
        if self.finished and self.truncated and not allow_truncated:
            raise ExportTruncated(
                f"export {self.id} is finished, but the server cut its range off, so rows are missing: export shorter"
                " ranges, or pass allow_truncated=True",
                **self._known,
            )
        return self.finished

    def _refreshing(self, within: float | None = None) -> Flow[Step, None]:
        op, call = self._session.surface.operation(self._session.surface.export_status), self._call
        if within is not None:
            policy = call.get("retry") or self._session.config.retry
            retry = policy.with_deadline(min(policy.deadline, within))
            call = {**call, "retry": retry, "timeout": at_most(self._timeout, within)}
        args = argument(self._session, op, self.id, self._known)
        self.export = yield Call(partial(self._session.run, op, args, **call))

    def _waiting(
        self,
        timeout: float | None,
        allow_truncated: bool,
        on_progress: Callable[[Any], object] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Flow[Step, None]:
        timeout = math.inf if timeout is None else timeout
        started, pause, polls = clock(), _FIRST_POLL, 0
        failed: APIConnectionError | RateLimitError | ServerError | None = None
        while not self._settled(allow_truncated):
            left = started + timeout - clock()
            if left <= 0:
                raise ExportTimeout(
                    f"export {self.id} is {self.status or 'without a status'} after {timeout:g} s; it may still finish:"
                    " wait() again, or resume its id later",
                    **self._known,
                ) from failed
            asked = (failed.retry_after if isinstance(failed, APIStatusError) else None) or 0
            yield Sleep(min(max(pause, asked), left))
            if asked > left:
                continue
            pause, polls = min(pause * _GROWTH, _LAST_POLL), polls + 1
            try:
                yield from self._refreshing(max(started + timeout - clock(), _FIRST_POLL))
                failed = None
            except (APIConnectionError, RateLimitError, ServerError) as error:
                failed = error
                continue
            again = None if self.finished or self._failed else pause
            event = PollEvent(self._name, self.id, self.status, polls, clock() - started, again)
            yield Call(partial(self._session.emit, event))
            if on_progress is not None:
                yield Call(partial(on_progress, self))

    def _ready(self, allow_truncated: bool) -> Flow[Step, None]:
        """See to it that there is a file."""
        if not self._settled(allow_truncated):
            yield from self._refreshing()
            if not self._settled(allow_truncated):
                state = self.status or "without a status"
                raise ExportError(f"export {self.id} is not finished ({state}): wait() first", **self._known)

    def _signing(self) -> Call:
        surface = self._session.surface
        op = surface.operation(surface.export_signed_url)
        args = argument(self._session, op, self.artifact_name, self._known)
        return Call(partial(self._session.run, op, args, **self._call))

    def _signed(self) -> Flow[Step, str]:
        yield from self._ready(allow_truncated=True)
        return str((yield self._signing()))

    def _downloading(
        self,
        path: str | os.PathLike[str],
        storage: Storage | AsyncStorage,
        allow_truncated: bool,
        conversion: Conversion | None = None,
    ) -> Flow[Step, Path]:
        file_path(path)
        yield from self._ready(allow_truncated)
        fail = partial(self._fail, conversion.target if conversion else path)
        identity = f"{self.id}/{self.artifact_name}"
        part = PartFile(path, identity, fail, lasts=conversion is None or conversion.lasts)
        try:
            yield part.open()
            yield from self._transfer(storage, part, fail)
            yield part.convert(conversion) if conversion else part.finish(self.total, self.delimiter)
        finally:
            part.close()
        return part.path

    def _transfer(self, storage: Storage | AsyncStorage, sink: Sink, fail: Fail) -> Flow[Step, None]:
        policy = self._call.get("retry") or self._session.config.retry
        return transfer(self._signing(), storage, sink, size=self.size, policy=policy, fail=fail)

    def _streaming(self, storage: Storage | AsyncStorage) -> Flow[Step, None]:
        fail = partial(self._fail, None)
        return self._transfer(storage, StreamSink(fail), fail)

    def _reader(self) -> CsvRows[Any]:
        return CsvRows(self._rows or TextRow, self.delimiter, self.timezone, partial(self._fail, None))

    def _format(self) -> CsvFormat:
        return CsvFormat.of(self._rows or TextRow, self.delimiter, self.timezone, partial(self._fail, None))

    def _conversion(self, storage: Storage | AsyncStorage, allow_truncated: bool) -> ExportFile:
        def download(source: Path, conversion: Conversion) -> Flow[Step, Path]:
            return self._downloading(source, storage, allow_truncated, conversion)

        return ExportFile(download, self._format, self._check_rows, self._fail)

    def _check_rows(self, count: int) -> None:
        if self.total > 0 and count != self.total:
            raise self._fail(None, f"the file has {count} rows, the export reports {self.total}")

    def _fail(self, path: str | os.PathLike[str] | None, problem: str) -> DownloadError:
        return DownloadError(
            f"export {self.id}: {problem}", path=None if path is None else os.fspath(path), **self._known
        )

    @property
    def _timeout(self) -> Timeout:
        timeout: Timeout = self._call.get("timeout") or self._session.config.timeout
        return timeout

    @property
    def _known(self) -> dict[str, Any]:
        """What errors know."""
        return {"job": self, "export": without_secrets(self.export, self._session)}

    @property
    def _name(self) -> str:
        surface = self._session.surface
        return str(surface.routes[surface.export_status].resource)


class ExportJob(TableMethods, _Job[R]):
    """An export that the server works on, or has finished."""

    _session: SyncSession

    def _storage(self) -> Storage:
        return Storage(self._session.pool, self._timeout)

    def refresh(self) -> Self:
        """Ask the server how far it is."""
        drive(self._refreshing(), perform)
        return self

    def wait(
        self,
        timeout: float | None = WAIT,
        on_progress: Callable[[Self], object] | None = None,
        *,
        allow_truncated: bool = False,
    ) -> Self:
        """Wait until there is a file; `on_progress` is called with the job after each look at it.

        Raises ExportFailed, ExportCanceled, ExportTimeout after `timeout` seconds (None waits without end), and
        ExportTruncated when the file lacks rows, unless `allow_truncated` says that this is fine.
        """
        drive(self._waiting(timeout, allow_truncated, on_progress), perform)
        return self

    def signed_url(self) -> str:
        """A URL that whoever has it may fetch the file with, for a while. A secret."""
        return drive(self._signed(), perform)

    def download(self, path: str | os.PathLike[str], *, allow_truncated: bool = False) -> Path:
        """Fetch the file. It is written to `path.part`, gone on with after an interruption, and renamed when whole."""
        with closing(self._storage()) as storage:
            return drive(self._downloading(path, storage, allow_truncated), perform)

    def rows(self, *, allow_truncated: bool = False) -> Iterator[R]:
        """The rows of the file as they come in, without a file."""
        drive(self._ready(allow_truncated), perform)
        reader = self._reader()
        with closing(self._storage()) as storage:
            for chunk in stream(self._streaming(storage)):
                yield from reader.feed(chunk)
        yield from reader.end()
        self._check_rows(reader.count)


class AsyncExportJob(AsyncTableMethods, _Job[R]):
    """An export that the server works on, or has finished."""

    _session: AsyncSession

    def _storage(self) -> AsyncStorage:
        return AsyncStorage(self._session.pool, self._timeout)

    async def refresh(self) -> Self:
        """Ask the server how far it is."""
        await drive_async(self._refreshing(), perform_async)
        return self

    async def wait(
        self,
        timeout: float | None = WAIT,  # noqa: ASYNC109
        on_progress: Callable[[Self], object] | None = None,
        *,
        allow_truncated: bool = False,
    ) -> Self:
        """Wait until there is a file; `on_progress` is called with the job after each look at it, and may be async.

        Raises ExportFailed, ExportCanceled, ExportTimeout after `timeout` seconds (None waits without end), and
        ExportTruncated when the file lacks rows, unless `allow_truncated` says that this is fine.
        """
        await drive_async(self._waiting(timeout, allow_truncated, on_progress), perform_async)
        return self

    async def signed_url(self) -> str:
        """A URL that whoever has it may fetch the file with, for a while. A secret."""
        return await drive_async(self._signed(), perform_async)

    async def download(self, path: str | os.PathLike[str], *, allow_truncated: bool = False) -> Path:
        """Fetch the file. It is written to `path.part`, gone on with after an interruption, and renamed when whole."""
        async with aclosing(self._storage()) as storage:
            return await drive_async(self._downloading(path, storage, allow_truncated), perform_async)

    async def rows(self, *, allow_truncated: bool = False) -> AsyncGenerator[R, None]:
        """The rows of the file as they come in, without a file."""
        await drive_async(self._ready(allow_truncated), perform_async)
        reader = self._reader()
        async with (
            aclosing(self._storage()) as storage,
            aclosing(stream_async(self._streaming(storage))) as chunks,
        ):
            async for chunk in chunks:
                for row in reader.feed(chunk):
                    yield row
        for row in reader.end():
            yield row
        self._check_rows(reader.count)


def start_export(
    session: SyncSession,
    op: Operation[Any],
    args: Mapping[str, Any],
    *,
    extra_query: Mapping[str, Any] | None = None,
    extra_body: Mapping[str, Any] | None = None,
    **call: Any,
) -> ExportJob[Any]:
    export = session.run(op, args, extra_query=extra_query, extra_body=extra_body, **call)
    return ExportJob(session, export, call, rows_of(session.surface, op), zone_of(op, args))


async def start_export_async(
    session: AsyncSession,
    op: Operation[Any],
    args: Mapping[str, Any],
    *,
    extra_query: Mapping[str, Any] | None = None,
    extra_body: Mapping[str, Any] | None = None,
    **call: Any,
) -> AsyncExportJob[Any]:
    export = await session.run(op, args, extra_query=extra_query, extra_body=extra_body, **call)
    return AsyncExportJob(session, export, call, rows_of(session.surface, op), zone_of(op, args))


def resume_export(
    session: SyncSession, op: Operation[Any], export_id: str, *, timezone: str | None = None, **call: Any
) -> ExportJob[Any]:
    export = _by_id(session, op, export_id, call)()
    return ExportJob(session, export, call, rows_by_type(session.surface, export), timezone)


async def resume_export_async(
    session: AsyncSession, op: Operation[Any], export_id: str, *, timezone: str | None = None, **call: Any
) -> AsyncExportJob[Any]:
    export = await _by_id(session, op, export_id, call)()
    return AsyncExportJob(session, export, call, rows_by_type(session.surface, export), timezone)


def _by_id(session: Any, op: Operation[Any], export_id: str, call: Any) -> Callable[[], Any]:
    return partial(session.run, op, {op.params[0].arg: export_id}, **call)
