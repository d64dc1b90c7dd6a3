"""An option that cannot be meant is named, on the command line as in Python, before anything is made or served."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adsecurity.sandbox import Sandbox
from adsecurity.sandbox._cli import main

from .conftest import SPECS


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--port", "99999"),
        ("--port", "-1"),
        ("--port", "80.5"),
        ("--rate-limit", "-3"),
        ("--rows", "-5"),
        ("--rows", "9" * 30),
        ("--api-key", ""),
        ("--api-key", " key"),
        ("--api-key", "a\nb"),
        ("--api-key", "clé"),
        ("--latency", "infs"),
        ("--latency", "nanms"),
        ("--latency", "-1s"),
        ("--latency", "1e999s"),
        ("--export-seconds", "nan"),
        ("--export-seconds", "-1"),
        ("--export-seconds", "inf"),
        ("--export-seconds", "soon"),
        ("--url-seconds", "-1"),
        ("--url-seconds", "nan"),
        ("--fault", "503:nan"),
        ("--today", "yesterday"),
        ("--today", "2026-02-30"),
        ("--today", "20261108"),
        ("--today", "1970-01-01"),
        ("--today", "9999-12-31"),
    ],
)
def test_the_command_line_refuses_what_an_option_cannot_be(
    option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([f"{option}={text}", "--db", "/nonexistent/never.db"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert f"error: argument {option}: " in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("port", 65_536),
        ("port", -1),
        ("rate_limit", -3),
        ("rows", -5),
        ("latency", float("inf")),
        ("latency", float("nan")),
        ("export_seconds", float("nan")),
        ("export_seconds", -1),
        ("url_seconds", -1),
        ("export_row_limit", -1),
        ("request_log", -1),
        ("today", "2026-11-8"),
        ("today", "9999-12-31"),
        ("today", datetime(2026, 11, 8)),
        ("today", 20261108),
        ("api_key", ""),
        ("api_key", "secret\u00e9"),
    ],
)
def test_a_sandbox_refuses_the_same(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=option.replace("_", " ")) as refused:
        Sandbox(**{option: value})
    assert "secret" not in str(refused.value)


def test_the_ends_of_the_ranges_are_in_them() -> None:
    with Sandbox(port=0, rows=0, latency=0, rate_limit=0, export_seconds=0, url_seconds=0, export_row_limit=0):
        pass


def test_what_is_no_database_is_named_and_gets_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    text = tmp_path / "text.db"
    text.write_text("no database at all, but a text that is long enough to be looked at")
    for database in (folder, tmp_path / "nowhere" / "x.db", text):
        assert main(["--db", str(database)]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"error: {database}: ")
        assert said.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == [folder, text]
    for name in ("", ".", ".."):
        assert main(["--db", name]) == 1
        assert "unable to open database file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("network.json", b"{"),
        ("network.json", b"\xff"),
        ("network.json", b"[]"),
        ("network.yaml", b"a: [\nb: {"),
        ("network.yaml", b"\xff"),
        ("network.yaml", b"- a"),
    ],
)
def test_a_spec_that_cannot_be_read_is_one_line(
    name: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["--spec-dir", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "network" in said
    assert said.count("\n") == 1


def test_without_pyyaml_a_spec_in_yaml_is_one_line_that_names_it() -> None:
    code = (
        "import sys; sys.modules['yaml'] = None; "
        f"from adsecurity.sandbox._cli import main; sys.exit(main(['--spec-dir', {str(SPECS)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"error: {SPECS / 'network.yaml'} is YAML, and PyYAML is not installed; " + (
        "run: pip install pyyaml\n"
    )
