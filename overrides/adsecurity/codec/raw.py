"""The answer to a call as it came over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen(eq=False)
class RawResponse(Generic[T]):
    """An answer as it came, and what it means by `parse()`."""

    status_code: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    elapsed: float
    """Seconds that the whole call took, retries included."""
    _parse: Callable[[], T] = attrs.field(repr=False)

    def parse(self) -> T:
        """What the answer means."""
        return self._parse()

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.content)
