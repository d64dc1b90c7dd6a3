"""Methods of a client by the operation that they call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adsecurity_generated._operation import Operation


def find_method(client: Any, op: Operation[Any], arguments: Mapping[str, Any]) -> Callable[..., Any]:
    """The method of an operation, with the ids of its path."""
    ids = [arguments[param.arg] for param in op.params if param.place == "path"]
    *namespaces, name = op.resource.split(".")
    found = client
    for namespace in namespaces:
        found = getattr(found, namespace)
        if callable(found):
            # Bound to ids of its own, which come first in the path.
            count = len(inspect.signature(found).parameters)
            found = found(*ids[:count])
            ids = ids[count:]
    return partial(getattr(found, name), *ids)


def taken_by(method: Callable[..., Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the keywords that the method takes."""
    parameters = inspect.signature(method).parameters
    return {name: value for name, value in keywords.items() if name in parameters}
