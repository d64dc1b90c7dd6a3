"""What every folder of tests shares."""

from __future__ import annotations

import sys
import zoneinfo
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long an example takes says nothing: machines are busy at times.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio: the client uses nothing of any other loop."""
    return "asyncio"


@pytest.fixture
def _no_zone_data(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on Windows, and in small images: no time zone has a file."""
    for name in ["tzdata", *(name for name in sys.modules if name.startswith("tzdata."))]:
        monkeypatch.setitem(sys.modules, name, None)
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()
