"""Rules about kinds: an operation has the parameters and the response that its x-kind, x-range, x-export require."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.lookup import RawOperation, Spec, as_map
from ..spec.methods import LISTS, Describer, paging_role
from ..spec.naming import class_name
from ..spec.source import Json, Problem

_QUERY = {
    "pages": ("page[number]", "page[size]"),
    "cursor": ("page[size]", "page[after]", "page[before]"),
    "report-pages": ("page[number]",),
    "report-numbered": ("page[number]", "page[size]"),
}
_SHAPES = {
    "pages": "{data: [Item], meta: object}",
    "cursor": "{data: {data: [Row], pageInfo: object}}",
    "report-pages": "{data: {data: [Row], pageInfo: object}}",
    "report-numbered": "{data: {data: [Row]}}",
    "rows": "{data: {data: [Row]}}, {data: [Row]} or [Row]",
    "one": "{data: Object}, or the object itself",
    "create": "{created_item_id: string}",
    "write": "an object",
    "export": "the export object itself",
    "url": "{url: string}",
}
_ROLES = {"start": "export", "status": "one", "signed-url": "url"}


def _wires(spec: Spec, operation: RawOperation, place: str) -> set[str]:
    return {
        paging_role(str(data.get("name")), data) for data, _ in spec.parameters(operation) if data.get("in") == place
    }


def _body_wires(spec: Spec, operation: RawOperation) -> set[str]:
    return set(as_map(spec.body(operation)[0].get("properties")))


def paging(spec: Spec) -> Iterator[Problem]:
    """Operations that page have the parameters that paging sets."""
    for operation in spec.operations:
        kind = str(operation.data["x-kind"])
        missing = [name for name in _QUERY.get(kind, ()) if name not in _wires(spec, operation, "query")]
        if kind == "report-pages":
            missing += [name for name in ("page_number", "page_size") if name not in _body_wires(spec, operation)]
            if operation.method != "post":
                yield spec.source.problem(operation.pointer, "kind", "`report-pages` is a POST: choose another x-kind")
            elif operation.data.get("x-safe") is not True:
                yield spec.source.problem(operation.pointer, "safe", "a report only reads: add `x-safe: true`")
        elif kind in LISTS and operation.method != "get":
            yield spec.source.problem(operation.pointer, "kind", f"`{kind}` is a GET: choose another x-kind")
        if missing:
            message = f"`{kind}` needs the parameters {', '.join(missing)}: add them, or choose another x-kind"
            yield spec.source.problem((*operation.pointer, "x-kind"), "kind", message)
        if kind in ("one", "url") and operation.method != "get":
            yield spec.source.problem(operation.pointer, "kind", f"`{kind}` is a GET: choose another x-kind")
        silent = kind == "write" and spec.success(operation)[0] is None
        if kind in ("create", "write", "export") and operation.method == "get" and not silent:
            yield spec.source.problem(operation.pointer, "kind", f"`{kind}` is no GET: choose another x-kind")


def _fits(spec: Spec, operation: RawOperation, kind: str) -> bool:
    schema, _ = spec.success(operation)
    if schema is None:
        return kind == "write"
    body = spec.merged(schema)
    fields = as_map(body.get("properties"))

    def field(name: str, *types: str, inside: dict[str, Json] = fields) -> bool:
        return name in inside and spec.merged(inside[name]).get("type") in types

    match kind:
        case "create":
            return field("created_item_id", "string")
        case "url":
            return field("url", "string")
        case "write":
            return body.get("type") == "object"
        case "pages" if not field("meta", "object"):
            return False
        case "cursor" | "report-pages":
            inner = as_map(spec.merged(fields.get("data")).get("properties"))
            if not field("pageInfo", "object", inside=inner):
                return False
        case _:
            pass
    result = Describer(spec).result(operation, kind)
    return result is not None and spec.kind(result).name == "object"


def shapes(spec: Spec) -> Iterator[Problem]:
    """The response has the shape of its kind, the same for every success."""
    for operation in spec.operations:
        kind = str(operation.data["x-kind"])
        if not _fits(spec, operation, kind):
            _, where = spec.success(operation)
            message = f"`x-kind: {kind}` answers {_SHAPES[kind]}, objects as components: mend the schema or the kind"
            yield spec.source.problem(where, "kind-shape", message)
        responses = as_map(operation.data.get("responses"))
        found: list[Json] = []
        for status, node in responses.items():
            media = as_map(as_map(spec.follow(node)[0].get("content")).get("application/json"))
            if status.startswith("2") and "schema" in media:
                found.append(media["schema"])
        if any(schema != found[0] for schema in found):
            message = "the successes answer different schemas, and only one would be read: make them the same"
            yield spec.source.problem((*operation.pointer, "responses"), "kind-shape", message)


def ranges(spec: Spec) -> Iterator[Problem]:
    """A range names two time parameters of the same unit, and two fields of the row."""
    for operation in spec.operations:
        if "x-range" not in operation.data:
            continue
        where = (*operation.pointer, "x-range")
        given = as_map(operation.data["x-range"])
        kind = str(operation.data["x-kind"])
        if set(given) != {"start", "end", "unit", "time_field", "key"}:
            message = "write `x-range: {start: …, end: …, unit: second | day, time_field: …, key: …}`"
            yield spec.source.problem(where, "range", message)
            continue
        if kind not in LISTS:
            yield spec.source.problem(where, "range", f"`x-range` belongs to lists, this is `{kind}`: remove it")
            continue
        times = {str(data.get("name")): as_map(data.get("x-time")) for data, _ in spec.parameters(operation)}
        for edge in ("start", "end"):
            if times.get(str(given[edge])) != {"unit": given["unit"], "edge": edge}:
                message = (
                    f"{given[edge]!r} is no parameter with `x-time: {{unit: {given['unit']}, edge: {edge}}}`: mend one"
                )
                yield spec.source.problem((*where, edge), "range", message)
        row = as_map(spec.merged(Describer(spec).result(operation, kind)).get("properties"))
        for key in ("time_field", "key"):
            if given[key] not in row:
                yield spec.source.problem(
                    (*where, key), "range", f"the row has no field {given[key]!r}: name one that it has"
                )


def exports(spec: Spec) -> Iterator[Problem]:
    """Exports that can be started can be polled and downloaded; `rows` names a schema."""
    roles: dict[str, list[str]] = {role: [] for role in _ROLES}
    for operation in spec.operations:
        kind = str(operation.data["x-kind"])
        where = (*operation.pointer, "x-export")
        if "x-export" not in operation.data:
            if kind == "export":
                yield spec.source.problem(
                    operation.pointer, "export", "`x-kind: export` needs `x-export: {role: start}`"
                )
            continue
        given = as_map(operation.data["x-export"])
        role = str(given.get("role"))
        if role not in _ROLES or not set(given) <= {"role", "rows"}:
            yield spec.source.problem(
                where, "export", f"write `x-export: {{role: {' | '.join(_ROLES)}}}`, and `rows` at a start"
            )
            continue
        roles[role].append(operation.id)
        if kind != _ROLES[role]:
            yield spec.source.problem(
                where, "export", f"the role {role!r} goes with `x-kind: {_ROLES[role]}`: mend one"
            )
        if "rows" in given and (
            role != "start" or spec.kind(as_map(spec.schemas.get(str(given["rows"])))).name != "object"
        ):
            message = "`rows` stands at a start, and names the schema whose properties type the columns"
            yield spec.source.problem((*where, "rows"), "export", message)
        methods = {
            item.data.get("x-method")
            for item in spec.operations
            if item.data.get("x-resource") == operation.data.get("x-resource")
        }
        if role == "status" and "resume" in methods:
            yield spec.source.problem(
                where, "export", "this resource gets a method `resume`: rename the one that has the name"
            )
    for role in ("status", "signed-url"):
        if len(roles[role]) > 1 or (roles["start"] and not roles[role]):
            message = (
                f"exactly one operation has the role {role!r} where exports are started, not {roles[role] or 'none'}"
            )
            yield spec.source.problem(("paths",), "export", message)


def class_names(spec: Spec) -> Iterator[Problem]:
    """No resource's class has the name of a schema: a module may import both."""
    names = {class_name(name) for name in spec.schemas}
    for operation in spec.operations:
        resource = class_name(str(operation.data["x-resource"]).replace(".", "_"))
        for name in (resource, f"Async{resource}"):
            if name in names:
                message = f"the resource's class {name!r} is also a schema: rename one of them"
                yield spec.source.problem((*operation.pointer, "x-resource"), "resource", message)


KIND_RULES = (paging, shapes, ranges, exports, class_names)
