"""The operations of a document: their routes, and the facts about what goes in and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .facts import Fact, fact, flatten, words
from .references import Json, References, as_list, as_map

_SUCCESS = ("200", "201", "202", "2XX", "2xx", "default", "204")


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


def read_operation(
    document: References, base_path: str, path: str, method: str, item: Json, *, flat_query: bool
) -> Operation:
    node = as_map(item.get(method))
    params: dict[tuple[str, str], Fact] = {}
    body: dict[str, Fact] = {}
    for raw in [*as_list(item.get("parameters")), *as_list(node.get("parameters"))]:
        param = document.deref(raw)
        place, name = str(param.get("in")), str(param.get("name"))
        if place == "body":
            body.update(flatten(document, as_map(param.get("schema"))))
        elif place == "formData":
            body[name] = fact(document, param, bool(param.get("required")))
        elif place in ("query", "path", "header") and not _is_noise(name, place):
            schema = as_map(param.get("schema")) if "schema" in param else param
            params[name, place] = fact(document, schema, bool(param.get("required")) or place == "path", param)
    body.update(flatten(document, _json_schema(document, document.deref(node.get("requestBody")))))
    full_path = (base_path + "/" + path.strip("/")).rstrip("/")
    id_ = str(node.get("operationId") or "")
    said = [id_, str(node.get("summary") or ""), *map(str, as_list(node.get("tags")))]
    static = [part for part in full_path.split("/") if not is_placeholder(part)]
    return Operation(
        id=id_,
        method=method,
        path=full_path,
        params=params,
        body=body,
        response=flatten(document, _success(document, node)),
        words=frozenset(word for text in [*said, *static] for word in words(text)),
        node=node,
        key=(path, method),
        flat_query=flat_query,
    )


def operation_schema(document: References, operation: Operation, where: str) -> Json:
    """The schema of an operation's body or answer."""
    if where == "answer":
        return _success(document, operation.node)
    for raw in as_list(operation.node.get("parameters")):
        param = document.deref(raw)
        if param.get("in") == "body":
            return as_map(param.get("schema"))
    return _json_schema(document, document.deref(operation.node.get("requestBody")))


def _is_noise(name: str, place: str) -> bool:
    """Headers of transport and sign-in are no facts of a single operation."""
    return place == "header" and name.lower() in ("accept", "content-type", "authorization", "api-key")


def _success(document: References, node: Json) -> Json:
    responses = as_map(node.get("responses"))
    for status in _SUCCESS:
        if schema := _json_schema(document, document.deref(responses.get(status))):
            return schema
    return {}


def _json_schema(document: References, holder: Json) -> Json:
    """The schema of a body or response: 2.0 keeps it directly, 3.x below the media type."""
    if isinstance(holder.get("schema"), dict):
        return as_map(holder.get("schema"))
    content = as_map(holder.get("content"))
    for media, value in sorted(content.items(), key=lambda pair: "json" not in pair[0]):
        if "json" in media or "*" in media or "form" in media:
            return as_map(as_map(value).get("schema"))
    return {}


def is_placeholder(part: str) -> bool:
    return part.startswith("{") and part.endswith("}")


def placeholders(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if is_placeholder(part)]
