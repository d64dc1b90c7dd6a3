"""The models of the Network admin API, each imported when it is first used."""

from typing import TYPE_CHECKING, Any

from adsecurity_generated.network import models as _models

if TYPE_CHECKING:
    from adsecurity_generated.network.models import *  # noqa: F403

__all__ = list(_models.__all__)  # pyright: ignore[reportUnsupportedDunderAll]

if not TYPE_CHECKING:  # pragma: no branch - only type checkers go past it
    # Type checkers know the names from above; to them this would make any other name right, too.
    def __getattr__(name: str) -> Any:
        return getattr(_models, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
