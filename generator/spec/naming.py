"""Names: how names on the wire become Python names, the same way everywhere."""

from __future__ import annotations

import keyword
import re

from openapi_python_client import strings

# Brackets separate words: page[size] is page_size.
strings.DELIMITERS = strings.DELIMITERS if "[]" in strings.DELIMITERS else strings.DELIMITERS + "[]"
# Names that annotations inside a class use: an attribute of that name would hide them. Other builtins (type, format,
# hash, filter) are allowed.
_HIDING = frozenset(("bool", "dict", "dt", "float", "int", "list", "self", "str"))
strings.RESERVED_WORDS = set(_HIDING)

PER_CALL = frozenset(
    (
        "timeout",
        "retry",
        "extra_headers",
        "extra_query",
        "extra_body",
        "resume",
        "concurrency",
        "inclusive",
        "since",
        "prefetch",
        "page_size",
        "page_number",
        "after",
        "before",
        "limit",
        "on_page",
        "batch_size",
        "on_error",
    )
)
"""Keywords that generated methods define themselves; some of them only methods that page."""

MODEL_NAMES = frozenset(
    ("FIELDS", "PLAN", "additional_properties", "fields_set", "from_dict", "from_values", "nested", "to_dict")
)
"""Attributes and methods of all models, which no field may hide."""

PAGING_QUERY = {
    "page[number]": "page_number",
    "page[size]": "page_size",
    "page[after]": "after",
    "page[before]": "before",
}
PAGING_BODY = frozenset(("page_number", "page_size"))

_PREFIX = "field_"


def python_name(wire: str) -> str:
    """Turn a name on the wire into a Python identifier."""
    return str(strings.PythonIdentifier(wire, _PREFIX))


def class_name(name: str) -> str:
    """Turn a name into a class name."""
    return str(strings.ClassName(name, _PREFIX))


def tag_name(tag: str) -> str:
    """Turn a tag into the name of its package below ``api``."""
    return str(strings.PythonIdentifier(tag, "tag"))


def is_name(text: object) -> bool:
    """Tell whether this is a Python name in lower case with underscores."""
    return isinstance(text, str) and bool(re.fullmatch(r"[a-z][a-z0-9_]*", text)) and not keyword.iskeyword(text)


def is_argument_name(text: object) -> bool:
    """Tell whether arguments and fields can have this name without hiding what annotations use."""
    return is_name(text) and text not in _HIDING


def module_of(name: str) -> str:
    """Return the module that holds a class."""
    return python_name(name)
