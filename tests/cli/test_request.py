"""`adsecurity request`: what no command describes is sent like everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adsecurity.sandbox import Sandbox
from tests.support.routes import path_of, routes, wire_name

from .conftest import Open, Run

PATH = path_of("network", "listUsers")
USERS = ("request", "get", PATH, "--surface", "network")
TWO = ("--query", f"{wire_name('network', 'page[size]')}=2")


def test_a_read_prints_json_and_its_query_is_sent_as_it_is(cli: Run) -> None:
    done = cli(*USERS, "--query", "filter[role]=admin", *TWO)
    assert (done.returncode, done.stderr) == (0, "")
    assert {user["role"] for user in json.loads(done.stdout)["data"]} == {"admin"}
    raw = cli(*USERS, "--query", "filter[role]=admin", *TWO, "--raw")
    assert json.loads(raw.stdout) == json.loads(done.stdout)
    assert len(raw.stdout.splitlines()) < len(done.stdout.splitlines())


def test_a_dry_run_shows_method_query_header_and_body_and_sends_nothing(cli: Run, sandbox: Sandbox) -> None:
    words = ("request", "POST", "/api/v2/anything", "--surface", "network", "--dry-run", "--query", "a=1")
    body = json.dumps({"name": "x", "password": "planted-secret"})
    done = cli(
        *words,
        "--query",
        "a=2",
        "--query",
        "password=planted-secret",
        "--json",
        "-",
        "--header",
        "Accept: text/x",
        stdin=body,
    )
    assert done.returncode == 0, done.stderr
    assert f"POST {sandbox.network_url}/api/v2/anything?a=1&a=2&password=***\n" in done.stdout
    assert "Accept: text/x\n" in done.stdout
    assert '"name": "x"' in done.stdout
    assert "planted-secret" not in done.stdout
    assert sandbox.api_key not in done.stdout + done.stderr
    assert "/api/v2/anything" not in [request.path for request in sandbox.requests]


def test_what_writes_asks_first(cli: Run, terminal: Open, tmp_path: Path) -> None:
    (tmp_path / "user.json").write_text('{"email": "new@example.com", "password": "p4ssw0rd", "role": "admin"}')
    method, path = routes("network")["createUser"]
    write = ("request", method, path, "--surface", "network", "--json", "@user.json")
    refused = cli(*write)
    assert refused.returncode == 2
    assert f"{method} {path} of the network API?" in refused.stderr
    assert "say --yes (nothing was sent)" in refused.stderr
    with terminal(*write) as screen:
        screen.expect("[y/N]")
        screen.type("n\n")
        assert screen.end() == 1
    before = cli("network", "users", "list", "-o", "json", "--columns", "email")
    assert "new@example.com" not in before.stdout
    assert cli(*write, "--yes").returncode == 0
    assert "new@example.com" in cli("network", "users", "list", "-o", "json", "--columns", "email").stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("GET", "/api/v2/users?a=1"), 2, "--query NAME=VALUE"),
        (("GET", "https://elsewhere.example/users"), 2, "must begin with one /"),
        (("FETCH", "/api/v2/users"), 2, "'FETCH' is not one of"),
        (("GET", "/api/v2/users", "--query", "planted-secret"), 2, "must look like NAME=VALUE"),
        (("GET", "/api/v2/users", "--header", "planted-secret"), 2, "must look like NAME:VALUE"),
        (("GET", "/api/v2/users", "--json", "{planted-secret"), 2, "no valid JSON"),
        (("GET", "/api/v2/nowhere"), 6, "404"),
    ],
)
def test_what_is_wrong_is_said_in_a_paragraph(words: tuple[str, ...], code: int, told: str, cli: Run) -> None:
    done = cli("request", *words, "--surface", "network")
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "planted-secret" not in done.stderr
    assert done.stdout == ""


def test_with_two_keys_it_must_be_said_which_api_is_meant(cli: Run) -> None:
    done = cli("request", "GET", "/api/v2/users")
    assert done.returncode == 2
    assert "--surface network or --surface adsecurity" in done.stderr


def test_it_is_retried_like_every_other_call(cli: Run, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    sandbox.inject(503, "drop")
    assert cli(*USERS).returncode == 0
    assert len([request for request in sandbox.requests if request.path == PATH]) >= 2
