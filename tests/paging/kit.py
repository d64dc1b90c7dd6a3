"""A list server in memory, operations of every kind of paging, and one way to use both clients in a test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import httpx

from adsecurity.client.base import AsyncClient, SyncClient
from adsecurity.http.retry import RetryPolicy
from adsecurity_generated._model import Field, Model
from adsecurity_generated._operation import Operation, Param, Range, Surface
from tests.support.routes import in_our_names

KEY = "planted-key-0123456789"
PAGED = ("pages", "cursor", "report-pages", "report-numbered")
ONCE = RetryPolicy(attempts=1)


@attrs.define(init=False, eq=False, repr=False, getstate_setstate=False)
class Row(Model):
    FIELDS: ClassVar[tuple[Field, ...]] = (
        Field("real_tx_id", "real_tx_id", "string"),
        Field("value", "value", "string"),
    )
    real_tx_id: str | None = None
    value: str | None = None

    @property
    def id(self) -> str | None:
        """What tells rows of a list without a time range apart."""
        return self.real_tx_id

    def _read(self, data: Mapping[str, Any]) -> None:
        self._assign((data["real_tx_id"], data["value"]))

    def _assign(self, values: Sequence[Any]) -> None:
        self.real_tx_id, self.value = values


SURFACE = Surface(
    name="network",
    client_name="Network",
    env_prefix="ADSECURITY_NETWORK",
    default_base_url="https://api.example.test",
    likely_base_url="https://api.example.test",
    default_headers={},
    routes={},
    export_status="",
    export_signed_url="",
    secrets=frozenset(),
    package="nowhere",
)


class Sync(SyncClient):
    _surface = SURFACE


class Async(AsyncClient):
    _surface = SURFACE


def operation(kind: str) -> Operation[Row]:
    is_report = kind not in ("pages", "rows")
    return Operation(
        id=f"list{kind.title()}",
        surface="network",
        method="POST" if kind == "report-pages" else "GET",
        path="/api/v2/things/{orgID}",
        kind=kind,
        evidence="inferred",
        resource="things.list",
        params=(
            Param("orgID", "org_id", "path", ("string",), required=True),
            Param("role", "role", "query", ("string",)),
        ),
        model=Row,
        safe=True,
        range=Range("start", "end", "second", "time", "real_tx_id") if is_report else None,
        has_body=kind == "report-pages",
    )


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [{"real_tx_id": f"tx-{n}", "value": str(n)} for n in range(start, start + count)]


class Server:
    """Serves a list by one kind of paging. `before` is called with the number of each request, from 1."""

    def __init__(self, kind: str, data: list[dict[str, Any]]) -> None:
        self.kind = kind
        self.data = data
        self.requests: list[httpx.Request] = []
        self.before: Callable[[int], object] = lambda number: None
        self.change: Callable[[dict[str, Any]], object] = lambda body: None
        """Changes an answer before it is sent."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        early = self.before(len(self.requests))
        if isinstance(early, httpx.Response):
            return early
        query = in_our_names(request.url.params.items())
        body = getattr(self, "_" + self.kind.replace("-", "_"))(query, request)
        self.change(body)
        return httpx.Response(200, json=body)

    def _cut(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        number, size = int(query["page[number]"]), min(100, int(query["page[size]"]))
        assert number >= 1
        return self.data[(number - 1) * size : number * size]

    def _pages(self, query: Mapping[str, str], request: httpx.Request) -> dict[str, Any]:
        size = min(100, int(query["page[size]"]))
        meta = {"total_count": len(self.data), "total_page": -(-len(self.data) // size)}
        return {"data": self._cut(query) or None, "meta": meta}

    def _report_numbered(self, query: Mapping[str, str], request: httpx.Request) -> dict[str, Any]:
        return {"data": {"data": self._cut(query)}}

    def _report_pages(self, query: Mapping[str, str], request: httpx.Request) -> dict[str, Any]:
        body = json.loads(request.content)
        assert str(body["page_number"]) == query["page[number]"]
        found = self._cut({"page[number]": body["page_number"], "page[size]": body["page_size"]})
        return {"data": {"count": 0, "data": found, "pageInfo": {"hasNextPage": False}}}

    def _rows(self, query: Mapping[str, str], request: httpx.Request) -> dict[str, Any]:
        assert not [name for name in query if name.startswith("page")]
        return {"data": {"data": self.data}}

    def _cursor(self, query: Mapping[str, str], request: httpx.Request) -> dict[str, Any]:
        size = min(100, int(query["page[size]"]))
        keys = [row["real_tx_id"] for row in self.data]
        first, last = 0, len(self.data)
        if "page[after]" in query:
            first = keys.index(query["page[after]"]) + 1
        if "page[before]" in query:
            last = keys.index(query["page[before]"])
            first = max(0, last - size)
        found = self.data[first : min(first + size, last)]
        info = {
            "startCursor": found[0]["real_tx_id"] if found else "",
            "endCursor": found[-1]["real_tx_id"] if found else "",
            "hasNextPage": first + len(found) < len(self.data),
            "hasPreviousPage": first > 0,
        }
        return {"data": {"count": len(found), "data": found, "pageInfo": info}}

    def parameter(self, name: str) -> list[str | None]:
        """The values that one query parameter had in the requests so far."""
        return [request.url.params.get(name) for request in self.requests]


class Use:
    """Uses either client as if it blocked, so that one test is about both."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._runner = asyncio.Runner() if mode == "async" else None
        self._clients: list[Any] = []

    def client(self, handler: Callable[[httpx.Request], httpx.Response], **options: Any) -> Any:
        if self._runner is None:
            client: Any = Sync(api_key=KEY, transport=httpx.MockTransport(handler), **options)
        else:

            async def answer(request: httpx.Request) -> httpx.Response:
                # As a network would: others run meanwhile.
                await asyncio.sleep(0)
                return handler(request)

            client = Async(api_key=KEY, transport=httpx.MockTransport(answer), **options)
        self._clients.append(client)
        return client

    def listing(
        self, server: Server, *, client: Any = None, args: Any = None, raw: bool = False, **options: Any
    ) -> Any:
        api = (client or self.client(server, retry=ONCE))._api
        list_it = api.raw.paginate if raw else api.paginate
        return list_it(operation(server.kind), {"org_id": "o/1", **(args or {})}, **options)

    def result(self, value: Any) -> Any:
        """The value, awaited if it needs to be."""
        return self._runner.run(_awaited(value)) if self._runner and hasattr(value, "__await__") else value

    def iterator(self, iterable: Any) -> Any:
        return aiter(iterable) if self._runner else iter(iterable)

    def next(self, iterator: Any) -> Any:
        """The next item; StopIteration at the end."""
        if self._runner is None:
            return next(iterator)
        try:
            return self._runner.run(_awaited(iterator.__anext__()))
        except StopAsyncIteration:
            raise StopIteration from None

    def each(self, iterable: Any) -> Iterator[Any]:
        iterator = self.iterator(iterable)
        while True:
            try:
                yield self.next(iterator)
            except StopIteration:
                return

    def close_iterator(self, iterator: Any) -> None:
        self.result(iterator.aclose() if self._runner else iterator.close())

    def close(self) -> None:
        while self._clients:
            self.result(self._clients.pop().close())
        if self._runner is not None:
            self._runner.close()


async def _awaited(value: Any) -> Any:
    return await value


def values(items: Any) -> list[int]:
    return [int(item.value) for item in items]
