"""Every program of the guide to Spark runs as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adsecurity.sandbox import Sandbox
from tests.scale.spark_session import ENVIRONMENT
from tests.support.guide import GUIDE, Block, blocks, variables


@pytest.mark.parametrize("block", blocks(GUIDE / "spark.md", "python"), ids=str)
def test_every_program_of_the_guide_runs_as_it_stands(block: Block, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(block.text, encoding="utf-8")
    with Sandbox(rows=200) as sandbox:
        # Spark itself writes to stderr, and takes its time where a machine is busy.
        done = subprocess.run(
            [sys.executable, "program.py"],
            cwd=tmp_path,
            env={**os.environ, **ENVIRONMENT, **variables(sandbox)},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    if (tmp_path / "clicks").exists():
        assert int(done.stdout.split()[-1]) == 200
