"""The models of the Adsecurity API, and the plain dicts that requests take in their place (`…Dict`).

Models are imported when they are first used.
"""

from typing import TYPE_CHECKING, Any

from adsecurity_generated.adsecurity import models as _models
from adsecurity_generated.adsecurity import typed_dicts as _typed_dicts

if TYPE_CHECKING:
    from adsecurity_generated.adsecurity.models import *  # noqa: F403
    from adsecurity_generated.adsecurity.typed_dicts import *  # noqa: F403

_DICTS = [name for name in vars(_typed_dicts) if name.endswith("Dict") and name != "TypedDict"]

__all__ = [*_models.__all__, *_DICTS]  # pyright: ignore[reportUnsupportedDunderAll]

if not TYPE_CHECKING:  # pragma: no branch - only type checkers go past it
    # Type checkers know the names from above; to them this would make any other name right, too.
    def __getattr__(name: str) -> Any:
        return getattr(_typed_dicts if name in _DICTS else _models, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
