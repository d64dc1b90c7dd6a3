"""Error responses: one exception that carries the status code and every reason for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

ERROR_CODES = {
    400: "bad_request",
    401: "unauthorized",
    402: "request_failed",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    421: "misdirected_request",
    429: "too_many_requests",
    500: "server_error",
    502: "bad_gateway",
    503: "unavailable",
    504: "gateway_timeout",
}


@dataclass(frozen=True)
class ErrorDetail:
    """One invalid part of a request: where it is ("query", "body" or "header"), its name and what is wrong.

    `pointer` is the JSON pointer of the value, for parts of the body only.
    """

    place: str
    name: str
    message: str
    pointer: str = ""

    def __str__(self) -> str:
        location = f"{self.place} {self.name}".strip()
        return f"{location}: {self.message}"


class HttpError(Exception):
    """Ends the handling of a request; the server answers with its status code, body and headers."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        details: Sequence[ErrorDetail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = tuple(details)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON body of the error response."""
        return {
            "error": ERROR_CODES.get(self.status, "error"),
            "message": self.message,
            "details": [asdict(detail) for detail in self.details],
        }


def bad_request(*details: ErrorDetail) -> HttpError:
    return HttpError(400, "; ".join(str(detail) for detail in details), details=details)


def bad_query(name: str, message: str) -> HttpError:
    return bad_request(ErrorDetail("query", name, message))


def bad_body(pointer: str, message: str) -> HttpError:
    return bad_request(ErrorDetail("body", pointer or "/", message, pointer))


def not_found(kind: str, name: str) -> HttpError:
    return HttpError(404, f"no {kind} {name!r}")
