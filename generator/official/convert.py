"""Schemas of the vendor's document, of any version, in the manner of our 3.0 specs: objects as named components."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..spec.naming import MODEL_NAMES, class_name, module_of, python_name
from . import round_trip
from .document import Document
from .facts import reference
from .operations import Operation, operation_schema, parameter_schema
from .references import Json, as_list, as_map

UNDESCRIBED = "Taken over from the vendor's file; not described yet."
_KEPT = ("format", "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems")
_TYPES = ("string", "integer", "number", "boolean")
_SCHEMAS = "#/components/schemas/"
_ENVELOPE = ("data", "items", "rows", "list", "result", "results")
MOST_COMPONENTS = 25
"""So many new components one field or operation may bring; objects further down stay open."""


class Converter:
    """Makes components on the way; `new` are those, for the caller to put into the tree."""

    def __init__(self, theirs: Document, root: round_trip.Tree, same: Mapping[str, str]) -> None:
        self._theirs = theirs
        schemas = root["components"]["schemas"]
        self.new: dict[str, Json] = {}
        self._components: dict[str, str] = dict(same)
        """Their component, and which of ours it is."""
        self._allowed: set[str] = set()
        self._titles = {str(name) for name in schemas}
        self._modules = {module_of(class_name(str(name))) for name in schemas}
        self._lists: dict[tuple[str, ...], str] = {}
        """Every list of known values, and the component that it is, if it is one."""
        for name, schema in as_map(schemas).items():
            if values := _values(as_map(schema)):
                self._lists[values] = str(name)
        for values in _lists(root):
            self._lists.setdefault(values, "")

    def reserve(self, name: str) -> None:
        """No component is to be called so: a class of another kind is."""
        self._titles.add(name)

    def allow(self, schema: Json) -> None:
        """Name the components that may be made for this schema: those nearest to it."""
        waiting, seen, made = [schema], set[int](), 0
        while waiting and made < MOST_COMPONENTS:
            after: list[Json] = []
            for one in waiting:
                if id(one) in seen or made >= MOST_COMPONENTS:
                    continue
                seen.add(id(one))
                name = reference(one)
                if name in self._components:
                    continue
                if name and name not in self._allowed:
                    self._allowed.add(name)
                    made += 1
                after += [child for _, child, _ in self._theirs.schemas.below(one)]
            waiting = after

    def parameter(self, parameter: Json, name: str) -> Json:
        """Their query or path parameter as one of ours."""
        schema = parameter_schema(self._theirs, parameter)
        where = str(parameter.get("in"))
        out: Json = {"name": name, "in": where}
        if parameter.get("required") or where == "path":
            out["required"] = True
        out["description"] = prose(parameter.get("description")) or UNDESCRIBED
        out["x-evidence"] = "official"
        kind = self._theirs.schemas.kind(schema)
        if where == "path":
            out["schema"] = {"type": "integer" if kind == "integer" else "string"}
            return out
        if kind == "array":
            csv = parameter.get("collectionFormat", "csv") != "multi" if "schema" not in parameter else False
            if csv or parameter.get("explode") is False:
                out |= {"style": "form", "explode": False}
            out["schema"] = self.schema(schema, name)
        elif kind in ("object", "map"):
            out |= {"style": "deepObject", "explode": True, "schema": {"type": "object", "additionalProperties": True}}
        else:
            out["schema"] = self.schema(schema, name)
        return out

    def field(self, operation: Operation, where: str, place: str, name: str) -> Json | None:
        """The schema at a place of theirs (with or without its envelope), as a property of ours."""
        found = self._at(operation_schema(self._theirs, operation, where), place)
        if found is None and place in operation.form and where == "body":
            fact = operation.form[place]
            return self.told({"type": fact.type if fact.type in _TYPES else "string"})
        if found is None:
            return None
        self.allow(found)
        return self.told(self.schema(found, name))

    @staticmethod
    def told(schema: Json) -> Json:
        """A schema as a property of one of our models that was there before."""
        here = {"allOf": [schema]} if "$ref" in schema else schema
        return {"description": UNDESCRIBED, **here, "x-evidence": "official"}

    def _at(self, schema: Json, wanted: str) -> Json | None:
        """Down the steps of a place: names, `[]` for items, `*` for the values of a map."""
        schemas = self._theirs.schemas
        at = schema
        for _ in range(3):
            found = self._descend(at, wanted)
            if found is not None:
                return found
            # Without the envelope: the place starts below `data`, or below the items of the list.
            merged = schemas.merged(at)
            inner = as_map(merged.properties.get("data")) or merged.items
            if not inner:
                return None
            at = inner
        return None

    def _descend(self, schema: Json, wanted: str) -> Json | None:
        schemas = self._theirs.schemas
        rest, at = wanted, schema
        while rest:
            if rest.startswith("[]"):
                at, rest = schemas.merged(at).items, rest[2:].removeprefix(".")
            elif rest.startswith("*"):
                at, rest = schemas.merged(at).values, rest[1:].removeprefix(".")
            else:
                # A name may hold dots itself: the longest that is there.
                names = [one for one in schemas.merged(at).properties if _begins(rest, one)]
                if not names:
                    return None
                name = max(names, key=len)
                at, rest = as_map(schemas.merged(at).properties[name]), rest[len(name) :].removeprefix(".")
            if not at and rest:
                return None
        return at

    def schema(self, schema: Json, name: str) -> Json:
        """One of ours for one of theirs; `name` is for the object that it may hold."""
        merged = self._theirs.schemas.merged(schema)
        shape = self._theirs.schemas.kind(schema)
        if shape == "object":
            theirs = reference(schema)
            if not merged.properties or (theirs and theirs not in self._components and theirs not in self._allowed):
                return {"type": "object"}
            return {"$ref": _SCHEMAS + self._component(schema, name)}
        if shape == "array":
            return {"type": "array", "items": self.schema(merged.items, _singular(name)) if merged.items else {}}
        if shape == "map":
            return {"type": "object", "additionalProperties": self.schema(merged.values, name)}
        if shape not in _TYPES:
            return {}
        out: Json = {"type": shape}
        out.update({key: merged.keywords[key] for key in _KEPT if _is_plain(merged.keywords.get(key))})
        if values := self._known_values(merged.keywords, shape):
            if component := self._lists.get(tuple(map(str, values)), None):
                return {"$ref": _SCHEMAS + component}
            if tuple(map(str, values)) not in self._lists:
                self._lists[tuple(map(str, values))] = ""
                out["enum"] = values
        return out

    @staticmethod
    def _known_values(keywords: Json, shape: str) -> list[object]:
        """Values of one kind that differ in more than punctuation; others are left open."""
        values = [value for value in as_list(keywords.get("enum")) if value is not None]
        kind = {"string": str, "integer": int}.get(shape)
        distinct = {re.sub(r"[\W_]+", "", str(value)) or str(value) for value in values}
        fits = kind is not None and all(type(value) is kind for value in values)
        return list(dict.fromkeys(values)) if fits and len(distinct) == len(values) else []

    def _component(self, schema: Json, hint: str) -> str:
        """The component for an object, made once for each of theirs."""
        theirs = reference(schema)
        if theirs in self._components:
            return self._components[theirs]
        title = self._title(theirs.rpartition(".")[2] or hint)
        if theirs:
            self._components[theirs] = title
        merged = self._theirs.schemas.merged(schema)
        whole: Json = {"type": "object", "properties": {}}
        self.new[title] = whole
        if text := prose(merged.keywords.get("description")):
            whole["description"] = text
        attributes: set[str] = set()
        for key, child in merged.properties.items():
            # An envelope's part is named by what it is the envelope of.
            hint = f"{title.removesuffix('Response')}_{key}" if key in _ENVELOPE else str(key)
            made = self.schema(as_map(child), hint)
            attribute = wanted = python_name(str(key))
            while attribute in attributes or attribute in MODEL_NAMES:
                attribute += "_"
            attributes.add(attribute)
            if attribute != wanted:
                made = {"allOf": [made], "x-python-name": attribute} if "$ref" in made else made
                made["x-python-name"] = attribute
            whole["properties"][str(key)] = made
        needed = [name for name in merged.properties if name in merged.required]
        if needed:
            whole["required"] = needed
        return title

    def _title(self, name: str) -> str:
        base = class_name(
            "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name)) or "Adopted"
        )
        title, number = base, 2
        while title in self._titles or module_of(title) in self._modules or class_name(title) != title:
            title, number = f"{base}{number}", number + 1
        self._titles.add(title)
        self._modules.add(module_of(title))
        return title


def _begins(place: str, name: str) -> bool:
    return place.startswith(name) and place[len(name) : len(name) + 1] in ("", ".", "[")


def _values(schema: Json) -> tuple[str, ...]:
    return tuple(str(value) for value in as_list(schema.get("enum")) if value is not None)


def _lists(node: object) -> Iterator[tuple[str, ...]]:
    """Every list of known values in a tree."""
    for one in as_list(node):
        yield from _lists(one)
    for key, value in as_map(node).items():
        if key == "enum" and (values := as_list(value)):
            yield tuple(map(str, values))
        else:
            yield from _lists(value)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


def prose(text: object) -> str:
    """Their words on one line; those that no docstring can hold are left away."""
    said = " ".join(str(text or "").split())
    return "" if '"""' in said or "\\" in said else said


def _singular(name: str) -> str:
    return name[:-1] if len(name) > 3 and name.endswith("s") and not name.endswith("ss") else name
