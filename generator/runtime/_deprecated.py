"""Deprecated fields of models: they work as before, and code that uses one is warned and told the replacement."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

# Both packages, also as vendored copies: when they use a field themselves, the caller gets no warning.
_HOME = __name__.rpartition(".")[0].removesuffix("_generated")
_OURS = (f"{_HOME}.", f"{_HOME}_generated.")


class DeprecatedField:
    """A descriptor in front of the slot of an attribute; every use warns."""

    def __init__(self, slot: Any, name: str, replacement: str) -> None:
        self._slot = slot
        self._message = f"{name} is deprecated: {replacement}"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        self._warn()
        return self._slot.__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        self._warn()
        self._slot.__set__(instance, value)

    def _warn(self) -> None:
        # Two frames up: from here to __get__ or __set__, and from there to the code that uses the attribute.
        frame = inspect.currentframe()
        for _ in range(2):
            frame = frame.f_back if frame else None
        if frame is None or not str(frame.f_globals.get("__name__")).startswith(_OURS):
            warnings.warn(self._message, DeprecationWarning, stacklevel=3)


def deprecate(model: type[Any], attr: str, replacement: str) -> None:
    """Make the use of an attribute warn."""
    setattr(model, attr, DeprecatedField(vars(model)[attr], f"{model.__name__}.{attr}", replacement))
