"""Bulk writes: a list of any length, checked as a whole, then sent in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from adsecurity_generated._operation import Operation, Param

from ..codec.request import PreparedRequest
from ..codec.secrets import is_list
from ..errors import AdsecurityError, BulkError
from ..flow.steps import Flow

Prepare = Callable[[Mapping[str, Any]], PreparedRequest]


def bulk_write(
    prepare: Prepare, op: Operation[Any], args: Mapping[str, Any], *, batch_size: int, on_error: str
) -> Flow[PreparedRequest, None]:
    """Send the list of a bulk operation batch by batch: yields requests, is sent the outcome of each.

    Raises `TypeError` or `ValueError` before the first request, and `BulkError` when a batch failed.
    """
    if type(batch_size) is not int or batch_size < 1:
        raise ValueError(f"{op.resource}(): batch_size must be a whole number from 1 on, not {batch_size!r}")
    if on_error not in ("raise", "continue"):
        raise ValueError(f"{op.resource}(): on_error must be 'raise' or 'continue', not {on_error!r}")
    name, items = listed(op, args)
    # Everything is checked before anything is sent, and once: messages count from the start of the whole list.
    whole = prepare({**args, name: items})
    sent = (whole.body or {}).get(_list_param(op).name)
    if not is_list(sent) or len(sent) != len(items):
        raise ValueError(f"{op.resource}(): extra_body must not replace the list that is sent in batches")
    batches = [slice(start, start + batch_size) for start in range(0, len(items), batch_size)]
    done: list[Any] = []
    failed: list[Any] = []
    causes: list[AdsecurityError] = []
    while batches and (on_error == "continue" or not causes):
        batch = batches.pop(0)
        try:
            yield _part(whole, op, batch)
        except AdsecurityError as error:
            failed += items[batch]
            causes.append(error)
        else:
            done += items[batch]
    if not causes:
        return
    remaining = [item for batch in batches for item in items[batch]]
    counts = f"{len(done)} done, {len(failed)} failed, {len(remaining)} not sent"
    raise BulkError(
        f"{op.resource}(): {counts}; the first failure: {causes[0]}",
        operation=op.resource,
        done=tuple(done),
        failed=tuple(failed),
        remaining=tuple(remaining),
        causes=tuple(causes),
    ) from causes[0]


def _part(whole: PreparedRequest, op: Operation[Any], batch: slice) -> PreparedRequest:
    """The same request with some of the objects of its list."""
    wire, body = _list_param(op).name, whole.body or {}
    return attrs.evolve(whole, body={**body, wire: body[wire][batch]})


def _list_param(op: Operation[Any]) -> Param:
    return next(param for param in op.params if param.non_empty)


def listed(op: Operation[Any], args: Mapping[str, Any]) -> tuple[str, Any]:
    """The argument that holds the list of a bulk operation, and the list: any iterable is read once."""
    name = _list_param(op).arg
    given = args[name]
    # Text and mappings are iterable, but a list of letters or of keys is not what was meant.
    refused = isinstance(given, str | bytes | Mapping) or not hasattr(given, "__iter__")
    return name, args[name] if refused else list(args[name])


def one_batch(op: Operation[Any], args: Mapping[str, Any], batch_size: int) -> Mapping[str, Any]:
    """The arguments of a bulk operation that is sent at once; `ValueError` when its list is longer than a batch."""
    name, items = listed(op, args)
    if is_list(items) and len(items) > batch_size:
        raise ValueError(
            f"{op.resource}(): a raw response is that of one batch, and {len(items)} objects are more than"
            f" batch_size={batch_size}"
        )
    return {**args, name: items}
