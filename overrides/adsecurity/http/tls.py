"""Whose certificates are trusted: from `verify=`, or from the variables that OpenSSL has for it.

Reading them takes longer than a request, and does not need the interpreter: a client begins with it in a thread while
it imports what it needs.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError

if TYPE_CHECKING:
    import ssl


class Certificates:
    """The certificates of one client."""

    def __init__(self, verify: Any = True) -> None:
        self.verify = verify
        self._reading: threading.Thread | None = None

    def begin(self) -> None:
        """Read them now, in a thread. What is wrong with them is said when they are needed."""
        self._reading = threading.Thread(target=self._read, name="adsecurity-certificates", daemon=True)
        self._reading.start()

    def _read(self) -> None:
        with contextlib.suppress(Exception):
            self._context()

    def context(self) -> ssl.SSLContext:
        """One for all connections with the same settings."""
        if self._reading is not None:
            self._reading.join()
        return self._context()

    def _context(self) -> ssl.SSLContext:
        return tls_context(self.verify, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.lru_cache(maxsize=8)
def tls_context(verify: bool | str | ssl.SSLContext, file: str | None, folder: str | None) -> ssl.SSLContext:
    import ssl

    if isinstance(verify, ssl.SSLContext):
        return verify
    if isinstance(verify, str):
        return _trusting("verify=", verify, is_folder=os.path.isdir(verify))
    if not verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if file:
        return _trusting("SSL_CERT_FILE=", file, is_folder=False)
    if folder:
        return _trusting("SSL_CERT_DIR=", folder, is_folder=True)
    import certifi  # what the HTTP library itself trusts, and brings along

    return ssl.create_default_context(cafile=certifi.where())


def _trusting(setting: str, path: str, *, is_folder: bool) -> ssl.SSLContext:
    import ssl

    if is_folder:
        # OpenSSL itself says nothing of a folder that is not there.
        if not os.path.isdir(path):
            raise ConfigurationError(f"{setting}{path}: there is no such folder of certificates")
        return ssl.create_default_context(capath=path)
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        why = error.strerror or type(error).__name__
    raise ConfigurationError(f"{setting}{path}: no certificates can be read from there: {why}")
