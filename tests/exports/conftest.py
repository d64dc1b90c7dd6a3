from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.exports.kit import Bench


@pytest.fixture(params=["sync", "async"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Each test that takes it runs once with each client."""
    made = Bench(request.param)
    yield made
    made.close()


@pytest.fixture
def _fast_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll every other millisecond."""
    monkeypatch.setattr("adsecurity.exports.base_job._FIRST_POLL", 0.002)
    monkeypatch.setattr("adsecurity.exports.base_job._LAST_POLL", 0.002)
