"""One sandbox for all pages, seeded up to now as their ranges are, and as new for each block."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adsecurity.sandbox import Sandbox


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox(rows=400) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running
