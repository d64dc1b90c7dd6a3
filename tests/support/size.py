"""`python -m tests.support.size`: the size of the override layer without the sandbox, against its limits.

A line of code is one that holds a token: blank lines, comments and docstrings make a layer longer, not thicker.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LAYER = Path("overrides/adsecurity")
APART = LAYER / "sandbox"
LAYER_LIMIT = 5000
MODULE_LIMIT = 400
_NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


class Size(NamedTuple):
    path: Path
    code: int
    lines: int


def code_lines(source: str) -> int:
    told: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            told.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            held.update(range(token.start[0], token.end[0] + 1))
    return len(held - told)


def sizes(root: Path) -> Iterator[Size]:
    for path in sorted(root.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        yield Size(path, code_lines(source), len(source.splitlines()))


def report(layer: Path, apart: Path, others: list[Path]) -> tuple[str, list[str]]:
    """The printed table and what is too big."""
    counted = [size for size in sizes(layer) if not size.path.is_relative_to(apart)]
    rows = ["  code  lines", *(f"{code:6} {lines:6}  {path.as_posix()}" for path, code, lines in counted)]
    total, physical = sum(size.code for size in counted), sum(size.lines for size in counted)
    rows.append(f"{total:6} {physical:6}  override layer without the sandbox (at most {LAYER_LIMIT} lines of code)")
    hand_written = [*counted, *sizes(apart), *(size for root in others for size in sizes(root))]
    faults = [
        f"{size.path.as_posix()}: {size.lines} lines, at most {MODULE_LIMIT}"
        for size in hand_written
        if size.lines > MODULE_LIMIT
    ]
    if total > LAYER_LIMIT:
        faults.append(f"{layer.as_posix()}: {total} lines of code without the sandbox, at most {LAYER_LIMIT}")
    return "\n".join(rows), faults


if __name__ == "__main__":
    table, faults = report(LAYER, APART, [Path("generator")])
    print(table)
    sys.exit("\n".join(faults) if faults else 0)
