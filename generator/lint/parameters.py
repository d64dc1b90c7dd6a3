"""Rules about parameters and body fields: their places, their Python names, their extensions."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.lookup import RawOperation, Spec, as_list, as_map
from ..spec.methods import PAGED, argument_name, is_paging, paging_role
from ..spec.naming import PER_CALL
from ..spec.source import Json, Pointer, Problem

# Defined by every method; the rest of PER_CALL only by methods that page.
_ALWAYS = PER_CALL - {"page_number", "after", "before"}
_UNITS = ("second", "day")
_EDGES = ("start", "end")


def _body_fields(spec: Spec, operation: RawOperation) -> list[tuple[str, dict[str, Json], Pointer]]:
    body, where = spec.body(operation)
    properties = as_map(body.get("properties"))
    return [(wire, as_map(schema), (*where, "properties", wire)) for wire, schema in properties.items()]


def places(spec: Spec) -> Iterator[Problem]:
    """Parameters are in the path or the query, and each placeholder of the path has its parameter."""
    for operation in spec.operations:
        declared: set[str] = set()
        for data, where in spec.parameters(operation):
            name = str(data.get("name", ""))
            if not name or data.get("in") not in ("path", "query"):
                message = "a parameter has a name and stands `in: path` or `in: query`; headers are given to the client"
                yield spec.source.problem(where, "parameter", message)
            elif "schema" not in data:
                yield spec.source.problem(where, "parameter", "give the parameter a `schema`")
            elif data["in"] == "path":
                declared.add(name)
                kind = spec.merged(data["schema"]).get("type")
                if data.get("required") is not True or kind not in ("string", "integer"):
                    message = "a path id is `required: true`, and a string or an integer"
                    yield spec.source.problem(where, "path-id", message)
        braces = {part[1:-1] for part in operation.path.split("/") if part.startswith("{") and part.endswith("}")}
        if braces != declared or operation.path.count("{") != len(braces):
            names = ", ".join(sorted(braces ^ declared)) or operation.path
            message = (
                f"the path and its parameters disagree on {names}: each {{name}} is a whole segment and a parameter"
            )
            yield spec.source.problem(operation.pointer, "path-id", message)


def bodies(spec: Spec) -> Iterator[Problem]:
    """A body is a JSON object; its fields become keywords."""
    for operation in spec.operations:
        if "requestBody" not in operation.data:
            continue
        body, where = spec.body(operation)
        if body.get("type") != "object" or not body.get("properties"):
            message = "a body is an object in application/json, with properties: they become keywords"
            yield spec.source.problem(where, "body", message)
        if operation.method == "get":
            yield spec.source.problem(where, "body", "a GET has no body: remove it")


def names(spec: Spec) -> Iterator[Problem]:
    """The arguments of a method have different names, and none that the method needs itself."""
    for operation in spec.operations:
        kind = str(operation.data.get("x-kind"))
        kept = PER_CALL if kind in PAGED else _ALWAYS
        seen: dict[str, tuple[str, str, bool]] = {}
        parameters = [
            (str(data.get("in")), str(data.get("name")), data, where) for data, where in spec.parameters(operation)
        ]
        fields = [("body", wire, data, where) for wire, data, where in _body_fields(spec, operation)]
        for place, wire, data, where in (*parameters, *fields):
            if is_paging(place, paging_role(wire, data), kind) or data.get("readOnly"):
                continue
            arg = argument_name(wire, data)
            if arg in kept:
                message = f"methods need {arg!r} themselves: add `x-python-name: {arg}_`"
                yield spec.source.problem(where, "reserved-name", message)
            other = seen.get(arg)
            if other is None:
                seen[arg] = (place, wire, "x-mirror" in data)
            elif (other[0], place, other[1]) == ("query", "body", wire):
                if not (other[2] and "x-mirror" in data):
                    message = (
                        f"{wire!r} stands in query and body: mark both `x-mirror: [query, body]`, or rename one of them"
                    )
                    yield spec.source.problem(where, "mirror", message)
            else:
                message = (
                    f"{wire!r} ({place}) and {other[1]!r} ({other[0]}) of {operation.id} are both {arg!r} in Python, "
                    "and one would be lost: add `x-python-name` to one of them"
                )
                yield spec.source.problem(where, "parameter-collision", message)


def mirrors(spec: Spec) -> Iterator[Problem]:
    """A mirrored parameter is in the query and in the body, with the same type."""
    for operation in spec.operations:
        query = {
            str(data.get("name")): (data, where)
            for data, where in spec.parameters(operation)
            if data.get("in") == "query"
        }
        body = {wire: (data, where) for wire, data, where in _body_fields(spec, operation)}
        for here, there in ((query, body), (body, query)):
            for wire, (data, where) in here.items():
                if "x-mirror" not in data:
                    continue
                other = there.get(wire, ({}, ()))[0]
                if data["x-mirror"] != ["query", "body"] or "x-mirror" not in other:
                    message = f"{wire!r} is a mirror: write `x-mirror: [query, body]` on query parameter and body field"
                    yield spec.source.problem(where, "mirror", message)
                elif spec.kind(query[wire][0].get("schema")) != spec.kind(body[wire][0]):
                    message = f"{wire!r} is of one type in the query and another in the body: make them the same"
                    yield spec.source.problem(where, "mirror", message)


def styles(spec: Spec) -> Iterator[Problem]:
    """The style of a query parameter is one that the client can write."""
    for operation in spec.operations:
        for data, where in spec.parameters(operation):
            kind = spec.kind(data.get("schema"))
            comma = data.get("x-comma-list") is True
            if data.get("in") == "path":
                continue
            if kind.name in ("object", "map") and data.get("style") != "deepObject":
                message = "an object in the query is written with brackets: add `style: deepObject, explode: true`"
                yield spec.source.problem(where, "style", message)
            elif data.get("style") == "deepObject" and kind.name not in ("object", "map"):
                yield spec.source.problem(where, "style", "`deepObject` is for objects: remove it")
            elif data.get("style") not in (None, "form", "deepObject"):
                yield spec.source.problem(where, "style", "write `style: form` or `style: deepObject`")
            elif comma and kind.name != "string":
                message = (
                    "`x-comma-list` marks a string that holds a list; for an array write `style: form, explode: false`"
                )
                yield spec.source.problem(where, "style", message)


def times(spec: Spec) -> Iterator[Problem]:
    """Times name their unit and which end of a range they are."""
    for operation in spec.operations:
        parameters = [(data, where, data.get("schema")) for data, where in spec.parameters(operation)]
        fields = [(data, where, data) for _, data, where in _body_fields(spec, operation)]
        for data, where, schema in (*parameters, *fields):
            if "x-time" not in data:
                continue
            time = as_map(data["x-time"])
            if time.get("unit") not in _UNITS or time.get("edge") not in _EDGES or len(time) != 2:
                message = "write `x-time: {unit: second | day, edge: start | end}`"
                yield spec.source.problem((*where, "x-time"), "time", message)
            elif spec.merged(schema).get("type") != "string":
                yield spec.source.problem((*where, "x-time"), "time", "a time is a string on the wire: make it one")


def fields(spec: Spec) -> Iterator[Problem]:
    """The extensions of body fields fit their operations."""
    for operation in spec.operations:
        path_ids = {str(data.get("name")) for data, _ in spec.parameters(operation) if data.get("in") == "path"}
        lists: list[str] = []
        for wire, data, where in _body_fields(spec, operation):
            source = data.get("x-default-from-path")
            if source is not None and source not in path_ids:
                message = (
                    f"{operation.id} has no path id {source!r}: name one of {', '.join(sorted(path_ids)) or 'none'}"
                )
                yield spec.source.problem((*where, "x-default-from-path"), "default-from-path", message)
            if "x-positional" in data:
                lists.append(wire)
                if spec.kind(data).name != "array":
                    message = "`x-positional` marks the list that an operation is about: this is no array"
                    yield spec.source.problem((*where, "x-positional"), "positional", message)
        if len(lists) > 1:
            message = f"only one field can be positional, not {', '.join(lists)}"
            yield spec.source.problem(operation.pointer, "positional", message)
        for data, where in spec.parameters(operation):
            for key in ("x-default-from-path", "x-positional"):
                if key in data:
                    yield spec.source.problem((*where, key), "extension", f"`{key}` belongs to fields of a body")


def reads(spec: Spec) -> Iterator[Problem]:
    """Read-only fields are not required in requests."""
    for operation in spec.operations:
        body, where = spec.body(operation)
        needed = as_list(body.get("required"))
        for wire, data, _ in _body_fields(spec, operation):
            if data.get("readOnly") and wire in needed:
                message = f"{wire!r} is readOnly and required: it can be only one of them"
                yield spec.source.problem((*where, "properties", wire), "read-only", message)


PARAMETER_RULES = (places, bodies, names, mirrors, styles, times, fields, reads)
