"""The README and the pages of the guide: their blocks, and a way to run them as a reader would.

A page is run by being there: tests/guide asks for all of them but those in `ELSEWHERE`. Each Python block is a program
of its own, with keys and addresses in the environment; it prints something, and nothing on stderr. Its dates are
relative to today, as those of the sandbox are. A console block is a session: its lines are run in order, in one folder.
What cannot be run by a machine (a prompt, a server that stays) stands in a text block.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adsecurity.sandbox import Sandbox
from tests.support.routes import written_now

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "overrides/guide"
ELSEWHERE = ("dask.md", "dlt.md", "spark.md")
"""Pages whose programs need more than `make test` installs: `tests/scale` runs them, by `blocks` and `run_program`."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted(GUIDE.glob("*.md"))]


def blocks(path: Path, language: str | None = None) -> list[Block]:
    """The blocks of a page, or those of one language."""
    text = path.read_text(encoding="utf-8")
    found = [
        Block(path.name, text.count("\n", 0, match.start()) + 1, match[1], match[2]) for match in _FENCE.finditer(text)
    ]
    return [block for block in found if language in (None, block.language)]


def variables(sandbox: Sandbox) -> dict[str, str]:
    """What the clients read from the environment."""
    return {
        "ADSECURITY_NETWORK_API_KEY": sandbox.api_key,
        "ADSECURITY_NETWORK_BASE_URL": sandbox.network_url,
        "ADSECURITY_API_KEY": sandbox.api_key,
        "ADSECURITY_BASE_URL": sandbox.adsecurity_url,
    }


def run_program(
    block: Block, sandbox: Sandbox, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a Python block as a process of its own, warnings being errors; where it has tests, by pytest."""
    # A page that names a route shows what it was when the page was written.
    (folder / "program.py").write_text(written_now(block.text), encoding="utf-8")
    runner = ["-m", "pytest", "-p", "no:cacheprovider"] if "\ndef test_" in block.text else []
    return subprocess.run(
        [sys.executable, "-W", "error", *runner, "program.py"],
        cwd=folder,
        env={**variables(sandbox), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
    )
