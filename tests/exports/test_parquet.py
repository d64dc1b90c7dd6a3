"""Parquet files: whole or not there, typed by the spec, and the same rows as `rows()` gives."""

from __future__ import annotations

import asyncio
import csv
import gc
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity import DownloadError, ExportTruncated, ServerError
from adsecurity.exports import conversion as converter
from adsecurity.exports.conversion import write_parquet
from adsecurity.sandbox import Sandbox
from adsecurity.tables import csv_batches
from adsecurity.tables.arrow import Columns
from adsecurity.tables.csv import CsvFormat, CsvRows, TextRow
from adsecurity.tables.page_batches import PageConverter
from adsecurity.tables.parquet import ParquetFile
from adsecurity.types.network import ClickReportRow
from tests.exports.kit import Bench, csv_file
from tests.support.fork import in_child
from tests.tables.test_arrow import RANGE, Lists

KINDS = {field.wire: field.kind for field in ClickReportRow.FIELDS}


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
    made.store.content = csv_file(5000)
    yield made
    made.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def appears(folder: Path, name: str) -> None:
    """Wait for a file that is being written."""
    while not any(found.startswith(name) for found in names(folder)):  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def ends(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class TestLists:
    @pytest.mark.parametrize("options", [{}, {"concurrency": 3}], ids=str)
    def test_a_file_has_the_rows_of_the_list(
        self, lists: Lists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
    ) -> None:
        monkeypatch.setattr("adsecurity.tables.page_batches.BATCH_ROWS", 100)
        monkeypatch.setattr("adsecurity.tables.parquet.GROUP_BYTES", 100_000)
        whole = lists("reports", "clicks", **RANGE, then=lambda rows: rows.to_arrow())
        path = lists("reports", "clicks", **RANGE, **options, then=lambda rows: rows.to_parquet(tmp_path / "clicks"))
        assert path == tmp_path / "clicks"
        file = pq.ParquetFile(path)
        assert file.read().equals(whole.combine_chunks())
        groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        assert len(groups) > 1
        assert max(groups) < 400
        assert names(tmp_path) == ["clicks"]

    def test_duckdb_reads_nested_columns_back(self, lists: Lists, tmp_path: Path) -> None:
        offers = lists("offers", "list", "integration-1", then=lambda rows: rows.to_list())
        path = lists("offers", "list", "integration-1", then=lambda rows: rows.to_parquet(f"{tmp_path}/offers.parquet"))
        with duckdb.connect() as db:
            found = db.sql(f"SELECT id, default_payout.payout, _extra FROM '{path}' ORDER BY 1").fetchall()
        amounts = [(offer.id, offer.default_payout.payout, None) for offer in offers]
        assert found == sorted(amounts)

    def test_an_empty_list_is_a_file_with_all_columns(self, lists: Lists, tmp_path: Path) -> None:
        gone = {**RANGE, "start_time": "2020-01-01", "end_time": "2020-01-02"}
        path = lists("reports", "clicks", **gone, then=lambda rows: rows.to_parquet(tmp_path / "none"))
        assert pq.read_metadata(path).num_rows == 0
        assert pq.read_schema(path) == Columns(ClickReportRow).schema

    def test_an_error_leaves_the_old_file_and_no_other(self, lists: Lists, tmp_path: Path) -> None:
        path = tmp_path / "clicks"
        path.write_bytes(b"old")
        with pytest.raises(ServerError) as caught:
            lists("reports", "clicks", **RANGE, prefetch=0, pages=2, then=lambda rows: rows.to_parquet(path))
        assert (names(tmp_path), path.read_bytes()) == (["clicks"], b"old")
        resume = caught.value.checkpoint
        lists("reports", "clicks", **RANGE, resume=resume, then=lambda rows: rows.to_parquet(path))
        assert pq.read_metadata(path).num_rows == 450

    @pytest.mark.parametrize("path", ["", "no/such/folder/clicks"])
    def test_a_place_that_cannot_be_written_is_an_error_before_anything_is_asked(
        self, lists: Lists, tmp_path: Path, path: str
    ) -> None:
        before = len(lists.sandbox.requests)
        with pytest.raises(DownloadError, match="cannot write") as caught:
            lists("users", "list", then=lambda rows: rows.to_parquet(tmp_path / path))
        assert len(lists.sandbox.requests) == before
        assert (caught.value.path, caught.value.checkpoint is None) == (str(tmp_path / path), False)

    def test_until_it_is_whole_there_is_no_file(
        self, lists: Lists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, seen = tmp_path / "users", []
        replace = os.replace
        monkeypatch.setattr(os, "replace", lambda *args: (seen.append(names(tmp_path)), replace(*args)))
        lists("users", "list", then=lambda rows: rows.to_parquet(path))
        ((part,),) = seen
        assert part == ".users.table.part"

    def test_cancelling_leaves_nothing(self, sandbox: Sandbox, tmp_path: Path) -> None:
        async def cancelled(rows: Any) -> None:
            task = asyncio.ensure_future(rows.to_parquet(tmp_path / "clicks"))
            await appears(tmp_path, ".clicks.table")
            await ends(task)

        Lists("async", sandbox)("reports", "clicks", **RANGE, page_size=5, then=cancelled)
        assert names(tmp_path) == []

    def test_the_loop_is_not_blocked_by_the_work(
        self, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        threads = set()
        for owner, name in ((PageConverter, "convert"), (ParquetFile, "write"), (ParquetFile, "finish")):
            method = getattr(owner, name)

            def noted(self: Any, *args: Any, method: Any = method) -> Any:
                threads.add(threading.current_thread())
                return method(self, *args)

            monkeypatch.setattr(owner, name, noted)
        Lists("async", sandbox)("users", "list", then=lambda rows: rows.to_parquet(tmp_path / "users"))
        assert threads
        assert threading.main_thread() not in threads


def written(tmp: Path, data: bytes, zone: str | None = "UTC", by: str = ",", model: Any = ClickReportRow) -> Any:
    """The Parquet file of a CSV file, read back."""
    source, target = tmp / "x.csv", tmp / "x.parquet"
    source.write_bytes(data)
    write_parquet(source, target, CsvFormat.of(model, by, zone, DownloadError), unchecked)
    return pq.ParquetFile(target).read()


def unchecked(count: int) -> None:
    """For files of which nobody has said how many rows they have."""


def rows(data: bytes, zone: str | None = "UTC", by: str = ",") -> list[Any]:
    reader: CsvRows[Any] = CsvRows(ClickReportRow, by, zone, DownloadError)
    return [*reader.feed(data), *reader.end()]


USUAL: dict[str, list[str]] = {
    "string": ["", "a", "007", " x ", "a\nb", 'q"q', "a,b", "NULL", "\\N", "ü"],
    "number": ["", "1", "-1.5", "0.1", "1e5", "1E-3", "12345678901234567890.5"],
    "integer": ["", "0", "12", "-5", "999999999999999999"],
    "date": ["", "2026-11-01", "0001-01-01", "0000-00-00"],
    "date-time": [
        "",
        "2026-11-01 10:20:30",
        "2026-11-01T10:20:30.5",
        "2026-10-25 02:30:00",
        "2026-03-29 02:30:00",
        "0001-01-01 00:00:00",
        "0000-00-00 00:00:00",
    ],
    "array": ["", "[]", '["a"]', '["a", "b"]', '["a","b\\"c"]'],
}
UNUSUAL: dict[str, list[str]] = {
    "string": ["\r", "\0", "#"],
    "number": ["nan", "inf", "1_0", " 1", "+1", "007", ".5", "1e400", "1e-400", "x"],
    "integer": ["12.0", "1e3", "12.5", "9223372036854775808", "007", " 1", "0x1F", "true", "1_0"],
    "date": ["2026-02-30", "2026-1-1", "20261101", "2026-11-01 23:00:00", "epoch", "infinity", "x"],
    "date-time": [
        "2026-11-01T10:20:30.5Z",
        "2026-11-01 10:20:30-05:30",
        "2026-11-01",
        "2026-11-01 10:20:30 UTC",
        "2026-11-01T10:20:30.123456789Z",
        "epoch",
        "infinity",
        "x",
    ],
    "array": ["[1]", '["a",null]', "null", "a;b", "['a']", '["\\ud800"]', "[NaN]", '{"a":1}'],
}
COLUMNS = ["tx_id", "revenue", "asn", "request_date", "request_time", "extra_params.keys", "zz"]


NAMES = ["tx_id ", " asn", "\ttx_id", "", "A", "a", 'q"q', "a\nb", "a\rb", "_extra", "zz"]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Files as servers write them, with up to one oddity in their cells and one in their form. Cells end in `;`."""
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4, unique=True))
    kinds = [KINDS.get(name, "string") for name in columns]
    cells = [st.sampled_from(USUAL[kind]) for kind in kinds]
    table = draw(st.lists(st.tuples(*cells).map(list), max_size=4))
    form = draw(st.sampled_from(["", "", *FORMS]))
    if table and draw(st.booleans()):
        place = draw(st.integers(0, len(kinds) - 1))
        table[draw(st.integers(0, len(table) - 1))][place] = draw(st.sampled_from(UNUSUAL[kinds[place]]))
    if form == "names":
        columns[0] = draw(st.sampled_from(NAMES))
    if form == "ragged" and table:
        row = draw(st.integers(0, len(table) - 1))
        table[row] = draw(st.sampled_from([table[row][:-1], [*table[row], "more"], [*table[row], "", ""]]))
    text = io.StringIO()
    end = draw(st.sampled_from(["\n", "\r\n"])) if form != "lone carriage returns" else "\r"
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    csv.writer(text, delimiter=";", lineterminator=end, quoting=quoting).writerows([columns, *table])
    data = text.getvalue().encode()
    lines = data.splitlines(keepends=True)
    place = draw(st.integers(0, len(lines)))
    match form:
        case "byte order mark":
            return b"\xef\xbb\xbf" + data
        case "no end" | "half an end":
            return data.rstrip(b"\r\n") + (b"\r" if form == "half an end" else b"")
        case "inserted":
            odd = draw(
                st.sampled_from(
                    [b"\n", b"\r", b"\r\n", b"\r\r\n", b" \n", b'"', b'a"b', b'"a"b;', b'""', b"\xff", b"\0"]
                )
            )
            return b"".join([*lines[:place], odd, *lines[place:]])
        case "cut off":
            return data[: draw(st.integers(0, len(data)))]
        case "long":
            return b"".join([*lines[:place], b"x" * draw(st.sampled_from([131_072, 131_073])), *lines[place:]])
    return data


FORMS = ["names", "ragged", "lone carriage returns", "byte order mark", "no end", "half an end", "inserted", "cut off"]
FORMS += ["long"]
INSERTED = [b"\n", b"\r", b"\r\n", b"\r\r\n", b" \n", b'"', b'a"b', b'"a"b;', b'""', b"\xff", b"\0"]


def cell(row: Any, name: str, array: pa.DataType) -> Any:
    """What a column holds of a row, and what of it is in `_extra`."""
    value = row.additional_properties.get(name) if name not in ATTRS else getattr(row, ATTRS[name])
    try:
        pa.scalar(value, array)
    except (OverflowError, TypeError, ValueError):
        # What Arrow cannot hold is where what does not fit is.
        return None, value
    return value, None


ATTRS = {field.wire: field.attr for field in ClickReportRow.FIELDS}


def told(data: bytes, zone: str | None, by: str, schema: pa.Schema) -> list[dict[str, Any]]:
    """The cells that a file has by the rows that rows() gives."""
    found: list[dict[str, Any]] = []
    for row in rows(data, zone, by):
        cells = {name: cell(row, name, schema.field(name).type) for name in schema.names[:-1]}
        extra = {name: value for name, value in row.additional_properties.items() if name not in cells}
        extra |= {
            name: row.additional_properties[name]
            for name in cells
            if name in ATTRS and name in row.additional_properties
        }
        extra |= {name: value for name, (_, value) in cells.items() if value is not None}
        # Times whose zone is not known stay text as they came.
        texts = {name for name in cells if schema.field(name).type == pa.string() and KINDS.get(name) == "date-time"}
        columns = {name: row.to_dict().get(name) if name in texts else value for name, (value, _) in cells.items()}
        extra = {name: value for name, value in extra.items() if name not in texts}
        found.append({**columns, "_extra": extra or None})
    return found


def outcome(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except DownloadError as error:
        return str(error)


@settings(max_examples=300)
@given(data=files(), zone=st.sampled_from(["UTC", "Europe/Berlin", None]), by=st.sampled_from([",", ";", "\t", "·"]))
def test_parquet_and_rows_never_differ(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, zone: str | None, by: str
) -> None:
    data = data.replace(b";", by.encode())
    tmp = tmp_path_factory.getbasetemp()
    found = outcome(lambda: written(tmp, data, zone, by))
    if isinstance(found, str):
        assert outcome(lambda: rows(data, zone, by)) == found
        return
    expected = told(data, zone, by, found.schema)
    for name in found.column_names:
        values = [row[name] for row in expected]
        if name == "_extra":
            assert [text and json.loads(text) for text in found[name].to_pylist()] == values
        else:
            # As text, which tells -0.0 from 0.0 and takes NaN for NaN.
            assert repr(found[name].to_pylist()) == repr(pa.array(values, found.schema.field(name).type).to_pylist())
    assert found.num_rows == len(expected)


@settings(max_examples=100)
@given(data=files(), size=st.integers(1, 40))
def test_rows_are_the_same_however_a_file_is_cut_into_blocks(data: bytes, size: int) -> None:
    reader: CsvRows[Any] = CsvRows(ClickReportRow, ";", "UTC", DownloadError)

    def cut() -> list[Any]:
        blocks = [data[at : at + size] for at in range(0, len(data), size)]
        return [*chain.from_iterable(map(reader.feed, blocks)), *reader.end()]

    assert repr(outcome(cut)) == repr(outcome(lambda: rows(data, "UTC", ";")))


class TestColumns:
    def test_are_typed_by_the_row_model_and_text_otherwise(self, tmp_path: Path) -> None:
        data = b"tx_id,revenue,asn,request_date,request_time,extra_params.keys,zz\n" + (
            b'a,0.5,7,2026-11-01,2026-11-01 10:00:00,"[""k"", ""l""]",07\n'
        )
        found = written(tmp_path, data, "Europe/Berlin")
        assert found.to_pylist() == [
            {
                "tx_id": "a",
                "revenue": 0.5,
                "asn": 7,
                "request_date": date(2026, 11, 1),
                "request_time": datetime(2026, 11, 1, 9, tzinfo=UTC),
                "extra_params.keys": ["k", "l"],
                "zz": "07",
                "_extra": None,
            }
        ]
        assert found.schema.field("request_time").type == pa.timestamp("us", "UTC")

    @pytest.mark.parametrize("kind", sorted(USUAL))
    def test_of_usual_values_are_read_at_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
        """One by one takes many times as long."""
        monkeypatch.setattr(csv_batches, "column", lambda *_, **__: pytest.fail("read one by one"))
        name = next(name for name in COLUMNS if KINDS.get(name, "string") == kind)
        text = io.StringIO()
        csv.writer(text).writerows([["zz", name], *([n, value] for n, value in enumerate(USUAL[kind]))])
        assert written(tmp_path, text.getvalue().encode()).num_rows == len(USUAL[kind])

    def test_of_times_with_zones_are_read_at_once_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_batches, "column", lambda *_, **__: pytest.fail("read one by one"))
        found = written(
            tmp_path, b"request_time,zz\n2026-11-01T10:20:30Z,1\n2026-11-01 10:20:30-05:30,2\n", "Europe/Berlin"
        )
        assert [time.hour for time in found["request_time"].to_pylist()] == [10, 15]

    def test_of_which_one_value_is_odd_cost_the_others_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        singly: list[str] = []
        column = csv_batches.column
        monkeypatch.setattr(
            csv_batches, "column", lambda name, *args, **more: (singly.append(name), column(name, *args, **more))[1]
        )
        found = written(tmp_path, b"asn,is_bot,revenue\n1,2,3\n4,5.5,6\n")
        assert (singly, found["_extra"].to_pylist()) == (["is_bot"], [None, '{"is_bot": "5.5"}'])

    def test_times_whose_zone_is_unknown_are_left_as_text(self, tmp_path: Path) -> None:
        found = written(tmp_path, b"request_time,tx_id\n2026-11-01 10:00:00,a\n,b\n", None)
        assert found["request_time"].to_pylist() == ["2026-11-01 10:00:00", None]

    @pytest.mark.parametrize("end", [b"\n", b"\r\n"])
    @pytest.mark.parametrize("inside", [b"\n", b"\r", b"\r\n"])
    def test_have_names_with_line_ends_of_any_kind(self, tmp_path: Path, end: bytes, inside: bytes) -> None:
        found = written(tmp_path, b'"a%sb",tx_id%s1,2%s' % (inside, end, end))
        assert found.column("tx_id").to_pylist() == ["2"]

    def test_without_a_model_are_text(self, tmp_path: Path) -> None:
        found = written(tmp_path, b"a,b\n1,\n", model=TextRow)
        assert found.to_pylist() == [{"a": "1", "b": "", "_extra": None}]

    def test_that_share_a_name_get_one_each(self, tmp_path: Path) -> None:
        data = b'a,a,A,,_extra,"x""y"\n1,2,3,4,5,6\n'
        found = written(tmp_path, data)
        assert found.column_names == ["a", "a_1", "A_2", "column_1", "_extra_1", 'x"y', "_extra"]
        (row,) = rows(data)
        assert list(row.additional_properties.values()) == ["1", "2", "3", "4", "5", "6"]

    @pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf"])
    def test_of_an_empty_file_are_those_of_the_model(self, tmp_path: Path, data: bytes) -> None:
        found = written(tmp_path, data)
        assert (found.num_rows, found.schema) == (0, Columns(ClickReportRow).schema)

    def test_of_a_file_without_rows_are_those_of_its_header(self, tmp_path: Path) -> None:
        found = written(tmp_path, b"tx_id,asn\r\n")
        assert (found.num_rows, found.column_names) == (0, ["tx_id", "asn", "_extra"])


class TestUnusual:
    def test_a_type_that_changes_late_costs_one_value_and_no_row(self, tmp_path: Path) -> None:
        lines = [b"%d,%d" % (n, n) for n in range(60_000)]
        lines[50_000] = b"50000,late"
        found = written(tmp_path, b"asn,is_bot\n" + b"\n".join(lines))
        assert found["asn"].to_pylist() == list(range(60_000))
        assert (found["is_bot"].null_count, found["_extra"].null_count) == (1, 59_999)
        assert found.slice(50_000, 1).to_pylist() == [{"asn": 50_000, "is_bot": None, "_extra": '{"is_bot": "late"}'}]

    def test_short_rows_have_nulls_and_long_ones_keep_what_is_too_much(self, tmp_path: Path) -> None:
        assert written(tmp_path, b"tx_id,city\na\nb,c,d,e\n").to_pylist() == [
            {"tx_id": "a", "city": None, "_extra": None},
            {"tx_id": "b", "city": "c", "_extra": '{"": ["d", "e"]}'},
        ]

    def test_bytes_that_are_no_text_are_replaced(self, tmp_path: Path) -> None:
        assert written(tmp_path, b"tx_id,city\na,\xff\n")["city"].to_pylist() == ["\ufffd"]

    @pytest.mark.parametrize("data", [b'tx_id,city\na,5" wide\nc,d\n', b'tx_id,city\na,"5" wide\nc,"d\n'])
    def test_quotes_out_of_place_are_read_as_rows_reads_them(self, tmp_path: Path, data: bytes) -> None:
        found = written(tmp_path, data)
        assert found.select(["tx_id", "city"]).to_pylist() == [{"tx_id": r.tx_id, "city": r.city} for r in rows(data)]

    def test_a_file_that_turns_odd_late_is_gone_on_with_where_it_does(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(csv_batches, "BLOCK", 4096)
        lines = [b"%d,a" % n for n in range(3000)]
        lines[2000] += b",more"
        found = written(tmp_path, b"asn,city\n" + b"\n".join(lines))
        assert found["asn"].to_pylist() == list(range(3000))
        assert [(n, text) for n, text in enumerate(found["_extra"].to_pylist()) if text] == [(2000, '{"": ["more"]}')]

    def test_row_groups_are_bounded_by_bytes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("adsecurity.tables.parquet.GROUP_BYTES", 100_000)
        monkeypatch.setattr(csv_batches, "BLOCK", 20_000)
        written(tmp_path, b"tx_id,city\n" + b"".join(b"tx-%06d,Cologne\n" % n for n in range(50_000)))
        metadata = pq.read_metadata(tmp_path / "x.parquet")
        sizes = [metadata.row_group(n).num_rows * 30 for n in range(metadata.num_row_groups)]
        assert 80_000 < min(sizes[:-1]) <= max(sizes) < 150_000

    def test_blank_lines_are_no_rows(self, tmp_path: Path) -> None:
        assert written(tmp_path, b"\n\ntx_id\na\n\n\nb\n\n")["tx_id"].to_pylist() == ["a", "b"]

    def test_what_breaks_off_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(DownloadError, match="no CSV"):
            written(tmp_path, b"asn\n1\n" + b"x" * 200_000)
        assert names(tmp_path) == ["x.csv"]


class TestExports:
    def test_a_job_becomes_a_file_of_its_rows(self, bench: Bench, tmp_path: Path) -> None:
        path = tmp_path / "dt=1" / "cli'cks[1]*.parquet"
        path.parent.mkdir()
        assert bench.result(bench.done(total=5000).to_parquet(path)) == path
        assert names(path.parent) == [path.name]
        found = pq.ParquetFile(path).read()
        assert found.column_names == ["tx_id", "country", "_extra"]
        assert found["tx_id"].to_pylist() == [f"tx-{n:06}" for n in range(5000)]

    def test_the_delimiter_and_the_zone_are_the_jobs(self, bench: Bench) -> None:
        bench.store.content = b"request_time;tx_id\n2026-11-01 10:00:00;a,b\n"
        bench.api.states = [{**bench.api.states[-1], "format": {"delimiter": ";"}}]
        found = bench.result(bench.start(timezone="Europe/Berlin").to_arrow())
        assert found.to_pylist() == [
            {"request_time": datetime(2026, 11, 1, 9, tzinfo=UTC), "tx_id": "a,b", "_extra": None}
        ]

    def test_a_cut_connection_is_gone_on_with(self, bench: Bench, tmp_path: Path) -> None:
        bench.store.plan = [bench.store.cut(1000), bench.store.cut(2000)]
        path = bench.result(bench.done().to_parquet(tmp_path / "clicks"))
        assert pq.read_metadata(path).num_rows == 5000
        assert bench.store.ranges() == [None, "bytes=1000-", "bytes=3000-"]

    @pytest.mark.parametrize("total", [4999, 5001])
    def test_another_number_of_rows_than_reported_is_an_error(self, bench: Bench, tmp_path: Path, total: int) -> None:
        path = tmp_path / "clicks"
        path.write_bytes(b"old")
        with pytest.raises(DownloadError, match=f"has 5000 rows, the export reports {total}"):
            bench.result(bench.done(total=total).to_parquet(path))
        assert (names(tmp_path), path.read_bytes()) == (["clicks"], b"old")

    def test_a_cut_off_range_is_an_error_unless_allowed(self, bench: Bench, tmp_path: Path) -> None:
        job = bench.done(results_meta={"range_truncated": True})
        for start in (lambda: job.to_parquet(tmp_path / "clicks"), job.to_arrow):
            with pytest.raises(ExportTruncated):
                bench.result(start())
        assert bench.result(job.to_arrow(allow_truncated=True)).num_rows == 5000
        assert bench.result(job.to_parquet(tmp_path / "clicks", allow_truncated=True)).exists()

    def test_a_folder_in_its_place_is_an_error_before_anything_is_fetched(self, bench: Bench, tmp_path: Path) -> None:
        with pytest.raises(DownloadError, match="folder") as caught:
            bench.result(bench.done().to_parquet(tmp_path))
        assert (caught.value.path, bench.store.requests) == (str(tmp_path), [])

    def test_what_is_no_files_path_is_an_error_before_anything_is_fetched(self, bench: Bench) -> None:
        for path in ("", "/", "a\0b"):
            with pytest.raises(ValueError, match="not the path of a file"):
                bench.result(bench.done().to_parquet(path))
        assert bench.store.requests == []

    @pytest.mark.parametrize("etag", ['"v1"', None])
    def test_a_disk_that_refuses_the_rows_keeps_the_download_for_the_next_try(
        self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, etag: str | None
    ) -> None:
        bench.store.etag = etag

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        path, kept = tmp_path / "clicks", tmp_path / ".clicks.csv.part"
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", replace_of(os.replace, full))
            with pytest.raises(DownloadError, match=f"cannot write {path}: No space") as caught:
                bench.result(bench.done().to_parquet(path))
        assert isinstance(caught.value.__cause__, OSError)
        assert caught.value.path == str(path)
        assert str(caught.value).count(str(kept)) == (etag is not None)
        # Without a version nobody knows at the next try whether it is still the same file.
        assert sorted(names(tmp_path)) == ([kept.name, f"{kept.name}.json"] if etag else [])
        bench.result(bench.done().to_parquet(path))
        assert bench.store.ranges() == [None, f"bytes={len(bench.store.content)}-" if etag else None]
        assert (names(tmp_path), pq.read_metadata(path).num_rows) == (["clicks"], 5000)

    @pytest.mark.parametrize("where", ["folder", "file"])
    def test_a_disk_that_refuses_a_table_is_an_error_of_the_job(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, where: str
    ) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(converter, "TemporaryFolder" if where == "folder" else "CsvFile", full)
        with pytest.raises(DownloadError, match="No space") as caught:
            bench.result(bench.done().to_arrow())
        assert "kept" not in str(caught.value)

    def test_a_stream_is_not_read_by_a_forked_child_which_would_share_its_place_in_the_file(self) -> None:
        bench = Bench("sync")
        bench.store.content = csv_file(200_000)
        reader = pa.RecordBatchReader.from_stream(bench.done())
        names = reader.read_next_batch()["tx_id"].to_pylist()
        said = in_child(reader.read_next_batch)
        assert "ConfigurationError: this table was begun before the process was forked" in said
        names += reader.read_all()["tx_id"].to_pylist()
        assert names == [f"tx-{number:06d}" for number in range(200_000)]
        bench.close()

    def test_its_folder_does_not_go_with_a_forked_child(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        bench = Bench("sync")
        readers = [pa.RecordBatchReader.from_stream(bench.done())]
        assert in_child(readers.clear) == "None"
        assert len(names(tmp_path)) == 1
        assert readers.pop().read_all().num_rows == 500
        gc.collect()
        assert names(tmp_path) == []
        bench.close()

    def test_a_header_beyond_reason_is_an_error_of_the_job(self, bench: Bench) -> None:
        bench.store.content = b"x" * 200_000 + b"\n1\n"
        with pytest.raises(DownloadError, match="header is no CSV"):
            bench.result(bench.done().to_arrow())

    def test_cancelling_leaves_nothing_half_written(self, tmp_path: Path) -> None:
        bench = Bench("async")
        bench.store.content = csv_file(200_000)
        job = bench.done()

        async def cancelled() -> None:
            task = asyncio.ensure_future(job.to_parquet(tmp_path / "clicks"))
            await appears(tmp_path, ".clicks.table")
            await ends(task)

        bench.result(cancelled())
        bench.close()
        assert names(tmp_path) in ([], ["clicks"])
        if names(tmp_path):
            assert pq.read_metadata(tmp_path / "clicks").num_rows == 200_000

    def test_an_export_of_the_sandbox_is_the_same_either_way(self, lists: Lists) -> None:
        options = {**RANGE, "fields": ["tx_id", "request_time", "revenue", "extra_params.keys"], "extra_parameters": []}
        options.pop("integration_id")

        def run(job: Any) -> Any:
            return [*job.wait().rows()], job.to_arrow()

        async def arun(start: Any) -> Any:
            job = await (await start).wait()
            return [row async for row in job.rows()], await job.to_arrow()

        then = run if lists.mode == "sync" else arun
        expected, found = lists("exports", "clicks", "integration-1", **options, then=then)
        assert found.num_rows == len(expected) == 450
        for columns, row in zip(found.to_pylist(), expected, strict=True):
            values = (row.tx_id, row.request_time, row.revenue, row.extra_params_keys, None)
            assert tuple(columns.values()) == values


def replace_of(replace: Any, broken: Any) -> Any:
    """Renaming that works for what is downloaded, and not for what is written."""
    return lambda source, target: broken() if str(target).endswith("clicks") else replace(source, target)
