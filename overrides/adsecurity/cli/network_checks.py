"""What stands between this machine and a host: its name, a proxy, TLS. No key goes out here."""

from __future__ import annotations

import os
import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

Verdict = tuple[bool, str]

_PATIENCE = 10.0
_PROXY_PORT = 1080
"""Where the client, as curl does, looks for a proxy whose port is not given."""
_SOON = 14
"""Days before a certificate's end from which on it is worth a word."""


def check_proxy(url: str) -> tuple[bool, str]:
    """Whether the environment sends this address through a proxy, and through which; credentials are left out."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return False, "none"
    found = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return True, f"{found.hostname}:{found.port or _PROXY_PORT}, from the environment"


def check_names(host: str, port: int) -> Verdict:
    """Whether the name leads to addresses."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as error:
        return False, f"{host} is not found: {error.strerror or error}"
    return True, f"{host} is {', '.join(sorted(found))}"


def check_tls(host: str, port: int) -> Verdict:
    """Whether the host answers with a certificate that is trusted here."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        # As the client does: from the variables, or what the HTTP library brings along, which is not what the system
        # trusts.
        context = ssl.create_default_context(
            cafile=file or (None if folder else certifi.where()), capath=None if file else folder
        )
    except OSError as error:
        return False, f"no certificates can be read from {file or folder}: {error.strerror or error}"
    try:
        with (
            socket.create_connection((host, port), timeout=_PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            version, certificate = secured.version(), secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        trusted = file or folder or "certifi's list; SSL_CERT_FILE names another"
        return False, f"the certificate is not trusted by {trusted}: {error.verify_message}"
    except OSError as error:
        return False, f"no connection to {host}:{port}: {error.strerror or error}"
    end = ssl.cert_time_to_seconds(str(certificate.get("notAfter")))
    days = int((end - datetime.now(UTC).timestamp()) // 86400)
    soon = ", soon" if days < _SOON else ""
    return True, f"{version}, certificate valid for {days} days{soon}"
