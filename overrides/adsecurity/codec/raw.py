"""The response to a call as it was received."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen(eq=False)
class RawResponse(Generic[T]):
    """A response as it was received; `parse()` decodes it."""

    status_code: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    elapsed: float
    """Seconds that the whole call took, retries included."""
    _parse: Callable[[], T] = attrs.field(repr=False)

    def parse(self) -> T:
        """The decoded result: what the method returns without `with_raw_response`.

        Raises `ResponseDecodeError` when the body is not what the operation promises.
        """
        return self._parse()

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.content)
