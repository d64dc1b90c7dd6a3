"""A certificate authority of this process, and servers over TLS whose certificates it signed."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

import trustme


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def server_context(*, newest: bool = True) -> ssl.SSLContext:
    """What a server on this machine answers with; with TLS 1.3, or with nothing above 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if not newest:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    authority().issue_cert("localhost", "127.0.0.1", "far.example").configure_cert(context)
    return context


@cache
def trusting() -> ssl.SSLContext:
    """What a client gives as `verify=`."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


def certificate_file(folder: Path) -> Path:
    """The authority's certificate as a file."""
    path = folder / "authority.pem"
    authority().cert_pem.write_to_path(str(path))
    return path
