"""The demo walks the whole chain through the public client and shows what it found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from adsecurity.sandbox import demo


def test_the_demo_shows_every_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "EXPORT_SECONDS", 1.2)
    assert demo.main(["--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    for part in (
        "3 pages, 50 + 50 + 30 = 130 of users",
        "3 pages, 100 + 100 + 40 = 240 of offers",
        "Late summer [253], active: False",
        "2000 clicks, page after page by cursor",
        "status='PENDING'",
        "status='IN_PROGRESS'",
        "status='COMPLETED', rows=2000",
        "clicks.parquet: ",
        "country   clicks  rejected",
        "The sandbox has stopped",
    ):
        assert part in shown, part
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clicks.csv", "clicks.parquet"]


def test_the_demo_never_shows_the_key(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "EXPORT_SECONDS", 0.1)
    assert demo.main([]) == 0
    assert "sandbox-key" not in capsys.readouterr().out


def test_the_demo_is_a_module_to_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "adsecurity.sandbox.demo", "--help"], capture_output=True, text=True, check=True
    )
    assert "--out DIR" in done.stdout


@pytest.mark.parametrize(
    ("missing", "extra"),
    [("starlette", "sandbox"), ("uvicorn", "sandbox"), ("msgspec", "parquet"), ("pyarrow", "parquet")],
)
def test_without_an_extra_the_demo_is_one_line_that_names_the_pip_command(missing: str, extra: str) -> None:
    code = (
        f"import sys, runpy; sys.argv = ['demo']; sys.modules[{missing!r}] = None; "
        "runpy.run_module('adsecurity.sandbox.demo', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {missing} is not installed; run: pip install 'adsecurity[{extra}]'\n"
