"""Fixtures of the core's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.demo.drivers import Driver, Server, serve


@pytest.fixture(params=["sync", "async"])
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    driver = Driver(request.param)
    yield driver
    driver.finish()


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serve()


@pytest.fixture
def second_server() -> Iterator[Server]:
    yield from serve()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for prefix in ("NETWORK_", "", "DEMO_", "OTHER_"):
        monkeypatch.delenv(f"ADSECURITY_{prefix}API_KEY", raising=False)
        monkeypatch.delenv(f"ADSECURITY_{prefix}BASE_URL", raising=False)
