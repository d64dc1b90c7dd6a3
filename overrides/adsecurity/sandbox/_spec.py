"""Loads the specs and gives their operations: routes, parameters, bodies, kinds, and the schemas of responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft7Validator

import adsecurity_generated

from ._schema import Schema, Schemas, as_list, as_map, to_json_schema

SURFACES = ("network", "adsecurity")
METHODS = ("get", "post", "put", "patch", "delete")
KINDS = ("pages", "cursor", "report-pages", "report-numbered", "rows", "one", "create", "write", "export", "url")
REPORT_KINDS = ("cursor", "report-pages", "report-numbered", "rows")


class SpecError(Exception):
    """A spec is missing, cannot be read, or describes something that the sandbox cannot serve."""


def load_document(surface: str, spec_dir: Path | None = None) -> str:
    """The spec of a surface as JSON text: from a folder (`network.json` or `network.yaml`), or the installed one."""
    if spec_dir is None:
        return (resources.files(adsecurity_generated) / surface / "spec.json").read_text("utf-8")
    path = spec_dir / f"{surface}.json"
    if path.is_file():
        return _read_text(path)
    path = spec_dir / f"{surface}.yaml"
    if not path.is_file():
        raise SpecError(f"{spec_dir} has no {surface}.yaml and no {surface}.json")
    try:
        import yaml
    except ModuleNotFoundError:
        raise SpecError(f"{path} is YAML, and PyYAML is not installed; run: pip install pyyaml") from None
    try:
        return json.dumps(yaml.load(_read_text(path), getattr(yaml, "CSafeLoader", yaml.SafeLoader)), default=str)
    except yaml.YAMLError as error:
        raise SpecError(f"{path} is not YAML: {' '.join(str(error).split())}") from None


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except ValueError as error:
        raise SpecError(f"{path}: {error}") from None


@dataclass(frozen=True)
class Parameter:
    """One query parameter; `time_unit` is "second" or "day" for a time, otherwise empty."""

    name: str
    required: bool
    schema: Schema
    style: str
    explode: bool
    time_unit: str
    role: str
    """Its name, or the name that our paging has for it."""
    validator: Draft7Validator


class Operation:
    """One operation of a spec.

    `raw` is the operation as it stands in the spec; `range` is its `x-range` (names and unit of a report's time range).
    """

    def __init__(
        self, surface: Surface, method: str, path: str, raw: Mapping[str, Any], path_parameters: list[Any]
    ) -> None:
        self.surface = surface
        self.id = str(raw["operationId"])
        self.method = method.upper()
        self.path = path
        self.segments = tuple(path.strip("/").split("/"))
        self._slash = path.endswith("/")
        self.raw = raw
        self.kind = str(raw.get("x-kind", ""))
        if self.kind not in KINDS:
            raise SpecError(f"{surface.name} {self.id}: x-kind {self.kind!r} is none of {', '.join(KINDS)}")
        self.resource = str(raw.get("x-resource", ""))
        self.name = str(raw.get("x-method", ""))
        self.full_name = f"{self.resource}.{self.name}"
        self.range = as_map(raw.get("x-range"))
        self._path_parameters = path_parameters

    def __repr__(self) -> str:
        return f"<Operation {self.surface.name} {self.id} {self.method} {self.path}>"

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The query parameters by name, those that the path has for all its operations included."""
        found: dict[str, Parameter] = {}
        for item in [*self._path_parameters, *as_list(self.raw.get("parameters"))]:
            raw = self.surface.schemas.resolve(item)
            if raw["in"] != "query":
                continue
            style = str(raw.get("style", "form"))
            found[raw["name"]] = Parameter(
                name=raw["name"],
                required=bool(raw.get("required")),
                schema=self.surface.schemas.resolve(raw.get("schema")),
                style=style,
                explode=bool(raw.get("explode", style == "form")),
                time_unit=str(as_map(raw.get("x-time")).get("unit", "")),
                role=str(raw.get("x-paging", raw["name"])),
                validator=self.surface.validator(raw.get("schema")),
            )
        return found

    @cached_property
    def body_schema(self) -> Any:
        """The schema of the JSON body; None where the operation takes no body."""
        body = self.surface.schemas.resolve(self.raw.get("requestBody"))
        return as_map(as_map(body.get("content")).get("application/json")).get("schema")

    @property
    def body_required(self) -> bool:
        return bool(self.surface.schemas.resolve(self.raw.get("requestBody")).get("required"))

    @cached_property
    def body_validator(self) -> Draft7Validator:
        return self.surface.validator(self.body_schema)

    @cached_property
    def success(self) -> tuple[int, Any]:
        """The status of a successful response and the schema of its body: 201 or 204 where the spec has it, or 200."""
        responses = as_map(self.raw.get("responses"))
        preferred: tuple[str, ...] = ()
        if self.kind == "create":
            preferred = ("201",)
        elif self.kind == "write" and self.method == "DELETE":
            preferred = ("204",)
        for status in (*preferred, "200", *sorted(key for key in responses if key.startswith("2"))):
            if status in responses:
                response = self.surface.schemas.resolve(responses[status])
                return int(status), as_map(as_map(response.get("content")).get("application/json")).get("schema")
        raise SpecError(f"{self.surface.name} {self.id}: no 2xx response")

    @cached_property
    def item_schema(self) -> Any:
        """The schema of one item, row or object in the response."""
        properties = self.surface.schemas.properties
        schema = self.success[1]
        if self.kind in REPORT_KINDS:
            schema = properties(properties(schema).get("data")).get("data")
        elif self.kind in ("pages", "one"):
            schema = properties(schema).get("data", schema)
        if self.surface.schemas.kind(schema) == "array":
            return self.surface.schemas.resolve(schema).get("items")
        return schema

    @cached_property
    def item_template(self) -> dict[str, Any]:
        """Every field of an item with its zero value."""
        schemas = self.surface.schemas
        return {name: schemas.zero_value(part) for name, part in schemas.properties(self.item_schema).items()}

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The path parameters when the decoded segments match this route, otherwise None; no parameter is empty."""
        if self._slash and segments[-1:] == ("",):
            segments = segments[:-1]
        elif self._slash:
            return None
        if len(segments) != len(self.segments):
            return None
        path_params: dict[str, str] = {}
        for expected, segment in zip(self.segments, segments, strict=True):
            if expected.startswith("{"):
                if not segment:
                    return None
                path_params[expected[1:-1]] = segment
            elif expected != segment:
                return None
        return path_params


class Surface:
    """One of the two APIs: its operations and schemas."""

    def __init__(self, name: str, document: Mapping[str, Any]) -> None:
        self.name = name
        self.document = document
        self._components = to_json_schema(as_map(document.get("components")))
        self.schemas = Schemas(self._components)
        self.requires_content_type = "Content-Type" in as_map(document.get("x-default-headers"))
        self.operations: dict[str, Operation] = {}
        for path, entry in as_map(document.get("paths")).items():
            item = as_map(entry)
            for method in METHODS:
                if method in item:
                    operation = Operation(self, method, path, as_map(item[method]), as_list(item.get("parameters")))
                    self.operations[operation.id] = operation
        if not self.operations:
            raise SpecError(f"the {name} spec has no operations")

    def validator(self, schema: Any) -> Draft7Validator:
        """A compiled validator for a schema of this spec; formats are checked."""
        converted = to_json_schema(schema)
        if "'$ref'" in str(converted):
            converted = {"components": self._components, "allOf": [converted]}
        return Draft7Validator(converted, validate_formats=True)

    def route(self, method: str, segments: tuple[str, ...]) -> tuple[Operation, dict[str, str]] | None:
        """The operation that handles a request, and its path parameters; a fixed segment wins over a parameter."""
        matches: list[tuple[Operation, dict[str, str]]] = []
        for operation in self.operations.values():
            if operation.method == method and (path_params := operation.match(segments)) is not None:
                matches.append((operation, path_params))
        return min(matches, key=lambda match: len(match[1]), default=None)

    def methods(self, segments: tuple[str, ...]) -> list[str]:
        """The methods that a path answers to."""
        found = {operation.method for operation in self.operations.values() if operation.match(segments) is not None}
        return sorted(found)


def load_surfaces(spec_dir: Path | None = None) -> dict[str, Surface]:
    """Both surfaces by name. Equal specs give the same objects: only the first sandbox of a process parses them."""
    return {name: _load_surface(name, load_document(name, spec_dir)) for name in SURFACES}


@lru_cache(maxsize=16)
def _load_surface(name: str, text: str) -> Surface:
    try:
        document = as_map(json.loads(text))
    except ValueError as error:
        raise SpecError(f"the {name} spec is not JSON: {error}") from None
    return Surface(name, document)
