"""What a flow may ask its driver to do. A flow is a generator that yields steps and is sent their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

import attrs

S = TypeVar("S")
R = TypeVar("R")

Flow = Generator[S, object, R]
"""Yields steps of type S, returns R."""


@attrs.frozen
class Sleep:
    seconds: float


@attrs.frozen(eq=False, repr=False)
class Call:
    """Call it; what an async one gives back is awaited."""

    call: Callable[[], object]


@attrs.frozen(eq=False, repr=False)
class BlockingCall:
    """Call it where blocking does no harm."""

    call: Callable[[], object]


@attrs.frozen(eq=False, repr=False)
class Chunk:
    """Hand this on to whoever reads the stream."""

    data: bytes


Step = Sleep | Call | BlockingCall | Chunk
