"""Packages made of tiny specs, once for each file of tests; copies of our specs to damage, and their disguises."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.disguise import Disguise
from tests.support.our_specs import ROOT, SURFACES, read_trees
from tests.support.routes import before_adoption
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


@pytest.fixture(scope="session")
def trees() -> dict[str, Any]:
    """Both specs as plain data, as they are before an adoption; never to be changed."""
    return {name: before_adoption(name) for name in SURFACES}


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A folder with copies of our specs, as they are before an adoption."""
    folder = tmp_path / "specs"
    folder.mkdir()
    adopted = read_trees()
    for name in SURFACES:
        if before_adoption(name) == adopted[name]:
            shutil.copy(ROOT / f"specs/{name}.yaml", folder)
        else:
            text = yaml.dump(before_adoption(name), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def official(tmp_path: Path) -> Callable[[Disguise], Path]:
    """The vendor's file, as somebody else's tool would have written it."""

    def write(disguise: Disguise) -> Path:
        path = tmp_path / "official.json"
        path.write_text(json.dumps(disguise.document), encoding="utf-8")
        return path

    return write
