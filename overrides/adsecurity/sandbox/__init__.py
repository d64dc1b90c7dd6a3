"""Both APIs on this machine, served from their specs with invented data: for trying, demonstrating and testing.

`Sandbox` runs the servers, `Fault` is something that can go wrong on request, `Recorded` is a request that arrived;
`python -m adsecurity.sandbox` serves until it is interrupted. Everything else is private.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..flow import extras

if TYPE_CHECKING:
    from ._apps import Recorded
    from ._faults import Fault
    from ._sandbox import Sandbox
else:
    # Imported at the first access, so that a missing extra is reported by name instead of as a failed import.
    _MODULES = {"Fault": "_faults", "Recorded": "_apps", "Sandbox": "_sandbox"}

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        for module in ("jsonschema_rs", "starlette", "uvicorn"):
            extras.require(module, extra="sandbox")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        return value


__all__ = ["Fault", "Recorded", "Sandbox"]
