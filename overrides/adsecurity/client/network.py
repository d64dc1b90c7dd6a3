"""The clients of the Network admin API."""

from __future__ import annotations

from adsecurity_generated.network.resources import AsyncNetworkResources, NetworkResources
from adsecurity_generated.network.surface import SURFACE

from .base import AsyncClient, SyncClient


class NetworkClient(SyncClient, NetworkResources):
    """The Network admin API. The key comes from `api_key=` or `ADSECURITY_NETWORK_API_KEY`, the address from
    `base_url=` or `ADSECURITY_NETWORK_BASE_URL`.
    """

    _surface = SURFACE


class AsyncNetworkClient(AsyncClient, AsyncNetworkResources):
    """As `NetworkClient`, for `async` code."""

    _surface = SURFACE
