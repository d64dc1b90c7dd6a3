"""The sources: settings are checked at once, and each operation that lists something becomes a resource."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal

from adsecurity_generated._operation import Operation, Surface
from adsecurity_generated.adsecurity.surface import SURFACE as ADSECURITY
from adsecurity_generated.network.surface import SURFACE as NETWORK

from ..client.adsecurity import AdsecurityClient
from ..client.network import NetworkClient
from ..codec.secrets import Secret
from ..errors import ConfigurationError
from ..flow.extras import require
from ..http.config import find_key
from .reading import Moment, Reading
from .table import Table, resource_name

dlt: Any = require("dlt", extra="dlt")

_LISTS = ("pages", "cursor", "report-pages", "report-numbered", "rows")
_SECTION = "adsecurity"
"""Where dlt's settings for these sources stand: `sources.adsecurity.network.api_key`."""
_NONE: Mapping[str, Any] = MappingProxyType({})


def network(
    *,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    lag: timedelta = timedelta(0),
    backfill: Literal["pages", "export"] = "pages",
    export_timezone: str | None = None,
    page_size: int = 100,
    concurrency: int = 1,
    api_key: str | None = None,
    base_url: str | None = None,
    parameters: Mapping[str, Mapping[str, Any]] = _NONE,
    **ids: Any,
) -> Any:
    """The Network admin API as a dlt source, with a resource for each list and report.

    The resources are selected that have what they need; `with_resources()` chooses among them. Each load of a report
    goes on where the one before it ended; lists are read whole. Rows are merged: those of a report by its key and the
    time, those of a list by their id; a list without ids is replaced.

    Args:
        start_time: From here on the first load reads reports. A date, a datetime or a text; in UTC without a zone.
        end_time: Up to before here reports are read; such a load reads from `start_time` and leaves the position of
            the others as it is. Without it reports are read up to now.
        lag: So late may rows arrive: each load reads again what lies so long before the latest row.
        backfill: `export` reads what has no position yet, or an `end_time`, from an export of the same rows, where
            there is one. It is waited for an hour at most.
        export_timezone: The IANA time zone of times in exported files, for an API that does not take one.
        page_size: Items per page, at most 100.
        concurrency: Number of workers that share the range of a report.
        api_key: The key. Without it dlt's secret `sources.adsecurity.network.api_key` counts, then the variable
            `ADSECURITY_NETWORK_API_KEY`.
        base_url: The address of the API. Without it dlt's setting `sources.adsecurity.network.base_url` counts, then
            the variable `ADSECURITY_NETWORK_BASE_URL`.
        parameters: What single resources are asked for beyond that, by their names:
            `{"users": {"filter": {"role": "admin"}}}`.
        ids: What methods cannot be called without (`integration_id=`), each for all resources that need it; and
            arguments of `NetworkClient`, such as `timeout=`, `retry=` or `proxy=`.

    Returns:
        A `dlt.sources.DltSource`.

    Raises:
        ConfigurationError: a setting of the client is missing or wrong.
        TypeError, ValueError: an argument is unknown or wrong. What a selected resource lacks is told when the
            pipeline is run, by dlt's PipelineStepFailed. Nothing was sent in any of these cases.
    """
    key = _find_key(NETWORK, NetworkClient, api_key)
    # Tracebacks with local variables would show the key.
    del api_key
    reading = Reading(start_time, end_time, lag, backfill, export_timezone, page_size, concurrency)
    return _source(NETWORK, NetworkClient, key, base_url, reading, parameters, ids)


def adsecurity(
    *,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    lag: timedelta = timedelta(0),
    backfill: Literal["pages", "export"] = "pages",
    export_timezone: str | None = None,
    page_size: int = 100,
    concurrency: int = 1,
    api_key: str | None = None,
    base_url: str | None = None,
    parameters: Mapping[str, Mapping[str, Any]] = _NONE,
    **ids: Any,
) -> Any:
    """The Adsecurity API as a dlt source, with a resource for each list and report.

    As `network`, with the key from dlt's secret `sources.adsecurity.adsecurity.api_key` or `ADSECURITY_API_KEY`, and
    another address than the documented one from `sources.adsecurity.adsecurity.base_url` or `ADSECURITY_BASE_URL`. Its
    reports are asked for by days, of which the rows from `start_time` on and before `end_time` are loaded. What
    publishers see takes `organization_id=`.
    """
    key = _find_key(ADSECURITY, AdsecurityClient, api_key)
    # Tracebacks with local variables would show the key.
    del api_key
    reading = Reading(start_time, end_time, lag, backfill, export_timezone, page_size, concurrency)
    return _source(ADSECURITY, AdsecurityClient, key, base_url, reading, parameters, ids)


def _find_key(surface: Surface, client: type[Any], given: str | None) -> Secret | ConfigurationError:
    if given is None:
        # By its full name: dlt's own search would end at an `api_key` that is meant for something else.
        given = dlt.secrets.get(f"sources.{_SECTION}.{surface.name}.api_key")
    return find_key(surface, given, client.__name__)


def _source(
    surface: Surface,
    client: type[Any],
    key: Secret | ConfigurationError,
    base_url: str | None,
    reading: Reading,
    parameters: Mapping[str, Mapping[str, Any]],
    keywords: Mapping[str, Any],
) -> Any:
    if isinstance(key, ConfigurationError):
        raise key
    if base_url is None:
        base_url = dlt.config.get(f"sources.{_SECTION}.{surface.name}.base_url")
    of_client = inspect.signature(client).parameters
    settings = {name: value for name, value in keywords.items() if name in of_client}
    ids = {name: value for name, value in keywords.items() if name not in of_client}

    def connect() -> Any:
        return client(api_key=key, base_url=base_url, **settings)

    connect().close()
    operations = [surface.operation(name) for name in surface.routes]
    exports = [op for op in operations if op.kind == "export"] if reading.backfill == "export" else []
    tables: list[Table] = []
    for op in operations:
        if op.kind in _LISTS:
            export = next((export for export in exports if _is_same(export, op)), None)
            tables.append(Table(op, export, reading, ids, parameters.get(resource_name(op), {}), connect))
    _check(f"{surface.name}()", tables, ids, {*of_client}, parameters)

    def resources() -> list[Any]:
        return [table.resource() for table in tables]

    return dlt.source(resources, name=surface.name, section=_SECTION)()


def _is_same(export: Operation[Any], report: Operation[Any]) -> bool:
    """Whether an export has the rows of a report: of the same model, and for the same reader."""
    of_export, of_report = (op.resource.split(".")[:-2] for op in (export, report))
    return report.range is not None and export.rows == getattr(report.model, "__name__", "") and of_export == of_report


def _check(
    call: str,
    tables: list[Table],
    ids: Mapping[str, Any],
    settings: set[str],
    parameters: Mapping[str, Mapping[str, Any]],
) -> None:
    """Refuse names that nothing has."""
    needed = {name for table in tables for name in table.needed}
    for name in ids.keys() - needed:
        raise TypeError(f"{call} has no argument {name!r}{_near(name, needed | settings)}")
    by_name = {table.name: table for table in tables}
    for resource, given in parameters.items():
        if resource not in by_name:
            raise ValueError(f"{call}: parameters: there is no resource {resource!r}{_near(resource, by_name)}")
        known = {*by_name[resource].needed, *by_name[resource].optional}
        for name in given.keys() - known:
            raise TypeError(f"{call}: parameters: {resource} has no argument {name!r}{_near(name, known)}")


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; {near[0]}?" if near else ""
