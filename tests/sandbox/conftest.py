"""A sandbox for each module of tests, and clients that show their key to its two APIs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adsecurity.sandbox import Sandbox
from tests.support.routes import Rerouted

ROWS = 600
# The day after the week that the tests ask for.
TODAY = "2026-11-08"
SPECS = Path(__file__).parents[2] / "specs"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=ROWS, today=TODAY) as running:
        yield running


@pytest.fixture
def network(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with client_of(sandbox, "network") as client:
        yield client


@pytest.fixture
def adsecurity(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with client_of(sandbox, "adsecurity") as client:
        yield client


def client_of(sandbox: Sandbox, surface: str) -> httpx.Client:
    headers = {"API-KEY": sandbox.api_key}
    if surface == "adsecurity":
        headers["Content-Type"] = "application/json"
    base = sandbox.network_url if surface == "network" else sandbox.adsecurity_url
    # The tests name operations by the routes that the documentation suggests; the specs may know better.
    return httpx.Client(base_url=f"{base}/api/v2", headers=headers, transport=Rerouted(surface))
