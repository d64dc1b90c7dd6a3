"""Completion that asks the API: the ids that could stand where the cursor is, with the names of what they are."""

from __future__ import annotations

from typing import Any

from click.shell_completion import CompletionItem

from .connect import open_client, public, resource_of
from .description import Operation
from .rows import plain
from .settings import Settings

_PATIENCE = 5.0
"""Seconds that a shell may be kept waiting."""
_MOST = 100
_NAMES = ("name", "title", "email", "type")


def source_of(operation: Operation, place: int) -> Operation | None:
    """The list whose items have the ids that an operation takes at a place, behind the ids before it."""
    names = [argument.name for argument in operation.ids]
    surface = operation.surface
    if operation.ids[place].is_list:
        candidates = [operation.resource]
    else:
        candidates = [
            resource
            for resource in surface.resources
            if surface.has(resource, "get")
            and [argument.name for argument in surface.operation(resource, "get").ids] == names[: place + 1]
        ]
    for resource in candidates:
        if surface.has(resource, "list"):
            found = surface.operation(resource, "list")
            if [argument.name for argument in found.ids] == names[:place]:
                return found
    return None


def complete(
    operation: Operation, place: int, given: list[Any], start: str, settings: Settings
) -> list[CompletionItem]:
    """Ids that begin so; none where the API cannot be asked, because a shell is no place for errors."""
    source = source_of(operation, place)
    if source is None or any(not isinstance(one, str) for one in given):
        return []
    bound = [value for value, argument in zip(given, source.ids, strict=False) if argument.bound]
    ids = [value for value, argument in zip(given, source.ids, strict=False) if not argument.bound]
    try:
        retry = public("RetryPolicy")(attempts=1, deadline=_PATIENCE)
        with open_client(source.surface, settings, retry=retry, timeout=_PATIENCE) as client:
            resource = resource_of(client, source.resource, bound)
            listed = getattr(resource, source.name)(*ids, page_size=_MOST, prefetch=0)
            items = [plain(item) for item in listed.to_list(limit=_MOST)]
    except Exception:
        return []
    return [
        CompletionItem(item["id"], help=_named(item))
        for item in items
        if isinstance(item.get("id"), str) and item["id"].startswith(start)
    ]


def _named(item: dict[str, Any]) -> str:
    return next((str(item[name]) for name in _NAMES if item.get(name)), "")
