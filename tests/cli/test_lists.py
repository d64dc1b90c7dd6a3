"""Lists and objects in every form: to pipes, to files, to terminals."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl

import pyarrow.parquet as pq
import pytest

import adsecurity
from adsecurity.sandbox import Sandbox
from tests.support.routes import in_our_names

from .conftest import COMMAND, Open, Run

OFFERS = ("network", "offers", "list", "integration-1")


@pytest.fixture
def offers(sandbox: Sandbox) -> list[dict[str, object]]:
    with adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as net:
        return [offer.to_dict() for offer in net.offers.list("integration-1")]


def test_a_pipe_gets_all_rows_as_ndjson(cli: Run, offers: list[dict[str, object]]) -> None:
    done = cli(*OFFERS)
    assert done.stderr == ""
    assert [json.loads(line) for line in done.stdout.splitlines()] == offers
    assert len(offers) > 100


def test_the_example_of_the_guide(cli: Run, offers: list[dict[str, object]]) -> None:
    done = cli(*OFFERS, "--filter", "active=true", "--sort", "-created_at", "--columns", "id,name", "-o", "json")
    rows = json.loads(done.stdout)
    active = [offer for offer in offers if offer["active"]]
    assert [list(row) for row in rows] == [["id", "name"]] * len(active)
    assert {row["id"] for row in rows} == {offer["id"] for offer in active}


def test_csv_has_every_known_column_and_one_for_the_rest(cli: Run, offers: list[dict[str, object]]) -> None:
    rows = list(csv.DictReader(io.StringIO(cli(*OFFERS, "-o", "csv").stdout)))
    assert len(rows) == len(offers)
    assert "_extra" in rows[0]
    assert [row["id"] for row in rows] == [offer["id"] for offer in offers]
    assert json.loads(rows[0]["default_payout"]) == offers[0]["default_payout"]
    assert rows[0]["active"] in ("true", "false")
    chosen = cli(*OFFERS, "-o", "csv", "--columns", "name", "--columns", "id", "--limit", "2").stdout.splitlines()
    assert chosen[0] == "name,id"
    assert len(chosen) == 3


@pytest.mark.parametrize("suffix", ["json", "ndjson", "jsonl", "csv", "parquet"])
def test_a_files_suffix_says_its_format(suffix: str, cli: Run, tmp_path: Path, offers: list[dict[str, object]]) -> None:
    path = tmp_path / f"offers.{suffix}"
    done = cli(*OFFERS, "-o", str(path), "--columns", "id,name")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    expected = [{"id": offer["id"], "name": offer["name"]} for offer in offers]
    text = path.read_text(encoding="utf-8") if suffix != "parquet" else ""
    found = {
        "json": lambda: json.loads(text),
        "ndjson": lambda: [json.loads(line) for line in text.splitlines()],
        "jsonl": lambda: [json.loads(line) for line in text.splitlines()],
        "csv": lambda: list(csv.DictReader(io.StringIO(text))),
        "parquet": lambda: pq.read_table(path).to_pylist(),
    }[suffix]()
    assert found == expected
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_parquet_is_limited_and_has_its_columns_also_without_rows(cli: Run, tmp_path: Path) -> None:
    path = tmp_path / "few.parquet"
    assert cli(*OFFERS, "-o", str(path), "--limit", "7").returncode == 0
    assert pq.read_metadata(path).num_rows == 7
    empty = tmp_path / "none.parquet"
    assert cli(*OFFERS, "-o", str(empty), "--filter", "name=nobody", "--columns", "id").returncode == 0
    assert pq.read_schema(empty).names == ["id"]


def test_parquet_into_a_pipe(environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, *OFFERS, "-o", "parquet", "--limit", "3"], env=environment, cwd=tmp_path, capture_output=True
    )
    assert pq.read_table(io.BytesIO(done.stdout)).num_rows == 3


@pytest.mark.parametrize(
    "words",
    [
        ("network", "users", "list"),
        ("network", "exports", "list"),
        ("network", "reports", "clicks", "--integration-id", "integration-1", "--start-time", "2026-11-01",
         "--end-time", "2026-11-08", "--concurrency", "2"),
        ("adsecurity", "reports", "clicks", "--integration-id", "integration-1", "--start-date", "2026-11-01",
         "--end-date", "2026-11-08", "--fields", "tx_id,country"),
        ("adsecurity", "reports", "performance", "--integration-id", "integration-1", "--start-date", "2026-11-01",
         "--end-date", "2026-11-08", "--columns", "offer,clicks_total"),
        ("adsecurity", "publisher-view", "reports", "performance", "654321abcd", "--start-date", "2026-11-01",
         "--end-date", "2026-11-08"),
        ("adsecurity", "publisher-view", "offers", "list", "654321abcd"),
    ],
    ids=lambda words: "-".join(words[:3]),
)  # fmt: skip
def test_every_way_of_paging_is_listed(words: tuple[str, ...], cli: Run) -> None:
    everything = cli(*words)
    assert everything.returncode == 0, everything.stderr
    if "list" not in words or words[1] != "exports":
        assert len(everything.stdout.splitlines()) > 3
    limited = cli(*words, "--limit", "2") if "--concurrency" not in words else everything
    assert everything.stdout.startswith(limited.stdout)


def test_the_fields_that_the_api_was_asked_for_are_the_columns(cli: Run) -> None:
    done = cli("adsecurity", "publishers", "list", "--fields", "id,name", "-o", "csv", "--limit", "1")
    assert done.stdout.splitlines()[0] == "id,name"


def test_one_object_is_json_in_a_pipe_and_lines_for_people(cli: Run, offers: list[dict[str, object]]) -> None:
    words = ("network", "offers", "get", "integration-1", str(offers[0]["id"]))
    assert json.loads(cli(*words).stdout) == offers[0]
    assert json.loads(cli(*words, "--columns", "name").stdout) == {"name": offers[0]["name"]}
    assert f"name  {offers[0]['name']}" in " ".join(cli(*words, "-o", "table", "--columns", "name").stdout.split(" "))
    row = next(csv.DictReader(io.StringIO(cli(*words, "-o", "csv").stdout)))
    assert row["id"] == offers[0]["id"]


def test_raw_is_the_answer_as_it_came(cli: Run, offers: list[dict[str, object]]) -> None:
    one = json.loads(cli("network", "offers", "get", "integration-1", str(offers[0]["id"]), "--raw").stdout)
    assert one["data"]["id"] == offers[0]["id"]
    pages = [json.loads(line) for line in cli(*OFFERS, "--raw").stdout.splitlines()]
    assert [row["id"] for page in pages for row in page["data"]] == [offer["id"] for offer in offers]
    assert "meta" in pages[0]
    first = cli(*OFFERS, "--raw", "--limit", "1", "--page-size", "5").stdout.splitlines()
    assert [len(json.loads(line)["data"]) for line in first] == [5]


def test_no_request_is_made_for_rows_that_nobody_sees(cli: Run, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    assert len(cli(*OFFERS, "--limit", "5").stdout.splitlines()) == 5
    (request,) = sandbox.requests
    assert in_our_names(parse_qsl(request.query))["page[size]"] == "5"


def test_a_terminal_gets_a_table_of_a_hundred_rows_and_how_to_get_the_rest(
    terminal: Open, offers: list[dict[str, object]]
) -> None:
    with terminal(*OFFERS) as screen:
        assert screen.end() == 0
    assert "id" in screen.text
    assert str(offers[0]["name"]) in screen.text
    assert str(offers[101]["name"]) not in screen.text or str(offers[101]["id"]) not in screen.text
    assert f"100 of {len(offers)} rows; --all gives the rest" in screen.text
    assert "--columns chooses" in screen.text
    assert "\x1b[1m" in screen.shown


def test_a_terminal_gets_all_rows_with_all(terminal: Open, offers: list[dict[str, object]]) -> None:
    with terminal(*OFFERS, "--all", "--columns", "id,name,active") as screen:
        assert screen.end() == 0
    assert all(str(offer["id"]) in screen.text for offer in offers)
    assert "--all" not in screen.text


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_colours_stay_away_where_they_are_not_wanted(variables: dict[str, str], terminal: Open) -> None:
    with terminal(*OFFERS, "--limit", "2", env=variables) as screen:
        assert screen.end() == 0
    colours = [code for code in ("\x1b[3", "\x1b[4", "\x1b[9") if code in screen.shown]
    assert colours == []
    assert "name" in screen.text


def test_an_empty_list_says_so_and_gives_empty_files(terminal: Open, cli: Run) -> None:
    with terminal(*OFFERS, "--filter", "name=nobody") as screen:
        assert screen.end() == 0
    assert "nothing found" in screen.text
    assert cli(*OFFERS, "--filter", "name=nobody").stdout == ""
    assert json.loads(cli(*OFFERS, "--filter", "name=nobody", "-o", "json").stdout) == []


def test_secrets_are_masked_in_tables_and_kept_in_data(cli: Run) -> None:
    words = ("adsecurity", "publishers", "list", "--limit", "1", "--columns", "name,api_key")
    assert "***" in cli(*words, "-o", "table").stdout
    assert json.loads(cli(*words).stdout)["api_key"] not in ("***", "", None)
