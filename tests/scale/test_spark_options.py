"""Options become one call: what is wrong is told before anything is sent, and keys are kept out of options.

No Spark runs here: the source is asked as Spark asks it.
"""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql.datasource import CaseInsensitiveDict, DataSourceReader
from pyspark.sql.types import LongType, StringType, StructType

import adsecurity
from adsecurity.errors import ConfigurationError, PaginationError
from adsecurity.paging.clock import Seconds
from adsecurity.sandbox import Sandbox
from adsecurity.spark import AdsecurityDataSource, register, schema
from adsecurity.spark.connection import CLIENTS, Connection, Pace
from adsecurity.spark.options import _SECRET, load_surface, read_value
from adsecurity.spark.source import AdsecurityReader
from adsecurity_generated._operation import Param
from tests.scale.spark_session import CLICKS, clicks_of

ADSECURITY = {
    "operation": "adsecurity.reports.clicks",
    "integration_id": "integration-1",
    "start_date": "2026-11-01",
    "end_date": "2026-11-08",
}
EXPORT = {
    **CLICKS,
    "operation": "network.exports.clicks",
    "fields": "real_tx_id,payout",
    "extra_parameters": "",
}


class Session:
    """As much of a Spark session as `register` needs."""

    def __init__(self) -> None:
        self.dataSource = self
        self.source: Any = None

    def register(self, source: Any) -> None:
        self.source = source


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(today="2026-11-08", rows=600) as running:
        yield running


@pytest.fixture
def source(sandbox: Sandbox) -> Any:
    """The class that a session has after `register`."""
    session = Session()
    sandbox.requests.clear()
    register(
        session,
        network={"api_key": sandbox.api_key, "base_url": sandbox.network_url},
        adsecurity={"api_key": sandbox.api_key, "base_url": sandbox.adsecurity_url},
    )
    return session.source


def asked(source: Any, **options: str) -> Any:
    return source(CaseInsensitiveDict(options))


def rows(reader: Any, partitions: Any) -> pa.Table:
    return pa.Table.from_batches([batch for partition in partitions for batch in reader.read(partition)])


def struct(**columns: Any) -> StructType:
    schema = StructType()
    for name, kind in columns.items():
        schema = schema.add(name, kind)
    return schema


WRONG = [
    ({}, "say what is read, such as"),
    (
        {**CLICKS, "operation": "network.reports.clix"},
        "there is no 'network.reports.clix'; near it: network.reports.cl",
    ),
    ({**CLICKS, "operation": "elsewhere.reports.clicks"}, "there is no 'elsewhere.reports.clicks'"),
    ({"operation": "network.offers.list", "integration_id": "x"}, "has no time range.*client.offers.list"),
    ({**EXPORT, "operation": "adsecurity.exports.clicks"}, "or no times of a known zone"),
    ({"operation": "network.exports.postbacks"}, "has no time range"),
    ({**CLICKS, "ofer_id": "1"}, "no option 'ofer_id'; near it: offer_id"),
    ({**CLICKS, "path": "clicks.parquet"}, "no option 'path'"),
    ({**CLICKS, "fields": "tx_id"}, "sends all columns of this operation: select()"),
    ({**CLICKS, "base_url": "https://elsewhere.example"}, r"register\(spark, network="),
    ({"operation": "network.reports.clicks"}, r"needs option\('integration_id', …\), option\('start_time', …\)"),
    ({"operation": "adsecurity.publisher_view.reports.clicks", "organization_id": "x"}, "option.'start_date'"),
    ({**CLICKS, "filter": "payout"}, "option filter: 'payout' is not a JSON object"),
    ({**CLICKS, "numPartitions": "0"}, "option numPartitions: '0' is no whole number from 1 on"),
    ({**CLICKS, "page_size": "many"}, "option page_size: 'many' is no whole number"),
    ({**CLICKS, "requestsPerSecond": "-1"}, "option requestsPerSecond: '-1' is no number above 0"),
    ({**CLICKS, "lag": "soon"}, "option lag: 'soon' must look like '10 minutes'"),
    ({**ADSECURITY, "filters": '{"field": "country"}'}, "option filters: .* is not a JSON list"),
    ({**CLICKS, "end_time": "2026-10-01"}, "start"),
    ({**ADSECURITY, "sort": "payout", "fields": "contry"}, "fields: there is no 'contry'; near it: country"),
]


@pytest.mark.parametrize(("options", "told"), WRONG, ids=[told for _, told in WRONG])
def test_what_is_wrong_is_told_at_load_and_nothing_is_sent(
    options: dict[str, str], told: str, source: Any, sandbox: Sandbox
) -> None:
    with pytest.raises((ValueError, TypeError), match=told):
        asked(source, **options).schema()
    assert sandbox.requests == []


