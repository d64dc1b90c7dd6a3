"""The jobs of exports: started, waited for, downloaded, read. They only drive the flows of `BaseJob`."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from ..events import new_call_id
from ..flow.drivers import drive, drive_async, perform, perform_async, stream, stream_async
from .base_job import WAIT, BaseJob
from .storage import AsyncStorage, Storage
from .table_methods import AsyncTableMethods, TableMethods

if TYPE_CHECKING:
    from ..http.session import AsyncSession, SyncSession

R = TypeVar("R")


class ExportJob(TableMethods, BaseJob[R]):
    """An export that the server works on, or has finished."""

    _session: SyncSession

    def _storage(self) -> Storage:
        return Storage(self._session, self._timeout, self._transfer_name)

    def refresh(self) -> Self:
        """Ask the server how far it is."""
        drive(self._refreshing(new_call_id()), perform)
        return self

    def wait(
        self,
        timeout: float | None = WAIT,
        on_progress: Callable[[Self], object] | None = None,
        *,
        allow_truncated: bool = False,
        progress: bool = False,
    ) -> Self:
        """Wait until there is a file; `on_progress` is called with the job after each look at it.

        With `progress` a bar on stderr shows the status and the time, in a terminal and in a notebook:
        adsecurity[progress].

        Raises ExportFailed, ExportCanceled, ExportTimeout after `timeout` seconds (None waits without end), and
        ExportTruncated when the file lacks rows, unless `allow_truncated` says that this is fine.
        """
        drive(self._waiting(timeout, allow_truncated, on_progress, progress=progress), perform)
        return self

    def signed_url(self) -> str:
        """A URL that anybody may fetch the file with, for a while: treat it as a secret."""
        return drive(self._signed(), perform)

    def download(
        self,
        path: str | os.PathLike[str],
        on_progress: Callable[[Self, int], object] | None = None,
        *,
        allow_truncated: bool = False,
        progress: bool = False,
    ) -> Path:
        """Fetch the file. It is written to `path.part`, gone on with after an interruption, and renamed when whole.

        `on_progress` is called with the job and the bytes so far after each piece; an earlier part counts.

        With `progress` a bar on stderr shows how far it is, in a terminal and in a notebook: adsecurity[progress].

        Raises ValueError where `path` is no local path, ExportTruncated when the file lacks rows, unless
        `allow_truncated` says that this is fine, and DownloadError where it cannot be fetched or written.
        """
        with closing(self._storage()) as storage:
            flow = self._downloading(path, storage, allow_truncated, on_progress=on_progress, progress=progress)
            return drive(flow, perform)

    def rows(self, *, allow_truncated: bool = False) -> Iterator[R]:
        """The rows of the file as they come in; nothing is written to the disk.

        A time without a zone is in the job's `timezone`; where that is None it stays text, in the row's
        `additional_properties`. Raises ExportTruncated when the file lacks rows, unless `allow_truncated` says that
        this is fine, and DownloadError where it cannot be fetched, is no CSV, or has not as many rows as reported.
        """
        with closing(self._storage()) as storage:
            drive(self._ready(storage.call_id, allow_truncated), perform)
            reader = self._reader()
            for chunk in stream(self._streaming(storage)):
                yield from storage.process.own(reader.feed(chunk))
        yield from storage.process.own(reader.end())
        self._check_rows(reader.count)


class AsyncExportJob(AsyncTableMethods, BaseJob[R]):
    """An export that the server works on, or has finished."""

    _session: AsyncSession

    def _storage(self) -> AsyncStorage:
        return AsyncStorage(self._session, self._timeout, self._transfer_name)

    async def refresh(self) -> Self:
        """Ask the server how far it is."""
        await drive_async(self._refreshing(new_call_id()), perform_async)
        return self

    async def wait(
        self,
        timeout: float | None = WAIT,  # noqa: ASYNC109
        on_progress: Callable[[Self], object] | None = None,
        *,
        allow_truncated: bool = False,
        progress: bool = False,
    ) -> Self:
        """Wait until there is a file; `on_progress` is called with the job after each look at it, and may be async.

        With `progress` a bar on stderr shows the status and the time, in a terminal and in a notebook:
        adsecurity[progress].

        Raises ExportFailed, ExportCanceled, ExportTimeout after `timeout` seconds (None waits without end), and
        ExportTruncated when the file lacks rows, unless `allow_truncated` says that this is fine.
        """
        await drive_async(self._waiting(timeout, allow_truncated, on_progress, progress=progress), perform_async)
        return self

    async def signed_url(self) -> str:
        """A URL that anybody may fetch the file with, for a while: treat it as a secret."""
        return await drive_async(self._signed(), perform_async)

    async def download(
        self,
        path: str | os.PathLike[str],
        on_progress: Callable[[Self, int], object] | None = None,
        *,
        allow_truncated: bool = False,
        progress: bool = False,
    ) -> Path:
        """Fetch the file. It is written to `path.part`, gone on with after an interruption, and renamed when whole.

        `on_progress` is called with the job and the bytes so far after each piece, and may be async; an earlier part
        counts.

        With `progress` a bar on stderr shows how far it is, in a terminal and in a notebook: adsecurity[progress].

        Raises ValueError where `path` is no local path, ExportTruncated when the file lacks rows, unless
        `allow_truncated` says that this is fine, and DownloadError where it cannot be fetched or written.
        """
        async with aclosing(self._storage()) as storage:
            flow = self._downloading(path, storage, allow_truncated, on_progress=on_progress, progress=progress)
            return await drive_async(flow, perform_async)

    async def rows(self, *, allow_truncated: bool = False) -> AsyncGenerator[R, None]:
        """The rows of the file as they come in; nothing is written to the disk.

        A time without a zone is in the job's `timezone`; where that is None it stays text, in the row's
        `additional_properties`. Raises ExportTruncated when the file lacks rows, unless `allow_truncated` says that
        this is fine, and DownloadError where it cannot be fetched, is no CSV, or has not as many rows as reported.
        """
        async with aclosing(self._storage()) as storage:
            await drive_async(self._ready(storage.call_id, allow_truncated), perform_async)
            reader = self._reader()
            async with aclosing(stream_async(self._streaming(storage))) as chunks:
                async for chunk in chunks:
                    for row in storage.process.own(reader.feed(chunk)):
                        yield row
        for row in storage.process.own(reader.end()):
            yield row
        self._check_rows(reader.count)
