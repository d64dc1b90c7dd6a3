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
    from ._adsecurity import AdsecurityClient as AdsecurityClient
    from ._adsecurity import AsyncAdsecurityClient as AsyncAdsecurityClient
    from ._config import RouteInfo as RouteInfo
    from ._events import PageEvent as PageEvent
    from ._events import PollEvent as PollEvent
    from ._events import RequestEvent as RequestEvent
    from ._events import ResponseEvent as ResponseEvent
    from ._events import RetryEvent as RetryEvent
    from ._exports import AsyncExportJob as AsyncExportJob
    from ._exports import ExportJob as ExportJob
    from ._network import AsyncNetworkClient as AsyncNetworkClient
    from ._network import NetworkClient as NetworkClient
    from ._paginator import AsyncPaginator as AsyncPaginator
    from ._paginator import AsyncRawPaginator as AsyncRawPaginator
    from ._paginator import Paginator as Paginator
    from ._paginator import RawPaginator as RawPaginator
    from ._paging import Page as Page
    from ._response import RawResponse as RawResponse
    from ._retry import RetryPolicy as RetryPolicy

_MODULES = {
    "._adsecurity": ("AdsecurityClient", "AsyncAdsecurityClient"),
    "._config": ("RouteInfo",),
    "._events": ("PageEvent", "PollEvent", "RequestEvent", "ResponseEvent", "RetryEvent"),
    "._exports": ("AsyncExportJob", "ExportJob"),
    "._network": ("AsyncNetworkClient", "NetworkClient"),
    "._paginator": ("AsyncPaginator", "AsyncRawPaginator", "Paginator", "RawPaginator"),
    "._paging": ("Page",),
    "._response": ("RawResponse",),
    "._retry": ("RetryPolicy",),
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
