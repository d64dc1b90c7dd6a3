"""`adsecurity export`: from the start to a whole file, and on from an interruption."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adsecurity.sandbox import Sandbox

from .conftest import Open, Run

RANGE = ("--integration", "integration-1", "--since", "2026-11-01", "--until", "2026-11-09")
NETWORK = ("--surface", "network", *RANGE)


@pytest.fixture(scope="module")
def slow() -> Iterator[Sandbox]:
    """Exports take so long that one can interrupt them."""
    with Sandbox(rows=300, today="2026-11-08", export_seconds=3) as running:
        yield running


def test_an_export_becomes_a_parquet_file_with_every_field(cli: Run, tmp_path: Path) -> None:
    done = cli("export", "clicks", *NETWORK, "-o", "clicks.parquet")
    assert done.returncode == 0, done.stderr
    assert re.search(r"clicks.parquet: 600 rows, [\d,]+ bytes", done.stderr)
    table = pq.read_table(tmp_path / "clicks.parquet")
    assert table.num_rows == 600
    assert len(table.column_names) > 50
    assert [path.name for path in tmp_path.iterdir()] == ["clicks.parquet"]


@pytest.mark.parametrize("surface", ["network", "adsecurity"])
def test_the_fields_are_chosen_on_both_apis(surface: str, cli: Run, tmp_path: Path) -> None:
    words = ("--surface", surface, *RANGE, "--fields", "tx_id,country")
    done = cli("export", "conversions", *words, "-o", "rows.csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()))
    assert rows
    assert list(rows[0]) == ["tx_id", "country"]


def test_the_last_day_of_an_export_by_days_is_the_one_before_the_end(cli: Run, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    words = ("--surface", "adsecurity", "--integration", "integration-1", "--month", "2026-11")
    assert cli("export", "clicks", *words, "-o", "rows.csv").returncode == 0
    query = next(str(request) for request in sandbox.requests if request.operation == "exportClicks")
    assert "start_date=2026-11-01" in query
    assert "end_date=2026-11-30" in query


def test_rows_go_into_a_pipe(cli: Run) -> None:
    done = cli("export", "clicks", *NETWORK, "--fields", "tx_id", "-o", "ndjson")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 600
    assert list(rows[0]) == ["tx_id"]
    assert "600 rows" in done.stderr


def test_postbacks_are_exported_by_network_alone(cli: Run) -> None:
    refused = cli("export", "postbacks", "--surface", "adsecurity", *RANGE, "-o", "x.csv")
    assert refused.returncode == 2
    assert "--surface network" in refused.stderr
    assert "--fields" in cli("export", "postbacks", *RANGE, "-o", "x.csv").stderr
    done = cli("export", "postbacks", *RANGE, "--fields", "tx_id", "-o", "x.csv")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("clicks", *RANGE, "-o", "x.csv"), "--surface network or --surface adsecurity"),
        (("clicks", "--surface", "network", "--since", "7d", "-o", "x.csv"), "--integration ID"),
        (("clicks", "--surface", "network", "--integration", "i", "-o", "x.csv"), "--since"),
        (("clicks", *NETWORK, "--fields", "contry", "-o", "x.csv"), "near it: country"),
        (("clicks", *NETWORK, "-o", "parquet"), "-o clicks.parquet"),
        (("clicks", "--surface", "adsecurity", "--integration", "i", "--since", "24h", "-o", "x.csv"), "whole days"),
        (("clickz", *NETWORK, "-o", "x.csv"), "clicks"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_sent(
    words: tuple[str, ...], said: str, cli: Run, sandbox: Sandbox
) -> None:
    sandbox.requests.clear()
    done = cli("export", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(sandbox.requests) == []


def test_a_terminal_has_to_name_a_file(terminal: Open) -> None:
    with terminal("export", "clicks", *NETWORK) as screen:
        assert screen.end() == 2
    assert "-o clicks.parquet" in screen.text


@pytest.mark.parametrize("name", ["clicks.parquet", "clicks.csv"])
def test_ctrl_c_prints_the_command_that_goes_on_and_it_does(
    name: str, slow: Sandbox, terminal: Open, cli: Run, tmp_path: Path
) -> None:
    variables = {"ADSECURITY_NETWORK_BASE_URL": slow.network_url}
    with terminal("export", "clicks", *NETWORK, "-o", name, env=variables) as screen:
        screen.expect("is started")
        screen.expect("PENDING")
        screen.type("\x03")
        assert screen.end() == 130
    assert "Traceback" not in screen.text
    (line,) = re.findall(r"^ {2}(adsecurity export .*)$", screen.text, re.MULTILINE)
    done = cli(*shlex.split(line)[1:], env=variables)
    assert done.returncode == 0, done.stderr
    rows = pq.read_metadata(tmp_path / name).num_rows if name.endswith("parquet") else 300
    assert rows == 300
    assert f"{name}: 300 rows" in done.stderr


def test_a_terminal_shows_a_bar(terminal: Open, slow: Sandbox, tmp_path: Path) -> None:
    variables = {"ADSECURITY_NETWORK_BASE_URL": slow.network_url}
    with terminal("export", "clicks", *NETWORK, "-o", "clicks.csv", env=variables) as screen:
        assert screen.end() == 0
    assert re.search(r"export \w+ COMPLETED 00:\d\d", screen.text)
    assert re.search(r"clicks\.csv: 100%\|.* \[\d\d:\d\d<\d\d:\d\d, .*B/s\]", screen.text)
    assert (tmp_path / "clicks.csv").exists()


def test_an_export_that_fails_says_why(cli: Run, sandbox: Sandbox) -> None:
    sandbox.inject_export("ERROR")
    done = cli("export", "clicks", *NETWORK, "-o", "clicks.csv")
    assert done.returncode == 12
    assert "failed" in done.stderr
    assert "--resume" not in done.stderr


def test_an_export_that_takes_too_long_can_be_gone_on_with(slow: Sandbox, cli: Run) -> None:
    variables = {"ADSECURITY_NETWORK_BASE_URL": slow.network_url}
    words = (*NETWORK, "--wait", "0.5", "--timezone", "Europe/Berlin", "-o", "clicks.csv")
    done = cli("export", "clicks", *words, env=variables)
    assert done.returncode == 12
    assert re.search(r"adsecurity export clicks --resume \w+ -o clicks.csv --timezone Europe/Berlin", done.stderr)
