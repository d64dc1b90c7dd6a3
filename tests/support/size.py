"""`python -m tests.support.size`: lines per room of what is written by hand; a module over the limit is an error.

A line of code is one that holds a token: blank lines, comments and docstrings are counted among the lines alone.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

PACKAGES = (Path("overrides/adsecurity"), Path("generator"))
MODULE_LIMIT = 400
_NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


class Size(NamedTuple):
    path: Path
    code: int
    lines: int


def code_lines(source: str) -> int:
    """Lines that hold a token of code."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - docstrings)


def sizes(folder: Path) -> Iterator[Size]:
    """The size of each module below a folder."""
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        yield Size(path, code_lines(source), len(source.splitlines()))


def rooms(package: Path) -> dict[str, list[Size]]:
    """The modules of each room; those beside the rooms come under the package's own name."""
    found: dict[str, list[Size]] = {}
    for size in sizes(package):
        inside = size.path.relative_to(package).parts
        room = package / inside[0] if len(inside) > 1 else package
        found.setdefault(room.as_posix(), []).append(size)
    return dict(sorted(found.items()))


def report(packages: Sequence[Path], limit: int = MODULE_LIMIT) -> tuple[str, list[str]]:
    """The printed table, and the modules that are too long."""
    rows = ["modules   code  lines"]
    faults: list[str] = []
    for package in packages:
        every: list[Size] = []
        for room, modules in rooms(package).items():
            rows.append(_row(modules, room))
            every += modules
        rows.append(_row(every, f"{package.as_posix()} in all"))
        faults += [
            f"{size.path.as_posix()}: {size.lines} lines, at most {limit}" for size in every if size.lines > limit
        ]
    return "\n".join(rows), faults


def _row(modules: Sequence[Size], name: str) -> str:
    code, lines = sum(size.code for size in modules), sum(size.lines for size in modules)
    return f"{len(modules):7} {code:6} {lines:6}  {name}"


if __name__ == "__main__":
    table, faults = report(PACKAGES)
    print(table)
    sys.exit("\n".join(faults) if faults else 0)
