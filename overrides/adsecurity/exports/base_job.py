"""What both jobs are: the state of an export, and the flows that they drive."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from adsecurity_generated._resource import card

from ..codec.secrets import redact_text
from ..display.progress import Bar
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
from ..events import PollEvent, new_call_id
from ..flow.steps import Call, Flow, Sleep, Step
from ..http.timeouts import at_most
from ..tables.csv import CsvFormat, CsvRows, TextRow
from ..tables.whole_file import file_path
from .download import Sink, StreamSink, transfer
from .part_file import Conversion, ExportFile, Fail, PartFile
from .state import argument, count_of, secret_spellings, text_of, value_of, without_secrets
from .storage import AsyncStorage, Storage

if TYPE_CHECKING:
    from ..http.config import Timeout
    from ..http.session import Session

R = TypeVar("R")
E = TypeVar("E", bound=ExportError)

WAIT = 3600.0
"""Seconds that `wait()` waits unless told otherwise."""

_FIRST_POLL, _LAST_POLL, _GROWTH = 1.0, 30.0, 1.5


class BaseJob(Generic[R]):
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
            raise self._error(ExportError, "the server started an export but did not say its id")

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
        return self._shown(f"{type(self).__name__}(id={self.id!r}, status={self.status!r}, rows={self.total})")

    def _repr_html_(self) -> str:
        facts = {
            "id": self.id,
            "status": self.status,
            "rows": str(self.total or ""),
            "bytes": str(self.size or ""),
            "file": self.artifact_name,
            "time zone": self.timezone or "",
            "error": self._reason,
        }
        told = {name: self._shown(text) for name, text in facts.items() if text}
        step = (
            "download(path), to_parquet(path), to_pandas() or rows() reads it." if self.finished else "wait() for it."
        )
        return card(type(self).__name__, "As the server last told it; " + step, told)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds connections and a key, do not pickle it: pass job.id"
            f" ({self._shown(self.id)!r}), and call exports.resume(id) with a client made there"
        )

    def _settled(self, allow_truncated: bool) -> bool:
        """Whether the export is finished; raises when it never will be, or is not whole."""
        if self.status == "CANCELED":
            raise self._error(ExportCanceled, f"export {self.id} was cancelled")
        if self._failed:
            shown = self._reason or "the server does not say why"
            raise self._error(ExportFailed, f"export {self.id} failed: {shown}")
        if self.finished and self.truncated and not allow_truncated:
            raise self._error(
                ExportTruncated,
                f"export {self.id} is finished, but the server cut its range off, so rows are missing: export shorter"
                " ranges, or pass allow_truncated=True",
            )
        return self.finished

    def _refreshing(self, call_id: str, within: float | None = None) -> Flow[Step, None]:
        op = self._session.surface.operation(self._session.surface.export_status)
        call: dict[str, Any] = {**self._call, "call_id": call_id}
        if within is not None:
            policy = call.get("retry") or self._session.config.retry
            retry = policy.with_deadline(min(policy.deadline, within))
            call = {**call, "retry": retry, "timeout": at_most(self._timeout, within)}
        args = argument(self._session, op, self.id, self._error)
        self.export = yield Call(partial(self._session.run, op, args, **call))

    def _waiting(
        self,
        timeout: float | None,
        allow_truncated: bool,
        on_progress: Callable[[Any], object] | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        progress: bool = False,
    ) -> Flow[Step, None]:
        with Bar(self._title, unit="", wanted=progress) as bar:

            def look(job: Any) -> object:
                bar.title(self._title)
                return None if on_progress is None else on_progress(job)

            yield from self._polling(timeout, allow_truncated, look, clock)

    def _polling(
        self,
        timeout: float | None,
        allow_truncated: bool,
        on_progress: Callable[[Any], object],
        clock: Callable[[], float],
    ) -> Flow[Step, None]:
        timeout = math.inf if timeout is None else timeout
        started, pause, polls, call_id = clock(), _FIRST_POLL, 0, new_call_id()
        failed: APIConnectionError | RateLimitError | ServerError | None = None
        while not self._settled(allow_truncated):
            left = started + timeout - clock()
            if left <= 0:
                raise self._error(
                    ExportTimeout,
                    f"export {self.id} is {self.status or 'without a status'} after {timeout:g} s; it may still finish:"
                    " wait() again, or resume its id later",
                ) from failed
            asked = (failed.retry_after if isinstance(failed, APIStatusError) else None) or 0
            yield Sleep(min(max(pause, asked), left))
            if asked > left:
                continue
            pause, polls = min(pause * _GROWTH, _LAST_POLL), polls + 1
            try:
                yield from self._refreshing(call_id, max(started + timeout - clock(), _FIRST_POLL))
                failed = None
            except (APIConnectionError, RateLimitError, ServerError) as error:
                failed = error
                continue
            again = None if self.finished or self._failed else pause
            elapsed = clock() - started
            event = PollEvent(self._name, self.id, self.status, polls, elapsed, again, call_id=call_id)
            yield Call(partial(self._session.emit, event))
            yield Call(partial(on_progress, self))

    def _ready(self, call_id: str, allow_truncated: bool) -> Flow[Step, None]:
        """See to it that there is a file."""
        if not self._settled(allow_truncated):
            yield from self._refreshing(call_id)
            if not self._settled(allow_truncated):
                state = self.status or "without a status"
                raise self._error(ExportError, f"export {self.id} is not finished ({state}): wait() first")

    def _signing(self, call_id: str) -> Call:
        surface = self._session.surface
        op = surface.operation(surface.export_signed_url)
        args = argument(self._session, op, self.artifact_name, self._error)
        return Call(partial(self._session.run, op, args, call_id=call_id, **self._call))

    def _signed(self) -> Flow[Step, str]:
        call_id = new_call_id()
        yield from self._ready(call_id, allow_truncated=True)
        return str((yield self._signing(call_id)))

    def _downloading(
        self,
        path: str | os.PathLike[str],
        storage: Storage | AsyncStorage,
        allow_truncated: bool,
        conversion: Conversion | None = None,
        on_progress: Callable[[Any, int], object] | None = None,
        *,
        progress: bool = False,
    ) -> Flow[Step, Path]:
        target = conversion.target if conversion else file_path(path)
        bar = Bar(target.name, unit="bytes", wanted=progress)

        def look(done: int) -> object:
            bar.at(done, self.size)
            return None if on_progress is None else on_progress(self, done)

        yield from self._ready(storage.call_id, allow_truncated)
        fail = partial(self._fail, conversion.target if conversion else path)
        # This is written beside the file.
        identity = self._shown(f"{self.id}/{self.artifact_name}")
        part = PartFile(path, identity, fail, lasts=conversion is None or conversion.lasts)
        try:
            yield part.open()
            with bar:
                yield from self._transfer(storage, part, fail, look if progress or on_progress else None)
            yield part.convert(conversion) if conversion else part.finish(self.total, self.delimiter)
        finally:
            part.close()
        return part.path

    def _transfer(
        self,
        storage: Storage | AsyncStorage,
        sink: Sink,
        fail: Fail,
        progress: Callable[[int], object] | None = None,
    ) -> Flow[Step, None]:
        policy = self._call.get("retry") or self._session.config.retry
        sign = self._signing(storage.call_id)
        return transfer(sign, storage, sink, size=self.size, policy=policy, fail=fail, progress=progress)

    def _streaming(self, storage: Storage | AsyncStorage) -> Flow[Step, None]:
        fail = partial(self._fail, None)
        return self._transfer(storage, StreamSink(fail), fail)

    def _reader(self) -> CsvRows[Any]:
        return CsvRows(self._rows or TextRow, self.delimiter, self.timezone, partial(self._fail, None))

    def _format(self) -> CsvFormat:
        return CsvFormat.of(self._rows or TextRow, self.delimiter, self.timezone, partial(self._fail, None))

    def _conversion(
        self, storage: Storage | AsyncStorage, allow_truncated: bool, *, progress: bool = False
    ) -> ExportFile:
        def download(source: Path, conversion: Conversion) -> Flow[Step, Path]:
            return self._downloading(source, storage, allow_truncated, conversion, progress=progress)

        def count_rows(target: Path) -> Bar:
            return Bar(target.name, total=self.total, wanted=progress)

        return ExportFile(download, self._format, self._check_rows, self._fail, count_rows)

    def _check_rows(self, count: int) -> None:
        if self.total > 0 and count != self.total:
            raise self._fail(None, f"the file has {count} rows, the export reports {self.total}")

    def _fail(self, path: str | os.PathLike[str] | None, problem: str) -> DownloadError:
        error = self._error(DownloadError, f"export {self.id}: {problem}")
        error.path = None if path is None else os.fspath(path)
        return error

    def _error(self, kind: type[E], problem: str) -> E:
        """An error of this job."""
        export = without_secrets(self.export, self._session)
        return kind(self._shown(problem), job=self, export=export, _export_id=self._shown(self.id))

    def _shown(self, text: str) -> str:
        """The text without secrets: the server may give the key back as an id, or anywhere else."""
        return redact_text(text, secret_spellings(self.export, self._session))

    @property
    def _timeout(self) -> Timeout:
        timeout: Timeout = self._call.get("timeout") or self._session.config.timeout
        return timeout

    @property
    def _reason(self) -> str:
        """Why the export failed, without secrets: the server may name them."""
        return text_of(without_secrets(self.export, self._session), "error")

    @property
    def _title(self) -> str:
        """What a progress bar says."""
        return self._shown(f"export {self.id} {self.status}")

    @property
    def _transfer_name(self) -> str:
        """What the events of a transfer call it."""
        return f"{self._name.rpartition('.')[0]}.download"

    @property
    def _name(self) -> str:
        surface = self._session.surface
        return str(surface.routes[surface.export_status].resource)
