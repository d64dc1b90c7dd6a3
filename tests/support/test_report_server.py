"""The bench server gives the rows that it claims, so what is measured with it is what users would get."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import adsecurity
from tests.bench import dataset
from tests.bench.contenders import KEY
from tests.bench.servers import Server, serving

ROWS = 400
NEWEST = dataset.LAST // dataset.DIRTY_EVERY * dataset.DIRTY_EVERY + dataset.DIRTY_FROM - dataset.DIRTY_EVERY + 259
"""The latest of rows among which there are dirty ones."""
EXPORTED = 300


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file: Path = tmp_path_factory.mktemp("export") / "clicks.csv"
    file.write_bytes(b"".join(dataset.csv_blocks(EXPORTED)))
    with serving(export=file, rows=EXPORTED) as running:
        yield running


def _net(server: Server) -> adsecurity.NetworkClient:
    return adsecurity.NetworkClient(api_key=KEY, base_url=server.api)


@pytest.mark.parametrize("integration", ["clean", "dirty"])
def test_pages_hold_exactly_the_rows_of_the_range(server: Server, integration: str) -> None:
    numbers = range(NEWEST, NEWEST - ROWS, -1)
    start, end = (datetime.fromtimestamp(number // dataset.RATE, UTC) for number in (numbers[-1], NEWEST))
    with _net(server) as net:
        received = [
            row.to_dict() for row in net.reports.clicks(integration_id=integration, start_time=start, end_time=end)
        ]
    dirty = integration == "dirty"
    assert received == [dataset.row(number, dirty=dirty) for number in numbers]
    assert (received != [dataset.row(number) for number in numbers]) == dirty


def test_one_page_in_a_hundred_is_dirty() -> None:
    numbers = range(NEWEST, NEWEST - 2 * dataset.DIRTY_EVERY, -1)
    odd = [number for number in numbers if dataset.row(number, dirty=True) != dataset.row(number)]
    assert len({number // dataset.PAGE for number in odd}) == 2 == 0.01 * len(numbers) / dataset.PAGE


def test_a_window_holds_the_rows_of_both_its_ends(server: Server) -> None:
    with _net(server) as net:
        rows = net.reports.clicks(
            integration_id="clean", start_time="2026-10-31 12:00:00", end_time="2026-10-31 12:00:04"
        ).to_list()
    assert len(rows) == 5 * dataset.RATE
    assert {f"{row.request_time:%H:%M:%S}" for row in rows} == {f"12:00:0{second}" for second in range(5)}


def test_rows_have_all_fields_of_the_spec_and_the_size_of_real_ones() -> None:
    names = [field.wire for field in adsecurity.types.network.ClickReportRow.FIELDS]
    assert sorted(dataset.row(dataset.LAST)) == sorted(names)
    assert 2500 < len(dataset.compact(dataset.row(dataset.LAST))) < 2800


def test_the_sum_that_readers_are_checked_with_counts_dirty_rows() -> None:
    rows = 2 * dataset.DIRTY_EVERY
    numbers = range(dataset.LAST, dataset.LAST - rows, -1)
    for dirty in (False, True):
        payouts = [dataset.row(number, dirty=dirty)["payout"] for number in numbers]
        assert dataset.payout(rows, dirty=dirty) == pytest.approx(sum(float(payout or 0) for payout in payouts))
    assert dataset.payout(rows, dirty=True) != pytest.approx(dataset.payout(rows, dirty=False))


def test_an_export_ends_in_the_file_with_its_rows(server: Server, tmp_path: Path) -> None:
    start, end = dataset.span(EXPORTED)
    columns = dataset.export_columns()
    with _net(server) as net:
        job = net.exports.clicks(
            "integration-1", start_time=start, end_time=end, fields=columns, extra_parameters=[]
        ).wait()
        rows = list(job.rows())
        path = job.download(tmp_path / "clicks.csv")
    assert [row.real_tx_id for row in rows] == [dataset.row_id(dataset.LAST - place) for place in range(EXPORTED)]
    assert rows[-1].payout == dataset.row(dataset.LAST - EXPORTED + 1)["payout"]
    assert path.read_bytes() == b"".join(dataset.csv_blocks(EXPORTED))
    assert len(columns) == dataset.EXPORT_COLUMNS
