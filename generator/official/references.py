"""A document's mappings and the references between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast
from urllib.parse import unquote

Json = dict[str, Any]


class DocumentError(Exception):
    """The file cannot be used; the message says which file, where, and why."""


def as_map(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    return [*value] if isinstance(value, list) else []


@dataclass(frozen=True)
class References:
    """The root of a document; `source` names its file in messages."""

    source: str
    root: Json

    def deref(self, node: object) -> Json:
        """The mapping itself, or what its `$ref` leads to (a chain of them is followed)."""
        seen: set[str] = set()
        current = as_map(node)
        while isinstance(ref := current.get("$ref"), str):
            if ref in seen:
                raise DocumentError(f"{self.source}: {ref} refers to itself")
            seen.add(ref)
            current = self.lookup(ref)
        return current

    @cached_property
    def _targets(self) -> dict[str, Json]:
        return {}

    def lookup(self, ref: str) -> Json:
        known = self._targets.get(ref)
        if known is not None:
            return known
        target: object = self.root
        for part in ref.removeprefix("#").strip("/").split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            listed = as_list(target)
            target = listed[int(key)] if key.isdecimal() and int(key) < len(listed) else as_map(target).get(key)
        if not isinstance(target, dict):
            raise DocumentError(f"{self.source}: {ref} leads nowhere")
        found = self._targets[ref] = cast(Json, target)
        return found
