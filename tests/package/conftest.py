"""The specs, for tests that hold what is written about them against them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.our_specs import read_trees


@pytest.fixture(scope="session")
def trees() -> dict[str, Any]:
    """Both specs as plain data; never to be changed."""
    return read_trees()
