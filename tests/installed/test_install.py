"""What the README says of installing without a package index is tried in empty environments, word for word."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import lane

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (?:make build && )?(pip install .*(?:dist/|git\+).*)$", README, re.MULTILINE)
PROGRAM = """
import httpx
import adsecurity
users = {"data": [{"id": "1", "email": "a@example.com"}], "meta": {"total_count": 1, "total_page": 1}}
transport = httpx.MockTransport(lambda request: httpx.Response(200, json=users))
with adsecurity.NetworkClient(api_key="k", base_url="https://network.example", transport=transport) as net:
    print(adsecurity.__file__, [user.email for user in net.users.list()])
"""


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str, Path], str]:
    """Make an empty environment, run a command in it in a folder, and return what the program prints there."""

    def run(command: str, folder: Path) -> str:
        environment = tmp_path / "environment"
        venv.create(environment, with_pip=True)
        constraints = tmp_path / "constraints.txt"
        constraints.write_text("\n".join(lane.constraints("pinned")) + "\n", encoding="utf-8")
        known = {**os.environ, "PIP_CONSTRAINT": str(constraints), "PATH": f"{environment}/bin:{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-c", command], cwd=folder, env=known, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        command_line = [str(lane.python(environment)), "-I", "-W", "error", "-c", PROGRAM]
        return subprocess.run(
            command_line, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120
        ).stdout

    return run


def test_the_readme_names_a_wheel_and_a_repository() -> None:
    assert len(COMMANDS) == 2


def test_the_built_wheel_installs_in_an_empty_environment(install: Callable[[str, Path], str], wheel: Path) -> None:
    (command,) = [one for one in COMMANDS if wheel.parent.name in one]
    printed = install(command, ROOT)
    assert "site-packages/adsecurity/" in printed
    assert "['a@example.com']" in printed


def test_a_git_url_installs_in_an_empty_environment(install: Callable[[str, Path], str], tmp_path: Path) -> None:
    repository = tmp_path / "adsecurity"
    for folder in ("overrides", "generated"):
        shutil.copytree(ROOT / folder, repository / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, repository)
    commit = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "The project"]
    for command in (["git", "init", "-q"], ["git", "add", "."], commit):
        subprocess.run(command, cwd=repository, check=True)
    (line,) = [one for one in COMMANDS if "git+" in one]
    printed = install(re.sub(r"git\+https://\S+", f"git+file://{repository}", line), tmp_path)
    assert "site-packages/adsecurity/" in printed
    assert "['a@example.com']" in printed
