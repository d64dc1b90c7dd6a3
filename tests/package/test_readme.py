"""The README promises nothing that does not happen: its programs run, its commands, files and extras are there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adsecurity.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [
    line[2:].split("  ")[0]
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=300, today="2026-11-08") as running:
        yield running


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_every_program_runs_as_it_stands(number: int, sandbox: Sandbox, tmp_path: Path) -> None:
    environment = {
        "ADSECURITY_NETWORK_API_KEY": sandbox.api_key,
        "ADSECURITY_NETWORK_BASE_URL": sandbox.network_url,
        "ADSECURITY_API_KEY": sandbox.api_key,
        "ADSECURITY_BASE_URL": sandbox.adsecurity_url,
    }
    (tmp_path / "program.py").write_text(PROGRAMS[number], encoding="utf-8")
    # Tests are run by pytest, which tells how it went.
    runner = ["-m", "pytest", "-p", "no:cacheprovider"] if "\ndef test_" in PROGRAMS[number] else []
    command = [sys.executable, "-W", "error", *runner, "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout or "update(" in PROGRAMS[number]


def test_the_programs_show_every_promise_of_the_text() -> None:
    together = "\n".join(PROGRAMS)
    for shown in (
        "NetworkClient",
        "AsyncAdsecurityClient",
        "to_parquet",
        "to_pandas",
        "polars.DataFrame(clicks)",
        "concurrency=",
        "resume=",
        "routes=",
        "net.request(",
        "net.paginate(",
        "Sandbox",
        "network_client",
        "make(",
        "create_autospec(",
    ):
        assert shown in together


def test_the_opentelemetry_recipe_gives_a_span_for_each_request_in_the_callers_trace(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    (program,) = [one for one in PROGRAMS if "opentelemetry" in one]
    environment = {
        "ADSECURITY_NETWORK_API_KEY": sandbox.api_key,
        "ADSECURITY_NETWORK_BASE_URL": sandbox.network_url,
    }
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    spans = [json.loads(span) for span in re.findall(r"^\{.*?^\}", done.stdout, re.DOTALL | re.MULTILINE)]
    *requests, outer = spans
    assert outer["name"] == "users"
    assert requests
    for span in requests:
        assert span["parent_id"] == outer["context"]["span_id"]
        assert span["attributes"]["http.url"].startswith(f"{sandbox.network_url}/api/v2/users")
    assert sandbox.api_key not in done.stdout


def test_the_logger_is_named() -> None:
    assert 'logging.getLogger("adsecurity")' in TEXT


def test_the_first_screen_says_how_to_try_test_and_install_it() -> None:
    first = "\n".join(TEXT.splitlines()[:25])
    for command in ("make demo", "make test", "pip install adsecurity"):
        assert command in first


def test_every_make_target_is_there() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = {command.split()[1] for command in COMMANDS if command.startswith("make ")}
    assert called
    assert called <= targets


def test_every_extra_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(re.findall(r"adsecurity\[(\w+)\]", TEXT)) == set(project["optional-dependencies"])


def test_every_file_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_the_sandbox_command_is_there() -> None:
    (command,) = [one for one in COMMANDS if one.startswith("python -m")]
    done = subprocess.run([sys.executable, *command.split()[1:], "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "127.0.0.1" in done.stdout


def test_the_evidence_is_told_as_the_specs_have_it(trees: dict[str, Any]) -> None:
    evidence = Counter(
        operation["x-evidence"]
        for spec in trees.values()
        for item in spec["paths"].values()
        for operation in item.values()
    )
    told = set(re.findall(r"`(\w+)`", TEXT.partition("rests on:")[2].partition(";")[0]))
    assert set(evidence) <= {"official", "documented", "prose", "inferred", "borrowed"} <= told
