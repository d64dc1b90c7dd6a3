"""Values as they arrive: what JSON can say but neither SQLite nor an answer can hold is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from ._errors import Detail
from ._schema import as_map, is_list

LARGEST = 2**63 - 1
# Validators and encoders give up somewhere below a few hundred.
_DEEPEST = 100


def read_json(content: bytes) -> tuple[Any, list[Detail]]:
    """The value of a body, and what is wrong with it."""
    try:
        value = json.loads(content)
    except ValueError as error:
        return None, [Detail("body", "/", f"not JSON: {error}")]
    except RecursionError:
        return None, [Detail("body", "/", f"nested deeper than {_DEEPEST} levels")]
    return value, [Detail("body", pointer or "/", message, pointer) for pointer, message in _unfit(value, "", 1)]


def pointer_step(step: object) -> str:
    return "/" + str(step).replace("~", "~0").replace("/", "~1")


def holds(number: float) -> bool:
    """Whether a database can hold the number and JSON can show it."""
    return -LARGEST - 1 <= number <= LARGEST if isinstance(number, int) else math.isfinite(number)


def _unfit(value: Any, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    """The pointers to the values that cannot be kept, each with the reason."""
    if depth > _DEEPEST:
        yield pointer, f"nested deeper than {_DEEPEST} levels"
    elif isinstance(value, str):
        if not _encodes(value):
            yield pointer, f"{value!a} has half of a surrogate pair, which is no text"
    elif isinstance(value, int | float):
        if not holds(value):
            yield pointer, f"{value} is not between -2^63 and 2^63 - 1" if isinstance(value, int) else "not finite"
    elif is_list(value):
        for index, item in enumerate(value):
            yield from _unfit(item, f"{pointer}/{index}", depth + 1)
    else:
        for name, item in as_map(value).items():
            if _encodes(name):
                yield from _unfit(item, pointer + pointer_step(name), depth + 1)
            else:
                yield pointer, f"the name {name!a} has half of a surrogate pair, which is no text"


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
