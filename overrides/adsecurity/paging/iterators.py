"""What `iter()` of a paginator gives: its items, or its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from os import getpid
from typing import Generic, TypeVar

from .page import Page
from .sources import AsyncSource, Source

T = TypeVar("T")
V = TypeVar("V")


class ItemIterator(Iterator[T]):
    """One iteration over the items of a list."""

    def __init__(self, source: Source[T]) -> None:
        self._source, self._iteration = source, source.iteration
        self._items: list[T] = []
        self._process = 0

    def __next__(self) -> T:
        iteration = self._iteration
        # In a forked child the source refuses to go on, so the items that it has read are not given twice either.
        while iteration.emitted >= len(self._items) or getpid() != self._process:
            self._items = next(self._source).items
            self._process = getpid()
        iteration.emitted += 1
        return self._items[iteration.emitted - 1]

    def checkpoint(self) -> str:
        """The position behind the last item that was handed out; pass it as `resume=`."""
        return self._iteration.checkpoint()

    def close(self) -> None:
        """End the iteration: nothing more is requested."""
        self._items = []
        self._source.close()


class PageIterator(Iterator[V], Generic[T, V]):
    """One iteration over the pages of a list."""

    def __init__(self, source: Source[T], shape: Callable[[Page[T]], V]) -> None:
        self._source, self._shape = source, shape

    def __next__(self) -> V:
        page = next(self._source)
        self._source.iteration.emitted = len(page.items)
        return self._shape(page)

    def checkpoint(self) -> str:
        """The position behind the last page that was handed out; pass it as `resume=`."""
        return self._source.iteration.checkpoint()

    def close(self) -> None:
        """End the iteration: nothing more is requested."""
        self._source.close()


class AsyncItemIterator(AsyncIterator[T]):
    """One iteration over the items of a list, by `async for`."""

    def __init__(self, source: AsyncSource[T]) -> None:
        self._source, self._iteration = source, source.iteration
        self._items: list[T] = []
        self._process = 0

    async def __anext__(self) -> T:
        iteration = self._iteration
        while iteration.emitted >= len(self._items) or getpid() != self._process:
            self._items = (await self._source.__anext__()).items
            self._process = getpid()
        iteration.emitted += 1
        return self._items[iteration.emitted - 1]

    def checkpoint(self) -> str:
        """The position behind the last item that was handed out; pass it as `resume=`."""
        return self._iteration.checkpoint()

    async def aclose(self) -> None:
        """End the iteration: nothing more is requested."""
        self._items = []
        await self._source.aclose()


class AsyncPageIterator(AsyncIterator[V], Generic[T, V]):
    """One iteration over the pages of a list, by `async for`."""

    def __init__(self, source: AsyncSource[T], shape: Callable[[Page[T]], V]) -> None:
        self._source, self._shape = source, shape

    async def __anext__(self) -> V:
        page = await self._source.__anext__()
        self._source.iteration.emitted = len(page.items)
        return self._shape(page)

    def checkpoint(self) -> str:
        """The position behind the last page that was handed out; pass it as `resume=`."""
        return self._source.iteration.checkpoint()

    async def aclose(self) -> None:
        """End the iteration: nothing more is requested."""
        await self._source.aclose()
