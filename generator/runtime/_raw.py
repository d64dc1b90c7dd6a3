"""The types of `with_raw_response`: a method keeps its arguments, and its result is the response as it came.

Each function returns the method that it is given: the API object behind the resource returns raw responses, and
these functions tell type checkers so. One line for each method of a resource is all that it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from adsecurity.codec.raw import RawResponse
    from adsecurity.exports.job import AsyncExportJob, ExportJob
    from adsecurity.paging.paginator import AsyncPaginator, AsyncRawPaginator, Paginator, RawPaginator

P = ParamSpec("P")
T = TypeVar("T")


def raw_response(method: Callable[P, T]) -> Callable[P, RawResponse[T]]:
    """Type a method that reads one object, or writes."""
    return cast("Callable[P, RawResponse[T]]", method)


def async_raw_response(
    method: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, RawResponse[T]]]:
    """Type an asynchronous method that reads one object, or writes."""
    return cast("Callable[P, Coroutine[Any, Any, RawResponse[T]]]", method)


def raw_pages(method: Callable[P, Paginator[T]]) -> Callable[P, RawPaginator[T]]:
    """Type a method that lists."""
    return cast("Callable[P, RawPaginator[T]]", method)


def async_raw_pages(method: Callable[P, AsyncPaginator[T]]) -> Callable[P, AsyncRawPaginator[T]]:
    """Type an asynchronous method that lists."""
    return cast("Callable[P, AsyncRawPaginator[T]]", method)


def raw_export(method: Callable[P, ExportJob[Any]], model: type[T]) -> Callable[P, RawResponse[T]]:
    """Type a method that starts an export: `parse()` gives the export's state, not a job."""
    return cast("Callable[P, RawResponse[T]]", method)


def async_raw_export(
    method: Callable[P, Coroutine[Any, Any, AsyncExportJob[Any]]], model: type[T]
) -> Callable[P, Coroutine[Any, Any, RawResponse[T]]]:
    """Type an asynchronous method that starts an export: `parse()` gives the export's state, not a job."""
    return cast("Callable[P, Coroutine[Any, Any, RawResponse[T]]]", method)
