from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.paging.kit import Use
from tests.support.demo.fixtures import driver as driver


@pytest.fixture(params=["sync", "async"])
def use(request: pytest.FixtureRequest) -> Iterator[Use]:
    """Each test that takes it runs once with each client."""
    using = Use(request.param)
    yield using
    using.close()
