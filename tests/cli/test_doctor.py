"""`adsecurity doctor`: finds what is wrong, says what to do, changes nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from adsecurity.cli.doctor import clock
from adsecurity.cli.network_checks import check_names, check_proxy, check_tls
from adsecurity.sandbox import Sandbox
from tests.support.our_specs import SURFACES, read_trees
from tests.support.routes import entry, routes
from tests.support.tls import certificate_file, server_context

from .conftest import Run

TREES = read_trees()
ONLY_READ = {name for surface in SURFACES for name in routes(surface) if entry(TREES[surface], name)[2].get("x-safe")}
"""What is no GET and still changes nothing."""


def test_everything_is_well_on_both_apis_and_nothing_is_changed(cli: Run, sandbox: Sandbox) -> None:
    started = cli("network", "exports", "clicks", "integration-1", "--start-time", "2026-11-01", "--end-time",
                  "2026-11-02", "--fields", "tx_id", "--extra-parameters", "")  # fmt: skip
    assert started.returncode == 0
    sandbox.requests.clear()
    done = cli("doctor", "--organization", "654321abcd")
    assert done.returncode == 0, done.stdout
    assert "BAD" not in done.stdout
    for line in (
        "ok  key accepted: yes",
        "ok  clock: ",
        "ok  offers.get: works",
        "ok  publisher_view.offers.list: works",
    ):
        assert line in done.stdout
    methods = {str(request.method) for request in sandbox.requests}
    writes = [request for request in sandbox.requests if request.method != "GET" and request.operation not in ONLY_READ]
    assert methods <= {"GET", "POST"}
    assert writes == []


def test_a_wrong_route_is_named_with_the_line_to_try(cli: Run, sandbox: Sandbox) -> None:
    # An export that another test began would tell the integration.
    sandbox.reset()
    assert cli("config", "set", "--surface", "network", "--from-env").returncode == 0
    assert cli("config", "route", "listUsers", "GET /api/v2/nowhere").returncode == 0
    done = cli("--profile", "default", "doctor", "--surface", "network")
    assert done.returncode == 1
    assert "BAD users.list: 404" in done.stdout
    assert f'routes={{"listUsers": "{" ".join(routes("network")["listUsers"])}"}}' in done.stdout
    assert "adsecurity config route listUsers 'GET /the/right/path'" in done.stdout
    assert "-   users.get: not tried" in done.stdout
    assert "not tried: nothing found that gives its integration_id; --integration ID gives it\n" in done.stdout


def test_a_wrong_key_ends_it(cli: Run) -> None:
    done = cli("doctor", "--surface", "network", env={"ADSECURITY_NETWORK_API_KEY": "not-the-key"})
    assert done.returncode == 1
    assert "BAD key accepted: no" in done.stdout
    assert "users.get" not in done.stdout
    assert "not-the-key" not in done.stdout + done.stderr


def test_a_missing_permission_is_told_apart(cli: Run, sandbox: Sandbox) -> None:
    sandbox.inject(403)
    done = cli("doctor", "--surface", "network")
    assert done.returncode == 1
    assert "BAD users.list: 403: this key has no permission" in done.stdout
    # Something else is at the path: the route is wrong as well.
    sandbox.inject(405)
    assert "BAD users.list: 405, so the route GET" in cli("doctor", "--surface", "network").stdout
    sandbox.inject(400)
    assert "BAD users.list: 400" in cli("doctor", "--surface", "network").stdout


def test_no_key_and_no_host_are_said(cli: Run) -> None:
    nothing = {"ADSECURITY_NETWORK_API_KEY": "", "ADSECURITY_API_KEY": ""}
    assert cli("doctor", env=nothing).returncode == 3
    one = cli("doctor", "--surface", "adsecurity", env=nothing)
    assert one.returncode == 3
    assert "BAD key: there is none" in one.stdout
    bad = cli("doctor", "--surface", "network", env={"ADSECURITY_NETWORK_BASE_URL": "http://example.com"})
    assert bad.returncode == 1
    assert "BAD configuration" in bad.stdout
    lost = cli("doctor", "--surface", "network", env={"ADSECURITY_NETWORK_BASE_URL": "https://nowhere.invalid"})
    assert "BAD name: nowhere.invalid is not found" in lost.stdout
    closed = cli("doctor", "--surface", "network", env={"ADSECURITY_NETWORK_BASE_URL": "http://127.0.0.1:9"})
    assert "BAD users.list" in closed.stdout


def test_clocks_apart_are_noticed() -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    assert clock({"date": format_datetime(now)}, now).good is True
    assert clock({"date": format_datetime(now)}, now + timedelta(minutes=5)).good is False
    assert "behind" in clock({"date": format_datetime(now)}, now - timedelta(minutes=1)).said
    assert clock({}, now).good is None
    assert clock({"date": "soon"}, now).good is None


def test_proxies_are_named_without_their_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert check_proxy("https://h.example") == (False, "none")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hush@proxy.example:3128")
    assert check_proxy("https://h.example") == (True, "proxy.example:3128, from the environment")
    monkeypatch.setenv("NO_PROXY", "h.example")
    assert check_proxy("https://h.example") == (False, "none")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example")
    assert check_proxy("https://h.example") == (True, "proxy.example:1080, from the environment")


def test_behind_a_proxy_names_and_tls_are_the_proxys(cli: Run, sandbox: Sandbox) -> None:
    port = sandbox.network_url.rpartition(":")[2]
    done = cli("doctor", "--surface", "network", env={"HTTP_PROXY": f"http://127.0.0.1:{port}", "NO_PROXY": ""})
    assert "ok  proxy: 127.0.0.1" in done.stdout
    assert " name: " not in done.stdout


@pytest.fixture
def plain() -> Iterator[int]:
    """A port that speaks no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join()


def test_tls_that_is_none_is_said(plain: int) -> None:
    good, said = check_tls("127.0.0.1", plain)
    assert not good
    assert "no connection" in said
    assert check_names("127.0.0.1", plain)[0]


@pytest.fixture
def secured() -> Iterator[int]:
    """A port that speaks TLS, for two connections."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            for _ in range(2):
                connection, _ = listening.accept()
                with connection, contextlib.suppress(OSError):
                    server_context().wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join()


def test_certificates_are_trusted_as_the_client_trusts_them(
    secured: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    good, said = check_tls("localhost", secured)
    assert not good
    assert "is not trusted by certifi's list; SSL_CERT_FILE names another" in said
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate_file(tmp_path)))
    good, said = check_tls("localhost", secured)
    assert good
    assert "TLSv1.3" in said
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
    good, said = check_tls("localhost", secured)
    assert not good
    assert "nowhere.pem: No such file" in said
