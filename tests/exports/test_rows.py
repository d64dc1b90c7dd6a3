"""Rows of an export: streamed, typed by the spec, nothing guessed, nothing lost."""

from __future__ import annotations

import csv
import gc
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsecurity import DownloadError
from adsecurity.tables.csv import CsvRows, TextRow
from adsecurity.types.network import ClickReportRow
from tests.exports.kit import Bench, csv_file, finished
from tests.support.fork import in_child


def _parse(
    data: bytes, *, size: int = 7, zone: str | None = "UTC", model: Any = ClickReportRow, by: str = ","
) -> list[Any]:
    """The rows, fed in blocks of `size`."""
    reader: CsvRows[Any] = CsvRows(model, by, zone, DownloadError)
    found: list[Any] = []
    for start in range(0, len(data), size):
        found += reader.feed(data[start : start + size])
    found += reader.end()
    assert reader.count == len(found)
    return found


def test_columns_are_typed_by_the_row_model() -> None:
    (row,) = _parse(b'tx_id,risk_score,is_bot,request_time,extra_params.keys\na,0.5,1,2026-11-01T10:00:00Z,"[""k""]"\n')
    kinds = {field.wire: field.kind for field in ClickReportRow.FIELDS}
    assert row.tx_id == "a"
    assert row.request_time == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert kinds["extra_params.keys"] == "array"
    assert row.to_dict()["extra_params.keys"] == ["k"]


def _field(kind: str) -> tuple[str, str]:
    return next((field.wire, field.attr) for field in ClickReportRow.FIELDS if field.kind == kind)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", "12.5", 12.5),
        ("number", "12", 12.0),
        ("number", "", None),
        ("integer", "12", 12),
        ("integer", "", None),
        ("string", "", ""),
        ("string", "007", "007"),
        ("date-time", "", None),
        ("array", "", None),
    ],
)
def test_each_kind_is_read_from_its_text(kind: str, text: str, value: Any) -> None:
    wire, attr = _field(kind)
    (row,) = _parse(f"{wire},other\n{text},x\n".encode())
    assert getattr(row, attr) == value
    assert type(getattr(row, attr)) is type(value)
    assert row.additional_properties == {"other": "x"}


@pytest.mark.parametrize("kind", ["number", "integer", "array", "date-time"])
@pytest.mark.parametrize("text", ["n/a", "1_0", "nan", "[1"])
def test_what_does_not_fit_is_kept_as_text_and_hurts_no_neighbour(kind: str, text: str) -> None:
    wire, attr = _field(kind)
    (row,) = _parse(f"tx_id,{wire}\na,{text}\n".encode())
    assert (row.tx_id, getattr(row, attr)) == ("a", None)
    assert row.additional_properties == {wire: text}


def test_a_number_is_received_as_a_number() -> None:
    wire, _ = _field("number")
    (row,) = _parse(f"{wire}\n1.50\n".encode())
    assert row.to_dict() == {wire: 1.5}


class TestTimes:
    def read(self, text: str, zone: str | None) -> tuple[Any, Any]:
        (row,) = _parse(f"request_time\n{text}\n".encode(), zone=zone)
        return row.request_time, row.additional_properties.get("request_time")

    def test_without_a_zone_are_in_the_jobs_zone(self) -> None:
        assert self.read("2026-11-01 10:00:00", "Europe/Berlin")[0] == datetime(2026, 11, 1, 9, tzinfo=UTC)
        assert self.read("2026-07-01 10:00:00", "Europe/Berlin")[0] == datetime(2026, 7, 1, 8, tzinfo=UTC)

    def test_without_a_zone_that_is_known_are_left_as_text(self) -> None:
        assert self.read("2026-11-01 10:00:00", None) == (None, "2026-11-01 10:00:00")

    @pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
    def test_with_a_zone_need_no_other(self, zone: str | None) -> None:
        assert self.read("2026-11-01T10:00:00+02:00", zone)[0] == datetime(2026, 11, 1, 8, tzinfo=UTC)
        assert self.read("Sun; 01 Nov 2026 10:00:00 GMT".replace(";", ""), zone)[0] == datetime(
            2026, 11, 1, 10, tzinfo=UTC
        )

    def test_in_an_unknown_form_without_a_zone_are_left_as_text(self) -> None:
        assert self.read("11/01/2026 10:00", "Europe/Berlin") == (None, "11/01/2026 10:00")

    @pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
    @pytest.mark.parametrize("text", ["0001-01-01 00:00:00", "0001-01-01T00:00:00Z"])
    def test_that_go_writes_for_no_time_are_none(self, text: str, zone: str | None) -> None:
        assert self.read(text, zone) == (None, None)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_quotes_line_ends_and_a_byte_order_mark_are_read_wherever_a_block_ends(size: int) -> None:
    text = '\ufefftx_id,country,zz\r\n"a ""b""\r\n ü",DE,"x,y"\r\n\r\nlast,"F\nR",'
    rows = _parse(text.encode(), size=size)
    assert [(row.tx_id, row.country, row.additional_properties["zz"]) for row in rows] == [
        ('a "b"\r\n ü', "DE", "x,y"),
        ("last", "F\nR", ""),
    ]


