"""Turning what went wrong into errors that say what was called, what came back and what to do, and no secret."""

from __future__ import annotations

import json
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

_MOST_TEXT = 2000
_MOST_MASKED = 4 * _MOST_TEXT
_MOST_QUOTED = 300
_MESSAGE_FIELDS = ("message", "error", "errors", "detail", "details", "description", "title", "reason")


@attrs.frozen(eq=False)
class CallContext:
    """A request, and what is needed to speak of it without giving anything away."""

    prepared: PreparedRequest
    key: Secret
    secret_names: frozenset[str] = attrs.field(repr=False)
    env_prefix: str = ""
    attempts: int = 1

    @property
    def op(self) -> Operation[Any]:
        return self.prepared.op

    @property
    def forms(self) -> tuple[str, ...]:
        """What must not be seen, in all its spellings."""
        own = self.prepared.secrets
        return (*secret_forms(own), *self.key.forms()) if own else self.key.forms()

    @property
    def url(self) -> str:
        return redact_text(self.prepared.url, self.forms)

    def text(self, text: str) -> str:
        return redact_text(text, self.forms, self.secret_names)

    def known(self) -> dict[str, Any]:
        """The fields that all errors of a call have."""
        return {
            "operation": self.op.resource,
            "method": self.prepared.method,
            "url": self.url,
            "attempts": self.attempts,
        }

    def begin(self) -> str:
        return f"{self.op.resource}(): {self.prepared.method} {self.url}"


def status_error(call: CallContext, response: httpx.Response, retry_after: float | None) -> APIStatusError:
    """The error for an answer other than 2xx."""
    return _answer_error(status_error_class(response.status_code), call, response, retry_after)


def request_failed(call: CallContext, response: httpx.Response) -> APIStatusError:
    """The error for a success that says of itself that it is none."""
    return _answer_error(RequestFailedError, call, response, None)


def _answer_error(
    cls: type[APIStatusError], call: CallContext, response: httpx.Response, retry_after: float | None
) -> APIStatusError:
    status = response.status_code
    known = _answer(call, response)
    said = _said(known["body"])
    phrase = next((f" {entry.phrase}" for entry in HTTPStatus if entry == status), "")
    parts = [f"{call.begin()} answered {status}{phrase}"]
    if said:
        parts.append(f": {said!r}")
    if call.attempts > 1:
        parts.append(f" (after {call.attempts} attempts)")
    if found := request_id(known["headers"]):
        parts.append(f" [request id {found}]")
    parts.append(f". {_advice(cls, call, response, retry_after)}")
    return cls("".join(parts), retry_after=retry_after, **known)


def decode_error(call: CallContext, response: httpx.Response, what: str) -> ResponseDecodeError:
    """The error for a success whose body is not what the operation promises."""
    known = _answer(call, response)
    body = known["body"]
    begins = f" It begins {body[:100]!r}." if isinstance(body, str) and body else ""
    return ResponseDecodeError(
        f"{call.begin()} answered {response.status_code}, but {what}.{begins}"
        " If this happens every time, check base_url and the operation's route.",
        **known,
    )


def connection_error(call: CallContext, error: Exception) -> APIConnectionError:
    """Our error for one of the HTTP library's, which holds the request and with it the key: nothing of it is kept."""
    kind = type(error).__name__
    what, advice, cls = _CONNECTION.get(kind, ("the connection broke", "Check the network", APIConnectionError))
    if not (call.op.safe or never_sent(error)):
        advice = "Whether the server did it is unknown: look before you do it again"
    text = call.text(str(error)).strip()[:_MOST_QUOTED]
    why = f"{kind}: {text}" if text else kind
    tried = f" after {call.attempts} attempts" if call.attempts > 1 else ""
    return cls(
        f"{call.begin()} got no answer{tried}: {what} ({why}). {advice}.",
        **call.known(),
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
    known = {**call.known(), "attempts": 0}
    return status_error_class(status)(
        f"{call.begin()} was not sent: {why} before the deadline of this call."
        " Call less often, or wait longer with RetryPolicy(deadline=).",
        status_code=status,
        retry_after=held,
        **known,
    )


def never_sent(error: Exception) -> bool:
    """Whether the server surely did not see the request."""
    return type(error).__name__ in ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError")


def _answer(call: CallContext, response: httpx.Response) -> dict[str, Any]:
    return {
        **call.known(),
        "status_code": response.status_code,
        "headers": redact_headers(response.headers, call.secret_names, call.forms),
        "body": _body(call, response),
    }


def _body(call: CallContext, response: httpx.Response) -> Any:
    try:
        return redact(json.loads(response.content), call.secret_names, call.forms)
    except (ValueError, RecursionError):
        text = call.text(response.content[:_MOST_MASKED].decode("utf-8", "replace"))
        if len(response.content) > _MOST_MASKED:
            # Half a secret at the cut is not recognised; what was masked before it may have drawn it near.
            text = text[: -max(map(len, call.forms), default=0) or None]
        return text[:_MOST_TEXT]


def _said(body: Any) -> str:
    """What the server says is wrong."""
    if is_object(body):
        return _said(next((body[name] for name in _MESSAGE_FIELDS if body.get(name)), None))
    if is_list(body):
        return "; ".join(filter(None, map(_said, body)))[:_MOST_QUOTED]
    if not isinstance(body, str) or "<html" in body.lower() or "<!doctype" in body.lower():
        return ""
    return " ".join(body.split())[:_MOST_QUOTED]


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
