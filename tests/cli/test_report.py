"""`adsecurity report`: half-open ranges into any form, checkpoints, and going on from them."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from adsecurity.cli import reading
from adsecurity.cli.app import run
from adsecurity.sandbox import Sandbox

from .conftest import Open, Run

NETWORK = ("--surface", "network", "--integration", "integration-1")
RANGE = ("--since", "2026-11-01", "--until", "2026-11-09")


def rows_of(path: Path) -> list[str]:
    """The transactions of a file, in order."""
    if path.suffix == ".parquet":
        return [str(row["tx_id"]) for row in pq.read_table(path, columns=["tx_id"]).to_pylist()]
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return [row["tx_id"] for row in csv.DictReader(text.splitlines())]
    rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    return [row["tx_id"] for row in rows]


@pytest.mark.parametrize("name", ["c.parquet", "c.csv", "c.ndjson", "c.json"])
@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_report_becomes_a_file(name: str, workers: str, cli: Run, tmp_path: Path) -> None:
    done = cli("report", "clicks", *NETWORK, *RANGE, "--concurrency", workers, "-o", name)
    assert done.returncode == 0, done.stderr
    assert "600 rows" in done.stderr
    found = rows_of(tmp_path / name)
    assert len(set(found)) == 600
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_fields_are_the_columns_of_the_file(cli: Run, tmp_path: Path) -> None:
    assert cli("report", "clicks", *NETWORK, *RANGE, "--fields", "country,tx_id", "-o", "c.parquet").returncode == 0
    assert pq.read_schema(tmp_path / "c.parquet").names == ["country", "tx_id"]
    words = ("report", "clicks", "--surface", "adsecurity", "--integration", "integration-1", *RANGE)
    assert cli(*words, "--fields", "tx_id", "-o", "c.csv").returncode == 0
    assert (tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()[0] == "tx_id"


def test_days_months_and_ends_are_half_open(cli: Run) -> None:
    def rows(*words: str) -> int:
        done = cli("report", "clicks", *NETWORK, *words, "--fields", "tx_id")
        assert done.returncode == 0, done.stderr
        return len(done.stdout.splitlines())

    whole = rows("--month", "2026-11")
    assert whole == 600
    assert rows("--since", "2026-11-01", "--until", "2026-11-05") + rows("--since", "2026-11-05") == whole


def test_an_empty_report_is_a_whole_file(cli: Run, tmp_path: Path) -> None:
    for name in ("c.parquet", "c.csv", "c.json", "c.ndjson"):
        words = ("--since", "2020-01-01", "--until", "2020-01-02", "--fields", "tx_id", "-o", name)
        assert cli("report", "clicks", *NETWORK, *words).returncode == 0
        assert rows_of(tmp_path / name) == []


def test_rows_go_to_pipes_and_are_filtered_on_both_apis(cli: Run) -> None:
    for surface in ("network", "adsecurity"):
        words = ("--surface", surface, "--integration", "integration-1", *RANGE, "--fields", "country")
        done = cli("report", "clicks", *words, "--filter", "country=DE")
        found = {json.loads(line)["country"] for line in done.stdout.splitlines()}
        assert found == {"DE"}, done.stderr
        two = cli("report", "clicks", *words, "--filter", "country=DE", "--filter", "country=US", "--limit", "40")
        assert {json.loads(line)["country"] for line in two.stdout.splitlines()} <= {"DE", "US"}
    operator = ("--surface", "adsecurity", "--integration", "integration-1", *RANGE, "--filter", "country[is]=DE")
    assert cli("report", "clicks", *operator, "--limit", "1", "-o", "csv").returncode == 0
    assert cli("report", "clicks", *operator[:-1], "country").returncode == 2


def test_a_terminal_gets_a_hundred_rows_and_the_way_to_the_rest(terminal: Open) -> None:
    with terminal("report", "clicks", *NETWORK, *RANGE) as screen:
        assert screen.end() == 0
    assert "--all gives the rest" in screen.text
    assert "request_time" in screen.text


@pytest.mark.parametrize("name", ["c.parquet", "c.csv", "c.ndjson", "c.json"])
@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_report_that_breaks_off_goes_on_from_its_checkpoint(
    name: str, workers: str, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    whole, target = tmp_path / f"whole{Path(name).suffix}", tmp_path / name
    words = ["report", "clicks", *NETWORK, *RANGE, "--concurrency", workers, "-o"]
    assert run([*words, str(whole)]) == 0
    kinds: tuple[Any, ...] = (reading.TextRows, reading.ParquetRows)
    written: list[int] = []
    with monkeypatch.context() as broken:
        for kind in kinds:

            def write(self: Any, page: Any, before: Any = kind.write) -> None:
                written.append(self.rows)
                if len(written) == 2:
                    raise OSError(28, "No space left on device")
                before(self, page)

            broken.setattr(kind, "write", write)
        code = run([*words, str(target)])
    said = capsys.readouterr().err
    if code == 0:
        # Few rows come as a single Arrow batch.
        assert len(written) < 2
        return
    assert code == 1
    assert "No space left on device" in said
    assert not target.exists()
    (line,) = re.findall(r"^ {2}(adsecurity report .*)$", said, re.MULTILINE)
    assert run(shlex.split(line)[1:]) == 0
    assert rows_of(target) == rows_of(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, whole.name])


def test_ctrl_c_in_the_middle_is_gone_on_from(tmp_path: Path, terminal: Open, cli: Run) -> None:
    with Sandbox(rows=600, today="2026-11-08", latency=0.2) as slow:
        variables = {"ADSECURITY_NETWORK_BASE_URL": slow.network_url}
        with terminal("report", "clicks", *NETWORK, *RANGE, "-o", "c.csv", env=variables) as screen:
            screen.expect("200 rows")
            screen.type("\x03")
            assert screen.end() == 130
        assert "Traceback" not in screen.text
        (line,) = re.findall(r"^ {2}(adsecurity report .*)$", screen.text, re.MULTILINE)
        done = cli(*shlex.split(line)[1:], env=variables)
        assert done.returncode == 0, done.stderr
        assert len(set(rows_of(tmp_path / "c.csv"))) == 600


def test_a_report_that_fails_at_once_leaves_nothing(cli: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.inject(403)
    assert cli("report", "clicks", *NETWORK, *RANGE, "-o", "c.csv").returncode == 5
    assert list(tmp_path.iterdir()) == []


def test_only_a_file_that_a_report_left_is_gone_on_from(cli: Run, tmp_path: Path) -> None:
    missing = cli("report", "clicks", "--resume", "none.json")
    assert missing.returncode == 2
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    assert "not a file that a report left" in cli("report", "clicks", "--resume", "bad.json").stderr
    tree = {
        "version": 1, "adsecurity": "0", "surface": "network", "report": "clicks", "keywords": {}, "fields": [],
        "form": "csv", "output": str(tmp_path / "c.csv"), "concurrency": 1, "rows": 1, "bytes": 5, "checkpoint": "x",
    }  # fmt: skip
    (tmp_path / "gone.json").write_text(json.dumps(tree), encoding="utf-8")
    assert "missing" in cli("report", "clicks", "--resume", "gone.json").stderr
    (tmp_path / "old.json").write_text(json.dumps({**tree, "version": 0}), encoding="utf-8")
    assert "another version" in cli("report", "clicks", "--resume", "old.json").stderr


@pytest.mark.parametrize("name", ["c.csv.part", "c.csv.resume.json"])
def test_nothing_is_written_through_links(
    name: str, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    secret = tmp_path / "secret"
    secret.write_bytes(b"precious")
    (tmp_path / name).symlink_to(secret)

    def write(self: Any, page: Any, before: Any = reading.TextRows.write) -> None:
        if self.rows:
            raise LookupError("broken off")
        before(self, page)

    monkeypatch.setattr(reading.TextRows, "write", write)
    with pytest.raises(LookupError, match="broken off"):
        run(["report", "clicks", *NETWORK, *RANGE, "-o", str(tmp_path / "c.csv")])
    assert secret.read_bytes() == b"precious"
    part, note = tmp_path / "c.csv.part", tmp_path / "c.csv.resume.json"
    assert json.loads(note.read_text())["bytes"] == part.stat().st_size
    part.unlink()
    part.hardlink_to(secret)
    tree = {**json.loads(note.read_text()), "bytes": 3}
    note.write_text(json.dumps(tree))
    assert run(["report", "clicks", "--resume", str(note)]) == 1
    assert "it is a link" in capsys.readouterr().err
    assert secret.read_bytes() == b"precious"


def test_a_limit_and_workers_exclude_each_other(cli: Run) -> None:
    done = cli("report", "clicks", *NETWORK, *RANGE, "--limit", "5", "--concurrency", "2")
    assert done.returncode == 2
