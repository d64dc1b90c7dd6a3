"""Our specs as trees that keep comments, order and quotes when they are written again (ruamel.yaml, round trip)."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from .references import Json, as_list, as_map

Tree = Any
"""A `CommentedMap` or what hangs below one; ruamel.yaml leaves these untyped."""


def _yaml() -> Any:
    yaml: Any = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def read(text: str) -> Tree:
    return _yaml().load(text)


def written(tree: Tree, paths: Mapping[str, Json] = {}) -> str:
    """The text; with `paths`, these added to its own."""
    for path, item in paths.items():
        known = tree["paths"].get(path)
        if known is None:
            tree["paths"][path] = new_map(item)
        else:
            known.update(new_map(item))
    out = io.StringIO()
    _yaml().dump(tree, out)
    return out.getvalue()


def new_map(values: dict[str, Any] | None = None) -> Tree:
    out: Any = CommentedMap()
    for key, value in (values or {}).items():
        out[key] = new_node(value)
    return out


def new_node(value: object) -> Tree:
    kind = type(value)
    if issubclass(kind, dict):
        return new_map(as_map(value))
    if issubclass(kind, list):
        out: Any = CommentedSeq()
        for one in as_list(value):
            out.append(new_node(one))
        return out
    return value


def renamed_keys(tree: Tree, pairs: list[tuple[str, str, Tree]]) -> Tree:
    """A map of (new key, value) in the given order that keeps the comments which stood at the old keys."""
    out: Any = CommentedMap()
    tree.copy_attributes(out)
    comments = dict(out.ca.items)
    out.ca.items.clear()
    for old, new, value in pairs:
        out[new] = value
        if old in comments:
            out.ca.items[new] = comments[old]
    return out


def save(texts: Mapping[Path, str]) -> None:
    """All or nothing: a reader never sees half a file, and a full disk (OSError) leaves all of them as they were."""
    parts = {path: path.with_name(path.name + ".part") for path in texts}
    try:
        for path, part in parts.items():
            part.write_text(texts[path], encoding="utf-8")
        for path, part in parts.items():
            os.replace(part, path)
    finally:
        for part in parts.values():
            with contextlib.suppress(OSError):
                part.unlink()