@pytest.mark.parametrize("name", ["api_key", "API-KEY", "apiKey", "key", "token", "accessToken", "client_secret"])
def test_an_option_named_like_a_key_is_refused_without_its_value(name: str, source: Any) -> None:
    with pytest.raises(ValueError, match="stands in query plans") as caught:
        asked(source, **CLICKS, **{name: "do-not-show"})
    assert "do-not-show" not in str(caught.value)


@pytest.mark.parametrize("option", ["operation", "filter", "unknown", "numPartitions"])
def test_an_option_that_holds_the_key_is_refused_without_showing_it(option: str, source: Any, sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match=f"(?i)option {option} holds an API key") as caught:
        asked(source, **{**CLICKS, option: f"x{sandbox.api_key}"})
    assert sandbox.api_key not in str(caught.value)


def test_no_argument_of_an_operation_is_named_like_a_key() -> None:
    named = [
        param.arg
        for name in CLIENTS
        for operation in load_surface(name).routes
        for param in load_surface(name).operation(operation).params
        if load_surface(name).operation(operation).range and _SECRET.search(param.arg)
    ]
    assert named == []


def test_settings_are_checked_where_the_source_is_registered() -> None:
    def not_for_others() -> None: ...

    for settings, error, told in [
        ({"api_key": "k" * 9, "transport": None}, TypeError, "network: transport cannot be set here; known: api_key"),
        ({"api_key": "k" * 9, "base_url": "http://elsewhere.example"}, ConfigurationError, "unencrypted"),
        ({"api_key": ""}, ConfigurationError, r"register\(spark, network="),
        ({"api_key": "k" * 9, "retry": not_for_others}, TypeError, "cannot be sent to other processes"),
    ]:
        with pytest.raises(error, match=told) as caught:
            register(Session(), network=settings)
        assert "kkkk" not in str(caught.value)


