"""The steps that a flow can yield. A flow is a generator: its driver performs each step and sends back the outcome."""

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
    """Wait."""

    seconds: float


@attrs.frozen(eq=False, repr=False)
class Call:
    """Call a function; an async driver awaits its result if it can be awaited."""

    call: Callable[[], object]


@attrs.frozen(eq=False, repr=False)
class BlockingCall:
    """Call a function that blocks; an async driver runs it in a thread."""

    call: Callable[[], object]


@attrs.frozen(eq=False, repr=False)
class Chunk:
    """Yield these bytes to the reader of the stream."""

    data: bytes


Step = Sleep | Call | BlockingCall | Chunk
