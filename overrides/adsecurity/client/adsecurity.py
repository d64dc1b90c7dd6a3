"""The clients of the Adsecurity API."""

from __future__ import annotations

from adsecurity_generated.adsecurity.resources import AdsecurityResources, AsyncAdsecurityResources
from adsecurity_generated.adsecurity.surface import SURFACE

from .base import AsyncClient, SyncClient


class AdsecurityClient(SyncClient, AdsecurityResources):
    """The Adsecurity API. The key comes from `api_key=` or `ADSECURITY_API_KEY`, another address than the documented
    one from `base_url=` or `ADSECURITY_BASE_URL`.
    """

    _surface = SURFACE


class AsyncAdsecurityClient(AsyncClient, AsyncAdsecurityResources):
    """As `AdsecurityClient`, for `async` code."""

    _surface = SURFACE
