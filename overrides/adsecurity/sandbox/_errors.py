"""How the sandbox says no: one exception that carries the status and every reason for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

CODES = {
    400: "bad_request",
    401: "unauthorized",
    402: "request_failed",
    403: "forbidden",
    404: "not_found",
    429: "too_many_requests",
    500: "server_error",
    502: "bad_gateway",
    503: "unavailable",
    504: "gateway_timeout",
}


@dataclass(frozen=True)
class Detail:
    """One thing that is wrong: where it stands, its name, and in a body the JSON pointer to it."""

    place: str
    name: str
    message: str
    pointer: str = ""

    def __str__(self) -> str:
        where = f"{self.place} {self.name}".strip()
        return f"{where}: {self.message}"


class Refusal(Exception):
    """A request that the sandbox does not carry out."""

    def __init__(
        self, status: int, message: str, *, details: Sequence[Detail] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = tuple(details)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        return {
            "error": CODES.get(self.status, "error"),
            "message": self.message,
            "details": [asdict(detail) for detail in self.details],
        }


def bad_request(*details: Detail) -> Refusal:
    return Refusal(400, "; ".join(str(detail) for detail in details), details=details)


def bad_query(name: str, message: str) -> Refusal:
    return bad_request(Detail("query", name, message))


def bad_body(pointer: str, message: str) -> Refusal:
    return bad_request(Detail("body", pointer or "/", message, pointer))


def not_found(what: str, name: str) -> Refusal:
    return Refusal(404, f"no {what} {name!r}")
