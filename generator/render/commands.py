"""What a command line has to know of a surface: its groups, its commands, their arguments and the columns they show.

It repeats what the methods' signatures and docstrings say, as JSON, because reading JSON takes a fraction of the time
that importing the methods takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..spec.lookup import Kind, Spec, as_list, as_map
from ..spec.methods import Argument, Describer, Method, attribute_name, prose
from ..spec.naming import class_name
from ..spec.source import Json
from .models import secret_names
from .operations import argument_doc
from .project import surface_facts

_NO_DEFAULT: Mapping[str, Json] = {"kind": "string"}


def _present(entry: dict[str, Json]) -> dict[str, Json]:
    """The entry without what goes without saying."""
    return {key: value for key, value in entry.items() if value and value != _NO_DEFAULT.get(key)}


class _Commands:
    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.schemas = {class_name(name): schema for name, schema in spec.schemas.items()}

    def kind(self, kind: Kind, outer: tuple[str, ...] = ()) -> dict[str, Json]:
        """A value's kind, its known values, and what it is made of; a model within itself is not followed."""
        entry: dict[str, Json] = {"kind": kind.name, "values": list(self.values(kind))}
        if kind.items is not None:
            entry["items"] = self.kind(kind.items, outer) or {"kind": "string"}
        if kind.model and kind.model not in outer:
            entry["fields"] = self.fields(self.schemas[kind.model], (*outer, kind.model))
        return _present(entry)

    def values(self, kind: Kind) -> tuple[Json, ...]:
        if kind.enum:
            return tuple(as_list(self.spec.merged(self.schemas[kind.enum]).get("enum")))
        return kind.values

    def fields(self, schema: Json, outer: tuple[str, ...]) -> list[Json]:
        """What can be sent of a nested object."""
        merged = self.spec.merged(schema)
        found: list[Json] = []
        for wire, inner in as_map(merged.get("properties")).items():
            facts = {**self.spec.merged(inner), **as_map(inner)}
            if facts.get("readOnly"):
                continue
            entry: dict[str, Json] = {
                "name": attribute_name(wire, inner),
                "wire": wire,
                "required": wire in as_list(merged.get("required")),
                "secret": facts.get("x-secret") is True,
                "doc": prose(facts.get("description")),
                **self.kind(self.spec.kind(inner), outer),
            }
            found.append(_present(entry))
        return found

    def argument(self, argument: Argument) -> dict[str, Json]:
        param = argument.param
        entry: dict[str, Json] = {
            "name": argument.name,
            "wire": param.name,
            "place": param.place,
            "positional": argument.positional,
            "bound": argument.bound,
            "required": argument.needed,
            "style": param.style,
            "time": param.time,
            "secret": param.secret,
            "doc": argument_doc(argument),
            **self.kind(argument.kind),
        }
        return _present(entry)

    def command(self, method: Method) -> dict[str, Json]:
        reach = method.range
        entry: dict[str, Json] = {
            "id": method.id,
            "verb": method.http_method,
            "path": method.path,
            "answer": method.kind,
            "evidence": method.evidence,
            "summary": method.summary,
            "text": method.description,
            "deprecated": method.deprecated,
            "safe": method.safe,
            "model": method.model,
            "rows": method.rows,
            "range": {"start": reach.start, "end": reach.end, "unit": reach.unit, "time": reach.time_field}
            if reach
            else None,
            "arguments": [self.argument(argument) for argument in method.arguments],
        }
        return _present(entry)

    def columns(self, methods: list[Method]) -> dict[str, Json]:
        """The fields of everything that is listed, read or exported: names on the wire, and kinds."""
        models = sorted({name for method in methods for name in (method.model, method.rows) if name})
        return {
            model: {
                wire: self.spec.kind(schema).name
                for wire, schema in as_map(self.spec.merged(self.schemas[model]).get("properties")).items()
            }
            for model in models
        }


def commands_json(spec: Spec, methods: list[Method]) -> str:
    """The whole description on one line."""
    commands = _Commands(spec)
    facts = surface_facts(spec, methods)
    groups: dict[str, Any] = {}
    for resource in Describer(spec).resources(methods):
        members = {method.name: commands.command(method) for method in resource.methods}
        groups[resource.name] = {"doc": resource.doc, "commands": members}
    tree = {
        "surface": spec.surface,
        "client": f"{spec.tree['x-client-name']}Client",
        "variables": spec.tree["x-env-prefix"],
        "address": facts.default_base_url or "",
        "likely_address": facts.likely_base_url,
        "secrets": secret_names(spec),
        "groups": groups,
        "columns": commands.columns(methods),
    }
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")) + "\n"
