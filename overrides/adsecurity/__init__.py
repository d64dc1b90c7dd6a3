"""A client for the Network admin API and the Adsecurity API: typed, paged, retried, sync and async.

Everything public is here, in `adsecurity.errors`, and in `adsecurity.types` (the models of each API); names are
imported when they are first used.
"""

from . import errors
from ._version import __version__
from .errors import *  # noqa: F403 - errors.__all__ says what comes

# Not imported, although checkers know it from there: typing takes longer to import than all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import types as types
    from .client.adsecurity import AdsecurityClient as AdsecurityClient
    from .client.adsecurity import AsyncAdsecurityClient as AsyncAdsecurityClient
    from .client.network import AsyncNetworkClient as AsyncNetworkClient
    from .client.network import NetworkClient as NetworkClient
    from .codec.raw import RawResponse as RawResponse
    from .events import ErrorEvent as ErrorEvent
    from .events import PageEvent as PageEvent
    from .events import PollEvent as PollEvent
    from .events import RequestEvent as RequestEvent
    from .events import ResponseEvent as ResponseEvent
    from .events import RetryEvent as RetryEvent
    from .exports.job import AsyncExportJob as AsyncExportJob
    from .exports.job import ExportJob as ExportJob
    from .http.config import RouteInfo as RouteInfo
    from .http.retry import RetryPolicy as RetryPolicy
    from .paging.page import Page as Page
    from .paging.paginator import AsyncPaginator as AsyncPaginator
    from .paging.paginator import AsyncRawPaginator as AsyncRawPaginator
    from .paging.paginator import Paginator as Paginator
    from .paging.paginator import RawPaginator as RawPaginator
    from .state import State as State

_MODULES = {
    ".client.adsecurity": ("AdsecurityClient", "AsyncAdsecurityClient"),
    ".http.config": ("RouteInfo",),
    ".events": ("ErrorEvent", "PageEvent", "PollEvent", "RequestEvent", "ResponseEvent", "RetryEvent"),
    ".exports.job": ("AsyncExportJob", "ExportJob"),
    ".client.network": ("AsyncNetworkClient", "NetworkClient"),
    ".paging.paginator": ("AsyncPaginator", "AsyncRawPaginator", "Paginator", "RawPaginator"),
    ".paging.page": ("Page",),
    ".codec.raw": ("RawResponse",),
    ".http.retry": ("RetryPolicy",),
    ".state": ("State",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = ["__version__", "errors", "types", *errors.__all__, *_HOME]  # pyright: ignore[reportUnsupportedDunderAll]

if not TYPE_CHECKING:  # pragma: no branch - only type checkers go past it
    # Type checkers know the names from above; to them this would make any other name right, too.
    def __getattr__(name: str) -> "Any":
        from importlib import import_module

        # Relative: an absolute name would lead a vendored copy to the installed one.
        if name == "types":
            return import_module(".types", __name__)
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME[name], __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
