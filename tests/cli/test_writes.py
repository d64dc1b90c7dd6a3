"""Creating, changing and deleting: nested options, JSON, and the question before something is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adsecurity.sandbox import Sandbox

from .conftest import Open, Run

CREATE = ("network", "offers", "create", "integration-1", "--name", "Winter", "--advertiser-id", "42")


def get(cli: Run, offer: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(cli("network", "offers", "get", "integration-1", offer).stdout)
    return found


def test_create_prints_the_id_alone(cli: Run) -> None:
    done = cli(*CREATE, "--default-payout.payout", "10", "--default-payout.payout-type", "CPS", "--no-active")
    offer = done.stdout.strip()
    found = get(cli, offer)
    assert found["name"] == "Winter"
    assert found["active"] is False
    assert found["default_payout"] == {"payout": 10.0, "payout_type": "CPS"}
    assert cli(*CREATE, "-o", "csv").stdout.splitlines()[0] == "id"
    with_table = cli(*CREATE, "-o", "table").stdout.strip()
    assert get(cli, with_table)["name"] == "Winter"


def test_json_comes_from_an_argument_a_file_or_stdin_and_options_win(cli: Run, tmp_path: Path) -> None:
    body = {"name": "From JSON", "advertiser_id": 7, "default_payout": {"payout": 1, "revenue": 2}}
    (tmp_path / "body.json").write_text(json.dumps(body), encoding="utf-8")
    for given, stdin in ((json.dumps(body), ""), ("@body.json", ""), ("-", json.dumps(body))):
        words = ("network", "offers", "create", "integration-1", "--json", given, "--default-payout.payout", "5")
        found = get(cli, cli(*words, stdin=stdin).stdout.strip())
        assert found["name"] == "From JSON"
        assert found["default_payout"] == {"payout": 5.0, "revenue": 2.0}


def test_json_sends_what_the_command_does_not_know(cli: Run) -> None:
    words = (*CREATE, "--json", '{"currency": "GBP", "brand_new": 1}', "--dry-run")
    body = json.loads(cli(*words).stdout.partition("\n\n")[2])
    assert (body["currency"], body["brand_new"]) == ("GBP", 1)
    listed = cli("network", "offers", "list", "integration-1", "--json", '{"brand_new": 1}', "--dry-run").stdout
    assert "brand_new=1" in listed


def test_update_and_bulk_update_say_done(cli: Run) -> None:
    offer = cli(*CREATE).stdout.strip()
    words = ("network", "offers", "update", "integration-1", offer, "--name", "Later", "--advertiser-id", "42")
    done = cli(*words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "done\n")
    assert get(cli, offer)["name"] == "Later"
    assert cli("network", "offers", "bulk-update", "integration-1", offer, "--no-active", "--yes").returncode == 0
    assert get(cli, offer)["active"] is False


def test_nothing_is_deleted_without_a_terminal_and_without_yes(cli: Run, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    done = cli("network", "offers", "bulk-delete", "integration-1", "a", "b", "c", "d", "e", "f")
    assert done.returncode == 2
    assert "Delete 6 (a, b, c, d, e, ...) offers of integration-1?" in done.stderr
    assert "--yes" in done.stderr
    assert list(sandbox.requests) == []


def test_ids_come_from_a_file_or_stdin(cli: Run, tmp_path: Path) -> None:
    ids = [cli(*CREATE).stdout.strip() for _ in range(2)]
    (tmp_path / "ids.txt").write_text("\n".join(ids), encoding="utf-8")
    assert cli("network", "offers", "bulk-delete", "integration-1", "@ids.txt", "--yes").returncode == 0
    assert cli("network", "offers", "get", "integration-1", ids[0]).returncode == 6
    missing = cli("network", "offers", "bulk-delete", "integration-1", "@none.txt", "--yes")
    assert missing.returncode == 2
    assert "none.txt" in missing.stderr


@pytest.mark.parametrize(("key", "code"), [("y", 0), ("n", 1)])
def test_a_terminal_is_asked_what_and_how_many(key: str, code: int, cli: Run, terminal: Open) -> None:
    offer = cli(*CREATE).stdout.strip()
    with terminal("network", "offers", "bulk-delete", "integration-1", offer) as screen:
        screen.expect(f"Delete 1 ({offer}) offers of integration-1?")
        screen.type(f"{key}\n")
        assert screen.end() == code
    assert cli("network", "offers", "get", "integration-1", offer).returncode == (6 if key == "y" else 0)


def test_one_object_is_asked_for_by_its_id(cli: Run, terminal: Open) -> None:
    words = ("adsecurity", "smartlinks", "create", "integration-1", "--name", "S", "--strategy", "Weighted")
    made = cli(*words)
    assert made.returncode == 0, made.stderr
    link = made.stdout.strip()
    with terminal("adsecurity", "smartlinks", "delete", "integration-1", link) as screen:
        screen.expect(f"Delete 1 ({link}) smartlinks of integration-1?")
        screen.type("\x03")
        assert screen.end() == 130
    assert cli("adsecurity", "smartlinks", "delete", "integration-1", link, "--yes").returncode == 0


def test_requests_with_objects_as_ids(cli: Run) -> None:
    words = ("adsecurity", "publisher-view", "access-requests", "bulk-delete", "654321abcd")
    done = cli(*words, '{"id": "r1", "offer_id": "o1"}')
    assert "Delete 1 (r1) access requests of 654321abcd?" in done.stderr
    assert cli(*words, "{", "--yes").returncode == 2


def test_conversions_are_a_bulk_write_and_ask(cli: Run) -> None:
    words = ("adsecurity", "conversions", "update", "--updates", '[{"tx_id": "t1", "action": "Approve"}]')
    assert "Change 1 (t1) conversions?" in cli(*words).stderr


def test_an_export_is_started_and_shown(cli: Run) -> None:
    words = ("network", "exports", "clicks", "integration-1", "--start-time", "2026-11-01", "--end-time", "2026-11-02")
    started = json.loads(cli(*words, "--fields", "tx_id", "--extra-parameters", "").stdout)
    assert json.loads(cli("network", "exports", "get", started["id"]).stdout)["id"] == started["id"]


def test_a_dry_run_needs_nothing_but_prints_no_key(cli: Run, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    words = ("network", "users", "create", "--email", "a@example.com", "--password", "hush", "--role", "admin")
    done = cli(*words, "--dry-run")
    assert done.returncode == 0
    assert "POST " in done.stdout
    assert "hush" not in done.stdout
    assert "sandbox-key" not in done.stdout
    assert list(sandbox.requests) == []
