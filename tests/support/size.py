"""`python -m tests.support.size`: the size of the override layer without the sandbox, against its limits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

LAYER = Path("overrides/adsecurity")
APART = LAYER / "sandbox"
LAYER_LIMIT = 3000
MODULE_LIMIT = 400


def sizes(root: Path) -> Iterator[tuple[Path, int]]:
    for path in sorted(root.rglob("*.py")):
        yield path, len(path.read_text(encoding="utf-8").splitlines())


def report(layer: Path, apart: Path, others: list[Path]) -> tuple[str, list[str]]:
    """The printed table and what is too big."""
    counted = [(path, lines) for path, lines in sizes(layer) if not path.is_relative_to(apart)]
    rows = [f"{lines:6}  {path.as_posix()}" for path, lines in counted]
    total = sum(lines for _, lines in counted)
    rows.append(f"{total:6}  override layer without the sandbox (at most {LAYER_LIMIT})")
    hand_written = [*counted, *sizes(apart), *(row for root in others for row in sizes(root))]
    faults = [
        f"{path.as_posix()}: {lines} lines, at most {MODULE_LIMIT}"
        for path, lines in hand_written
        if lines > MODULE_LIMIT
    ]
    if total > LAYER_LIMIT:
        faults.append(f"{layer.as_posix()}: {total} lines without the sandbox, at most {LAYER_LIMIT}")
    return "\n".join(rows), faults


if __name__ == "__main__":
    table, faults = report(LAYER, APART, [Path("generator")])
    print(table)
    sys.exit("\n".join(faults) if faults else 0)
