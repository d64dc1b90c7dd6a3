"""Rules about plain structure, which every other rule relies on: mappings, lists and texts stand where they belong."""

from __future__ import annotations

from collections.abc import Iterator

from ._source import Problem
from ._spec import METHODS, Spec, as_map

_BESIDE_METHODS = ("parameters", "summary", "description", "servers")


def path_items(spec: Spec) -> Iterator[Problem]:
    """A path holds methods and little else: what is misspelt there would be dropped without a word."""
    for path, item in as_map(spec.tree.get("paths")).items():
        where = ("paths", path)
        if not isinstance(item, dict):
            yield spec.source.problem(where, "path-item", "a path is a mapping of methods: write `get:` below it")
        for key, value in as_map(item).items():
            if key in METHODS and not isinstance(value, dict):
                message = "an operation is a mapping: write its `operationId` and the rest below it"
                yield spec.source.problem((*where, key), "path-item", message)
            elif key not in (*METHODS, *_BESIDE_METHODS) and not key.startswith("x-"):
                message = f"{key!r} is no method, and would be dropped: write one of {', '.join(METHODS)}"
                yield spec.source.problem((*where, key), "path-item", message)


SHAPE_RULES = (path_items,)
