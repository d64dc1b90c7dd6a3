"""The spec without its prose, as JSON in the package: the sandbox serves and validates with it."""

from __future__ import annotations

import json
from typing import Any

from ..spec.lookup import DATA, NAMED, Spec, as_map
from ..spec.source import Json

_PROSE = frozenset(("description", "summary", "x-evidence-note", "externalDocs"))


def _drop_prose(node: Json, *, named: bool = False) -> Json:
    if isinstance(node, list):
        items: list[Any] = [*node]
        return [_drop_prose(item) for item in items]
    if not isinstance(node, dict):
        return node
    result: dict[str, Json] = {}
    for key, value in as_map(node).items():
        if named:
            result[key] = _drop_prose(value)
        elif key not in _PROSE:
            result[key] = value if key in DATA else _drop_prose(value, named=key in NAMED and isinstance(value, dict))
    return result


def spec_json(spec: Spec) -> str:
    """The spec as one line of JSON."""
    return json.dumps(_drop_prose(spec.tree), ensure_ascii=False, separators=(",", ":")) + "\n"
