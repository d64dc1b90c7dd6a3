"""What Spark is handed: the data source, its reader and its stream reader.

They hold no state that a query changes: Spark may use a reader for the next query as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from adsecurity_generated._operation import Surface

from ..flow.extras import require
from . import schema as columns
from .connection import CLIENTS, Connection, Pace
from .options import load_surface
from .query import Query

_spark: Any = require("pyspark.sql.datasource", extra="spark")

if TYPE_CHECKING:
    # What is used of PySpark's classes. They have types of their own, but checks run without PySpark.
    class _DataSource:
        options: Mapping[str, str]

        def __init__(self, options: Mapping[str, str]) -> None: ...

    class _Reader:
        pass

    class _StreamReader:
        pass

else:
    _DataSource, _Reader, _StreamReader = _spark.DataSource, _spark.DataSourceReader, _spark.DataSourceStreamReader


PARTITIONS = 16
"""A range is divided into at most so many, unless the options say otherwise; a micro-batch is not divided."""


class AdsecurityDataSource(_DataSource):
    """The format `adsecurity`. `register` registers it with a key; registered as it is, the key is looked for in the
    environment of the driver."""

    _connections: Mapping[str, Connection] = {}

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        # First of all: what else is wrong may be told with the text that is wrong.
        self._refuse_keys(options)
        self._query = Query(options)

    def _refuse_keys(self, options: Mapping[str, str]) -> None:
        keys = [self._connection(load_surface(name)).key for name in CLIENTS]
        for name, text in options.items():
            if any(key and key in text for key in keys):
                raise ValueError(
                    f"option {name} holds an API key, and options stand in query plans and logs: pass the key on the"
                    " driver, adsecurity.spark.register(spark, network={'api_key': …}), and have this one replaced"
                )

    @classmethod
    def name(cls) -> str:
        return "adsecurity"

    def schema(self) -> str:
        with self._connection(self._query.source.surface).open() as client:
            return columns.ddl(self._query.schema(client, _any_ends(self._query)))

    def reader(self, schema: Any) -> AdsecurityReader:
        return AdsecurityReader(self._query, self._connection(self._query.source.surface), schema)

    def streamReader(self, schema: Any) -> AdsecurityStreamReader:
        return AdsecurityStreamReader(self._query, self._connection(self._query.source.surface), schema)

    def _connection(self, surface: Surface) -> Connection:
        return self._connections.get(surface.name, Connection(surface.name)).with_environment(surface)


def _any_ends(query: Query) -> dict[str, Any]:
    """The ends of the range, or some that fit: a stream has no end."""
    ends: dict[str, Any] = dict(query.ends)
    if query.range.end not in ends:
        start = _moment(query, ends[query.range.start])
        ends = _ends(query, start, start + timedelta(days=1))
    return ends


class _Reading:
    """What both readers do: read one span, with the columns that are wanted."""

    def __init__(self, query: Query, connection: Connection, schema: Any) -> None:
        self._query = query
        self._connection = connection
        with connection.open() as client:
            known = query.schema(client, _any_ends(query))
        self._columns = columns.columns_of(schema, known)

    def _plan(self, ends: Mapping[str, Any], count: int) -> list[Any]:
        rate = self._query.options.requests_per_second
        pace = Pace(1 / rate) if rate else None
        with self._connection.open(pace) as client:
            spans = self._query.spans(client, ends, self._columns, count)
        interval = self._query.interval(len(spans))
        return [_spark.InputPartition({"span": span, "interval": interval}) for span in spans]

    def read(self, partition: Any) -> Iterator[Any]:
        value = partition.value
        return self._query.read(self._connection, value["span"], self._columns, value["interval"])


class AdsecurityReader(_Reading, _Reader):
    """Reads a range once."""

    def __init__(self, query: Query, connection: Connection, schema: Any) -> None:
        if query.options.lag is not None:
            raise ValueError("option lag: it is for spark.readStream; spark.read reads the range that is asked for")
        if query.range.end not in query.ends:
            raise TypeError(f"{query.name} needs option({query.range.end!r}, …)")
        super().__init__(query, connection, schema)

    def partitions(self) -> list[Any]:
        return self._plan(self._query.ends, self._query.options.partitions or PARTITIONS)


class AdsecurityStreamReader(_Reading, _StreamReader):
    """Reads what has come since the last time, up to `lag` ago.

    Offsets are moments, `{"moment": "2026-11-08T00:00:00+00:00"}`: a micro-batch has the rows from its first on, up to
    before its second.
    """

    def __init__(self, query: Query, connection: Connection, schema: Any) -> None:
        if query.options.lag is None:
            raise TypeError(
                "option lag: say how late rows may arrive, such as option('lag', '10 minutes'); a stream gives rows"
                " that are older than that, and would miss those that come later"
            )
        if query.range.end in query.ends:
            raise ValueError(f"option {query.range.end}: a stream has no end; spark.read reads a range")
        if "timezone" in query.options.arguments:
            raise ValueError(
                "option timezone: a stream counts in UTC; write the zone into the start: 2026-11-01T00:00+01:00"
            )
        self._start = _moment(query, query.ends[query.range.start])
        super().__init__(query, connection, schema)

    def initialOffset(self) -> dict[str, str]:
        return _offset(self._start)

    def latestOffset(self, start: Mapping[str, str], limit: object) -> dict[str, str]:
        lag = self._query.options.lag
        assert lag is not None
        latest = _floor(self._query, datetime.now(UTC) - lag)
        # Never back: a longer lag or a clock that was set back would give rows again.
        return _offset(max(latest, datetime.fromisoformat(start["moment"])))

    def partitions(self, start: Mapping[str, str], end: Mapping[str, str]) -> list[Any]:
        first, last = (datetime.fromisoformat(offset["moment"]) for offset in (start, end))
        if first >= last:
            return []
        return self._plan(_ends(self._query, first, last), self._query.options.partitions or 1)

    def commit(self, end: Mapping[str, str]) -> None:
        """Nothing is kept here: Spark's checkpoint has the offsets."""

    def stop(self) -> None:
        """Nothing is open between two micro-batches."""


