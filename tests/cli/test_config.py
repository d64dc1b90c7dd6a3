"""`adsecurity config` and `--profile`: keys kept where only their owner reads them, and never shown."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from adsecurity.cli import profiles
from adsecurity.sandbox import Sandbox
from tests.support.routes import host

from .conftest import Open, Run

NO_KEYS = dict.fromkeys(("ADSECURITY_NETWORK_API_KEY", "ADSECURITY_API_KEY"), "")
USERS = ("network", "users", "list", "--limit", "1", "--columns", "id")


def file_of(tmp_path: Path) -> Path:
    return tmp_path / "config" / "profiles.json"


def test_a_key_is_asked_for_and_neither_shown_nor_readable_by_others(
    terminal: Open, cli: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    with terminal("config", "set", env=NO_KEYS) as screen:
        screen.expect("API (")
        screen.type("network\n")
        screen.expect("API key for network")
        screen.type(f"{sandbox.api_key}\n")
        screen.expect("Address")
        screen.type(f"{sandbox.network_url}\n")
        assert screen.end() == 0
    assert sandbox.api_key not in screen.shown
    assert "adsecurity doctor" in screen.text
    file = file_of(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    done = cli(*USERS, env=NO_KEYS)
    assert done.returncode == 0, done.stderr
    shown = cli("config", "show", env=NO_KEYS).stdout
    assert sandbox.api_key not in shown
    assert f"profile default: network  {sandbox.network_url}  key ***" in shown
    assert "in use for network: profile 'default'" in shown
    assert "in use for adsecurity: no key" in shown


def test_the_documented_address_is_offered(terminal: Open, tmp_path: Path) -> None:
    variables = {**NO_KEYS, "ADSECURITY_BASE_URL": ""}
    with terminal("config", "set", "--surface", "adsecurity", env=variables) as screen:
        screen.expect("API key for adsecurity")
        screen.type("a-key\n")
        screen.expect(host("adsecurity"))
        screen.type("\n")
        assert screen.end() == 0
    held = json.loads(file_of(tmp_path).read_text(encoding="utf-8"))["profiles"]["default"]["adsecurity"]
    assert held == {"api_key": "a-key", "base_url": host("adsecurity"), "routes": {}}


def test_a_profile_wins_over_the_environment_and_the_default_one_does_not(cli: Run, sandbox: Sandbox) -> None:
    wrong = {"ADSECURITY_NETWORK_API_KEY": "wrong"}
    stored = cli("--profile", "good", "config", "set", "--surface", "network", "--from-env")
    assert stored.returncode == 0, stored.stderr
    assert cli("config", "set", "--surface", "network", "--from-env").returncode == 0
    assert cli(*USERS, env=wrong).returncode == 4
    assert cli(*USERS, "--profile", "good", env=wrong).returncode == 0
    assert cli("--profile", "good", *USERS, env=wrong).returncode == 0
    missing = cli("--profile", "god", *USERS)
    assert missing.returncode == 3
    assert "Did you mean good?" in missing.stderr
    other = cli("--profile", "good", "adsecurity", "advertisers", "list")
    assert other.returncode == 3
    assert "config set --profile good --surface adsecurity" in other.stderr


def test_a_key_goes_only_to_the_address_that_it_was_stored_with(cli: Run, sandbox: Sandbox) -> None:
    assert cli("config", "set", "--surface", "network", "--from-env").returncode == 0
    elsewhere = {**NO_KEYS, "ADSECURITY_NETWORK_BASE_URL": "http://127.0.0.1:9"}
    assert cli(*USERS, env=elsewhere).returncode == 0


def test_nothing_is_stored_that_cannot_work(cli: Run, tmp_path: Path) -> None:
    words = ("config", "set", "--surface", "network", "--from-env")
    assert cli(*words, "--base-url", "http://example.com").returncode == 3
    assert cli(*words, env={"ADSECURITY_NETWORK_API_KEY": ""}).returncode == 2
    assert cli("config", "set", "--from-env").returncode == 2
    asked = cli("config", "set", "--surface", "network")
    assert asked.returncode == 2
    assert "--from-env" in asked.stderr
    assert cli("config", "set", "--api-key", "k").returncode == 2
    assert not file_of(tmp_path).exists()


def test_profiles_are_removed(cli: Run, tmp_path: Path) -> None:
    for surface in ("network", "adsecurity"):
        assert cli("config", "set", "--surface", surface, "--from-env").returncode == 0
    assert cli("config", "remove", "--surface", "network").returncode == 2
    assert cli("config", "remove", "--surface", "network", "--yes").returncode == 0
    assert list(profiles_in(tmp_path)["default"]) == ["adsecurity"]
    assert cli("config", "remove", "--yes").returncode == 0
    assert profiles_in(tmp_path) == {}
    assert cli("config", "remove", "--yes").returncode == 3


def profiles_in(tmp_path: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(file_of(tmp_path).read_text(encoding="utf-8"))["profiles"]
    return found


def test_a_route_is_corrected_and_taken_back(cli: Run) -> None:
    assert cli("config", "set", "--surface", "network", "--from-env").returncode == 0
    route = ("config", "route", "listUsers")
    assert cli(*route, "GET /api/v2/people").returncode == 0
    dry = cli("--profile", "default", *USERS, "--dry-run").stdout
    assert "/api/v2/people?" in dry
    listed = cli("--profile", "default", "routes", "--surface", "network", "-o", "csv").stdout
    assert "network,listUsers,users list,GET,/api/v2/people,corrected" in listed
    assert "1 corrected routes" in cli("config", "show").stdout
    assert "listUsers?" in cli("config", "route", "listUser", "GET /api/v2/people").stderr
    assert cli("config", "set", "--surface", "network", "--from-env").returncode == 0
    assert cli(*route).returncode == 0
    assert cli(*route).returncode == 1
    assert cli(*route, "--surface", "adsecurity").returncode == 2
    assert cli("config", "set", "--surface", "adsecurity", "--from-env").returncode == 0
    assert "--surface" in cli(*route, "GET /x").stderr


def test_a_file_that_is_none_is_said_without_quoting_it(cli: Run, tmp_path: Path) -> None:
    file = file_of(tmp_path)
    file.parent.mkdir()
    file.write_text('{"profiles": {"default": {"network": {"api_key": "hush"', encoding="utf-8")
    done = cli(*USERS, env=NO_KEYS)
    assert done.returncode == 3
    assert str(file) in done.stderr
    assert "hush" not in done.stderr
    file.unlink()
    file.mkdir()
    assert cli(*USERS, env=NO_KEYS).returncode == 3
    file.rmdir()
    # Whose other end never comes.
    os.mkfifo(file)
    done = cli(*USERS, env=NO_KEYS)
    assert (done.returncode, "not a regular file" in done.stderr) == (3, True)


def test_the_platforms_own_folder_is_used(cli: Run, tmp_path: Path) -> None:
    done = cli(
        "config", "path", env={"ADSECURITY_CONFIG": "", "XDG_CONFIG_HOME": str(tmp_path / "own"), "HOME": str(tmp_path)}
    )
    assert done.stdout.strip().endswith("adsecurity/profiles.json")
    assert done.stdout.startswith(str(tmp_path))


def test_no_repr_shows_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "hush" not in repr(profiles.Entry("hush", "https://h.example", {}))
    monkeypatch.setenv("ADSECURITY_CONFIG", str(tmp_path / "p.json"))
    assert profiles.read() == {}
