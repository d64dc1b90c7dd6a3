"""The spec without its prose, as JSON for the package: what the sandbox needs to serve it and to validate with."""

from __future__ import annotations

import json
from typing import Any

from ..spec.lookup import DATA, NAMED, Spec, as_map
from ..spec.source import Json

_PROSE = frozenset(("description", "summary", "x-evidence-note", "externalDocs"))


def _strip(node: Json, *, named: bool = False) -> Json:
    if isinstance(node, list):
        items: list[Any] = [*node]
        return [_strip(item) for item in items]
    if not isinstance(node, dict):
        return node
    result: dict[str, Json] = {}
    for key, value in as_map(node).items():
        if named:
            result[key] = _strip(value)
        elif key not in _PROSE:
            result[key] = value if key in DATA else _strip(value, named=key in NAMED and isinstance(value, dict))
    return result


def spec_json(spec: Spec) -> str:
    """The whole spec on one line."""
    return json.dumps(_strip(spec.tree), ensure_ascii=False, separators=(",", ":")) + "\n"
