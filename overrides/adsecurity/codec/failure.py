"""Building our errors: they say what was called, what came back and what to do, and contain no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import attrs

from adsecurity_generated._operation import Operation

from ..errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    RequestFailedError,
    ResponseDecodeError,
    request_id,
    status_error_class,
)
from .request import PreparedRequest
from .secrets import Secret, is_list, is_object, redact, redact_headers, redact_text, secret_forms

if TYPE_CHECKING:
    import httpx

# Characters of a body that is not JSON.
_MAX_BODY = 2000
_MAX_MASKED = 4 * _MAX_BODY
# Characters of the server's message in the error's own message.
_MAX_QUOTED = 300
_MESSAGE_FIELDS = ("message", "error", "errors", "detail", "details", "description", "title", "reason")


@attrs.frozen(eq=False, repr=False)
class CallContext:
    """A request, and what is needed to describe it in an error without showing a secret."""

    prepared: PreparedRequest
    key: Secret
    secret_names: frozenset[str]
    env_prefix: str = ""
    attempts: int = 1

    @property
    def op(self) -> Operation[Any]:
        return self.prepared.op

    @property
    def forms(self) -> tuple[str, ...]:
        """All spellings of the key and of the request's secret values."""
        own = self.prepared.secrets
        return (*secret_forms(own), *self.key.forms()) if own else self.key.forms()

    @property
    def url(self) -> str:
        return redact_text(self.prepared.url, self.forms)

    def redacted(self, text: str) -> str:
        """The text with the secrets of this call masked."""
        return redact_text(text, self.forms, self.secret_names)

    def request_id(self, headers: Mapping[str, str]) -> str | None:
        """The request id of an answer, which may repeat what it was sent."""
        found = request_id(headers)
        return found and self.redacted(found)

    def error_fields(self) -> dict[str, Any]:
        """The fields that all errors of this call have."""
        return {
            "operation": self.op.resource,
            "method": self.prepared.method,
            "url": self.url,
            "attempts": self.attempts,
        }

    def describe(self) -> str:
        """How the messages of this call's errors begin."""
        return f"{self.op.resource}(): {self.prepared.method} {self.url}"


def status_error(call: CallContext, response: httpx.Response, retry_after: float | None) -> APIStatusError:
    """The error for a response whose status is not 2xx."""
    return _response_error(status_error_class(response.status_code), call, response, retry_after)


def request_failed(call: CallContext, response: httpx.Response) -> APIStatusError:
    """The error for a 2xx response whose body says `success: false`."""
    return _response_error(RequestFailedError, call, response, None)


def _response_error(
    cls: type[APIStatusError], call: CallContext, response: httpx.Response, retry_after: float | None
) -> APIStatusError:
    status = response.status_code
    fields = _response_fields(call, response)
    message = _server_message(fields["body"])
    phrase = next((f" {entry.phrase}" for entry in HTTPStatus if entry == status), "")
    parts = [f"{call.describe()} answered {status}{phrase}"]
    if message:
        parts.append(f": {message!r}")
    if call.attempts > 1:
        parts.append(f" (after {call.attempts} attempts)")
    if found := request_id(fields["headers"]):
        parts.append(f" [request id {found}]")
    parts.append(f". {_advice(cls, call, response, retry_after)}")
    return cls("".join(parts), retry_after=retry_after, **fields)


def decode_error(call: CallContext, response: httpx.Response, problem: str) -> ResponseDecodeError:
    """The error for a 2xx response whose body is not what the operation promises."""
    fields = _response_fields(call, response)
    body = fields["body"]
    begins = f" It begins {body[:100]!r}." if isinstance(body, str) and body else ""
    return ResponseDecodeError(
        f"{call.describe()} answered {response.status_code}, but {problem}.{begins}"
        " If this happens every time, check base_url and the operation's route.",
        **fields,
    )


def connection_error(call: CallContext, error: Exception) -> APIConnectionError:
    """Our error for one of the HTTP library's, of which nothing is kept: it holds the request, and so the key."""
    kind = type(error).__name__
    what, advice, cls = _CONNECTION.get(kind, ("the connection broke", "Check the network", APIConnectionError))
    if not (call.op.safe or never_sent(error)):
        advice = "Whether the server did it is unknown: look before you do it again"
    text = call.redacted(str(error)).strip()[:_MAX_QUOTED]
    why = f"{kind}: {text}" if text else kind
    tried = f" after {call.attempts} attempts" if call.attempts > 1 else ""
    return cls(
        f"{call.describe()} got no answer{tried}: {what} ({why}). {advice}.",
        **call.error_fields(),
    )


