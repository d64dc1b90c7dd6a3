"""Somebody else's project: an interpreter that has our dependencies but not us."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def interpreter_without_us(folder: Path) -> Path:
    """A virtual environment with everything that is installed here, except what makes `import adsecurity` work."""
    venv.create(folder, symlinks=True, with_pip=False)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        ours = "adsecurity" in entry.name or entry.suffix == ".pth"
        if not ours and not (site / entry.name).exists():
            (site / entry.name).symlink_to(entry)
    return folder / "bin" / "python"


def run(python: Path | str, *arguments: str, cwd: Path, **environment: str) -> str:
    """Standard output of a run that has to succeed; nothing of this process's Python settings reaches it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ADSECURITY", "COV"))}
    done = subprocess.run(
        [str(python), "-W", "error", *arguments],
        cwd=cwd,
        env=kept | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


@contextmanager
def sandbox_process(*options: str) -> Iterator[dict[str, str]]:
    """The addresses of a sandbox that the installed project serves from a process of its own, with a fixed week."""
    fixed = ("--export-seconds", "0.1", "--today", "2026-11-08")
    command = [sys.executable, "-m", "adsecurity.sandbox", *fixed, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            yield dict(zip(words[::2], words[1::2], strict=True))
        finally:
            process.terminate()
            process.wait(timeout=20)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write everywhere; for a moment, be nobody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
