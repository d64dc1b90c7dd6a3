"""Optional dependencies: imported when used, and named with their pip command when missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def require(module: str, *, extra: str = "") -> Any:
    """Import a module of an extra, or one that users install by its own name."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
    name = module.partition(".")[0]
    wanted = f"'adsecurity[{extra}]'" if extra else name
    raise ModuleNotFoundError(f"{name} is not installed; run: pip install {wanted}", name=module)
