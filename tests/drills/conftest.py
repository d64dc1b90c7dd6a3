"""One generation from a copy of the specs with all edits in it, and a sandbox that serves what came out."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml

from adsecurity import NetworkClient
from tests.drills.edits import EDITS, Json
from tests.support.downstream import ROOT, run, sandbox_process

PREAMBLE = """
import datetime as dt, json, sys, typing, warnings
import adsecurity, adsecurity_generated
from adsecurity import types

assert adsecurity_generated.__file__.startswith(sys.argv[1]), "not the regenerated package"
network_url, adsecurity_url = sys.argv[2:]
net = adsecurity.NetworkClient(api_key="sandbox-key", base_url=network_url)
ads = adsecurity.AdsecurityClient(api_key="sandbox-key", base_url=adsecurity_url)
told = None
with net, ads:
"""


def read(name: str) -> Json:
    text = (ROOT / f"specs/{name}.yaml").read_text(encoding="utf-8")
    tree: Json = yaml.load(text, yaml.CSafeLoader)
    return tree


def write(folder: Path, name: str, tree: Json) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(tree, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def generate(specs: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "generator", "--specs", str(specs), "--out", str(out)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@attrs.frozen
class Later:
    """The package as it will be once the specs have been edited, and a sandbox of those specs."""

    out: Path
    urls: dict[str, str]

    def run(self, code: str) -> Any:
        """What `told` is after some code in a process of its own, whose clients know the edited API."""
        indented = "\n".join(f"    {line}" for line in code.strip("\n").splitlines())
        script = f"{PREAMBLE}{indented}\nprint(json.dumps(told))\n"
        layers = f"{self.out}{os.pathsep}{ROOT / 'overrides'}"
        arguments = (str(self.out), self.urls["network"], self.urls["adsecurity"])
        told = run(sys.executable, "-c", script, *arguments, cwd=self.out, PYTHONPATH=layers)
        return json.loads(told)

    def old_client(self) -> NetworkClient:
        """A client that was deployed before the edits and still runs."""
        return NetworkClient(api_key="sandbox-key", base_url=self.urls["network"])


@pytest.fixture(scope="session")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the regenerated package, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "drills"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            tree = read("network")
            for edit in EDITS:
                edit(tree)
            write(shared / "specs", "network", tree)
            shutil.copy(ROOT / "specs/adsecurity.yaml", shared / "specs")
            done = generate(shared / "specs", shared / "out")
            assert done.returncode == 0, done.stdout + done.stderr
            (shared / "done").touch()
    return shared / "out"


@pytest.fixture(scope="session")
def later(regenerated: Path) -> Iterator[Later]:
    with sandbox_process("--spec-dir", str(regenerated.parent / "specs")) as urls:
        yield Later(regenerated, urls)
