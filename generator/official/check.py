"""`python -m generator.official.check BASE_URL --surface NAME`: ask the real server about our routes; writes nothing.

Only GET is sent, to every list and read operation whose ids are known: from `--ids`, or from what lists before it have
answered. The key comes from the surface's environment variable and goes to that address alone. Exit code 0: all that
were asked work; 3: some do not; 2: nothing could be asked.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import quote, urlsplit

import httpx

from ..spec.source import SPECS
from .document import Document, load
from .naming import shape
from .operations import Operation, is_placeholder, parameters
from .references import DocumentError, Json, as_list, as_map

WORKS = "works"
_LISTS = ("pages", "cursor", "report-numbered", "rows")
_FIELDS = {"integrationID": ("integration", "integration_id"), "organizationID": ("organization", "organization_id")}
"""Ids that stand in other objects: the parameter, and what the fields are called."""
_WAIT = 60.0


@dataclass(frozen=True)
class Verdict:
    operation: Operation
    said: str

    @property
    def works(self) -> bool:
        return self.said == WORKS


@dataclass
class Ids:
    """What is known to put into paths and parameters."""

    given: dict[str, str]
    listed: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])
    """The first item of each collection, by the collection's path."""

    def path(self, path: str) -> tuple[str, str]:
        """The path with ids in it, and the name of the first that is not known."""
        parts = path.split("/")
        for index, part in enumerate(parts):
            if is_placeholder(part):
                name = part[1:-1]
                known = self.given.get(name) or self.listed.get(shape("/".join(path.split("/")[:index])))
                if known is None:
                    return "", name
                parts[index] = quote(known, safe="")
        return "/".join(parts), ""

    def learn(self, path: str, items: Sequence[Json]) -> None:
        for item in items:
            if isinstance(item.get("id"), str | int):
                self.listed.setdefault(shape(path), str(item["id"]))
            for name, fields in _FIELDS.items():
                for one in fields:
                    if isinstance(item.get(one), str) and item[one]:
                        self.given.setdefault(name, str(item[one]))


class Check:
    def __init__(self, document: Document, client: httpx.Client, ids: Mapping[str, str]) -> None:
        self._document = document
        self._client = client
        self._ids = Ids(dict(ids))
        self.unasked: list[tuple[Operation, str]] = []

    def run(self) -> list[Verdict]:
        waiting = [
            one
            for one in self._document.operations
            if one.method == "get" and one.node.get("x-kind") in (*_LISTS, "one")
        ]
        found: list[Verdict] = []
        while True:
            missing: list[tuple[Operation, str]] = []
            for one in waiting:
                path, unknown = self._ids.path(one.path)
                query, more = self._query(one)
                if unknown or more:
                    missing.append((one, unknown or more))
                else:
                    found.append(Verdict(one, self._ask(one, path, query)))
            if len(missing) == len(waiting):
                self.unasked = missing
                return found
            waiting = [one for one, _ in missing]

    def _query(self, operation: Operation) -> tuple[dict[str, str], str]:
        """What has to be given, and the first of it that is not known."""
        query: dict[str, str] = {}
        now = dt.datetime.now(dt.UTC)
        for one in parameters(self._document, operation):
            name, unit = str(one.get("name")), as_map(one.get("x-time"))
            role = str(one.get("x-paging") or name)
            if one.get("in") != "query" or not (one.get("required") or role == "page[size]"):
                continue
            if role in ("page[size]", "page[number]"):
                query[name] = "1" if role == "page[number]" else "10"
            elif unit:
                moment = now - dt.timedelta(days=7) if unit.get("edge") == "start" else now
                query[name] = moment.strftime("%Y-%m-%d" if unit.get("unit") == "day" else "%Y-%m-%d %H:%M:%S")
            else:
                wanted = next((key for key, fields in _FIELDS.items() if name in (key, *fields)), name)
                if wanted not in self._ids.given:
                    return {}, wanted
                query[name] = self._ids.given[wanted]
        return query, ""

    def _ask(self, operation: Operation, path: str, query: Mapping[str, str]) -> str:
        try:
            response = self._client.get(path, params=query)
            if response.status_code == 429:
                time.sleep(min(float(response.headers.get("retry-after") or 1), _WAIT))
                response = self._client.get(path, params=query)
        except (httpx.HTTPError, ValueError) as error:
            return f"no answer ({type(error).__name__})"
        if response.status_code == 401:
            raise DocumentError("401: the server does not take this key")
        if not response.is_success:
            return str(response.status_code)
        try:
            body: object = response.json()
        except ValueError:
            return "wrong shape: no JSON"
        return self._shape(operation, body)

    def _shape(self, operation: Operation, body: object) -> str:
        data: object = as_map(body).get("data", body)
        if operation.node.get("x-kind") == "one":
            return self._known(operation, as_map(data)) if as_map(data) else "wrong shape: no object"
        # Go writes null for an empty list. An object that holds no list is one item: this route is not a list's.
        rows: object = as_map(data).get("data", data) if as_map(data) else data
        if (rows is None and "data" not in as_map(body)) or not (rows is None or isinstance(rows, list)):
            return "wrong shape: no list"
        items = [as_map(one) for one in as_list(cast("object", rows))]
        self._ids.learn(operation.path, items)
        return self._known(operation, items[0]) if items else WORKS

    @staticmethod
    def _known(operation: Operation, item: Json) -> str:
        """At least half of what came has to be what we know: another object has other fields."""
        known = {place.rpartition(".")[2] for place in operation.response}
        strange = [name for name in item if name not in known]
        return WORKS if item and 2 * len(strange) <= len(item) else f"wrong shape: {', '.join(strange[:5]) or 'empty'}"


