"""The pytest plugin: fixtures over one sandbox for each session (and so for each worker of pytest-xdist).

It is loaded in every project of an environment, also where nobody asks for a fixture: all but pytest is imported by the
fixtures themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from .. import AdsecurityClient, AsyncAdsecurityClient, AsyncNetworkClient, NetworkClient
    from ..sandbox import Sandbox


@pytest.fixture(scope="session")
def adsecurity_sandbox_options() -> dict[str, Any]:
    """The options of the sandbox; override this fixture, session-scoped, to have others.

    With the day given, every session has the same data: reports have rows from 2026-11-01 to 2026-11-07.
    """
    return {"today": "2026-11-08", "rows": 500, "export_seconds": 0}


@pytest.fixture(scope="session")
def _adsecurity_server(adsecurity_sandbox_options: dict[str, Any]) -> Iterator[Sandbox]:
    # Where the extra is missing, this is an error that names the pip command.
    from ..sandbox import Sandbox

    with Sandbox(**adsecurity_sandbox_options) as sandbox:
        yield sandbox


@pytest.fixture
def adsecurity_sandbox(_adsecurity_server: Sandbox) -> Iterator[Sandbox]:
    """The running sandbox with freshly seeded data, no requests and no faults.

    While a test has it, the environment variables that clients read hold its addresses and its key: clients that the
    tested code makes without arguments talk to the sandbox, too.
    """
    sandbox = _adsecurity_server
    sandbox.reset()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ADSECURITY_NETWORK_API_KEY", sandbox.api_key)
        environment.setenv("ADSECURITY_NETWORK_BASE_URL", sandbox.network_url)
        environment.setenv("ADSECURITY_API_KEY", sandbox.api_key)
        environment.setenv("ADSECURITY_BASE_URL", sandbox.adsecurity_url)
        yield sandbox


@pytest.fixture
def network_client(adsecurity_sandbox: Sandbox) -> Iterator[NetworkClient]:
    """A `NetworkClient` of the sandbox."""
    from .. import NetworkClient

    with NetworkClient(api_key=adsecurity_sandbox.api_key, base_url=adsecurity_sandbox.network_url) as client:
        yield client


@pytest.fixture
def adsecurity_client(adsecurity_sandbox: Sandbox) -> Iterator[AdsecurityClient]:
    """An `AdsecurityClient` of the sandbox."""
    from .. import AdsecurityClient

    with AdsecurityClient(api_key=adsecurity_sandbox.api_key, base_url=adsecurity_sandbox.adsecurity_url) as client:
        yield client


@pytest.fixture
def async_network_client(adsecurity_sandbox: Sandbox) -> AsyncNetworkClient:
    """An `AsyncNetworkClient` of the sandbox, for whichever event loop the test runs; it need not be closed."""
    from .. import AsyncNetworkClient

    return AsyncNetworkClient(
        api_key=adsecurity_sandbox.api_key,
        base_url=adsecurity_sandbox.network_url,
        transport=_short_lived_connections(),
    )


@pytest.fixture
def async_adsecurity_client(adsecurity_sandbox: Sandbox) -> AsyncAdsecurityClient:
    """An `AsyncAdsecurityClient` of the sandbox, for whichever event loop the test runs; it need not be closed."""
    from .. import AsyncAdsecurityClient

    return AsyncAdsecurityClient(
        api_key=adsecurity_sandbox.api_key,
        base_url=adsecurity_sandbox.adsecurity_url,
        transport=_short_lived_connections(),
    )


def _short_lived_connections() -> httpx.AsyncBaseTransport:
    """Connections that end with their response.

    The fixtures are not async, so that they need no other plugin, and cannot close a client: when a test is over, so is
    its event loop. Therefore no connection may stay open.
    """
    import ssl

    import httpx

    # The sandbox speaks plain HTTP. A context without certificates is made in no time.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncHTTPTransport(verify=context, limits=httpx.Limits(max_keepalive_connections=0))
