"""Both APIs on this machine, served from their specs: for trying, demonstrating and testing, with invented data."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..flow import extras

if TYPE_CHECKING:
    from ._apps import Recorded
    from ._faults import Fault
    from ._sandbox import Sandbox
else:
    # Imported when used: without the extra, `python -m` comes as far as its own words about it.
    _HOMES = {"Fault": "_faults", "Recorded": "_apps", "Sandbox": "_sandbox"}

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        for module in ("jsonschema_rs", "starlette", "uvicorn"):
            extras.require(module, extra="sandbox")
        found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return found


__all__ = ["Fault", "Recorded", "Sandbox"]
