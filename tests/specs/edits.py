"""Changes to a loaded spec that put everything back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.specs.spec_reader import Flat, Schema

GONE: Any = object()
Slot = tuple[Any, Any]


@dataclass(frozen=True)
class Edit:
    """What is done to which containers; a container is put back as it was."""

    label: str
    touched: tuple[Any, ...]
    act: Callable[[], object]

    @contextmanager
    def applied(self) -> Iterator[None]:
        before = [one.copy() for one in self.touched]
        self.act()
        try:
            yield
        finally:
            for one, was in zip(self.touched, before, strict=True):
                one.clear()
                one.update(was) if isinstance(one, dict) else one.extend(was)


def put(container: Any, key: Any, value: Any, label: str) -> Edit:
    def act() -> None:
        if value is GONE:
            container.pop(key, None) if isinstance(container, dict) else container.pop(key)
        else:
            container[key] = value

    return Edit(label, (container,), act)


def inline(flat: Flat) -> Schema:
    """A schema of its own with all that the references gave it."""
    result = dict(flat.facets)
    if flat.properties:
        result["properties"] = {name: places[-1][0][name] for name, places in flat.properties.items()}
    if flat.required:
        result["required"] = sorted(flat.required)
    return result


def without(schema: Schema, key: str) -> Schema:
    return {name: value for name, value in schema.items() if name != key}


def twisted(value: Any) -> list[Any]:
    """Values near to the documented one."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, list):
        return [value[1:], [*value, "added" if isinstance(value[0], str) else 99]]
    return [f"{value}x"]
