"""Whose certificates are trusted: from `verify=`, or from the variables that OpenSSL has for it."""

from __future__ import annotations

import functools
import os
import ssl

import httpx

from ..errors import ConfigurationError

Verify = bool | str | ssl.SSLContext


def tls_context(verify: Verify) -> ssl.SSLContext:
    """One context for all connections with the same settings: reading the certificates takes longer than a request."""
    return _context(verify, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.lru_cache(maxsize=8)
def _context(verify: Verify, file: str | None, folder: str | None) -> ssl.SSLContext:
    if isinstance(verify, ssl.SSLContext):
        return verify
    if isinstance(verify, str):
        return _trusting("verify=", verify, is_folder=os.path.isdir(verify))
    if verify and file:
        return _trusting("SSL_CERT_FILE=", file, is_folder=False)
    if verify and folder:
        return _trusting("SSL_CERT_DIR=", folder, is_folder=True)
    return httpx.create_ssl_context(verify=verify, trust_env=False)


def _trusting(setting: str, path: str, *, is_folder: bool) -> ssl.SSLContext:
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
