"""What belongs to one process: a forked child has copies of it, and must neither go on with it nor end it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import getpid
from typing import TypeVar

from ..errors import ConfigurationError

T = TypeVar("T")


class Process:
    """The process in which something was begun; what it is, and how another one is begun, are for the error."""

    def __init__(self, what: str, instead: str = "") -> None:
        self.id = getpid()
        self._what, self._instead = what, instead

    @property
    def is_current(self) -> bool:
        """False in a forked child: sockets, files, threads and locks are the parent's, which works on with them."""
        return getpid() == self.id

    def check(self) -> None:
        """Raises ConfigurationError in a forked child."""
        if getpid() != self.id:
            raise ConfigurationError(
                f"{self._what} was begun before the process was forked; in the child, begin a new one{self._instead}"
            )

    def own(self, items: Iterable[T]) -> Iterator[T]:
        """The items; a child that asks for one more gets the error, also where more has been read already."""
        self.check()
        for item in items:
            yield item
            self.check()
