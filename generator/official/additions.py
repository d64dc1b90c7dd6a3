"""Operations that only the vendor's document has, as operations of ours: named, of a kind, with components."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..spec.naming import PER_CALL, python_name, tag_name
from . import round_trip
from .compare import PAGING, plain
from .convert import UNDESCRIBED, Converter, prose
from .document import Document
from .naming import Known, Name, Namer, home, shape
from .operations import Operation, is_placeholder, operation_schema, parameters, placeholders
from .references import Json, as_list, as_map

AT_ONCE = 100
"""So many operations one run adds: a diff that somebody can read. The next run adds the next ones."""
_ERRORS = ("400", "401", "402", "403", "404", "429", "5XX")


class LeftOutError(Exception):
    """Why an operation of theirs cannot be one of ours."""


class Additions:
    def __init__(self, root: round_trip.Tree, theirs: Document, convert: Converter) -> None:
        self._root = root
        self._theirs = theirs
        self._convert = convert
        operations = [
            (path, method, operation)
            for path, item in as_map(root["paths"]).items()
            for method, operation in as_map(item).items()
            if "operationId" in operation
        ]
        self._pattern = operations[0][2]
        self._routes = {(shape(path), method) for path, method, _ in operations}
        self._tags = {str(one["x-resource"]): str(one["tags"][0]) for _, _, one in operations}
        resources: dict[tuple[str, ...], str] = {}
        for path, _, one in operations:
            resources.setdefault(home(path), str(one["x-resource"]))
        spaces = {name: str(entry["bind"]) for name, entry in as_map(root.get("x-namespaces")).items()}
        self._known = Known(resources, spaces)
        self._namer = Namer(
            self._known,
            [f"{one['x-resource']}.{one['x-method']}" for _, _, one in operations],
            [str(one["operationId"]) for _, _, one in operations],
            map(str, as_map(root["components"]["schemas"])),
        )
        self._prefixes = _prefixes([path for path, _, _ in operations])
        self.paths: dict[str, Json] = {}
        """What is to be added below `paths`."""
        self.tags: list[Json] = []
        self.names: dict[tuple[str, str], str] = {}

    def add(self, operations: list[Operation]) -> tuple[list[str], list[str]]:
        """Rows about what was added and what was left out."""
        added, left = list[str](), list[str]()
        siblings = Counter(home(one.path) for one in operations)
        for one in operations[:AT_ONCE]:
            try:
                name = self._add(one, siblings[home(one.path)])
                added.append(f"{name.resource}.{name.method} ({name.id}): {one.route}")
            except LeftOutError as error:
                left.append(f"{one.route}: only theirs; {error}")
        if (rest := len(operations) - AT_ONCE) > 0:
            left.append(f"{rest} more that are only theirs: {AT_ONCE} are added at a time, so run it again")
        return added, left

    def _add(self, operation: Operation, siblings: int) -> Name:
        if operation.oddity:
            raise LeftOutError(operation.oddity)
        if (shape(operation.path), operation.method) in self._routes:
            raise LeftOutError("an operation of ours has this route")
        if operation.method not in ("get", "post", "put", "patch", "delete"):
            raise LeftOutError(f"no client sends {operation.method.upper()}")
        path, renamed = self._placeholders(operation.path)
        inputs = self._inputs(operation, path, renamed)
        kind = self._kind(operation, inputs)
        body = self._body(operation)
        name = self._namer.name(operation, path, kind, siblings)
        made: Json = {
            "operationId": name.id,
            "summary": prose(operation.node.get("summary")) or f"Call {operation.method.upper()} {path}",
            "description": prose(operation.node.get("description")) or UNDESCRIBED,
            "tags": [self._tag(name.resource)],
            "x-resource": name.resource,
            "x-method": name.method,
            "x-kind": kind,
            "x-evidence": "official",
            "security": [{str(key): [] for key in self._pattern["security"][0]}],
        }
        if inputs:
            made["parameters"] = inputs
        self._keywords_apart(inputs, body, kind)
        if body is not None:
            self._convert.allow(body)
            component = self._convert.schema(body, f"{name.id[:1].upper()}{name.id[1:]}Request")
            made["requestBody"] = {"required": True, "content": {"application/json": {"schema": component}}}
            self._reserved(component)
        made["responses"] = self._responses(operation, kind, name)
        self.paths.setdefault(path, {})[operation.method] = made
        self._routes.add((shape(path), operation.method))
        self.names[operation.key] = name.id
        return name

    def _placeholders(self, path: str) -> tuple[str, dict[str, str]]:
        """Ids are called as we call them wherever the way to them is one that we know."""
        parts, renamed = path.split("/"), dict[str, str]()
        for index, part in enumerate(parts):
            if is_placeholder(part):
                ours = self._prefixes.get(shape("/".join(parts[: index + 1])))
                if ours and ours not in renamed.values():
                    renamed[part[1:-1]] = ours
                    parts[index] = f"{{{ours}}}"
        if len(set(placeholders("/".join(parts)))) != len(placeholders("/".join(parts))):
            raise LeftOutError("two ids in its path have one name")
        return "/".join(parts), renamed

    def _inputs(self, operation: Operation, path: str, renamed: Mapping[str, str]) -> list[Json]:
        given = parameters(self._theirs, operation)
        found: list[Json] = []
        for name in placeholders(path):
            theirs = next((one for one, ours in renamed.items() if ours == name), name)
            known = next((one for one in given if (one.get("in"), one.get("name")) == ("path", theirs)), None)
            found.append(self._convert.parameter(known or {"in": "path", "type": "string"}, name))
        for one in given:
            if one.get("in") == "query" and one.get("name"):
                found.append(self._convert.parameter(one, str(one["name"])))
            elif one.get("in") in ("header", "cookie") and one.get("required") and _is_own_header(str(one.get("name"))):
                raise LeftOutError(f"it needs the {one.get('in')} {one.get('name')}, which no argument can carry")
        for one in found:
            if one["in"] == "query":
                for role, names in PAGING.items():
                    if one["name"] != role and plain(one["name"]) in (plain(role), *names[:2]):
                        one["x-paging"] = role
        return found

    def _kind(self, operation: Operation, inputs: list[Json]) -> str:
        roles = {str(one.get("x-paging", one["name"])) for one in inputs if one["in"] == "query"}
        schemas = self._theirs.schemas
        answer = schemas.merged(operation_schema(self._theirs, operation, "answer"))
        kinds = {name: schemas.kind(as_map(child)) for name, child in answer.properties.items()}
        if operation.method != "get":
            return "create" if kinds.get("created_item_id") == "string" and operation.method == "post" else "write"
        data = schemas.merged(as_map(answer.properties.get("data")))
        listed = schemas.kind(data.items) == "object" if data.items else False
        numbered = {"page[number]", "page[size]"} <= roles
        if listed and numbered and kinds.get("meta") in ("object", "map"):
            return "pages"
        rows = schemas.merged(as_map(data.properties.get("data")))
        whole = listed or any(one.items and schemas.kind(one.items) == "object" for one in (rows, answer))
        if whole:
            return "rows"
        if kinds.get("url") == "string" and len(kinds) == 1:
            return "url"
        if kinds and (kinds.get("data") == "object" or "data" not in kinds or len(kinds) > 1):
            return "one"
        return "write"

    def _body(self, operation: Operation) -> Json | None:
        schema = operation_schema(self._theirs, operation, "body")
        merged = self._theirs.schemas.merged(schema)
        if operation.form:
            fields: Json = {
                name: {"type": fact.type if "[" not in fact.type else "string"} for name, fact in operation.form.items()
            }
            needed = [name for name, fact in operation.form.items() if fact.required]
            return {"type": "object", "properties": fields, "required": needed}
        if not schema:
            return None
        if operation.method == "get":
            raise LeftOutError("a GET with a body is not sent")
        if not merged.properties:
            raise LeftOutError("its body is no object with fields, so nothing could become a keyword")
        return schema

    def _keywords_apart(self, inputs: list[Json], body: Json | None, kind: str) -> None:
        """A name that methods keep for themselves gets an underscore, and so does one that is there already."""
        fields = (
            {python_name(str(name)) for name in self._theirs.schemas.merged(body).properties} if body else set[str]()
        )
        seen: set[str] = set()
        for one in inputs:
            if "x-paging" in one or one["name"] in PAGING:
                continue
            keyword = wanted = python_name(str(one["name"]))
            while keyword in PER_CALL or keyword in seen or (keyword in fields and one["in"] == "query"):
                keyword += "_"
            seen.add(keyword)
            if keyword != wanted:
                one["x-python-name"] = keyword
        if seen & fields or kind == "":
            raise LeftOutError("an id in its path and a field of its body have one name")

    def _reserved(self, component: Json) -> None:
        made = self._convert.new.get(str(component.get("$ref", "")).rpartition("/")[2], {})
        for name, field in as_map(made.get("properties")).items():
            if python_name(name) in PER_CALL and "$ref" not in field:
                field["x-python-name"] = python_name(name) + "_"

    def _responses(self, operation: Operation, kind: str, name: Name) -> Json:
        statuses = sorted(str(one) for one in as_map(operation.node.get("responses")) if str(one).startswith("2"))
        success: Json = {"description": "The operation was carried out."}
        schema = operation_schema(self._theirs, operation, "answer")
        is_object = bool(self._theirs.schemas.merged(schema).properties)
        if kind != "write" or is_object:
            title = f"{name.id[:1].upper()}{name.id[1:]}Response"
            self._convert.allow(schema)
            success["content"] = {"application/json": {"schema": self._convert.schema(schema, title)}}
        status = statuses[0] if statuses and statuses[0].isdecimal() else "200"
        errors = {key: self._pattern["responses"][key] for key in _ERRORS if key in self._pattern["responses"]}
        return {status: success, **{key: {"$ref": str(one["$ref"])} for key, one in errors.items() if "$ref" in one}}

    def _tag(self, resource: str) -> str:
        if resource in self._tags:
            return self._tags[resource]
        packages = {tag_name(str(one["name"])) for one in (*as_list(self._root["tags"]), *self.tags)}
        title = base = resource.rpartition(".")[2].replace("_", " ").strip().capitalize()
        number = 2
        while tag_name(title) in packages:
            title, number = f"{base} {number}", number + 1
        self.tags.append({"name": title, "description": UNDESCRIBED})
        self._tags[resource] = title
        return title


def _prefixes(paths: list[str]) -> dict[tuple[str, ...], str]:
    """What we call the id at the end of each beginning of a path."""
    found: dict[tuple[str, ...], str] = {}
    for path in paths:
        parts = path.strip("/").split("/")
        for index, part in enumerate(parts):
            if is_placeholder(part):
                found.setdefault(shape("/".join(parts[: index + 1])), part[1:-1])
    return found


def _is_own_header(name: str) -> bool:
    return name.lower() not in ("accept", "content-type", "authorization", "api-key", "x-api-key")
