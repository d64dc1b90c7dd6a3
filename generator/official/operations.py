"""The operations of a document: their routes, and the facts about what goes in and what comes out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from .facts import Described, Fact, Fields, fact, flatten, words
from .references import Json, as_list, as_map

FIRST_FIELDS = 600
"""Fields that tell an operation from others; those further down add nothing."""
_COLON = re.compile(r":([A-Za-z_]\w*)")
_PLAIN_SEGMENT = re.compile(r"[\w.~!$&'()+,;=@%-]*|\{[^{}]+\}")


@dataclass(frozen=True)
class Operation:
    """One operation; `node` is the document's own mapping, for what the flat view leaves out."""

    id: str
    method: str
    path: str
    node: Json = field(compare=False, repr=False)
    document: Described = field(compare=False, repr=False)
    shared: tuple[Json, ...] = field(default=(), compare=False, repr=False)
    """Parameters of the whole path."""
    key: tuple[str, str] = ("", "")
    """Path and method as they stand in the document."""
    flat_query: bool = False
    """OpenAPI 2.0 has no objects in a query, so it cannot contradict ours."""

    @property
    def route(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @cached_property
    def shape(self) -> str:
        """The route without the names of its placeholders."""
        return anonymous(self.route)

    @property
    def name(self) -> str:
        """What users call it, where the document says so."""
        resource = self.node.get("x-resource")
        return f"{resource}.{self.node.get('x-method')}" if resource else (self.id or self.route)

    @cached_property
    def params(self) -> dict[tuple[str, str], Fact]:
        """Path, query and header parameters by name and place."""
        found: dict[tuple[str, str], Fact] = {}
        for one in parameters(self.document, self):
            place, name = str(one.get("in")), str(one.get("name"))
            if place in ("query", "path", "header") and not _is_noise(name, place):
                schema = parameter_schema(self.document, one)
                found[name, place] = fact(self.document, schema, bool(one.get("required")) or place == "path", one)
        return found

    @cached_property
    def first_places(self) -> tuple[list[str], list[str]]:
        """Where the fields of body and answer are that tell it from other operations."""
        schemas = (operation_schema(self.document, self, part) for part in ("body", "answer"))
        body, answer = (flatten(self.document, one, most=FIRST_FIELDS) for one in schemas)
        return [*body, *self.form], [*answer]

    @cached_property
    def body(self) -> Fields:
        found = flatten(self.document, operation_schema(self.document, self, "body"))
        found.update(self.form)
        return found

    @cached_property
    def response(self) -> Fields:
        return flatten(self.document, operation_schema(self.document, self, "answer"))

    @cached_property
    def form(self) -> dict[str, Fact]:
        """Fields of a body that OpenAPI 2.0 lists among the parameters."""
        given = [one for one in parameters(self.document, self) if one.get("in") == "formData"]
        return {str(one.get("name")): fact(self.document, one, bool(one.get("required"))) for one in given}

    @cached_property
    def words(self) -> frozenset[str]:
        """What its names and its summary speak of."""
        said = [self.id, str(self.node.get("summary") or ""), *map(str, as_list(self.node.get("tags")))]
        static = [part for part in self.path.split("/") if not is_placeholder(part)]
        return frozenset(word for text in [*said, *static] for word in words(text))

    @property
    def oddity(self) -> str:
        """Why a client of ours could not call this route; empty where it could."""
        odd = next((part for part in self.path.split("/") if not _PLAIN_SEGMENT.fullmatch(part)), None)
        return "" if odd is None else f"{odd!r} in its path is neither a plain segment nor a whole {{id}}"


def read_operation(document: Described, base_path: str, path: str, method: str, item: Json) -> Operation:
    node = as_map(item.get(method))
    own_base = _own_base(node) or _own_base(item) or base_path
    # As Go's routers write a placeholder.
    parts = [_COLON.sub(r"{\1}", part) if _COLON.fullmatch(part) else part for part in path.lstrip("/").split("/")]
    full_path = own_base + "/" + "/".join(parts)
    return Operation(
        id=str(node.get("operationId") or ""),
        method=method,
        path=full_path,
        node=node,
        document=document,
        shared=tuple(as_map(one) for one in as_list(item.get("parameters"))),
        key=(path, method),
        flat_query="swagger" in document.root,
    )


def _own_base(holder: Json) -> str:
    """The path of a server that an operation or a path names for itself."""
    listed = as_list(holder.get("servers"))
    return server_path(as_map(listed[0])) if listed else ""


def server_path(server: Json) -> str:
    """The path of a server's address, its variables at their defaults."""
    path = urlsplit(str(server.get("url") or "")).path
    for name, variable in as_map(server.get("variables")).items():
        path = path.replace(f"{{{name}}}", str(as_map(variable).get("default") or ""))
    return path.rstrip("/")


def parameters(document: Described, operation: Operation) -> list[Json]:
    """An operation's parameters and those of its path, references followed; its own stand for the path's."""
    listed = [document.deref(one) for one in (*operation.shared, *as_list(operation.node.get("parameters")))]
    return list({(one.get("in"), one.get("name")): one for one in listed}.values())


def parameter_schema(document: Described, parameter: Json) -> Json:
    """OpenAPI 2.0 keeps the type in the parameter itself, 3.x in a schema or, rarely, below a media type."""
    if "content" in parameter:
        return _json_schema(parameter)
    return as_map(parameter.get("schema")) if "schema" in parameter else parameter


def operation_schema(document: Described, operation: Operation, where: str) -> Json:
    """The schema of an operation's body or answer."""
    if where == "answer":
        return _success(document, operation.node)
    for one in parameters(document, operation):
        if one.get("in") == "body":
            return as_map(one.get("schema"))
    return _json_schema(document.deref(operation.node.get("requestBody")))


def _is_noise(name: str, place: str) -> bool:
    """Headers of transport and sign-in are no facts of a single operation."""
    return place == "header" and name.lower() in ("accept", "content-type", "authorization", "api-key")


def _success(document: Described, node: Json) -> Json:
    """What the first success with a body answers; `default` is an error wherever a success stands beside it."""
    responses = {str(status): one for status, one in as_map(node.get("responses")).items()}
    successes = sorted(status for status in responses if status.startswith("2"))
    for status in successes or ["default"]:
        if schema := _json_schema(document.deref(responses.get(status))):
            return schema
    return {}


def _json_schema(holder: Json) -> Json:
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


def anonymous(route: str) -> str:
    return re.sub(r"{[^{}]*}", "{}", route)
