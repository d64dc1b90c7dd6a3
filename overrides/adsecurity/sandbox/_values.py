"""JSON request bodies: parsing, and rejecting values that neither SQLite nor a JSON response can represent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from ._errors import ErrorDetail
from ._schema import as_map, is_list

# SQLite's integers have 64 bits.
MAX_INTEGER = 2**63 - 1
# The validator and the JSON encoder recurse; both fail at a depth of a few hundred.
_MAX_DEPTH = 100


def parse_json(content: bytes) -> tuple[Any, list[ErrorDetail]]:
    """The value of a request body, and the reasons why it cannot be accepted."""
    try:
        value = json.loads(content)
    except ValueError as error:
        return None, [ErrorDetail("body", "/", f"not JSON: {error}")]
    except RecursionError:
        return None, [ErrorDetail("body", "/", f"nested deeper than {_MAX_DEPTH} levels")]
    unstorable = _find_unstorable(value, "", 1)
    return value, [ErrorDetail("body", pointer or "/", message, pointer) for pointer, message in unstorable]


def pointer_token(key: object) -> str:
    """One step of a JSON pointer (RFC 6901), escaped, with its leading slash."""
    return "/" + str(key).replace("~", "~0").replace("/", "~1")


def is_storable_number(number: float) -> bool:
    """Whether SQLite can store the number and JSON can show it."""
    if isinstance(number, int):
        return -MAX_INTEGER - 1 <= number <= MAX_INTEGER
    return math.isfinite(number)


def _find_unstorable(value: Any, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    """JSON pointers to the values that cannot be stored, each with the reason."""
    if depth > _MAX_DEPTH:
        yield pointer, f"nested deeper than {_MAX_DEPTH} levels"
    elif isinstance(value, str):
        if not _is_encodable(value):
            yield pointer, f"{value!a} has half of a surrogate pair, which is no text"
    elif isinstance(value, int):
        if not is_storable_number(value):
            yield pointer, f"{value} is not between -2^63 and 2^63 - 1"
    elif isinstance(value, float):
        if not is_storable_number(value):
            yield pointer, "not finite"
    elif is_list(value):
        for index, item in enumerate(value):
            yield from _find_unstorable(item, f"{pointer}/{index}", depth + 1)
    else:
        for name, item in as_map(value).items():
            if _is_encodable(name):
                yield from _find_unstorable(item, pointer + pointer_token(name), depth + 1)
            else:
                yield pointer, f"the name {name!a} has half of a surrogate pair, which is no text"


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
