"""The programs of the guide's page on dlt run as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from adsecurity.sandbox import Sandbox
from tests.support.guide import GUIDE, Block, blocks, run_program


@pytest.mark.parametrize("block", blocks(GUIDE / "dlt.md", "python"), ids=str)
def test_a_program_of_the_guide_runs(block: Block, tmp_path: Path) -> None:
    alone = {"DLT_DATA_DIR": str(tmp_path), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    with Sandbox(rows=300) as sandbox:
        done = run_program(block, sandbox, tmp_path, alone)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stderr == ""
