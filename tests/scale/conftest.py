"""What the tests of the lane share: one sandbox a module, and dlt that keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adsecurity.sandbox import Sandbox


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with Sandbox(today="2026-11-08", rows=600) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    """A sandbox that is as it was seeded."""
    served.reset()
    return served


@pytest.fixture(autouse=True)
def dlt_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No telemetry, no settings of whoever runs the tests."""
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
