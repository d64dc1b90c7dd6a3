"""Any OpenAPI document (2.0, 3.0, 3.1; JSON or YAML) read into one shape: its operations and what they carry.

Nothing here writes; what cannot be read is a `DocumentError` whose text is meant for the person who named the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import yaml

Json = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


DEEPEST = 100
"""More levels than any description has, and far fewer than Python can follow."""


class DocumentError(Exception):
    """The file cannot be used; the message says which file, where, and why."""


class _PlainLoader(yaml.CSafeLoader):
    """YAML as JSON has it: a date stays the text that stands in the file."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def as_map(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    return [*value] if isinstance(value, list) else []


@dataclass(frozen=True)
class Fact:
    """What a document says of one parameter or field."""

    type: str
    required: bool = False
    enum: tuple[str, ...] = ()
    format: str = ""
    description: str = field(default="", compare=False)
    deprecated: str = field(default="", compare=False)
    keyword: str = field(default="", compare=False)
    model: str = field(default="", compare=False)
    """The component behind the reference, of the field or of its items."""
    marks: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    """Our extensions that change what a caller writes or sees."""


@dataclass(frozen=True)
class Operation:
    """One operation; `node` is the document's own mapping, for what the flat view leaves out."""

    id: str
    method: str
    path: str
    params: Mapping[tuple[str, str], Fact]
    body: Mapping[str, Fact]
    response: Mapping[str, Fact]
    words: frozenset[str]
    node: Json = field(compare=False, repr=False)
    key: tuple[str, str] = ("", "")
    flat_query: bool = False
    """OpenAPI 2.0 has no objects in a query, so it cannot contradict ours."""

    @property
    def route(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @cached_property
    def shape(self) -> str:
        """The route without the names of its placeholders."""
        return f"{self.method} " + "/".join("{}" if is_placeholder(part) else part for part in self.path.split("/"))

    @property
    def name(self) -> str:
        """What users call it, where the document says so."""
        resource = self.node.get("x-resource")
        return f"{resource}.{self.node.get('x-method')}" if resource else (self.id or self.route)


@dataclass(frozen=True)
class Document:
    source: str
    root: Json
    version: str

    @property
    def title(self) -> str:
        info = as_map(self.root.get("info"))
        return f"{info.get('title') or 'untitled'} {info.get('version') or ''}".strip()

    @property
    def base_path(self) -> str:
        if self.version == "2.0":
            base = str(self.root.get("basePath") or "")
        else:
            servers = as_list(self.root.get("servers"))
            base = urlsplit(str(as_map(servers[0]).get("url") or "")).path if servers else ""
        return base.rstrip("/")

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

    def lookup(self, ref: str) -> Json:
        target: object = self.root
        for part in ref.removeprefix("#").strip("/").split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            target = as_map(target).get(key)
        if not isinstance(target, dict):
            raise DocumentError(f"{self.source}: {ref} leads nowhere")
        return cast(Json, target)

    @cached_property
    def operations(self) -> list[Operation]:
        from ._flatten import read_operation

        found: list[Operation] = []
        for path, item in as_map(self.root.get("paths")).items():
            item = self.deref(item)
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    found.append(read_operation(self, path, method, item))
        return found


def is_placeholder(part: str) -> bool:
    return part.startswith("{") and part.endswith("}")


def placeholders(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if is_placeholder(part)]


def load(path: Path) -> Document:
    """Read and judge a file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DocumentError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"{path}: cannot be read as text: {error}") from None
    return parse(text, str(path))


def parse(text: str, source: str) -> Document:
    try:
        raw: object = json.loads(text) if text.lstrip()[:1] in ("{", "[") else yaml.load(text, _PlainLoader)
    except RecursionError:
        raise DocumentError(f"{source}: is nested too deeply to be read") from None
    except (ValueError, yaml.YAMLError) as error:
        raise DocumentError(f"{source}: neither JSON nor YAML: {error}") from None
    root = as_map(raw)
    version = _version(root, source)
    document = Document(source, root, version)
    for pointer, ref in _refs(root, "#", source):
        if not ref.startswith("#"):
            raise DocumentError(
                f"{source}: {pointer} refers outside the file, to {ref}; bundle the file first, so that it stands alone"
            )
        document.lookup(ref)
    if not any(isinstance(item, dict) for item in as_map(root.get("paths")).values()):
        raise DocumentError(f"{source}: has no operations: `paths` is missing or empty")
    return document


def _version(root: Json, source: str) -> str:
    said = str(root.get("openapi") or root.get("swagger") or "")
    if not said:
        raise DocumentError(
            f"{source}: is not an OpenAPI file: neither `openapi: 3.x` nor `swagger: '2.0'` stands at its root"
        )
    known = {"2.0": "2.0", "3.0": "3.0", "3.1": "3.1"}.get(said if "swagger" in root else ".".join(said.split(".")[:2]))
    if known is None:
        raise DocumentError(f"{source}: OpenAPI {said} is not supported; 2.0, 3.0 and 3.1 are")
    return known


def _refs(node: object, pointer: str, source: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        start = "/".join(pointer.split("/")[:8])
        raise DocumentError(
            f"{source}: below {start} is nested too deeply, or an alias stands inside what it repeats: write it out"
        )
    for index, value in enumerate(as_list(node)):
        yield from _refs(value, f"{pointer}/{index}", source, depth + 1)
    for key, value in as_map(node).items():
        if key == "$ref" and isinstance(value, str):
            yield pointer, value
        elif key not in ("example", "examples", "default", "enum"):
            yield from _refs(value, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}", source, depth + 1)
