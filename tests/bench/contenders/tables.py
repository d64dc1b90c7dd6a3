"""The click report as a Parquet file: by the package, by others, and by hand.

Each writes the rows of the range to a file and returns how many are in it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench import dataset
from tests.bench.contenders import KEY, ROUTE, Reader, query

_HEADERS = {"API-KEY": KEY}
_GROUP = 16_384


def _writes(write: Callable[[str, str, str], None]) -> Reader:
    """A reader out of what writes the rows of a range to a path."""

    def read(start: str, end: str) -> tuple[int, None]:
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "clicks.parquet")
            write(start, end, path)
            return sum(pq.read_metadata(found).num_rows for found in Path(folder).rglob("*.parquet")), None

    return read


def _ours(url: str, concurrency: int = 1, integration: str = "dirty") -> Reader:
    import adsecurity

    client = adsecurity.NetworkClient(api_key=KEY, base_url=url)

    def write(start: str, end: str, path: str) -> None:
        client.reports.clicks(
            integration_id=integration, start_time=start, end_time=end, concurrency=concurrency
        ).to_parquet(path)

    return _writes(write)


def ours(url: str) -> Reader:
    return _ours(url)


def ours_clean(url: str) -> Reader:
    return _ours(url, integration="clean")


def ours_16(url: str) -> Reader:
    return _ours(url, concurrency=16)


def ours_2_processes(url: str) -> Reader:
    """A folder of files, by two processes; the range is half-open, so it ends a second later."""
    import adsecurity

    client = adsecurity.NetworkClient(api_key=KEY, base_url=url)

    def write(start: str, end: str, path: str) -> None:
        after = dt.datetime.fromisoformat(end) + dt.timedelta(seconds=1)
        client.reports.clicks(integration_id="dirty", start_time=start, end_time=after, inclusive="left").to_parquet(
            path.removesuffix(".parquet"), processes=2
        )

    return _writes(write)


def _by_models() -> None:
    from adsecurity.paging.paginator import Paginator

    Paginator._decode_raw = lambda self, request, response: self._session.decode_page(request, response)  # type: ignore[method-assign]


def by_models(url: str) -> Reader:
    """The package, each row a model on its way to the file."""
    _by_models()
    return _ours(url)


def by_models_16(url: str) -> Reader:
    _by_models()
    return _ours(url, concurrency=16)


def _kinds() -> dict[str, Any]:
    kinds: dict[tuple[str, str], Any] = {
        ("string", "date"): dt.date,
        ("string", "date-time"): dt.datetime,
        ("integer", ""): int,
        ("number", ""): float,
        ("array", ""): list[str],
    }
    return {
        name: kinds.get((schema.get("type", ""), schema.get("format", "")), str)
        for name, schema in dataset.properties().items()
    }


def _arrow(kind: Any) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped]

    types = {dt.date: pa.date32(), dt.datetime: pa.timestamp("us", "UTC"), int: pa.int64(), float: pa.float64()}
    return pa.list_(pa.string()) if kind == list[str] else types.get(kind, pa.string())


class _ByHand:
    """Pages by msgspec into Structs, Structs into Arrow tables: what a good engineer writes for this one report."""

    def __init__(self) -> None:
        import msgspec
        import pyarrow as pa

        kinds = _kinds()
        columns = [
            (f"f{place}", kind | None, msgspec.field(name=name, default=None))
            for place, (name, kind) in enumerate(kinds.items())
        ]
        row = msgspec.defstruct("Row", columns, gc=False)
        info = msgspec.defstruct("Info", [("endCursor", str | None, None), ("hasNextPage", bool | None, None)])
        data = msgspec.defstruct("Data", [("data", list[row]), ("pageInfo", info)])  # type: ignore[valid-type]
        self._decode = msgspec.json.Decoder(msgspec.defstruct("Page", [("data", data)])).decode
        self._astuple = msgspec.structs.astuple
        self.schema = pa.schema([(name, _arrow(kind)) for name, kind in kinds.items()])

    def pages(self, client: Any, start: str, end: str) -> Iterator[list[Any]]:
        after = None
        while True:
            page = self._decode(client.get(ROUTE, params=query(start, end, after)).content).data
            yield page.data
            if not page.pageInfo.hasNextPage:
                return
            after = page.pageInfo.endCursor

    def table(self, rows: list[Any]) -> Any:
        import pyarrow as pa

        columns = zip(*map(self._astuple, rows), strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self.schema, strict=True)]
        return pa.table(arrays, schema=self.schema)


def hand_msgspec(url: str) -> Reader:
    """httpx + msgspec + pyarrow."""
    import httpx
    import pyarrow.parquet as pq

    hand, client = _ByHand(), httpx.Client(base_url=url, headers=_HEADERS)

    def write(start: str, end: str, path: str) -> None:
        with pq.ParquetWriter(path, hand.schema) as writer:
            rows: list[Any] = []
            for page in hand.pages(client, start, end):
                rows += page
                if len(rows) >= _GROUP:
                    writer.write_table(hand.table(rows))
                    rows = []
            if rows:
                writer.write_table(hand.table(rows))

    return _writes(write)


def hand_pool_16(url: str) -> Reader:
    """The same, 16 threads with a client each, over windows of 400 rows that it is told."""
    import httpx
    import pyarrow.parquet as pq

    hand = _ByHand()

    def window(first: int, last: int) -> Any:
        import threading

        local = clients.setdefault(threading.get_ident(), None)
        if local is None:
            local = clients[threading.get_ident()] = httpx.Client(base_url=url, headers=_HEADERS, verify=context)
        start, end = (dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S") for at in (first, last))
        return hand.table([row for page in hand.pages(local, start, end) for row in page])

    clients: dict[int, Any] = {}
    context = httpx.create_ssl_context()

    def write(start: str, end: str, path: str) -> None:
        import pyarrow as pa

        first, last = (at // dataset.RATE for at in dataset.numbers(start, end))
        size = 400 // dataset.RATE
        tops = range(last, first - 1, -size)
        with ThreadPoolExecutor(16) as pool, pq.ParquetWriter(path, hand.schema) as writer:
            tables: list[Any] = []
            for table in pool.map(lambda top: window(max(first, top - size + 1), top), tops):
                tables.append(table)
                if sum(one.num_rows for one in tables) >= _GROUP:
                    writer.write_table(pa.concat_tables(tables))
                    tables = []
            if tables:
                writer.write_table(pa.concat_tables(tables))

    return _writes(write)


def hand_pandas(url: str) -> Reader:
    """httpx + json + pandas."""
    import httpx
    import pandas as pd  # type: ignore[import-untyped]

    client = httpx.Client(base_url=url, headers=_HEADERS)

    def write(start: str, end: str, path: str) -> None:
        frames: list[Any] = []
        after = None
        while True:
            page = json.loads(client.get(ROUTE, params=query(start, end, after)).content)["data"]
            frames.append(pd.DataFrame(page["data"]))
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        pd.concat(frames).to_parquet(path)

    return _writes(write)
