"""Packages made of tiny specs, once for each file of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.tiny_spec import Package, Spec


@pytest.fixture(scope="module")
def make_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Spec], Package]]:
    """Generate from a spec and import the result."""
    made: list[Package] = []

    def make(spec: Spec) -> Package:
        folder: Path = tmp_path_factory.mktemp("package")
        made.append(Package(spec, folder))
        return made[-1]

    yield make
    for package in made:
        package.forget()