_SLOW = "Raise timeout= if the server needs longer"
_CONNECTION: dict[str, tuple[str, str, type[APIConnectionError]]] = {
    "ConnectTimeout": ("no connection in time", "Check base_url and the network", APITimeoutError),
    "ReadTimeout": ("no data in time", _SLOW, APITimeoutError),
    "WriteTimeout": ("could not send in time", _SLOW, APITimeoutError),
    "PoolTimeout": ("no free connection in time", "Raise max_connections=, or start fewer calls", APITimeoutError),
    "ConnectError": ("could not connect", "Check base_url, the network and certificates", APIConnectionError),
    "ProxyError": ("the proxy refused", "Check proxy= and the proxy variables", APIConnectionError),
    "DecodingError": (
        "the body is not what its Content-Encoding says",
        "Check what stands between",
        APIConnectionError,
    ),
}


def not_sent_error(call: CallContext, status: int, held: float | None) -> APIStatusError:
    """The error for a call that was never sent, because the server refused other calls of the same client.

    `held` is how many seconds the server still asks to wait; None if only the calls ahead of this one took too long.
    """
    if held is None:
        why = f"since the server answered {status} to another call, this one waited, and its turn did not come"
    else:
        why = f"the server answered {status} to another call and asks to wait {held:.1f} s more, which is not over"
    known = {**call.error_fields(), "attempts": 0}
    return status_error_class(status)(
        f"{call.describe()} was not sent: {why} before the deadline of this call."
        " Call less often, or wait longer with RetryPolicy(deadline=).",
        status_code=status,
        retry_after=held,
        **known,
    )


def never_sent(error: Exception) -> bool:
    """Whether the request certainly did not reach the server."""
    return type(error).__name__ in ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError")


def _response_fields(call: CallContext, response: httpx.Response) -> dict[str, Any]:
    return {
        **call.error_fields(),
        "status_code": response.status_code,
        "headers": redact_headers(response.headers, call.secret_names, call.forms),
        "body": _body(call, response),
    }


def _body(call: CallContext, response: httpx.Response) -> Any:
    try:
        return redact(json.loads(response.content), call.secret_names, call.forms)
    except (ValueError, RecursionError):
        text = call.redacted(response.content[:_MAX_MASKED].decode("utf-8", "replace"))
        if len(response.content) > _MAX_MASKED:
            # A secret that was cut in half is not recognised, so as many characters as the longest secret are dropped.
            text = text[: -max(map(len, call.forms), default=0) or None]
        return text[:_MAX_BODY]


def _server_message(body: Any) -> str:
    """The server's own description of the error, from the usual fields of its body; empty where there is none."""
    if is_object(body):
        return _server_message(next((body[name] for name in _MESSAGE_FIELDS if body.get(name)), None))
    if is_list(body):
        return "; ".join(filter(None, map(_server_message, body)))[:_MAX_QUOTED]
    if not isinstance(body, str) or "<html" in body.lower() or "<!doctype" in body.lower():
        return ""
    return " ".join(body.split())[:_MAX_QUOTED]


def _advice(cls: type[APIStatusError], call: CallContext, response: httpx.Response, retry_after: float | None) -> str:
    status = response.status_code
    if 300 <= status <= 399:
        return "Redirects are not followed, they would take the key elsewhere: check base_url and the route."
    if cls is RequestFailedError:
        return "The arguments are valid, but the server did not do it."
    if status == 401:
        return f"Check the key: api_key=, or the variable {call.env_prefix}_API_KEY."
    if status == 429:
        asked = f" The server asks to wait {retry_after:g} s." if retry_after is not None else ""
        return f"Call less often, or retry for longer with RetryPolicy(attempts=, deadline=).{asked}"
    corrected = (call.prepared.method, call.prepared.route) != (call.op.method, call.op.path)
    if status in (404, 405) and corrected:
        return "Check the ids, and the route that routes= gives for this operation."
    if status in (404, 405) and call.op.evidence in ("inferred", "borrowed"):
        return (
            "Check the ids. The documentation does not show this route, it is inferred: "
            f"if it is wrong, correct it with routes={{{call.op.id!r}: 'METHOD /path'}}."
        )
    if status == 408 or 500 <= status <= 599:
        what = "did not get the whole request in time; try again" if status == 408 else "failed; try again later"
        done = "" if call.op.safe else " Whether it was done is unknown: look before you do it again."
        return f"The server {what}.{done}"
    return _ADVICE.get(status, "The answer is not documented; its body may say more.")


_ADVICE = {
    400: "Correct the arguments; error.body has the whole answer.",
    403: "This key may not do that: ask for the permission, or use another key.",
    404: "Check the ids.",
    409: "Look at the present state, then try again.",
    425: "The server did not process the request; try again later.",
}
