"""The models of the two APIs: `adsecurity.types.network.Offer`, `adsecurity.types.adsecurity.Offer`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import adsecurity as adsecurity
    from . import network as network

__all__ = ["adsecurity", "network"]

if not TYPE_CHECKING:  # pragma: no branch - only type checkers go past it
    # Type checkers know the names from above; to them this would make any other name right, too.
    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f".{name}", __name__)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
