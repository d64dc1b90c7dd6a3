"""Models with a value in every field, invented from the names of model and field alone: always the same."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

from adsecurity_generated._model import Field, Model
from adsecurity_generated._values import encode

M = TypeVar("M", bound=Model)

_FIRST_TIME = datetime(2026, 11, 1, 12, tzinfo=UTC)
# Other flags are off: most of them say that something is archived, rejected or to be continued.
_TRUE = ("active", "enabled", "success")
# Values of text fields by their names, or else by the last word of these. Addresses are those reserved for examples.
_TEXTS = {
    "agent": "Mozilla/5.0",
    "city": "Hamburg",
    "color": "#336699",
    "country": "DE",
    "currency": "USD",
    "date": "2026-11-01",
    "delimiter": ",",
    "domain": "shop{number}.example",
    "email": "person{number}@example.com",
    "end": "2026-11-08",
    "first_name": "Ada",
    "integration": "integration-{number}",
    "ip": "192.0.2.{octet}",
    "language": "en",
    "last_name": "Berg",
    "link": "https://files.example/{field}/{number}",
    "method": "GET",
    "network": "192.0.2.0/24",
    "organization": "organization-{number}",
    "payout_type": "CPA",
    "phone": "+1-555-{number:04}",
    "referer": "https://search.example/{number}",
    "revenue_type": "RPA",
    "start": "2026-11-01",
    "timezone": "Europe/Berlin",
    "url": "https://shop.example/{field}/{number}",
    "uuid": "00000000-0000-4000-8000-{number:012}",
    "version": "{number}.0",
    "website": "https://company{number}.example",
    "zone": "Europe/Berlin",
}


def make(model: type[M], /, **fields: Any) -> M:
    """A model as if it had been received, with a value in every field, nested models included.

    `fields` are values by attribute name: what the attribute takes, or for a nested model a dict of the attributes that
    are to differ. None makes the field null. The other values depend on the model and the field alone. Enum fields have
    a known value, and secrets a false one. Raises TypeError for an attribute that the model does not have and for a
    value that does not fit.
    """
    _check_model(model)
    return _build(model, 1, fields)


def make_many(model: type[M], count: int, /, **fields: Any) -> list[M]:
    """`count` models as `make` makes them, with ids, names, numbers and times that differ; `fields` are for all.

    Raises what `make` raises.
    """
    _check_model(model)
    return [_build(model, number, fields) for number in range(1, count + 1)]


def _check_model(model: type[Model]) -> None:
    if not isinstance(model, type) or not issubclass(model, Model):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"make needs a model of adsecurity.types, not {model!r}")


def _build(model: type[M], number: int, given: Mapping[str, Any]) -> M:
    fields = {field.attr: field for field in model.FIELDS}
    for name in given:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, 1)
            hint = f"{near[0]}?" if near else f"it has {', '.join(fields)}"
            raise TypeError(f"{model.__name__} has no field {name!r}; {hint}")
    data: dict[str, Any] = {}
    for name, field in fields.items():
        value = _complete(model, field, given[name], number) if name in given else _invent(model, field, name, number)
        data[field.wire] = encode(value)
    made = model.from_dict(data)
    for name in given:
        if fields[name].wire in made.additional_properties:
            raise TypeError(f"{model.__name__}.{name}: {type(given[name]).__name__} is no {fields[name].kind}")
    return made


def _complete(model: type[Model], field: Field, value: Any, number: int) -> Any:
    """A given value, in which dicts for nested models have become whole models."""
    if field.kind == "object" and isinstance(value, Mapping):
        return _build(model.nested(field.model), number, cast("Mapping[str, Any]", value))
    if field.kind == "array" and field.items is not None and isinstance(value, list | tuple):
        return [_complete(model, field.items, item, number) for item in cast("Sequence[Any]", value)]
    return value


def _invent(model: type[Model], field: Field, name: str, number: int) -> Any:
    """A value for a field, or for an item of the field of this name."""
    match field.kind:
        case "object":
            return _build(model.nested(field.model), number, {})
        case "array":
            return [_invent(model, field.items, name, number)] if field.items else [_text(model, field, name, number)]
        case "map":
            return {"key": _invent(model, field.items, name, number) if field.items else "value"}
        case "integer":
            # Some flags are numbers.
            return 0 if name.startswith("is_") else number
        case "number":
            return number + 0.5
        case "boolean":
            return name in _TRUE
        case "date-time":
            return _FIRST_TIME + timedelta(minutes=number - 1)
        case "date":
            return _FIRST_TIME.date()
        case _:
            return _text(model, field, name, number)


def _text(model: type[Model], field: Field, name: str, number: int) -> str:
    known = _known_values(model, name)
    if known:
        return known[0]
    words = name.split("_")
    pattern = _TEXTS.get(name) or _TEXTS.get(words[-1])
    if pattern:
        return pattern.format(field=name, number=number, octet=(number - 1) % 254 + 1)
    if field.secret:
        return f"fake-{'-'.join(words)}-{number}"
    if name.endswith("name_with_id"):
        return f"{_text(model, field, name.removesuffix('_with_id'), number)} [{number}]"
    if words[-1] in ("id", "name"):
        # Of what the field names, or of the model itself: "landing-page-1", "Landing Page 1".
        owner = words[:-1] or re.findall("[A-Z]+(?![a-z])|[A-Z][a-z]*", model.__name__)
        if words[-1] == "id":
            return "-".join([*owner, str(number)]).lower()
        return " ".join([*(word[0].upper() + word[1:] for word in owner), str(number)])
    return f"{' '.join(words)} {number}"


def _known_values(model: type[Model], name: str) -> list[str]:
    """The values that the spec lists for a field, without the one that says nothing.

    Attributes are plain `str`, since a server may have new values; the types of the constructor's arguments tell more,
    in the text of their annotations. Where they do not, a list may be named like the field: `ExportStatus`.
    """
    annotation: str = model.__init__.__annotations__.get(name, "")
    if "Literal[" in annotation:
        return re.findall("'([^']*)'", annotation)
    models = sys.modules[model.__module__.rpartition(".")[0]]
    own_name = model.__name__ + "".join(word.capitalize() for word in name.split("_"))
    for type_name in (*re.findall(r"\w+", annotation), own_name):
        listed = getattr(models, type_name, None)
        if get_origin(listed) is Literal:
            return [value for value in get_args(listed) if value.lower() != "unknown"]
    return []
