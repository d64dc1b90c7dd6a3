"""The import contracts of pyproject.toml hold, and each goes red when an import in a copy of the sources breaks it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("overrides", "generated", "generator")
BREAKS = {
    "upwards in the client": (
        "client-rooms", "overrides/adsecurity/codec/page.py", "from ..http import session",
    ),
    "upwards inside a function": (
        "client-rooms", "overrides/adsecurity/http/session.py", "def late():\n    from ..paging import paginator",
    ),
    "codec and flow": ("client-rooms", "overrides/adsecurity/flow/steps.py", "from ..codec import raw"),
    "http and tables": ("client-rooms", "overrides/adsecurity/http/config.py", "from ..tables import csv"),
    "shown and read": ("client-rooms", "overrides/adsecurity/display/cells.py", "from ..tables import csv"),
    "paging and exports": ("client-rooms", "overrides/adsecurity/exports/job.py", "from ..paging import page"),
    "the lowest among themselves": ("client-rooms", "overrides/adsecurity/errors.py", "from . import events"),
    "a room without a place": ("client-rooms", "overrides/adsecurity/attic/__init__.py", "import json"),
    "upwards in the generator": ("generator-rooms", "generator/spec/naming.py", "from ..lint import stages"),
    "lint and render": ("generator-rooms", "generator/lint/stages.py", "from ..render import source"),
    "runtime and versions": ("generator-rooms", "generator/versions.py", "from .runtime import _values"),
    "the face": ("face", "overrides/adsecurity/client/base.py", "from .. import RetryPolicy as _"),
    "the command below the public interface": (
        "command", "overrides/adsecurity/cli/__init__.py", "from ..http import config as _config",
    ),
    "generated at run time": (
        "generated", "generated/adsecurity_generated/_values.py", "from adsecurity.codec import raw",
    ),
    "the generator at run time": ("generated", "generator/runtime/_values.py", "from adsecurity.codec import raw"),
    "shipped code and the generator": ("shipped", "overrides/adsecurity/http/config.py", "import generator.versions"),
}  # fmt: skip


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def broken(root: Path) -> set[str]:
    """The contracts that are broken, by their ids."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    names = dict(re.findall(r'^id = "(.*)"\nname = "(.*)"$', text, re.MULTILINE))
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    path = os.pathsep.join(str(root / folder) for folder in ("overrides", "generated", "."))
    known = {**os.environ, "PYTHONPATH": path, "COLUMNS": "1000"}
    done = subprocess.run(command, cwd=root, env=known, capture_output=True, text=True, timeout=120)
    found = {known_as for known_as, name in names.items() if f"{name} BROKEN" in done.stdout}
    assert done.returncode == bool(found), done.stdout + done.stderr
    assert len(re.findall(r" (?:KEPT|BROKEN)$", done.stdout, re.MULTILINE)) == len(names) == 6
    return found


def test_the_contracts_hold(copy: Path) -> None:
    assert broken(copy) == set()


@pytest.mark.parametrize("what", BREAKS)
def test_a_forbidden_import_breaks_its_contract(copy: Path, what: str) -> None:
    contract, module, statement = BREAKS[what]
    path = copy / module
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{before or ''}\n{statement}\n", encoding="utf-8")
    try:
        assert broken(copy) == {contract}
    finally:
        if before is None:
            shutil.rmtree(path.parent)
        else:
            path.write_text(before, encoding="utf-8")


def test_an_import_for_type_checkers_alone_breaks_no_contract(copy: Path) -> None:
    path = copy / "generated/adsecurity_generated/_values.py"
    before = path.read_text(encoding="utf-8")
    more = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from adsecurity.codec import raw\n"
    path.write_text(f"{before}\n{more}", encoding="utf-8")
    try:
        assert broken(copy) == set()
    finally:
        path.write_text(before, encoding="utf-8")
