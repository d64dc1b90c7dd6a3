"""What the guide and the README show of the command is what it does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from adsecurity.sandbox import Sandbox

from .conftest import Run

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [ROOT / "overrides/guide/command-line.md", ROOT / "README.md"]
LINES = [
    line[2:]
    for path in TEXTS
    for block in re.findall(r"```console\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ adsecurity ")
]
INTERACTIVE = re.findall(r"^adsecurity ([a-z]+) ?([a-z]*)", TEXTS[0].read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Seeded up to now, as the guide's ranges are."""
    with Sandbox(rows=300) as running:
        yield running


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_guide_works(line: str, cli: Run, tmp_path: Path) -> None:
    done = cli(*shlex.split(line)[1:])
    assert done.returncode == 0, done.stderr
    if found := re.search(r"-o (\S+\.\w+)", line):
        assert (tmp_path / found[1]).stat().st_size > 0
    else:
        # A fresh sandbox has no exports yet.
        assert done.stdout or "exports list" in line


@pytest.mark.parametrize("words", INTERACTIVE, ids=" ".join)
def test_every_other_command_is_there(words: tuple[str, str], cli: Run) -> None:
    group, name = words
    assert cli(group, *([name] if name and not name.startswith("-") else []), "--help").returncode == 0
