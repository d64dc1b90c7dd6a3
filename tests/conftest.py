"""What every folder of tests shares."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How long an example takes says nothing: machines are busy at times.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio: the client uses nothing of any other loop."""
    return "asyncio"
