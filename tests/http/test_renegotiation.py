"""What a server of OpenSSL sends is read on across a renegotiation (TLS 1.2) and a change of keys (TLS 1.3)."""

from __future__ import annotations

import array
import fcntl
import shutil
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import anyio
import pytest

from adsecurity.http.network import AsyncBackend, Backend
from tests.support.tls import authority, trusting

Typed = tuple[int, IO[bytes], bytes]
TEXTS = [b"before\nbehind\n", b"more\n"]


@pytest.fixture(params=["-tls1_2 R", "-tls1_3 K", "-tls1_3 k"])
def typed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Typed]:
    """The port of a server that sends what is typed, where to type it, and what is no text but a command there."""
    assert shutil.which("openssl"), "these tests need the command openssl: apt-get install openssl"
    version, command = request.param.split()
    pem = tmp_path / "server.pem"
    authority().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    line = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(pem), version]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            accepts = next(text for text in server.stdout if text.startswith(b"ACCEPT"))
            yield int(accepts.rpartition(b":")[2]), server.stdin, command.encode()
        finally:
            server.kill()


def type_in(keyboard: IO[bytes], *lines: bytes) -> None:
    """Each line by itself: a command is seen only where a read of the server begins."""
    for line in lines:
        keyboard.write(line + b"\n")
        keyboard.flush()
        end, unread = time.monotonic() + 10, array.array("i", [1])
        while unread[0]:
            assert time.monotonic() < end, "the server does not read"
            time.sleep(0.01)
            fcntl.ioctl(keyboard.fileno(), termios.FIONREAD, unread)


def test_what_comes_behind_new_keys_is_read(typed: Typed) -> None:
    port, keyboard, command = typed
    stream = Backend(threading.Event()).connect_tcp("127.0.0.1", port, 5).start_tls(trusting(), "localhost", 5)
    for text, lines in zip(TEXTS, [[b"before", command, b"behind"], [b"more"]], strict=True):
        type_in(keyboard, *lines)
        data = b""
        while len(data) < len(text):
            data += (more := stream.read(65_536, 5))
            assert more
        assert data == text
    stream.write(b"heard", 5)
    stream.close()


def test_async_what_comes_behind_new_keys_is_read(typed: Typed) -> None:
    port, keyboard, command = typed

    async def run() -> None:
        plain = await AsyncBackend(threading.Event()).connect_tcp("127.0.0.1", port, 5)
        stream = await plain.start_tls(trusting(), "localhost", 5)
        for text, lines in zip(TEXTS, [[b"before", command, b"behind"], [b"more"]], strict=True):
            await anyio.to_thread.run_sync(type_in, keyboard, *lines)
            data = b""
            while len(data) < len(text):
                data += (more := await stream.read(65_536, 5))
                assert more
            assert data == text
        await stream.write(b"heard", 5)
        await stream.aclose()

    anyio.run(run)
