"""Which key, address and client: from a profile that was asked for, the environment, or the default profile."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, NamedTuple

from .. import errors
from .description import Surface, load
from .failures import Usage
from .profiles import DEFAULT, Entry, chosen, path, read
from .settings import SURFACES, Settings

_PACKAGE = __name__.rpartition(".")[0].rpartition(".")[0]


class Source(NamedTuple):
    """Where the key of an API comes from."""

    where: str
    entry: Entry | None
    """None for the environment, which the client reads itself."""


def public(name: str) -> Any:
    """Something of the package's public interface; it is imported when a command really needs it."""
    return getattr(import_module(_PACKAGE), name)


def variables(surface: Surface) -> tuple[str, str]:
    """The environment variables of an API's key and address."""
    return f"{surface.variables}_API_KEY", f"{surface.variables}_BASE_URL"


def find(surface: Surface, settings: Settings) -> Source | None:
    """Where the key is. Key and address always come from the same place: a key goes to its own host only."""
    key, _ = variables(surface)
    if settings.profile:
        entry = chosen(settings.profile).get(surface.name)
        return Source(f"profile {settings.profile!r} in {path()}", entry) if entry else None
    if os.environ.get(key, "").strip():
        return Source(f"variable {key}", None)
    entry = read().get(DEFAULT, {}).get(surface.name)
    return Source(f"profile {DEFAULT!r} in {path()}", entry) if entry else None


def no_key(surface: Surface, settings: Settings) -> errors.ConfigurationError:
    """The error that says how to get a key and how to set it."""
    key, address = variables(surface)
    profile = settings.profile or DEFAULT
    option = f" --profile {settings.profile}" if settings.profile else ""
    places = f"profile {profile!r} has none" + ("" if option else f", nor has {key}")
    return errors.ConfigurationError(
        f"there is no key for the {surface.name} API ({places}). Keys are issued by the network: ask its administrator,"
        f" or your account manager there; each API has its own. Set it with `adsecurity config set{option} --surface"
        f" {surface.name}`, which asks for it, or put it into {key} (and its address into {address}). To try without"
        " one: `adsecurity sandbox`."
    )


def open_client(surface: Surface, settings: Settings, **options: Any) -> Any:
    """A client of the API; without a key an error that says how to get and set one."""
    source = find(surface, settings)
    if source is None:
        raise no_key(surface, settings)
    if source.entry is not None:
        options = {
            **options,
            "api_key": source.entry.api_key,
            "base_url": source.entry.base_url,
            "routes": source.entry.routes,
        }
    if settings.debug:
        _log_requests()
    return public(surface.client)(**options)


def _log_requests() -> None:
    """Show the log of the requests, which holds neither key nor query, on stderr."""
    import logging

    logger = logging.getLogger("adsecurity")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG)


def choose_surface(given: str, settings: Settings, *, among: tuple[str, ...] = tuple(SURFACES)) -> Surface:
    """The API of a command that knows several: the one named, or the one that has a key."""
    if given:
        return load(given)
    if len(among) == 1:
        return load(among[0])
    found = [name for name in among if find(load(name), settings) is not None]
    if len(found) == 1:
        return load(found[0])
    if found:
        raise Usage(f"both APIs have a key: say which one is meant by --surface {' or --surface '.join(found)}")
    raise no_key(load(among[0]), settings)


def resource_of(client: Any, resource: str, bound: list[str]) -> Any:
    """The resource of a client by its full name; a namespace is bound to the ids that it takes."""
    found = client
    for name in resource.split("."):
        found = getattr(found, name)
        if callable(found) and bound:
            found = found(*bound)
    return found
