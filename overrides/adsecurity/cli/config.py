"""`adsecurity config`: profiles. Keys come from a prompt or from the environment, never from the command line."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from . import profiles
from .base import CONTEXT, common, settings_of
from .connect import find, public, variables
from .description import Surface, load
from .failures import Failure, Usage
from .nearest import did_you_mean
from .output import is_terminal, note
from .profiles import DEFAULT, Entry
from .settings import SURFACES
from .shared import SURFACE


@click.group("config", context_settings=CONTEXT)
@common
def command() -> None:
    """Store keys and addresses in profiles, in a file that only you can read.

    --profile names the profile; without it, it is the one called default. A command uses the profile that --profile
    names, otherwise the environment (ADSECURITY_NETWORK_API_KEY, ADSECURITY_API_KEY, ...), otherwise the default
    profile.
    """


@command.command("set", context_settings=CONTEXT)
@SURFACE
@click.option("--base-url", default="", metavar="URL", help="The API's address; asked for otherwise.")
@click.option("--from-env", is_flag=True, help="Take key and address from the environment instead of asking.")
@common
def set_(surface: str | None, base_url: str, from_env: bool) -> None:
    """Store a key. It is asked for and not shown; it is never an argument, where others could see it."""
    settings = settings_of(click.get_current_context())
    name = settings.profile or DEFAULT
    if not surface:
        if not is_terminal(sys.stdin):
            raise Usage(f"say which API: --surface {' or --surface '.join(SURFACES)}")
        surface = click.prompt("API", type=click.Choice(list(SURFACES)), default="network", err=True)
    described = load(str(surface))
    key, url = _from_environment(described, base_url) if from_env else _asked(described, base_url)
    _check(described, key, url)
    known = profiles.read()
    before = known.get(name, {}).get(described.name)
    routes = before.routes if before else {}
    known.setdefault(name, {})[described.name] = Entry(key, url, routes)
    file = profiles.write(known)
    note(f"stored in profile {name!r} of {file}; `adsecurity doctor --surface {described.name}` tests it")


def _from_environment(surface: Surface, base_url: str) -> tuple[str, str]:
    key_name, url_name = variables(surface)
    key = os.environ.get(key_name, "").strip()
    if not key:
        raise Usage(f"--from-env: {key_name} is not set")
    url = base_url or os.environ.get(url_name, "").strip() or surface.address
    if not url:
        raise Usage(f"--from-env: {url_name} is not set, and the documentation names no address")
    return key, url


def _asked(surface: Surface, base_url: str) -> tuple[str, str]:
    if not is_terminal(sys.stdin):
        raise Usage("there is no terminal to ask for the key on: use --from-env")
    key: str = click.prompt(f"API key for {surface.name}", hide_input=True, err=True)
    # A likely address is shown and not offered: a key is not sent to a guess by pressing Enter.
    text = "Address" if surface.address else f"Address (likely {surface.likely_address})"
    url = base_url or str(click.prompt(text, default=surface.address or None, err=True))
    return key.strip(), url


def _check(surface: Surface, key: str, url: str) -> None:
    """Let the client judge key and address before they are stored."""
    public(surface.client)(api_key=key, base_url=url).close()


@command.command("show", context_settings=CONTEXT)
@common
def show() -> None:
    """Show the profiles and which key each API uses; keys themselves stay hidden."""
    settings = settings_of(click.get_current_context())
    print(f"file: {profiles.path()}")
    for name, surfaces in profiles.read().items():
        for surface, entry in surfaces.items():
            routes = f"  {len(entry.routes)} corrected routes" if entry.routes else ""
            print(f"profile {name}: {surface}  {entry.base_url}  key ***{routes}")
    for surface in SURFACES:
        source = find(load(surface), settings)
        print(f"in use for {surface}: {source.where if source else 'no key'}")


@command.command("path", context_settings=CONTEXT)
def path() -> None:
    """Print where the profiles are."""
    print(profiles.path())


@command.command("remove", context_settings=CONTEXT)
@SURFACE
@click.option("--yes", "-y", is_flag=True, help="Do not ask first.")
@common
def remove(surface: str | None, yes: bool) -> None:
    """Remove a profile, or what it holds for one API."""
    from .confirm import ask

    name = settings_of(click.get_current_context()).profile or DEFAULT
    known = profiles.read()
    profiles.chosen(name)
    ask(f"Remove {surface or 'all'} of profile {name!r}", yes=yes)
    if surface:
        known[name].pop(surface, None)
    if not surface or not known[name]:
        del known[name]
    profiles.write(known)
    note("removed")


@command.command("route", context_settings=CONTEXT)
@click.argument("operation")
@click.argument("route", required=False)
@SURFACE
@common
def route(operation: str, route: str | None, surface: str | None) -> None:
    """Correct the route of an operation in a profile: `adsecurity config route listUsers "GET /api/v2/people"`.

    Without ROUTE the correction is taken back. `adsecurity routes` lists the operations.
    """
    name = settings_of(click.get_current_context()).profile or DEFAULT
    known = profiles.read()
    held = profiles.chosen(name)
    if surface is None:
        if len(held) != 1:
            raise Usage(f"profile {name!r} has both APIs: say which one by --surface")
        (surface,) = held
    if surface not in held:
        raise Usage(f"profile {name!r} has no {surface}.{did_you_mean(surface, held)}")
    entry = known[name][surface]
    if route is None:
        if entry.routes.pop(operation, None) is None:
            raise Failure(f"{operation} is not corrected in profile {name!r}")
    else:
        entry.routes[operation] = route
        made: Any = public(load(surface).client)
        # The client knows the operations and their placeholders.
        made(api_key=entry.api_key, base_url=entry.base_url, routes=entry.routes).close()
    profiles.write(known)
    note(f"stored in profile {name!r}")