def test_short_rows_lack_fields_and_long_ones_keep_what_is_too_much() -> None:
    short, long = _parse(b"tx_id,country\na\nb,DE,more,still\n")
    assert (short.fields_set, long.country) == ({"tx_id"}, "DE")
    assert long.additional_properties == {"": ["more", "still"]}


def test_spaces_around_the_names_of_columns_are_no_part_of_them() -> None:
    (row,) = _parse(b"tx_id ,\tasn\na,7\n")
    assert (row.tx_id, row.asn, row.additional_properties) == ("a", 7, {})


def test_rows_that_nobody_typed_are_text() -> None:
    (row,) = _parse(b"a,b\n1,\n", model=TextRow)
    assert row.to_dict() == {"a": "1", "b": ""}


def test_no_bytes_are_no_rows() -> None:
    assert _parse(b"") == _parse(b"tx_id,country\n") == []


def test_a_field_beyond_reason_is_an_error_that_names_the_row() -> None:
    with pytest.raises(DownloadError, match="row 2 is no CSV"):
        _parse(b"tx_id\na\n" + b"x" * 200_000, size=1 << 20)


@pytest.mark.parametrize("size", [1, 3, 8, 50])
def test_a_quote_inside_an_unquoted_field_opens_nothing(size: int) -> None:
    found = _parse(b'tx_id,city\na,5" wide\nb,c\n"d","e\nf"\n', size=size)
    assert [(row.tx_id, row.city) for row in found] == [("a", '5" wide'), ("b", "c"), ("d", "e\nf")]


def test_rows_behind_a_quote_inside_a_field_come_with_their_block() -> None:
    reader: CsvRows[Any] = CsvRows(ClickReportRow, ",", "UTC", DownloadError)
    assert len(list(reader.feed(b'tx_id,city\na,5" wide\nb,c\nd,'))) == 2
    assert [row.city for row in reader.feed(b"e\n")] == ["e"]


def test_a_quote_that_is_never_closed_is_an_error_before_the_file_is_read() -> None:
    reader: CsvRows[Any] = CsvRows(ClickReportRow, ",", "UTC", DownloadError)
    assert list(reader.feed(b'tx_id,city\na,"')) == []
    with pytest.raises(DownloadError, match="row 1 is no CSV"):
        assert [*chain.from_iterable(reader.feed(b"x,y\n" * 16_000) for _ in range(3))] == []


@pytest.mark.parametrize("by", ["", ",,", '"', "\n", "\r"])
def test_a_delimiter_that_is_none_is_an_error(by: str) -> None:
    with pytest.raises(DownloadError, match="separated"):
        _parse(b"", by=by)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=6) | st.sampled_from(
    ['"', ",", "\n", '"\n"']
)


