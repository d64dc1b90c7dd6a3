"""The committed specs as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SURFACES = ("network", "adsecurity")


def read_trees() -> dict[str, Any]:
    return {
        name: yaml.load((ROOT / f"specs/{name}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
        for name in SURFACES
    }
