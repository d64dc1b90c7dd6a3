"""The wheel that `make build` left in dist/, and environments that hold it and nothing of the sources."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import lane

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def wheel() -> Path:
    (found,) = (ROOT / "dist").glob("*.whl")
    return found


@pytest.fixture
def environment(tmp_path: Path, wheel: Path) -> Callable[..., Run]:
    """Make an environment with the wheel and these extras; give what runs a program in it, far from the sources."""

    def make(extra: str = "") -> Run:
        folder = tmp_path / "environment"
        lane.make(folder, [f"{wheel}[{extra}]" if extra else str(wheel)], lane.constraints("pinned"))
        away = tmp_path / "away"
        away.mkdir()

        def run(program: str) -> subprocess.CompletedProcess[str]:
            command = [str(lane.python(folder)), "-I", "-W", "error", "-c", textwrap.dedent(program)]
            return subprocess.run(command, cwd=away, capture_output=True, text=True, timeout=120)

        return run

    return make
