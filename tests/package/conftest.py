"""Copies of our specs to damage, and their disguises."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.disguise import Disguise

ROOT = Path(__file__).resolve().parents[2]
SURFACES = ("network", "adsecurity")


@pytest.fixture(scope="session")
def trees() -> dict[str, Any]:
    """Both specs as plain data; never to be changed."""
    return {
        name: yaml.load((ROOT / f"specs/{name}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
        for name in SURFACES
    }


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A folder with copies of our specs."""
    folder = tmp_path / "specs"
    folder.mkdir()
    for name in SURFACES:
        shutil.copy(ROOT / f"specs/{name}.yaml", folder)
    return folder


@pytest.fixture
def official(tmp_path: Path) -> Callable[[Disguise], Path]:
    """The vendor's file, as somebody else's tool would have written it."""

    def write(disguise: Disguise) -> Path:
        path = tmp_path / "official.json"
        path.write_text(json.dumps(disguise.document), encoding="utf-8")
        return path

    return write
