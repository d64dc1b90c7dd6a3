"""Keeps what is secret out of the logs that the HTTP library writes."""

from __future__ import annotations

import logging
import re
import weakref

from ..codec.secrets import Secret, redact_text

_ADDRESS = re.compile(
    r"""(b'(?:content-location|location|link|refresh)', b)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.IGNORECASE
)
_QUERY = re.compile(r"[?#].*(?=.$)")


_keys: dict[int, weakref.ref[Secret]] = {}
"""The keys of all clients, while these live."""


class _Redaction(logging.Filter):
    """Takes keys that a server repeats, and the queries of signed URLs, out of the HTTP library's logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        safe = _ADDRESS.sub(lambda found: found[1] + _QUERY.sub("", found[2]), text)
        for reference in list(_keys.values()):
            if (key := reference()) is not None:
                safe = redact_text(safe, key.forms())
        if safe != text:
            record.msg, record.args = safe, ()
        return True


_REDACTION = _Redaction()


def redact_http_logs() -> None:
    """Keep signed URLs out of the HTTP library's logs. Twice is fine."""
    for name in ("httpx", "httpcore.http11", "httpcore.http2"):
        logging.getLogger(name).addFilter(_REDACTION)


def mask_in_http_logs(key: Secret) -> None:
    """Mask the key in the HTTP library's logs as long as somebody holds it. Twice is fine."""
    number = id(key)
    _keys[number] = weakref.ref(key, lambda _: _keys.pop(number, None))
