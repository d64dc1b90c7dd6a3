"""Both APIs on this machine, served from their specs: for trying, demonstrating and testing, with invented data."""

from __future__ import annotations

try:
    from ._apps import Recorded
    from ._faults import Fault
    from ._sandbox import Sandbox
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] not in ("jsonschema_rs", "starlette", "uvicorn"):
        raise
    raise ModuleNotFoundError(
        f"the sandbox needs {error.name}: pip install 'adsecurity[sandbox]'", name=error.name
    ) from error

__all__ = ["Fault", "Recorded", "Sandbox"]
