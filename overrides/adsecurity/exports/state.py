"""Reads the server's description of an export; any part of it may be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from adsecurity_generated._model import Model
from adsecurity_generated._operation import Operation, Surface

from ..codec.secrets import collect_secrets, redact, secret_forms
from ..errors import ExportError


def rows_of(surface: Surface, op: Operation[Any]) -> type[Any] | None:
    """The row model of the exports that an operation starts."""
    return surface.model(op.rows) if op.rows else None


def zone_of(op: Operation[Any], args: Mapping[str, Any]) -> str | None:
    """The zone of the file's times: the one asked for, or UTC; None for an operation that takes no zone."""
    known = any(param.arg == "timezone" for param in op.params)
    return str(args.get("timezone") or "UTC") if known else None


def rows_by_type(surface: Surface, export: Any) -> type[Any] | None:
    """The row model of an export that was started elsewhere, by its type: `exports.clicks` starts `click_logs`."""
    kind = text_of(export, "type").lower()
    group = surface.routes[surface.export_status].resource.rpartition(".")[0]
    for name, route in surface.routes.items():
        parent, _, plural = route.resource.rpartition(".")
        if kind and parent == group and kind.startswith(plural.removesuffix("s")):
            op = surface.operation(name)
            if op.export_role == "start":
                return rows_of(surface, op)
    return None


def argument(
    session: Any, op: Operation[Any], value: str, fail: Callable[[type[ExportError], str], ExportError]
) -> Mapping[str, Any]:
    """A name that the server gave, as the argument of an operation.

    Raises ExportError for one that cannot be sent: it is not the caller's mistake.
    """
    args = {op.params[0].arg: value}
    try:
        session.prepare(op, args)
    except ValueError as error:
        raise fail(ExportError, f"the server gave a name that cannot be asked for: {error}") from None
    return args


def secret_spellings(export: Model, session: Any) -> tuple[str, ...]:
    """What no text about an export may show: the key, and links and tokens of the server, which give access to the
    file."""
    return (*secret_forms(collect_secrets(export.to_dict(), session.secret_names)), *session.config.key.forms())


def without_secrets(export: Model, session: Any) -> Model:
    """A copy that may be shown and pickled."""
    data = redact(export.to_dict(), session.secret_names, secret_spellings(export, session))
    return type(export).from_dict(data)


def value_of(export: Any, *path: str) -> Any:
    """The value at the end of a path of attributes; None where one of them is missing."""
    for name in path:
        export = getattr(export, name, None)
    return export


def text_of(export: Any, *path: str) -> str:
    """As `value_of`, where it is text; otherwise empty."""
    value = value_of(export, *path)
    return value if isinstance(value, str) else ""


def count_of(export: Any, *path: str) -> int:
    """As `value_of`, where it is a number; otherwise 0."""
    value = value_of(export, *path)
    return int(value) if isinstance(value, int | float) else 0


def read_export(session: Any, op: Operation[Any], export_id: str, call: Mapping[str, Any]) -> Callable[[], Any]:
    """A function that asks the server for an export; of an async session its result is awaited."""
    return partial(session.run, op, {op.params[0].arg: export_id}, **call)
