"""Any OpenAPI document (2.0, 3.0, 3.1; JSON or YAML) read into one shape: its operations and what they carry.

Nothing here writes; what cannot be read is a `DocumentError` whose text is meant for the person who named the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from ..spec.lookup import METHODS
from .facts import Described
from .operations import Operation, read_operation, server_path
from .references import DocumentError, Json, as_list, as_map

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
DEEPEST = 100
"""More levels than any description has, and far fewer than Python can follow."""


class _PlainLoader(yaml.CSafeLoader):
    """YAML as JSON has it: a date stays the text that stands in the file."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Document(Described):
    """A whole document, of the version that `version` names."""

    version: str

    @property
    def title(self) -> str:
        info = as_map(self.root.get("info"))
        return f"{info.get('title') or 'untitled'} {info.get('version') or ''}".strip()

    @property
    def base_path(self) -> str:
        if self.version == "2.0":
            base = str(self.root.get("basePath") or "").strip("/")
            return f"/{base}" if base else ""
        servers = as_list(self.root.get("servers"))
        return server_path(as_map(servers[0])) if servers else ""

    @cached_property
    def operations(self) -> list[Operation]:
        found: list[Operation] = []
        for path, item in as_map(self.root.get("paths")).items():
            item = self.deref(item)
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    found.append(read_operation(self, self.base_path, str(path), method, item))
        return found


def load(path: Path) -> Document:
    """Read and judge a file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DocumentError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}") from None
    if data.startswith(_UTF_16) or b"\0" in data[:64]:
        raise DocumentError(
            f"{path}: cannot be read as text: it is UTF-16 or no text at all; save it as UTF-8 "
            f"(iconv -f UTF-16 -t UTF-8 {path.name} > utf8-{path.name})"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}: cannot be read as text, which has to be UTF-8: {error}") from None
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
    for pointer, ref in _refs(root, source):
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


def _refs(node: object, source: str) -> Iterator[tuple[str, str]]:
    """Every reference and where it stands; what an alias repeats is looked at once."""
    done: set[int] = set()
    above: set[int] = set()

    def walk(node: object, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
        key = id(node)
        if key in above or depth > DEEPEST:
            start = "/".join(pointer.split("/")[:8])
            raise DocumentError(
                f"{source}: below {start} is nested too deeply, or an alias stands inside what it repeats: write it out"
            )
        if key in done or not (as_list(node) or as_map(node)):
            return
        above.add(key)
        for index, value in enumerate(as_list(node)):
            yield from walk(value, f"{pointer}/{index}", depth + 1)
        for name, value in as_map(node).items():
            if name == "$ref" and isinstance(value, str):
                yield pointer, value
            elif name not in ("example", "examples", "default", "enum"):
                step = str(name).replace("~", "~0").replace("/", "~1")
                yield from walk(value, f"{pointer}/{step}", depth + 1)
        above.discard(key)
        done.add(key)

    yield from walk(node, "#", 0)
