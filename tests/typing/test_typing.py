"""Type checkers accept what is right, and reject every line that is wrong and no other."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def mypy(path: Path) -> set[int]:
    """Lines on which mypy finds an error."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", "--hide-error-context", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    elsewhere = [line for line in done.stdout.splitlines() if " error: " in line and path.name not in line]
    assert not elsewhere, elsewhere
    return {int(number) for number in re.findall(rf"{path.name}:(\d+): error", done.stdout)}


def pyright(path: Path) -> set[int]:
    """Lines on which pyright finds an error."""
    program = (
        shutil.which("pyright", path=f"{ROOT / '.node/node_modules/.bin'}:{Path(sys.executable).parent}") or "pyright"
    )
    command = [program, "--pythonpath", sys.executable, "--outputjson", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {item["range"]["start"]["line"] + 1 for item in found if item["severity"] == "error"}


CHECKERS = {"mypy": mypy, "pyright": pyright}
BOTH = ["mypy", pytest.param("pyright", marks=pytest.mark.node)]


@pytest.mark.parametrize("checker", BOTH)
def test_right_uses_are_accepted_without_a_cast(checker: str) -> None:
    assert CHECKERS[checker](HERE / "usage.py") == set()
    text = (HERE / "usage.py").read_text(encoding="utf-8")
    assert "cast" not in text
    assert "type: ignore" not in text


@pytest.mark.parametrize("checker", BOTH)
def test_every_wrong_use_is_rejected(checker: str) -> None:
    lines = (HERE / "wrong.py").read_text(encoding="utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert len(wrong) > 30
    found = CHECKERS[checker](HERE / "wrong.py")
    assert wrong - found == set(), "accepted"
    # Of a value that cannot be had, no more than its own line may be reported.
    assert found - wrong <= {number + 1 for number in wrong}, "rejected, but right"
