"""Large reads change how much is read at once, and nothing else."""

from __future__ import annotations

import ssl
from typing import Any

import httpcore
import pytest

from adsecurity.http import network as _bigreads


class Asked(httpcore.MockStream):
    """Notes how much it is asked for."""

    def __init__(self) -> None:
        super().__init__([b"one", b"two"])
        self.asked: list[int] = []

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.asked.append(max_bytes)
        return super().read(max_bytes, timeout)


class AsyncAsked(httpcore.AsyncMockStream):
    def __init__(self) -> None:
        super().__init__([b"one", b"two"])
        self.asked: list[int] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        self.asked.append(max_bytes)
        return await super().read(max_bytes, timeout)


def test_a_megabyte_is_asked_for_under_tls_too() -> None:
    inner = Asked()
    stream = _bigreads._Stream(inner).start_tls(ssl.create_default_context())
    stream.write(b"x")
    assert stream.read(65_536) == b"one"
    assert inner.asked == [1 << 20]
    assert type(stream.get_extra_info("ssl_object")) is type(inner.get_extra_info("ssl_object"))
    stream.close()


@pytest.mark.anyio
async def test_async_a_megabyte_is_asked_for_under_tls_too() -> None:
    inner = AsyncAsked()
    stream = await _bigreads._AsyncStream(inner).start_tls(ssl.create_default_context())
    await stream.write(b"x")
    assert await stream.read(65_536) == b"one"
    assert inner.asked == [1 << 20]
    assert type(stream.get_extra_info("ssl_object")) is type(inner.get_extra_info("ssl_object"))
    await stream.aclose()


@pytest.mark.parametrize(("proxies", "patterns"), [({}, ["h", "all://"]), ({"all": "http://p"}, ["h"])])
def test_a_proxy_for_all_is_left_in_its_place(
    monkeypatch: pytest.MonkeyPatch, proxies: dict[str, str], patterns: list[str]
) -> None:
    monkeypatch.setattr(_bigreads, "getproxies", lambda: proxies)
    mounts: dict[str, Any] = _bigreads.mounts(ssl.create_default_context(), ["h"], is_async=False)
    assert list(mounts) == patterns
    assert len({id(transport) for transport in mounts.values()}) == 1
