"""Imports between the two packages: the forms that survive a move under another root, and every other one.

A copy under another root gets its imports rewritten line by line. What that cannot see, a package name in a string or
behind a comma, would still import, from the copy, whatever is installed under the old name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

PACKAGES = ("adsecurity", "adsecurity_generated")

_LINE = re.compile(
    r"\s*(?:import (?P<whole>\w+)(?:\s|$)|import (?P<part>\w+)\.\S+(?=\s+as\s)|from (?P<source>\w+)[.\s])"
)
_FORMS = (
    (r"^(\s*)import {package}(\s|$)", r"\1from {namespace} import {package}\2"),
    (r"^(\s*)import {package}(\.\S+)(?=\s+as)", r"\1import {namespace}.{package}\2"),
    (r"^(\s*)from {package}(\.|\s)", r"\1from {namespace}.{package}\2"),
)
_DOTTED = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+|adsecurity_generated")
# Most modules name us in their banner alone, and need no look at their syntax.
_MENTION = re.compile(rf"^(?!#).*\b(?:{'|'.join(PACKAGES)})\b", re.MULTILINE)
_BY_NAME = ("import_module", "__import__", "find_spec", "run_module", "files", "open_text", "read_text")


def _is_ours(name: str | None) -> bool:
    return (name or "").partition(".")[0] in PACKAGES


def _docstrings(tree: ast.Module) -> set[int]:
    """The expressions that only say something; a sentence may name what it likes."""
    return {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _texts(node: ast.expr) -> Iterator[str]:
    """The fixed text that an expression starts with."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str() as text), *_]):
            yield text
        case ast.BinOp(left=left):
            yield from _texts(left)
        case _:
            pass


def _calls(node: ast.Call) -> Iterator[str]:
    """The module that a call imports by an absolute name of ours."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in _BY_NAME and node.args:
        yield from (text for text in _texts(node.args[0]) if _is_ours(text))


def unmovable(text: str) -> list[tuple[int, str]]:
    """Lines that would not follow a move, each with what is wrong with it."""
    if not _MENTION.search(text):
        return []
    tree = ast.parse(text)
    lines = text.splitlines()
    spoken = _docstrings(tree)
    found: dict[int, str] = {}

    def add(node: ast.expr | ast.stmt, problem: str) -> None:
        found.setdefault(node.lineno, f"{problem}: {lines[node.lineno - 1].strip()}")

    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(_is_ours(alias.name) for alias in names):
                match_ = _LINE.match(lines[node.lineno - 1])
                if len(names) > 1:
                    add(node, "several modules in one import")
                elif match_ is None or not _is_ours(match_["whole"] or match_["part"]):
                    add(node, "neither `import b` nor `import b.sub as x` on a line of its own")
            case ast.ImportFrom(module=module, level=0) if _is_ours(module):
                match_ = _LINE.match(lines[node.lineno - 1])
                if match_ is None or match_["source"] not in PACKAGES:
                    add(node, "`from b import …` that does not start its line")
            case ast.Call() if any(_calls(node)):
                add(node, "a package by its absolute name")
            case ast.Constant(value=str() as value) if id(node) not in spoken and _DOTTED.fullmatch(value):
                add(node, "a module's absolute name in a string")
            case _:
                pass
    return sorted(found.items())


def moved(text: str, namespace: str) -> str:
    """A module as it imports below another root: by the same three substitutions as the `vendoring` tool's."""
    for package in PACKAGES:
        for form, replacement in _FORMS:
            new = replacement.format(namespace=namespace, package=package)
            text = re.sub(form.format(package=package), new, text, flags=re.MULTILINE)
    return text
