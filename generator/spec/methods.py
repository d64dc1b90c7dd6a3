"""The methods that operations become: their resource, their arguments, their result."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ..runtime._operation import Param, Range
from .lookup import Kind, RawOperation, Spec, as_list, as_map
from .naming import PAGING_BODY, PAGING_QUERY, class_name, python_name, tag_name
from .source import Json

PAGED = ("pages", "cursor", "report-pages", "report-numbered")
LISTS = (*PAGED, "rows")
NUMBERED = ("pages", "report-pages", "report-numbered")

_JSON_KINDS = {"map": "object", "date-time": "string", "date": "string"}


@attrs.frozen
class Argument:
    """One argument of a method."""

    param: Param
    kind: Kind
    doc: str
    positional: bool = False
    default: Json = None
    bound: bool = False
    """Passed once to the namespace, not to each call."""

    @property
    def name(self) -> str:
        return self.param.arg

    @property
    def needed(self) -> bool:
        """Whether the caller has to pass it."""
        return (self.param.required and not self.param.from_path) or self.positional


@attrs.frozen
class Method:
    """One method of a resource, and the descriptor of its operation."""

    id: str
    name: str
    resource: str
    surface: str
    http_method: str
    path: str
    kind: str
    evidence: str
    tag: str
    module: str
    arguments: tuple[Argument, ...]
    summary: str
    description: str
    model: str
    has_body: bool
    safe: bool
    range: Range | None
    export_role: str
    rows: str
    deprecated: str
    paging: tuple[tuple[str, str], ...] = ()
    """Our name and theirs of each paging parameter that is called otherwise."""

    @property
    def params(self) -> tuple[Param, ...]:
        return tuple(argument.param for argument in self.arguments)

    @property
    def bulk(self) -> bool:
        """Whether it changes all objects of a list: such a list is sent in batches."""
        return self.kind == "write" and any(param.non_empty for param in self.params)

    @property
    def sdk(self) -> str:
        return f"{self.resource}.{self.name}"

    @property
    def own_arguments(self) -> tuple[Argument, ...]:
        return tuple(argument for argument in self.arguments if not argument.bound)

    @property
    def positional(self) -> tuple[Argument, ...]:
        return tuple(argument for argument in self.own_arguments if argument.positional)

    @property
    def keywords(self) -> tuple[Argument, ...]:
        """Keyword-only arguments, required ones first."""
        rest = [argument for argument in self.own_arguments if not argument.positional]
        return tuple(sorted(rest, key=lambda argument: not argument.needed))


@attrs.frozen
class Modify:
    """A method that reads an object, changes it and writes it back: where a `get` and an `update` belong together."""

    read: Method
    update: Method

    @property
    def keywords(self) -> tuple[Argument, ...]:
        """The fields that can be changed. What the update needs is read, so none of them has to be given."""
        return tuple(
            attrs.evolve(argument, param=attrs.evolve(argument.param, required=False))
            for argument in self.update.keywords
        )


@attrs.frozen
class Resource:
    """A group of methods under one name of the client."""

    name: str
    """Full name, with its namespace: ``publisher_view.offers``."""
    methods: tuple[Method, ...]
    namespace: str
    bind: str
    """Python name of the path id that its namespace is bound to."""
    doc: str

    @property
    def modify(self) -> Modify | None:
        """The method that is made of `get` and `update`, where both speak of one object by the same ids."""
        by_name = {method.name: method for method in self.methods}
        read, update = by_name.get("get"), by_name.get("update")
        if read is None or update is None or update.kind != "write" or read.kind != "one":
            return None
        ids = [[p.name for p in method.params if p.place == "path"] for method in (read, update)]
        return Modify(read, update) if ids[0] == ids[1] else None

    @property
    def attr(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def module(self) -> str:
        return self.name.replace(".", "_")

    @property
    def class_name(self) -> str:
        return class_name(self.module)


def json_kinds(kind: Kind) -> tuple[str, ...]:
    """The JSON types that a request may contain for this kind."""
    return () if kind.name == "any" else (_JSON_KINDS.get(kind.name, kind.name),)


def prose(text: Json) -> str:
    """A description with each paragraph on one line."""
    paragraphs = str(text or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _style(data: dict[str, Json], schema: dict[str, Json]) -> str:
    if data.get("x-comma-list"):
        return "comma"
    if data.get("style") == "deepObject":
        return "deep"
    if schema.get("type") == "array":
        return "comma" if data.get("explode") is False else "repeat"
    return ""


def _replacement(node: dict[str, Json]) -> str:
    """What to use instead of something deprecated; empty if it is not deprecated."""
    return str(node.get("x-replacement", "")) if node.get("deprecated") else ""


def argument_name(wire: str, node: dict[str, Json]) -> str:
    """The Python name of a parameter or body property."""
    given = node.get("x-python-name")
    return given if isinstance(given, str) else PAGING_QUERY.get(paging_role(wire, node)) or python_name(wire)


def paging_role(wire: str, node: dict[str, Json]) -> str:
    """What a query parameter is to the paging, in our names: `page` marked `x-paging: page[number]` is that."""
    return str(node.get("x-paging") or wire)


def attribute_name(wire: str, schema: Json) -> str:
    """The Python name of a property."""
    given = as_map(schema).get("x-python-name")
    return given if isinstance(given, str) else python_name(wire)


def is_paging(place: str, wire: str, kind: str) -> bool:
    """Tell whether paging sets this parameter, so that it is no argument."""
    if kind not in PAGED:
        return False
    return wire in PAGING_QUERY if place == "query" else place == "body" and wire in PAGING_BODY


class Describer:
    """Turns the operations of a spec into methods."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    def argument(self, place: str, wire: str, node: dict[str, Json], *, required: bool) -> Argument:
        """Describe one parameter (``node`` is the parameter) or body property (``node`` is its schema)."""
        schema = node if place == "body" else node.get("schema", {})
        merged = self.spec.merged(schema)
        facts = {**merged, **node}
        kind = self.spec.kind(schema)
        style = _style(facts, merged) if place == "query" else ""
        time = as_map(facts.get("x-time"))
        kinds = ("array", "string") if style == "comma" else json_kinds(kind)
        positional = place == "path" or facts.get("x-positional") is True
        items = kind.items
        return Argument(
            param=Param(
                name=wire,
                arg=argument_name(wire, node),
                place=place,
                kinds=kinds,
                items=json_kinds(items) if items is not None and kind.name == "array" else (),
                required=required or positional,
                style=style,
                time=str(time.get("unit", "")),
                edge=str(time.get("edge", "")),
                secret=facts.get("x-secret") is True,
                mirror=place == "query" and "x-mirror" in facts,
                deprecated=_replacement(facts),
                deprecated_inside=tuple(self.deprecated_inside(schema)) if place == "body" else (),
                model=kind.model or (items.model if items is not None else ""),
                non_empty=place == "body" and positional,
            ),
            kind=kind,
            doc=prose(node.get("description") or merged.get("description")),
            positional=positional,
            default=merged.get("default"),
        )

    def deprecated_inside(
        self, schema: Json, above: tuple[str, ...] = (), seen: frozenset[str] = frozenset()
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """The deprecated fields inside an object or an array's items, each with its path and its replacement."""
        name = self.spec.reference(schema)
        if name in seen:
            return
        merged = self.spec.merged(schema)
        seen = seen | {name} if name else seen
        if "items" in merged:
            yield from self.deprecated_inside(merged["items"], above, seen)
        for wire, inner in as_map(merged.get("properties")).items():
            facts = {**self.spec.merged(inner), **as_map(inner)}
            if replacement := _replacement(facts):
                yield (*above, wire), replacement
            yield from self.deprecated_inside(inner, (*above, wire), seen)

    def arguments(self, operation: RawOperation, kind: str, bind: str) -> tuple[Argument, ...]:
        """Describe the arguments of an operation, without those of paging: path, query, body."""
        found: list[Argument] = []
        parameters = [data for data, _ in self.spec.parameters(operation)]
        order = {f"{{{data.get('name')}}}": operation.path.find(f"{{{data.get('name')}}}") for data in parameters}
        path_ids = [data for data in parameters if data.get("in") == "path"]
        for data in sorted(path_ids, key=lambda data: order[f"{{{data['name']}}}"]):
            argument = self.argument("path", str(data["name"]), data, required=True)
            found.append(attrs.evolve(argument, bound=data["name"] == bind))
        mirrored: set[str] = set()
        body, _ = self.spec.body(operation)
        needed = as_list(body.get("required"))
        for data in parameters:
            wire = str(data.get("name"))
            if data.get("in") == "query" and not is_paging("query", paging_role(wire, data), kind):
                is_needed = bool(data.get("required")) or ("x-mirror" in data and wire in needed)
                argument = self.argument("query", wire, data, required=is_needed)
                if argument.param.mirror:
                    mirrored.add(wire)
                found.append(argument)
        for wire, schema in as_map(body.get("properties")).items():
            if wire in mirrored or is_paging("body", wire, kind) or as_map(schema).get("readOnly"):
                continue
            argument = self.argument("body", wire, as_map(schema), required=wire in needed)
            source = as_map(schema).get("x-default-from-path")
            if isinstance(source, str):
                path_arg = next(item.name for item in found if item.param.place == "path" and item.param.name == source)
                argument = attrs.evolve(argument, param=attrs.evolve(argument.param, from_path=path_arg))
            found.append(argument)
        return tuple(found)

    def model(self, operation: RawOperation, kind: str) -> str:
        """Name of the model that an operation returns: an item, a row, or the object itself."""
        schema = self.result(operation, kind)
        return self.spec.kind(schema).model if schema is not None else ""

    def result(self, operation: RawOperation, kind: str) -> Json | None:
        """The schema of an operation's result, without its envelope; None where the result is no object."""
        schema, _ = self.spec.success(operation)
        if schema is None or kind in ("create", "write", "url"):
            return None
        data = as_map(self.spec.merged(schema).get("properties")).get("data")
        if kind == "pages":
            return self.spec.merged(data).get("items") if data is not None else None
        if kind == "rows" and "data" not in self.spec.merged(data).get("properties", {}):
            # A bare list, or one that stands below `data`.
            whole = self.spec.merged(schema)
            return self.spec.merged(data).get("items") if data is not None else whole.get("items")
        if kind in ("cursor", "report-pages", "report-numbered", "rows"):
            rows = as_map(self.spec.merged(data).get("properties")).get("data") if data is not None else None
            return self.spec.merged(rows).get("items") if rows is not None else None
        if kind == "one" and data is not None and self.spec.kind(data).name == "object":
            return data
        return schema

    def method(self, operation: RawOperation, binds: dict[str, str]) -> Method:
        """Describe one operation."""
        data = operation.data
        kind = str(data["x-kind"])
        resource = str(data["x-resource"])
        export = as_map(data.get("x-export"))
        namespace = resource.partition(".")[0] if "." in resource else ""
        arguments = self.arguments(operation, kind, binds.get(namespace, ""))
        names = {argument.param.name: argument.name for argument in arguments}
        return Method(
            id=operation.id,
            name=str(data["x-method"]),
            resource=resource,
            surface=self.spec.surface,
            http_method=operation.method.upper(),
            path=operation.path,
            kind=kind,
            evidence=str(data["x-evidence"]),
            tag=tag_name(str(as_list(data["tags"])[0])),
            module=python_name(operation.id),
            arguments=arguments,
            summary=prose(data.get("summary")),
            description=prose(data.get("description")),
            model=self.model(operation, kind),
            has_body="requestBody" in data,
            safe=operation.method == "get" or data.get("x-safe") is True,
            range=self._range(as_map(data.get("x-range")), names),
            export_role=str(export.get("role", "")),
            rows=class_name(str(export["rows"])) if "rows" in export else "",
            deprecated=_replacement(data),
            paging=tuple(
                (str(one["x-paging"]), str(one["name"]))
                for one, _ in self.spec.parameters(operation)
                if "x-paging" in one
            ),
        )

    def _range(self, data: dict[str, Json], names: dict[str, str]) -> Range | None:
        """The time range of a report; its two ends are named by their Python keywords."""
        if not data:
            return None
        return Range(**{**data, "start": names[data["start"]], "end": names[data["end"]]})

    def methods(self) -> list[Method]:
        """Describe all operations, in the order of the file."""
        binds = {name: str(entry["bind"]) for name, entry in as_map(self.spec.tree.get("x-namespaces")).items()}
        return [self.method(operation, binds) for operation in self.spec.operations]

    def resources(self, methods: list[Method]) -> list[Resource]:
        """Group methods into resources, in the order in which they first occur."""
        spaces = {name: str(entry["bind"]) for name, entry in as_map(self.spec.tree.get("x-namespaces")).items()}
        tags = {
            tag_name(str(tag.get("name"))): prose(tag.get("description")) for tag in as_list(self.spec.tree.get("tags"))
        }
        groups: dict[str, list[Method]] = {}
        for method in methods:
            groups.setdefault(method.resource, []).append(method)
        found: list[Resource] = []
        for name, members in groups.items():
            space = name.partition(".")[0] if "." in name else ""
            doc = tags.get(members[0].tag) or f"The methods of `{name}`."
            # `def list` hides the builtin from the annotations that follow it in its class.
            ordered = sorted(members, key=lambda method: method.name == "list")
            found.append(Resource(name, tuple(ordered), space, python_name(spaces[space]) if space else "", doc))
        return found
