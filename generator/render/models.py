"""The generated model of a schema: its fields as pieces of source."""

from __future__ import annotations

import attrs

from ..spec.lookup import Kind, Spec, as_list, as_map
from ..spec.methods import attribute_name, prose
from ..spec.naming import class_name
from ..spec.source import Json
from .source import enums_of, field_code, models_of, read_code, request_type, response_type, wrapped


@attrs.frozen
class FieldShape:
    """The pieces of source for one field of a model."""

    attr: str
    code: str
    response: str
    request: str
    read: str
    deprecated: str


@attrs.frozen
class ModelShape:
    """The pieces of source for one model."""

    name: str
    doc: str
    fields: tuple[FieldShape, ...]
    nested: tuple[str, ...]
    enums: tuple[str, ...]


def _field_doc(kind: Kind, merged: dict[str, Json], text: str) -> str:
    parts = [text]
    if kind.enum:
        parts.append(f"Known values: `{kind.enum}`.")
    elif kind.values:
        parts.append(f"Known values: {', '.join(f'`{value}`' for value in kind.values)}.")
    elif kind.known_values:
        parts.append(f"Among its values: {', '.join(f'`{value}`' for value in kind.known_values)}.")
    if kind.name == "date-time":
        parts.append("In UTC.")
    if merged.get("readOnly"):
        parts.append("Only in responses.")
    if merged.get("x-secret"):
        parts.append("Secret: shown as `'***'`.")
    if merged.get("deprecated"):
        parts.append(f"Deprecated: {merged.get('x-replacement', '')}")
    text = " ".join(part if part.endswith((".", "!", "?")) else part + "." for part in parts if part)
    return text or f"`{response_type(kind)}`."


def model_shape(spec: Spec, name: str) -> ModelShape:
    """Describe the model of a component schema."""
    merged = spec.merged(spec.schemas[name])
    fields: list[FieldShape] = []
    docs: list[str] = []
    nested: set[str] = set()
    enums: set[str] = set()
    needed = as_list(merged.get("required"))
    for wire, schema in as_map(merged.get("properties")).items():
        inner = spec.merged(schema)
        kind = spec.kind(schema)
        attr = attribute_name(wire, schema)
        request = request_type(kind, dicts=False)
        fields.append(
            FieldShape(
                attr=attr,
                code=field_code(
                    attr,
                    wire,
                    kind,
                    secret=inner.get("x-secret") is True,
                    read_only=inner.get("readOnly") is True,
                    required=wire in needed and not inner.get("readOnly"),
                ),
                response=response_type(kind),
                request=request if request == "Any" else f"{request} | None",
                read=read_code(attr, wire, kind),
                deprecated=str(inner.get("x-replacement", "")) if inner.get("deprecated") else "",
            )
        )
        # A description next to a reference is about the field, one inside the referenced schema about the type.
        text = prose(as_map(schema).get("description") or inner.get("description"))
        docs.append(wrapped(_field_doc(kind, inner, text), 8, first=f"{attr}: ", hanging=4))
        nested |= models_of(kind)
        enums |= enums_of(kind)
    title = class_name(name)
    lead = prose(merged.get("description")) or f"The schema `{name}`."
    body = wrapped(lead, 4, first='"""')
    doc = "\n".join([body, "", "    Attributes:", *docs, '    """']) if docs else body + '\n    """'
    return ModelShape(title, doc, tuple(fields), tuple(sorted(nested - {title})), tuple(sorted(enums)))


def secret_names(spec: Spec) -> list[str]:
    """Names on the wire, of properties and parameters, that are marked secret anywhere."""
    found: set[str] = set()
    for name in spec.schemas:
        for wire, schema in as_map(spec.merged(spec.schemas[name]).get("properties")).items():
            if spec.merged(schema).get("x-secret") is True:
                found.add(wire)
    for operation in spec.operations:
        for data, _ in spec.parameters(operation):
            if data.get("x-secret") is True:
                found.add(str(data.get("name")))
    return sorted(found)