def test_the_key_comes_from_the_drivers_environment_when_none_is_given(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    options = CaseInsensitiveDict(CLICKS)
    with pytest.raises(ConfigurationError, match="there is no key for the network API"):
        AdsecurityDataSource(options).schema()
    monkeypatch.setenv("ADSECURITY_NETWORK_API_KEY", sandbox.api_key)
    monkeypatch.setenv("ADSECURITY_NETWORK_BASE_URL", sandbox.network_url)
    plain = AdsecurityDataSource(options)
    session = Session()
    register(session)
    kinds = schema_of(plain)
    reader = plain.reader(kinds)
    monkeypatch.delenv("ADSECURITY_NETWORK_API_KEY")
    # An executor has the reader alone.
    reader = pickle.loads(pickle.dumps(reader))
    assert rows(reader, reader.partitions()).num_rows == 600
    assert sandbox.api_key not in repr(vars(reader))
    # `register` has looked there already.
    assert session.source(options).schema().startswith("`advertiser` string, ")


def schema_of(source: Any) -> StructType:
    """Spark's own types of the source's columns."""
    from pyspark.sql.pandas.types import from_arrow_schema

    query = source._query
    with source._connection(query.source.surface).open() as client:
        return from_arrow_schema(query.schema(client, query.ends))


def test_partitions_together_are_the_plain_call_and_are_no_more_than_asked_for(source: Any, sandbox: Sandbox) -> None:
    found = asked(source, **CLICKS, numpartitions="5")
    reader = pickle.loads(pickle.dumps(found.reader(schema_of(found))))
    partitions = pickle.loads(pickle.dumps(reader.partitions()))
    assert 1 < len(partitions) <= 5
    assert rows(reader, partitions).sort_by("real_tx_id") == clicks_of(sandbox).sort_by("real_tx_id")
    assert not [request for request in sandbox.requests if request.status != 200]
    # A task that is tried again reads the same.
    assert rows(reader, partitions[:1]) == rows(reader, partitions[:1])
    unread = reader.read(partitions[0])
    next(unread)
    unread.close()


def test_columns_that_the_server_can_leave_out_are_not_asked_for(source: Any, sandbox: Sandbox) -> None:
    found = asked(source, **ADSECURITY, fields="tx_id, payout")
    assert found.schema() == "`payout` double, `tx_id` string, `_extra` string"
    reader = found.reader(schema_of(found))
    table = rows(reader, reader.partitions())
    assert table.schema.names == ["payout", "tx_id", "_extra"]
    asked_for = [json.loads(request.body)["fields"] for request in sandbox.requests]
    assert asked_for
    assert all(sorted(fields) == ["payout", "request_time", "tx_id"] for fields in asked_for)
    sandbox.requests.clear()
    # The same by a schema, which may leave out more.
    reader = asked(source, **ADSECURITY).reader(struct(country=StringType()))
    assert rows(reader, reader.partitions()).schema.names == ["country"]
    assert all(json.loads(one.body)["fields"] == ["country", "request_time"] for one in sandbox.requests)


def test_a_schema_of_other_columns_or_types_is_refused(source: Any) -> None:
    for wanted, told in [
        (struct(contry=StringType()), "schema: there is no 'contry'; near it: country"),
        (struct(zzzzzzzzz=StringType()), "schema: there is no 'zzzzzzzzz'$"),
        (struct(country=LongType()), "schema: country is of type string, not bigint"),
    ]:
        with pytest.raises(ValueError, match=told):
            asked(source, **CLICKS).reader(wanted)


def test_nested_types_are_written_as_spark_writes_them() -> None:
    kind = pa.struct([("a", pa.list_(pa.int64())), ("b", pa.map_(pa.string(), pa.bool_()))])
    assert schema.spark_type(kind) == "struct<`a`:array<bigint>,`b`:map<string,boolean>>"


def test_a_namespace_takes_its_id_and_the_days_of_its_report_are_read(source: Any, sandbox: Sandbox) -> None:
    found = asked(
        source,
        operation="adsecurity.publisher_view.reports.clicks",
        organization_id=sandbox.organization_id,
        start_date="2026-11-01",
        end_date="2026-11-08",
        numPartitions="2",
    )
    reader = found.reader(struct(tx_id=StringType()))
    with adsecurity.AdsecurityClient(api_key=sandbox.api_key, base_url=sandbox.adsecurity_url) as client:
        plain = client.publisher_view(sandbox.organization_id).reports.clicks(
            start_date="2026-11-01", end_date="2026-11-08", inclusive="left"
        )
        assert sorted(rows(reader, reader.partitions())["tx_id"].to_pylist()) == sorted(row.tx_id for row in plain)


def test_each_span_of_an_export_is_a_job_and_together_they_are_the_plain_report(source: Any, sandbox: Sandbox) -> None:
    found = asked(
        source, **{**EXPORT, "numPartitions": "3", "extra_parameters": "utm_source", "timezone": "Asia/Tokyo"}
    )
    assert found.schema() == "`real_tx_id` string, `payout` double, `utm_source` string, `_extra` string"
    reader = found.reader(schema_of(found))
    partitions = reader.partitions()
    sandbox.requests.clear()
    table = rows(reader, partitions)
    assert [request.operation for request in sandbox.requests].count("exportClicks") == len(partitions) == 3
    with adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as client:
        plain = client.reports.clicks(
            integration_id=sandbox.integration_id,
            start_time="2026-11-01",
            end_time="2026-11-08",
            timezone="Asia/Tokyo",
            inclusive="left",
        ).to_list()
    assert sorted(table["real_tx_id"].to_pylist()) == sorted(row.real_tx_id for row in plain)
    assert table.schema.names == ["real_tx_id", "payout", "utm_source", "_extra"]


def test_texts_become_values_of_the_kinds_that_a_parameter_has() -> None:
    for kinds, items, text, value in [
        (("integer",), (), "5", 5),
        (("number",), (), "5", 5.0),
        (("boolean",), (), "True", True),
        ((), (), "5", "5"),
        (("array",), ("integer",), "1, 2", [1, 2]),
        (("array", "string"), (), "a, b,", ["a", "b"]),
        (("array",), ("string",), '["a,b"]', ["a,b"]),
        (("object",), (), '{"a": 1}', {"a": 1}),
    ]:
        assert read_value(Param("p", "p", "query", kinds, items), text) == value
    for kinds, text in [(("boolean",), "maybe"), (("integer",), "five"), (("object",), "[1]"), (("array",), "[1")]:
        with pytest.raises(ValueError, match=text.replace("[", r"\[")):
            read_value(Param("p", "p", "query", kinds), text)


def test_a_row_that_no_span_can_claim_is_an_error_and_never_dropped() -> None:
    clock, noon = Seconds(UTC), datetime(2026, 11, 1, 12, tzinfo=UTC)
    span = (clock.unit(noon), clock.unit(noon) + 60)

    def within(*times: datetime | None) -> Any:
        return schema.within(pa.record_batch({"t": pa.array(times, pa.timestamp("us", "UTC"))}), "t", clock, span)

    second = timedelta(seconds=1)
    assert within(noon - second, noon, noon + 60 * second).num_rows == 1
    with pytest.raises(PaginationError, match="1 rows have no t"):
        within(noon, None)
    with pytest.raises(PaginationError, match="from outside of 2026-11-01 11:59:59 to 2026-11-01 12:01:01"):
        within(noon + 3600 * second)


def test_a_budget_is_divided_by_the_partitions_that_run_at_once(source: Any) -> None:
    for more, interval in [
        ({}, 0),
        ({"requestsPerSecond": "8"}, 0.5),
        ({"requestsPerSecond": "8", "concurrentPartitions": "2"}, 0.25),
    ]:
        query = asked(source, **CLICKS, **more)._query
        assert query.interval(4) == interval


def test_each_request_of_a_partition_waits_for_its_turn_also_the_first() -> None:
    pace, started = Pace(0.05), time.monotonic()
    for _ in range(3):
        pace(None)
    assert time.monotonic() - started >= 0.15
    pace.stop()
    Pace(0.05)
    slow, started = Pace(3600), time.monotonic()
    slow.stop()
    slow(None)
    assert time.monotonic() - started < 60


STREAM = {name: text for name, text in CLICKS.items() if name != "end_time"} | {"lag": "2 hours"}


def test_a_stream_goes_from_moment_to_moment_and_never_back(source: Any, sandbox: Sandbox) -> None:
    stream = asked(source, **STREAM).streamReader(struct(real_tx_id=StringType()))
    first = stream.initialOffset()
    assert first == {"moment": "2026-11-01T00:00:00+00:00"}
    latest = datetime.fromisoformat(stream.latestOffset(first, None)["moment"])
    assert timedelta(hours=2) <= datetime.now(UTC) - latest < timedelta(hours=3)
    assert latest.microsecond == 0
    later = {"moment": "2999-01-01T00:00:00+00:00"}
    assert stream.latestOffset(later, None) == later
    assert stream.partitions(first, first) == []
    noon, end = {"moment": "2026-11-04T12:00:00+00:00"}, {"moment": "2026-11-08T00:00:00+00:00"}
    both = [rows(stream, stream.partitions(*ends))["real_tx_id"].to_pylist() for ends in ((first, noon), (noon, end))]
    assert sorted(both[0] + both[1]) == sorted(clicks_of(sandbox)["real_tx_id"].to_pylist())
    stream.commit(noon)
    stream.stop()


def test_a_stream_of_days_ends_with_the_last_whole_day(source: Any) -> None:
    options = {name: text for name, text in ADSECURITY.items() if name != "end_date"}
    stream = asked(source, **options, lag="1 day").streamReader(struct(tx_id=StringType()))
    latest = stream.latestOffset(stream.initialOffset(), None)["moment"]
    assert latest.endswith("T00:00:00+00:00")
    assert datetime.fromisoformat(latest) <= datetime.now(UTC) - timedelta(days=1)
    (partition,) = stream.partitions({"moment": "2026-11-02T00:00:00+00:00"}, {"moment": "2026-11-04T00:00:00+00:00"})
    assert partition.value["span"] == {"start_date": "2026-11-02", "end_date": "2026-11-04"}


def test_options_of_streams_and_of_ranges_are_not_mixed_up(source: Any) -> None:
    wanted = struct(tx_id=StringType())
    for options, kind, told in [
        ({**CLICKS, "lag": "1 hour"}, "reader", "option lag: it is for spark.readStream"),
        ({k: v for k, v in STREAM.items() if k != "lag"}, "reader", r"needs option\('end_time', …\)"),
        ({k: v for k, v in STREAM.items() if k != "lag"}, "streamReader", "say how late rows may arrive"),
        ({**CLICKS, "lag": "1 hour"}, "streamReader", "a stream has no end"),
        ({**STREAM, "timezone": "Asia/Tokyo"}, "streamReader", "a stream counts in UTC"),
        ({**STREAM, "start_time": "yesterday"}, "streamReader", "'yesterday' is no time like 2026-11-01"),
        ({**STREAM, "start_time": "2026-11-01T00:00:00.5"}, "streamReader", "is no whole second"),
    ]:
        with pytest.raises((ValueError, TypeError), match=told):
            getattr(asked(source, **options), kind)(wanted)


def test_readers_take_no_filters_since_spark_may_use_a_reader_again_for_another_query() -> None:
    assert AdsecurityReader.pushFilters is DataSourceReader.pushFilters


def test_the_documented_address_is_settled_on_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection.of("adsecurity", {"api_key": "kkkkkk"}).with_environment(load_surface("adsecurity"))
    monkeypatch.setenv("ADSECURITY_BASE_URL", "https://elsewhere.example")
    with pickle.loads(pickle.dumps(connection)).open() as client:
        assert client.base_url == "https://api.adsecurity.io"


def test_a_connection_shows_nothing() -> None:
    assert "kkk" not in repr(Connection.of("network", {"api_key": "kkkkkk"}))
