"""Both APIs on this machine, served from their specs: for trying, demonstrating and testing, with invented data."""

from __future__ import annotations

from .. import _extras

try:
    from ._apps import Recorded
    from ._faults import Fault
    from ._sandbox import Sandbox
except ModuleNotFoundError:
    # Where one of these is what is missing, the error names the pip command instead.
    for module in ("jsonschema_rs", "starlette", "uvicorn"):
        _extras.require(module, extra="sandbox")
    raise

__all__ = ["Fault", "Recorded", "Sandbox"]
