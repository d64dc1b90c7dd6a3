"""`adsecurity request`: any request by method and path, for what the API has and no command describes."""

from __future__ import annotations

import sys
from typing import Any

import click

from .. import errors
from .base import CONTEXT, common, settings_of
from .confirm import ask
from .connect import choose_surface, open_client
from .description import Surface
from .failures import Usage
from .output import note
from .rows import dumps
from .settings import Settings
from .shared import SURFACE
from .values import read_json

_READS = ("GET", "HEAD", "OPTIONS")
_METHODS = (*_READS, "POST", "PUT", "PATCH", "DELETE")


@click.command("request", context_settings=CONTEXT)
@click.argument("method", type=click.Choice(_METHODS, case_sensitive=False))
@click.argument("path")
@SURFACE
@click.option("--query", multiple=True, metavar="NAME=VALUE", help="A parameter; the same name again is another value.")
@click.option("--json", "body", default=None, metavar="JSON|@FILE|-", help="The body.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Another header.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask first; only reads are sent without asking.")
@click.option("--dry-run", is_flag=True, help="Print the request, with the key hidden, and send nothing.")
@click.option("--raw", is_flag=True, help="Print the answer as it came.")
@common
def command(
    method: str,
    path: str,
    surface: str | None,
    query: tuple[str, ...],
    body: str | None,
    headers: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    raw: bool,
) -> None:
    """Send METHOD to PATH, which begins with / and is put behind the address of the API.

    The key, retries and errors are those of every other command. The answer is printed as JSON.

    \b
    adsecurity request GET /api/v2/users --surface network --query 'filter[role]=admin' --query 'page[size]=5'
    """
    settings = settings_of(click.get_current_context())
    method = method.upper()
    if "?" in path:
        raise Usage("PATH has no query: say --query NAME=VALUE for each parameter (nothing was sent)")
    known: dict[str, Any] = {"query": _several(query, "--query", "="), "json": _body(body)}
    given = {name: value.strip() for name, value in _pairs(headers, "--header", ":")}
    if given:
        known["extra_headers"] = given
    api = choose_surface(surface or "", settings)
    if dry_run:
        _show(api, settings, method, path, known)
        return
    if method not in _READS:
        ask(f"{method} {path} of the {api.name} API", yes=yes)
    with open_client(api, settings) as client:
        answer = client.request(method, path, **known)
        if raw:
            sys.stdout.buffer.write(answer.content)
            sys.stdout.buffer.flush()
        elif answer.content:
            print(dumps(answer.parse(), indent=2))
        else:
            note(f"done: status {answer.status_code}")


def _pairs(texts: tuple[str, ...], option: str, sign: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for text in texts:
        name, found_sign, value = text.partition(sign)
        if not found_sign or not name.strip():
            # Not shown: it may be a secret that stands where its name should.
            raise Usage(f"{option}: must look like NAME{sign}VALUE (nothing was sent)")
        found.append((name.strip(), value))
    return found


def _several(texts: tuple[str, ...], option: str, sign: str) -> dict[str, str | list[str]]:
    """Values by name; a name that comes more than once has a list."""
    found: dict[str, list[str]] = {}
    for name, value in _pairs(texts, option, sign):
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _body(text: str | None) -> Any:
    try:
        return None if text is None else read_json(text)
    except ValueError as error:
        raise Usage(f"--json: {error} (nothing was sent)") from None


def _show(api: Surface, settings: Settings, method: str, path: str, known: dict[str, Any]) -> None:
    from .dry_run import Recorder, recorded, text

    recorder = Recorder()
    with open_client(api, settings, transport=recorder) as client:
        try:
            client.request(method, path, **known)
        except errors.AdsecurityError as error:
            print(text(recorded(recorder, error), api.secrets), end="")
