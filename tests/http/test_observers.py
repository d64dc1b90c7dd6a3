"""What people put around httpx sees our requests: OpenTelemetry, respx and pytest-httpx, each the real package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpx import HTTPXMock

from tests.support.demo.drivers import Driver, Server
from tests.support.demo.surface import GET, KEY

ONE = {"thing_id": "1"}
URL = "https://api.example/base/api/v2/things/1"
THING = {"data": {"id": "seen"}}


@pytest.fixture
def spans() -> Iterator[Any]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter, provider
    provider.shutdown()


def check(exporter: Any, url: str) -> None:
    (span,) = exporter.get_finished_spans()
    assert dict(span.attributes)["http.url"] == f"{url}/api/v2/things/1"
    assert KEY not in span.to_json()


def test_opentelemetry_installed_globally_sees_a_call(driver: Driver, server: Server, spans: Any) -> None:
    exporter, provider = spans
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        driver.call(driver.client(base_url=server.url), "one", GET, ONE)
    finally:
        instrumentor.uninstrument()
    check(exporter, server.url)
    # The server is told where the call belongs.
    assert "traceparent" in server.seen[0].headers


def test_opentelemetry_on_the_callers_client_sees_a_call(driver: Driver, server: Server, spans: Any) -> None:
    exporter, provider = spans
    http = httpx.AsyncClient() if driver.is_async else httpx.Client()
    HTTPXClientInstrumentor.instrument_client(http, tracer_provider=provider)
    driver.call(driver.client(base_url=server.url, http_client=http), "one", GET, ONE)
    driver.run(http.aclose() if isinstance(http, httpx.AsyncClient) else http.close())
    check(exporter, server.url)


def test_respx_answers_a_call(driver: Driver) -> None:
    with respx.mock as router:
        route = router.get(URL).respond(json=THING)
        assert driver.call(driver.client(), "one", GET, ONE).id == "seen"
    assert route.call_count == 1
    assert route.calls[0].request.headers["api-key"] == KEY


def test_respx_answers_a_call_of_the_callers_client(driver: Driver) -> None:
    """Its other way, by `using="httpx"`, replaces a part of the client that our own calls do without."""
    http = httpx.AsyncClient() if driver.is_async else httpx.Client()
    with respx.mock(using="httpx") as router:
        route = router.get(URL).respond(json=THING)
        assert driver.call(driver.client(http_client=http), "one", GET, ONE).id == "seen"
    driver.run(http.aclose() if isinstance(http, httpx.AsyncClient) else http.close())
    assert route.call_count == 1


def test_pytest_httpx_answers_a_call(driver: Driver, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=URL, json=THING)
    assert driver.call(driver.client(), "one", GET, ONE).id == "seen"
    (request,) = httpx_mock.get_requests()
    assert request.headers["api-key"] == KEY
