"""Lists that show themselves as tables in notebooks and in IPython; everywhere else they are lists."""

from __future__ import annotations

from typing import Any, SupportsIndex, TypeVar

T = TypeVar("T")


class Items(list[T]):
    """A list. Its equality, its repr, its slices and its copies are those of a list, and so is what a pickle gives."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from .tables import as_html

        return as_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from .tables import as_text

        printer.text(as_text(self))

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> Any:
        return list, (), None, iter(self)


def as_items(items: list[T]) -> list[T]:
    """The same items, as a list that shows itself."""
    return Items(items)
