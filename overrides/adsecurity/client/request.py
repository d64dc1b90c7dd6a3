"""Calls that no operation describes: an operation is made of what the caller says, and called like any other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import attrs

from adsecurity_generated._operation import Operation, Param

from ..codec.request import PreparedRequest, to_json
from ..codec.secrets import collect_secrets, is_object

if TYPE_CHECKING:
    from ..http.session import Session

Paging: TypeAlias = Literal["pages", "cursor", "report-pages"]
"""How a list is paged: numbered pages by the query, cursors, or numbered pages by query and body."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PAGING = ("pages", "cursor", "report-pages")

# What a path may hold as it is; anything else would be changed on its way.
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+")


def prepare_request(
    session: Session[Any], method: str, path: str, query: Mapping[str, Any] | None, json: Any
) -> PreparedRequest:
    """The request that the caller describes; raises `TypeError` or `ValueError` when it cannot be sent."""
    if method not in METHODS:
        raise ValueError(f"request(): method must be one of {', '.join(METHODS)}, not {method!r}")
    fields: Mapping[str, Any] | None = json if json is None or is_object(json) else {}
    op, args = make_operation("request", "json", method, path, query, fields, surface=session.surface.name)
    op = attrs.evolve(op, has_body=json is not None)
    prepared = session.prepare(op, args)
    if fields is json:
        return prepared
    try:
        body = to_json(json)
    except (TypeError, ValueError) as error:
        raise type(error)(f"request(): json {error}") from None
    secrets = {*prepared.secrets, *collect_secrets(body, session.secret_names)}
    return attrs.evolve(prepared, body=body, secrets=tuple(sorted(secrets)))


def list_operation(
    session: Session[Any],
    path: str,
    kind: str,
    query: Mapping[str, Any] | None,
    json: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> tuple[Operation[dict[str, Any]], dict[str, Any]]:
    """The operation of a list that the caller describes, and its arguments."""
    if kind not in PAGING:
        raise ValueError(f"paginate(): kind must be one of {', '.join(PAGING)}, not {kind!r}")
    for start in ("page_number",) if kind == "cursor" else ("after", "before"):
        if options.get(start) is not None:
            raise ValueError(f"paginate(): {start} is no start of a list of kind {kind!r}")
    method = "POST" if kind == "report-pages" or json is not None else "GET"
    op, args = make_operation("paginate", kind, method, path, query, json, surface=session.surface.name)
    # A list reads, also where its conditions are in a body.
    op = attrs.evolve(op, safe=True, has_body=method == "POST", paging=session.surface.paging)
    return cast("Operation[dict[str, Any]]", op), args


def make_operation(
    name: str,
    kind: str,
    method: str,
    path: str,
    query: Mapping[str, Any] | None,
    json: Mapping[str, Any] | None,
    *,
    surface: str,
) -> tuple[Operation[Any], dict[str, Any]]:
    """An operation whose parameters are what the caller gives, and its arguments."""
    _check_path(name, path)
    params: list[Param] = []
    args: dict[str, Any] = {}
    for place, fields in (("query", query), ("body", json)):
        shown = "json" if place == "body" else place
        if fields is not None and not is_object(fields):
            raise TypeError(f"{name}(): {shown} must be a mapping, not {type(fields).__name__}")
        for wire, value in (fields or {}).items():
            if not isinstance(wire, str) or not wire:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError(f"{name}(): {shown} must have names that are strings, not {wire!r}")
            param = Param(wire, f"{shown}[{wire!r}]", place)
            params.append(param)
            args[param.arg] = value
    op: Operation[Any] = Operation(
        id=f"{kind} {method} {path}",
        surface=surface,
        method=method,
        path=path,
        kind=kind,
        evidence="override",
        resource=name,
        params=tuple(params),
        safe=method in ("GET", "HEAD"),
    )
    return op, args


def _check_path(name: str, path: str) -> None:
    if not isinstance(path, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name}(): path must be a string, not {type(path).__name__}")
    if not path.startswith("/") or path.startswith("//"):
        # Not shown: a URL may hold a secret.
        raise ValueError(
            f"{name}(): path must begin with one /, and is put behind base_url; the key goes to no other host"
        )
    if "?" in path or "#" in path:
        raise ValueError(f"{name}(): path must have neither query nor fragment; pass the query as query=")
    if not _PATH.fullmatch(path):
        raise ValueError(f"{name}(): path has characters that a URL cannot hold: quote them with urllib.parse.quote")
    if {".", ".."} & {*re.sub("%2[eE]", ".", path).split("/")}:
        raise ValueError(f"{name}(): path must not have . or .. as a segment")
