"""Keeps what is secret out of the logs that the HTTP library writes."""

from __future__ import annotations

import logging
import re

_ADDRESS = re.compile(
    r"""(b'(?:content-location|location|link|refresh)', b)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.IGNORECASE
)
_QUERY = re.compile(r"[?#].*(?=.$)")


class _NoQueries(logging.Filter):
    """Takes queries out of the response headers in the HTTP library's logs: who reads a signed URL can use it."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if (safe := _ADDRESS.sub(lambda found: found[1] + _QUERY.sub("", found[2]), text)) != text:
            record.msg, record.args = safe, ()
        return True


_NO_QUERIES = _NoQueries()


def redact_http_logs() -> None:
    """Keep signed URLs out of the HTTP library's logs. Twice is fine."""
    for name in ("httpcore.http11", "httpcore.http2"):
        logging.getLogger(name).addFilter(_NO_QUERIES)
