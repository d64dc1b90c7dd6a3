"""What every folder of tests shares."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio: the client uses nothing of any other loop."""
    return "asyncio"
