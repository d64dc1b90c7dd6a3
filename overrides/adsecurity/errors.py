"""Everything this package raises of its own, one tree; each error survives `pickle`.

AdsecurityError
├── ConfigurationError          a client that cannot work as it is set up
├── BulkError                   a bulk write of which some batches failed
├── PaginationError             a listing that would lose rows, repeat them or never end
├── ExportError                 carries the job
│   ├── ExportFailed            the server gave up
│   ├── ExportCanceled          somebody stopped it
│   ├── ExportTimeout           not finished before the deadline
│   ├── ExportTruncated         finished, with rows missing
│   └── DownloadError           a file that could not be fetched, or not be written
├── APIConnectionError          no whole answer came back
│   └── APITimeoutError         … in time
├── ResponseDecodeError         a success whose body is not what the operation promises
└── APIStatusError              any answer other than 2xx
    ├── BadRequestError         400
    ├── AuthenticationError     401
    ├── RequestFailedError      402, or 2xx with `"success": false`
    ├── PermissionDeniedError   403
    ├── NotFoundError           404
    ├── ConflictError           409
    ├── RateLimitError          429
    └── ServerError             5xx

A wrong argument is a plain `TypeError` or `ValueError`, raised before anything is sent.
"""

from __future__ import annotations

from types import MappingProxyType

TYPE_CHECKING = False  # as in __init__.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AdsecurityError",
    "AuthenticationError",
    "BadRequestError",
    "BulkError",
    "ConfigurationError",
    "ConflictError",
    "DownloadError",
    "ExportCanceled",
    "ExportError",
    "ExportFailed",
    "ExportTimeout",
    "ExportTruncated",
    "NotFoundError",
    "PaginationError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestFailedError",
    "ResponseDecodeError",
    "ServerError",
]


class AdsecurityError(Exception):
    """The root of the tree."""

    checkpoint: str | None = None
    """Where a listing stood when this was raised; pass it as `resume=`. None outside a listing."""

    def __init__(self, message: str = "", **known: Any) -> None:
        super().__init__(message)
        self.__dict__.update(known)

    def _state(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def __reduce__(self) -> tuple[Any, ...]:
        # What __init__ was given is in __dict__ by now: an error of another process arrives whole.
        return type(self), self.args, self._state()


class ConfigurationError(AdsecurityError):
    """The client cannot work as it is set up; nothing was sent."""


class BulkError(AdsecurityError):
    """Batches of a bulk write failed. What is done stays done."""

    operation: str = ""
    """The name under the client, such as `offers.bulk_update`."""
    done: tuple[Any, ...] = ()
    """What the server has taken."""
    failed: tuple[Any, ...] = ()
    """What was in the batches that failed. Where no answer came, the server may have taken them all the same."""
    remaining: tuple[Any, ...] = ()
    """What was not sent."""
    causes: tuple[AdsecurityError, ...] = ()
    """Why each batch failed."""


class PaginationError(AdsecurityError):
    """Going on would lose rows, repeat them or never end."""

    operation: str = ""


class ExportError(AdsecurityError):
    """An export that did not become a file."""

    job: Any = None
    """The live job; None in an error that came through `pickle`."""
    export: Any = None
    """What the server said of the export last."""
    _export_id: str | None = None

    @property
    def export_id(self) -> str | None:
        return self._export_id or getattr(self.job or self.export, "id", None)

    @property
    def status(self) -> str | None:
        # Not first of the job, from whose answers no secret is taken out.
        return getattr(self.export or self.job, "status", None)

    def _state(self) -> dict[str, Any]:
        # The job holds a client, which cannot travel.
        last = self.export or getattr(self.job, "export", None)
        # The server's last answer may have left the id out.
        return {**self.__dict__, "job": None, "export": last, "_export_id": self.export_id}


class ExportFailed(ExportError):
    """The server reports an error."""


class ExportCanceled(ExportError):
    """The export was cancelled."""


class ExportTimeout(ExportError, TimeoutError):
    """Not finished before the deadline of `wait()`; it may still finish."""


class ExportTruncated(ExportError):
    """Finished, but the server cut its range off: rows are missing."""


class DownloadError(ExportError):
    """The finished file could not be fetched, or a file of rows, of an export or of a list, could not be written."""

    path: str | None = None


class APIConnectionError(AdsecurityError):
    """No whole answer came back."""

    operation: str = ""
    """The name under the client, such as `users.list`."""
    method: str = ""
    url: str = ""
    """Without its query."""
    attempts: int = 1


class APITimeoutError(APIConnectionError, TimeoutError):
    """No whole answer came back in time."""


class _AnswerError(AdsecurityError):
    """An answer that cannot be returned; everything secret is out of its fields."""

    operation: str = ""
    """The name under the client, such as `users.list`."""
    method: str = ""
    url: str = ""
    """Without its query."""
    attempts: int = 1
    status_code: int = 0
    headers: Mapping[str, str] = MappingProxyType({})
    """Names in lower case."""
    body: Any = None
    """The decoded JSON, or the beginning of the text."""

    @property
    def request_id(self) -> str | None:
        return request_id(self.headers)


class ResponseDecodeError(_AnswerError):
    """The server reports success, but the body is not what the operation promises."""


class APIStatusError(_AnswerError):
    """Any answer other than 2xx."""

    retry_after: float | None = None
    """Seconds that the server asked to wait."""


class BadRequestError(APIStatusError):
    """400: the server refuses the arguments."""


class AuthenticationError(APIStatusError):
    """401: the key is missing or not valid."""


class RequestFailedError(APIStatusError):
    """402, or a 2xx that says `"success": false`: the arguments are valid, the request failed all the same."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404: no such thing, or no such route."""


class ConflictError(APIStatusError):
    """409: something stands in the way."""


class RateLimitError(APIStatusError):
    """429: too many requests. `attempts` is 0 if the call was not sent at all, because of a 429 to another call."""


class ServerError(APIStatusError):
    """5xx: the server failed."""


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: RequestFailedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}


def status_error_class(status: int) -> type[APIStatusError]:
    """The class for a status; statuses that nobody documents get the nearest one that is true of them."""
    return _BY_STATUS.get(status) or (ServerError if 500 <= status <= 599 else APIStatusError)


def request_id(headers: Mapping[str, str]) -> str | None:
    """The id by which the server's people find the request in their logs."""
    return next((headers[name] for name in ("x-request-id", "request-id", "x-correlation-id") if name in headers), None)
