# ruff: noqa: E501
"""Checkpoints that earlier versions wrote are read, and give exactly the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import httpx
import pytest

from adsecurity import AdsecurityClient, NetworkClient
from tests.paging.kit import Server, rows
from tests.support.report_server import ReportServer, make_rows
from tests.support.routes import TABLE

BASE = datetime(2026, 11, 1, tzinfo=UTC)
URL = {"api_key": "k", "base_url": "https://api.test"}
DAYS = {"start_date": "2026-11-01", "end_date": "2026-11-05"}
CLICKS = {"integration_id": "i", "start_time": "2026-11-01", "end_time": "2026-11-02", "timezone": "Europe/Berlin"}

USERS = Server("pages", [{"id": f"u{number}"} for number in range(25)])
REPORT = ReportServer(make_rows([BASE + timedelta(hours=0.5 * number) for number in range(150)]))
BACKWARDS = Server("cursor", rows(28))
NUMBERED = Server("report-numbered", [{"clicks": number} for number in range(25)])

CALLS: dict[str, Callable[..., Any]] = {
    "pages": lambda more: _network(USERS).users.list(page_size=10, filter={"role": "admin"}, **more),
    "cursor": lambda more: _network(REPORT.answer).reports.clicks(**CLICKS, page_size=7, **more),
    "report-pages": lambda more: _ads(REPORT.answer).reports.clicks(
        integration_id="i", **DAYS, filters=[{"field": "country", "value": "DE"}], page_size=10, **more
    ),
    "report-numbered": lambda more: _ads(NUMBERED).reports.performance(
        integration_id="i", **DAYS, columns=["clicks"], page_size=10, **more
    ),
    "cursor, backwards": lambda more: _network(BACKWARDS).reports.clicks(**CLICKS, page_size=7, before="tx-27", **more),
    "concurrency": lambda more: _network(REPORT.answer).reports.clicks(**CLICKS, page_size=7, concurrency=3, **more),
    "concurrency of numbered pages": lambda more: _ads(REPORT.answer).reports.clicks(
        integration_id="i", **DAYS, page_size=10, concurrency=3, **more
    ),
    "concurrency of days by cursor": lambda more: (
        _ads(REPORT.answer).publisher_view("o1").reports.clicks(**DAYS, page_size=7, concurrency=2, **more)
    ),
}
TAKEN = (0, 3, 10, 17, 24)


def _routes(surface: str) -> dict[str, str]:
    """The routes that there were when these checkpoints were written: the first version signs them."""
    return {one["id"]: f"{one['method']} {one['path']}" for one in TABLE if one["surface"] == surface}


def _network(server: Callable[[httpx.Request], httpx.Response]) -> NetworkClient:
    return NetworkClient(**URL, routes=_routes("network"), transport=httpx.MockTransport(server))


def _ads(server: Callable[[httpx.Request], httpx.Response]) -> AdsecurityClient:
    return AdsecurityClient(**URL, routes=_routes("adsecurity"), transport=httpx.MockTransport(server))


def take(name: str, count: int) -> str:
    """The checkpoint after so many rows."""
    iterator = iter(CALLS[name]({}))
    assert len(list(islice(iterator, count))) == count
    checkpoint: str = iterator.checkpoint()
    iterator.close()
    return checkpoint


def contents(found: Any) -> list[str]:
    return [json.dumps(row.to_dict(), sort_keys=True, default=str) for row in found]


# Written by the version before this test, `take(name, count)` for each.
OLD: dict[str, dict[int, str]] = {
    "pages": {
        0: '{"v":1,"op":"network.listUsers","args":"08af22ae329d5f73","at":{"page":1}}',
        3: '{"v":1,"op":"network.listUsers","args":"08af22ae329d5f73","at":{"page":1,"skip":3,"total":25}}',
        10: '{"v":1,"op":"network.listUsers","args":"08af22ae329d5f73","at":{"page":2,"total":25}}',
        17: '{"v":1,"op":"network.listUsers","args":"08af22ae329d5f73","at":{"page":2,"skip":7,"total":25}}',
        24: '{"v":1,"op":"network.listUsers","args":"08af22ae329d5f73","at":{"page":3,"skip":4,"total":25}}',
    },
    "cursor": {
        0: '{"v":1,"op":"network.listClickReport","args":"8399bba37f439bbd","at":{}}',
        3: '{"v":1,"op":"network.listClickReport","args":"8399bba37f439bbd","at":{"mark":"3957dae3de0b","nth":1}}',
        10: '{"v":1,"op":"network.listClickReport","args":"8399bba37f439bbd","at":{"cursor":"40","skip":3}}',
        17: '{"v":1,"op":"network.listClickReport","args":"8399bba37f439bbd","at":{"cursor":"33","skip":3}}',
        24: '{"v":1,"op":"network.listClickReport","args":"8399bba37f439bbd","at":{"cursor":"26","skip":3}}',
    },
    "report-pages": {
        0: '{"v":1,"op":"adsecurity.listClickReport","args":"d08de709cb8373cf","at":{"page":1}}',
        3: '{"v":1,"op":"adsecurity.listClickReport","args":"d08de709cb8373cf","at":{"page":1,"skip":3}}',
        10: '{"v":1,"op":"adsecurity.listClickReport","args":"d08de709cb8373cf","at":{"page":2}}',
        17: '{"v":1,"op":"adsecurity.listClickReport","args":"d08de709cb8373cf","at":{"page":2,"skip":7}}',
        24: '{"v":1,"op":"adsecurity.listClickReport","args":"d08de709cb8373cf","at":{"page":3,"skip":4}}',
    },
    "report-numbered": {
        0: '{"v":1,"op":"adsecurity.listPerformanceReport","args":"d623e5e438d93e2d","at":{"page":1}}',
        3: '{"v":1,"op":"adsecurity.listPerformanceReport","args":"d623e5e438d93e2d","at":{"page":1,"skip":3}}',
        10: '{"v":1,"op":"adsecurity.listPerformanceReport","args":"d623e5e438d93e2d","at":{"page":2}}',
        17: '{"v":1,"op":"adsecurity.listPerformanceReport","args":"d623e5e438d93e2d","at":{"page":2,"skip":7}}',
        24: '{"v":1,"op":"adsecurity.listPerformanceReport","args":"d623e5e438d93e2d","at":{"page":3,"skip":4}}',
    },
    "cursor, backwards": {
        0: '{"v":1,"op":"network.listClickReport","args":"6dfac0caf10dfdcf","at":{"cursor":"tx-27"}}',
        3: '{"v":1,"op":"network.listClickReport","args":"6dfac0caf10dfdcf","at":{"cursor":"tx-27","skip":3}}',
        10: '{"v":1,"op":"network.listClickReport","args":"6dfac0caf10dfdcf","at":{"cursor":"tx-20","skip":3}}',
        17: '{"v":1,"op":"network.listClickReport","args":"6dfac0caf10dfdcf","at":{"cursor":"tx-13","skip":3}}',
        24: '{"v":1,"op":"network.listClickReport","args":"6dfac0caf10dfdcf","at":{"cursor":"tx-6","skip":3}}',
    },
    "concurrency": {
        0: '{"v":1,"op":"network.listClickReport","args":"4f3dd3846c594046","at":{}}',
        3: '{"v":1,"op":"network.listClickReport","args":"4f3dd3846c594046","at":{"windows":{"span":[1793566800,1793577600],"asked":[1793491200,1793577600],"rest":[1793491200,1793566800],"newest_first":true,"density":0.0006026785714285715,"seen":{},"tail":["2026-11-01 22:00:00+00:00|k44"]},"spot":{"mark":"3957dae3de0b","nth":1}}}',
        10: '{"v":1,"op":"network.listClickReport","args":"4f3dd3846c594046","at":{"windows":{"span":[1793545200,1793566800],"asked":[1793545200,1793566800],"rest":[1793491200,1793545200],"newest_first":true,"density":0.0006026785714285715,"seen":{},"tail":["2026-11-01 18:30:00+00:00|k37"]},"spot":{"mark":"454a1240ffb0","nth":1}}}',
        17: '{"v":1,"op":"network.listClickReport","args":"4f3dd3846c594046","at":{"windows":{"span":[1793545200,1793566800],"asked":[1793545200,1793566800],"rest":[1793491200,1793545200],"newest_first":true,"density":0.0006026785714285715,"seen":{},"tail":["2026-11-01 15:00:00+00:00|k30"]},"spot":{"cursor":"34","skip":4}}}',
        24: '{"v":1,"op":"network.listClickReport","args":"4f3dd3846c594046","at":{"windows":{"span":[1793522800,1793545200],"asked":[1793522800,1793545200],"rest":[1793491200,1793522800],"newest_first":true,"density":0.0006026785714285715,"seen":{},"tail":["2026-11-01 11:30:00+00:00|k23"]},"spot":{"mark":"b945583c6a59","nth":1}}}',
    },
    "concurrency of numbered pages": {
        0: '{"v":1,"op":"adsecurity.listClickReport","args":"c21f0525d5f01736","at":{}}',
        3: '{"v":1,"op":"adsecurity.listClickReport","args":"c21f0525d5f01736","at":{"windows":{"span":[739924,739925],"asked":[739924,739925],"rest":[739921,739924],"newest_first":true,"density":93.0,"seen":{},"tail":["2026-11-04 02:30:00+00:00|k149","2026-11-04 02:00:00+00:00|k148","2026-11-04 01:30:00+00:00|k147"]},"spot":{"page":1,"skip":3}}}',
        10: '{"v":1,"op":"adsecurity.listClickReport","args":"c21f0525d5f01736","at":{"windows":{"span":[739923,739924],"asked":[739923,739924],"rest":[739921,739923],"newest_first":true,"density":80.0,"seen":{},"tail":["2026-11-04 02:30:00+00:00|k149","2026-11-04 02:00:00+00:00|k148","2026-11-04 01:30:00+00:00|k147","2026-11-04 01:00:00+00:00|k146","2026-11-04 00:30:00+00:00|k145","2026-11-04 00:00:00+00:00|k144","2026-11-03 23:30:00+00:00|k143","2026-11-03 23:00:00+00:00|k142","2026-11-03 22:30:00+00:00|k141","2026-11-03 22:00:00+00:00|k140"]},"spot":{"page":2}}}',
        17: '{"v":1,"op":"adsecurity.listClickReport","args":"c21f0525d5f01736","at":{"windows":{"span":[739923,739924],"asked":[739923,739924],"rest":[739921,739923],"newest_first":true,"density":93.0,"seen":{},"tail":["2026-11-04 02:30:00+00:00|k149","2026-11-04 02:00:00+00:00|k148","2026-11-04 01:30:00+00:00|k147","2026-11-04 01:00:00+00:00|k146","2026-11-04 00:30:00+00:00|k145","2026-11-04 00:00:00+00:00|k144","2026-11-03 23:30:00+00:00|k143","2026-11-03 23:00:00+00:00|k142","2026-11-03 22:30:00+00:00|k141","2026-11-03 22:00:00+00:00|k140","2026-11-03 21:30:00+00:00|k139","2026-11-03 21:00:00+00:00|k138","2026-11-03 20:30:00+00:00|k137","2026-11-03 20:00:00+00:00|k136","2026-11-03 19:30:00+00:00|k135","2026-11-03 19:00:00+00:00|k134","2026-11-03 18:30:00+00:00|k133"]},"spot":{"page":2,"skip":7}}}',
        24: '{"v":1,"op":"adsecurity.listClickReport","args":"c21f0525d5f01736","at":{"windows":{"span":[739923,739924],"asked":[739923,739924],"rest":[739921,739923],"newest_first":true,"density":93.0,"seen":{},"tail":["2026-11-04 02:30:00+00:00|k149","2026-11-04 02:00:00+00:00|k148","2026-11-04 01:30:00+00:00|k147","2026-11-04 01:00:00+00:00|k146","2026-11-04 00:30:00+00:00|k145","2026-11-04 00:00:00+00:00|k144","2026-11-03 23:30:00+00:00|k143","2026-11-03 23:00:00+00:00|k142","2026-11-03 22:30:00+00:00|k141","2026-11-03 22:00:00+00:00|k140","2026-11-03 21:30:00+00:00|k139","2026-11-03 21:00:00+00:00|k138","2026-11-03 20:30:00+00:00|k137","2026-11-03 20:00:00+00:00|k136","2026-11-03 19:30:00+00:00|k135","2026-11-03 19:00:00+00:00|k134","2026-11-03 18:30:00+00:00|k133","2026-11-03 18:00:00+00:00|k132","2026-11-03 17:30:00+00:00|k131","2026-11-03 17:00:00+00:00|k130","2026-11-03 16:30:00+00:00|k129","2026-11-03 16:00:00+00:00|k128","2026-11-03 15:30:00+00:00|k127","2026-11-03 15:00:00+00:00|k126"]},"spot":{"page":3,"skip":4}}}',
    },
    "concurrency of days by cursor": {
        0: '{"v":1,"op":"adsecurity.listPublisherClickReport","args":"8ca363c082586308","at":{}}',
        3: '{"v":1,"op":"adsecurity.listPublisherClickReport","args":"8ca363c082586308","at":{"windows":{"span":[739923,739925],"asked":[739921,739925],"rest":[739921,739923],"newest_first":true,"density":15.25,"seen":{},"tail":["2026-11-04 02:30:00+00:00|k149","2026-11-04 02:00:00+00:00|k148","2026-11-04 01:30:00+00:00|k147"]},"spot":{"mark":"c322cd93dce8","nth":1}}}',
        10: '{"v":1,"op":"adsecurity.listPublisherClickReport","args":"8ca363c082586308","at":{"windows":{"span":[739923,739925],"asked":[739923,739925],"rest":[739921,739923],"newest_first":true,"density":15.25,"seen":{},"tail":["2026-11-04 02:30:00+00:00|k149","2026-11-04 02:00:00+00:00|k148","2026-11-04 01:30:00+00:00|k147","2026-11-04 01:00:00+00:00|k146","2026-11-04 00:30:00+00:00|k145","2026-11-04 00:00:00+00:00|k144","2026-11-03 23:30:00+00:00|k143","2026-11-03 23:00:00+00:00|k142","2026-11-03 22:30:00+00:00|k141","2026-11-03 22:00:00+00:00|k140"]},"spot":{"cursor":"143","skip":3}}}',
        17: '{"v":1,"op":"adsecurity.listPublisherClickReport","args":"8ca363c082586308","at":{"windows":{"span":[739923,739925],"asked":[739923,739925],"rest":[739921,739923],"newest_first":true,"density":15.25,"seen":{},"tail":["2026-11-04 02:30:00+00:00|k149","2026-11-04 02:00:00+00:00|k148","2026-11-04 01:30:00+00:00|k147","2026-11-04 01:00:00+00:00|k146","2026-11-04 00:30:00+00:00|k145","2026-11-04 00:00:00+00:00|k144","2026-11-03 23:30:00+00:00|k143","2026-11-03 23:00:00+00:00|k142","2026-11-03 22:30:00+00:00|k141","2026-11-03 22:00:00+00:00|k140","2026-11-03 21:30:00+00:00|k139","2026-11-03 21:00:00+00:00|k138","2026-11-03 20:30:00+00:00|k137","2026-11-03 20:00:00+00:00|k136","2026-11-03 19:30:00+00:00|k135","2026-11-03 19:00:00+00:00|k134","2026-11-03 18:30:00+00:00|k133"]},"spot":{"cursor":"136","skip":3}}}',
        24: '{"v":1,"op":"adsecurity.listPublisherClickReport","args":"8ca363c082586308","at":{"windows":{"span":[739923,739925],"asked":[739923,739925],"rest":[739921,739923],"newest_first":true,"density":15.25,"seen":{},"tail":["2026-11-04 02:30:00+00:00|k149","2026-11-04 02:00:00+00:00|k148","2026-11-04 01:30:00+00:00|k147","2026-11-04 01:00:00+00:00|k146","2026-11-04 00:30:00+00:00|k145","2026-11-04 00:00:00+00:00|k144","2026-11-03 23:30:00+00:00|k143","2026-11-03 23:00:00+00:00|k142","2026-11-03 22:30:00+00:00|k141","2026-11-03 22:00:00+00:00|k140","2026-11-03 21:30:00+00:00|k139","2026-11-03 21:00:00+00:00|k138","2026-11-03 20:30:00+00:00|k137","2026-11-03 20:00:00+00:00|k136","2026-11-03 19:30:00+00:00|k135","2026-11-03 19:00:00+00:00|k134","2026-11-03 18:30:00+00:00|k133","2026-11-03 18:00:00+00:00|k132","2026-11-03 17:30:00+00:00|k131","2026-11-03 17:00:00+00:00|k130","2026-11-03 16:30:00+00:00|k129","2026-11-03 16:00:00+00:00|k128","2026-11-03 15:30:00+00:00|k127","2026-11-03 15:00:00+00:00|k126"]},"spot":{"cursor":"129","skip":3}}}',
    },
}


@pytest.mark.parametrize("name", CALLS)
def test_an_old_checkpoint_gives_exactly_the_rest(name: str) -> None:
    everything = contents(CALLS[name]({}))
    for count, checkpoint in OLD[name].items():
        assert contents(CALLS[name]({"resume": checkpoint})) == everything[count:], count


@pytest.mark.parametrize("name", CALLS)
def test_a_checkpoint_written_now_gives_exactly_the_rest_too(name: str) -> None:
    everything = contents(CALLS[name]({}))
    for count in TAKEN:
        assert contents(CALLS[name]({"resume": take(name, count)})) == everything[count:], count


@pytest.mark.parametrize("name", CALLS)
def test_an_old_checkpoint_of_other_arguments_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="with other arguments"):
        CALLS[name]({"resume": OLD[name][10].replace('"args":"', '"args":"f')})
