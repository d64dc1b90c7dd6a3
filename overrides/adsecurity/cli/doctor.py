"""`adsecurity doctor`: what is configured, what can be reached, which routes work. It only reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import click

from .. import errors
from ..display.printable import printable
from .base import CONTEXT, common, settings_of
from .connect import Source, find, no_key, open_client, public, resource_of
from .description import Argument, Operation, Surface, load
from .failures import Failure
from .network_checks import check_names, check_proxy, check_tls
from .settings import SURFACES, Settings
from .shared import SURFACE

_SKEW = 120.0
"""Seconds that two clocks may be apart."""


class Finding(NamedTuple):
    """A line of the report; `good` is None for what was not tried."""

    good: bool | None
    what: str
    said: str

    def __str__(self) -> str:
        mark = {True: "ok ", False: "BAD", None: "-  "}[self.good]
        return f"{mark} {self.what}: {printable(self.said)}"


@click.command("doctor", context_settings=CONTEXT)
@SURFACE
@click.option("--integration", default="", metavar="ID", help="An integration to try routes with; found otherwise.")
@click.option("--organization", default="", metavar="ID", help="An organization to try routes with; found otherwise.")
@common
def command(surface: str | None, integration: str, organization: str) -> None:
    """Check the configuration, the connection, the key and every route that only reads.

    Changes nothing. The exit code is 0 only when nothing is wrong.
    """
    settings = settings_of(click.get_current_context())
    bad = tried = 0
    for name in [surface] if surface else SURFACES:
        described = load(name)
        source = find(described, settings)
        if source is None:
            print(f"{name}\n{Finding(False if surface else None, 'key', 'there is none')}\n")
            continue
        tried += 1
        print(name)
        ids = {"integration_id": integration, "organization_id": organization}
        for finding in _examine(described, source, settings, {key: value for key, value in ids.items() if value}):
            print(finding, flush=True)
            bad += finding.good is False
        print()
    if not tried:
        raise no_key(load(surface or "network"), settings)
    if bad:
        raise Failure(f"{bad} of the checks found something wrong")


def _examine(surface: Surface, source: Source, settings: Settings, ids: dict[str, str]) -> Iterator[Finding]:
    yield Finding(True, "key", source.where)
    try:
        client = open_client(surface, settings, retry=public("RetryPolicy")(attempts=2, deadline=30.0), timeout=20.0)
    except errors.ConfigurationError as error:
        yield Finding(False, "configuration", str(error))
        return
    with client:
        yield Finding(True, "address", client.base_url)
        parts = urlsplit(str(client.base_url))
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        proxy, said = check_proxy(client.base_url)
        yield Finding(True, "proxy", said)
        if not proxy:
            # Behind a proxy it is the proxy that looks names up and connects.
            checks = [("name", check_names), *([("TLS", check_tls)] if parts.scheme == "https" else [])]
            for what, check in checks:
                good, said = check(host, port)
                yield Finding(good, what, said)
                if not good:
                    return
        yield from _Routes(surface, client, ids).findings()


_OPTIONS = {"integration_id": "--integration", "organization_id": "--organization"}


class _Routes:
    """Tries every route that only reads, with ids taken from what earlier ones answered."""

    def __init__(self, surface: Surface, client: Any, ids: dict[str, str]) -> None:
        self._client = client
        self._ids = ids
        self._items: dict[str, dict[str, Any]] = {}
        """The first object of each resource's list."""
        self._waiting = [
            operation
            for resource in surface.resources
            for method in surface.methods(resource)
            if (operation := surface.operation(resource, method)).verb == "GET" or operation.safe
        ]
        # Lists first: they give the ids that the others need.
        self._waiting.sort(key=lambda operation: not operation.is_list)
        self._clock: Finding | None = None
        self._key: Finding | None = None

    def findings(self) -> Iterator[Finding]:
        progress = True
        while progress:
            progress = False
            for operation in list(self._waiting):
                arguments = self._arguments(operation)
                if arguments is None:
                    continue
                self._waiting.remove(operation)
                progress = True
                yield from self._try(operation, *arguments)
                if self._key is not None and not self._key.good:
                    return
        for operation in self._waiting:
            needed = [argument.name for argument in operation.arguments if self._lacks(argument)]
            given = "".join(f"; {option} ID gives it" for name, option in _OPTIONS.items() if name in needed)
            said = f"not tried: nothing found that gives its {', '.join(needed)}{given}"
            yield Finding(None, operation.full_name, said)

    def _lacks(self, argument: Argument) -> bool:
        return argument.required and not argument.time and argument.name not in self._ids

    def _arguments(self, operation: Operation) -> tuple[list[str], list[str], dict[str, Any]] | None:
        """Ids and required keywords, as far as they are known by now."""
        bound: list[str] = []
        ids: list[str] = []
        keywords: dict[str, Any] = {}
        days = iter((datetime.now(UTC).date() - timedelta(1), datetime.now(UTC).date()))
        # What belongs together is taken from one object: a request and its offer.
        item = self._items.get(operation.resource, {}) if operation.name == "get" else {}
        for argument in operation.arguments:
            if not argument.required:
                continue
            own = item.get(argument.name) or item.get(argument.name.removesuffix("_id"))
            if argument.positional and isinstance(own, str):
                (bound if argument.bound else ids).append(own)
                continue
            if argument.time:
                keywords[argument.name] = next(days).isoformat()
            elif self._lacks(argument):
                return None
            elif argument.positional:
                (bound if argument.bound else ids).append(self._ids[argument.name])
            else:
                keywords[argument.name] = self._ids[argument.name]
        if operation.is_list and operation.answer != "rows":
            keywords |= {"page_size": 1, "prefetch": 0}
        return bound, ids, keywords

    def _try(
        self, operation: Operation, bound: list[str], ids: list[str], keywords: dict[str, Any]
    ) -> Iterator[Finding]:
        try:
            resource = resource_of(self._client, operation.resource, bound)
            answer = getattr(resource.with_raw_response, operation.name)(*ids, **keywords)
            if operation.is_list:
                answer = next(iter(answer))
            # What answers nothing that a method would return is only asked for its status.
            if operation.answer != "write":
                self._learn(operation, answer.json())
            headers = answer.headers
            found = Finding(True, operation.full_name, f"works ({operation.verb} {operation.path})")
        except errors.APIStatusError as error:
            headers, found = error.headers, self._refused(operation, error)
        except errors.AdsecurityError as error:
            yield Finding(False, operation.full_name, str(error))
            return
        except ValueError as error:
            yield Finding(False, operation.full_name, f"the answer is no JSON: {error}; the route may be wrong")
            return
        if self._clock is None:
            self._clock = clock(headers, datetime.now(UTC))
            yield self._clock
        if self._key is None:
            accepted = found.good is not False or "401" not in found.said
            self._key = Finding(accepted, "key accepted", "yes" if accepted else "no: the server answers 401")
            yield self._key
            if not accepted:
                return
        yield found

    def _refused(self, operation: Operation, error: errors.APIStatusError) -> Finding:
        if error.status_code in (404, 405):
            line = f'routes={{"{operation.id}": "{operation.verb} {operation.path}"}}'
            fix = shlex.join(["adsecurity", "config", "route", operation.id, f"{operation.verb} /the/right/path"])
            said = (
                f"{error.status_code}, so the route {operation.verb} {operation.path} ({operation.evidence}) is wrong;"
                f" with the right path in it, pass {line} to the client, or store it: {fix}"
            )
            return Finding(False, operation.full_name, said)
        if error.status_code == 403:
            return Finding(False, operation.full_name, "403: this key has no permission")
        return Finding(False, operation.full_name, f"{error.status_code}: {error}")

    def _learn(self, operation: Operation, answer: Any) -> None:
        """Take over the ids that an answer holds: the object's own, its integration's, its organization's."""
        item = _first(answer)
        for name in ("integration", "organization"):
            value = item.get(f"{name}_id") or item.get(name)
            if isinstance(value, str) and value:
                self._ids.setdefault(f"{name}_id", value)
        artifact: Any = item.get("artifact")
        if isinstance(artifact, dict) and artifact.get("name"):  # pyright: ignore[reportUnknownMemberType]
            self._ids.setdefault("artifact_name", f"{artifact['name']}")
        if operation.name == "list" and isinstance(item.get("id"), str):
            self._items[operation.resource] = item
            for other in self._waiting:
                if other.resource == operation.resource and other.name == "get":
                    self._ids.setdefault(other.ids[-1].name, item["id"])


def _first(answer: Any) -> dict[str, Any]:
    """The first object of an answer, in whatever envelope."""
    for _ in range(4):
        if isinstance(answer, list):
            answer = answer[0] if answer else {}  # pyright: ignore[reportUnknownVariableType]
        elif isinstance(answer, dict) and "data" in answer:
            answer = answer["data"]  # pyright: ignore[reportUnknownVariableType]
        else:
            break
    return answer if isinstance(answer, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def clock(headers: Any, now: datetime) -> Finding:
    """Whether this machine's clock and the server's agree."""
    text = headers.get("date", "")
    try:
        apart = (now - parsedate_to_datetime(text)).total_seconds()
    except (TypeError, ValueError):
        return Finding(None, "clock", "the server does not say what time it is")
    said = f"{abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} the server's"
    return Finding(abs(apart) <= _SKEW, "clock", said)
