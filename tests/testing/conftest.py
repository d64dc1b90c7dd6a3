"""Projects that use the plugin, and pytest runs in them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest


class Project:
    """Somebody's project in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = sys.executable
        self.measured = True
        """Whether our own coverage measures the runs; it would be in the way of theirs."""

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")

    def run(self, *arguments: str, passed: int | None = None) -> str:
        """What pytest prints, with warnings as errors; checked to have passed that many tests and nothing else."""
        hidden = ("PYTEST", "ADSECURITY", *(() if self.measured else ("COV",)))
        environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        done = subprocess.run(
            [self.python, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=self.folder,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        told = done.stdout + done.stderr
        if passed is not None:
            assert done.returncode == 0, told
            assert f" {passed} passed in " in told.replace("=", " "), told
        return told


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return Project(tmp_path)
