"""The method of a client that calls an operation, for what goes by the table of operations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adsecurity_generated._operation import Operation


def find_method(client: Any, op: Operation[Any], arguments: Mapping[str, Any]) -> Callable[..., Any]:
    """The method of an operation, with the ids of its path, which are among the arguments."""
    ids = [arguments[param.arg] for param in op.params if param.place == "path"]
    *namespaces, name = op.resource.split(".")
    found = client
    for namespace in namespaces:
        found = getattr(found, namespace)
        if callable(found):
            # Bound to ids of its own, which come first in the path.
            count = len(inspect.signature(found).parameters)
            found, ids = found(*ids[:count]), ids[count:]
    return partial(getattr(found, name), *ids)


def taken_by(method: Callable[..., Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the keywords that the method takes."""
    parameters = inspect.signature(method).parameters
    return {name: value for name, value in keywords.items() if name in parameters}


def call_method(client: Any, op: Operation[Any], arguments: Mapping[str, Any]) -> Any:
    """Call the method of an operation; the ids of its path are among the arguments."""
    ids = {param.arg for param in op.params if param.place == "path"}
    keywords = {name: value for name, value in arguments.items() if name not in ids}
    return find_method(client, op, arguments)(**keywords)