def _offset(moment: datetime) -> dict[str, str]:
    return {"moment": moment.isoformat()}


def _moment(query: Query, text: str) -> datetime:
    """The start of a stream as a moment. Raises ValueError."""
    name, day = query.range.start, query.range.unit == "day"
    try:
        if day:
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"option {name}: {text!r} is no {'date' if day else 'time'} like 2026-11-01") from None
    if moment.microsecond:
        raise ValueError(f"option {name}: {text!r} is no whole second")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _floor(query: Query, moment: datetime) -> datetime:
    if query.range.unit == "day":
        return datetime.combine(moment.date(), time(), UTC)
    return moment.replace(microsecond=0)


def _ends(query: Query, start: datetime, end: datetime) -> dict[str, Any]:
    """The ends of a range as arguments of the call."""
    values = (start.date(), end.date()) if query.range.unit == "day" else (start, end)
    return dict(zip((query.range.start, query.range.end), values, strict=True))


def register(
    spark: Any, *, network: Mapping[str, Any] | None = None, adsecurity: Mapping[str, Any] | None = None
) -> None:
    """Register the format `adsecurity` with a Spark session.

    Args:
        spark: The session.
        network: Settings of the client of the Network admin API: `api_key`, `base_url`, `timeout`, `retry`,
            `extra_headers`, `proxy`, `verify`, `routes`, `max_response_bytes`, `min_bytes_per_minute`, as
            `NetworkClient` takes them. A key or address that is left out is taken from the variables of this process.
        adsecurity: The same for `AdsecurityClient`.

    The key is kept in the memory of the driver, and goes to the executors within the serialized reader alone.

    Raises:
        TypeError: a setting is unknown, or cannot be sent to another process.
        ConfigurationError: a setting is wrong; the message says which.
    """
    connections: dict[str, Connection] = {}
    for name, settings in (("network", network), ("adsecurity", adsecurity)):
        connection = Connection.of(name, settings or {}).with_environment(load_surface(name))
        if settings is not None:
            # Wrong settings are told here rather than by a task.
            connection.open().close()
        connections[name] = connection

    class RegisteredDataSource(AdsecurityDataSource):
        # Serialized with what is in it, since it is made in a function.
        _connections = connections

    spark.dataSource.register(RegisteredDataSource)
