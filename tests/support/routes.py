"""Where our operations are by the specs as they stand: tests name an operation, or the route that its text suggests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

import httpx

from tests.support.our_specs import ROOT, SURFACES, read_trees

TABLE: list[dict[str, str]] = json.loads((ROOT / "tests/specs/facts/operations.json").read_text(encoding="utf-8"))
Json = dict[str, Any]


@cache
def routes(surface: str) -> dict[str, tuple[str, str]]:
    """Method and path by operationId."""
    return {
        operation["operationId"]: (method.upper(), path)
        for path, item in read_trees()[surface]["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }


@cache
def paging_names(surface: str) -> list[tuple[str, str]]:
    """Our name and theirs of each paging parameter that is called otherwise."""
    tree = read_trees()[surface]
    operations = [one for item in tree["paths"].values() for one in item.values() if isinstance(one, dict)]
    parameters = [*tree["components"]["parameters"].values()]
    parameters += [one for operation in operations for one in operation.get("parameters", ())]
    return sorted({(one["x-paging"], one["name"]) for one in parameters if "x-paging" in one})


@cache
def _roles() -> dict[str, str]:
    return {wire: role for surface in SURFACES for role, wire in paging_names(surface)}


@cache
def before_adoption(surface: str) -> Json:
    """A spec as an adoption finds it, also where there was one already: the table's operations, routes and evidence."""
    tree = read_trees()[surface]
    if '"official"' not in json.dumps(tree):
        return tree
    table = {one["id"]: one for one in TABLE if one["surface"] == surface}
    paths: Json = {}
    for name, node in ((name, entry(tree, name)[2]) for name in routes(surface) if name in table):
        there = {"x-evidence": table[name]["evidence"]}
        paths.setdefault(table[name]["path"], {})[table[name]["method"].lower()] = node | there
    shared = tree["components"]["parameters"].values()
    own = [one for item in paths.values() for node in item.values() for one in node.get("parameters", ())]
    for one in [*shared, *own]:
        if "x-paging" in one:
            one["name"] = one.pop("x-paging")
        if one.get("x-evidence") == "official":
            one["x-evidence"] = "prose"
    return {**tree, "paths": paths}


def in_our_names(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A query whose paging parameters have our names, whichever the specs give them."""
    ours = _roles()
    return {ours.get(name, name): value for name, value in query}


def written_now(text: str, surface: str = "network") -> str:
    """An example that names routes and paging parameters, as the specs have them now."""
    for role, wire in paging_names(surface):
        text = text.replace(f'"{role}"', f'"{wire}"')
    return re.sub(r'"(/api/v2/[^"]*)"', lambda found: f'"{current(surface, "GET", found[1])[1]}"', text)


def typed_now(words: Sequence[str]) -> list[str]:
    """A line of the guide that names a route by hand (`adsecurity request …`), as the specs have it now."""
    if list(words[:2]) != ["adsecurity", "request"]:
        return list(words)
    surface = words[words.index("--surface") + 1]
    parts = [word.partition("=") for word in words[4:]]
    query = [f"{wire_name(surface, name)}{equals}{value}" for name, equals, value in parts]
    return [*words[:2], *current(surface, *words[2:4]), *query]


def host(surface: str) -> str:
    """The address of the API as its spec names it."""
    return str(read_trees()[surface]["servers"][0]["url"])


def wire_name(surface: str, parameter: str) -> str:
    """What a paging parameter of ours is called on the wire."""
    return dict(paging_names(surface)).get(parameter, parameter)


def path_of(surface: str, operation: str, *ids: str) -> str:
    """The path of an operation with these ids in it."""
    left = iter(ids)
    return re.sub(r"{[^}]*}", lambda _: next(left), routes(surface)[operation][1])


def entry(document: Json, operation: str) -> tuple[str, str, Json]:
    """Path, method and node of an operation in a spec."""
    for path, item in document["paths"].items():
        for method, node in item.items():
            if isinstance(node, dict) and node.get("operationId") == operation:
                return path, method, node
    raise LookupError(operation)


def current(surface: str, method: str, path: str) -> tuple[str, str]:
    """Where a request goes now that is written by the table's route; what the table does not know goes as it is."""
    for one in TABLE:
        found = re.fullmatch(re.sub(r"{([^}]*)}", r"(?P<\1>[^/]+)", one["path"]), path)
        if one["surface"] == surface and one["method"] == method and found:
            known, template = routes(surface)[one["id"]]
            return known, template.format_map(found.groupdict())
    return method, path


@lru_cache(4096)
def by_table(surface: str, method: str, path: str) -> tuple[str, str]:
    """The table's route of a request that goes by the specs; what the specs do not know stays as it is."""
    for one in TABLE:
        if one["surface"] != surface:
            continue
        known, template = routes(surface)[one["id"]]
        found = re.fullmatch(re.sub(r"{([^}]*)}", r"(?P<\1>[^/]+)", template), path)
        if found and known == method:
            return one["method"], one["path"].format_map(found.groupdict())
    return method, path


class Rerouted(httpx.BaseTransport):
    """Sends what is written by the table's routes to where the specs have those operations."""

    def __init__(self, surface: str) -> None:
        self._surface = surface
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode().partition("?")
        method, path = current(self._surface, request.method, path)
        for role, wire in paging_names(self._surface):
            query = re.sub(rf"(^|&){re.escape(quote(role))}=", rf"\1{quote(wire)}=", query)
        request.method = method
        request.url = request.url.copy_with(raw_path=(f"{path}?{query}" if query else path).encode())
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()
