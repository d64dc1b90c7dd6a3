"""A spec with some of its operations and what they need: small enough to adopt or generate many times."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from typing import Any

Json = dict[str, Any]


def subset(spec: Json, operation_ids: Collection[str]) -> Json:
    out = copy.deepcopy(spec)
    out["paths"] = {
        path: kept
        for path, item in out["paths"].items()
        if (kept := {method: one for method, one in item.items() if one["operationId"] in operation_ids})
    }
    needed: set[str] = set()
    waiting = list(_refs(out["paths"]))
    while waiting:
        ref = waiting.pop()
        if ref not in needed:
            needed.add(ref)
            _, _, kind, name = ref.split("/")
            waiting += _refs(out["components"][kind][name])
    for kind, members in out["components"].items():
        if kind != "securitySchemes":
            out["components"][kind] = {
                name: one for name, one in members.items() if f"#/components/{kind}/{name}" in needed
            }
    used = {tag for item in out["paths"].values() for one in item.values() for tag in one["tags"]}
    out["tags"] = [tag for tag in out["tags"] if tag["name"] in used]
    return out


def _refs(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _refs(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from _refs(value)
