"""A copy under another root has the same command, which reads its own description."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from generator.release.vendoring import main
from tests.support.routes import path_of, wire_name

from .conftest import COMMAND


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("app")
    assert main([str(root / "_vendor")]) == 0
    return root


def test_the_command_of_a_copy_works_without_the_installed_package(copy: Path, environment: dict[str, str]) -> None:
    # A name that is imported absolutely would find the installed package: here there is none.
    program = (
        "import sys, runpy\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('adsecurity', 'adsecurity_generated'):\n"
        "            raise ImportError(f'{name} is the installed one')\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "sys.argv = ['adsecurity', *sys.argv[1:]]\n"
        "runpy.run_module('_vendor.adsecurity.cli', run_name='__main__')\n"
    )
    size = wire_name("network", "page[size]")
    for words in (
        ["--help"],
        ["network", "offers", "list", "integration-1", "--limit", "2"],
        ["network", "offers", "list", "integration-1", "--limit", "2", "-o", "table"],
        ["routes"],
        ["request", "GET", path_of("network", "listUsers"), "--surface", "network", "--query", f"{size}=1"],
    ):
        command = [sys.executable, "-c", program, *words]
        done = subprocess.run(command, env=environment, cwd=copy, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        expected = subprocess.run([*COMMAND, *words], env=environment, cwd=copy, capture_output=True, text=True)
        assert done.stdout == expected.stdout
    module = [sys.executable, "-m", "_vendor.adsecurity.cli", "--version"]
    assert subprocess.run(module, env=environment, cwd=copy, capture_output=True).returncode == 0
