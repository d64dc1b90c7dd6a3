"""What goes wrong: one readable message, the nearest right names, an exit code for each class, and never the key."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from adsecurity import errors
from adsecurity.cli.failures import EXIT_CODES, Failure, explain
from adsecurity.sandbox import Sandbox
from tests.support.routes import routes

from .conftest import COMMAND, Open, Run

OFFERS = ("network", "offers", "list", "integration-1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("netwrk",), "Did you mean network?"),
        (("offers", "list"), "Did you mean `network offers` or `adsecurity offers`?"),
        (("network", "offrs"), "Did you mean offers"),
        (("network", "offers", "lst"), "Did you mean list?"),
        (("network", "offers", "zzz"), "bulk-delete"),
        ((*OFFERS, "--fitler", "a=1"), "--filter"),
        ((*OFFERS, "--filter", "actve=true"), "near it: active"),
        ((*OFFERS, "--sort", "-creatd_at"), "near it: created_at"),
        ((*OFFERS, "--columns", "nme"), "near it: name"),
        ((*OFFERS, "--filter", "active"), "must look like FIELD=VALUE"),
        ((*OFFERS, "--filter", "payout[gte=3"), "must look like FIELD=VALUE"),
        ((*OFFERS, "-o", "jsn"), "Did you mean json"),
        ((*OFFERS, "-o", "rows.xml"), ".parquet"),
        ((*OFFERS, "-o", "/nowhere/rows.csv"), "there is no folder"),
        ((*OFFERS, "-o", "folder.csv"), "is a folder"),
        ((*OFFERS, "--limit", "x"), "--limit"),
        ((*OFFERS, "--limit", "3", "--all"), "exclude each other"),
        (("network", "offers", "list"), "INTEGRATION_ID"),
        (("network", "offers", "list", ""), "must be an id"),
        (("network", "offers", "create", "i", "--name", "x"), "--advertiser-id"),
        (("network", "offers", "create", "i", "--name", "x", "--advertiser-id", "many"), "no whole number"),
        (("network", "offers", "create", "i", "--currency", "EU"), "Did you mean EUR?"),
        (("network", "offers", "create", "i", "--default-payout.payout", "much"), "no number"),
        (("network", "offers", "create", "i", "--default-payout", "[1]"), "must be a JSON object"),
        (("network", "offers", "create", "i", "--json", "{"), "no valid JSON"),
        (("network", "offers", "create", "i", "--active", "true"), "takes no value"),
        (("network", "offers", "get", "i", "o", "-o", "parquet"), "neither a format"),
        (("adsecurity", "smartlinks", "update", "i", "s", "--strategy", "9"), "0, 1, 2, 3"),
        (("adsecurity", "publisher-view", "postbacks", "create", "o", "--headers", "x"), "KEY=VALUE"),
        (("report", "clicks", "--integration", "i", "--surface", "network"), "--since"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_refused_with_the_right_ones_and_nothing_is_sent(
    words: tuple[str, ...], said: str, cli: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "folder.csv").mkdir()
    sandbox.requests.clear()
    done = cli(*words)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert list(sandbox.requests) == []


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 9), (401, 4), (402, 9), (403, 5), (404, 6), (409, 7), (418, 9)],
)
def test_each_class_of_refusal_has_its_exit_code_and_names_the_request(
    status: int, code: int, cli: Run, sandbox: Sandbox
) -> None:
    sandbox.inject(status)
    done = cli(*OFFERS)
    assert done.returncode == code, done.stderr
    assert f" {status}" in done.stderr
    assert "request id sandbox-" in done.stderr
    assert "--debug" in done.stderr
    assert done.stdout == ""


def test_errors_that_last_have_their_codes_too(sandbox: Sandbox) -> None:
    known = {
        errors.RateLimitError("x"): 8,
        errors.ServerError("x"): 10,
        errors.APITimeoutError("x"): 11,
        errors.ExportTruncated("x"): 12,
        errors.ResponseDecodeError("x"): 13,
        errors.PaginationError("x"): 13,
        errors.AdsecurityError("x"): 1,
        errors.BulkError("x", causes=(errors.ConflictError("y"),)): 7,
        errors.BulkError("x"): 1,
        ModuleNotFoundError("x"): 1,
        OSError(28, "No space left", "f.csv"): 1,
        TypeError("x"): 2,
        Failure("x", 7): 7,
    }
    for error, code in known.items():
        assert explain(error)[1] == code
        assert code in EXIT_CODES
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError())


def test_no_connection_has_its_own_code(cli: Run) -> None:
    done = cli(*OFFERS, env={"ADSECURITY_NETWORK_BASE_URL": "http://127.0.0.1:9"})
    assert done.returncode == 11
    assert "adsecurity doctor" in done.stderr


def test_debug_adds_log_answer_and_traceback_but_no_key(cli: Run, sandbox: Sandbox) -> None:
    for words in (("--debug", *OFFERS), (*OFFERS, "--debug")):
        sandbox.inject(403)
        done = cli(*words)
        assert done.returncode == 5
        assert "Traceback" in done.stderr
        assert "x-request-id: " in done.stderr
        assert " ".join(routes("network")["listOffers"]) in done.stderr
        assert sandbox.api_key not in done.stderr + done.stdout


def test_without_a_key_it_is_said_how_to_get_and_set_one(cli: Run, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    done = cli(*OFFERS, env={"ADSECURITY_NETWORK_API_KEY": ""})
    assert done.returncode == 3
    for word in ("administrator", "adsecurity config set --surface network", "ADSECURITY_NETWORK_API_KEY", "sandbox"):
        assert word in done.stderr
    assert list(sandbox.requests) == []
    other = cli("export", "clicks", "-o", "x.csv", env={"ADSECURITY_NETWORK_API_KEY": "", "ADSECURITY_API_KEY": ""})
    assert other.returncode == 3


def test_text_of_the_server_cannot_drive_the_terminal(cli: Run, sandbox: Sandbox, terminal: Open) -> None:
    evil = cli("network", "offers", "create", "integration-1", "--name", "\x1b]0;evil\x07", "--advertiser-id", "1")
    with terminal("network", "offers", "get", "integration-1", evil.stdout.strip(), "--columns", "name") as screen:
        assert screen.end() == 0
    assert "\x1b]0;evil" not in screen.shown
    assert "\\x1b]0;evil\\x07" in screen.text


def test_a_reader_that_goes_away_is_no_error(environment: dict[str, str], tmp_path: Path) -> None:
    words = ["network", "reports", "clicks", "--integration-id", "integration-1"]
    words += ["--start-time", "2026-11-01", "--end-time", "2026-11-08"]
    process = subprocess.Popen(
        [*COMMAND, *words], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 141
    assert said == b""


def test_ctrl_c_is_quiet(terminal: Open, tmp_path: Path) -> None:
    with Sandbox(rows=50, latency=30) as slow:
        variables = {"ADSECURITY_NETWORK_BASE_URL": slow.network_url}
        with terminal("--debug", *OFFERS, env=variables) as screen:
            screen.expect("")
            while not slow.requests:
                os.sched_yield()
            screen.type("\x03")
            assert screen.end() == 130
    assert "Traceback" not in screen.text


def test_a_missing_click_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    import sys

    program = "import sys; sys.modules['click'] = None; from adsecurity.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "pip install 'adsecurity[cli]'" in done.stderr
