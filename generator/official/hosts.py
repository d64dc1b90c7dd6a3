"""The host that a document names, if it is one that a client should call by default."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from .document import Document
from .references import as_list, as_map

_INSIDE = ("localhost", "local", "internal", "lan", "home", "corp", "test", "invalid")


def named_host(document: Document) -> str:
    """Scheme and host as the document has them; empty where it names none."""
    if document.version == "2.0":
        host = str(document.root.get("host") or "")
        schemes = as_list(document.root.get("schemes")) or ["https"]
        return f"{'https' if 'https' in schemes else schemes[0]}://{host}" if host else ""
    listed = as_list(document.root.get("servers"))
    url = str(as_map(listed[0]).get("url") or "") if listed else ""
    scheme, found, rest = url.partition("://")
    return f"{scheme}://{rest.split('/')[0]}" if found else ""


def why_not_default(host: str) -> str:
    """Why a client must not call this host unless it is told to; empty where it may."""
    if "{" in host:
        return "a part of it is for the reader to choose"
    try:
        parts = urlsplit(host)
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return "it is no address"
    if parts.scheme != "https":
        return "it is not https"
    try:
        return "" if ip_address(name).is_global else "it is a private address"
    except ValueError:
        pass
    if "." not in name or name.rpartition(".")[2] in _INSIDE:
        return "it is a machine of theirs, not a public one"
    return ""