@given(
    st.lists(st.lists(cells, min_size=2, max_size=2), max_size=12),
    st.integers(1, 40),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_csv_is_read_as_it_was_written(table: list[list[str]], size: int, by: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=by).writerows([["tx_id", "zz"], *table])
    rows = _parse(text.getvalue().encode(), size=size, by=by)
    assert [[row.tx_id, row.additional_properties["zz"]] for row in rows] == table


def test_rows_of_a_job_come_out_of_its_file(bench: Bench) -> None:
    rows = list(bench.each(bench.done(total=500).rows()))
    assert len(rows) == 500
    assert type(rows[0]) is ClickReportRow
    assert (rows[7].tx_id, rows[7].country) == ("tx-000007", "DE")


def test_the_delimiter_is_the_jobs(bench: Bench) -> None:
    bench.store.content = csv_file(3).replace(b",", b";")
    job = bench.done(format={"delimiter": ";"})
    assert [row.country for row in bench.each(job.rows())] == ["DE"] * 3


@pytest.mark.parametrize(("zone", "hour"), [({}, 10), ({"timezone": "Europe/Berlin"}, 9)])
def test_the_zone_is_the_one_that_the_export_was_started_with(bench: Bench, zone: dict[str, str], hour: int) -> None:
    bench.store.content = b"request_time\n2026-11-01 10:00:00\n"
    (row,) = bench.each(bench.start(**zone).rows())
    assert row.request_time == datetime(2026, 11, 1, hour, tzinfo=UTC)


@pytest.mark.usefixtures("_no_zone_data")
@pytest.mark.parametrize("zone", [{}, {"timezone": "UTC"}])
def test_utc_needs_no_zone_data(bench: Bench, tmp_path: Path, zone: dict[str, str]) -> None:
    bench.store.content = b"request_time\n2026-11-01 10:00:00\n"
    job = bench.start(**zone)
    (row,) = bench.each(job.rows())
    assert row.request_time == datetime(2026, 11, 1, 10, tzinfo=UTC)
    table = pq.read_table(bench.result(job.to_parquet(tmp_path / "clicks")))
    assert table["request_time"].cast(pa.int64()).to_pylist() == [row.request_time.timestamp() * 1_000_000]


@pytest.mark.parametrize(("zone", "hour"), [({}, None), ({"timezone": "Europe/Berlin"}, 9)])
def test_after_resume_the_zone_is_unknown_unless_given(bench: Bench, zone: dict[str, str], hour: int | None) -> None:
    bench.store.content = b"request_time\n2026-11-01 10:00:00\n"
    (row,) = bench.each(bench.resume(**zone).rows())
    assert row.request_time == (None if hour is None else datetime(2026, 11, 1, hour, tzinfo=UTC))


def test_after_resume_the_rows_are_those_of_the_exports_type(bench: Bench) -> None:
    bench.api.states = [finished()]
    assert {type(row) for row in bench.each(bench.resume().rows())} == {ClickReportRow}


@pytest.mark.parametrize("kind", ["brand_new_logs", "", None])
def test_after_resume_of_an_unknown_type_the_rows_are_text(bench: Bench, kind: str | None) -> None:
    bench.api.states = [{**finished(), "type": kind}]
    row, *_ = bench.each(bench.resume().rows())
    assert row.to_dict() == {"tx_id": "tx-000000", "country": "DE"}


def test_the_first_row_is_there_before_the_file_has_arrived(bench: Bench) -> None:
    """A gigabyte of rows does not have to fit anywhere."""

    def half(handler: Any, headers: dict[str, str]) -> None:
        bench.store.serve(handler, headers, cut=2000)

    bench.store.plan = [half]
    rows = bench.each(bench.done().rows())
    assert next(rows).tx_id == "tx-000000"
    assert len(bench.store.requests) == 1
    assert len(list(rows)) == 499


def test_rows_go_on_after_a_cut_connection(bench: Bench) -> None:
    bench.store.plan = [bench.store.cut(1000), bench.store.say(403), bench.store.cut(1001)]
    rows = [row.tx_id for row in bench.each(bench.done().rows())]
    assert rows == [f"tx-{n:06}" for n in range(500)]
    assert bench.store.ranges() == [None, "bytes=1000-", "bytes=1000-", "bytes=2001-"]


def test_rows_go_on_when_a_range_is_ignored_but_the_file_is_the_same(bench: Bench) -> None:
    whole = lambda handler, _: bench.store.serve(handler, {})  # noqa: E731
    bench.store.plan = [bench.store.cut(1000), whole]
    assert [row.tx_id for row in bench.each(bench.done().rows())] == [f"tx-{n:06}" for n in range(500)]


def test_rows_are_all_there_when_a_repeated_beginning_breaks_off_as_well(bench: Bench) -> None:
    def again(handler: Any, headers: dict[str, str]) -> None:
        bench.store.serve(handler, {}, cut=500)

    bench.store.plan = [bench.store.cut(1000), again]
    assert [row.tx_id for row in bench.each(bench.done().rows())] == [f"tx-{n:06}" for n in range(500)]
    assert bench.store.ranges() == [None, "bytes=1000-", "bytes=1000-"]


@pytest.mark.parametrize("etag", ['"v2"', None])
def test_rows_of_two_versions_are_not_mixed(bench: Bench, etag: str | None) -> None:
    def change(handler: Any, headers: dict[str, str]) -> None:
        bench.store.content, bench.store.etag = csv_file(3000), etag
        bench.store.serve(handler, headers)

    bench.store.plan = [bench.store.cut(1000), change]
    with pytest.raises(DownloadError, match="changed while it was read"):
        list(bench.each(bench.done().rows()))


@pytest.mark.parametrize("total", [499, 501])
def test_more_or_fewer_rows_than_reported_are_an_error_at_the_end(bench: Bench, total: int) -> None:
    rows = bench.each(bench.done(total=total).rows())
    for _ in range(500):
        next(rows)
    with pytest.raises(DownloadError, match=f"has 500 rows, the export reports {total}"):
        next(rows)


def test_rows_given_up_in_the_middle_leave_no_connection_behind(bench: Bench) -> None:
    """Warnings are errors here: a socket that nobody closed would be one."""
    job = bench.done()

    async def one() -> Any:
        rows = job.rows()
        async for row in rows:
            return row
        return None

    row = next(job.rows()) if bench.mode == "sync" else bench.result(one())
    gc.collect()
    assert row.tx_id == "tx-000000"


class TestForkedChildren:
    """They have copies of the connection: what they read, or end, the parent would lack."""

    ROWS = 100_000
    FORKED = "ConfigurationError: exports.download: this transfer was begun before the process was forked"

    @pytest.fixture(params=[False, True], ids=["plain", "tls"])
    def rows(self, request: pytest.FixtureRequest, bench: Bench) -> Iterator[tuple[Bench, Any]]:
        used = Bench(bench.mode, tls=True) if request.param else bench
        used.store.content = csv_file(self.ROWS)
        yield used, used.done().rows()
        if used is not bench:
            used.close()

    @pytest.mark.parametrize("count", [10, ROWS])
    def test_that_go_on_get_our_error_at_once_and_the_parent_every_row(
        self, rows: tuple[Bench, Any], count: int
    ) -> None:
        bench, iterator = rows
        got = take(bench, iterator, count)
        said = in_child(lambda: step(bench, iterator))
        assert self.FORKED in said
        assert got + take(bench, iterator) == [f"tx-{number:06d}" for number in range(self.ROWS)]

    def test_that_close_the_rows_do_not_end_the_transfer_of_the_parent(self, rows: tuple[Bench, Any]) -> None:
        bench, iterator = rows
        got = take(bench, iterator, 10)
        assert in_child(lambda: step(bench, iterator, "close")) == "None"
        assert got + take(bench, iterator) == [f"tx-{number:06d}" for number in range(self.ROWS)]
        assert len(bench.store.requests) == 1


def take(bench: Bench, rows: Any, count: int | None = None) -> list[str]:
    """The next rows, or all that are left."""
    if bench.mode == "sync":
        return [row.tx_id for row in islice(rows, count)]

    async def taken() -> list[str]:
        found: list[str] = []
        while count is None or len(found) < count:
            try:
                found.append((await anext(rows)).tx_id)
            except StopAsyncIteration:
                break
        return found

    names: list[str] = bench.result(taken())
    return names


def step(bench: Bench, rows: Any, what: str = "next") -> Any:
    """One step without an event loop: a forked child has none that runs."""
    if bench.mode == "sync":
        return next(rows) if what == "next" else rows.close()
    try:
        return (rows.__anext__() if what == "next" else rows.aclose()).send(None)
    except StopIteration as end:
        return end.value