def _ids(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if not all(equals and value.strip() for _, equals, value in pairs):
        raise DocumentError('IDS: write "integrationID=…; organizationID=…"')
    return {name.strip(): value.strip() for name, _, value in pairs}


def _address(text: str) -> str:
    parts = urlsplit(text)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not local):
        raise DocumentError(f"BASE_URL: {text!r} is no https address; with http the key would travel unencrypted")
    return text.rstrip("/")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Ask the real server about each list and read route of ours.")
    parser.add_argument("base_url", help="the API's address, without the path that the routes begin with")
    parser.add_argument("--surface", choices=("network", "adsecurity"), required=True)
    parser.add_argument("--specs", type=Path, default=SPECS, help="folder of our specs")
    parser.add_argument(
        "--ids", default="", metavar="IDS", help='"integrationID=…; organizationID=…", as routes name them'
    )
    arguments = parser.parse_args(argv)
    try:
        document = load(arguments.specs / f"{arguments.surface}.yaml")
        variable = f"{document.root.get('x-env-prefix')}_API_KEY"
        key = os.environ.get(variable, "").strip()
        if not key:
            raise DocumentError(f"a key is needed: set {variable}")
        headers = {"API-KEY": key, "Accept": "application/json"}
        headers |= {str(name): str(value) for name, value in as_map(document.root.get("x-default-headers")).items()}
        with httpx.Client(base_url=_address(arguments.base_url), headers=headers, timeout=30.0) as client:
            check = Check(document, client, _ids(arguments.ids))
            verdicts = check.run()
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 2
    for one in verdicts:
        print(f"{one.said:<12}  {one.operation.name:<40}  {one.operation.route}")
    for operation, missing in check.unasked:
        print(f"{'not asked':<12}  {operation.name:<40}  {operation.route}: nothing tells {missing} (IDS=)")
    failed = [one for one in verdicts if not one.works]
    told = f"{len(verdicts) - len(failed)} of {len(verdicts)} work, {len(check.unasked)} could not be asked"
    print(told)
    if not verdicts:
        return 2
    return 3 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
