"""Lists and exports go straight into data frames and into whatever reads Arrow streams."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pandas as pd  # type: ignore[import-untyped]
import polars as pl
import pyarrow as pa
import pytest

from adsecurity import AsyncNetworkClient, DownloadError, ExportTruncated, NetworkClient
from adsecurity.sandbox import Sandbox
from tests.exports.kit import Bench
from tests.tables.test_arrow import RANGE, Lists

MODES = pytest.mark.parametrize("mode", ["sync", "async"])
EXPORTED = b"tx_id,asn,revenue,request_time\na,1,0.5,2026-11-01 10:00:00\nb,,,\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=450, today="2026-11-08") as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def lists(request: pytest.FixtureRequest, sandbox: Sandbox) -> Lists:
    return Lists(request.param, sandbox)


@pytest.fixture(params=["sync", "async"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(request.param)
    made.store.content = EXPORTED
    yield made
    made.close()


@pytest.fixture
def job() -> Iterator[Any]:
    made = Bench("sync")
    made.store.content = EXPORTED
    yield made.done(total=2)
    made.close()


def test_a_list_is_a_pandas_frame_with_nullable_types(lists: Lists) -> None:
    table = lists("reports", "clicks", **RANGE, then=lambda rows: rows.to_arrow())
    frame = lists("reports", "clicks", **RANGE, then=lambda rows: rows.to_pandas())
    types = frame.dtypes
    assert (types["asn"], types["revenue"]) == (pd.Int64Dtype(), pd.Float64Dtype())
    assert isinstance(types["tx_id"], pd.StringDtype)
    assert types["request_time"].tz is not None
    assert frame["asn"].astype(object).tolist() == [pd.NA if n is None else n for n in table["asn"].to_pylist()]
    assert len(frame) == 450


def test_a_list_is_a_polars_frame(lists: Lists) -> None:
    table = lists("reports", "clicks", **RANGE, then=lambda rows: rows.to_arrow())
    frame = lists("reports", "clicks", **RANGE, then=lambda rows: rows.to_polars())
    assert frame.schema["revenue"] == pl.Float64
    assert frame["tx_id"].to_list() == table["tx_id"].to_pylist()


def test_an_export_is_a_frame_of_either_kind(bench: Bench) -> None:
    pandas, polars = bench.result(bench.done().to_pandas()), bench.result(bench.done().to_polars())
    assert (pandas["asn"].dtype, pandas["asn"].isna().tolist()) == (pd.Int64Dtype(), [False, True])
    assert polars["revenue"].to_list() == [0.5, None]
    bench.api.states[0]["results_meta"]["range_truncated"] = True
    job = bench.start()
    for method in (job.to_pandas, job.to_polars):
        with pytest.raises(ExportTruncated):
            bench.result(method())
        assert len(bench.result(method(allow_truncated=True))) == 2


class TestStreams:
    def test_of_a_list_are_read_by_those_who_read_arrow(self, sandbox: Sandbox) -> None:
        with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as client:
            clicks = client.reports.clicks(**RANGE)
            expected = [row.tx_id for row in clicks]
            assert pl.DataFrame(clicks)["tx_id"].to_list() == expected
            assert pa.table(clicks)["tx_id"].to_pylist() == expected
            assert duckdb.sql("select tx_id from clicks").fetchall() == [(tx_id,) for tx_id in expected]
            assert pa.RecordBatchReader.from_stream(clicks).schema == clicks.to_arrow().schema

    def test_of_a_list_are_read_as_they_come(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("adsecurity.tables.page_batches.BATCH_ROWS", 50)
        pages: list[int] = []
        with NetworkClient(
            api_key=sandbox.api_key, base_url=sandbox.network_url, on_page=lambda event: pages.append(event.number)
        ) as client:
            clicks = client.reports.clicks(**RANGE, page_size=50)
            reader = pa.RecordBatchReader.from_stream(clicks)
            assert pages == []
            first = reader.read_next_batch()
            assert len(pages) < 9
            rest = client.reports.clicks(**RANGE, page_size=50, resume=clicks.checkpoint()).to_arrow()
            assert first.num_rows + rest.num_rows == 450

    def test_of_an_export_are_read_by_those_who_read_arrow(self, job: Any) -> None:
        assert pl.DataFrame(job)["tx_id"].to_list() == ["a", "b"]
        assert pa.table(job)["asn"].to_pylist() == [1, None]
        assert duckdb.sql("select count(*) from job").fetchall() == [(2,)]

    @pytest.mark.parametrize("read", [0, 1])
    def test_of_an_export_leave_no_file(
        self, job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: int
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        reader = pa.RecordBatchReader.from_stream(job)
        assert list(tmp_path.iterdir())
        for _ in range(read):
            reader.read_next_batch()
        del reader
        assert list(tmp_path.iterdir()) == []

    def test_of_an_export_that_lacks_rows_say_so(self) -> None:
        bench = Bench("sync")
        bench.store.content = EXPORTED
        try:
            # Behind an Arrow stream an error is the reader's own, with the text of ours.
            with pytest.raises(pa.ArrowException, match="has 2 rows, the export reports 3"):
                pa.table(bench.done(total=3))
            with pytest.raises(DownloadError, match="has 2 rows, the export reports 3"):
                bench.done(total=3).to_arrow()
        finally:
            bench.close()

    def test_are_for_those_who_block(self) -> None:
        async def start() -> Any:
            async with AsyncNetworkClient(api_key="k", base_url="https://api.test") as client:
                return client.users.list()

        assert not hasattr(asyncio.run(start()), "__arrow_c_stream__")


@MODES
@pytest.mark.parametrize(
    ("missing", "method", "command"),
    [
        ("pandas", "to_pandas", "pip install pandas"),
        ("polars", "to_polars", "pip install polars"),
        ("pyarrow", "to_pandas", "pip install 'adsecurity[parquet]'"),
        ("pyarrow", "to_parquet", "pip install 'adsecurity[parquet]'"),
        ("pyarrow", "to_arrow", "pip install 'adsecurity[parquet]'"),
        ("msgspec", "to_arrow", "pip install 'adsecurity[parquet]'"),
        ("pyarrow", "__arrow_c_stream__", "pip install 'adsecurity[parquet]'"),
    ],
)
def test_what_is_missing_is_named_before_anything_is_sent(
    mode: str, missing: str, method: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(mode)
    job = bench.done()
    asked = len(bench.api.requests)
    for name in [name for name in sys.modules if name.startswith(("adsecurity.tables.", "adsecurity.exports.conv"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    transport = httpx.MockTransport(lambda _: pytest.fail("nothing is asked for what cannot be given"))
    made: Any = NetworkClient if mode == "sync" else AsyncNetworkClient
    users = made(api_key="k", base_url="https://api.test", transport=transport).users.list()
    arguments = ["x.parquet"] if method == "to_parquet" else []
    for owner in (users, job) if missing != "msgspec" else (users,):
        if mode == "async" and method == "__arrow_c_stream__":
            continue
        with pytest.raises(ModuleNotFoundError) as caught:
            bench.result(getattr(owner, method)(*arguments))
        assert str(caught.value) == f"{missing} is not installed; run: {command}"
    assert (len(bench.api.requests), bench.store.requests) == (asked, [])
    bench.close()
