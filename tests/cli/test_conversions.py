"""`adsecurity conversions`: batches, refusals told apart, a summary, and a file of the rest that can be tried again."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adsecurity
from adsecurity import errors
from adsecurity.cli.conversions import Entry, halving, read_entries
from adsecurity.cli.failures import Usage
from adsecurity.sandbox import Sandbox

from .conftest import Open, Run


@pytest.fixture
def ids(sandbox: Sandbox) -> list[str]:
    with adsecurity.AdsecurityClient(api_key=sandbox.api_key, base_url=sandbox.adsecurity_url) as ads:
        rows = ads.reports.conversions(
            integration_id="integration-1", start_date="2026-11-01", end_date="2026-11-08", fields=["tx_id", "status"]
        )
        return [str(row.tx_id) for row in rows]


def verdicts(cli: Run) -> dict[str, str]:
    words = ("adsecurity", "reports", "conversions", "--integration-id", "integration-1")
    days = ("--start-date", "2026-11-01", "--end-date", "2026-11-08", "--fields", "tx_id,status", "-o", "csv")
    return {row["tx_id"]: row["status"] for row in csv.DictReader(cli(*words, *days).stdout.splitlines())}


def test_all_are_approved_or_rejected(cli: Run, ids: list[str], tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")
    for verb, verdict in (("reject", "Rejected"), ("approve", "Approved")):
        words = ("conversions", verb, "--file", "ids.txt", "--batch", "7", "--yes", "--integration", "integration-1")
        done = cli(*words, *(("--reason", "fraud") if verb == "reject" else ()))
        assert done.returncode == 0, done.stderr
        assert f"{len(ids)} of {len(ids)} {verdict.lower()}, 0 refused" in done.stderr
        assert set(verdicts(cli).values()) == {verdict}
    assert not (tmp_path / "ids.txt.rest.csv").exists()


def test_refused_ones_stand_alone_and_the_rest_file_is_tried_again(cli: Run, ids: list[str], tmp_path: Path) -> None:
    mixed = [*ids[:5], "nope-1", *ids[5:], "nope-2"]
    (tmp_path / "ids.csv").write_text("TX_ID,note\n" + "".join(f"{one},x\n" for one in mixed), encoding="utf-8")
    done = cli("conversions", "reject", "--file", "ids.csv", "--yes")
    assert done.returncode == 9
    assert f"{len(ids)} of {len(ids) + 2} rejected, 2 refused, 0 not tried" in done.stderr
    assert "refused nope-1: 404" in done.stderr
    assert set(verdicts(cli).values()) == {"Rejected"}
    rest = tmp_path / "ids.csv.rest.csv"
    assert [row["tx_id"] for row in csv.DictReader(rest.read_text(encoding="utf-8").splitlines())] == [
        "nope-1",
        "nope-2",
    ]
    again = cli("conversions", "reject", "--file", rest.name, "--yes")
    assert "0 of 2 rejected, 2 refused" in again.stderr


def test_what_goes_wrong_otherwise_stops_and_leaves_the_rest(
    cli: Run, ids: list[str], sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.inject(403)
    done = cli("conversions", "approve", "--file", "-", "--yes", "--rest", "rest.csv", stdin="\n".join(ids))
    assert done.returncode == 5
    assert f"0 of {len(ids)} approved, 0 refused, {len(ids)} not tried" in done.stderr
    rest = (tmp_path / "rest.csv").read_text(encoding="utf-8")
    assert rest.count("not tried") == len(ids)


def test_it_asks_first(cli: Run, terminal: Open, ids: list[str], tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text(ids[0], encoding="utf-8")
    assert cli("conversions", "approve", "--file", "ids.txt").returncode == 2
    with terminal("conversions", "approve", "--file", "ids.txt") as screen:
        screen.expect(f"Approve 1 ({ids[0]}) conversions?")
        screen.type("yes\n")
        assert screen.end() == 0
    assert "1 of 1 approved" in screen.text


def test_files_of_ids_in_each_form(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"

    def read(text: str) -> list[Entry]:
        file.write_text(text, encoding="utf-8")
        return read_entries(str(file))

    assert read("a\n\n b \na\n") == [{"tx_id": "a"}, {"tx_id": "b"}]
    assert read("hash,tx_id\nh,t\n,u\n,\n") == [{"hash": "h", "tx_id": "t"}, {"tx_id": "u"}]
    assert read("\ufeffhash\nh\n") == [{"hash": "h"}]
    for wrong in ("", "tx_id\n", "a,b\n1,2\n"):
        with pytest.raises(Usage):
            read(wrong)
    with pytest.raises(Usage, match="No such file"):
        read_entries(str(tmp_path / "none"))


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 20))
def test_halving_does_all_that_can_be_done_and_no_more(good: list[bool], size: int) -> None:
    entries = [{"tx_id": str(number)} for number in range(len(good))]
    sent: list[str] = []

    def send(batch: list[Entry]) -> None:
        if not all(good[int(entry["tx_id"])] for entry in batch):
            raise errors.NotFoundError("x", status_code=404, body={"message": "no"})
        sent.extend(entry["tx_id"] for entry in batch)

    outcome = halving(entries, size, send, lambda count: None)
    assert sent == [str(number) for number, fine in enumerate(good) if fine]
    assert outcome.done == [entry for entry, fine in zip(entries, good, strict=True) if fine]
    assert [entry for entry, _ in outcome.refused] == [e for e, fine in zip(entries, good, strict=True) if not fine]
    assert outcome.rest == []


@pytest.mark.parametrize("error", [errors.APIConnectionError("gone"), KeyboardInterrupt(), errors.ServerError("x")])
def test_what_was_not_tried_is_kept_apart_from_what_was_refused(error: BaseException) -> None:
    entries = [{"tx_id": str(number)} for number in range(10)]
    calls: list[int] = []

    def send(batch: list[Entry]) -> None:
        calls.append(len(batch))
        if len(calls) == 2:
            raise error

    outcome = halving(entries, 4, send, lambda count: None)
    assert outcome.done == entries[:4]
    assert outcome.rest == entries[4:]
    assert outcome.error is error
