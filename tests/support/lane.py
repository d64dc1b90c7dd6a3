"""`python -m tests.support.lane pinned|min|newest WHEEL`: the public tests against the installed wheel.

The wheel goes into an environment of its own, the tests into a folder of their own: the sources are out of reach.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "tests/requirements"
FOLDERS = ("codec", "http", "tables", "paging", "exports", "client", "sandbox")
"""Tests of what users meet; they do not need the generator."""
ROOMS = (
    "codec",
    "client",
    "sandbox",
    "http/test_observers.py",
    "paging/test_paginator.py",
    "paging/test_parts.py",
    "exports/test_jobs.py",
    "exports/test_parquet.py",
    "tables/test_frames.py",
)
"""With the pinned versions `make test` has run all of them: the wheel itself is asked for something of every room."""
HELPERS = ("support", "contract", "bench", "specs/facts")
TOOLS = (
    "anyio",
    "duckdb",
    "hypothesis",
    "ipykernel",
    "ipywidgets",
    "nbclient",
    "opentelemetry-instrumentation-httpx",
    "opentelemetry-sdk",
    "pandas",
    "polars",
    "pytest",
    "pytest-httpx",
    "pytest-xdist",
    "pyyaml",
    "respx",
    "trio",
    "trustme",
)


def pins(path: Path) -> dict[str, str]:
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return {_plain(line.split("==")[0]): line for line in lines if "==" in line and not line.startswith("#")}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints(lane: str) -> list[str]:
    """What holds the versions: everything pinned; the oldest of ours; or the tools alone."""
    known = pins(REQUIREMENTS / "constraints.txt")
    if lane == "pinned":
        return list(known.values())
    if lane == "min":
        return list({**known, **pins(REQUIREMENTS / "min.txt")}.values())
    return [known[name] for name in TOOLS]


def python(environment: Path) -> Path:
    return environment / "bin" / "python"


def make(environment: Path, requirements: list[str], held: list[str]) -> None:
    """A fresh environment with these requirements."""
    venv.create(environment, clear=True, with_pip=True)
    listed = environment / "constraints.txt"
    listed.write_text("\n".join(held) + "\n", encoding="utf-8")
    command = [str(python(environment)), "-m", "pip", "install", "-q", "-c", str(listed), *requirements]
    subprocess.run(command, check=True, cwd=environment)


def place_tests(folder: Path, project: dict[str, Any]) -> None:
    """The public tests, with the settings of pyproject.toml and nothing else of the repository."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tests").mkdir(parents=True)
    for name in (*FOLDERS, *HELPERS):
        shutil.copytree(ROOT / "tests" / name, folder / "tests" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests/conftest.py", folder / "tests")
    shutil.copytree(ROOT / "specs", folder / "specs")
    settings = project["tool"]["pytest"]["ini_options"]
    lines = ["[tool.pytest.ini_options]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in settings.items() if key != "testpaths"]
    (folder / "pyproject.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


WHERE = """
import pathlib, sys
import adsecurity, adsecurity_generated
root = pathlib.Path(sys.argv[1])
for module in (adsecurity, adsecurity_generated):
    home = pathlib.Path(module.__file__)
    sys.exit(f"{home} is not the installed one") if root in home.parents or "site-packages" not in home.parts else None
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("lane", choices=("pinned", "min", "newest"))
    parser.add_argument("wheel", type=Path)
    arguments = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    environment, folder = ROOT / f".venv-{arguments.lane}", ROOT / ".cache" / f"lane-{arguments.lane}"
    make(environment, [f"{arguments.wheel.resolve()}[all]", *TOOLS], constraints(arguments.lane))
    place_tests(folder, project)
    # Below the repository nothing finds the sources either: no setting and no path leads there.
    sources = [str(ROOT / "overrides"), str(ROOT / "generated")]
    for source in sources:
        subprocess.run([str(python(environment)), "-I", "-c", WHERE, source], check=True, cwd=folder)
    # pytest would rewrite the asserts of a package that brings a plugin, which is ours here; not all of Python 3.11 can
    # compile them within a deep call.
    command = [str(python(environment)), "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "--assert=plain"]
    command += [f"tests/{name}" for name in (ROOMS if arguments.lane == "pinned" else FOLDERS)]
    return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
