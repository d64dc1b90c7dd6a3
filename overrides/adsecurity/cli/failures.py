"""What went wrong, as one readable paragraph and an exit code for each class of error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .. import errors
from ..display.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141

# The first class that fits decides; subclasses stand before their bases.
_BY_CLASS: tuple[tuple[type[errors.AdsecurityError], int, str], ...] = (
    (errors.ConfigurationError, 3, ""),
    (errors.AuthenticationError, 4, "`adsecurity config show` says which key is used."),
    (errors.PermissionDeniedError, 5, "Another key is used with --profile."),
    (errors.NotFoundError, 6, "`adsecurity doctor` tests the routes; `adsecurity config route` corrects one."),
    (errors.ConflictError, 7, "Something stands in the way: read the object again, then repeat."),
    (errors.RateLimitError, 8, "Wait a moment and repeat."),
    (errors.ServerError, 10, "The server failed; repeat later, and give the request id to its support."),
    (errors.APIStatusError, 9, "Look at what the server says of the arguments; --dry-run shows what is sent."),
    (errors.APIConnectionError, 11, "`adsecurity doctor` tests name resolution, TLS and proxy."),
    (errors.ExportError, 12, "`adsecurity network exports list` (or `adsecurity adsecurity ...`) shows them."),
    (errors.ResponseDecodeError, 13, "--raw shows the answer as it came."),
    (errors.PaginationError, 13, "Rows changed meanwhile, or the server repeats itself: read the list again."),
)  # fmt: skip

EXIT_CODES = {
    OK: "success",
    FAILED: "a question answered with no, a file that cannot be written, `doctor` with findings",
    USAGE: "a wrong command, option or value; nothing was sent",
    3: "no key, no address, or unusable configuration; nothing was sent",
    4: "401: the key is not accepted",
    5: "403: the key may not do this",
    6: "404: no such thing, or no such route",
    7: "409: conflict",
    8: "429: too many requests",
    9: "400, 402 and other refusals",
    10: "5xx: the server failed",
    11: "no connection, or no answer in time",
    12: "an export failed, was cancelled, lacks rows, or took too long",
    13: "an answer that cannot be read, or a list that cannot be gone on with",
    INTERRUPTED: "interrupted (Ctrl-C)",
    BROKEN_PIPE: "the reader of the output has gone",
}


class Failure(Exception):
    """Ends the command with a message of its own and an exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


class Usage(Failure):
    """A wrong argument; nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, USAGE)


def explain(error: BaseException) -> tuple[str, int]:
    """The paragraph about an error, and the exit code of its class."""
    if isinstance(error, Failure):
        return str(error), error.code
    if isinstance(error, errors.AdsecurityError):
        # Of batches that failed, the first says why.
        cause = error.causes[0] if isinstance(error, errors.BulkError) and error.causes else error
        for kind, code, hint in _BY_CLASS:
            if isinstance(cause, kind):
                return f"{error} {hint}".strip(), code
        return str(error), FAILED
    if isinstance(error, ModuleNotFoundError):
        return str(error), FAILED
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror or error}", FAILED
    if isinstance(error, TypeError | ValueError):
        # What the client refuses before it sends anything.
        return str(error), USAGE
    raise error


def report(error: BaseException, *, debug: bool) -> int:
    """Print what went wrong on stderr and return the exit code."""
    message, code = explain(error)
    lines = [f"error: {printable(message)}", *getattr(error, "__notes__", ())]
    if debug:
        lines += _details(error)
    elif isinstance(error, errors.AdsecurityError) and not isinstance(error, errors.ConfigurationError):
        lines.append("(--debug shows the whole answer and where it happened)")
    print("\n".join(lines), file=sys.stderr)
    return code


def _details(error: BaseException) -> Sequence[str]:
    """What --debug adds: the traceback, and the answer's headers and body, from which the client removed secrets."""
    import json
    import traceback

    lines = ["", "".join(traceback.format_exception(error)).rstrip()]
    headers = getattr(error, "headers", None)
    if headers:
        lines += ["", *(printable(f"{name}: {value}") for name, value in headers.items())]
    body = getattr(error, "body", None)
    if body is not None:
        lines += ["", printable(body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False))]
    return lines
